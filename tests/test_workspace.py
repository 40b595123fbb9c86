"""The front desk: pages that reach every run, and nothing a record says becomes a path."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_sdpipe.errors import NoLibraryError, UnknownNameError
from lib_sdpipe.manifest.records import ImageFacts, Manifest, Run
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.workspace import Workspace
from tests.images.test_digest import noise

RUN = "20251225_143009_a"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(find_layout(tmp_path / "runs"))
    for second in range(10):
        run_id = f"20251225_1430{second:02d}_a"
        made._store.create_run_folder(run_id)
        made._store.write_run(Run(run_id=run_id, status="completed", label="a"))
    return made


def test_paging_reaches_every_run_once_newest_first(workspace: Workspace) -> None:
    seen, after = [], None
    while True:
        page = workspace.list_runs(limit=3, after=after)
        assert page.total == 10
        seen += [run.run_id for run in page.runs]
        if page.next is None:
            break
        after = page.next
    assert seen == [f"20251225_1430{second:02d}_a" for second in range(9, -1, -1)]


def test_a_damaged_run_file_is_a_line_with_its_reason(workspace: Workspace) -> None:
    workspace.layout.run_file("20251225_143009_a").write_text("{")
    (newest,) = workspace.list_runs(limit=1).runs
    assert newest.status is None and "run_metadata.json" in (newest.error or "")


def test_a_missing_library_and_an_unknown_run_say_so(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(NoLibraryError):
        Workspace(find_layout(tmp_path / "nowhere")).list_runs()
    for name in ("20991225_143009_a", "../../etc", "x"):
        with pytest.raises(UnknownNameError):
            workspace.view_run(name)


@pytest.mark.parametrize("digest", ["../../../escaped", "/tmp/escaped", "", None, "ab" * 32])
def test_a_thumbnail_stays_in_its_folder_whatever_the_record_says(workspace: Workspace, tmp_path: Path, digest: str | None) -> None:
    facts = ImageFacts(pixel_sha256=digest)
    thumbnail = workspace.find_thumbnail(Manifest(name="../../x", run_id=RUN, root="runs", path=save(workspace, 1), image=facts))
    assert thumbnail is not None and workspace.layout.thumbnails in thumbnail.resolve().parents


def test_an_image_that_was_edited_gets_another_thumbnail(workspace: Workspace) -> None:
    manifest = Manifest(name="txt2img_001", run_id=RUN, root="runs", path=save(workspace, 1), image=ImageFacts(pixel_sha256="ab" * 32))
    first = workspace.find_thumbnail(manifest)
    save(workspace, 2)
    second = workspace.find_thumbnail(manifest)
    assert first is not None and second is not None and first != second and first.read_bytes() != second.read_bytes()


def test_a_picture_that_lies_in_no_root_is_not_shown(workspace: Workspace, tmp_path: Path) -> None:
    noise().save(tmp_path / "1.png")
    assert workspace.find_thumbnail(Manifest(name="txt2img_001", run_id=RUN, root=None, path=str(tmp_path / "1.png"))) is None


def save(workspace: Workspace, seed: int) -> str:
    """A picture in a run's folder; its path in the root of runs."""
    file = workspace.layout.run_folder(RUN) / "1.png"
    noise(seed=seed).save(file)
    os.utime(file, ns=(seed * 10**9, seed * 10**9))
    return f"{RUN}/1.png"


def test_a_path_out_of_its_root_is_no_picture(workspace: Workspace, tmp_path: Path) -> None:
    noise().save(tmp_path / "secret.png")
    assert workspace.find_picture(Manifest(root="runs", path="../secret.png")) is None
    assert workspace.find_picture(Manifest(root="runs", kept="../secret.png")) is None


def test_an_older_programs_manifest_is_shown_in_the_run_it_lies_in(workspace: Workspace) -> None:
    folder = workspace.layout.manifests("20251225_143009_a")
    folder.mkdir()
    (folder / "img2img_p01_v01.json").write_text(json.dumps({"stage": "img2img"}))
    (manifest,) = workspace.view_run("20251225_143009_a").manifests
    assert (manifest.name, manifest.run_id, manifest.inferred) == ("img2img_p01_v01", "20251225_143009_a", ["name", "run_id"])

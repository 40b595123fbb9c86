"""What a re-run proves, and what is done on that proof alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.conduct.endings import end_of
from lib_sdpipe.conduct.job_work import JobWork
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.pipeline.port import PassOutcome
from lib_sdpipe.pipeline.records import Job, Stage
from lib_sdpipe.pipeline.replay import Wanted
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.jobs import Jobs, build_chain, build_rerun
from lib_sdpipe.workspace.repairs import check_library
from tests.conduct.imitated_port import ImitatedPort

Make = Callable[..., Job]
BATCH = Stage(stage="txt2img", settings={"prompt": "a fox", "seed": 5, "batch_size": 3})


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "runs").mkdir()
    return find_layout(tmp_path / "runs", None)


@pytest.fixture
def port(layout: Layout) -> ImitatedPort:
    return ImitatedPort(layout, environment={"options": {"CLIP_stop_at_last_layers": 1}})


@pytest.fixture
def make(layout: Layout, port: ImitatedPort) -> Make:
    """Work off one job at once; what is known of it afterwards."""

    def work_off(job: Job) -> Job:
        state = [job]

        def save(changes: Json) -> Job:
            state[0] = state[0].copy(update=changes)
            return state[0]

        save(JobWork(layout, port, job, save, lambda: True, end_of(job)).run())
        return state[0]

    return work_off


@pytest.fixture
def original(make: Make) -> str:
    """A run of three images."""
    return make(build_chain([], [BATCH], label="first")).run_id or ""


def _again(layout: Layout, run_id: str, name: str | None = None, kind: str = "rerun", **wanted: Any) -> Job:
    link = ImageLink(run_id=run_id, name=name)
    return build_rerun(Jobs(Workspace(layout)).plan_rerun(link, Wanted(name=name, **wanted)), kind)


def _manifest(layout: Layout, run_id: str, name: str) -> Manifest:
    return RunStore(layout).read_manifest(run_id, name)


def _file(layout: Layout, run_id: str, name: str) -> Path:
    return layout.runs / (_manifest(layout, run_id, name).path or "")


def test_a_re_run_says_of_each_image_that_it_is_the_same(layout: Layout, make: Make, original: str) -> None:
    done = make(_again(layout, original))
    assert done.status == "done" and done.message == "Of 3 images: 3 pixel-identical."
    replay = RunStore(layout).read_run(done.run_id or "").replay
    assert replay is not None and replay.verdict == "identical" and replay.of == ImageLink(run_id=original, name=None)
    assert [image["name"] for image in replay.differences["images"]] == ["txt2img_001", "txt2img_002", "txt2img_003"]
    assert replay.differences["environment"] == []


@pytest.mark.parametrize(("shade", "verdict"), [(1, "near"), (10, "different")])
def test_what_is_not_the_same_is_told_with_its_numbers_and_what_changed(
    layout: Layout, port: ImitatedPort, make: Make, original: str, shade: int, verdict: str,
) -> None:
    port.shade, port.environment = shade, {"options": {"CLIP_stop_at_last_layers": 2}}
    done = make(_again(layout, original, "txt2img_002"))
    assert done.replay is not None and done.replay["verdict"] == verdict
    (image,) = done.replay["differences"]["images"]
    assert (image["values"], image["largest"]) == (256, shade) and image["psnr"] > 0
    assert done.replay["differences"]["environment"][0]["field"].endswith("CLIP_stop_at_last_layers")


def test_of_a_batch_the_whole_is_made_and_the_wanted_one_saved(layout: Layout, make: Make, original: str) -> None:
    done = make(_again(layout, original, "txt2img_002"))
    made = [manifest for manifest in RunStore(layout).iter_manifests(done.run_id or "") if isinstance(manifest, Manifest)]
    assert [(manifest.actual_seed, manifest.path is not None) for manifest in made] == [(5, False), (6, True), (7, False)]


def test_variations_are_linked_and_not_compared(layout: Layout, make: Make, original: str) -> None:
    done = make(_again(layout, original, "txt2img_001", changes={"steps": 30}))
    run = RunStore(layout).read_run(done.run_id or "")
    assert run.replay is not None and run.replay.of == ImageLink(run_id=original, name="txt2img_001") and run.replay.verdict is None
    assert run.config["steps"] == 30


def test_a_lost_file_comes_back_pixel_for_pixel_under_its_own_manifest(layout: Layout, make: Make, original: str) -> None:
    file = _file(layout, original, "txt2img_002")
    before = _manifest(layout, original, "txt2img_002")
    file.unlink()
    done = make(_again(layout, original, "txt2img_002", "regenerate"))
    assert done.message == "txt2img_002 is pixel-identical and back in its place." and file.is_file()
    after = _manifest(layout, original, "txt2img_002")
    assert after.image is not None and before.image is not None and after.image.pixel_sha256 == before.image.pixel_sha256
    assert check_counts(layout) == {}
    assert [m.path for m in RunStore(layout).iter_manifests(done.run_id or "") if isinstance(m, Manifest)] == [None] * 3


def test_what_is_not_the_same_never_takes_the_place_of_a_lost_file(layout: Layout, port: ImitatedPort, make: Make, original: str) -> None:
    file = _file(layout, original, "txt2img_002")
    file.unlink()
    port.shade = 1
    done = make(_again(layout, original, "txt2img_002", "regenerate"))
    assert not file.exists() and done.message is not None and "kept in run" in done.message
    kept = _file(layout, done.run_id or "", "txt2img_002")
    assert kept.is_file() and _manifest(layout, original, "txt2img_002").image is not None


def test_a_file_that_came_back_meanwhile_is_not_written_over(layout: Layout, port: ImitatedPort, make: Make, original: str) -> None:
    file = _file(layout, original, "txt2img_002")
    file.unlink()

    def come_back(request: Any) -> PassOutcome | None:
        file.write_bytes(b"another")
        return None

    port.before_pass = come_back
    done = make(_again(layout, original, "txt2img_002", "regenerate"))
    assert file.read_bytes() == b"another" and done.message is not None and "could not be put back" in done.message


def test_only_what_is_proven_is_released(layout: Layout, port: ImitatedPort, make: Make, original: str) -> None:
    painted_over = _file(layout, original, "txt2img_003")
    shutil.copy(_file(layout, original, "txt2img_001"), painted_over)
    done = make(_again(layout, original, kind="release"))
    assert painted_over.is_file() and done.message is not None and "2 of 3" in done.message
    for name in ("txt2img_001", "txt2img_002"):
        assert not _file(layout, original, name).exists() and _manifest(layout, original, name).lost_at is not None
    assert "missing-image" not in check_counts(layout)


def test_what_was_released_comes_back_by_making_it_again(layout: Layout, make: Make, original: str) -> None:
    make(_again(layout, original, kind="release"))
    assert not _file(layout, original, "txt2img_001").exists()
    done = make(_again(layout, original, "txt2img_001", "regenerate"))
    assert _file(layout, original, "txt2img_001").is_file(), done.message
    assert _manifest(layout, original, "txt2img_001").lost_at is None


def check_counts(layout: Layout) -> dict[str, int]:
    return dict(check_library(Workspace(layout))["counts"])

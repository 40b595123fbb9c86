"""What goes into a download: everything of a run; of picked images what was picked; of copies for sharing nothing that tells."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.sharing import NotSharableError, find_secrets
from lib_sdpipe.store.marks import write_marks
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.packing import pack_picked, pack_run, pack_shared
from lib_sdpipe.workspace.parcels import Parcel
from lib_sdpipe.workspace.picked import Pick, read_picks
from tests.ui.sample_library import SampleLibrary, draw_picture

SECRET = "an unspeakable lighthouse prompt"


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    return SampleLibrary(tmp_path / "library")


@pytest.fixture
def workspace(library: SampleLibrary) -> Workspace:
    return Workspace(library.layout)


def opened(parcel: Parcel) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parcel.iter_bytes())))
    assert archive.testzip() is None
    return archive


def write_secret(file: Path, seed: int) -> None:
    info = PngInfo()
    info.add_text("parameters", f"{SECRET}\nSteps: 2, Seed: {seed}, Model: secretModel_v4", zip=True)
    Image.open(io.BytesIO(draw_picture(seed, (96, 64)))).save(file, "PNG", pnginfo=info)


def test_a_run_is_whole_in_its_zip(library: SampleLibrary, workspace: Workspace) -> None:
    run_id = library.add_run("harbour 夜", ago=60)
    first, second = library.add_image(run_id, "txt2img_001", 1), library.add_image(run_id, "txt2img_002", 2)
    write_marks(library.layout, run_id, {"txt2img_001": {"rating": 5}}, "2025-01-01T00:00:00.000Z")
    parcel = pack_run(workspace, run_id)
    archive = opened(parcel)
    assert sorted(archive.namelist()) == sorted(f"{run_id}/{name}" for name in (
        "run_metadata.json", "marks.json", "manifests/txt2img_001.json", "manifests/txt2img_002.json",
        "images/txt2img_001.png", "images/txt2img_002.png",
    ))
    assert archive.read(f"{run_id}/images/txt2img_002.png") == (library.outputs / second.path).read_bytes()
    assert json.loads(archive.read(f"{run_id}/manifests/txt2img_001.json"))["prompt"] == first.prompt
    assert parcel.file_name == f"{run_id}.zip" and parcel.bytes == sum(info.file_size for info in archive.infolist())


def test_what_is_not_there_is_named_in_the_zip(library: SampleLibrary, workspace: Workspace) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 1)
    library.add_image(run_id, "txt2img_002", 2, file=False)
    library.add_image(run_id, "txt2img_003", 3, file=False, path=None, root=None)
    (library.layout.manifests(run_id) / "txt2img_004.json").write_text("{", encoding="utf-8")
    parcel = pack_run(workspace, run_id)
    image = next(piece.file for piece in parcel.pieces if piece.name.endswith("txt2img_001.png"))
    image.unlink()
    archive = opened(parcel)
    told = archive.read("missing.txt").decode("utf-8")
    assert all(name in told for name in ("txt2img_001", "txt2img_002", "txt2img_003: it was never saved", "txt2img_004"))
    assert f"{run_id}/manifests/txt2img_004.json" in archive.namelist()
    assert archive.namelist()[-1] == "missing.txt"


def test_a_record_that_names_another_file_of_this_disk_does_not_get_it(
    library: SampleLibrary, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "passwords.png").write_text("no image", encoding="utf-8")
    run_id = library.add_run("foreign", ago=60)
    library.add_image(run_id, "txt2img_001", 1, root=None, path=str(tmp_path / "passwords.png"))
    archive = opened(pack_run(workspace, run_id))
    assert not any("images/" in name for name in archive.namelist())
    assert "its file is not where it was recorded" in archive.read("missing.txt").decode("utf-8")


def test_picked_images_come_with_their_manifests_and_others_by_their_place(library: SampleLibrary, workspace: Workspace) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 1)
    library.add_image(run_id, "txt2img_002", 2)
    (library.outputs / "old").mkdir()
    (library.outputs / "old" / "a, b.png").write_bytes(draw_picture(9, (64, 64)))
    picks = read_picks([
        {"run": run_id, "name": "txt2img_002"}, {"root": "outputs", "path": "old/a, b.png"}, {"run": run_id, "name": "txt2img_002"},
        {"root": "outputs", "path": "../runs/library.json"}, {"root": "outputs", "path": "../../x.png"}, {"run": "../x", "name": "y"}, 7,
        None,
    ])
    archive = opened(pack_picked(workspace, picks))
    assert sorted(archive.namelist()) == sorted([
        f"{run_id}/images/txt2img_002.png", f"{run_id}/manifests/txt2img_002.json", "outputs/old/a, b.png", "missing.txt",
    ])
    assert archive.read("missing.txt").decode("utf-8").count("\n") == 3


def test_names_in_a_zip_never_lead_out_of_it(library: SampleLibrary, workspace: Workspace) -> None:
    names = ["con:a\n.png", "x" * 100 + ".png", "a..png", " .png"]
    for number, name in enumerate(names):
        (library.outputs / name).write_bytes(draw_picture(number, (32, 32)))
    archive = opened(pack_picked(workspace, [Pick(root="outputs", path=name) for name in names]))
    assert len(archive.namelist()) == len(names)
    for name in archive.namelist():
        assert name.startswith("outputs/") and ".." not in name.split("/") and not set(name) & set(':*?"<>|\\\n\0')


def test_a_copy_for_sharing_is_a_nameless_image_that_tells_nothing(library: SampleLibrary, workspace: Workspace) -> None:
    run_id = library.add_run("secret pack", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 1, prompt=SECRET, model="secretModel_v4")
    write_secret(library.outputs / manifest.path, 1)
    parcel = pack_shared(workspace, [Pick(run_id, "txt2img_001")])
    data = b"".join(parcel.iter_bytes())
    assert (parcel.file_name, parcel.media_type) == ("image.png", "image/png")
    assert find_secrets(data, [SECRET, "unspeakable", "secretModel_v4", run_id, manifest.path]) == []
    assert pixel_sha256(Image.open(io.BytesIO(data))) == pixel_sha256(Image.open(library.outputs / manifest.path))


def test_many_copies_are_numbered_and_the_zip_tells_neither_names_nor_times(library: SampleLibrary, workspace: Workspace) -> None:
    run_id = library.add_run("secret pack", ago=60)
    for number in (1, 2):
        manifest = library.add_image(run_id, f"txt2img_00{number}", number, prompt=SECRET)
        write_secret(library.outputs / manifest.path, number)
    library.add_image(run_id, "txt2img_003", 3, file=False)
    broken = library.add_image(run_id, "txt2img_004", 4)
    (library.outputs / broken.path).write_bytes(draw_picture(4, (64, 64))[:200])
    parcel = pack_shared(workspace, [Pick(run_id, f"txt2img_00{number}") for number in (1, 2, 3, 4)])
    data = b"".join(parcel.iter_bytes())
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.namelist() == ["image_001.png", "image_002.png", "not-included.txt"]
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    told = archive.read("not-included.txt").decode("utf-8")
    assert "1 of the picked images have no file" in told and "image 3: the file is truncated" in told
    assert find_secrets(data, [SECRET, "secret_pack", "txt2img_00", "lighthouse"]) == [] and "txt2img" not in told


def test_nothing_picked_too_much_picked_and_no_such_run_are_sentences(library: SampleLibrary, workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="no image is picked"):
        pack_picked(workspace, [])
    with pytest.raises(UsageError, match="at once are the most"):
        pack_shared(workspace, [Pick("20250101_000000_a", f"a_{number}") for number in range(10_001)])
    with pytest.raises(UnknownNameError):
        pack_run(workspace, "20250101_000000_a")
    with pytest.raises(NotSharableError):
        pack_shared(workspace, [Pick("20250101_000000_a", "txt2img_001")])
    run_id = library.add_run("gone", ago=60)
    library.add_image(run_id, "txt2img_001", 1, file=False)
    library.add_image(run_id, "txt2img_002", 2, file=False)
    with pytest.raises(UnknownNameError, match="nothing to copy"):
        pack_shared(workspace, [Pick(run_id, "txt2img_001"), Pick(run_id, "txt2img_002")])

"""`verify`: one word for each image, read now."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.cli.main import main
from tests.reconcile.truth import Truth

RUN = "20260102_030400_cats"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    truth = Truth(tmp_path)
    truth.record(RUN, count=2, kept=True)
    return truth


def verify(truth: Truth, what: str | Path, capsys: Capture) -> tuple[int, list[dict[str, Any]]]:
    code = main(["verify", str(what), "--runs", str(truth.layout.runs), "--json"])
    return code, json.loads(capsys.readouterr().out).get("images", [])


def first(truth: Truth) -> Path:
    return truth.outputs / (truth.manifests_now()[0].path or "")


def test_a_whole_run_is_identical(truth: Truth, capsys: Capture) -> None:
    code, images = verify(truth, RUN, capsys)
    assert code == 0 and [image["verdict"] for image in images] == ["identical", "identical"]
    assert set(images[0]) == {"run_id", "name", "root", "path", "verdict", "evidence"}
    assert (images[0]["run_id"], images[0]["name"], images[0]["root"]) == (RUN, "txt2img_001", "outputs")


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 1
    stat = file.stat()
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def strip(file: Path) -> None:
    with Image.open(file) as image:
        image.load()
    image.save(file)


def retag(file: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", "a dog")
    with Image.open(file) as image:
        image.load()
    image.save(file, pnginfo=info)


@pytest.mark.parametrize(("change", "verdict"), [
    (flip, "unreadable"), (strip, "stripped"), (retag, "retagged"), (Path.unlink, "missing"),
    (lambda file: Image.new("RGB", (16, 16)).save(file), "modified"),
])
@pytest.mark.parametrize("is_known", [False, True])
def test_what_became_of_an_image_is_said_whatever_was_read_before(
    truth: Truth, change: Any, verdict: str, is_known: bool, capsys: Capture
) -> None:
    if is_known:
        truth.check(is_deep=True)
    change(first(truth))
    assert [image["verdict"] for image in verify(truth, RUN, capsys)[1]] == [verdict, "identical"]
    code, (image,) = verify(truth, first(truth), capsys)
    assert (code, image["verdict"], image["name"]) == (1, verdict, "txt2img_001") and image["evidence"]


def test_a_copy_anywhere_is_held_against_the_image_that_it_is(truth: Truth, capsys: Capture, tmp_path: Path) -> None:
    copy = tmp_path / "sent.png"
    shutil.copyfile(first(truth), copy)
    code, (image,) = verify(truth, copy, capsys)
    assert (code, image["verdict"], image["name"], image["root"], image["path"]) == (0, "identical", "txt2img_001", None, copy.as_posix())
    strip(copy)
    assert verify(truth, copy, capsys)[1][0]["verdict"] == "stripped"


def test_the_kept_copy_is_held_against_the_record(truth: Truth, capsys: Capture) -> None:
    kept = truth.layout.runs / (truth.manifests_now()[0].kept or "")
    assert verify(truth, kept, capsys)[0] == 0
    flip(kept)
    code, (image,) = verify(truth, kept, capsys)
    assert (code, image["verdict"], image["root"]) == (1, "unreadable", "runs")


def test_what_nobody_recorded_is_unrecorded_and_what_is_nowhere_is_unknown(truth: Truth, capsys: Capture, tmp_path: Path) -> None:
    truth.write_picture(tmp_path / "old.png", None, 99)
    code, (image,) = verify(truth, tmp_path / "old.png", capsys)
    assert (code, image["verdict"], image["run_id"]) == (1, "unrecorded", None)
    assert verify(truth, tmp_path / "nowhere.png", capsys) == (1, [])
    assert verify(truth, "20260102_030400_nobody", capsys) == (1, [])


def test_a_record_without_digests_cannot_be_compared_and_a_damaged_one_neither(truth: Truth, capsys: Capture) -> None:
    manifest = truth.manifests_now()[0]
    manifest.image = None
    truth.store.write_manifest(manifest)
    truth.layout.manifest_file(RUN, "txt2img_002").write_text("{")
    code, images = verify(truth, RUN, capsys)
    assert code == 1 and [image["verdict"] for image in images] == ["not-comparable", "not-comparable"]


def test_an_image_that_was_never_saved_is_no_matter_of_verify(truth: Truth, capsys: Capture) -> None:
    for manifest in truth.manifests_now():
        manifest.root = manifest.path = None
        truth.store.write_manifest(manifest)
    assert verify(truth, RUN, capsys) == (0, [])


def test_for_a_person_it_is_a_table_with_the_reason(truth: Truth, capsys: Capture) -> None:
    flip(first(truth))
    assert main(["verify", RUN, "--runs", str(truth.layout.runs)]) == 1
    said = capsys.readouterr().out
    assert "unreadable" in said and "not a readable image" in said and "1 of 2 images identical" in said

"""`adopt`: from a host's old outputs to runs and back, by files on a disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.cli.main import main
from lib_sdpipe.manifest.codec import format_json, parse_manifest, parse_run
from lib_sdpipe.reconcile.adopt.documents import NO_REQUEST
from lib_sdpipe.reconcile.plan import build_plan, iter_plan_text
from tests.images.pictures import comment_exif
from tests.manifest.test_foreign import CASES
from tests.reconcile.host_outputs import SIZE, Host, infotext
from tests.reconcile.truth import Truth

Capture = pytest.CaptureFixture[str]


class Library:
    """A host's outputs that nobody recorded, and a runs folder."""

    def __init__(self, base: Path, capsys: Capture) -> None:
        self.base, self.runs, self.outputs, self.plan = base, base / "runs", base / "outputs", base.parent / "plan.json"
        self.capsys = capsys
        self.runs.mkdir(parents=True)
        self.host = Host()

    def call(self, verb: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        assert main([verb, "--runs", str(self.runs), "--json", *arguments]) == code, self.capsys.readouterr().err
        return json.loads(self.capsys.readouterr().out)

    def adopt(self, *arguments: str, root: str | None = None) -> dict[str, Any]:
        return self.call("adopt", root or f"outputs={self.outputs}", "-o", str(self.plan), *arguments)

    def apply(self) -> None:
        answer = self.call("apply", str(self.plan))
        assert answer["failed"] == [] and answer["skipped"] == 0

    def tree(self) -> dict[str, tuple[bytes, int, int]]:
        return Truth.tree(self)  # type: ignore[arg-type]

    def manifests(self) -> dict[str, dict[str, Any]]:
        """By the path of the image."""
        found = [json.loads(file.read_bytes()) for file in self.runs.glob("*/manifests/*.json")]
        return {one["path"]: one for one in found}

    def groups(self) -> set[frozenset[str]]:
        by_run: dict[str, set[str]] = {}
        for path, manifest in self.manifests().items():
            by_run.setdefault(manifest["run_id"], set()).add(path)
        return {frozenset(paths) for paths in by_run.values()}


@pytest.fixture
def library(tmp_path: Path, capsys: Capture) -> Library:
    return Library(tmp_path / "library", capsys)


@pytest.fixture
def session(library: Library) -> Library:
    """Batches, grids, hires fix, masks, an upscale, and pictures that are none of a host's."""
    host = library.host
    host.generate(1_000_000, 4)
    host.wait(3).generate(1_000_004, 2)
    (source,) = host.wait(600).generate(2_000_000, 1, hires=1)[1:]
    host.extras(source)
    host.wait(9).generate(3_000_000, 2, tab="img2img", ending="-mask", more=", Denoising strength: 0.7, Mask blur: 4", grid=False)
    host.wait(90_000).generate(4_000_000, 3)
    host.write(library.outputs)
    (library.outputs / "downloads").mkdir()
    for name in ("holiday.png", "poster.png"):
        Image.new("RGB", (8, 8), (len(name), 0, 0)).save(library.outputs / "downloads" / name)
    return library


def test_a_session_is_adopted_found_and_given_back(session: Library) -> None:
    images = session.tree()
    session.adopt()
    before = session.tree()
    assert {path: data for path, data in before.items() if path.startswith("outputs")} == images, "a plan does nothing"
    session.apply()
    assert session.groups() == set(session.host.truth)
    checked = session.call("check")
    assert [(one["code"], one["path"]) for one in checked["findings"]] == [("orphaned-image", "downloads")]
    assert session.call("find", "seed:1000003")["images"][0]["stage"] == "txt2img"
    assert session.call("find", "recorded:no")["total"] == 2
    assert session.adopt(root="outputs")["operations"] == [], "what is adopted is nobody's orphan"
    assert session.call("undo")["failed"] == []
    assert session.tree() == before


def test_every_record_is_whole_and_says_what_was_concluded(session: Library) -> None:
    session.adopt()
    session.apply()
    for file in session.runs.glob("*/manifests/*.json"):
        assert format_json(parse_manifest(file.read_bytes(), "it").to_json()) == file.read_bytes()
    for file in session.runs.glob("*/run_metadata.json"):
        run = parse_run(file.read_bytes(), "it")
        assert format_json(run.to_json()) == file.read_bytes() and file.parent.name == run.run_id
        assert (run.source, run.status, run.replayable, run.not_replayable_because) == ("adopted", None, False, NO_REQUEST)
        assert set(run.inferred) >= {"run_id", "started_at", "finished_at", "config", "stage_outputs"}
    manifests = session.manifests()
    grid = manifests["txt2img-grids/2023-11-14/grid-0000.png"]
    assert (grid["stage"], grid["members"]) == ("grid", ["txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004"])
    image = manifests["txt2img-images/2023-11-14/00002-1000002.png"]
    assert image["infotext"] == infotext(1_000_002) and image["timestamp"] == "2023-11-14T22:13:32.020Z"
    assert image["image"] == {
        "width": 64, "height": 48, "format": "PNG", "mode": None, "bytes": (session.outputs / image["path"]).stat().st_size,
        "sha256": None, "pixel_sha256": None, "perceptual_hash": None, "decoder": None,
    }
    assert image["inferred"] == ["role", "run_id", "stage", "timestamp"] and image["batch"] is None
    mask = manifests["img2img-images/2023-11-14/00001-3000000-mask.png"]
    assert (mask["stage"], mask["role"]) == ("inpaint", "mask")


def test_what_was_before_and_what_it_was_made_from_is_linked(session: Library) -> None:
    session.adopt()
    session.apply()
    manifests = session.manifests()
    before, final = (manifests[f"txt2img-images/2023-11-14/0000{name}.png"] for name in ("6-2000000-before-highres-fix", "7-2000000"))
    assert (before["role"], final["role"]) == ("before-highres-fix", "final")
    assert [(one["role"], one["run_id"], one["name"]) for one in final["stage_history"]] == [
        ("before-highres-fix", final["run_id"], before["name"])
    ]
    upscaled = manifests["extras-images/00000.png"]
    assert upscaled["parent"] == {"run_id": final["run_id"], "name": final["name"], "by": "infotext", "pixel_sha256": None}
    assert upscaled["config"] == {"Postprocess upscale by": "4", "Postprocess upscaler": "Lanczos"}
    assert {"parent", "prompt", "actual_seed", "model"} <= set(upscaled["inferred"])


def test_a_picture_sent_to_img2img_is_its_parent_only_where_one_can_be(library: Library) -> None:
    host = library.host
    (first,) = host.generate(3_000_000_000)
    (sent,) = host.wait(60).generate(3_000_000_000, tab="img2img", more=", Denoising strength: 0.5")
    host.wait(60).generate(4_000_000_000)
    host.wait(60).generate(4_000_000_000, more=", Clip skip: 2")
    (doubtful,) = host.wait(60).generate(4_000_000_000, tab="img2img", more=", Denoising strength: 0.5")
    host.wait(60).generate(7)
    (typed,) = host.wait(60).generate(7, tab="img2img", more=", Denoising strength: 0.5")
    host.write(library.outputs)
    library.adopt("--limit", "1")
    library.apply()
    library.adopt()
    library.apply()
    manifests = library.manifests()
    assert manifests[sent]["parent"]["run_id"] == manifests[first]["run_id"], "also where the parent was adopted before"
    assert manifests[doubtful]["parent"] is None, "two pictures have that seed"
    assert manifests[typed]["parent"] is None, "a small seed is typed again and again"


def test_a_part_at_a_time_comes_to_the_same(session: Library, tmp_path: Path) -> None:
    while session.adopt("--limit", "3")["operations"]:
        session.apply()
    assert session.groups() == set(session.host.truth)
    started = sorted(json.loads(file.read_bytes())["started_at"] for file in session.runs.glob("*/run_metadata.json"))
    assert len(started) == len(session.host.truth)


def test_plan_choose_gives_the_same_operations(session: Library) -> None:
    adopted = session.adopt()
    planned = session.call("plan", "--choose", "orphaned-image=adopt")
    assert planned["operations"] == adopted["operations"] != []
    only = session.call("plan", "--choose", "orphaned-image=adopt", "--only", "orphaned-image")
    assert only["operations"] == adopted["operations"]


def test_the_plan_is_written_as_every_plan_is(session: Library) -> None:
    document = session.adopt()
    assert session.plan.read_bytes() == format_json(document)
    assert list(document) == ["schema", "plan_id", "created_at", "library", "operations"]
    assert {(one["op"], one["code"], one["expects"]["sha256"]) for one in document["operations"]} == {("adopt", "orphaned-image", None)}
    nothing = build_plan([], "p", "2026-01-02T03:04:05.000Z", None)
    assert b"".join(iter_plan_text(nothing, [])) == format_json(nothing)


def test_an_image_that_is_another_by_now_fails_and_the_others_are_adopted(session: Library) -> None:
    session.adopt()
    first = session.outputs / "txt2img-images/2023-11-14/00000-1000000.png"
    first.write_bytes(first.read_bytes() + b"more")
    answer = session.call("apply", str(session.plan), code=1)
    assert len(answer["failed"]) == 1 and "00000-1000000.png" in answer["failed"][0]["reason"]
    assert answer["done"] == len(session.host.truth) - 1


def test_pictures_of_nobody_are_left_unless_asked_for(session: Library, capsys: Capture) -> None:
    session.adopt()
    assert main(["adopt", "--runs", str(session.runs), "outputs", "-o", str(session.plan)]) == 0
    said = capsys.readouterr().out
    assert f"{len(session.host.files)} images in {len(session.host.truth)} runs." in said
    assert "2 images without the text of any generator" in said
    session.adopt("--all", root="outputs")
    session.apply()
    holiday = session.manifests()["downloads/holiday.png"]
    assert (holiday["stage"], holiday["name"], holiday["role"]) == (None, "image_001", "final")
    assert session.call("check")["findings"] == []


@pytest.mark.parametrize("case", ["comfyui", "swarmui", "invokeai", "fooocus in a1111's words"])
def test_another_generators_picture_is_a_run_without_a_stage(library: Library, case: str) -> None:
    generator, texts = CASES[case]
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    library.outputs.mkdir()
    Image.new("RGB", (8, 8)).save(library.outputs / "one.png", pnginfo=info)
    library.adopt()
    library.apply()
    manifest = library.manifests()["one.png"]
    assert (manifest["name"], manifest["stage"], manifest["generator"]) == ("image_001", None, generator)
    assert (manifest["actual_seed"], manifest["config"]["steps"]) == (42, 20)
    assert library.call("check")["findings"] == []


def test_a_copy_in_another_folder_is_no_run(session: Library) -> None:
    source = session.outputs / "txt2img-images/2023-11-14/00001-1000001.png"
    (session.outputs / "best").mkdir()
    shutil.copy2(source, session.outputs / "best" / source.name)
    session.adopt()
    session.apply()
    assert session.groups() == set(session.host.truth)
    assert session.adopt(root="outputs")["operations"] == [], "also once the first is recorded"


def test_the_same_press_on_another_day_is_another_run_and_a_backup_is_none(library: Library) -> None:
    library.host.generate(5)
    library.host.day = "2023-11-15"
    library.host.wait(86_400).generate(5)
    library.host.write(library.outputs)
    assert [Path(path).name for press in library.host.truth for path in press] == ["00000-5.png"] * 2
    shutil.copytree(library.outputs / "txt2img-images", library.outputs / "backup" / "txt2img-images")
    library.adopt()
    library.apply()
    assert library.groups() == set(library.host.truth)
    assert library.adopt(root="outputs")["operations"] == []


def test_text_and_small_jpeg_beside_an_image_go_with_it(library: Library) -> None:
    library.host.generate(5_000_000)
    library.host.write(library.outputs)
    (image,) = library.outputs.rglob("*.png")
    Image.new("RGB", SIZE).save(image.with_suffix(".jpg"), exif=comment_exif(infotext(5_000_000)))
    image.with_suffix(".txt").write_text(infotext(5_000_000))
    for beside in (image.with_suffix(".jpg"), image.with_suffix(".txt")):
        os.utime(beside, (image.stat().st_mtime + 1,) * 2)
    library.adopt()
    library.apply()
    (manifest,) = library.manifests().values()
    assert sorted(manifest["beside"]) == [image.with_suffix(".jpg").name, image.with_suffix(".txt").name]
    assert library.call("check")["findings"] == []


def test_an_image_without_text_is_told_by_the_text_file_beside_it(library: Library) -> None:
    library.host.alone("old", "00003-5.png", None)
    library.host.write(library.outputs)
    image = library.outputs / "old/00003-5.png"
    image.with_suffix(".txt").write_text(infotext(5) + "\n")
    os.utime(image.with_suffix(".txt"), (image.stat().st_mtime,) * 2)
    library.adopt()
    library.apply()
    assert library.manifests()["old/00003-5.png"]["infotext"] == infotext(5)
    assert library.call("check")["findings"] == []


def test_a_run_that_was_lost_gets_its_own_id_back(library: Library) -> None:
    run_id = "20231114_101010_cats"
    for seed in (5_000_000, 9_000_000):
        library.host.generate(seed, prompt=f"cat {seed}", more=f", Run ID: {run_id}")
    library.host.write(library.outputs)
    (operation,) = library.adopt()["operations"]
    assert operation["run_id"] == run_id
    library.apply()
    library.host.generate(7_000_000, more=f", Run ID: {run_id}")
    library.host.write(library.outputs)
    assert library.adopt(root="outputs")["operations"] == [], "an image of a run that is there is that run's business"


@pytest.mark.parametrize("hostile", ["20231114_101010_../../x", "20231114_101010_a b", "x", "20231114_101010_CON"])
def test_a_run_id_that_no_folder_could_have_is_not_used(library: Library, hostile: str) -> None:
    library.host.generate(5_000_000, more=f", Run ID: {hostile}")
    library.host.write(library.outputs)
    (operation,) = library.adopt()["operations"]
    assert operation["run_id"].endswith("_adopted")


def test_a_folder_in_a_root_is_adopted_alone(session: Library) -> None:
    session.call("roots", f"outputs={session.outputs}")
    operations = session.adopt(root=str(session.outputs / "img2img-images"))["operations"]
    assert {one["path"].split("/")[0] for one in operations} == {"img2img-images"}


@pytest.mark.parametrize("arguments", [["nowhere"], ["outputs", "--limit", "0"], ["other={outputs}/txt2img-images"]])
def test_what_cannot_be_adopted_is_a_wrong_call(session: Library, arguments: list[str]) -> None:
    session.call("roots", f"outputs={session.outputs}")
    session.call("adopt", *[one.format(outputs=session.outputs) for one in arguments], code=2)


def test_runs_of_one_second_get_ids_of_their_own(library: Library) -> None:
    for seed in (1 << 20, 1 << 21, 1 << 22):
        library.host.generate(seed, seconds=0.1)
    library.host.write(library.outputs)
    ids = [one["run_id"] for one in library.adopt()["operations"]]
    assert len(set(ids)) == 3 and ids[1:] == [f"{ids[0]}_2", f"{ids[0]}_3"]

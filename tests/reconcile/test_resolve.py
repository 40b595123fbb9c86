"""What one image is: our own records, by path, bytes, pixels and name, and everything that may be wrong with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.resolve import resolve_image_file
from tests.conftest import RecordRun
from tests.reconcile.pictures import INFOTEXT, make_picture, record_of, write_png

RUN = "20251225_143022_a"
OTHER = "20251226_143022_b"
OURS = f"{INFOTEXT}, Run ID: {RUN}"


@pytest.fixture
def outputs(runs: Path) -> Path:
    folder = runs.parent / "outputs"
    folder.mkdir()
    Library(find_layout(runs)).ensure_roots({"outputs": folder})
    return folder


def resolve(runs: Path | None, path: Path, history: Path | None = None) -> dict[str, Any]:
    return resolve_image_file(find_layout(runs) if runs else None, path, history)


def statuses(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(source["source"], source["status"]) for source in answer["sources_tried"]]


def record(record_run: RecordRun, path: Path, run_id: str = RUN, **fields: Any) -> None:
    """A run of this one picture, as a recorder writes it."""
    usual = {
        "name": "txt2img_001", "root": "outputs", "path": path.name, "prompt": "a lighthouse", "negative_prompt": "bad",
        "job_id": "task(1)", "model": "tiny", "actual_seed": 7,
        "image": record_of(path), "infotext": OURS, "timestamp": "2025-12-25T13:30:22.123Z",
    }
    output = {"stage": "txt2img", "name": "txt2img_001", "root": "outputs", "path": path.name}
    record_run(run_id, [{**usual, **fields}], job_id="task(1)", stage_outputs=[output])


def build_index(runs: Path) -> None:
    store = RunStore(find_layout(runs))
    index = Index(find_layout(runs).index_file)
    for run_id in store.iter_run_ids():
        for manifest in store.iter_manifests(run_id):
            if isinstance(manifest, Manifest):
                index.pictures.add(manifest)
    index.close()


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_recorded_image_is_known_by_its_manifest(is_indexed: bool, runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    if is_indexed:
        build_index(runs)
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"], answer["conflicts"], answer["error"]) == ("ok", "manifest", [], None)
    assert statuses(answer) == [("embedded", "ok"), ("manifest", "ok"), ("run-file", "ok"), ("infotext", "ok")]
    payload = answer["payload"]
    assert (payload["run_id"], payload["name"], payload["actual_seed"], payload["path"]) == (RUN, "txt2img_001", 7, "00001-7.png")
    assert answer["reconciled_payload"] == payload
    assert list(payload) == [*Manifest().to_json()]


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_moved_image_is_found_by_its_bytes(is_indexed: bool, runs: Path, outputs: Path, tmp_path: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    if is_indexed:
        build_index(runs)
    moved = tmp_path / "elsewhere.png"
    shutil.move(str(path), moved)
    answer = resolve(runs, moved)
    assert (answer["status"], answer["source"], answer["payload"]["name"]) == ("ok", "manifest", "txt2img_001")


def test_a_stripped_copy_is_found_by_its_pixels_and_said_to_be_stripped(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    build_index(runs)
    answer = resolve(runs, write_png(outputs / "copy.png"))
    assert (answer["status"], answer["source"], answer["payload"]["run_id"]) == ("stripped", "manifest", RUN)
    assert statuses(answer)[0] == ("embedded", "missing") and statuses(answer)[-1] == ("infotext", "missing")


def test_a_picture_written_over_the_recorded_one_is_a_mismatch(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    build_index(runs)
    write_png(path, {"parameters": INFOTEXT}, make_picture(2))
    answer = resolve(runs, path)
    assert ("manifest", "mismatch") in statuses(answer)
    assert (answer["status"], answer["source"]) == ("ok", "run-file")
    manifest = next(source for source in answer["sources_tried"] if source["source"] == "manifest")
    assert "txt2img_001.json" in manifest["error"] and "another picture" in manifest["error"]


def test_a_run_id_alone_names_the_run_and_not_the_image(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    record(record_run, write_png(outputs / "00001-7.png", {"parameters": OURS}))
    answer = resolve(runs, write_png(outputs / "drawn-over.png", {"parameters": OURS}, make_picture(3)))
    assert (answer["status"], answer["source"], answer["payload"]["run_id"], answer["payload"]["name"]) == ("ok", "infotext", RUN, None)
    assert ("run-file", "mismatch") in statuses(answer)


def test_a_run_id_that_is_no_name_of_a_folder_leads_nowhere(runs: Path, outputs: Path) -> None:
    path = write_png(outputs / "a.png", {"parameters": INFOTEXT + ", Run ID: ../../../etc"})
    assert resolve(runs, path)["status"] == "ok"


def test_a_damaged_manifest_is_reported_and_the_run_file_answers(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    (runs / RUN / "manifests" / "txt2img_001.json").write_text('{"name": ')
    for _ in ("without index", "with one"):
        answer = resolve(runs, path)
        assert (answer["status"], answer["source"]) == ("ok", "run-file")
        assert statuses(answer) == [("embedded", "ok"), ("manifest", "corrupt"), ("run-file", "ok"), ("infotext", "ok")]
        assert (answer["payload"]["job_id"], answer["payload"]["name"], answer["payload"]["actual_seed"]) == ("task(1)", "txt2img_001", 7)
        build_index(runs)


def test_a_damaged_run_file_is_reported_and_hides_nothing(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    (runs / RUN / "run_metadata.json").write_bytes(b"\xff")
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"], answer["payload"]["name"]) == ("ok", "manifest", "txt2img_001")
    assert ("run-file", "corrupt") in statuses(answer)


@pytest.mark.parametrize("depth", [150, 400, 100_000])
def test_a_record_nested_without_end_is_damage_like_any_other(depth: int, runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    build_index(runs)
    for name in ("run_metadata.json", "manifests/txt2img_001.json"):
        (runs / RUN / name).write_text('{"run_id": "x", "stage_outputs": [], "config": {"a": ' + "[" * depth + "]" * depth + "}}")
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"]) == ("ok", "infotext")
    assert statuses(answer) == [("embedded", "ok"), ("manifest", "corrupt"), ("run-file", "corrupt"), ("infotext", "ok")]


def test_sources_that_disagree_are_conflicts_and_the_best_one_stands(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS.replace(RUN, OTHER).replace("Model: tiny", "Model: big")})
    record(record_run, path, model="sub/tiny.safetensors [2179a1da82]", job_id="task(2)")
    build_index(runs)
    answer = resolve(runs, path)
    assert answer["conflicts"] == ["run_id", "job_id", "model"]
    assert (answer["source"], answer["payload"]["run_id"], answer["payload"]["job_id"]) == ("manifest", RUN, "task(2)")


def test_the_text_that_a_record_holds_is_no_second_opinion(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path, prompt="a __building__ at sea", model="tiny-v2")
    assert resolve(runs, path)["conflicts"] == []


def test_two_runs_of_the_same_picture_are_ambiguous_until_the_text_names_one(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "one.png", {"parameters": OURS})
    record(record_run, path)
    record(record_run, write_png(outputs / "two.png", {"parameters": OURS}), run_id=OTHER)
    (outputs / "two.png").unlink()
    build_index(runs)
    stripped = write_png(outputs / "stripped.png")
    answer = resolve(runs, stripped)
    assert (answer["status"], answer["source"]) == ("ambiguous", "none")
    assert RUN in answer["error"] and OTHER in answer["error"]
    assert (answer["payload"]["prompt"], answer["payload"]["run_id"]) == ("a lighthouse", None)
    assert resolve(runs, path)["payload"]["run_id"] == RUN
    moved = write_png(outputs / "moved.png", {"parameters": OURS.replace(RUN, OTHER)})
    assert resolve(runs, moved)["payload"]["run_id"] == OTHER


def test_a_jpeg_that_the_host_wrote_beside_a_png_is_the_same_image(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    facts = record_of(write_png(outputs / "txt2img_001.png", {"parameters": OURS}))
    record_run(RUN, [{"path": "txt2img_001.png", "root": "outputs", "beside": ["txt2img_001.jpg"], "image": facts}])
    (runs / RUN / "txt2img").mkdir()
    make_picture().save(runs / RUN / "txt2img" / "txt2img_001.jpg", quality=60)
    answer = resolve(runs, runs / RUN / "txt2img" / "txt2img_001.jpg")
    assert (answer["status"], answer["source"]) == ("ok", "manifest")


def test_what_the_extras_tab_made_does_not_take_its_sources_run_for_its_own(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001.png", {"parameters": OURS, "postprocessing": f"Postprocess upscale by: 2, Run ID: {OTHER}"})
    answer = resolve(runs, path)
    assert (answer["source"], answer["payload"]["run_id"], answer["payload"]["stage"]) == ("infotext", OTHER, "upscale")
    assert answer["payload"]["config"] == {"Postprocess upscale by": "2", "Run ID": OTHER}


def test_a_missing_file_is_said_to_be_and_what_was_recorded_of_it_is_shown(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    build_index(runs)
    path.unlink()
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"], answer["payload"]["name"]) == ("missing-file", "manifest", "txt2img_001")
    assert str(path) in answer["error"]
    assert resolve(None, outputs / "never.png")["source"] == "none"
    assert resolve(runs, outputs / ("x" * 300 + ".png"))["status"] == "missing-file"


@pytest.mark.parametrize("cut", [0, 20, 200, 3000])
def test_a_cut_off_file_is_corrupt_unless_something_tells_what_it_was(cut: int, runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png")
    record(record_run, path)
    data = path.read_bytes()
    alone = outputs / "alone.png"
    for file in (path, alone):
        file.write_bytes(data[:cut])
    answer = resolve(runs, alone)
    assert (answer["status"], answer["source"]) == ("corrupt", "none") and str(alone) in answer["error"]
    build_index(runs)
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"]) == ("ok", "manifest") and str(path) in answer["error"]


def test_a_text_survives_the_picture_it_was_in(outputs: Path) -> None:
    path = write_png(outputs / "a.png", {"parameters": INFOTEXT})
    path.write_bytes(path.read_bytes()[:2000])
    answer = resolve(None, path)
    assert (answer["status"], answer["source"], answer["payload"]["actual_seed"]) == ("ok", "infotext", 7)
    assert answer["error"]


def test_a_damaged_library_or_index_keeps_no_image_from_being_shown(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    layout = find_layout(runs)
    layout.library_file.write_text("{")
    layout.index_file.parent.mkdir(exist_ok=True)
    layout.index_file.write_bytes(b"no database")
    answer = resolve(runs, path)
    assert (answer["status"], answer["source"]) == ("ok", "manifest")  # by the Run ID and the bytes
    assert layout.index_file.read_bytes() == b"no database"


def test_looking_writes_nothing(runs: Path, outputs: Path, record_run: RecordRun) -> None:
    path = write_png(outputs / "00001-7.png", {"parameters": OURS})
    record(record_run, path)
    before = sorted((str(file), file.stat().st_mtime_ns) for file in runs.parent.rglob("*"))
    resolve(runs, path)
    assert sorted((str(file), file.stat().st_mtime_ns) for file in runs.parent.rglob("*")) == before


def test_every_answer_is_json_of_the_same_shape(outputs: Path) -> None:
    Image.new("P", (4, 4)).save(outputs / "a.gif")
    (outputs / "b.png").write_bytes(b"<html>")
    for name in ("a.gif", "b.png", "c.png"):
        answer = resolve(None, outputs / name)
        assert list(answer) == ["status", "source", "payload", "reconciled_payload", "conflicts", "error", "sources_tried"]
        assert list(answer["payload"])[:2] == ["schema", "name"]
        assert [list(source) for source in answer["sources_tried"]] == [["source", "status", "error"]] * 4
        json.dumps(answer)

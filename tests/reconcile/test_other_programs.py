"""Images that other programs made: StableNew's in every state, plain ones of the hosts in every format, foreign ones, none at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.workspace.resolve import resolve_image_file
from tests.images.pictures import NEEDS_AVIF
from tests.manifest.test_capsule import DAMAGE, as_jpeg, build_capsule, build_payload
from tests.manifest.test_foreign import CASES
from tests.reconcile.pictures import INFOTEXT, make_picture, write_exif, write_png, write_stealth, write_tags

RUN = "20251225_143022_my_pack"
STEM = "txt2img_p01_v01"
MANIFEST = {
    "name": STEM, "stage": "txt2img", "timestamp": "20251225_143022", "config": {"steps": 20}, "job_id": "job-1",
    "model": "sd_xl.safetensors", "final_prompt": "a cat", "requested_seed": -1, "actual_seed": 7,
    "path": f"output/Pipeline/{RUN}/{STEM}.png",
}
PUBLIC = "a cat\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, CFG scale: 7.0, Size: 64x48, Model: sd_xl.safetensors, Stage: txt2img"


def resolve(path: Path, history: Path | None = None) -> dict[str, Any]:
    return resolve_image_file(None, path, history)


def status_of(answer: dict[str, Any], source: str) -> str:
    return next(tried["status"] for tried in answer["sources_tried"] if tried["source"] == source)


def write_json(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def capsule(form: str = "payload", **changes: Any) -> dict[str, str]:
    image = {"path": f"{STEM}.png", "width": 64, "height": 48, "format": "png"}
    return build_capsule(build_payload(image=image, **changes), form)


# The two behaviours that the older program promised.

def test_the_job_that_history_names_wins_and_the_difference_is_a_conflict(tmp_path: Path) -> None:
    path = write_png(tmp_path / "sample.png", capsule())
    history = write_json(tmp_path / "h.jsonl", {"id": "job-history", "status": "completed", "njr_snapshot": {"job_id": "job-history"}})
    answer = resolve(path, history)
    assert answer["payload"]["job_id"] == "job-embedded"
    assert answer["reconciled_payload"]["job_id"] == "job-history"
    assert answer["conflicts"] == ["job_id"] and status_of(answer, "history") == "ok"


def test_without_a_section_the_manifest_answers_with_its_own_run_id(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a_folder_of_another_name" / "txt2img" / f"{STEM}.png")
    write_json(path.parents[1] / "manifests" / f"{STEM}.json", {**MANIFEST, "run_id": RUN})
    answer = resolve(path)
    assert (answer["status"], answer["source"]) == ("ok", "manifest")
    payload = answer["payload"]
    assert (payload["job_id"], payload["run_id"], payload["actual_seed"], payload["requested_seed"]) == ("job-1", RUN, 7, None)
    assert payload["path"].endswith(f"{STEM}.png")


@pytest.mark.parametrize("form", ["payload", "payload_gz_b64"])
@pytest.mark.parametrize("wrap", [dict, as_jpeg], ids=["png", "jpeg"])
def test_a_section_answers_and_the_manifest_adds_what_it_leaves_open(form: str, wrap: Any, tmp_path: Path) -> None:
    texts = wrap(capsule(form, job_id="job-1"))
    comment = texts.get("exif:UserComment")
    place = tmp_path / RUN / f"{STEM}.jpg"
    path = write_exif(place, comment) if comment else write_png(place.with_suffix(".png"), texts)
    write_json(path.parent / "manifests" / f"{STEM}.json", {**MANIFEST, "stage_duration_ms": 1200})
    answer = resolve(path)
    assert (answer["status"], answer["source"], answer["conflicts"]) == ("ok", "embedded", [])
    assert status_of(answer, "manifest") == "ok"
    payload = answer["payload"]
    assert (payload["run_id"], payload["stage_duration_ms"], payload["prompt"]) == (RUN, 1200, "a cat")


def test_an_omitted_payload_is_said_and_the_manifest_answers(tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / f"{STEM}.png", capsule("omitted", job_id="job-1"))
    assert (resolve(path)["source"], resolve(path)["payload"]["run_id"]) == ("none", RUN)
    write_json(path.parent / "manifests" / f"{STEM}.json", MANIFEST)
    answer = resolve(path)
    assert (answer["status"], answer["source"], answer["payload"]["run_id"]) == ("ok", "manifest", RUN)
    assert answer["sources_tried"][0]["status"] == "missing" and "left" in answer["sources_tried"][0]["error"]


@pytest.mark.parametrize("case", [case for case in DAMAGE if "jpeg" not in case])
def test_a_damaged_section_hides_no_other_source(case: str, tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / f"{STEM}.png", DAMAGE[case])
    answer = resolve(path)
    assert (answer["status"], answer["source"]) == ("corrupt", "none") and "StableNew" in answer["error"]
    write_png(path, {**DAMAGE[case], "parameters": PUBLIC})
    assert (resolve(path)["status"], resolve(path)["source"], status_of(resolve(path), "embedded")) == ("ok", "infotext", "corrupt")
    write_json(path.parent / "manifests" / f"{STEM}.json", {**MANIFEST, "job_id": "job-embedded"})
    answer = resolve(path)
    assert (answer["status"], answer["source"], answer["payload"]["run_id"]) == ("ok", "manifest", RUN)
    assert answer["sources_tried"][0]["status"] == "corrupt"


@pytest.mark.parametrize("place", [".", "txt2img", "my_pack_pack/txt2img", "upscaled"])
def test_a_manifest_is_found_from_flat_folders_and_from_stage_folders(place: str, tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / place / f"{STEM}.png")
    write_json(tmp_path / RUN / "manifests" / f"{STEM}.json", {**MANIFEST, "stage": "upscaled" if place == "upscaled" else "txt2img"})
    answer = resolve(path)
    assert (answer["source"], answer["payload"]["run_id"]) == ("manifest", RUN)
    assert answer["payload"]["stage"] == ("upscale" if place == "upscaled" else "txt2img")
    assert "run_id" in answer["payload"]["inferred"]  # by the folder: the manifest names none


@pytest.mark.parametrize("changed", [{"actual_seed": 8}, {"final_prompt": "a dog"}, {"run_id": "20260101_000000_b"}, {"job_id": "job-9"}])
def test_a_manifest_of_the_same_name_that_is_of_another_picture_is_a_mismatch(changed: dict[str, Any], tmp_path: Path) -> None:
    texts = {**capsule(job_id="job-1"), "parameters": INFOTEXT}
    path = write_png(tmp_path / "foreign" / f"{STEM}.png", texts)
    write_json(path.parent / "manifests" / f"{STEM}.json", {**MANIFEST, **changed})
    answer = resolve(path)
    assert (answer["source"], status_of(answer, "manifest")) == ("embedded", "mismatch")
    assert answer["payload"]["job_id"] == "job-1"
    field = next(iter(changed)).replace("final_", "")
    error = next(tried["error"] for tried in answer["sources_tried"] if tried["source"] == "manifest")
    assert field in error and field in answer["conflicts"]


def test_a_section_that_describes_another_size_is_a_mismatch(tmp_path: Path) -> None:
    path = write_png(tmp_path / "grown.png", {**capsule(), "parameters": INFOTEXT}, make_picture(size=(128, 96)))
    answer = resolve(path)
    assert (answer["source"], status_of(answer, "embedded")) == ("infotext", "mismatch")


def test_a_damaged_manifest_leaves_the_run_file_which_names_the_image(tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / f"{STEM}.png")
    write_json(path.parent / "manifests" / f"{STEM}.json", json.dumps(MANIFEST)[:90])
    assert (resolve(path)["status"], resolve(path)["source"]) == ("corrupt", "none")
    output = {**MANIFEST, "all_paths": [f"C:\\output\\{RUN}\\{STEM}.png"]}
    write_json(path.parent / "run_metadata.json", {"run_id": RUN, "packs": [], "config": {}, "stage_outputs": [output]})
    answer = resolve(path)
    assert (answer["status"], answer["source"], answer["payload"]["actual_seed"]) == ("ok", "run-file", 7)
    assert status_of(answer, "manifest") == "corrupt"


def test_a_run_file_that_a_later_job_has_overwritten_takes_no_image_from_the_earlier_one(tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / f"{STEM}.png", capsule(job_id="job-1"))
    write_json(path.parent / "manifests" / f"{STEM}.json", MANIFEST)
    config = {"replay_descriptor": {"job_id": "job-2"}}
    later = {"run_id": RUN, "config": config, "stage_outputs": [{"path": "other.png", "stage": "txt2img"}]}
    write_json(path.parent / "run_metadata.json", later)
    answer = resolve(path)
    assert (answer["source"], answer["payload"]["job_id"], answer["conflicts"]) == ("embedded", "job-1", [])
    assert status_of(answer, "run-file") == "mismatch"


def test_notes_on_prompts_are_no_manifests(tmp_path: Path) -> None:
    path = write_png(tmp_path / RUN / f"{STEM}.png")
    write_json(path.parent / "manifests" / f"{STEM}.prompt_optimizer_v3.json", {"stage": "txt2img"})
    write_json(path.with_suffix(".json"), {"nodes": []})
    assert resolve(path)["status"] == "no-metadata"
    write_json(path.with_suffix(".json"), MANIFEST)
    assert resolve(path)["source"] == "manifest"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", pytest.param(".avif", marks=NEEDS_AVIF)])
def test_a_hosts_image_is_read_from_every_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_png(path, {"parameters": INFOTEXT}) if suffix == ".png" else write_exif(path, INFOTEXT)
    answer = resolve(path)
    assert (answer["status"], answer["source"], answer["conflicts"], answer["error"]) == ("ok", "infotext", [], None)
    payload = answer["payload"]
    assert (payload["prompt"], payload["negative_prompt"], payload["actual_seed"], payload["model"]) == ("a lighthouse", "bad", 7, "tiny")
    assert payload["config"] == {"sampler_name": "Euler a", "steps": 20, "cfg_scale": 7, "width": 64, "height": 48}
    assert (payload["infotext"], payload["image"]["width"], payload["path"]) == (INFOTEXT, 64, path.as_posix())


def test_text_beside_an_image_and_text_hidden_in_it_are_read_too(tmp_path: Path) -> None:
    beside = write_png(tmp_path / "a.png")
    beside.with_suffix(".txt").write_text(INFOTEXT + "\n", "utf-8")
    for path in (beside, write_stealth(tmp_path / "b.png", INFOTEXT)):
        answer = resolve(path)
        assert (answer["status"], answer["source"], answer["payload"]["actual_seed"]) == ("ok", "infotext", 7)


@pytest.mark.parametrize("case", [case for case in CASES if "exif" not in case and "jpeg" not in case and "pixels" not in case])
def test_another_generators_image_is_foreign_with_what_could_be_read(case: str, tmp_path: Path) -> None:
    generator, texts = CASES[case]
    answer = resolve(write_png(tmp_path / "a.png", texts))
    assert (answer["status"], answer["source"], answer["payload"]["generator"]) == ("foreign", "infotext", generator)
    assert answer["payload"]["actual_seed"] == 42 and answer["payload"]["schema"] == "sdpipe.manifest/1"


def test_another_generators_text_is_read_from_exif_and_from_the_pixels(tmp_path: Path) -> None:
    comfy, swarm, novel = (CASES[case][1] for case in ("comfyui in exif", "swarmui in jpeg", "novelai in its pixels"))
    paths = [
        write_tags(tmp_path / "a.webp", {271: comfy["exif:Make"], 272: comfy["exif:Model"]}),
        write_exif(tmp_path / "b.jpg", swarm["exif:UserComment"]),
        write_stealth(tmp_path / "c.png", novel["stealth"]),
    ]
    assert [resolve(path)["payload"].get("generator") for path in paths] == ["ComfyUI", "SwarmUI", "NovelAI"]


def test_an_image_with_nothing_says_so(tmp_path: Path) -> None:
    answer = resolve(write_png(tmp_path / "a.png", {"Comment": "holiday"}))
    assert (answer["status"], answer["source"], answer["error"], answer["conflicts"]) == ("no-metadata", "none", None, [])
    assert {tried["status"] for tried in answer["sources_tried"]} == {"missing"}
    assert answer["payload"]["prompt"] is None and answer["payload"]["image"]["width"] == 64


def test_history_with_bad_lines_helps_and_reports_them(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png")
    history = tmp_path / "h.jsonl"
    job = {"job_id": "job-1", "prompts": {"positive": "a cat"}, "outputs": {"image_paths": ["x/a.png"]}}
    history.write_text(json.dumps(job) + '\n{cut\n{"id": "job-2"}\n')
    answer = resolve(path, history)
    assert (answer["status"], answer["payload"]["prompt"], answer["reconciled_payload"]["prompt"]) == ("no-metadata", None, "a cat")
    assert "line 2" in answer["sources_tried"][-1]["error"]
    history.write_bytes(b"\0\0")
    assert status_of(resolve(path, history), "history") in ("corrupt", "missing")


def test_a_run_file_as_history_gives_names_and_takes_no_images_prompt(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", {"parameters": INFOTEXT})
    run = {"schema": "sdpipe.run/1", "run_id": RUN, "job_id": "task(1)", "config": {"prompt": "a __building__"}, "stage_outputs": []}
    answer = resolve(path, write_json(tmp_path / "run_metadata.json", run))
    reconciled = answer["reconciled_payload"]
    assert (reconciled["run_id"], reconciled["job_id"], reconciled["prompt"]) == (RUN, "task(1)", "a lighthouse")
    assert answer["conflicts"] == []

"""StableNew's manifests, of every shape it has written: read in today's words, with nothing dropped."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.codec import parse_manifest, parse_run
from lib_sdpipe.manifest.loose_json import parse_loose_json
from lib_sdpipe.manifest.upgrade import upgrade_manifest

RUN = "20251225_143022_my_pack"
PLAIN = {
    "stage": "txt2img", "timestamp": "20251225_143022", "config": {"steps": 20, "seed": -1}, "path": f"output/{RUN}/a.png", "name": "a",
}
OLD_PROMPT = {"prompt": "a cat", "negative_prompt": "bad"}
NEW_PROMPT = {
    "original_prompt": "a cat", "final_prompt": "a cat, best", "original_negative_prompt": "", "final_negative_prompt": "bad",
    "global_negative_applied": False, "global_negative_terms": "",
}
NAMES = {"job_id": "job-1", "model": "sd_xl.safetensors", "vae": "Automatic"}
FLAT_SEEDS = {"requested_seed": -1, "actual_seed": 7, "actual_subseed": 9}
NESTED = {"seeds": {"original_seed": 7, "final_seed": 7, "original_subseed": -1, "final_subseed": -1, "subseed_strength": 0.5}}
HISTORY = {"stage_history": [{"stage": "txt2img", "name": "t", "config": {"steps": 5}, "seeds": {"original_seed": -1, "final_seed": 7}}]}
VARIANTS: dict[str, dict[str, Any]] = {
    "T1": {**PLAIN, **OLD_PROMPT, **NAMES, **FLAT_SEEDS, "run_id": RUN, "subseed_strength": 0.0, "stage_duration_ms": 1200,
           "refiner": {"enabled": True, "model": "r", "switch_at": 0.8}},
    "T2": {**PLAIN, **OLD_PROMPT},
    "I1": {**PLAIN, **OLD_PROMPT, **NAMES, **FLAT_SEEDS, **HISTORY, "run_id": RUN, "stage": "img2img", "input_image": "b.png"},
    "T3": {**PLAIN, **NEW_PROMPT, **NAMES, **FLAT_SEEDS, "seed": -1, "subseed": -1, "output_path": PLAIN["path"], "expected_images": 1,
           "recovery_classification": None, "prompt_optimizer_v3": {"schema": "stablenew.prompt-optimizer.v3"}},
    "I2": {**PLAIN, **NEW_PROMPT, **NESTED, "stage": "img2img", "mask_image_path": None, "model": "Unknown"},
    "A": {**PLAIN, **NEW_PROMPT, **NAMES, **NESTED, **HISTORY, "run_id": RUN, "stage": "adetailer", "requested_seed": 7, "actual_seed": 7},
    "U1": {**PLAIN, **NAMES, **NESTED, **HISTORY, "run_id": RUN, "stage": "upscale"},
    "U2": {**PLAIN, **NAMES, **HISTORY, "stage": "upscaled", "final_negative_prompt": None, "requested_seed": None, "actual_seed": None},
}
SEEDS = {"T1": (None, 7, 9), "I1": (None, 7, 9), "T3": (None, 7, 9), "I2": (7, 7, None), "A": (7, 7, None), "U1": (7, 7, None)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_shape_of_an_older_manifest_is_read_and_nothing_is_dropped(variant: str) -> None:
    written = VARIANTS[variant]
    manifest = parse_manifest(json.dumps(written).encode(), "m.json", "a")
    assert (manifest.requested_seed, manifest.actual_seed, manifest.actual_subseed) == SEEDS.get(variant, (None, None, None))
    assert manifest.run_id == written.get("run_id")
    assert manifest.stage == {"upscaled": "upscale"}.get(written["stage"], written["stage"])
    assert manifest.model == (None if variant in ("T2", "I2") else "sd_xl.safetensors")
    assert manifest.prompt == ("a cat, best" if "final_prompt" in written else written.get("prompt"))
    document = manifest.to_json()
    for name, value in written.items():
        if value not in (None, -1, "", "Unknown") and name != "stage_history":
            assert document[name] == value or document["as_found"][name] == value, name
    for earlier, original in zip(document["stage_history"], written.get("stage_history", [])):
        assert original.items() <= earlier.items()
        assert (earlier["settings"], earlier["requested_seed"], earlier["actual_seed"]) == ({"steps": 5}, None, 7)


def test_a_local_time_becomes_utc_by_the_clock_that_is_given() -> None:
    one_hour_ahead = lambda moment: moment.replace(tzinfo=timezone.utc).timestamp() - 3600  # noqa: E731
    upgraded = upgrade_manifest(dict(PLAIN), local_time=one_hour_ahead)
    assert upgraded["timestamp"] == "2025-12-25T13:30:22.000Z"
    assert upgraded["inferred"] == ["timestamp"] and upgraded["as_found"] == {"timestamp": "20251225_143022"}


@pytest.mark.parametrize("timestamp", ["20251399_143022", "00000101_000000", "2025-12-25", "soon"])
def test_a_time_that_no_clock_shows_stays_as_it_is(timestamp: str) -> None:
    assert upgrade_manifest({"timestamp": timestamp}, local_time=datetime.timestamp)["timestamp"] == timestamp


def test_the_files_name_is_right_where_a_copy_kept_the_first_ones() -> None:
    manifest = parse_manifest(json.dumps(PLAIN).encode(), "m.json", "a_copy1")
    assert manifest.name == "a_copy1" and "name" in manifest.inferred
    assert manifest.to_json()["as_found"]["name"] == "a"


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
names = st.text(max_size=3)
anything = st.recursive(values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2), max_leaves=4)
FIELDS = sorted({name for written in VARIANTS.values() for name in written} - {"image", "parent", "batch"})


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8))
def test_no_value_of_another_type_keeps_an_older_manifest_from_being_read(document: dict[str, Any]) -> None:
    parse_manifest(json.dumps(document).encode(), "m.json", "a")


def test_an_older_run_file_names_its_job_and_its_end() -> None:
    config = {"replay_descriptor": {"job_id": "job-2"}, "diagnostics_descriptor": {"success": False}}
    run = parse_run(json.dumps({"run_id": RUN, "timestamp": "2025-12-25T13:30:22Z", "packs": [], "config": config}).encode(), "r.json")
    assert (run.run_id, run.job_id, run.status, run.inferred) == (RUN, "job-2", "failed", ["status"])


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 100_000, '{"a": ' * 50_000, "[NaN, 1e999, " + "9" * 5000 + "]", "x" * 3_000_000])
def test_hostile_json_is_an_error_or_unknown_and_never_slow(text: str) -> None:
    try:
        assert parse_loose_json(text) in (None, [None, None, None])
    except ValueError:
        pass

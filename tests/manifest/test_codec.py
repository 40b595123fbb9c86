from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import format_json, parse_manifest, parse_run
from lib_sdpipe.manifest.records import Manifest, Run

texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(prompt=texts, config=st.dictionaries(texts, json_values, max_size=4), extra=json_values, seed=st.integers(0, 2**63 - 1))
def test_a_manifest_comes_back_as_it_was_written(prompt: str, config: dict[str, Any], extra: Any, seed: int) -> None:
    document = Manifest(name="txt2img_001", prompt=prompt, config=config, actual_seed=seed).to_json()
    document["from_a_later_version"] = extra
    read = parse_manifest(format_json(document), "m.json")
    assert read.to_json() == document
    assert list(read.to_json()) == list(document)


def test_half_a_surrogate_pair_in_a_prompt_is_neither_lost_nor_fatal() -> None:
    manifest = Manifest(name="txt2img_001", prompt="\ud83d cat")
    assert parse_manifest(format_json(manifest.to_json()), "m.json").prompt == "\ud83d cat"


def test_files_are_indented_utf8_in_schema_order() -> None:
    data = format_json(Run(run_id="20251225_143022_キ").to_json())
    assert "キ".encode() in data
    assert data.startswith(b'{\n  "schema": "sdpipe.run/1",\n  "run_id"')
    assert data.endswith(b"}\n")


def test_a_run_has_the_documented_fields_in_the_documented_order() -> None:
    assert list(Run().to_json()) == [
        "schema", "run_id", "job_id", "label", "status", "process", "timestamp", "started_at", "finished_at", "source", "user",
        "config", "environment", "models", "warnings", "images", "stage_outputs", "error", "parent", "replay", "replayable",
        "not_replayable_because", "inferred", "packs", "one_click_action",
    ]


def test_a_manifest_has_the_documented_fields_in_the_documented_order() -> None:
    assert list(Manifest().to_json()) == [
        "schema", "name", "run_id", "job_id", "stage", "role", "timestamp", "prompt", "negative_prompt", "config", "path", "root",
        "kept", "beside", "model", "model_hash", "vae", "vae_hash", "loras", "embeddings", "requested_seed", "actual_seed",
        "actual_subseed", "subseed_strength", "refiner", "hires", "adetailer", "batch", "variant", "step", "image", "parent", "members",
        "stage_history", "stage_duration_ms", "infotext", "lost_at", "revisions", "inferred",
    ]


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"schema": "sdpipe.manifest/2"}', b'{"schema": 7}',
    b'{"schema": "sdpipe.manifest/1", "config": "x"}', b'{"schema": "sdpipe.manifest/1", "batch": "x"}', b"[" * 100_000,
    b'{"config": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}", b'{"stage_outputs": [' + b'{"a": [' * 60 + b"]}" * 60 + b"]}",
    b'{"schema": "sdpipe.manifest/1", "subseed_strength": ' + b"9" * 400 + b"}",
])
def test_a_damaged_manifest_is_one_sentence_that_names_the_file(data: bytes) -> None:
    with pytest.raises(RecordError, match=r"^txt2img_001\.json: "):
        parse_manifest(data, "txt2img_001.json")


STABLENEW_IMG2IMG = {
    "name": "img2img_p01_v01", "stage": "img2img", "timestamp": "20260310_231652", "original_prompt": "a cat",
    "final_prompt": "a cat, best", "final_negative_prompt": "bad", "config": {"steps": 20}, "path": "output/x.png",
    "requested_seed": -1, "seeds": {"original_seed": -1, "final_seed": 12, "final_subseed": -1}, "artifact": {"stage": "img2img"},
}


def test_an_older_programs_manifest_loads_with_every_field_kept() -> None:
    manifest = parse_manifest(json.dumps(STABLENEW_IMG2IMG).encode(), "m.json")
    assert (manifest.schema_, manifest.run_id, manifest.prompt) == (None, None, "a cat, best")
    assert (manifest.requested_seed, manifest.actual_seed, manifest.actual_subseed) == (None, 12, None)
    document = manifest.to_json()
    assert document["original_prompt"] == "a cat" and document["artifact"] == {"stage": "img2img"}


@pytest.mark.parametrize("document", [
    {}, {"name": "x"}, {"stage": "upscaled"}, {"seeds": None, "config": None, "stage_history": "x", "model": "Unknown"},
    {"refiner": "none", "prompt": None, "stage_history": [1, {"stage": "txt2img"}]},
])
def test_older_manifests_load_whatever_they_lack(document: dict[str, Any]) -> None:
    manifest = parse_manifest(json.dumps(document).encode(), "m.json")
    assert manifest.model is None
    assert manifest.stage in (None, "upscale")


def test_an_older_programs_run_file_loads() -> None:
    document = {"run_id": "r", "timestamp": "2026-03-10T23:16:52Z", "packs": [], "config": {}, "stage_outputs": [{}]}
    run = parse_run(json.dumps(document).encode(), "r.json")
    assert (run.run_id, run.status, run.schema_) == ("r", None, None)


def test_a_number_that_is_no_json_is_read_as_unknown() -> None:
    manifest = parse_manifest(b'{"schema": "sdpipe.manifest/1", "subseed_strength": NaN, "config": {"eta": -Infinity}}', "m.json")
    assert manifest.subseed_strength is None and manifest.config == {"eta": None}
    format_json(manifest.to_json())


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400 + ".0"])
def test_a_number_beyond_every_float_is_unknown_and_can_be_written_again(number: str) -> None:
    manifest = parse_manifest(f'{{"config": {{"eta": {number}, "seed": {10 ** 30}}}}}'.encode(), "m.json")
    assert json.loads(format_json(manifest.to_json()))["config"] == {"eta": None, "seed": 10 ** 30}


@pytest.mark.parametrize("name", [
    "dict", "copy", "json", "to_json", "self", "__pydantic_self__", "__fields__", "__fields_set__", "__dict__", "__class__", "_iter",
    "_init_private_attributes", "\0dict",
])
def test_an_unknown_field_may_have_the_name_of_anything(name: str) -> None:
    document = {"schema": "sdpipe.manifest/1", name: 1, "image": {name: {"x": 2}}}
    manifest = parse_manifest(json.dumps(document).encode(), "m.json")
    written = parse_manifest(format_json(manifest.copy(update={"prompt": "x"}).to_json()), "m.json").to_json()
    assert (written[name], written["image"][name], written["prompt"]) == (1, {"x": 2}, "x")


def test_unknown_fields_are_written_back_last_in_their_own_order() -> None:
    names = [f"field_{i}" for i in range(20)]
    document = {"name": "m", **dict.fromkeys(names, 1), "image": {**dict.fromkeys(names, 2), "width": 1}}
    written = json.loads(format_json(parse_manifest(json.dumps(document).encode(), "m.json").to_json()))
    assert list(written)[-20:] == names == list(written["image"])[-20:]

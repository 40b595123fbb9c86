"""StableNew's section in an image, written here as StableNew writes it, whole and in every state of damage."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.capsule import SCHEMA, read_capsule

RUN = "20251225_143022_my_pack"


def build_payload(**changes: Any) -> dict[str, Any]:
    generation = {
        "model": "sd_xl.safetensors", "vae": "Automatic", "steps": 20, "cfg_scale": 7.0, "prompt": "a cat", "negative_prompt": "bad",
        "original_prompt": "a cat", "final_prompt": "a cat", "sampler_name": "Euler a", "width": 64, "height": 64,
    }
    stage = {"stage": "txt2img", "name": "txt2img_p01_v01", "timestamp": "20251225_143022", "config": {"steps": 20, "seed": -1},
             "model": "sd_xl.safetensors", "seeds": {"original_seed": -1, "final_seed": 7}, "prompt": "a cat", "negative_prompt": "bad"}
    return {
        "job_id": "job-embedded", "run_id": RUN, "stage": "txt2img", "generation": generation, "stage_manifest": stage, "seeds": {},
        "image": {"path": "txt2img_p01_v01.png", "width": 64, "height": 64, "format": "png"}, "stage_history": [],
        "njr": {"snapshot_version": "2.6", "sha256": "0" * 64}, **changes,
    }


def build_capsule(payload: dict[str, Any], form: str = "payload") -> dict[str, str]:
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    keys = {"schema": SCHEMA, "job_id": payload["job_id"], "run_id": payload["run_id"], "stage": payload["stage"],
            "created_utc": "2025-12-25T13:30:22.500000+00:00", "payload_sha256": hashlib.sha256(text.encode()).hexdigest()}
    if form == "payload":
        keys["payload"] = text
    elif form == "payload_gz_b64":
        keys["payload_gz_b64"] = base64.b64encode(gzip.compress(text.encode(), 6)).decode()
    else:
        keys.update(payload_omitted="true", payload_reason="SIZE_LIMIT")
    return {f"stablenew:{name}": value for name, value in keys.items()}


def as_jpeg(texts: dict[str, str]) -> dict[str, str]:
    return {"exif:UserComment": "SNMETA:" + base64.b64encode(json.dumps(texts).encode()).decode()}


@pytest.mark.parametrize("form", ["payload", "payload_gz_b64"])
@pytest.mark.parametrize("wrap", [dict, as_jpeg], ids=["png", "jpeg"])
def test_a_section_is_read_plain_and_compressed_from_png_and_jpeg(form: str, wrap: Any) -> None:
    capsule = read_capsule(wrap(build_capsule(build_payload(), form)))
    assert (capsule.status, capsule.error) == ("ok", None)
    manifest = capsule.manifest
    assert manifest is not None and manifest.image is not None
    assert (manifest.run_id, manifest.job_id, manifest.stage, manifest.name) == (RUN, "job-embedded", "txt2img", "txt2img_p01_v01")
    assert (manifest.prompt, manifest.model, manifest.requested_seed, manifest.actual_seed) == ("a cat", "sd_xl.safetensors", None, 7)
    assert (manifest.image.width, manifest.image.format, manifest.config) == (64, "PNG", {"steps": 20, "seed": -1})


def test_an_early_section_without_a_stage_manifest_is_read_from_what_it_has() -> None:
    payload = build_payload()
    del payload["stage_manifest"], payload["image"]
    manifest = read_capsule(build_capsule(payload)).manifest
    assert manifest is not None
    assert (manifest.prompt, manifest.config["steps"], manifest.timestamp) == ("a cat", 20, "2025-12-25T13:30:22.500Z")


def test_an_omitted_payload_still_names_run_and_job_and_says_where_the_rest_is() -> None:
    capsule = read_capsule(build_capsule(build_payload(), "omitted"))
    assert (capsule.status, capsule.manifest) == ("missing", None)
    assert capsule.claims == {"run_id": RUN, "job_id": "job-embedded", "stage": "txt2img"}
    assert "SIZE_LIMIT" in (capsule.error or "") and "manifest" in (capsule.error or "")


def test_no_section_is_no_fault() -> None:
    assert read_capsule({"parameters": "a cat", "exif:UserComment": "a dog"}) == read_capsule({})


def damaged(**changes: str | None) -> dict[str, str]:
    texts: dict[str, str | None] = {**build_capsule(build_payload()), **{f"stablenew:{name}": value for name, value in changes.items()}}
    return {name: value for name, value in texts.items() if value is not None}


GZIP = build_capsule(build_payload(), "payload_gz_b64")["stablenew:payload_gz_b64"]
BOMB = base64.b64encode(gzip.compress(b"[" + b" " * 50_000_000 + b"]")).decode()
DAMAGE = {
    "other schema": damaged(schema="stablenew.image-metadata.v9"),
    "no schema": damaged(schema=None),
    "edited payload": damaged(payload=json.dumps(build_payload(job_id="another"))),
    "cut payload": damaged(payload='{"job_id": "x'),
    "no digest": damaged(payload_sha256=None),
    "no payload": damaged(payload=None),
    "two payloads": damaged(payload_gz_b64=GZIP),
    "a list": damaged(payload="[]"),
    "cut gzip": damaged(payload=None, payload_gz_b64=GZIP[:80]),
    "no base64": damaged(payload=None, payload_gz_b64="ä" * 9),
    "no gzip": damaged(payload=None, payload_gz_b64="AAAA"),
    "a bomb": damaged(payload=None, payload_gz_b64=BOMB),
    "nested without end": damaged(payload='{"a":' * 50_000),
    "a jpeg's, cut": {"exif:UserComment": as_jpeg(build_capsule(build_payload()))["exif:UserComment"][:200]},
    "a jpeg's, empty": {"exif:UserComment": "SNMETA:"},
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_section_is_reported_in_one_sentence(case: str) -> None:
    capsule = read_capsule(DAMAGE[case])
    assert (capsule.status, capsule.manifest) == ("corrupt", None)
    assert capsule.error and "\n" not in capsule.error and "StableNew" in capsule.error


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2)
values = leaves | st.dictionaries(st.sampled_from(["width", "config", "seeds", "x"]), st.text(max_size=3), max_size=2)
changed = st.dictionaries(st.sampled_from(sorted(build_payload())), values, max_size=4)


@settings(max_examples=40)
@given(changed, st.dictionaries(st.sampled_from(["prompt", "seeds", "name"]), values))
def test_no_payload_can_make_the_reader_fail(changes: dict[str, Any], stage: dict[str, Any]) -> None:
    payload = {**build_payload(stage_manifest=stage), **changes}
    texts = build_capsule({**payload, "job_id": str(payload["job_id"]), "run_id": str(payload["run_id"]), "stage": str(payload["stage"])})
    assert read_capsule(texts).status in ("ok", "corrupt")

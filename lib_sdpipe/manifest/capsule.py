"""StableNew's section inside an image, `stablenew.image-metadata.v2.6`: read, checked against its digest, in manifest shape.

PNG carries its keys as text chunks, JPEG as one EXIF user comment: `SNMETA:` and a base64 JSON object of the same keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.loose_json import JSON_LIMIT, integer_of, list_of, object_of, parse_loose_json, text_of, without_unknown
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.manifest.times import format_utc, parse_utc
from lib_sdpipe.manifest.upgrade import upgrade_manifest
from lib_sdpipe.pydantic_v1 import ValidationError

Json = dict[str, Any]

SCHEMA = "stablenew.image-metadata.v2.6"
USER_COMMENT = "exif:UserComment"
_PREFIX = "stablenew:"
_JPEG_PREFIX = "SNMETA:"
_FORMS = ("payload", "payload_gz_b64", "payload_omitted")
_CONFIG = ("steps", "cfg_scale", "width", "height", "sampler_name", "scheduler", "clip_skip", "denoising_strength")
_PROMPTS = (
    "prompt", "negative_prompt", "original_prompt", "final_prompt", "original_negative_prompt", "final_negative_prompt", "model", "vae",
)


@dataclass(frozen=True)
class Capsule:
    """`status` is ok, missing or corrupt. `claims` is what the section's own keys say of run, job and stage, unchecked by any digest."""

    status: str
    manifest: Manifest | None = None
    claims: dict[str, str] = field(default_factory=dict)
    error: str | None = None


class _Damage(Exception):
    pass


def read_capsule(texts: Mapping[str, str]) -> Capsule:
    """The section in a file's texts (by PNG keyword; EXIF's as `exif:UserComment`). Never raises."""
    claims: dict[str, str] = {}
    try:
        keys = _find_keys(texts)
        if not keys:
            return Capsule("missing")
        claims = {name: text for name in ("run_id", "job_id", "stage") if (text := text_of(keys.get(name)))}
        schema = keys.get("schema")
        if schema != SCHEMA:
            raise _Damage(f"StableNew's section has schema {str(schema)[:80]!r}, this version reads {SCHEMA!r}")
        if [form for form in _FORMS if form in keys] == ["payload_omitted"]:
            reason = str(keys.get("payload_reason") or "no reason given")[:80]
            return Capsule("missing", None, claims, f"StableNew left its settings out of the image ({reason}); they stand in its manifest")
        return Capsule("ok", _build_manifest(_read_payload(keys), keys.get("created_utc")), claims)
    except _Damage as damage:
        return Capsule("corrupt", None, claims, str(damage))


def unpack_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts with those that StableNew packs into one user comment beside them; a damaged comment stays as it is."""
    try:
        return {**texts, **_unpack(texts)}
    except _Damage:
        return dict(texts)


def _find_keys(texts: Mapping[str, str]) -> Json:
    found = {**texts, **_unpack(texts)}
    keys = {key[len(_PREFIX):]: text for key, text in found.items() if key.startswith(_PREFIX)}
    # A user comment of StableNew's that holds no section is a damaged one.
    return keys or ({"schema": None} if _is_packed(texts) else {})


def _is_packed(texts: Mapping[str, str]) -> bool:
    return (texts.get(USER_COMMENT) or "").startswith(_JPEG_PREFIX)


def _unpack(texts: Mapping[str, str]) -> dict[str, str]:
    if not _is_packed(texts):
        return {}
    encoded = texts[USER_COMMENT][len(_JPEG_PREFIX):].strip("\0 \n")
    try:
        document = parse_loose_json(base64.b64decode(_bounded(encoded), validate=True).decode("utf-8"))
    except (ValueError, binascii.Error) as fault:
        raise _Damage(f"StableNew's section is not readable ({fault})") from fault
    return {key: text for key, text in object_of(document).items() if isinstance(text, str)}


def _read_payload(keys: Json) -> Json:
    forms = [form for form in _FORMS if form in keys]
    if len(forms) != 1:
        raise _Damage(f"StableNew's section has {len(forms)} payloads instead of one")
    try:
        raw = _inflate(str(keys[forms[0]])) if forms[0] == "payload_gz_b64" else str(keys[forms[0]]).encode("utf-8", "surrogatepass")
        payload = parse_loose_json(raw.decode("utf-8", "surrogatepass"))
    except (ValueError, binascii.Error, zlib.error) as fault:
        raise _Damage(f"the payload of StableNew's section is not readable ({fault})") from fault
    if not isinstance(payload, dict):
        raise _Damage("the payload of StableNew's section is no JSON object")
    if keys.get("payload_sha256") not in (hashlib.sha256(raw).hexdigest(), _canonical_digest(payload)):
        raise _Damage("the payload of StableNew's section does not have the sha256 that is written beside it")
    return payload


def _canonical_digest(payload: Json) -> str:
    """Over the keys sorted and the separators compact: StableNew's own measure, whatever the text looks like."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _inflate(encoded: str) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    raw = inflater.decompress(base64.b64decode(_bounded(encoded), validate=True), JSON_LIMIT)
    if not inflater.eof:
        raise ValueError("cut off, or too large")
    return raw


def _bounded(encoded: str) -> str:
    if len(encoded) > JSON_LIMIT:
        raise ValueError(f"longer than {JSON_LIMIT} characters")
    return encoded


def _build_manifest(payload: Json, created: Any) -> Manifest:
    """The payload as the manifest that StableNew would have written, in today's words. What has no place there stays beside it."""
    generation, image = object_of(payload.get("generation")), object_of(payload.get("image"))
    stage, artifact = object_of(payload.get("stage_manifest")), object_of(payload.get("artifact"))
    document: Json = {
        **{name: generation[name] for name in _PROMPTS if name in generation},
        "config": {name: generation[name] for name in _CONFIG if generation.get(name) is not None},
        "seeds": object_of(payload.get("seeds")),
        "timestamp": _utc(created),
        **without_unknown(stage),
        "path": text_of(artifact.get("primary_path")) or text_of(image.get("path")),
        "stage_history": list_of(payload.get("stage_history")),
        "image": without_unknown({
            "width": integer_of(image.get("width")), "height": integer_of(image.get("height")),
            "format": (text_of(image.get("format")) or "").upper() or None,
        }) or None,
        **{name: payload[name] for name in ("run_id", "job_id", "stage", "refiner", "artifact", "njr") if payload.get(name)},
    }
    try:
        return Manifest.parse_obj(upgrade_manifest(document))
    except (ValidationError, RecursionError) as fault:
        raise _Damage(f"the payload of StableNew's section is not what it should be ({type(fault).__name__})") from fault


def _utc(created: Any) -> str | None:
    seconds = parse_utc(created) if isinstance(created, str) else None
    return format_utc(seconds) if seconds is not None else None

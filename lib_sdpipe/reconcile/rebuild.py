"""Records written anew: a manifest from its image, a run file from its manifests. All that was concluded stands in `inferred`."""

from __future__ import annotations

import re

from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.records import STAGES, Manifest, Run
from lib_sdpipe.reconcile.findings import Json

_STAGE = re.compile(r"([a-z0-9]+)_\d+")
_LABEL = re.compile(r"\d{8}_\d{6}_(.+)")
NO_REQUEST = "the run file was lost: what was asked is not known; it was rebuilt from the manifests"


def build_manifest_document(run_id: str, name: str, entry: Json, image: Json | None, run: Json | None, kept: str | None) -> Json:
    """`entry` is the run file's line on this image, `image` its file as it is now, `kept` its copy; each may say nothing."""
    stage = entry.get("stage") or _stage_of(name)
    manifest = Manifest(name=name, run_id=run_id, stage=stage, role=entry.get("role"), path=entry.get("path"), root=entry.get("root"))
    manifest.kept = kept if kept != entry.get("path") else None
    inferred = {field for field, is_concluded in (("stage", not entry.get("stage")), ("kept", kept)) if is_concluded}
    if run is not None:
        manifest.job_id, manifest.timestamp = _text(run.get("job_id")), _text(run.get("started_at"))
        inferred |= {field for field in ("job_id", "timestamp") if getattr(manifest, field) is not None}
    document = manifest.to_json()
    if image is not None:
        document["image"] = {key: value for key, value in image.items() if key != "infotext"}
        said = _read_text(image.get("infotext"))
        document.update(said)
        inferred |= {"image", *said}
    document["inferred"] = sorted(inferred)
    return document


def build_run_document(run_id: str, manifests: list[Json]) -> Json:
    """A run file where there is none that can be read. Nothing is known of the request and of how the run ended."""
    label = _LABEL.fullmatch(run_id)
    jobs = {manifest.get("job_id") for manifest in manifests} - {None}
    times = _times(manifests)
    run = Run(
        run_id=run_id, job_id=jobs.pop() if len(jobs) == 1 else None, label=label.group(1) if label is not None else None,
        timestamp=times[0] if times else None, started_at=times[0] if times else None, finished_at=times[-1] if times else None,
        replayable=False, not_replayable_because=NO_REQUEST,
    )
    document = {**run.to_json(), **build_listed_fields({}, manifests)}
    concluded = ("job_id", "label", "timestamp", "started_at", "finished_at", "images", "stage_outputs")
    document["inferred"] = sorted(field for field in concluded if document[field])
    return document


def build_listed_fields(run: Json, manifests: list[Json]) -> Json:
    """`stage_outputs` as there are manifests: known entries as they were, in their order, then the others; counts that follow.

    A manifest that cannot be read has a name and nothing else: of it stands what the run file says.
    """
    known = [entry for entry in run.get("stage_outputs") or [] if isinstance(entry, dict)]
    names = {manifest["name"] for manifest in manifests}
    listed = [entry for entry in known if entry.get("name") in names]
    missing = names - {entry["name"] for entry in listed}
    listed += [_build_entry(manifest) for manifest in manifests if manifest["name"] in missing]
    said = {entry["name"]: entry for entry in listed}
    shown = [manifest if len(manifest) > 1 else said[manifest["name"]] for manifest in manifests]
    counted = [manifest for manifest in shown if manifest.get("role") in ("final", None) and manifest.get("stage") != "grid"]
    images = {**(run.get("images") or {"planned": None})}
    images["returned"] = max(images.get("returned") or 0, len(counted))
    images["saved"] = sum(manifest.get("path") is not None for manifest in counted)
    return {"images": images, "stage_outputs": listed}


def build_closed_fields(run: Json, manifests: list[Json]) -> Json:
    """A run whose process is gone ended, as far as anybody knows, with its last image."""
    times = _times(manifests)
    finished = times[-1] if times else run.get("started_at")
    return {"status": "abandoned", "process": None, "finished_at": finished, **build_listed_fields(run, manifests)}


def _build_entry(manifest: Json) -> Json:
    return {
        "stage": manifest.get("stage"), "name": manifest["name"], "manifest": f"manifests/{manifest['name']}.json",
        "path": manifest.get("path"), "root": manifest.get("root"), "role": manifest.get("role"),
    }


def _read_text(infotext: str | None) -> Json:
    """The fields of a manifest that the text in an image tells."""
    if not infotext:
        return {}
    text = parse_infotext(infotext)
    said: Json = {
        "infotext": infotext, "prompt": text.prompt or None, "negative_prompt": text.negative_prompt or None, "actual_seed": text.seed,
        "model": text.parameters.get("Model"), "model_hash": text.parameters.get("Model hash"),
    }
    return {field: value for field, value in said.items() if value is not None}


def _times(manifests: list[Json]) -> list[str]:
    return sorted(time for manifest in manifests if isinstance(time := manifest.get("timestamp"), str))


def _stage_of(name: str) -> str | None:
    match = _STAGE.fullmatch(name)
    return match.group(1) if match is not None and match.group(1) in STAGES else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

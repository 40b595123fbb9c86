"""The routes' requests and answers as the OpenAPI page shows them.

Written out, not derived from classes: FastAPI's own models are those of the pydantic it finds, and hosts bring two that do not
agree. What an answer holds in full is in docs/formats.md.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES_NO: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
BINARY: Schema = {"type": "string", "format": "binary"}


def _object(required: str = "", **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required.split()} if required else schema


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _said(schema: Schema, what: str, example: Any = None) -> Schema:
    shown = {**schema, "description": what} if what else {**schema}
    return shown if example is None else {**shown, "example": example}


_NEXT = _said(_or_null(TEXT), "give it as `after` for the next page; null on the last")
_COUNTS = _object(planned=_or_null(WHOLE), returned=_or_null(WHOLE), saved=_or_null(WHOLE))
_SUMMARY = _object(
    run_id=TEXT, label=_or_null(TEXT), status=_or_null(TEXT), started_at=_or_null(TEXT), source=_or_null(TEXT),
    images=_COUNTS, stages=_list(TEXT), error=_said(TEXT, "only where the run file cannot be read"),
)
RUNS = _object(total=WHOLE, runs=_list(_SUMMARY), next=_NEXT)
MANIFEST = _said(_object(
    schema=_said(TEXT, "", "sdpipe.manifest/1"), name=TEXT, run_id=TEXT, stage=_or_null(TEXT), role=_or_null(TEXT),
    timestamp=_or_null(TEXT), prompt=_or_null(TEXT), negative_prompt=_or_null(TEXT), config=_or_null(ANYTHING),
    root=_or_null(TEXT), path=_or_null(TEXT), model=_or_null(TEXT), actual_seed=_or_null(WHOLE),
    image=_or_null(ANYTHING), parent=_or_null(ANYTHING),
    infotext=_or_null(TEXT),
), "manifests/NAME.json, with all its fields")
RUN = _object(
    run=_said(_or_null(ANYTHING), "run_metadata.json"), manifests=_list(MANIFEST),
    problems=_said(_list(TEXT), "only where files are damaged"),
)
_FOUND = _object(
    run_id=_or_null(TEXT), name=_or_null(TEXT), root=_or_null(TEXT), path=_or_null(TEXT), stage=_or_null(TEXT),
    timestamp=_or_null(TEXT), prompt=_or_null(TEXT), actual_seed=_or_null(WHOLE), model=_or_null(TEXT),
)
FOUND = _object(total=WHOLE, total_is_exact=YES_NO, images=_list(_FOUND), next=_NEXT)
IMAGE = _object(
    status=_said(TEXT, "ok, missing-file, no-metadata, stripped, corrupt, foreign or ambiguous"), source=TEXT, payload=ANYTHING,
    reconciled_payload=ANYTHING, conflicts=_list(TEXT), error=_or_null(TEXT), sources_tried=_list(ANYTHING),
)
TRACE_REQUEST = _object(
    image=_said(TEXT, "an image file in base64, also as a data URL"), root=_said(TEXT, "instead: the name of an image root"),
    path=_said(TEXT, "and the file's path in it"),
)
_MATCH = _object(
    run_id=TEXT, name=TEXT, by=_said(TEXT, "the evidence: file, pixels, near-pixels, run-id, perceptual or infotext"),
    distance=_or_null({"type": "number"}), root=_or_null(TEXT), path=_or_null(TEXT), also=_list(ANYTHING),
)
TRACE = _object(status=_said(TEXT, "found, not-found or ambiguous"), matches=_list(_MATCH))
_ONLY = _said(_list(TEXT), "only findings of these codes", ["moved-image"])
CHECK_REQUEST = _object(only=_ONLY)
_FINDING = _object(
    code=TEXT, level=TEXT, root=_or_null(TEXT), path=_or_null(TEXT), run_id=_or_null(TEXT), name=_or_null(TEXT),
    evidence=ANYTHING, operations=_list(TEXT),
)
CHECK = _object(
    library=_object(runs=WHOLE, manifests=WHOLE, images=WHOLE), counts=_said(ANYTHING, "by code"), findings=_list(_FINDING),
    seconds={"type": "number"},
)
PLAN_REQUEST = _object(only=_ONLY, choose=_said(ANYTHING, "the operation of a code", {"missing-image": "mark-lost"}))
_OPERATION = _object(
    id=TEXT, op=TEXT, code=TEXT, path=_or_null(TEXT), root=_or_null(TEXT), run_id=_or_null(TEXT), name=_or_null(TEXT),
    expects=_or_null(ANYTHING), writes=ANYTHING,
)
PLAN = _object(
    schema=_said(TEXT, "", "sdpipe.plan/1"), plan_id=TEXT, created_at=TEXT, library=_or_null(TEXT), operations=_list(_OPERATION),
)
APPLY_REQUEST = _object("plan", plan=_said(PLAN, "a plan as /plan made it, or a person changed it"))
UNDO_REQUEST = _object(which=_said(_or_null(TEXT), "the id of a plan or an apply; null: the last that is not undone"))
REPAIRED = _object(
    plan_id=_or_null(TEXT), done=WHOLE, skipped=WHOLE, failed=_list(_object(id=TEXT, reason=TEXT)), seconds={"type": "number"},
)
_MARK = _object(
    rating={"type": "integer", "minimum": 0, "maximum": 5}, favourite=YES_NO, tags=_list(TEXT), note=TEXT, updated_at=TEXT,
)
MARKS = _object(schema=_said(TEXT, "", "sdpipe.marks/1"), marks={"type": "object", "additionalProperties": _MARK})
MARKS_REQUEST = _object("marks", marks=_said(
    ANYTHING, "by manifest name; a field that is null is taken off, one that is not named stays",
    {"txt2img_001": {"rating": 4, "favourite": True, "tags": ["sea"], "note": None}},
))
_KEY = _said(
    _object(run_id=TEXT, name=TEXT, root=TEXT, path=TEXT), "`run_id` and `name`, or `root` and `path` of an image without a run",
    {"run_id": "20251225_143022_my_label", "name": "txt2img_001"},
)
CULL_REQUEST = _object(
    images=_list(_KEY), runs=_said(_list(TEXT), "whole runs"), preview=_said(YES_NO, "true: only say what would go"),
)
_PREVIEWED = _object(
    run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, bytes=WHOLE, files=_list(ANYTHING), stays=_list(TEXT), children=_list(_KEY),
)
CULLED = _object(
    apply_id=_said(_or_null(TEXT), "names the cull in the bin; null where nothing went"), done=WHOLE, stopped=YES_NO,
    failed=_said(_list(_object(run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, reason=TEXT)), "what stays, and why"),
    seconds={"type": "number"}, images=_said(_list(_PREVIEWED), "only of a preview"), bytes=_said(WHOLE, "only of a preview"),
)
_BINNED = _object(
    operation=TEXT, run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, state=_said(TEXT, "here, or record: no file went with it"),
    bytes=WHOLE, files=_list(_object(root=_or_null(TEXT), path=TEXT, bytes=WHOLE)),
)
_CULL = _object(apply_id=TEXT, at=TEXT, stopped=YES_NO, bytes=WHOLE, images=_list(_BINNED))
BIN = _object(culls=_list(_CULL), next=_NEXT)
RESTORE_REQUEST = _object(
    "apply_id", apply_id=_said(TEXT, "which cull"), operations=_said(_or_null(_list(TEXT)), "which of its images; null: all of it"),
)
PURGE_REQUEST = _object(
    "older_than_days", older_than_days=_said({"type": "number"}, "set aside at least so long ago; 0: everything"),
    yes=_said(YES_NO, "true: delete it; else it is only counted"),
)
PURGED = _object(
    purged=YES_NO, files=WHOLE, bytes=WHOLE, applies=_list(TEXT), failed=_list(_object(id=TEXT, reason=TEXT)),
)
FAULT = _object("detail", detail=_said(TEXT, "what is wrong, and what to do"))

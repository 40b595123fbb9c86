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


def build_object(required: str = "", **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required.split()} if required else schema


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def said(schema: Schema, what: str, example: Any = None) -> Schema:
    shown = {**schema, "description": what} if what else {**schema}
    return shown if example is None else {**shown, "example": example}


_NEXT = said(or_null(TEXT), "give it as `after` for the next page; null on the last")
_COUNTS = build_object(planned=or_null(WHOLE), returned=or_null(WHOLE), saved=or_null(WHOLE))
_SUMMARY = build_object(
    run_id=TEXT, label=or_null(TEXT), status=or_null(TEXT), started_at=or_null(TEXT), source=or_null(TEXT),
    images=_COUNTS, stages=list_of(TEXT), error=said(TEXT, "only where the run file cannot be read"),
)
RUNS = build_object(total=WHOLE, runs=list_of(_SUMMARY), next=_NEXT)
MANIFEST = said(build_object(
    schema=said(TEXT, "", "sdpipe.manifest/1"), name=TEXT, run_id=TEXT, stage=or_null(TEXT), role=or_null(TEXT),
    timestamp=or_null(TEXT), prompt=or_null(TEXT), negative_prompt=or_null(TEXT), config=or_null(ANYTHING),
    root=or_null(TEXT), path=or_null(TEXT), model=or_null(TEXT), actual_seed=or_null(WHOLE),
    image=or_null(ANYTHING), parent=or_null(ANYTHING),
    infotext=or_null(TEXT),
), "manifests/NAME.json, with all its fields")
RUN = build_object(
    run=said(or_null(ANYTHING), "run_metadata.json"), manifests=list_of(MANIFEST),
    problems=said(list_of(TEXT), "only where files are damaged"),
)
_FOUND = build_object(
    run_id=or_null(TEXT), name=or_null(TEXT), root=or_null(TEXT), path=or_null(TEXT), stage=or_null(TEXT),
    timestamp=or_null(TEXT), prompt=or_null(TEXT), actual_seed=or_null(WHOLE), model=or_null(TEXT),
)
FOUND = build_object(total=WHOLE, total_is_exact=YES_NO, images=list_of(_FOUND), next=_NEXT)
IMAGE = build_object(
    status=said(TEXT, "ok, missing-file, no-metadata, stripped, corrupt, foreign or ambiguous"), source=TEXT, payload=ANYTHING,
    reconciled_payload=ANYTHING, conflicts=list_of(TEXT), error=or_null(TEXT), sources_tried=list_of(ANYTHING),
)
TRACE_REQUEST = build_object(
    image=said(TEXT, "an image file in base64, also as a data URL"), root=said(TEXT, "instead: the name of an image root"),
    path=said(TEXT, "and the file's path in it"),
)
_MATCH = build_object(
    run_id=TEXT, name=TEXT, by=said(TEXT, "the evidence: file, pixels, near-pixels, run-id, perceptual or infotext"),
    distance=or_null({"type": "number"}), root=or_null(TEXT), path=or_null(TEXT), also=list_of(ANYTHING),
)
TRACE = build_object(status=said(TEXT, "found, not-found or ambiguous"), matches=list_of(_MATCH))
_ONLY = said(list_of(TEXT), "only findings of these codes", ["moved-image"])
CHECK_REQUEST = build_object(only=_ONLY)
_FINDING = build_object(
    code=TEXT, level=TEXT, root=or_null(TEXT), path=or_null(TEXT), run_id=or_null(TEXT), name=or_null(TEXT),
    evidence=ANYTHING, operations=list_of(TEXT),
)
CHECK = build_object(
    library=build_object(runs=WHOLE, manifests=WHOLE, images=WHOLE), counts=said(ANYTHING, "by code"), findings=list_of(_FINDING),
    seconds={"type": "number"},
)
PLAN_REQUEST = build_object(only=_ONLY, choose=said(ANYTHING, "the operation of a code", {"missing-image": "mark-lost"}))
_OPERATION = build_object(
    id=TEXT, op=TEXT, code=TEXT, path=or_null(TEXT), root=or_null(TEXT), run_id=or_null(TEXT), name=or_null(TEXT),
    expects=or_null(ANYTHING), writes=ANYTHING,
)
PLAN = build_object(
    schema=said(TEXT, "", "sdpipe.plan/1"), plan_id=TEXT, created_at=TEXT, library=or_null(TEXT), operations=list_of(_OPERATION),
)
APPLY_REQUEST = build_object("plan", plan=said(PLAN, "a plan as /plan made it, or a person changed it"))
UNDO_REQUEST = build_object(which=said(or_null(TEXT), "the id of a plan or an apply; null: the last that is not undone"))
REPAIRED = build_object(
    plan_id=or_null(TEXT), done=WHOLE, skipped=WHOLE, failed=list_of(build_object(id=TEXT, reason=TEXT)), seconds={"type": "number"},
)
_MARK = build_object(
    rating={"type": "integer", "minimum": 0, "maximum": 5}, favourite=YES_NO, tags=list_of(TEXT), note=TEXT, updated_at=TEXT,
)
MARKS = build_object(schema=said(TEXT, "", "sdpipe.marks/1"), marks={"type": "object", "additionalProperties": _MARK})
MARKS_REQUEST = build_object("marks", marks=said(
    ANYTHING, "by manifest name; a field that is null is taken off, one that is not named stays",
    {"txt2img_001": {"rating": 4, "favourite": True, "tags": ["sea"], "note": None}},
))
_KEY = said(
    build_object(run_id=TEXT, name=TEXT, root=TEXT, path=TEXT), "`run_id` and `name`, or `root` and `path` of an image without a run",
    {"run_id": "20251225_143022_my_label", "name": "txt2img_001"},
)
CULL_REQUEST = build_object(
    images=list_of(_KEY), runs=said(list_of(TEXT), "whole runs"), preview=said(YES_NO, "true: only say what would go"),
)
_PREVIEWED = build_object(
    run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, bytes=WHOLE, files=list_of(ANYTHING), stays=list_of(TEXT), children=list_of(_KEY),
)
CULLED = build_object(
    apply_id=said(or_null(TEXT), "names the cull in the bin; null where nothing went"), done=WHOLE, stopped=YES_NO,
    failed=said(list_of(build_object(run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, reason=TEXT)), "what stays, and why"),
    seconds={"type": "number"}, images=said(list_of(_PREVIEWED), "only of a preview"), bytes=said(WHOLE, "only of a preview"),
)
_BINNED = build_object(
    operation=TEXT, run_id=TEXT, name=TEXT, root=TEXT, path=TEXT, state=said(TEXT, "here, or record: no file went with it"),
    bytes=WHOLE, files=list_of(build_object(root=or_null(TEXT), path=TEXT, bytes=WHOLE)),
)
_CULL = build_object(apply_id=TEXT, at=TEXT, stopped=YES_NO, bytes=WHOLE, images=list_of(_BINNED))
BIN = build_object(culls=list_of(_CULL), next=_NEXT)
RESTORE_REQUEST = build_object(
    "apply_id", apply_id=said(TEXT, "which cull"), operations=said(or_null(list_of(TEXT)), "which of its images; null: all of it"),
)
PURGE_REQUEST = build_object(
    "older_than_days", older_than_days=said({"type": "number"}, "set aside at least so long ago; 0: everything"),
    yes=said(YES_NO, "true: delete it; else it is only counted"),
)
PURGED = build_object(
    purged=YES_NO, files=WHOLE, bytes=WHOLE, applies=list_of(TEXT), failed=list_of(build_object(id=TEXT, reason=TEXT)),
)
FAULT = build_object("detail", detail=said(TEXT, "what is wrong, and what to do"))

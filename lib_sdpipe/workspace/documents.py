"""What a library is told as JSON, by the command line and over HTTP alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from lib_sdpipe.index.search import Found, FoundPage
from lib_sdpipe.manifest.loose_json import is_deep
from lib_sdpipe.manifest.records import Json, Record
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.workspace.workspace import RunPage, RunSummary, RunView

# Far more than any request has, far less than Python's recursion limit lets the JSON writer do.
_MAXIMUM_DEPTH = 100
_FOUND_FIELDS = ("run_id", "name", "root", "path", "stage", "timestamp", "prompt", "actual_seed", "model")


def build_runs_document(page: RunPage) -> Json:
    """The document of `runs --json`."""
    return {"total": page.total, "runs": [_summary(summary) for summary in page.runs], "next": page.next}


def _summary(summary: RunSummary) -> Json:
    document = {
        "run_id": summary.run_id, "label": summary.label, "status": summary.status, "started_at": summary.started_at,
        "source": summary.source, "images": summary.images, "stages": summary.stages,
    }
    return document if summary.error is None else {**document, "error": summary.error}


def build_run_document(view: RunView) -> Json:
    """The document of `show RUN --json`."""
    problems = list(view.problems)
    runs = _to_documents([view.run] if view.run else [], problems)
    manifests = _to_documents(view.manifests, problems)
    document = {"run": runs[0] if runs else None, "manifests": manifests}
    return {**document, "problems": problems} if problems else document


def _to_documents(records: Sequence[Record], problems: list[str]) -> list[Json]:
    """The records as they are on disk; what is nested too deeply to be written is a problem like any other damage."""
    documents = []
    for record in records:
        try:
            document = record.to_json()
            if not is_deep(document, _MAXIMUM_DEPTH):
                documents.append(document)
                continue
        except RecursionError:
            pass
        problems.append(f"{getattr(record, 'name', None) or 'a record'}: nested too deeply to be shown")
    return documents


def build_found_document(page: FoundPage) -> Json:
    """The document of `find --json`."""
    images = [_found(found) for found in page.images]
    return {"total": page.total, "total_is_exact": page.total_is_exact, "images": images, "next": page.next}


def _found(found: Found) -> Json:
    document = asdict(found)
    time = document.pop("time")
    return {name: format_utc(time) if name == "timestamp" and time is not None else document.get(name) for name in _FOUND_FIELDS}

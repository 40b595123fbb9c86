"""Routes that repair: check, plan, apply, undo. They run in threads of the server's pool, beside its event loop and its queue.

What does the work is imported where it is needed: the host's start waits for this module.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_object, read_text, read_texts
from lib_sdpipe.api.route import ApiHost, answer, open_workspace, read_document
from lib_sdpipe.errors import LockedError, UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.workspace import Workspace

# A second check at once would read the same disk: threads of the pool are the host's too, and it has forty.
_checking = threading.Lock()


class RepairRoutes:
    """`apply` and `undo` hold the library's own lock, against other processes too."""

    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def check(self, request: Request) -> Response:
        from lib_sdpipe.workspace.repairs import check_library

        workspace, document = self._open_all(request), read_document(request)
        check_fields(document, "only")
        only = read_texts(document, "only")
        with _hold_check():
            return answer(check_library(workspace, only))

    def plan(self, request: Request) -> Response:
        from lib_sdpipe.workspace.repairs import plan_repairs

        workspace, document = self._open_all(request), read_document(request)
        check_fields(document, "only", "choose")
        only, choices = read_texts(document, "only"), _read_choices(document)
        with _hold_check():
            return answer(plan_repairs(workspace, only, choices))

    def apply(self, request: Request) -> Response:
        from lib_sdpipe.store.apply import apply_plan

        workspace, document = self._open_all(request), read_document(request)
        check_fields(document, "plan")
        plan = read_object(document, "plan")
        return answer(apply_plan(workspace.layout, plan).to_json())

    def undo(self, request: Request) -> Response:
        from lib_sdpipe.store.undo import undo

        workspace, document = self._open_all(request), read_document(request)
        check_fields(document, "which")
        return answer(undo(workspace.layout, read_text(document, "which")).to_json())

    def _open_all(self, request: Request) -> Workspace:
        workspace = open_workspace(self._host, request)
        workspace.check_sees_all()
        return workspace


@contextmanager
def _hold_check() -> Iterator[None]:
    if not _checking.acquire(blocking=False):
        raise LockedError("a check of this library is running; try again when it has ended")
    try:
        yield
    finally:
        _checking.release()


def _read_choices(document: Json) -> list[str]:
    """`{CODE: OPERATION}`, or texts CODE=OPERATION as on the command line."""
    chosen = document.get("choose")
    if isinstance(chosen, dict):
        if not all(isinstance(operation, str) for operation in chosen.values()):
            raise UsageError("choose: the operation of each code, as text")
        return [f"{code}={operation}" for code, operation in chosen.items()]
    return read_texts(document, "choose")

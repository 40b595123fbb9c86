"""Routes of the bin: throw images away, see what lies there, put it back, delete it for good.

What does the work is imported where it is needed: the host's start waits for this module.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Optional

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_flag, read_list, read_number, read_text, read_texts
from lib_sdpipe.api.route import ApiHost, answer, open_workspace, read_document
from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.records import Json

if TYPE_CHECKING:
    from lib_sdpipe.reconcile.cull import ImageKey

_DAY_SECONDS = 86400.0
_APPLY_ID = re.compile(r"[0-9T]{18}-[0-9a-f]{8}")
_LIMIT = Query(20, ge=1, le=200, description="at most so many culls")
_AFTER = Query(None, description="only culls older than this one: the `next` of the page before")


class CullRoutes:
    """They hold the library's own lock, against other processes too."""

    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def cull(self, request: Request) -> Response:
        from lib_sdpipe.workspace.cull import look_at_cull
        from lib_sdpipe.workspace.cull_deed import cull

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "images", "runs", "preview")
        images = [_read_key(image) for image in read_list(document, "images")]
        view = look_at_cull(workspace, images, read_texts(document, "runs"))
        return answer(view.to_json() if read_flag(document, "preview") else cull(workspace, view).to_json())

    def bin(self, request: Request, limit: int = _LIMIT, after: Optional[str] = _AFTER) -> Response:
        from lib_sdpipe.workspace.bin import view_bin

        if after is not None and not _APPLY_ID.fullmatch(after):
            raise UsageError(f"after: {after!r} is not the `next` of a page")
        return answer(view_bin(open_workspace(self._host, request), limit, after).to_json())

    def restore(self, request: Request) -> Response:
        from lib_sdpipe.workspace.bin import restore

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "apply_id", "operations")
        apply_id = read_text(document, "apply_id")
        if apply_id is None:
            raise UsageError("apply_id: which cull, as `/bin` names it")
        ops = read_texts(document, "operations") if document.get("operations") is not None else None
        return answer(restore(workspace, apply_id, ops).to_json())

    def purge(self, request: Request) -> Response:
        from lib_sdpipe.workspace.bin import empty_bin

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "older_than_days", "yes")
        days = read_number(document, "older_than_days")
        if days is None or days < 0:
            raise UsageError("older_than_days: a number of days; 0 for everything")
        return answer(empty_bin(workspace, time.time() - days * _DAY_SECONDS, read_flag(document, "yes")).to_json())


def _read_key(image: Any) -> ImageKey:
    from lib_sdpipe.reconcile.cull import ImageKey

    fields: Json = image if isinstance(image, dict) else {}
    if fields and set(fields) <= {"run_id", "name"} and all(isinstance(fields.get(name), str) for name in ("run_id", "name")):
        return ImageKey(fields["run_id"], fields["name"])
    if fields and set(fields) <= {"root", "path"} and all(isinstance(fields.get(name), str) for name in ("root", "path")):
        return ImageKey(root=fields["root"], path=fields["path"])
    raise UsageError("images: each is `run_id` and `name`, or `root` and `path` of one without a run")

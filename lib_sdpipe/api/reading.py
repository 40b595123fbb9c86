"""Routes that look: runs, their images, search, one image file, trace."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
import threading
from pathlib import Path
from typing import Optional

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_text
from lib_sdpipe.api.route import AnswerError, ApiHost, answer, open_workspace, read_document
from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.documents import build_found_document, build_run_document, build_runs_document

_LARGEST_IMAGE = 512 << 20
# A picture of the greatest size takes a gigabyte while it is looked at.
_TRACED_AT_ONCE = threading.BoundedSemaphore(2)
_LIMIT = Query(50, ge=1, le=1000, description="at most so many")
_RUN_AFTER = Query(None, description="only runs older than this one: the `next` of the page before")
_IMAGE_AFTER = Query(None, description="only images after these: the `next` of the page before")
_Q = Query("", description="words and fields, as in `find`; empty: all images")
_AS_INDEXED = Query(False, description="do not look at the disk first: answer from the index as it is")
_ROOT = Query(..., description="the name of an image root, or `runs`")
_PATH = Query(..., description="the file's path in that root")


class ReadingRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def runs(self, request: Request, limit: int = _LIMIT, after: Optional[str] = _RUN_AFTER) -> Response:
        if after is not None and not is_run_id(after):
            raise UsageError(f"after: {after!r} is not a run id: they look like 20251225_143022_my_label")
        return answer(build_runs_document(open_workspace(self._host, request).list_runs(limit, after)))

    def run(self, run_id: str, request: Request) -> Response:
        return answer(build_run_document(open_workspace(self._host, request).view_run(run_id)))

    def manifest(self, run_id: str, name: str, request: Request) -> Response:
        return answer(open_workspace(self._host, request).view_manifest(run_id, name).to_json())

    def images(
        self, request: Request, q: str = _Q, limit: int = _LIMIT, after: Optional[str] = _IMAGE_AFTER, as_indexed: bool = _AS_INDEXED,
    ) -> Response:
        workspace = open_workspace(self._host, request)
        return answer(build_found_document(workspace.find(q, limit, after, None if as_indexed else _no_progress)))

    def image(self, request: Request, root: str = _ROOT, path: str = _PATH) -> Response:
        from lib_sdpipe.workspace.resolve import resolve_image_file  # numpy comes with it

        workspace = open_workspace(self._host, request)
        return answer(resolve_image_file(workspace.layout, _find_file(workspace, root, path), sees=workspace.sees))

    def trace(self, request: Request) -> Response:
        with _TRACED_AT_ONCE:
            return self._trace(request)

    def _trace(self, request: Request) -> Response:
        document, workspace = read_document(request), open_workspace(self._host, request)
        check_fields(document, "image", "root", "path")
        encoded, root, path = (read_text(document, name) for name in ("image", "root", "path"))
        if encoded is not None and root is None and path is None:
            return answer(_trace_picture(workspace, _decode(encoded)))
        if encoded is None and root is not None and path is not None:
            return answer(workspace.trace(_find_file(workspace, root, path), _no_progress).to_json())
        raise UsageError("send either `image`, a file in base64, or `root` and `path`")


def _find_file(workspace: Workspace, root: str, path: str) -> Path:
    """Raises UnknownNameError for what is no image file in one of the roots."""
    from lib_sdpipe.workspace.picked import find_root_image  # the host's start waits for this module

    file = find_root_image(workspace, root, path)
    if file.stat().st_size > _LARGEST_IMAGE:
        raise AnswerError(413, f"{root}: {path}: larger than {_LARGEST_IMAGE >> 20} MB")
    return file


def _decode(encoded: str) -> bytes:
    """Base64, also as a data URL, as the hosts' own API takes pictures."""
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise UsageError(f"image: not readable base64 ({fault})") from fault


def _trace_picture(workspace: Workspace, data: bytes) -> Json:
    descriptor, name = tempfile.mkstemp(prefix="sdpipe-trace-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return workspace.trace(Path(name), _no_progress).to_json()
    except UnknownNameError as fault:
        raise UsageError(str(fault).replace(name, "image")) from fault
    finally:
        os.unlink(name)


def _no_progress(what: str, count: int) -> None:
    pass

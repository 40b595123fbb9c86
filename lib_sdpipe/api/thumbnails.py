"""The route of thumbnails: by a record's id, never by a path."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Optional

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.route import ApiHost
from lib_sdpipe.errors import RefusedError, UnknownNameError
from lib_sdpipe.workspace import Workspace

# Decoding takes memory: a page asks for a hundred at once.
_AT_ONCE = threading.BoundedSemaphore(4)
# Seconds that a browser shows one without asking; then it asks whether it is still the same.
_FRESH_SECONDS = 3600
_OF = Query(None, description="what the page's own addresses say of the file; another file under that number is refused")


class ThumbnailRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def thumbnail(self, run_id: str, name: str, request: Request) -> Response:
        workspace = Workspace(self._host.layout())
        manifest = workspace.view_manifest(run_id, name)
        with _AT_ONCE:
            file = workspace.find_thumbnail(manifest)
        if file is None:
            raise UnknownNameError(f"run {run_id}: {name} has no image that can be shown")
        return _send(file, request)

    def file_thumbnail(self, file: int, request: Request, of: Optional[str] = _OF) -> Response:
        try:
            with _AT_ONCE:
                found = Workspace(self._host.layout()).find_file_thumbnail(file, of)
        except RefusedError as fault:  # a link that leads out of the roots: what lies there is nobody's business
            raise UnknownNameError(f"there is no unrecorded image {file}") from fault
        if found is None:
            raise UnknownNameError(f"image {file} cannot be shown")
        return _send(found, request)


def _send(file: Path, request: Request) -> Response:
    etag = f'"{file.stem}"'
    headers = {"Cache-Control": f"private, max-age={_FRESH_SECONDS}", "ETag": etag, "X-Content-Type-Options": "nosniff"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.read_bytes(), media_type="image/webp", headers=headers)

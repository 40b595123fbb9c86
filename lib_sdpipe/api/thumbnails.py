"""The route of thumbnails: by a record's id, never by a path."""

from __future__ import annotations

import threading
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.route import ApiHost, open_workspace
from lib_sdpipe.errors import UnknownNameError

# Decoding takes memory: a page asks for a hundred at once.
_AT_ONCE = threading.BoundedSemaphore(4)
# Seconds that a browser shows one without asking; then it asks whether it is still the same.
_FRESH_SECONDS = 3600


class ThumbnailRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def thumbnail(self, run_id: str, name: str, request: Request) -> Response:
        workspace = open_workspace(self._host, request)
        manifest = workspace.view_manifest(run_id, name)
        with _AT_ONCE:
            file = workspace.find_thumbnail(manifest)
        return _answer(file, request, f"run {run_id}: {name} has no image that can be shown")

    def bin_thumbnail(self, apply_id: str, operation: str, request: Request) -> Response:
        from lib_sdpipe.workspace.bin import find_bin_thumbnail  # the host's start waits for this module

        with _AT_ONCE:
            file = find_bin_thumbnail(open_workspace(self._host, request), apply_id, operation)
        return _answer(file, request, f"cull {apply_id}: {operation} has no image that can be shown")


def _answer(file: Path | None, request: Request, absence: str) -> Response:
    if file is None:
        raise UnknownNameError(absence)
    etag = f'"{file.stem}"'
    headers = {"Cache-Control": f"private, max-age={_FRESH_SECONDS}", "ETag": etag, "X-Content-Type-Options": "nosniff"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.read_bytes(), media_type="image/webp", headers=headers)

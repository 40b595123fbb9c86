"""The route of thumbnails: by a record's id, never by a path."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.route import ApiHost, open_workspace
from lib_sdpipe.errors import RefusedError, UnknownNameError
from lib_sdpipe.workspace.browsing import find_file_thumbnail

# Decoding takes memory: a page asks for a hundred at once.
_AT_ONCE = threading.BoundedSemaphore(4)
# Seconds that a browser shows one without asking; then it asks whether it is still the same. As short as with full pictures:
# before an image goes into the bin, its question must not show what the file was an hour ago.
_FRESH_SECONDS = 60
# What a page shows in the place of a picture whose file is not there: readable on a light and on a dark ground. It is as wide
# as no thumbnail is: by that javascript/sdpipe.js knows it.
_ABSENT = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="321" height="321" viewBox="0 0 320 320"><rect width="320" height="320" fill="#80848c"/>'
    '<g fill="none" stroke="#d0d3d9" stroke-width="7" stroke-linecap="round"><rect x="80" y="96" width="160" height="128" rx="12"/>'
    '<path d="M96 212l50-52 32 28 28-24 26 26M72 240L248 80"/></g></svg>'
)


class ThumbnailRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def thumbnail(self, run_id: str, name: str, request: Request) -> Response:
        workspace = open_workspace(self._host, request)
        manifest = workspace.view_manifest(run_id, name)
        return answer_small(lambda: workspace.find_thumbnail(manifest), f"run {run_id}: {name}", request)

    def bin_thumbnail(self, apply_id: str, operation: str, request: Request) -> Response:
        from lib_sdpipe.workspace.bin import find_bin_thumbnail  # the host's start waits for this module

        workspace = open_workspace(self._host, request)
        return answer_small(lambda: find_bin_thumbnail(workspace, apply_id, operation), f"cull {apply_id}: {operation}", request)

    def file_thumbnail(self, file: int, stamp: str, request: Request) -> Response:
        """`stamp` tells the file from another one that has its number by now."""
        workspace = open_workspace(self._host, request)
        try:
            return answer_small(lambda: find_file_thumbnail(workspace, file, stamp), f"image {file}", request)
        except RefusedError as fault:  # a link that leads out of the roots: what lies there is nobody's business
            raise UnknownNameError(f"there is no unrecorded image {file}") from fault


def answer_small(find: Callable[[], Path | None], what: str, request: Request) -> Response:
    """The small picture that `find` makes or finds, a few at a time. Raises UnknownNameError where there is none.

    A page, which sends a key, gets a sign for it instead: a browser would write each into its console as an error.
    """
    with _AT_ONCE:
        file = find()
    if file is None and "key" in request.query_params:
        return Response(_ABSENT, media_type="image/svg+xml", headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    if file is None:
        raise UnknownNameError(f"{what} has no image that can be shown")
    etag = f'"{file.stem}"'
    headers = {"Cache-Control": f"private, max-age={_FRESH_SECONDS}", "ETag": etag, "X-Content-Type-Options": "nosniff"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.read_bytes(), media_type="image/webp", headers=headers)

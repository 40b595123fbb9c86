"""The routes of pictures: images in full size and what was part of a request, by a record's id or a digest, never by a path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lib_sdpipe.api.route import AnswerError, ApiHost, open_workspace
from lib_sdpipe.api.thumbnails import answer_small
from lib_sdpipe.errors import RefusedError, UnknownNameError
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from lib_sdpipe.workspace.browsing import find_file
from lib_sdpipe.workspace.shown_file import OpenPicture, ShownFiles, find_input, open_picture

_PIECE_BYTES = 256 << 10
_LARGEST_BYTES = 512 << 20
# What the file is called, or what else is in it, makes no page of it.
_HEADERS = {
    "Cache-Control": "private, max-age=60", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
}


class PictureRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def picture(self, run_id: str, name: str, request: Request) -> Response:
        workspace = open_workspace(self._host, request)
        shown = ShownFiles(workspace.layout).find(workspace.view_manifest(run_id, name))
        if shown.file is None:
            raise UnknownNameError(f"run {run_id}: {name} has no image that can be shown")
        return answer_picture(shown.file, request)

    def file(self, file: int, stamp: str, request: Request) -> Response:
        """`stamp` tells the file from another one that has its number by now."""
        try:
            return answer_picture(find_file(open_workspace(self._host, request), file, stamp), request)
        except RefusedError as fault:
            raise UnknownNameError(f"there is no unrecorded image {file}") from fault

    def input(self, sha256: str, request: Request) -> Response:
        return answer_picture(self._find_input(sha256, request), request)

    def input_thumbnail(self, sha256: str, request: Request) -> Response:
        file, folder = self._find_input(sha256, request), self._host.layout().thumbnails
        return answer_small(lambda: ensure_thumbnail(file, folder, sha256), f"input {sha256}", request)

    def _find_input(self, sha256: str, request: Request) -> Path:
        workspace = open_workspace(self._host, request)
        if workspace.viewer is not None:  # an input is no run's: by the address that the page gave them, or not at all
            raise UnknownNameError(f"no input picture {sha256} was kept")
        return find_input(workspace.layout, sha256)


def answer_picture(path: Path, request: Request) -> Response:
    """The file as it is. Raises UnknownNameError for what is no picture."""
    opened = open_picture(path)
    if opened.bytes > _LARGEST_BYTES:
        opened.file.close()
        raise AnswerError(413, f"{path.name}: larger than {_LARGEST_BYTES >> 20} MB")
    headers = {
        **_HEADERS, "ETag": opened.etag, "Content-Disposition": f"inline; filename*=UTF-8''{quote(path.name, safe='', errors='replace')}",
    }
    if opened.etag in request.headers.get("if-none-match", ""):
        opened.file.close()
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(opened.bytes)
    return StreamingResponse(_iter_pieces(opened), media_type=opened.media_type, headers=headers)


def _iter_pieces(opened: OpenPicture) -> Iterator[bytes]:
    """No more than was promised: the file may be growing."""
    left = opened.bytes
    with opened.file as file:
        while left > 0 and (piece := file.read(min(_PIECE_BYTES, left))):
            left -= len(piece)
            yield piece

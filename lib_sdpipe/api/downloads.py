"""Routes of downloads, sent as they are made: a run as zip, and whatever the page has prepared."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lib_sdpipe.api.route import ApiHost, open_workspace
from lib_sdpipe.workspace.downloads import Download, find_download


class DownloadRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def run_zip(self, run_id: str, request: Request) -> Response:
        from lib_sdpipe.workspace.packing import pack_run  # numpy comes with it

        return _send(pack_run(open_workspace(self._host, request), run_id))

    def download(self, key: str) -> Response:
        return _send(find_download(key))


def _send(download: Download) -> Response:
    plain = download.file_name.encode("ascii", "replace").decode("ascii").replace("?", "_").replace('"', "_")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(download.file_name, safe='')}",
        "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(download.iter_bytes(), media_type=download.media_type, headers=headers)

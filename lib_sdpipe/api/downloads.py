"""The route of downloads that the page has prepared: zips and copies for sharing, sent as they are made."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from lib_sdpipe.workspace.downloads import find_download


def download(key: str) -> Response:
    parcel = find_download(key)
    plain = parcel.file_name.encode("ascii", "replace").decode("ascii").replace("?", "_").replace('"', "_")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(parcel.file_name, safe='')}",
        "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(parcel.iter_bytes(), media_type=parcel.media_type, headers=headers)

"""Routes of what a person thinks of images: rating, favourite, tags, note."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_object
from lib_sdpipe.api.route import ApiHost, answer, open_workspace, read_document
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.marks import read_marks, write_marks


class MarkRoutes:
    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def read(self, run_id: str, request: Request) -> Response:
        open_workspace(self._host, request).check_sees(run_id)
        return answer(read_marks(self._host.layout(), run_id))

    def write(self, run_id: str, request: Request) -> Response:
        from lib_sdpipe.workspace.index_update import tell_marks  # the host's start waits for this module

        workspace, document = open_workspace(self._host, request), read_document(request)
        workspace.check_sees(run_id)
        check_fields(document, "marks")
        marks = write_marks(workspace.layout, run_id, read_object(document, "marks"), format_utc(time.time()))
        tell_marks(workspace, [run_id])
        return answer(marks)

"""What every route does before and after its own work: login, kind and size of the body, faults as `{"detail": SENTENCE}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.login import Login
from lib_sdpipe.errors import LockedError, NoLibraryError, NotAllowedError, RecordError, SdPipeError, UnknownNameError, UsageError
from lib_sdpipe.manifest.codec import format_answer, parse_json_object
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.downloads import is_download_key
from lib_sdpipe.workspace.page_address import API_PREFIX, PICTURE_KINDS, is_picture_key

if TYPE_CHECKING:
    from lib_sdpipe.conduct.conductor import Conductor
    from lib_sdpipe.pipeline.port import HostFacts

MOST_BYTES = 64 << 20
_STATUS: tuple[tuple[type[SdPipeError], int], ...] = (
    (UnknownNameError, 404), (NotAllowedError, 403), (UsageError, 400), (RecordError, 400), (LockedError, 423), (NoLibraryError, 503),
)
_OUR_FAULT = 500
_UNAVAILABLE = 503


class ApiHost(Protocol):
    """What the API needs to know of the host that serves it."""

    def layout(self) -> Layout: ...

    def credentials(self) -> dict[str, str] | None:
        """Users of the host's own API and their passwords; None where it asks for none."""

    def asks_at_page(self) -> bool:
        """Whether the host was started to ask for a login at its page."""

    def hides_folders(self) -> bool:
        """Whether callers are not to learn where folders are."""

    def shows_own_runs_only(self) -> bool:
        """Whether whoever is logged in at the page sees own runs only."""

    def conductor(self) -> Conductor | None:
        """What works off the queue in this process; None outside a WebUI."""

    def host_facts(self) -> HostFacts | None:
        """What the host could use now; None outside a WebUI. May take some 100 ms."""


class AnswerError(SdPipeError):
    """A fault of the call as HTTP: it has a status of its own."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


Handler = Callable[[Request], Awaitable[Response]]


def build_route_class(login: Login, host: ApiHost) -> type[APIRoute]:
    """The class of routes behind this login."""

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            work = super().get_route_handler()

            kind = self.path.removeprefix(API_PREFIX).split("/")[1]

            async def handle(request: Request) -> Response:
                try:
                    request.state.sdpipe_user = None
                    request.state.sdpipe_viewer = await _find_viewer(request, login, host, kind)
                    if request.method == "POST":
                        _check_kind(request)
                        request.state.sdpipe_body = await _read_body(request)
                    return await work(request)
                except (SdPipeError, RequestValidationError, HTTPException, OSError) as fault:
                    return _build_refusal(fault, host)

            return handle

    return GuardedRoute


def read_document(request: Request) -> Json:
    """The JSON object that was sent; nothing counts as an empty one. For the thread of a route: a large one takes its time."""
    body: bytes = request.state.sdpipe_body
    return parse_json_object(body, "the request") if body.strip() else {}


def answer(document: Any) -> Response:
    return Response(format_answer(document), media_type="application/json", headers={"Cache-Control": "no-store"})


def open_workspace(host: ApiHost, request: Request) -> Workspace:
    """The library as whoever asks may know it. Anew for each call: its folder is a setting, and may be another by now."""
    return Workspace(host.layout(), viewer=request.state.sdpipe_viewer)


def user_of(request: Request) -> str | None:
    """Who asks, whatever that user may see; None without a login, and with the API's password."""
    user: str | None = request.state.sdpipe_user
    return user


async def _find_viewer(request: Request, login: Login, host: ApiHost, kind: str) -> str | None:
    """Whose runs alone are shown; None for all. Raises AnswerError for somebody who must stay outside."""
    is_picture = kind in PICTURE_KINDS
    if is_picture and is_picture_key(kind, request.path_params.values(), request.query_params.get("key", "")):
        return None  # the page showed them this image
    if kind == "downloads" and is_download_key(request.path_params["key"]):
        return None  # the page prepared it for them
    visitor = await login.find_visitor(request)
    if visitor is not None:
        request.state.sdpipe_user = visitor.user
        return visitor.user if host.shows_own_runs_only() else None
    # A browser that is asked for a password by a picture opens a window for each.
    headers = {"WWW-Authenticate": 'Basic realm="SDPipe"'} if login.has_password and not is_picture else None
    raise AnswerError(401, "log in at the page, or send the name and password of --api-auth", headers)


def _check_kind(request: Request) -> None:
    """A form or a script of another site can send the other kinds without being asked; JSON it cannot."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise AnswerError(415, f"Content-Type is {kind or 'missing'}; this takes application/json")


async def _read_body(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise AnswerError(413, f"the request is larger than {MOST_BYTES >> 20} MB")
    return bytes(data)


def _build_refusal(fault: Exception, host: ApiHost) -> Response:
    headers: dict[str, str] | None = None
    if isinstance(fault, AnswerError):
        status, text, headers = fault.status, str(fault), fault.headers
    elif isinstance(fault, SdPipeError):
        status, text = next((code for kind, code in _STATUS if isinstance(fault, kind)), _OUR_FAULT), str(fault)
    elif isinstance(fault, RequestValidationError):
        status, text = 400, "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in fault.errors())
    elif isinstance(fault, HTTPException):
        status, text, headers = fault.status_code, str(fault.detail), dict(fault.headers or {})
    else:  # a disk that is full, read-only or away
        status, text = _UNAVAILABLE, str(fault)
    if host.hides_folders():
        text = text.replace(str(host.layout().runs), "the runs folder")
    return Response(format_answer({"detail": text}), status, {**(headers or {}), "Cache-Control": "no-store"}, "application/json")

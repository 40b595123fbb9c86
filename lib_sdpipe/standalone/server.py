"""Starting the page and the API on a port of this computer, and stopping them."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lib_sdpipe.api.mount import mount_api
from lib_sdpipe.standalone.host import StandaloneHost
from lib_sdpipe.standalone.page_parts import PageParts, build_head, build_style
from lib_sdpipe.ui.page import build_page, launch_page
from lib_sdpipe.ui.tab import TabHost, build_tab

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Place:
    """Where the page is; `port` 0 is any free one, `subpath` what a proxy puts before it."""

    host: str = "127.0.0.1"
    port: int = 0
    subpath: str = ""
    theme: str | None = None
    language: str | None = None

    @property
    def is_local(self) -> bool:
        return self.host in LOCAL_HOSTS


class Served:
    """A page that runs; `url` as a browser on this computer finds it."""

    def __init__(self, page: Any, app: Any, url: str) -> None:
        self._page, self.app, self.url = page, app, url

    def stop(self) -> None:
        # Stopping cuts what browsers keep open, and uvicorn reports each of those with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        self._page.close(verbose=False)


def start_server(host: StandaloneHost, place: Place, tab_host: TabHost | None = None) -> Served:
    """`tab_host` where the tab is to have another host than the API. Raises OSError for a port that cannot be had."""
    _talk_to_itself_directly(place.host)
    middleware = [Middleware(PageParts, head=build_head(place.theme, place.language), style=build_style())]
    if place.is_local:
        # A page of another site can give its own name this computer's address, and would be asked for no login then.
        middleware.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, "[::1]"]))
    page = build_page(lambda: build_tab(tab_host or host), "Runs")
    app, url = launch_page(
        page, server_name=place.host, server_port=place.port, root_path=f"/{place.subpath}" if place.subpath else "",
        auth=list((host.credentials() or {}).items()) or None, app_kwargs={"docs_url": "/docs", "middleware": middleware},
    )
    mount_api(app, host)
    return Served(page, app, url)


def _talk_to_itself_directly(host: str) -> None:
    """gradio asks its own server whether it has come up, and a proxy for the web knows nothing of this computer."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), *LOCAL_HOSTS, host]))

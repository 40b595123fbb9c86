"""A library, and an app that serves its API as a host would, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_sdpipe.api.mount import mount_api
from lib_sdpipe.store.layout import Layout
from tests.ui.sample_library import SampleLibrary


@dataclass
class Host:
    """A host as it was started."""

    library: Layout
    users: dict[str, str] | None = None
    asks: bool = False
    hides: bool = False
    own_only: bool = False
    app: Any = field(default_factory=FastAPI)
    works: Any = None

    def layout(self) -> Layout:
        return self.library

    def credentials(self) -> dict[str, str] | None:
        return self.users

    def asks_at_page(self) -> bool:
        return self.asks

    def hides_folders(self) -> bool:
        return self.hides

    def shows_own_runs_only(self) -> bool:
        return self.own_only

    def conductor(self) -> Any:
        return self.works

    def host_facts(self) -> None:
        return None


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    return SampleLibrary(tmp_path / "library")


Serve = Callable[..., TestClient]


@pytest.fixture
def serve(library: SampleLibrary) -> Serve:
    """A client of the API of a host that was started like this."""

    def start(**options: Any) -> TestClient:
        host = Host(library.layout, **options)
        mount_api(host.app, host)
        return TestClient(host.app, base_url="http://host/sdpipe/v1/")

    return start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()

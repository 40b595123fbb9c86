"""The web server of the sandbox: gradio's own with a page, uvicorn's without, and the routes of both."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from fastapi import Body, FastAPI
from fastapi.responses import FileResponse, JSONResponse

_BODY = Body(...)


class _Uvicorn:
    """An app served on a thread."""

    def __init__(self, app: Any, port: int) -> None:
        import uvicorn

        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, name="sandbox-server", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)


def plain_app() -> FastAPI:
    return FastAPI(title="SDPipe sandbox", docs_url="/docs")


def serve_app(app: Any, port: int) -> _Uvicorn:
    return _Uvicorn(app, port)


def serve_page(demo: Any, port: int | None) -> tuple[Any, Any]:
    """Launch the page as the host does; without a port only make an app for the routes."""
    from modules import gradio_extensons
    from modules.shared import cmd_opts

    if port is None:
        return plain_app(), None
    gradio_extensons.queue(demo)
    users = [tuple(x.split(":")) for x in (cmd_opts.gradio_auth or "").split(",") if x]
    root_path = f"/{cmd_opts.subpath}" if cmd_opts.subpath else ""
    app, _ = gradio_extensons.launch(demo, server_name="0.0.0.0" if cmd_opts.listen else cmd_opts.server_name or "127.0.0.1",
                                     server_port=port, auth=users or None, root_path=root_path,
                                     app_kwargs={"docs_url": "/docs", "redoc_url": "/redoc"},
                                     allowed_paths=[*cmd_opts.gradio_allowed_path, cmd_opts.data_dir])
    return app, demo


def add_routes(app: Any, sandbox: Any) -> Any:
    """The host's internal routes, the files of extensions, and the API; return the API."""
    from modules import call_queue, extensions, progress, shared
    from modules.api.api import Api

    def extension_file(name: str, path: str) -> Any:
        root = next((x.path for x in extensions.active() if x.name == name), None)
        full = os.path.realpath(os.path.join(root or "/", path))
        allowed = path == "style.css" or path.startswith("javascript/")
        if root is None or not allowed or not full.startswith(root + os.sep) or not os.path.isfile(full):
            return JSONResponse({"detail": "Not found"}, status_code=404)
        return FileResponse(full)

    def ping() -> dict[str, str]:
        return {}

    def reload() -> dict[str, str]:
        shared.state.request_restart()
        return {}

    def progress_of(body: dict[str, Any] = _BODY) -> dict[str, Any]:
        return progress.progress_of(body.get("id_task"))

    def pending() -> dict[str, Any]:
        return {"size": len(progress.pending_tasks), "tasks": list(progress.pending_tasks)}

    app.add_api_route("/internal/ping", ping, methods=["GET"])
    app.add_api_route("/internal/progress", progress_of, methods=["POST"])
    app.add_api_route("/internal/pending-tasks", pending, methods=["GET"])
    app.add_api_route("/internal/reload", reload, methods=["POST"])
    app.add_api_route("/sandbox-file/{name}/{path:path}", extension_file, methods=["GET"], response_model=None)
    return Api(app, call_queue.queue_lock) if shared.cmd_opts.api else None

"""Starting the sandbox inside this process: `start_sandbox` returns a `Sandbox` that can generate, reload and stop.

Our `modules` package goes to the front of sys.path, as in a host. One sandbox runs at a time in a process.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_sdpipe.sandbox import boot
from lib_sdpipe.sandbox.boot import SandboxError

HOST = Path(__file__).resolve().parent / "host"
_running: list[Sandbox] = []


@dataclass(frozen=True)
class _Plan:
    """What a start needs to know; also what a Reload UI starts again with."""

    port: int
    page: bool
    server: bool


def start_sandbox(data_dir: str | os.PathLike[str], extensions: Iterable[str | os.PathLike[str]] = (), *, port: int = 0,
                  page: bool = True, server: bool = True, adetailer: bool = True, step_ms: float = 0.0,
                  flavour: str = "a1111", argv: Sequence[str] = ()) -> Sandbox:
    """Start and wait until it serves.

    An extension is a path, or NAME=PATH to load it as if its folder were called NAME. `argv` are flags of the host, such
    as `--api-auth u:p`. With `server=False` nothing listens: use `Sandbox.generate`.
    """
    if _running:
        raise SandboxError("a sandbox is already running in this process")
    modules = sys.modules.get("modules")
    if modules is not None and not getattr(modules, "IS_SANDBOX", False):
        raise SandboxError("a real `modules` package is already imported: this process is a WebUI")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    Path(data_dir).mkdir(parents=True, exist_ok=True)
    folders = [HOST, *([HOST / "forge"] if flavour == "forge" else [])]
    sandbox = Sandbox(_Plan(port or (boot.free_port() if server else 0), page, server))
    sys.path[:0] = [str(x) for x in folders]
    _running.append(sandbox)
    try:
        loaded = [boot.named(x) for x in extensions] + ([("adetailer", str(HOST / "extensions" / "adetailer"))] if adetailer else [])
        boot.configure(argv, loaded, data_dir=os.fspath(data_dir), port=port or None, nowebui=not page,
                       sandbox_flavour=flavour, sandbox_step_ms=float(step_ms))
        sandbox.start()
    except BaseException:
        sandbox.stop()
        raise
    return sandbox


class Sandbox:
    """A running sandbox. Usable as a context manager."""

    def __init__(self, plan: _Plan) -> None:
        self._plan, self._path_before = plan, list(sys.path)
        self.port = plan.port
        self.url = f"http://127.0.0.1:{plan.port}" if plan.server else ""
        self.app: Any = None
        self.api: Any = None
        self._server: Any = None
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._reloaded = threading.Event()

    @property
    def data_dir(self) -> Path:
        from modules.shared import cmd_opts

        return Path(cmd_opts.data_dir)

    def start(self) -> None:
        """First start: load everything, serve, load the model; then watch for Reload UI."""
        from modules import shared

        if shared.is_forge():
            from modules_forge import main_thread

            self._spawn(main_thread.loop, "MainThread")
        self._load()
        sys.stderr.write(f"SDPipe sandbox ({shared.cmd_opts.sandbox_flavour}): pictures are drawn by a small program, "
                         f"not by a diffusion model. {self.url}\n")
        self._load_model()
        self._spawn(self._watch, "sandbox-webui")

    def _spawn(self, target: Any, name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _load(self) -> None:
        from modules import extensions, extra_networks, script_callbacks, scripts, sd_models, sd_vae, shared, ui

        from lib_sdpipe.sandbox import server

        extensions.list_extensions()
        sd_models.list_models()
        scripts.load_scripts()
        sd_vae.refresh_vae_list()
        extra_networks.initialize()
        if shared.is_forge() and shared.sd_model is None:
            shared.sd_model = sd_models.FakeInitialModel()
        if self._plan.page:
            script_callbacks.before_ui_callback()
            shared.demo = ui.create_ui()
            self.app, self._server = server.serve_page(shared.demo, self._plan.port if self._plan.server else None)
            self.api = server.add_routes(self.app, self)
        else:
            self.app = server.plain_app()
            self.api = server.add_routes(self.app, self)
            script_callbacks.before_ui_callback()
            self._server = server.serve_app(self.app, self._plan.port) if self._plan.server else None
        script_callbacks.app_started_callback(shared.demo, self.app)

    def _load_model(self) -> None:
        """A1111 loads the checkpoint on a thread at start; Forge at the first generation."""
        from modules import sd_models, shared

        if not shared.is_forge():
            self._spawn(sd_models.reload_model_weights, "load-model").join()

    def _watch(self) -> None:
        from modules import errors, shared

        # gradio 4 makes its locks only on a thread that has an event loop; the hosts set a policy to the same end.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        while not self._stopping:
            if shared.state.wait_for_server_command(0.2) == "restart":
                try:
                    self._reload()
                except Exception:
                    errors.report("Reload UI failed", exc_info=True)
                self._reloaded.set()
        loop.close()

    def _reload(self) -> None:
        """The host's sequence. A running job is not waited for: it goes on with the old scripts."""
        from modules import script_callbacks

        self._close_server()
        script_callbacks.app_reload_callback()
        script_callbacks.script_unloaded_callback()
        self._load()

    def _close_server(self) -> None:
        if self._server is not None:
            if getattr(self._server, "server", None) is not None:
                self._server.server.force_exit = True  # else gradio waits for browsers that keep a stream open
            self._server.close()
            self._server = None

    def reload_ui(self, timeout: float = 30) -> None:
        """Ask for Reload UI and wait until the new page serves."""
        from modules import shared

        self._reloaded.clear()
        shared.state.request_restart()
        if not self._reloaded.wait(timeout):
            raise SandboxError("Reload UI did not come to an end")

    def generate(self, tab: str = "txt2img", **request: Any) -> dict[str, Any]:
        """One API request without HTTP; errors are raised as they are."""
        return (self.api.text2imgapi if tab == "txt2img" else self.api.img2imgapi)(request)

    def press_generate(self, tab: str = "txt2img", *, task_id: str | None = None, script_args: dict[str, Any] | None = None,
                       user: str | None = None, upscale: tuple[Any, int, str] | None = None,
                       **fields: Any) -> tuple[Any, ...]:
        """What the page's Generate button does, without a browser; `script_args` by title: list of values.

        With `upscale` (gallery, index, generation info) it is the hires button under the gallery.
        """
        from lib_sdpipe.sandbox import button

        return button.press(tab, task_id, script_args or {}, user, fields, upscale)

    def stop(self) -> None:
        """Stop serving; afterwards another sandbox can start in this process."""
        self._stopping = True
        if self in _running:
            _running.remove(self)
        self._close_server()
        if "modules" in sys.modules:
            from modules import script_callbacks, scripts

            scripts.scripts_current = None
            script_callbacks.clear_callbacks()
        if "modules_forge.main_thread" in sys.modules:
            sys.modules["modules_forge.main_thread"].stop()
        for thread in self._threads:
            thread.join(5)
        for name in [x for x in sys.modules if x.split(".")[0] == "modules_forge"]:
            del sys.modules[name]
        self._clean_path()

    def _clean_path(self) -> None:
        """Take our folders off sys.path, and the extensions' roots that playing Forge left there."""
        ours = [str(HOST), str(HOST / "forge")]
        if "modules.extensions" in sys.modules:
            ours += [path for _, path in sys.modules["modules.extensions"].configured]
        sys.path[:] = [x for x in sys.path if x in self._path_before or x not in ours]

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

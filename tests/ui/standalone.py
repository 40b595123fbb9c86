"""The Runs tab on a page of its own: `python tests/ui/standalone.py PORT FOLDER`; a library is made where there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import gradio as gr  # noqa: E402

from lib_sdpipe.store.layout import Layout  # noqa: E402
from lib_sdpipe.ui.tab import TabHost, build_tab  # noqa: E402
from tests.ui.sample_library import build_sample_library  # noqa: E402


class PageHost:
    """A host whose switch works and whose recorder is well."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.paused = False
        self.sentence: str | None = None
        self.recording_fault: str | None = None

    def layout(self) -> Layout:
        return self._layout

    def fault(self) -> str | None:
        return self.recording_fault

    def is_paused(self) -> bool:
        return self.paused

    def set_paused(self, paused: bool) -> str | None:
        if self.sentence is None:
            self.paused = paused
        return self.sentence

    def can_open_folders(self) -> bool:
        return False

    def open_folder(self, folder: Path) -> str | None:
        return f"no file manager for {folder}"


def build_page(host: TabHost) -> tuple[Any, dict[str, Any]]:
    """The page with style.css and sdpipe.js in it, and what launch() needs for that on this gradio."""
    css = (ROOT / "style.css").read_text(encoding="utf-8")
    script = "".join(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in sorted((ROOT / "javascript").glob("*.js")))
    major = int(gr.__version__.split(".")[0])
    looks = {"css": css, "head": script}
    tab = build_tab(host)
    with gr.Blocks(title="SDPipe", analytics_enabled=False, **({"css": css} if major < 4 else looks if major < 6 else {})) as page:
        with gr.Tabs():
            with gr.TabItem("Other"):
                gr.HTML("another tab")
            with gr.TabItem("Runs", elem_id="tab_sdpipe_runs"):
                tab.render()
    return page, looks if major >= 6 else {"script": script} if major < 4 else {}


def main(port: int, folder: Path) -> None:
    layout = Layout(folder / "runs", folder / "runs" / ".sdpipe")
    if not folder.exists():
        layout = build_sample_library(folder).layout
    page, arguments = build_page(PageHost(layout))
    script = arguments.pop("script", None)
    if script:
        import gradio.routes

        original = gradio.routes.templates.TemplateResponse

        def with_script(*args: Any, **kwargs: Any) -> Any:
            response = original(*args, **kwargs)
            response.body = response.body.replace(b"</head>", script.encode() + b"</head>")
            response.init_headers()
            return response

        gradio.routes.templates.TemplateResponse = with_script
    page.launch(server_name="127.0.0.1", server_port=port, share=False, quiet=True, **arguments)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

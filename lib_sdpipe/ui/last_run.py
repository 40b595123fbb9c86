"""The last run of a tab in its accordion: what became of the last press of Generate, and the way to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Run
from lib_sdpipe.ui import words
from lib_sdpipe.ui.frame import open_ask
from lib_sdpipe.ui.gradio_versions import build_html, quiet_event
from lib_sdpipe.ui.host import TabHost
from lib_sdpipe.ui.html_text import ask_attributes, dots, e, show_hint, show_status
from lib_sdpipe.ui.visit import is_from_elsewhere
from lib_sdpipe.workspace import Workspace

# So many of the newest runs are looked at: others come from the API, or from another tab.
_LOOKED_AT = 40


def build_last_run(tab: str, host: TabHost) -> None:
    """Filled by javascript/sdpipe_last_run.js while the accordion is open."""
    shown = build_html("", elem_id=f"sdpipe_{tab}_last", elem_classes=["sdpipe-last-run"])
    button = gr.Button("Show the last run", elem_id=f"sdpipe_{tab}_ask_last", elem_classes=["sdpipe-carrier"])

    def answer(request: gr.Request) -> Any:
        if is_from_elsewhere(request.headers):
            return gr.update()
        return read_last_run(tab, host, getattr(request, "username", None))

    button.click(answer, [], [shown], **quiet_event())


def read_last_run(tab: str, host: TabHost, user: str | None) -> str:
    """HTML. A library that cannot be read has no last run: the Runs tab says why."""
    try:
        workspace = open_ask(host, user, {}).workspace
        run = _find(workspace, tab) if workspace.layout.runs.exists() else None
    except (SdPipeError, OSError):
        run = None
    if run is None:
        return show_hint("No run of this tab was recorded lately.")
    return show_last_run(run, datetime.now())


def _find(workspace: Workspace, tab: str) -> Run | None:
    newest = (run for run in workspace.iter_newest(_LOOKED_AT) if run.source == "ui" and run.config.get("endpoint") == tab)
    return next(newest, None)


def show_last_run(run: Run, now: datetime) -> str:
    """One line: label, status, count, time, and a button that opens the run."""
    run_id = run.run_id or ""
    moment = words.to_local(run.started_at or run.timestamp)
    when = f"{words.format_day(moment, now)}, {moment:%H:%M}" if moment else ""
    facts = [words.count_images(run.images, run.status), words.format_span(run.started_at, run.finished_at), when]
    running = " data-sdpipe-running" if run.status == "running" else ""
    asks = ask_attributes("open", {"run": run_id}, "browse")
    return (
        f'<div class="sdpipe-last"{running}><span class="sdpipe-last-title">Last run</span>'
        f'<strong dir="auto">{e(run.label or words.format_label(run_id))}</strong>'
        f"<span>{show_status(words.format_status(run.status))}{dots(facts)}</span>"
        f'<button type="button" class="sdpipe-link" {asks} data-sdpipe-runs-tab title="{e(run_id)}">Open in Runs</button></div>'
    )

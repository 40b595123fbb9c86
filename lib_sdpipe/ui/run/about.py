"""What is told of a run on demand, below the facts: its environment, what was asked, its files as they are."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.ui.html_text import COPY, ask_attributes, e, show_facts, show_hint
from lib_sdpipe.ui.run.environment import Group, present_environment
from lib_sdpipe.ui.words import format_count
from lib_sdpipe.workspace import RunView, Workspace

# (name, label of its button)
PARTS = (("environment", "Environment"), ("request", "What was asked"), ("run", "Run file"), ("manifest", "Manifest"))
# Characters; what is longer is a file to look at, not a page.
_LONGEST = 300_000


def show_about(workspace: Workspace, view: RunView, manifest: Manifest | None, part: str) -> str:
    """The buttons, and the part that is open."""
    shown = {name for name, _ in PARTS if (name == "manifest" and manifest is not None) or (name != "manifest" and view.run is not None)}
    if not shown:
        return ""
    part = part if part in shown else ""
    buttons = "".join(_show_button(name, label, name == part) for name, label in PARTS if name in shown)
    inside = _show_part(workspace, view.run, manifest, part) if part else ""
    return f'<section class="sdpipe-about" aria-label="More about it"><div class="sdpipe-actions">{buttons}</div>{inside}</section>'


def show_answer(answer: Json, part: str) -> str:
    """The same of an image without a run: all that was found about it."""
    shown = _show_json("All that was found", answer) if part == "answer" else ""
    button = _show_button("answer", "All that was found", part == "answer")
    return f'<section class="sdpipe-about" aria-label="More about it"><div class="sdpipe-actions">{button}</div>{shown}</section>'


def _show_button(name: str, label: str, is_open: bool) -> str:
    asks = ask_attributes("about", {"part": "" if is_open else name})
    return f'<button type="button" class="sdpipe-button" {asks} aria-expanded="{"true" if is_open else "false"}">{e(label)}</button>'


def _show_part(workspace: Workspace, run: Run | None, manifest: Manifest | None, part: str) -> str:
    if part == "manifest":
        return _show_json("Manifest", manifest.to_json() if manifest is not None else {})
    if run is None:
        return ""
    if part == "environment":
        return _show_environment(workspace, run.environment)
    return _show_json("Run file", run.to_json()) if part == "run" else _show_json("What was asked", run.config)


def _show_environment(workspace: Workspace, sha256: str | None) -> str:
    if not sha256:
        return show_hint("The environment of this run was not recorded.")
    try:
        document = workspace.read_environment(sha256)
    except (SdPipeError, OSError):
        return show_hint("The file of this environment cannot be read.")
    return "".join(_show_group(group) for group in present_environment(document)) + f'<p class="sdpipe-id"><code>{e(sha256)}</code></p>'


def _show_group(group: Group) -> str:
    if group.is_long:
        return f"<details><summary>{e(group.title)} ({len(group.facts):,})</summary>{show_facts(group.facts)}</details>"
    return (f"<h4>{e(group.title)}</h4>" if group.title else "") + show_facts(group.facts)


def _show_json(name: str, document: Any) -> str:
    text = format_json(document).decode("utf-8", "replace")
    cut = ""
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
        cut = show_hint(f"Only the first {format_count(_LONGEST, 'character')} are shown here.")
    shown = f'<pre class="sdpipe-text sdpipe-json" tabindex="0" aria-label="{e(name)}">{e(text)}</pre>'
    return f'<div class="sdpipe-copyable">{COPY}{shown}</div>{cut}'

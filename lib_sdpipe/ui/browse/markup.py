"""HTML of the list of runs."""

from __future__ import annotations

from lib_sdpipe.ui.browse.present import RunList, RunRow
from lib_sdpipe.ui.html_text import ask_attributes, dots, e, show_hint, show_status
from lib_sdpipe.ui.words import format_count

# Before the first look at the library; javascript/sdpipe.js asks again as long as it sees this.
PENDING = '<p class="sdpipe-quiet" data-sdpipe-pending>Reading the runs folder …</p>'


def show_head(total: int | None, folder: str | None) -> str:
    """How many runs, and where they are (`folder` is None where the host hides folders)."""
    count = "Runs" if total is None else format_count(total, "run")
    where = f' in <code class="sdpipe-path">{e(folder)}</code>' if folder else ""
    return f'<div class="sdpipe-head"><strong>{e(count)}</strong>{where}</div>'


def show_runs(runs: RunList, is_paused: bool) -> str:
    """The list of runs: one button a run, under the days."""
    if not runs.days:
        return _show_empty(runs.total, is_paused)
    days = "".join(
        f'<h3 class="sdpipe-day">{e(day)}</h3><ul>{"".join(_show_row(row) for row in rows)}</ul>'
        for day, rows in runs.days
    )
    running = " data-sdpipe-running" if runs.is_running else ""
    return f'<nav class="sdpipe-runs" aria-label="Runs"{running}>{days}</nav>'


def _show_empty(total: int, is_paused: bool) -> str:
    if total:
        return show_hint("There are no older runs.")
    if is_paused:
        return show_hint("No runs yet, and recording is paused. Untick “Pause recording” and press Generate.")
    return (
        '<div class="sdpipe-quiet"><p><strong>No runs yet.</strong></p><p>Press Generate in txt2img or img2img: every press becomes'
        " a run, listed here with its images, their settings and what they were made from.</p></div>"
    )


def _show_row(row: RunRow) -> str:
    more = dots([row.images, row.stages, row.source])
    return (
        f'<li><button type="button" class="sdpipe-run" data-sdpipe-run="{e(row.run_id)}" title="{e(row.run_id)}"'
        f' {ask_attributes("open", {"run": row.run_id})}>'
        f'<span class="sdpipe-run-label" dir="auto">{e(row.label)}</span>'
        f'<span class="sdpipe-run-when" title="{e(row.moment)}">{e(row.when)}</span>'
        f'<span class="sdpipe-run-more">{show_status(row.status)}{more}</span></button></li>'
    )

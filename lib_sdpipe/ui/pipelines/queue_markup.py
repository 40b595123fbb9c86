"""HTML of the queue."""

from __future__ import annotations

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, dots, e, show_hint, show_status
from lib_sdpipe.ui.pipelines.queue_present import JobView, QueueView, WorkingView
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace.page_address import build_thumbnail_address

# Before the first look; javascript/sdpipe_pipelines.js asks as soon as it sees this.
PENDING = '<div data-sdpipe-pending></div>'
NO_CONDUCTOR = "Nothing is made on this page: a WebUI with SDPipe that uses this runs folder works the queue off."
_ELSEWHERE = "It is made by another WebUI that uses this runs folder."
_PAUSED = Status("interrupted", "‖", "Paused")
_MOST_WAITING = 100
_MOST_ENDED = 30


def show_now(view: QueueView) -> str:
    """What is made at this moment; written anew with every look."""
    return "".join(_show_working(working) for working in view.working)


def show_made(view: QueueView) -> str:
    """Small pictures of it; apart, so that they do not flicker."""
    return "".join(_show_made(working) for working in view.working if working.made)


def show_queue(view: QueueView, has_conductor: bool, fault: str | None) -> str:
    """What waits and what has ended."""
    waits = "data-sdpipe-waits" if view.waiting and not view.is_paused and has_conductor else ""
    notes = "" if has_conductor else show_hint(NO_CONDUCTOR)
    if fault:
        notes += f'<div class="sdpipe-box sdpipe-box-error" role="alert"><p>The queue waits: {e(fault)}</p></div>'
    return (
        f'<section class="sdpipe-card sdpipe-queue" aria-label="Queue" {waits}>{_show_head(view)}{notes}{_show_waiting(view)}'
        f"{_show_ended(view)}</section>"
    )


def _show_working(working: WorkingView) -> str:
    job = working.job
    far = f' value="{working.share * 100:.1f}" max="100"' if working.share is not None else ""
    told = working.steps
    if working.is_waiting:
        told = ["Waits while somebody generates", *told]
    elif not working.is_here:
        told = [_ELSEWHERE]
    left = f'<span class="sdpipe-dot">about {e(working.left)} left</span>' if working.left else ""
    stop = ""
    if working.is_here:
        off = " disabled" if working.is_stopping else ""
        stop = _button("Stopping …" if working.is_stopping else "Stop", {"do": "stop", "job": job.id}, f"stop-{job.id}", off)
    looks = _run_link(job, "Look at the run")
    return (
        f'<div class="sdpipe-progress sdpipe-now" data-sdpipe-working role="status" aria-label="Being made"><div>'
        f'<strong dir="auto">{e(job.title)}</strong> <span class="sdpipe-dots">{dots([*told, *job.facts[:1]])}{left}</span></div>'
        f'<progress aria-label="How far it is"{far}></progress><span class="sdpipe-now-buttons">{looks}{stop}</span></div>'
    )


def _show_made(working: WorkingView) -> str:
    run_id = working.job.run_id or ""
    shown = "".join(
        f'<li><button type="button" class="sdpipe-picture-button" aria-label="Open {e(name)}" title="{e(name)}" '
        f'{ask_attributes("open", {"run": run_id, "name": name}, "browse")}>'
        f'<img src="{e(build_thumbnail_address(run_id, name))}" alt="" loading="lazy"></button></li>' for name in working.made
    )
    more = f'<span class="sdpipe-where">{working.more:,} earlier ones are in the run</span>' if working.more else ""
    return f'<div class="sdpipe-made"><ul class="sdpipe-made-list" aria-label="Made so far">{shown}</ul>{more}</div>'


def _show_head(view: QueueView) -> str:
    count = words.format_count(len(view.waiting), "job") + " waiting" if view.waiting else ""
    pause = ""
    if view.waiting or view.working or view.is_paused:
        label, do = ("Go on", "unpause") if view.is_paused else ("Pause", "pause")
        hint = "" if view.is_paused else ' title="Begin no further job; what is being made is finished"'
        pause = _button(label, {"do": do}, "pause", hint)
    state = show_status(_PAUSED) if view.is_paused else ""
    return (
        f'<div class="sdpipe-queue-head"><h3 class="sdpipe-title">Queue</h3>{state}<span class="sdpipe-where">{e(count)}</span>'
        f"{pause}</div>"
    )


def _show_waiting(view: QueueView) -> str:
    if not view.waiting:
        if view.working or view.ended:
            return ""
        return show_hint("Nothing waits. Put stages together below, or open an image in Browse and press “Go on from here”.")
    last = len(view.waiting) - 1
    rows = "".join(
        f"<li>{_show_job(job, _move_buttons(job, number == 0, number == last))}</li>"
        for number, job in enumerate(view.waiting[:_MOST_WAITING])
    )
    more = show_hint(f"and {len(view.waiting) - _MOST_WAITING:,} more") if len(view.waiting) > _MOST_WAITING else ""
    return f'<ol class="sdpipe-jobs" aria-label="Waiting jobs">{rows}</ol>{more}'


def _move_buttons(job: JobView, is_first: bool, is_last: bool) -> str:
    up = _button("↑", {"do": "move", "job": job.id, "places": -1}, f"up-{job.id}", _off(is_first, "Earlier"))
    down = _button("↓", {"do": "move", "job": job.id, "places": 1}, f"down-{job.id}", _off(is_last, "Later"))
    return up + down + _button("Cancel", {"do": "cancel", "job": job.id}, f"cancel-{job.id}", "")


def _off(is_off: bool, name: str) -> str:
    return f' aria-label="{e(name)}" title="{e(name)}"{" disabled" if is_off else ""}'


def _show_ended(view: QueueView) -> str:
    if not view.ended:
        return ""
    rows = "".join(f"<li>{_show_job(job, _ended_buttons(job))}</li>" for job in view.ended[:_MOST_ENDED])
    more = show_hint(f"and {len(view.ended) - _MOST_ENDED:,} more") if len(view.ended) > _MOST_ENDED else ""
    clear = _button("Clear the list", {"do": "clear"}, "clear", ' title="Their runs stay"')
    return (
        f'<div class="sdpipe-queue-head"><h4>Ended</h4>{clear}</div><ul class="sdpipe-jobs" aria-label="Ended jobs">{rows}</ul>{more}'
    )


def _ended_buttons(job: JobView) -> str:
    resume = _button("Resume", {"do": "resume", "job": job.id}, f"resume-{job.id}", ' title="Go on from where it broke off"')
    return _run_link(job, "Open the run") + (resume if job.can_resume else "")


def _run_link(job: JobView, label: str) -> str:
    if job.run_id is None:
        return ""
    return ask_button(label, "open", {"run": job.run_id}, "browse")


def _show_job(job: JobView, buttons: str) -> str:
    verdict = show_status(job.verdict) if job.verdict is not None else ""
    error = f'<p class="sdpipe-job-error" dir="auto">{e(job.error)}</p>' if job.error else ""
    message = f'<p class="sdpipe-job-message">{e(job.message)}</p>' if job.message else ""
    facts = f'<span class="sdpipe-dots">{dots(job.facts)}</span>' if job.facts else ""
    return (
        f'<div class="sdpipe-job"><div class="sdpipe-job-text"><strong dir="auto">{e(job.title)}</strong> {show_status(job.status)}'
        f'{verdict}{facts}{error}{message}</div><div class="sdpipe-job-buttons">{buttons}</div></div>'
    )


def _button(label: str, data: Json, keep: str, more: str) -> str:
    """The keyboard finds its place again by `keep` after the queue was written anew."""
    asks = ask_attributes("queue", data)
    return f'<button type="button" class="sdpipe-button" {asks} data-sdpipe-keep="{e(keep)}"{more}>{e(label)}</button>'

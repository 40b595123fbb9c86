"""HTML of the Repair section's findings and of what runs; `plan_markup.py` has plans and past repairs."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, dots, e, show_facts, show_hint, show_status
from lib_sdpipe.ui.repair.present import CodeView, FindingView, Slot
from lib_sdpipe.ui.repair.words import OPERATION_WORDS, describe_phase
from lib_sdpipe.ui.words import Status

FINDINGS_PER_PAGE = 8

# Before the first look; javascript/sdpipe_repair.js asks as soon as it sees this.
PENDING = '<div class="sdpipe-repair" data-sdpipe-pending></div>'


@dataclass(frozen=True)
class RootView:
    """An image root. `state`: `ok`, `empty`, `confirmed` (empty, and meant to be), `offline`; `folder` None where it is not told."""

    name: str
    folder: str | None
    state: str
    is_chosen: bool


@dataclass(frozen=True)
class WorkView:
    """Long work as it is now."""

    name: str
    phase: str
    done: int
    total: int | None
    seconds: float
    is_stopping: bool
    user: str | None = None


def do_button(label: str, data: Json, kind: str = "sdpipe-button", keep: str = "", is_off: bool = False, more: str = "") -> str:
    """A button that asks for a deed of this section. The keyboard finds its place again by `keep` after the page was written anew."""
    off = " disabled" if is_off else ""
    kept = f' data-sdpipe-keep="{e(keep)}"' if keep else ""
    return f'<button type="button" class="{e(kind)}" {ask_attributes("repair", data)}{kept}{off}{more}>{e(label)}</button>'


def show_pager(data: Json, name: str, page: int, count: int, per_page: int, keep: str) -> str:
    """Turns pages of `count` things; `name` is the field of the asked data that says which page."""
    pages = max(1, -(-count // per_page))
    if pages == 1:
        return ""
    first, last = page * per_page + 1, min(count, (page + 1) * per_page)
    parts = (
        do_button("Earlier", {**data, name: page - 1}, keep=f"{keep}-earlier", is_off=page <= 0),
        f'<span class="sdpipe-dot">{first:,} to {last:,} of {count:,}</span>',
        do_button("Later", {**data, name: page + 1}, keep=f"{keep}-later", is_off=page >= pages - 1),
    )
    return f'<nav class="sdpipe-turn" aria-label="Pages">{"".join(parts)}</nav>'


def show_slots(slots: list[Slot], pictures: dict[Slot, str | None]) -> str:
    """Small pictures with what they are under them; one that cannot be had is an empty frame that says so."""
    return f'<div class="sdpipe-picture-slots">{"".join(_show_slot(slot, pictures.get(slot)) for slot in slots)}</div>' if slots else ""


def _show_slot(slot: Slot, address: str | None) -> str:
    name = slot.label or (slot.path or "").rpartition("/")[2]
    shown = (
        f'<img src="{e(address)}" alt="{e(name)}" loading="lazy">' if address
        else '<span class="sdpipe-no-picture">No picture</span>'
    )
    return f'<figure class="sdpipe-picture-slot">{shown}<figcaption title="{e(slot.path or name)}">{e(name)}</figcaption></figure>'


def show_work(work: WorkView | None, fault: str | None = None) -> str:
    """What runs now, with a way to stop it; or why the last of it ended. Empty for neither."""
    if work is None:
        return f'<div class="sdpipe-box sdpipe-box-error" role="alert"><p>{e(fault)}</p></div>' if fault else ""
    far = f' value="{work.done}" max="{max(1, work.total)}"' if work.total is not None else ""
    of = f" of {work.total:,}" if work.total is not None else ""
    count = f"{work.done:,}{of}" if work.done or work.total else ""
    texts = [describe_phase(work.phase), count, words.format_duration(work.seconds * 1000)]
    stop = do_button("Stopping …" if work.is_stopping else "Stop", {"do": "stop"}, keep="stop", is_off=work.is_stopping)
    by = f'<span class="sdpipe-dot">for {e(work.user)}</span>' if work.user else ""
    return (
        f'<div class="sdpipe-progress" data-sdpipe-working role="status"><div><strong>{e(work.name)}</strong> {by}{dots(texts)}</div>'
        f'<progress aria-label="{e(work.name)}"{far}></progress>{stop}</div>'
    )


def show_check(roots: list[RootView], summary: list[str], is_busy: bool, is_first: bool) -> str:
    label = "Check the library" if is_first else "Check again"
    button = do_button(label, {"do": "check"}, "sdpipe-button sdpipe-main-button", "check", is_busy)
    meaning = "Also finds what a disk changed without a trace. It takes long; what was read is kept, and the next time goes on from there."
    deep = do_button("Read every byte", {"do": "check", "deep": True}, keep="deep", is_off=is_busy, more=f' title="{meaning}"')
    chips = "".join(_show_root(root, is_busy) for root in roots)
    hint = show_hint("A check looks and changes nothing. What it finds is shown with what can be done about it.") if is_first else ""
    return (
        f'<section class="sdpipe-card" aria-label="Check"><div class="sdpipe-board-head">{button}{deep}{dots(summary)}</div>{hint}'
        f'<h4>Folders</h4><ul class="sdpipe-roots">{chips}</ul></section>'
    )


_ROOT_STATES = {
    "ok": Status("completed", "✓", "There"), "empty": Status("interrupted", "○", "Empty"),
    "confirmed": Status("unknown", "○", "Empty, as it should be"), "offline": Status("failed", "✕", "Away"),
    "unused": Status("unknown", "○", "Nothing was saved there yet"),
}


def _show_root(root: RootView, is_busy: bool) -> str:
    chosen = "true" if root.is_chosen else "false"
    toggle = do_button(
        root.name, {"do": "root", "name": root.name}, "sdpipe-chip", f"root-{root.name}", is_busy,
        f' aria-pressed="{chosen}" title="Whether findings in this folder are listed"',
    )
    folder = f' <code class="sdpipe-path">{e(root.folder)}</code>' if root.folder else ""
    confirm = ""
    if root.state == "empty":
        confirm = do_button(
            "Nothing is meant to be in it", {"do": "confirm", "name": root.name}, keep=f"confirm-{root.name}", is_off=is_busy,
            more=' title="Then its images are gone, and not only away"',
        )
    return f"<li>{toggle} {show_status(_ROOT_STATES[root.state])}{folder} {confirm}</li>"


def show_findings(
    codes: list[CodeView], open_code: str | None, pictures: dict[Slot, str | None], is_busy: bool, adoption: str = ""
) -> str:
    """The findings by code; of the one that is open, a page of them. `adoption` is HTML for those without a record."""
    if not codes:
        return '<p class="sdpipe-fits"><span aria-hidden="true">✓</span> <strong>Everything fits.</strong></p>'
    return "".join(
        _show_code(view, view.code == open_code, pictures, is_busy, adoption if view.code == "orphaned-image" else "") for view in codes
    )


def _show_code(view: CodeView, is_open: bool, pictures: dict[Slot, str | None], is_busy: bool, more: str) -> str:
    expanded = "true" if is_open else "false"
    head = (
        f'<button type="button" class="sdpipe-fold" aria-expanded="{expanded}" data-sdpipe-keep="open-{e(view.code)}" '
        f'{ask_attributes("repair", {"do": "open", "code": view.code})}>'
        f'<span class="sdpipe-fold-sign" aria-hidden="true">▸</span><span class="sdpipe-tally">{view.count:,}</span>'
        f'<span class="sdpipe-fold-title">{e(view.words.title)}</span>{show_status(view.level)}</button>'
    )
    left = f" {words.format_count(view.left_out, 'finding')} left out." if view.left_out else ""
    said = f'<p class="sdpipe-meaning">{e(view.words.meaning)} <code>{e(view.code)}</code></p>'
    chosen = OPERATION_WORDS[view.chosen].meaning if view.chosen is not None else ""
    body = f'<div class="sdpipe-code-head">{said}{_show_choices(view, is_busy)}</div>'
    body += f'<p class="sdpipe-chosen-meaning">{e(chosen)}{e(left)}</p>' if chosen or left else ""
    if not is_open and view.code == "orphaned-image":
        adopt = {"do": "open", "code": view.code}
        body += f'<div class="sdpipe-doings">{do_button("Choose a folder to adopt", adopt, keep=f"adopt-{view.code}")}</div>'
    if is_open:
        rows = "".join(_show_finding(row, view, pictures, is_busy) for row in view.rows)
        turn = {"do": "open", "code": view.code, "stay": True}
        pager = show_pager(turn, "page", view.page, view.findings, FINDINGS_PER_PAGE, f"page-{view.code}")
        body += f'{more}<ol class="sdpipe-findings" start="{view.page * FINDINGS_PER_PAGE + 1}">{rows}</ol>{pager}'
    return f'<section class="sdpipe-card sdpipe-code" aria-label="{e(view.words.title)}">{head}{body}</section>'


def _show_choices(view: CodeView, is_busy: bool) -> str:
    """What to do about all findings of a code; nothing is the first choice of those that change more than our own records."""
    if not view.allowed:
        return ""
    data = {"do": "choose", "code": view.code}
    choices: list[tuple[str, str, str | None]] = [
        (
            OPERATION_WORDS[operation].label + ("" if count == view.findings else f" ({count:,} of {view.findings:,})"),
            OPERATION_WORDS[operation].meaning, operation,
        )
        for operation, count in view.allowed.items()
    ]
    choices.append(("Leave as it is", "The plan does nothing about these.", None))
    buttons = "".join(
        do_button(
            label, {**data, "operation": operation}, "sdpipe-chip", f"choose-{view.code}-{operation}", is_busy,
            f' role="radio" aria-checked="{"true" if operation == view.chosen else "false"}" title="{e(meaning)}"',
        )
        for label, meaning, operation in choices
    )
    return f'<div class="sdpipe-options" role="radiogroup" aria-label="What to do about these">{buttons}</div>'


def _show_finding(row: FindingView, view: CodeView, pictures: dict[Slot, str | None], is_busy: bool) -> str:
    out = ' class="sdpipe-left-out"' if row.is_left_out else ""
    leave = ""
    if view.chosen is not None and view.chosen in row.operations:
        label = "Take in again" if row.is_left_out else "Leave this one out"
        leave = do_button(label, {"do": "leave", "key": row.key, "code": view.code}, keep=f"leave-{row.key}", is_off=is_busy)
    elif view.allowed and not row.operations and row.adopts is None:
        leave = show_hint("Nothing can be done about this one by itself: look at it yourself.")
    adopt = ""
    if row.adopts is not None:
        adopt = do_button("Show what adopting makes of these", {"do": "adopt", **row.adopts}, keep=f"adopt-{row.key}", is_off=is_busy)
    texts = ""
    if row.text is not None:
        texts = (
            f"<details><summary>The text, as recorded and as found</summary>{_show_pre('Recorded', row.text.recorded)}"
            f"{_show_pre('Found', row.text.found)}</details>"
        )
    return (
        f'<li{out}>{show_slots(row.slots, pictures)}<div class="sdpipe-finding">'
        f'<strong class="sdpipe-whereabouts" dir="auto">{e(row.title)}'
        f"</strong>{show_facts(row.facts) if row.facts else ''}{texts}{leave}{adopt}</div></li>"
    )


def _show_pre(name: str, text: str | None) -> str:
    if not text:
        return f'<h4>{e(name)}</h4><p class="sdpipe-quiet">No text.</p>'
    return f'<h4>{e(name)}</h4><pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="{e(name)}">{e(text)}</pre>'

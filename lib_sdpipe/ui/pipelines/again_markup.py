"""HTML of making something again: what is asked, what differs today, what is compared."""

from __future__ import annotations

from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, dots, e, show_box, show_hint, show_link, show_status
from lib_sdpipe.ui.pipelines.again_present import ALONE, BATCH, RUN, STAGE, AgainView, DifferenceView
from lib_sdpipe.ui.pipelines.fields import PROMPT, VARIED, Field
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace.page_address import build_thumbnail_address

_EXACT = Status("completed", "✓", "Exact")
_NEAR = Status("interrupted", "≈", "Near")
_EXACTNESS = {
    True: "The host is asked for just what it was asked for then.",
    False: "The host is asked for nearly the same: the picture may be another in small things.",
}


def show_again(view: AgainView) -> str:
    asked = view.asked
    held = {"run": asked.link.run_id, "name": asked.link.name}
    close = f'<button type="button" class="sdpipe-button" {ask_attributes("again", {"do": "close"})}>Close</button>'
    of = show_link(ImageLink(run_id=asked.link.run_id, name=asked.link.name), None)
    inside = (
        show_box("error", [view.refusal]) if view.refusal
        else f"{_show_plan(view)}{_show_differences(view)}{_show_compared(view)}{_show_doings(view, held)}"
    )
    return (
        '<section class="sdpipe-card sdpipe-again" aria-label="Make again" data-sdpipe-again>'
        f'<div class="sdpipe-queue-head"><h3 class="sdpipe-title">Make again</h3><span class="sdpipe-again-of">{of}</span>{close}</div>'
        f"{_show_choices(view, held)}{inside}{_show_variations(view, held)}</section>"
    )


def show_added(count: int) -> str:
    """Once it is in the queue."""
    told = f"In the queue: {words.format_count(count, 'image')} to be made again."
    return (
        f'<section class="sdpipe-card sdpipe-again" aria-label="Make again"><p class="sdpipe-fits" role="status"><span aria-hidden="true">✓'
        f'</span> <strong>{e(told)}</strong></p></section>'
    )


def _show_choices(view: AgainView, held: Json) -> str:
    asked = view.asked
    choices: list[tuple[str, str, Json]] = []
    if asked.link.name:
        choices += [
            ("This image, with its batch", "The whole batch is made again, and this image kept: only so it can come out the same.",
             {"what": BATCH}),
            ("This image alone (near)", "Quicker; made alone, an image of a batch differs by a little here and there.", {"what": ALONE}),
        ]
    if len(view.stages) > 1:
        choices += [(f"Stage {words.format_stage(stage)}", "All images of this stage of the run.", {"what": STAGE, "stage": stage})
                    for stage in view.stages]
    choices.append(("The whole run", "All images of the run.", {"what": RUN}))
    buttons = "".join(
        f'<button type="button" class="sdpipe-chip" role="radio" aria-checked="{str(_is_chosen(view, data)).lower()}" title="{e(hint)}" '
        f'{ask_attributes("again", {"do": "plan", **held, **data})} data-sdpipe-with-again data-sdpipe-keep="again-{e(label)}">'
        f"{e(label)}</button>" for label, hint, data in choices
    )
    return f'<div class="sdpipe-options" role="radiogroup" aria-label="What is made again">{buttons}</div>'


def _is_chosen(view: AgainView, data: Json) -> bool:
    return view.asked.what == data["what"] and (data["what"] != STAGE or view.asked.stage == data["stage"])


def _show_plan(view: AgainView) -> str:
    exactness = show_status(_EXACT if view.is_exact else _NEAR)
    notes = "".join(f"<li>{e(note)}</li>" for note in view.notes)
    return (
        f'<p class="sdpipe-summary">{exactness}<span class="sdpipe-dots">{dots(view.told)}</span></p>'
        f'<p class="sdpipe-hint">{_EXACTNESS[view.is_exact]}</p>{f"<ul class=sdpipe-reasons>{notes}</ul>" if notes else ""}'
    )


def _show_differences(view: AgainView) -> str:
    if view.differences is None:
        return show_hint("What differs today is told where a WebUI shows this page.")
    if not view.differences:
        return '<p class="sdpipe-fits"><span aria-hidden="true">✓</span> Nothing that is known to matter differs today.</p>'
    rows = "".join(_show_difference(one, number) for number, one in enumerate(view.differences))
    return f'<h4>What differs today, the likeliest cause of another picture first</h4><ul class="sdpipe-preflight">{rows}</ul>'


def _show_difference(one: DifferenceView, number: int) -> str:
    kind = "blocking" if one.is_blocking else "notable"
    sign = show_status(Status("failed", "✕", "Missing")) if one.is_blocking else ""
    back = ""
    if one.can_set_back:
        checked = " checked" if one.is_set_back else ""
        back = (
            f'<label class="sdpipe-set-back"><input type="checkbox" data-sdpipe-back="{e(one.field)}" data-sdpipe-keep="back-{number}"'
            f"{checked}> <span>Set back for this</span></label>"
        )
    return f'<li class="sdpipe-preflight-{kind}">{sign}<span dir="auto" title="{e(one.field)}">{e(one.sentence)}</span>{back}</li>'


def _show_compared(view: AgainView) -> str:
    if not view.compared:
        return ""
    run_id = view.asked.link.run_id or ""
    shown = "".join(
        f'<li><img src="{e(build_thumbnail_address(run_id, name))}" alt="{e(name)}" title="{e(name)}" loading="lazy"></li>'
        for name in view.compared
    )
    more = f'<li class="sdpipe-where">and {view.more:,} more</li>' if view.more else ""
    return f'<h4>Compared with</h4><ul class="sdpipe-source-list">{shown}{more}</ul>'


def _show_doings(view: AgainView, held: Json) -> str:
    data = {**held, "what": view.asked.what, "stage": view.asked.stage}
    blocked = any(one.is_blocking for one in view.differences or ())
    label = "Make again all the same" if blocked else "Make again"
    label = "Make with these changes" if view.asked.changes[0] else label
    buttons = [_do(label, {"do": "make", **data}, "sdpipe-button sdpipe-main-button")]
    notes = []
    if view.compared and view.missing:
        buttons.append(_do("Regenerate", {"do": "regenerate", **data}))
        notes.append(
            "Regenerate puts a missing file back where it was, under its own record, only if its pixels come out the same; else the new"
            " picture is kept as a run of its own."
        )
    if view.compared and view.size and not view.missing:
        buttons.append(_do("Release space", {"do": "release", **data}))
        notes.append(
            f"Release space makes them again and sets those aside that come out the same: up to {view.size}. They lie in the bin, and come"
            " back from there or by Regenerate."
        )
    told = "".join(f"<p>{e(note)}</p>" for note in notes)
    where = "" if view.has_conductor else show_hint("A WebUI with SDPipe that uses this runs folder makes it.")
    return f'<div class="sdpipe-actions">{"".join(buttons)}</div><div class="sdpipe-hint">{told}</div>{where}'


def _do(label: str, data: Json, kind: str = "sdpipe-button") -> str:
    return (
        f'<button type="button" class="{kind}" {ask_attributes("again", data)} data-sdpipe-with-again'
        f' data-sdpipe-keep="do-{e(data["do"])}">{e(label)}</button>'
    )


def _show_variations(view: AgainView, held: Json) -> str:
    """With changed fields it becomes another picture, so nothing is compared."""
    texts, faults = view.asked.texts, dict(view.faults)
    fields = "".join(
        _show_field(one, texts.get(one.name, ""), view.placeholders.get(one.name, ""), faults.get(one.name, "")) for one in VARIED
    )
    again = _do("Look at what that asks", {"do": "plan", **held, "what": view.asked.what, "stage": view.asked.stage})
    opened = " open" if any(texts.values()) else ""
    return (
        f'<details class="sdpipe-variations"{opened}><summary>With variations</summary>'
        f'{show_hint("What you fill in is changed, all else stays as it was. Then nothing is compared.")}'
        f'<div class="sdpipe-fields">{fields}</div><div class="sdpipe-actions">{again}</div></details>'
    )


def _show_field(one: Field, text: str, placeholder: str, fault: str) -> str:
    common = f'data-sdpipe-vary="{e(one.name)}" data-sdpipe-keep="vary-{e(one.name)}" placeholder="{e(placeholder)}"'
    told = f'<span class="sdpipe-field-fault" role="alert">{e(fault)}</span>'
    if one.kind == PROMPT:
        shown = f'<textarea rows="2" {common}>{e(text)}</textarea>'
        return f'<label class="sdpipe-field sdpipe-field-wide"><span>{e(one.label)}</span>{shown}{told}</label>'
    offered = f' list="sdpipe_offered_{e(one.offers)}"' if one.offers else ""
    return f'<label class="sdpipe-field"><span>{e(one.label)}</span><input type="text" value="{e(text)}"{offered} {common}>{told}</label>'

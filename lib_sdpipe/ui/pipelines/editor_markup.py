"""HTML of a chain that is being edited. Its fields are read by javascript/sdpipe_pipelines.js: the page is where a draft lives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, e, show_hint
from lib_sdpipe.ui.pipelines.draft import Draft, Fault, StageDraft
from lib_sdpipe.ui.pipelines.fields import CHOICE, LONGEST_FIELD, OTHER, PICTURE, PROMPT, SHOWN, Field
from lib_sdpipe.workspace.page_address import build_input_address, build_thumbnail_address

# Before the first look; javascript/sdpipe_pipelines.js asks for it.
PENDING = "<div data-sdpipe-pending></div>"
_MOST_SOURCES = 12
# What an empty field means where no value is known: what a stage cannot do without, and what is off.
_EMPTY = {"upscaler_1": "to be chosen", "ad_model": "to be chosen"}
_UNSAID = "none"
_STAGES = ("txt2img", "img2img", "inpaint", "adetailer", "upscale")
_MEANINGS = {
    "txt2img": "from the prompt alone", "img2img": "the whole image anew", "inpaint": "what a mask marks", "adetailer": "faces and hands",
    "upscale": "more pixels",
}


@dataclass(frozen=True)
class EditorView:
    """`placeholders`, one for each stage: what its empty fields stand for. `pack` is HTML; `text` is the chain as JSON."""

    draft: Draft
    placeholders: list[dict[str, str]] = field(default_factory=list)
    offers: dict[str, list[str]] = field(default_factory=dict)
    recipes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pack: str = ""
    text: str = ""


@dataclass(frozen=True)
class StatusView:
    """What a chain would do: images in all and by stage, and what is wrong with it. `done` is a sentence on what was just done."""

    planned: int | None = None
    stages: list[tuple[str, int]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: str = ""
    done: str = ""


def show_editor(view: EditorView) -> str:
    draft = view.draft
    stages = "".join(
        _show_stage(each, number, len(draft.stages), view.placeholders[number] if number < len(view.placeholders) else {})
        for number, each in enumerate(draft.stages)
    )
    lists = "".join(
        f'<datalist id="sdpipe_offered_{e(name)}">{"".join(f"<option>{e(value)}</option>" for value in values)}</datalist>'
        for name, values in view.offers.items()
    )
    notes = "".join(f"<p>{e(note)}</p>" for note in view.notes)
    told = f'<div class="sdpipe-box sdpipe-box-notice">{notes}</div>' if notes else ""
    recipe = e(json.dumps(list(draft.recipe))) if draft.recipe else ""
    return (
        f'<section class="sdpipe-card sdpipe-editor" aria-label="Go on" data-sdpipe-editor data-sdpipe-recipe="{recipe}">{lists}'
        f"{_show_sources(draft.sources)}{_show_recipes(view)}{told}"
        f'<ol class="sdpipe-stages" aria-label="Stages">{stages}</ol>{_show_adding(draft)}{view.pack}{_show_text(view.text)}</section>'
    )


def do_button(label: str, data: Json, keep: str = "", more: str = "", kind: str = "sdpipe-button", send_picked: bool = False) -> str:
    """A button that asks with the chain as it is on the page."""
    asks = ask_attributes("chain", data, send_picked=send_picked)
    kept = f' data-sdpipe-keep="{e(keep)}"' if keep else ""
    return f'<button type="button" class="{e(kind)}" {asks} data-sdpipe-with-draft{kept}{more}>{e(label)}</button>'


def _show_sources(sources: Sequence[ImageLink]) -> str:
    held = e(json.dumps([{"run": link.run_id, "name": link.name} for link in sources]))
    shown = "".join(
        f'<li><img src="{e(build_thumbnail_address(link.run_id or "", link.name or ""))}" alt="{e(link.name)}" '
        f'title="{e(link.name)}" loading="lazy"></li>' for link in sources[:_MOST_SOURCES]
    )
    more = f'<li class="sdpipe-where">and {len(sources) - _MOST_SOURCES:,} more</li>' if len(sources) > _MOST_SOURCES else ""
    told = f'<span class="sdpipe-where">{e(words.format_count(len(sources), "image"))}</span>' if sources else ""
    none = "" if sources else show_hint("No image: the chain begins with txt2img. Or take the images that you have picked in Browse.")
    without = do_button("Without images", {"do": "clear"}, "clear-sources") if sources else ""
    return (
        f'<div class="sdpipe-queue-head" data-sdpipe-sources="{held}"><h3 class="sdpipe-title">Go on from</h3>{told}'
        f'{do_button("Take the picked images", {"do": "take"}, "take", send_picked=True)}{without}</div>'
        f'{f"<ul class=sdpipe-source-list>{shown}{more}</ul>" if sources else none}'
    )


def _show_recipes(view: EditorView) -> str:
    loaded = view.draft.recipe[0] if view.draft.recipe else ""
    options = "".join(f'<option{" selected" if name == loaded else ""}>{e(name)}</option>' for name in view.recipes)
    choose = (
        f'<select data-sdpipe-recipe-name aria-label="Recipe" data-sdpipe-keep="recipe"><option value="">Choose a recipe</option>{options}'
        f'</select>{do_button("Load", {"do": "recipe-load"}, "recipe-load")}'
        f'{do_button("Delete", {"do": "recipe-delete"}, "recipe-delete")}'
    ) if view.recipes else '<span class="sdpipe-where">No recipe is kept yet.</span>'
    return (
        f'<div class="sdpipe-recipes" role="group" aria-label="Recipes">{choose}<span class="sdpipe-recipe-save">'
        f'<input type="text" maxlength="100" value="{e(loaded)}" placeholder="Keep these stages as …" aria-label="Name of the recipe" '
        f'data-sdpipe-recipe-as data-sdpipe-keep="recipe-as">{do_button("Keep", {"do": "recipe-save"}, "recipe-save")}</span></div>'
    )


def _show_adding(draft: Draft) -> str:
    buttons = "".join(
        do_button(
            words.format_stage(stage), {"do": "add-stage", "stage": stage}, f"add-{stage}", f' title="{e(_MEANINGS[stage])}"',
            "sdpipe-chip",
        ) for stage in _STAGES if stage != "txt2img" or not draft.stages
    )
    first = "Begin with" if not draft.stages else "Then"
    return f'<div class="sdpipe-options sdpipe-adding" role="group" aria-label="Add a stage"><span>{first}</span>{buttons}</div>'


def _show_stage(each: StageDraft, number: int, count: int, placeholders: dict[str, str]) -> str:
    shown = "".join(_show_field(one, each, number, placeholders.get(one.name, "")) for one in SHOWN[each.stage])
    other = (
        f'<details class="sdpipe-other"{" open" if each.other else ""}><summary>Other settings (JSON)</summary>'
        f'<textarea rows="4" spellcheck="false" data-sdpipe-field="{OTHER}" data-sdpipe-keep="field-{number}-{OTHER}" '
        f'aria-label="Other settings (JSON)">{e(each.other)}</textarea>{_fault_slot(OTHER)}</details>'
    )
    up = _stage_button("↑", "Earlier", {"do": "move-stage", "stage": number, "places": -1}, f"stage-up-{number}", number == 0)
    down = _stage_button("↓", "Later", {"do": "move-stage", "stage": number, "places": 1}, f"stage-down-{number}", number == count - 1)
    remove = do_button("Remove", {"do": "remove-stage", "stage": number}, f"stage-remove-{number}")
    name = words.format_stage(each.stage)
    return (
        f'<li class="sdpipe-stage" data-sdpipe-stage="{e(each.stage)}"><fieldset><legend><span class="sdpipe-letter">{number + 1}</span> '
        f'<strong>{e(name)}</strong> <span class="sdpipe-where">{e(_MEANINGS[each.stage])}</span></legend>'
        f'<div class="sdpipe-stage-buttons">{up}{down}{remove}</div><div class="sdpipe-fields">{shown}</div>{other}{_fault_slot("")}'
        f"</fieldset></li>"
    )


def _stage_button(sign: str, name: str, data: Json, keep: str, is_off: bool) -> str:
    return do_button(sign, data, keep, f' aria-label="{e(name)}" title="{e(name)}"{" disabled" if is_off else ""}')


def _show_field(one: Field, each: StageDraft, number: int, placeholder: str) -> str:
    text = each.texts.get(one.name, "")
    common = f'data-sdpipe-field="{e(one.name)}" data-sdpipe-keep="field-{number}-{e(one.name)}"'
    stands = e(placeholder or _EMPTY.get(one.name, _UNSAID if each.stage == "upscale" else "as before"))
    hint = f' title="{e(one.hint)}"' if one.hint else ""
    kind = "sdpipe-field sdpipe-field-wide" if one.kind in (PROMPT, PICTURE) else "sdpipe-field"
    if one.kind == PICTURE:
        return f'<div class="{kind}"><span>{e(one.label)}</span>{_show_mask(text, common, number, one.hint)}{_fault_slot(one.name)}</div>'
    if one.kind == PROMPT:
        shown = f'<textarea rows="2" maxlength="{LONGEST_FIELD}" placeholder="{stands}" {common}{hint}>{e(text)}</textarea>'
    elif one.kind == CHOICE:
        options = "".join(
            f'<option value="{e(value)}"{" selected" if value == text else ""}>{e(label)}</option>' for value, label in one.choices
        )
        shown = f'<select {common}{hint}><option value="">as before</option>{options}</select>'
    else:
        offered = f' list="sdpipe_offered_{e(one.offers)}"' if one.offers else ""
        mode = ' inputmode="decimal"' if not one.offers else ""
        shown = f'<input type="text" value="{e(text)}" placeholder="{stands}" autocomplete="off"{offered}{mode} {common}{hint}>'
    return f'<label class="{kind}"><span>{e(one.label)}</span>{shown}{_fault_slot(one.name)}</label>'


def _show_mask(digest: str, common: str, number: int, hint: str) -> str:
    """A picture is chosen by the page's script, which hands it to a field of gradio's; here stands its digest."""
    picture = f'<img src="{e(build_input_address(digest, is_small=True))}" alt="Mask">' if digest else ""
    return (
        f'<span class="sdpipe-mask">{picture}<input type="hidden" value="{e(digest)}" {common}>'
        f'<input type="file" accept="image/*" aria-label="Choose a mask" data-sdpipe-mask-file="{number}">'
        f'<span class="sdpipe-where">{e(hint)}</span></span>'
    )


def _fault_slot(name: str) -> str:
    return f'<span class="sdpipe-field-fault" data-sdpipe-fault="{e(name)}" role="alert"></span>'


def _show_text(text: str) -> str:
    return (
        '<details class="sdpipe-chain-text"><summary>As a file</summary>'
        '<textarea rows="8" spellcheck="false" data-sdpipe-chain-text data-sdpipe-keep="chain-text" aria-label="The stages as JSON">'
        f'{e(text)}</textarea><div class="sdpipe-actions">{do_button("Take over this text", {"do": "recipe-text"}, "recipe-text")}'
        '<button type="button" class="sdpipe-button" data-sdpipe-save-text>Download</button>'
        '<label class="sdpipe-file-choice">Open a recipe <input type="file" accept=".json,application/json" data-sdpipe-text-file="recipe">'
        "</label></div></details>"
    )


def show_adding() -> str:
    """What stands below the stages, and stays while they are written anew."""
    button = do_button("Add to the queue", {"do": "queue"}, "add-to-queue", kind="sdpipe-button sdpipe-main-button")
    return (
        '<div class="sdpipe-add"><label class="sdpipe-field"><span>Label of the run</span><input type="text" maxlength="100"'
        f' placeholder="the stages" data-sdpipe-label></label>{button}</div>'
    )


def show_status(view: StatusView) -> str:
    """How many images the chain makes, or what is wrong with it; the page's script puts faults beside their fields."""
    held = e(json.dumps([{"stage": one.stage, "field": one.field, "sentence": one.sentence} for one in view.faults]))
    whole = "".join(f"<li>{e(one.sentence)}</li>" for one in view.faults if one.stage is None)
    placed = sum(1 for one in view.faults if one.stage is not None)
    parts = []
    if view.done:
        parts.append(f'<p class="sdpipe-fits"><span aria-hidden="true">✓</span> <strong>{e(view.done)}</strong></p>')
    if view.planned is not None and not view.faults:
        told = ", ".join(f"{count:,} by {words.format_stage(stage)}" for stage, count in view.stages) if len(view.stages) > 1 else ""
        left = f'<span class="sdpipe-dot">about {e(view.left)}</span>' if view.left else ""
        parts.append(
            f'<p><strong>{e(words.format_count(view.planned, "image"))}</strong> <span class="sdpipe-dots">'
            f'<span class="sdpipe-dot">{e(told)}</span>{left}</span></p>'
        )
    if placed:
        parts.append(f'<p class="sdpipe-job-error">{e(words.format_count(placed, "field"))} to be mended above.</p>')
    if whole:
        parts.append(f'<ul class="sdpipe-reasons">{whole}</ul>')
    return f'<div class="sdpipe-plan-status" role="status" data-sdpipe-faults="{held}">{"".join(parts)}</div>'

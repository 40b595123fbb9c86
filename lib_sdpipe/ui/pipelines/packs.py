"""Prompts from a pack, as part of a chain that is being edited: read from the page, previewed, made items of. No gradio."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.packs.expansion import Choices, expand, preview
from lib_sdpipe.pipeline.packs.pack import RANDOM, SEQUENTIAL
from lib_sdpipe.pipeline.packs.preset import PresetStages
from lib_sdpipe.pipeline.packs.preset import build_stages as build_preset_stages
from lib_sdpipe.pipeline.packs.reading import PACK_SUFFIXES, parse_pack
from lib_sdpipe.pipeline.records import Item
from lib_sdpipe.ui.html_text import e, show_box
from lib_sdpipe.ui.pipelines.editor_markup import do_button
from lib_sdpipe.ui.words import format_count

# Characters of one file of a pack on the page; larger ones are read from their folder. A page sends no more than this at once.
LONGEST_TEXT = 300_000
_SHOWN = 6
_LONGEST_SHOWN = 300


@dataclass(frozen=True)
class PackDraft:
    """A pack on the page: its texts by suffix, the digests of its files as they were read, and how it is expanded."""

    name: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    limit: str = ""
    seed: str = ""
    is_used: bool = True


def read_pack_draft(value: Any) -> PackDraft | None:
    """What the page sends; None where no pack is open on it."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"].strip():
        return None

    def texts(name: str) -> dict[str, str]:
        found = value.get(name)
        return {suffix: found[suffix] for suffix in PACK_SUFFIXES if isinstance(found.get(suffix), str)} if isinstance(found, dict) else {}

    def text(name: str) -> str:
        found = value.get(name)
        return found[:40] if isinstance(found, str) else ""

    mode = text("mode")
    return PackDraft(
        value["name"].strip()[:200], texts("texts"), texts("digests"), mode if mode in (SEQUENTIAL, RANDOM) else "", text("limit"),
        text("seed"), value.get("used") is not False,
    )


def read_choices(draft: PackDraft) -> tuple[Choices, str]:
    """How it is expanded, and a sentence for what is no number."""
    numbers: dict[str, int | None] = {}
    for name, text in (("limit", draft.limit.strip()), ("seed", draft.seed.strip())):
        if text and not text.isascii() or text and not text.isdigit():
            return Choices(), f"The {name} of a pack is a whole number from 0."
        numbers[name] = int(text) if text else None
    return Choices(mode=draft.mode or None, limit=numbers["limit"], seed=numbers["seed"] or 0), ""


def describe_choices(draft: PackDraft) -> Json:
    """How the pack is expanded, as a job keeps it."""
    choices, _ = read_choices(draft)
    digests = {suffix: hashlib.sha256(data).hexdigest() for suffix, data in _encode(draft).items()}
    return {"name": draft.name, "digests": digests, "mode": choices.mode, "limit": choices.limit, "seed": choices.seed, "rows": None}


def build_items(draft: PackDraft) -> list[Item]:
    """Raises SdPipeError with a sentence where it cannot be expanded."""
    choices, fault = read_choices(draft)
    if fault:
        raise SdPipeError(fault)
    return list(expand(parse_pack(draft.name, _encode(draft)), choices))


def find_stages(draft: PackDraft) -> PresetStages:
    """What the settings beside the pack make; nothing where there are none, or the pack cannot be read."""
    try:
        return build_preset_stages(parse_pack(draft.name, _encode(draft)).preset)
    except SdPipeError:
        return PresetStages()


def _encode(draft: PackDraft) -> dict[str, bytes]:
    return {suffix: text.encode("utf-8", "surrogatepass") for suffix, text in draft.texts.items()}


def describe_pack(draft: PackDraft) -> tuple[str, list[str]]:
    """HTML of the first prompts with their count, and warnings."""
    choices, fault = read_choices(draft)
    if fault:
        return "", [fault]
    try:
        found = preview(parse_pack(draft.name, _encode(draft)), choices, _SHOWN)
    except SdPipeError as fault_of_pack:
        return "", [str(fault_of_pack)]
    rows = "".join(
        f'<li dir="auto">{e(_cut(str(item.settings.get("prompt", ""))))}{_show_values(item)}</li>' for item in found.items
    )
    count = f"<p><strong>{e(format_count(found.count, 'prompt'))}</strong></p>" if found.count < 10**15 else ""
    more = f'<p class="sdpipe-where">and {found.count - len(found.items):,} more</p>' if len(found.items) < found.count < 10**15 else ""
    warnings = [*([found.refusal] if found.refusal else []), *found.warnings]
    return f'{count}<ol class="sdpipe-prompts">{rows}</ol>{more}', warnings


def show_packs(names: list[str], draft: PackDraft | None) -> str:
    """The panel: a pack to choose, or to write; what it makes."""
    options = "".join(f'<option{" selected" if draft and name == draft.name else ""}>{e(name)}</option>' for name in names)
    choose = (
        '<select data-sdpipe-pack-name aria-label="Prompt pack" data-sdpipe-keep="pack"><option value="">Choose a prompt pack</option>'
        f'{options}</select>{do_button("Open", {"do": "pack-open"}, "pack-open")}'
    ) if names else ""
    new = (
        f'{do_button("Write a new one", {"do": "pack-new"}, "pack-new")}<label class="sdpipe-file-choice">Open a file '
        '<input type="file" accept=".txt,.tsv,.json" data-sdpipe-text-file="pack"></label>'
    )
    inside = _show_open(draft) if draft is not None else ""
    is_open = " open" if draft is not None else ""
    return (
        f'<details class="sdpipe-pack"{is_open}><summary>Prompts from a pack</summary>'
        f'<div class="sdpipe-actions">{choose}{new}</div>{inside}</details>'
    )


def _show_open(draft: PackDraft) -> str:
    texts = "".join(
        f'<label class="sdpipe-field sdpipe-field-wide"><span translate="no">{e(draft.name + suffix)}</span><textarea rows="8" '
        f'spellcheck="false" data-sdpipe-pack-text="{e(suffix)}" data-sdpipe-digest="{e(draft.digests.get(suffix, ""))}" '
        f'data-sdpipe-keep="pack-text-{e(suffix)}">{e(text)}</textarea></label>' for suffix, text in draft.texts.items()
    )
    modes = "".join(
        f'<option value="{value}"{" selected" if value == draft.mode else ""}>{e(label)}</option>'
        for value, label in (("", "as the pack has it"), (SEQUENTIAL, "in order"), (RANDOM, "drawn by a seed"))
    )
    first, warnings = describe_pack(draft)
    stages = do_button("Its settings as stages", {"do": "pack-stages"}, "pack-stages") if find_stages(draft).stages else ""
    checked = " checked" if draft.is_used else ""
    return (
        f'<div class="sdpipe-pack-open" data-sdpipe-pack="{e(draft.name)}"><label class="sdpipe-field"><span>Name</span><input type="text" '
        f'maxlength="100" value="{e(draft.name)}" data-sdpipe-pack-as data-sdpipe-keep="pack-as"></label>{texts}<div class="sdpipe-fields">'
        f'<label class="sdpipe-field"><span>Combinations</span><select data-sdpipe-pack-set="mode">{modes}</select></label>'
        f'{_show_number("Most of one row", "limit", draft.limit, "all")}{_show_number("Seed of the draw", "seed", draft.seed, "0")}</div>'
        f'<div class="sdpipe-actions"><label class="sdpipe-pack-use"><input type="checkbox" data-sdpipe-pack-used{checked}> '
        f'<span>Use these prompts</span></label>{do_button("Preview", {"do": "pack-preview"}, "pack-preview")}'
        f'{do_button("Keep the pack", {"do": "pack-save"}, "pack-save")}{stages}{do_button("Delete", {"do": "pack-delete"}, "pack-delete")}'
        f'{do_button("Close", {"do": "pack-close"}, "pack-close")}</div>{show_box("warning", warnings)}{first}</div>'
    )


def _show_number(label: str, name: str, value: str, placeholder: str) -> str:
    return (
        f'<label class="sdpipe-field"><span>{e(label)}</span><input type="text" inputmode="numeric" value="{e(value)}" '
        f'placeholder="{e(placeholder)}" data-sdpipe-pack-set="{e(name)}"></label>'
    )


def _show_values(item: Item) -> str:
    values = (item.variant or {}).get("values")
    shown = ", ".join(f"{name}: {value}" for name, value in values.items()) if isinstance(values, dict) else ""
    return f' <span class="sdpipe-where" translate="no">{e(_cut(shown))}</span>' if shown else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"

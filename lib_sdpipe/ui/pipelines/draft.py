"""A chain as it is being edited: texts of fields, which may be anything, and the stages they mean. No gradio and no HTML here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.pipeline.build import build_request
from lib_sdpipe.pipeline.recipes import MOST_STAGES, check_stages
from lib_sdpipe.pipeline.records import STAGES, Item, Stage
from lib_sdpipe.pipeline.stage_fields import check_setting
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import MOST_PICKED, read_link
from lib_sdpipe.ui.pipelines.fields import (
    CHECKPOINT, CHOICE, LONGEST_FIELD, LONGEST_OTHER, MASK, NUMBER, OTHER, PICTURE, PROMPT, SHOWN, TEXT, WHOLE, Field, is_shown_as,
)

_OF_STAGE = re.compile(r"stage (\d+): (.*)", re.S)
_NEEDS = re.compile(r"(inpaint|adetailer|upscale) needs")
_NEEDED = {"inpaint": MASK, "adetailer": "ad_model", "upscale": "upscaler_1"}
# Settings that stage after stage takes over from the one before.
_HANDED_ON = ("prompt", "negative_prompt", "steps", "cfg_scale", "sampler_name", "scheduler", "seed")
_CHECKPOINT_OPTION = "sd_model_checkpoint"
_MOST_ENTRIES = 400


@dataclass(frozen=True)
class StageDraft:
    """`texts` by the names of the stage's fields; `other` is JSON of all other settings. A mask's text is its digest."""

    stage: str
    texts: dict[str, str] = field(default_factory=dict)
    other: str = ""


@dataclass(frozen=True)
class Fault:
    """`stage` from 0, None for the chain as a whole; `field` is empty for the stage as a whole."""

    stage: int | None
    field: str
    sentence: str


@dataclass(frozen=True)
class Draft:
    """What is run on what. `label` becomes the run's; `recipe` is the one that was loaded, with its digest."""

    sources: tuple[ImageLink, ...] = ()
    stages: tuple[StageDraft, ...] = ()
    label: str = ""
    recipe: tuple[str, str] | None = None


def read_draft(value: Any) -> Draft:
    """What the page sends; what has another form than ours is left out."""
    data = value if isinstance(value, dict) else {}
    sources, stages, recipe = data.get("sources"), data.get("stages"), data.get("recipe")
    links = [read_link(each) for each in sources[:MOST_PICKED]] if isinstance(sources, list) else []
    known = recipe if isinstance(recipe, list) and len(recipe) == 2 and all(isinstance(each, str) for each in recipe) else None
    return Draft(
        tuple({(link.run_id, link.name): link for link in links if link is not None and link.name}.values()),
        tuple(_read_stage(each) for each in (stages[:MOST_STAGES] if isinstance(stages, list) else ()) if isinstance(each, dict)),
        _text(data.get("label"))[:200], (known[0], known[1]) if known else None,
    )


def _read_stage(data: Json) -> StageDraft:
    stage, texts = data.get("stage"), data.get("texts")
    found = {
        str(name)[:100]: text[: LONGEST_FIELD + 1] for name, text in list(texts.items())[:_MOST_ENTRIES] if isinstance(text, str)
    } if isinstance(texts, dict) else {}
    return StageDraft(stage if stage in STAGES else "img2img", found, _text(data.get("other"))[: LONGEST_OTHER + 1])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- from texts to stages ---


def build_stages(draft: Draft) -> tuple[list[Stage], list[Fault]]:
    """The stages that can be built of the texts, and all that is wrong with them."""
    stages, faults = [], []
    for number, each in enumerate(draft.stages):
        stage, found = _build_stage(each, number)
        stages.append(stage)
        faults += found
    told = {(fault.stage, fault.sentence) for fault in faults}
    for sentence in check_stages(stages):
        fault = _place(sentence, stages)
        if (fault.stage, fault.sentence) not in told and not _is_about(fault, faults):
            faults.append(fault)
    return stages, faults


def read_fields(fields: Sequence[Field], texts: dict[str, str]) -> tuple[Json, list[tuple[str, str]]]:
    """The values of texts that are not empty, and for each that is no such value its field and a sentence."""
    values: Json = {}
    faults = []
    for each in fields:
        text = texts.get(each.name, "").strip()
        if not text:
            continue
        value = _read_value(each, text)
        if value is None:
            wanted = {WHOLE: "a whole number", NUMBER: "a number", CHOICE: "one of the choices", PICTURE: "a picture"}[each.kind]
            faults.append((each.name, f"{each.label} must be {wanted}."))
        else:
            values[each.name] = value
    return values, faults


def _build_stage(each: StageDraft, number: int) -> tuple[Stage, list[Fault]]:
    values, wrong = read_fields(SHOWN[each.stage], each.texts)
    faults = [Fault(number, name, sentence) for name, sentence in wrong]
    settings, fault = _read_other(each.other)
    if fault:
        faults.append(Fault(number, OTHER, fault))
    details = {name: values.pop(name) for name in list(values) if name.startswith("ad_")}
    checkpoint = values.pop(CHECKPOINT, None)
    settings.update(values)
    if checkpoint is not None:
        before = settings.get("override_settings")
        settings["override_settings"] = {**(before if isinstance(before, dict) else {}), _CHECKPOINT_OPTION: checkpoint}
    if details:
        tabs = settings.get("adetailer")
        tabs = tabs if isinstance(tabs, list) else []
        first = tabs[0] if tabs and isinstance(tabs[0], dict) else {}
        settings["adetailer"] = [{**first, **details}, *tabs[1:]]
    for name, value in settings.items():
        sentence = check_setting(each.stage, name, value)
        if sentence:
            faults.append(Fault(number, name if name in each.texts else OTHER, sentence))
    return Stage(stage=each.stage, settings=settings), faults


def _read_value(each: Field, text: str) -> Any:
    if each.kind in (TEXT, PROMPT):
        return text
    if each.kind == PICTURE:
        return {"$input": text} if re.fullmatch(r"[0-9a-f]{64}", text) else None
    if each.kind == CHOICE and text not in dict(each.choices):
        return None
    try:
        return float(text.replace(",", ".")) if each.kind == NUMBER else int(text)
    except ValueError:
        return None


def _read_other(text: str) -> tuple[Json, str]:
    if not text.strip():
        return {}, ""
    if len(text) > LONGEST_OTHER:
        return {}, f"These are more than {LONGEST_OTHER:,} characters."
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}, "This is no JSON: write an object of names and values."
    return (found, "") if isinstance(found, dict) else ({}, "This must be an object of names and values.")


def _place(sentence: str, stages: Sequence[Stage]) -> Fault:
    """A sentence of `check_stages` with its place: `stage 2: width must be …`."""
    match = _OF_STAGE.fullmatch(sentence)
    if match is None or not 0 < int(match[1]) <= len(stages):
        return Fault(None, "", sentence)
    number, rest = int(match[1]) - 1, match[2]
    needs = _NEEDS.match(rest)
    return Fault(number, _NEEDED[needs[1]] if needs is not None else "", rest)


def _is_about(fault: Fault, faults: Sequence[Fault]) -> bool:
    """Whether that field has a fault already: one text, one sentence."""
    return bool(fault.field) and any(other.stage == fault.stage and other.field == fault.field for other in faults)


# --- from stages to texts ---


def draft_stage(stage: Stage) -> StageDraft:
    """A stage of a recipe or a run in the fields of the page; what has no field stands as JSON."""
    name = stage.stage if stage.stage in STAGES else "img2img"
    rest, texts = dict(stage.settings), {}
    tabs = rest.get("adetailer")
    if isinstance(tabs, list) and tabs and isinstance(tabs[0], dict):
        shown, left = _take(name, dict(tabs[0]))
        texts.update(shown)
        rest["adetailer"] = [left, *tabs[1:]] if left or tabs[1:] else []
        if not rest["adetailer"]:
            del rest["adetailer"]
    options = rest.get("override_settings")
    if isinstance(options, dict) and isinstance(options.get(_CHECKPOINT_OPTION), str):
        texts[CHECKPOINT] = options[_CHECKPOINT_OPTION]
        rest["override_settings"] = {key: value for key, value in options.items() if key != _CHECKPOINT_OPTION}
        if not rest["override_settings"]:
            del rest["override_settings"]
    shown, rest = _take(name, rest)
    return StageDraft(name, {**texts, **shown}, json.dumps(rest, ensure_ascii=False, indent=1) if rest else "")


def _take(stage: str, settings: Json) -> tuple[dict[str, str], Json]:
    texts = {}
    for each in SHOWN[stage]:
        value = settings.get(each.name)
        if value is None or not (each.name.startswith("ad_") or is_shown_as(each, stage, value)):
            continue
        if each.kind == PICTURE and not isinstance(value.get("$input"), str):
            continue
        texts[each.name] = value["$input"] if each.kind == PICTURE else words.format_value(value) if each.kind == NUMBER else str(value)
        del settings[each.name]
    return texts, settings


# --- what an empty field means ---


# Of a first stage without an image there is no "as before".
_FROM_NOTHING = {
    "prompt": "to be written, or of a pack", "negative_prompt": "of the pack, or none", "seed": "a random one",
    "sampler_name": "the WebUI's", "scheduler": "the WebUI's", CHECKPOINT: "the loaded one",
}


def list_placeholders(draft: Draft, source: Manifest | None) -> list[dict[str, str]]:
    """For each stage what its empty fields stand for: values of the first image and of the stages before."""
    handed: Json = {}
    found = []
    for number, each in enumerate(draft.stages):
        values = {**_base_of(each.stage, source), **handed}
        if number > 0:
            values.pop("width", None)
            values.pop("height", None)
        elif source is None and each.stage == "txt2img":
            values = {**_FROM_NOTHING, **{name: value for name, value in values.items() if value not in (None, "", -1)}}
        found.append({name: words.format_value(value) for name, value in values.items() if value not in (None, "", [])})
        handed = {**handed, **{name: each.texts[name] for name in _HANDED_ON if each.texts.get(name, "").strip()}}
    return found


def _base_of(stage: str, source: Manifest | None) -> Json:
    if stage == "upscale":
        return {"upscaling_resize": 2.0}
    if stage == "adetailer":
        base = _base_of("img2img", source)
        return {**base, "ad_confidence": 0.3, "ad_denoising_strength": 0.4}
    if source is None and stage != "txt2img":
        return {"denoising_strength": 0.75, "batch_size": 1, "n_iter": 1}
    try:
        config = build_request(Stage(stage="img2img" if stage == "inpaint" else stage), Item(), source).config
    except RefusedError:  # no prompt is recorded of it
        config = build_request(Stage(stage=stage if stage == "txt2img" else "img2img", settings={"prompt": ""}), Item(), source).config
    if source is not None and stage != "txt2img":
        config = {**config, CHECKPOINT: source.model}
    names = {each.name for each in SHOWN[stage]}
    masked = {"mask_blur": 4, "inpaint_full_res_padding": 32} if stage == "inpaint" else {}
    return {**masked, **{name: value for name, value in config.items() if name in names and name != MASK}}

"""Recipes: named chains as JSON that a person edits. Every fault of one is told with its place. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from lib_sdpipe.errors import NewerSchemaError, RecordError
from lib_sdpipe.manifest.codec import format_json, parse_json_object, version_of
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.records import RECIPE_SCHEMA, STAGES, Item, Recipe, Stage
from lib_sdpipe.pipeline.stage_fields import LONGEST_PROMPT, check_setting, show_name, show_value
from lib_sdpipe.pydantic_v1 import ValidationError

# Bytes of a file.
LARGEST_RECIPE = 1 << 20
MOST_STAGES = 20
LONGEST_DESCRIPTION = 10_000
_MOST_SETTINGS = 200
_MOST_FAULTS = 10
# Of an upscaler or a detector. "None" is the hosts' own.
_NO_NAME = (None, "", "None")


def parse_recipe(data: bytes, what: str) -> Recipe:
    """A recipe as its file has it; fields that this version does not know are kept, and faults in settings left to `check_recipe`.

    A file without `schema` is taken for one of this version: a person may have written it. Raises RecordError, NewerSchemaError.
    """
    if len(data) > LARGEST_RECIPE:
        raise RecordError(f"{what}: larger than {LARGEST_RECIPE >> 20} MB, which no recipe is")
    document = parse_json_object(data.removeprefix(codecs.BOM_UTF8), what)
    schema = document.get("schema", RECIPE_SCHEMA)
    if version_of(schema, RECIPE_SCHEMA) > version_of(RECIPE_SCHEMA, RECIPE_SCHEMA):
        raise NewerSchemaError(f"{what}: schema is {schema!r}, of a later version of SDPipe; this one reads {RECIPE_SCHEMA!r}")
    if schema != RECIPE_SCHEMA:
        raise RecordError(f"{what}: schema is {show_value(schema)}, not {RECIPE_SCHEMA!r}: this is no recipe")
    return read_recipe(document, what)


def read_recipe(document: Json, what: str) -> Recipe:
    """The same of a document. Raises RecordError, naming each part that has another form than a recipe has."""
    faults = list(_check_form(document))
    if faults:
        raise RecordError(f"{what}: {'; '.join(faults)}")
    try:
        return Recipe.parse_obj({**document, "schema": RECIPE_SCHEMA})
    except (ValidationError, OverflowError) as fault:
        raise RecordError(f"{what}: {fault}") from fault


def format_recipe(recipe: Recipe) -> bytes:
    """The recipe as its file has it: keys in schema order, unknown ones last; name and description only where there are any."""
    document = recipe.to_json()
    return format_json({key: value for key, value in document.items() if value is not None or key not in ("name", "description")})


def check_recipe(recipe: Recipe) -> list[str]:
    """Sentences for all that keeps the recipe from being run; none for one that is in order."""
    return check_stages(recipe.stages)


def check_stages(stages: Sequence[Stage]) -> list[str]:
    """The same of stages alone, by their numbers from 1."""
    if not stages:
        return ["a chain needs at least one stage"]
    if len(stages) > MOST_STAGES:
        return [f"a chain has at most {MOST_STAGES} stages, not {len(stages)}"]
    return [f"stage {number}: {fault}" for number, stage in enumerate(stages, 1) for fault in _check_stage(stage, number)]


def check_items(items: Iterable[Item], first: Stage) -> list[str]:
    """Sentences on settings of items that the first stage does not take, by the items' numbers from 1; the first few of them."""
    found = (
        f"item {number}: {fault}" for number, item in enumerate(items, 1) for name, value in item.settings.items()
        if first.stage in STAGES and (fault := check_setting(first.stage, name, value))
    )
    return list(islice(found, _MOST_FAULTS))


def _check_form(document: Json) -> Iterator[str]:
    for field, most in (("name", 200), ("description", LONGEST_DESCRIPTION)):
        value = document.get(field)
        if value is not None and not (isinstance(value, str) and len(value) <= most):
            yield f"{field} must be a text of at most {most:,} characters, not {show_value(value)}"
    stages = document.get("stages")
    if not isinstance(stages, list):
        yield "stages must be a list, one object a stage" if "stages" in document else "it has no list of stages"
        return
    for number, stage in enumerate(stages[:MOST_STAGES], 1):
        if not isinstance(stage, dict):
            yield f'stage {number}: must be an object with "stage" and "settings", not {show_value(stage)}'
            continue
        if not isinstance(stage.get("stage"), str):
            yield f"stage {number}: stage must be one of {_words()}, not {show_value(stage.get('stage'))}"
        if not isinstance(stage.get("settings", {}), dict):
            yield f"stage {number}: settings must be an object of names and values, not {show_value(stage['settings'])}"


def _check_stage(stage: Stage, number: int) -> Iterator[str]:
    if stage.stage not in STAGES:
        yield f"stage must be one of {_words()}, not {show_value(stage.stage)}"
        return
    if stage.stage == "txt2img" and number > 1:
        yield "txt2img makes images from a prompt alone, so it can only be the first stage"
    if len(stage.settings) > _MOST_SETTINGS:
        yield f"it has {len(stage.settings):,} settings; at most {_MOST_SETTINGS}"
        return
    for name, value in stage.settings.items():
        if fault := check_setting(stage.stage, name, value):
            yield fault
    yield from _check_needs(stage.stage, stage.settings)


def _check_needs(stage: str, settings: Json) -> Iterator[str]:
    """What a stage cannot do without."""
    if stage == "inpaint" and "mask" not in settings:
        yield 'inpaint needs a mask: {"$input": sha256} or {"$image": {"run_id", "name"}}'
    if stage == "adetailer" and isinstance(settings.get("adetailer", []), list):
        yield from _check_adetailer(settings.get("adetailer", []))
    if stage == "upscale" and settings.get("upscaler_1", "") in _NO_NAME:
        others = [settings.get(name) for name in ("gfpgan_visibility", "codeformer_visibility", "scripts")]
        if settings.get("upscaler_1") != "None" or not any(others):
            yield "upscale needs upscaler_1, the name of an upscaler as the WebUI lists it"


def _check_adetailer(arguments: list[Any]) -> Iterator[str]:
    """ADetailer's own arguments, one object a tab; their names are its (`ADetailerArgs`), all simple values."""
    tabs = [entry for entry in arguments if isinstance(entry, dict)]
    if not any(isinstance(tab.get("ad_model"), str) and tab["ad_model"] not in _NO_NAME for tab in tabs):
        yield 'adetailer needs a model: "adetailer": [{"ad_model": "face_yolov8n.pt"}]'
    for number, tab in enumerate(tabs, 1):
        for name, value in tab.items():
            is_text = isinstance(value, str)
            if not name.startswith("ad_"):
                yield f"adetailer {number}: ADetailer has no argument {show_name(name)}; its names begin with ad_"
            elif isinstance(value, (list, dict)) or (is_text and len(value) > LONGEST_PROMPT):
                yield f"adetailer {number}: {show_name(name)} must be a text, a number, true or false, not {show_value(value)}"


def _words() -> str:
    return ", ".join(STAGES)

"""What a program asks to be queued, as jobs: everything in it is hostile until it is checked here. Nothing in it is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib_sdpipe.errors import RecordError, UnknownNameError, UsageError
from lib_sdpipe.manifest.loose_json import is_deep
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.pipeline.links import list_links
from lib_sdpipe.pipeline.packs.expansion import Choices, expand
from lib_sdpipe.pipeline.recipes import read_recipe
from lib_sdpipe.pipeline.recorded_pass import in_order, is_final
from lib_sdpipe.pipeline.records import Item, Job, Stage
from lib_sdpipe.pipeline.replay import Wanted
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.jobs import MOST_ITEMS, build_chain
from lib_sdpipe.workspace.recipes import open_pack, open_recipe
from lib_sdpipe.workspace.workspace import Workspace

RERUN_KINDS = ("rerun", "regenerate", "release")
_ITEM_FIELDS = ("run_id", "name", "settings", "variant")
_CHOICES = ("mode", "limit", "seed", "rows", "global_positive", "global_negative")
_MOST_LEVELS = 20


def build_asked_chain(workspace: Workspace, document: Json, user: str | None) -> Job:
    """`items`, `runs` or `pack`, and `stages` or `recipe`, `label`. Raises UsageError, UnknownNameError, RecordError."""
    stages = read_stages(workspace, document)
    items = [*_read_items(document), *_read_runs(workspace, document), *_read_pack(workspace, document)]
    job = build_chain(items, stages, _text(document, "label") or "", user)
    check_pictures(workspace, job)
    return job


def read_stages(workspace: Workspace, document: Json) -> list[Stage]:
    """Those that are written out, or a recipe's. Raises as `build_asked_chain`."""
    name = _text(document, "recipe")
    if (name is None) == (document.get("stages") is None):
        raise UsageError("send either `stages`, or the name of a `recipe`")
    if name is None:
        try:
            return read_recipe({"stages": document["stages"]}, "the request").stages
        except RecordError as fault:
            raise UsageError(str(fault)) from fault
    opened = open_recipe(workspace, name)
    if opened.recipe is None or opened.faults:
        raise UsageError(f"the recipe {name!r} cannot be run: {'; '.join(opened.faults)}")
    return opened.recipe.stages


def read_wanted(document: Json) -> tuple[ImageLink, Wanted]:
    """What is to be made again: `run_id`, and of it `name` or `stage`, `alone`, `changes`. Raises UsageError."""
    run_id, name, changes = _text(document, "run_id"), _text(document, "name"), document.get("changes")
    if run_id is None:
        raise UsageError("run_id: which run is to be made again")
    if changes is not None and not isinstance(changes, dict):
        raise UsageError("changes: an object of fields and values")
    alone = document.get("alone", False)
    if not isinstance(alone, bool):
        raise UsageError("alone: true or false")
    return ImageLink(run_id=run_id, name=name), Wanted(_text(document, "stage"), name, alone, changes or {})


def check_pictures(workspace: Workspace, job: Job) -> None:
    """That whoever asks may see every recorded image the job works on or is given, and that each is recorded.

    Raises UnknownNameError, RecordError, UsageError.
    """
    for link in list_links(job):
        if not link.run_id or not link.name:
            raise UsageError("an image is named by run_id and name")
        workspace.view_manifest(link.run_id, link.name)


def iter_last_images(workspace: Workspace, run_id: str) -> Iterator[ImageLink]:
    """The images of a run that no later stage of it went on from, in their order. Raises UnknownNameError, RecordError."""
    workspace.check_sees(run_id)
    store = RunStore(workspace.layout)
    run = store.read_run(run_id)
    manifests = [found for found in store.iter_manifests(run_id) if isinstance(found, Manifest)]
    finals = [manifest for manifest in in_order(run, manifests) if is_final(manifest)]
    gone_through = {final.parent.name for final in finals if final.parent is not None and final.parent.run_id == run_id}
    yield from (ImageLink(run_id=run_id, name=final.name) for final in finals if final.name not in gone_through)


def _read_items(document: Json) -> list[Item]:
    items = _list(document, "items")
    if len(items) > MOST_ITEMS:
        raise UsageError(f"items: at most {MOST_ITEMS:,}, not {len(items):,}")
    return [_read_item(item, number) for number, item in enumerate(items, 1)]


def _read_item(item: Any, number: int) -> Item:
    if not isinstance(item, dict) or set(item) - set(_ITEM_FIELDS):
        raise UsageError(f"item {number}: an object of {', '.join(_ITEM_FIELDS)}: `run_id` and `name` of an image, or a prompt's settings")
    run_id, name = _text(item, "run_id"), _text(item, "name")
    if (run_id is None) != (name is None):
        raise UsageError(f"item {number}: an image is named by run_id and name")
    settings, variant = item.get("settings") or {}, item.get("variant")
    if not isinstance(settings, dict) or not isinstance(variant or {}, dict):
        raise UsageError(f"item {number}: settings and variant are objects")
    if is_deep(item, _MOST_LEVELS):
        raise UsageError(f"item {number}: too deeply nested")
    return Item(source=ImageLink(run_id=run_id, name=name) if run_id is not None else None, settings=settings, variant=variant)


def _read_runs(workspace: Workspace, document: Json) -> Iterator[Item]:
    for run_id in _list(document, "runs"):
        if not isinstance(run_id, str):
            raise UsageError("runs: a list of run ids")
        found = [Item(source=link) for link in iter_last_images(workspace, run_id)]
        if not found:
            raise UnknownNameError(f"run {run_id} has no image to go on from")
        yield from found


def _read_pack(workspace: Workspace, document: Json) -> Iterator[Item]:
    asked = document.get("pack")
    if asked is None:
        return iter(())
    name, choices = read_choices(asked)
    opened = open_pack(workspace, name)
    if opened.pack is None:
        raise UsageError(f"the pack {name!r} cannot be run: {opened.fault}")
    return expand(opened.pack, choices)


def read_choices(asked: Any) -> tuple[str, Choices]:
    """A pack's name and how it is expanded: {"name", "mode", "limit", "seed", "rows", ...}. Raises UsageError."""
    if not isinstance(asked, dict) or not isinstance(asked.get("name"), str) or set(asked) - {"name", *_CHOICES}:
        raise UsageError(f"pack: an object of name, {', '.join(_CHOICES)}")
    rows = asked.get("rows")
    if rows is not None and not (isinstance(rows, list) and all(_is_whole(row) for row in rows)):
        raise UsageError("rows: a list of whole numbers from 0")
    for name in ("limit", "seed"):
        if asked.get(name) is not None and not _is_whole(asked[name]):
            raise UsageError(f"{name}: a whole number from 0")
    texts = {name: _text(asked, name) for name in ("mode", "global_positive", "global_negative")}
    chosen = None if rows is None else tuple(rows)
    return asked["name"], Choices(limit=asked.get("limit"), seed=asked.get("seed") or 0, rows=chosen, **texts)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _list(document: Json, name: str) -> list[Any]:
    value = document.get(name)
    if value is not None and not isinstance(value, list):
        raise UsageError(f"{name}: a list")
    return value or []


def _text(document: Json, name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name}: text, or null")
    return value

"""What the editor of chains does when something is pressed: its stages, recipes and packs, and a job for the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError, UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.pipeline.build import count_planned
from lib_sdpipe.pipeline.recipes import MOST_STAGES, format_recipe, parse_recipe
from lib_sdpipe.pipeline.records import STAGES, Item, Recipe, Stage
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.gradio_versions import find_uploaded
from lib_sdpipe.ui.pipelines import editor_markup as markup
from lib_sdpipe.ui.pipelines import packs
from lib_sdpipe.ui.pipelines.draft import Draft, Fault, StageDraft, build_stages, draft_stage, list_placeholders, read_draft
from lib_sdpipe.ui.pipelines.editor_markup import EditorView, StatusView
from lib_sdpipe.ui.pipelines.fields import list_offers
from lib_sdpipe.ui.pipelines.pack_deeds import PackDeeds
from lib_sdpipe.ui.pipelines.packs import PackDraft, read_pack_draft
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.asked_jobs import check_pictures, iter_last_images
from lib_sdpipe.workspace.going_on import keep_picture, read_source
from lib_sdpipe.workspace.jobs import Jobs, build_chain
from lib_sdpipe.workspace.recipes import delete_recipe, list_packs, list_recipes, open_recipe, read_run_recipe, save_recipe

_LONGEST_TEXT = 600_000


@dataclass(frozen=True)
class Desk:
    """What the page holds while one press is answered. `notes` are shown above the stages, `done` below them."""

    draft: Draft
    pack: PackDraft | None = None
    notes: list[str] = field(default_factory=list)
    done: str = ""
    faults: list[Fault] = field(default_factory=list)


Deed = Callable[[Ask, Desk], Desk]


class ChainEvents:
    """Each handler but `take_mask` returns updates of: the editor, its status."""

    COUNT = 2

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._deeds: dict[str, Deed] = {
            "open": _open, "take": _take, "clear": lambda ask, desk: _with_draft(desk, sources=()), "add-stage": _add_stage,
            "move-stage": _move_stage, "remove-stage": _remove_stage, "show": lambda ask, desk: desk, "queue": self._queue,
            "recipe-load": _load_recipe, "recipe-save": _save_recipe, "recipe-delete": _delete_recipe, "recipe-text": _take_text,
            "from-run": _from_run, **PackDeeds().deeds,
        }

    def do(self, ask: Ask) -> Updates:
        """Whatever the page asks with its chain; what is only looked over changes nothing but the status."""
        asked = ask.text("do") or ""
        desk = Desk(read_draft(ask.data.get("draft")), read_pack_draft(_pack_of(ask)))
        if asked == "check":
            return gr.update(), self._show_status(desk)
        deed = self._deeds.get(asked)
        changed = deed(ask, desk) if deed is not None else desk
        if asked == "queue":
            return gr.update(), self._show_status(changed)
        return self._show_editor(ask.workspace, changed), self._show_status(changed)

    def take_mask(self, ask: Ask, value: Any) -> Updates:
        """A picture came by the hidden field for files: it is kept as an input, and the page told its digest."""
        file = find_uploaded(value)
        if file is None:
            raise UsageError("this is no picture that was chosen here; choose it again")
        kept = keep_picture(ask.workspace, file)
        return gr.update(value=None), f'<span data-sdpipe-kept-picture="{kept["$input"]}"></span>'

    # --- showing ---

    def _show_editor(self, workspace: Workspace, desk: Desk) -> str:
        stages, _ = build_stages(desk.draft)
        text = format_recipe(Recipe(name=desk.draft.recipe[0] if desk.draft.recipe else None, stages=stages)).decode("utf-8", "replace")
        view = EditorView(
            desk.draft, list_placeholders(desk.draft, _first_source(workspace, desk.draft)), list_offers(self._frame.host.host_facts()),
            list_recipes(workspace), desk.notes, packs.show_packs(list(list_packs(workspace)), desk.pack), text if stages else "",
        )
        return markup.show_editor(view)

    def _show_status(self, desk: Desk) -> str:
        stages, faults = build_stages(desk.draft)
        if not desk.draft.stages:
            return markup.show_status(StatusView(done=desk.done))
        faults = [*faults, *_check_items(desk, stages), *desk.faults]
        if faults:
            return markup.show_status(StatusView(faults=faults, done=desk.done))
        items = _build_items(desk)
        counts = [count_planned(stages[: number + 1], items) for number in range(len(stages))]
        each = [(stage.stage or "", count - before) for stage, count, before in zip(stages, counts, [0, *counts])]
        return markup.show_status(StatusView(counts[-1], each, done=desk.done))

    # --- the queue ---

    def _queue(self, ask: Ask, desk: Desk) -> Desk:
        stages, faults = build_stages(desk.draft)
        faults = [*faults, *_check_items(desk, stages)]
        if faults:
            return replace(desk, faults=[])
        label = desk.draft.label or (desk.pack.name if desk.pack is not None and desk.pack.is_used else "")
        job = build_chain(_build_items(desk), stages, label, ask.user)
        check_pictures(ask.workspace, job)
        if desk.pack is not None and desk.pack.is_used:
            job = job.copy(update={"pack": packs.describe_choices(desk.pack)})
        Jobs(ask.workspace).add(job)
        conductor = self._frame.host.conductor()
        if conductor is not None:
            conductor.wake()
        return replace(desk, done=f"In the queue: {words.format_count(job.planned or 0, 'image')} planned.")


def _pack_of(ask: Ask) -> Any:
    draft = ask.data.get("draft")
    return draft.get("pack") if isinstance(draft, dict) else None


def _build_items(desk: Desk) -> list[Item]:
    """Images, prompts, or every prompt on every image. Raises SdPipeError."""
    prompts = packs.build_items(desk.pack) if desk.pack is not None and desk.pack.is_used else [Item()]
    if not desk.draft.sources:
        return prompts
    return [prompt.copy(update={"source": link}) for link in desk.draft.sources for prompt in prompts]


def _check_items(desk: Desk, stages: list[Stage]) -> list[Fault]:
    """What is wrong with what the chain is run on."""
    if not stages:
        return [Fault(None, "", "Add at least one stage.")]
    try:
        items = _build_items(desk)
    except SdPipeError as fault:
        return [Fault(None, "", str(fault))]
    if desk.draft.sources:
        return []
    if stages[0].stage != "txt2img":
        return [Fault(None, "", "Choose images to go on from, or begin with txt2img.")]
    if not all("prompt" in item.settings for item in items) and not stages[0].settings.get("prompt"):
        return [Fault(0, "prompt", "Without an image to go on from there must be a prompt.")]
    return []


def _first_source(workspace: Workspace, draft: Draft) -> Manifest | None:
    if not draft.sources:
        return None
    try:
        return read_source(workspace, draft.sources[0])
    except SdPipeError:  # it may be gone by now; the queue says so when it comes to it
        return None


def _with_draft(desk: Desk, **changes: Any) -> Desk:
    return replace(desk, draft=replace(desk.draft, **changes))


# --- what it goes on from ---


def _open(ask: Ask, desk: Desk) -> Desk:
    """From an image, a run or the picks, named by a button elsewhere on the page."""
    link, picked = ask.link(), ask.picked()
    if picked:
        sources = tuple(picked)
    elif link is not None and link.run_id:
        sources = (link,) if link.name else tuple(iter_last_images(ask.workspace, link.run_id))
        if not sources:
            raise UnknownNameError(f"run {link.run_id} has no image to go on from")
    else:
        return desk
    for run_id in dict.fromkeys(source.run_id or "" for source in sources):
        ask.workspace.check_sees(run_id)
    stages = tuple(each for each in desk.draft.stages if each.stage != "txt2img") or (StageDraft("img2img"),)
    return _with_draft(desk, sources=sources, stages=stages)


def _take(ask: Ask, desk: Desk) -> Desk:
    if not ask.picked():
        raise UsageError("nothing is picked: tick images in Browse first")
    return _open(ask, desk)


# --- stages ---


def _add_stage(ask: Ask, desk: Desk) -> Desk:
    stage = ask.text("stage")
    if stage not in STAGES or len(desk.draft.stages) >= MOST_STAGES:
        raise UsageError(f"a chain has at most {MOST_STAGES} stages")
    return _with_draft(desk, stages=(*desk.draft.stages, StageDraft(stage)))


def _move_stage(ask: Ask, desk: Desk) -> Desk:
    stages, number, places = list(desk.draft.stages), ask.number("stage"), ask.number("places") or 0
    if number is not None and 0 <= number < len(stages):
        stages.insert(max(0, min(len(stages), number + places)), stages.pop(number))
    return _with_draft(desk, stages=tuple(stages))


def _remove_stage(ask: Ask, desk: Desk) -> Desk:
    number = ask.number("stage")
    return _with_draft(desk, stages=tuple(each for place, each in enumerate(desk.draft.stages) if place != number))


# --- recipes ---


def _load_recipe(ask: Ask, desk: Desk) -> Desk:
    name = ask.text("recipe") or ""
    if not name:
        raise UsageError("choose a recipe first")
    found = open_recipe(ask.workspace, name)
    if found.recipe is None:
        raise UsageError(" ".join(found.faults))
    return _with_stages(_with_draft(desk, recipe=(name, found.digest)), found.recipe)


def _with_stages(desk: Desk, recipe: Recipe) -> Desk:
    notes = [recipe.description] if recipe.description else []
    return replace(_with_draft(desk, stages=tuple(map(draft_stage, recipe.stages))), notes=notes)


def _save_recipe(ask: Ask, desk: Desk) -> Desk:
    """Over the one that was loaded where it has that name, else as a new one."""
    stages, faults = build_stages(desk.draft)
    if faults or not stages:
        return desk
    name = (ask.text("as") or "").strip()
    expected = desk.draft.recipe[1] if desk.draft.recipe and desk.draft.recipe[0] == name else None
    digest = save_recipe(ask.workspace, name, Recipe(stages=stages), expected)
    return replace(_with_draft(desk, recipe=(name, digest)), done="The recipe is kept.")


def _delete_recipe(ask: Ask, desk: Desk) -> Desk:
    name = ask.text("recipe") or ""
    delete_recipe(ask.workspace, name, open_recipe(ask.workspace, name).digest)
    return replace(_with_draft(desk, recipe=None), done="The recipe was deleted; it lies in recipes/.deleted of the runs folder.")


def _take_text(ask: Ask, desk: Desk) -> Desk:
    """Stages as JSON: edited on the page, or a recipe's file. Raises UsageError, RecordError."""
    text = ask.text("text") or ""
    if len(text) > _LONGEST_TEXT:
        raise UsageError("this is too large for a recipe")
    return _with_stages(_with_draft(desk, recipe=None), parse_recipe(text.encode("utf-8", "surrogatepass"), "recipe.json"))


def _from_run(ask: Ask, desk: Desk) -> Desk:
    """The recipe of a recorded run."""
    link = ask.link()
    if link is None or not link.run_id:
        return desk
    found = read_run_recipe(ask.workspace, link.run_id)
    changed = _with_stages(_with_draft(desk, recipe=None, sources=()), found.recipe)
    return replace(changed, notes=[*changed.notes, *found.notes])

"""Any recorded run as passes that can be asked again: one request, several, Extras, a chain. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.loose_json import list_of, object_of, text_of
from lib_sdpipe.manifest.records import ImageFacts, ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.build import build_request
from lib_sdpipe.pipeline.image_settings import generation_settings
from lib_sdpipe.pipeline.recorded_pass import RecordedPass, in_order, is_final, iter_groups, split_passes
from lib_sdpipe.pipeline.records import Item, Stage
from lib_sdpipe.pipeline.repeat_upscale import split_sources
from lib_sdpipe.pipeline.used_settings import SETTINGS, picked
from lib_sdpipe.pydantic_v1 import ValidationError

CHAIN, REQUESTS, EXTRAS = "chain", "requests", "extras"
_GENERATED = ("txt2img", "img2img")
# Of runs with these sources the request is not known, only what the images' own texts tell.
_CONCLUDED = ("adopted", "imported")


def has_request(run: Run) -> bool:
    """Whether the run file holds what was asked, so that it can be asked again."""
    return run.source not in _CONCLUDED and run.config.get("endpoint") in (*_GENERATED, EXTRAS, CHAIN, REQUESTS)


def split_run(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    """The passes of a run in their order; those that made no image are not among them."""
    endpoint = run.config.get("endpoint")
    if object_of(run.config.get("then")):
        return _split_then(run, manifests)
    if endpoint == EXTRAS:
        return split_sources(run, manifests)
    if endpoint == CHAIN:
        return split_chain(run, manifests)
    if endpoint == REQUESTS:
        return _split_requests(run, manifests)
    return split_passes(run, manifests)


def step_of(manifest: Manifest) -> Json:
    """Which stage of a chain made it, and from what (docs/formats.md, `step`)."""
    return object_of(getattr(manifest, "step", None))


def read_chain(run: Run) -> tuple[list[Stage], list[Item]]:
    """What a chain's run was asked. Raises RefusedError for what is no chain."""
    try:
        stages = [Stage.parse_obj(stage) for stage in list_of(run.config.get("stages"))]
        items = [Item.parse_obj(item) for item in list_of(run.config.get("items"))]
    except ValidationError as fault:
        raise RefusedError(f"Run {run.run_id}: what its chain was asked cannot be read.") from fault
    if not stages:
        raise RefusedError(f"Run {run.run_id} is no chain.")
    return stages, items


def split_chain(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    """Each image of a chain's stage has the request that its stage and the image before made of it."""
    finals = [manifest for manifest in in_order(run, manifests) if is_final(manifest)]
    stages, items = read_chain(run)
    return _split_stages(finals, manifests, stages, items)


def _split_then(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    """A press of Generate, and the stages that went on from its images."""
    config = {name: value for name, value in run.config.items() if name != "then"}
    own = [manifest for manifest in manifests if not step_of(manifest)]
    later = [manifest for manifest in in_order(run, manifests) if is_final(manifest) and step_of(manifest)]
    stages = read_chain(run.copy(update={"config": object_of(run.config.get("then"))}))[0]
    return [*split_run(run.copy(update={"config": config}), own), *_split_stages(later, manifests, stages, [])]


def _split_stages(finals: list[Manifest], manifests: Sequence[Manifest], stages: list[Stage], items: list[Item]) -> list[RecordedPass]:
    by_name = {manifest.name: manifest for manifest in manifests}
    found = []
    for group in _by_step(finals):
        step = step_of(group[0])
        number = step.get("stage")
        if not isinstance(number, int) or not 0 <= number < len(stages):
            continue
        item = _item_of(items, step.get("input")) if number == 0 else None
        source = _source_of(group[0], by_name, item)
        request = build_request(stages[number], item, source)
        config = {**picked(generation_settings(group[0]), SETTINGS), **request.config}
        is_extras = request.config["endpoint"] == EXTRAS
        found.append(RecordedPass(request.config if is_extras else config, request.stage, tuple(group), request.parents))
    return found


def _split_requests(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    requests = list_of(run.config.get("requests"))
    finals = [manifest for manifest in in_order(run, manifests) if is_final(manifest)]
    found = []
    for number, group in enumerate(_by_step(finals)):
        said = step_of(group[0]).get("input")
        place = int(said) if isinstance(said, str) and said.isdecimal() else number
        request = object_of(requests[place]) if place < len(requests) else {}
        config = object_of(request.get("config")) or request
        if config.get("endpoint") not in (*_GENERATED, EXTRAS):
            continue
        stage = request.get("stage") if isinstance(request.get("stage"), str) else str(group[0].stage)
        parent = group[0].parent
        parents = (ImageLink(run_id=parent.run_id, name=parent.name),) if parent is not None else ()
        found.append(RecordedPass(config, stage, tuple(group), parents))
    return found


def _by_step(finals: Sequence[Manifest]) -> list[list[Manifest]]:
    """One group for each step; where images do not say theirs, for each pass. A resumed stage comes later in the file."""
    groups: dict[tuple[str, str], list[Manifest]] = {}
    for number, group in enumerate(iter_groups(finals)):
        for manifest in group:
            step = step_of(manifest)
            key = (str(step.get("stage")), str(step.get("input"))) if step else ("pass", str(number))
            groups.setdefault(key, []).append(manifest)
    return list(groups.values())


def _item_of(items: list[Item], said: object) -> Item | None:
    place = int(said) if isinstance(said, str) and said.isdecimal() else said
    return items[place] if isinstance(place, int) and 0 <= place < len(items) else None


def _source_of(made: Manifest, by_name: dict[str | None, Manifest], item: Item | None) -> Manifest | None:
    """The image it was made from; one of another run is not at hand, but the image itself says how it was made."""
    known = by_name.get(text_of(step_of(made).get("input")))
    if known is not None:
        return known
    link = item.source if item is not None and item.source is not None else made.parent
    if link is None:
        return None
    if link.run_id == made.run_id and link.name in by_name:
        return by_name[link.name]
    settings = generation_settings(made)
    image = ImageFacts(width=settings.get("width"), height=settings.get("height"))
    if made.stage == "adetailer" and made.image is not None:
        image = made.image
    return Manifest(
        run_id=link.run_id, name=link.name, stage="txt2img", prompt=made.prompt, negative_prompt=made.negative_prompt,
        config=settings, actual_seed=made.actual_seed, actual_subseed=made.actual_subseed, subseed_strength=made.subseed_strength,
        image=image,
    )

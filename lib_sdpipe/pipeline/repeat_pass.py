"""A recorded pass asked again: whole, one batch of it, or one image alone; seeds and prompts as the images had them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.loose_json import list_of, object_of
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.pipeline.image_settings import generation_settings, picture_of
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import RecordedPass, arguments_of, scripts_of, slot_of
from lib_sdpipe.pipeline.seeds import is_random, request_seeds
from lib_sdpipe.pipeline.used_settings import recorded_settings, used_options

# Masked content "latent noise" takes the seeds of the first batch for every batch (A1111's `StableDiffusionProcessingImg2Img.init`).
_LATENT_NOISE = 2
# Scripts that write the prompts anew, from the first one: their switch, by file.
_WRITES_PROMPTS = {"dynamic_prompting.py": 0}
_HIRES_TEXTS = (("hr_prompt", "Hires prompt"), ("hr_negative_prompt", "Hires negative prompt"))

Places = Mapping[int, Manifest]


@dataclass(frozen=True)
class Repeat:
    """A request, and where in its images the wanted ones are; `is_exact` if it does what the host did then."""

    request: PassRequest
    places: dict[str, int]
    is_exact: bool


def repeat_whole(recorded: RecordedPass, environment: Json | None) -> Repeat:
    """The request once more. Raises RefusedError where a random seed is known of no image."""
    known = {recorded.place_of(final): final for final in recorded.finals}
    config = dict(recorded.config)
    if recorded.has_script:
        _fix_script_seed(config, recorded.finals[0])
    else:
        config.update(batch_size=recorded.size, n_iter=recorded.count)
        _fix_seeds(config, known, recorded.size * recorded.count)
        _fix_prompts(config, known, recorded.size * recorded.count, environment)
    _fix_options(config, recorded.finals, environment)
    request = _request(recorded, config, recorded.finals[0])
    return Repeat(request, {final.name or "": place for place, final in known.items()}, not _draws_seeds(recorded))


def repeat_batch(recorded: RecordedPass, wanted: Manifest, environment: Json | None) -> Repeat:
    """The batch that an image was in, with all its images: alone it differs by 1 here and there (HOSTS §16)."""
    if recorded.has_script:
        whole = repeat_whole(recorded, environment)
        return _only(whole, wanted)
    slot = slot_of(wanted) or (0, 0)
    first = 0 if _needs_first_batch(recorded.config) else slot[0]
    batches = slot[0] + 1 - first
    start, count = first * recorded.size, batches * recorded.size
    known = {
        place - start: final for final in recorded.finals if start <= (place := recorded.place_of(final)) < start + count
    }
    config = {**recorded.config, "batch_size": recorded.size, "n_iter": batches, "do_not_save_grid": True}
    _fix_seeds(config, known, count)
    _fix_prompts(config, known, count, environment)
    _fix_options(config, [wanted], environment)
    place = recorded.place_of(wanted) - start
    return Repeat(_request(recorded, config, wanted, (place,)), {wanted.name or "": place}, True)


def repeat_alone(recorded: RecordedPass, wanted: Manifest, environment: Json | None) -> Repeat:
    """One image by itself, without the script that made it one of many. Exact only where it was alone then, too."""
    config = {**recorded.config, "batch_size": 1, "n_iter": 1, "do_not_save_grid": True}
    config["scripts"] = [script for script in scripts_of(config) if not script.get("selected")]
    if recorded.has_script:
        _take_recorded(config, wanted)
    slot = slot_of(wanted) or (0, 0)
    pictures = config.get("init_images")
    if isinstance(pictures, list) and len(pictures) > 1:
        config["init_images"] = [pictures[min(slot[1], len(pictures) - 1)]]
    config.pop("seed", None)
    _fix_seeds(config, {0: wanted}, 1)
    _fix_prompts(config, {0: wanted}, 1, environment)
    _fix_options(config, [wanted], environment)
    is_exact = recorded.size == 1 and not recorded.has_script and (slot[0] == 0 or not _needs_first_batch(config))
    return Repeat(_request(recorded, config, wanted, (0,)), {wanted.name or "": 0}, is_exact)


def _take_recorded(config: Json, image: Manifest) -> None:
    """What the script made of the request for this image."""
    if image.members:
        raise RefusedError(f"{image.run_id}/{image.name} was put together of pieces by its script. Make the whole again.")
    config.update(recorded_settings(image, generation_settings(image), str(config.get("endpoint"))))
    if config.get("endpoint") == "img2img":
        config["init_images"] = [_input_of(config, image)]


def _input_of(config: Json, image: Manifest) -> Json:
    """A loop's is the image before; a tile that a script cut is nowhere."""
    values = (image.variant or {}).get("values")
    for pictures in (image.config.get("init_images"), config.get("init_images") if values and "loop" not in values else None):
        if isinstance(pictures, list) and pictures and isinstance(pictures[0], dict):
            return dict(pictures[0])
        if image.parent is not None and image.parent.by == "pixels":
            return picture_of(image.parent.run_id, image.parent.name)
    raise RefusedError(f"{image.run_id}/{image.name}: the picture that its script made it from was not kept. Make the whole again.")


def _request(recorded: RecordedPass, config: Json, image: Manifest, save: tuple[int, ...] | None = None) -> PassRequest:
    variant = image.variant if not recorded.has_script else None
    return PassRequest(config, recorded.stage, save=save, parents=recorded.parents, variant=variant)


def _only(whole: Repeat, wanted: Manifest) -> Repeat:
    place = whole.places[wanted.name or ""]
    request = PassRequest(
        whole.request.config, whole.request.stage, save=(place,), parents=whole.request.parents, variant=whole.request.variant,
    )
    return Repeat(request, {wanted.name or "": place}, whole.is_exact)


# --- seeds ---


def _fix_seeds(config: Json, known: Places, count: int) -> None:
    strength = _strength(config, known)
    pairs = {place: (final.actual_seed, final.actual_subseed) for place, final in known.items()}
    seed, subseed = request_seeds(pairs, strength, count)
    if seed is None and is_random(config.get("seed")):
        raise RefusedError("The seed was random, and no image tells which one it was.")
    config["seed"] = config.get("seed") if seed is None else seed
    if strength:
        config["subseed_strength"] = strength
    if subseed is not None:
        config["subseed"] = subseed


def _fix_script_seed(config: Json, first: Manifest) -> None:
    """Scripts of the host draw one seed when they begin, and their first image has it (`processing.fix_seed`)."""
    for name, actual in (("seed", first.actual_seed), ("subseed", first.actual_subseed)):
        if is_random(config.get(name)) and actual is not None:
            config[name] = actual
    if is_random(config.get("seed")):
        raise RefusedError("The seed was random, and no image tells which one it was.")


def _draws_seeds(recorded: RecordedPass) -> bool:
    """Whether a script was told to draw a seed for each of its passes."""
    selected = [script for script in scripts_of(recorded.config) if script.get("selected")]
    given = [argument for script in selected for argument in arguments_of(script)]
    keeps = any(argument.get("label") == "Keep -1 for seeds" and argument.get("value") is True for argument in given)
    return keeps and is_random(recorded.config.get("seed")) and len({final.actual_seed for final in recorded.finals}) > 1


def _strength(config: Json, known: Places) -> float:
    found = [final.subseed_strength for final in known.values() if final.subseed_strength is not None]
    own = config.get("subseed_strength")
    return found[0] if found else own if isinstance(own, (int, float)) else 0


def _needs_first_batch(config: Json) -> bool:
    return bool(config.get("mask")) and config.get("inpainting_fill") == _LATENT_NOISE


# --- prompts ---


def _fix_prompts(config: Json, known: Places, count: int, environment: Json | None) -> None:
    """Where an image's prompt is not what was asked (styles, wildcards): as it was recorded, which has all of it applied."""
    prompts = _spread({place: final.prompt for place, final in known.items()}, config.get("prompt"), count)
    negatives = _spread({place: final.negative_prompt for place, final in known.items()}, config.get("negative_prompt"), count)
    asked = _spread({}, config.get("prompt"), count), _spread({}, config.get("negative_prompt"), count)
    if None in prompts:
        raise RefusedError("The prompt is not recorded.")
    if (prompts, negatives) == asked and not config.get("styles"):
        return
    config["prompt"], config["negative_prompt"], config["styles"] = _shorten(prompts), _shorten(negatives), []
    if config.get("enable_hr"):
        _fix_hires_prompts(config, known, count)
    if prompts != asked[0]:
        _switch_off_prompt_writers(config, environment)


def _fix_hires_prompts(config: Json, known: Places, count: int) -> None:
    """The host writes a hires prompt into the infotext where it is another one; an empty one is the same as the prompt."""
    texts = {place: parse_infotext(final.infotext or "").parameters for place, final in known.items()}
    for name, key in _HIRES_TEXTS:
        if not config.get(name):
            continue
        main = _spread({}, config["prompt" if name == "hr_prompt" else "negative_prompt"], count)
        found = {place: text.get(key, main[place]) for place, text in texts.items()}
        config[name] = _shorten(_spread(found, config[name], count))


def _switch_off_prompt_writers(config: Json, environment: Json | None) -> None:
    """They would write over the recorded prompts."""
    tab = "txt2img" if config.get("endpoint") == "txt2img" else "img2img"
    known = [script for script in list_of(object_of(object_of(environment).get("script_defaults")).get(tab)) if isinstance(script, dict)]
    scripts = list(scripts_of(config))
    for script in known:
        index = _WRITES_PROMPTS.get(str(script.get("file")))
        if index is None:
            continue
        labels = [argument.get("label") for argument in arguments_of(script)]
        switch = {"index": index, "label": labels[index] if index < len(labels) else None, "value": False}
        asked = next((one for one in scripts if one.get("title") == script.get("title")), None)
        if asked is None:
            scripts.append({"title": script.get("title"), "file": script.get("file"), "selected": False, "args": [switch]})
        else:
            others = [argument for argument in arguments_of(asked) if argument.get("index") != index]
            scripts[scripts.index(asked)] = {**asked, "args": [switch, *others]}
    config["scripts"] = scripts


def _spread(known: Mapping[int, str | None], asked: Any, count: int) -> list[str | None]:
    """One text for each image; of an image that is not known, the one asked for, or its neighbour's where each had its own."""
    texts = list(asked) if isinstance(asked, list) else [asked] * count
    texts = [texts[place] if place < len(texts) else texts[-1] if texts else None for place in range(count)]
    found = [known.get(place) for place in range(count)]
    last = next((text for text in found if text is not None), None)
    if last is None:
        return texts
    spread = []
    for text in found:
        last = text if text is not None else last
        spread.append(last)
    return spread


def _shorten(texts: Sequence[str | None]) -> Any:
    return texts[0] if all(text == texts[0] for text in texts) else list(texts)


# --- options ---


def _fix_options(config: Json, finals: Sequence[Manifest], environment: Json | None) -> None:
    asked = config.get("override_settings")
    options = {**(asked if isinstance(asked, dict) else {}), **used_options(finals, environment)}
    if options:
        config["override_settings"] = options

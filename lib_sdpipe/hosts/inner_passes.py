"""Passes inside a pass: ADetailer paints over one image of the outer pass with img2img passes of its own."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from PIL import Image

from lib_sdpipe.hosts.frames import Frame
from lib_sdpipe.hosts.image_values import read_detailer_pass
from lib_sdpipe.hosts.plain_values import parse_number
from lib_sdpipe.hosts.saves import image_line
from lib_sdpipe.manifest.infotext import Infotext, parse_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import DetailerPass
from lib_sdpipe.record.passes import Slot
from lib_sdpipe.record.recorder import Recorder


def is_inner(p: Any) -> bool:
    return bool(getattr(p, "_ad_inner", False))


def enter_inner(recorder: Recorder, outside: Frame, inner: Frame) -> None:
    """The first inner pass over an image starts from the picture as it was before ADetailer."""
    if outside.outer is None or outside.job is None:
        return
    outer, slot = outside.outer, _slot(outside)
    pictures = getattr(inner.p, "init_images", None) or []
    if not pictures or slot in outer.before_detailer or slot in outer.details:
        return
    pictures[0].load()  # here, on the host's thread: two threads must not decode one file
    outer.before_detailer[slot] = pictures[0]
    if outside.job.options.keep_stages:
        _keep_before(recorder, outside, slot, pictures[0])


def leave_inner(outside: Frame, inner: Frame, error: BaseException | None) -> None:
    if outside.outer is None or error is not None:
        return
    duration_ms = round((time.monotonic() - inner.started) * 1000)
    outside.outer.details.setdefault(_slot(outside), []).append(read_detailer_pass(inner.p, duration_ms))


def note_hidden_detailer(recorder: Recorder, outside: Frame, picture: Any) -> None:
    """ADetailer whose passes went by our wrapper: with ControlNet installed it takes that extension's older loop.

    Then the picture that leaves the last hook carries an inner pass's text; the host writes the outer one later.
    """
    if outside.outer is None or outside.job is None:
        return
    outer, slot = outside.outer, _slot(outside)
    text = getattr(picture, "info", {}).get("parameters")
    if outer.details.get(slot) or not isinstance(text, str) or not is_detailer_on(outside.p):
        return
    inner = parse_infotext(text)
    settings = {"prompt": inner.prompt, "negative_prompt": inner.negative_prompt, **_read_text_settings(inner)}
    outer.details[slot] = [DetailerPass(settings, inner.seed, None)]
    if slot[1] < len(outside.decoded):
        outer.before_detailer[slot] = before = _to_picture(outside.decoded[slot[1]])
        if outside.job.options.keep_stages:
            _keep_before(recorder, outside, slot, before)


def is_detailer_on(p: Any) -> bool:
    return any(isinstance(key, str) and key.startswith("ADetailer") for key in getattr(p, "extra_generation_params", {}))


def _keep_before(recorder: Recorder, outside: Frame, slot: Slot, picture: Image.Image) -> None:
    line = image_line(outside, "before-adetailer", slot, None)
    recorder.queue({**line, "kind": "picture"}, Extras({"kept": picture}))


def _read_text_settings(text: Infotext) -> dict[str, Any]:
    """An inner pass's settings by the API's names, from its text."""
    return {
        "sampler_name": text.parameters.get("Sampler"), "scheduler": text.parameters.get("Schedule type"),
        "steps": text.integer("Steps"), "denoising_strength": parse_number(text.parameters.get("Denoising strength")),
        "cfg_scale": parse_number(text.parameters.get("CFG scale")),
    }


def _to_picture(tensor: Any) -> Image.Image:
    """A decoded picture as the host makes it: channels, rows and columns from 0 to 1 become 8-bit rows."""
    array = 255.0 * np.moveaxis(tensor.cpu().numpy(), 0, 2)
    return Image.fromarray(array.clip(0, 255).astype(np.uint8))


def _slot(outside: Frame) -> Slot:
    assert outside.outer is not None
    return outside.outer.iteration, getattr(outside.p, "batch_index", None) or 0

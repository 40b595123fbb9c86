"""Passes inside a pass: ADetailer paints over one image of the outer pass with img2img passes of its own."""

from __future__ import annotations

import time
from typing import Any

from lib_sdpipe.hosts.frames import Frame
from lib_sdpipe.hosts.image_values import read_detailer_pass
from lib_sdpipe.hosts.saves import image_line
from lib_sdpipe.record.extras import Extras
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
        line = image_line(outside, "before-adetailer", slot, None)
        recorder.queue({**line, "kind": "picture"}, Extras({"kept": pictures[0]}))


def leave_inner(outside: Frame, inner: Frame, error: BaseException | None) -> None:
    if outside.outer is None or error is not None:
        return
    duration_ms = round((time.monotonic() - inner.started) * 1000)
    outside.outer.details.setdefault(_slot(outside), []).append(read_detailer_pass(inner.p, duration_ms))


def _slot(outside: Frame) -> Slot:
    assert outside.outer is not None
    return outside.outer.iteration, getattr(outside.p, "batch_index", None) or 0

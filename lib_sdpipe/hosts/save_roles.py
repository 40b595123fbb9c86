"""Why the host saves or returns a picture in a pass: by identity, place and the state of the pass."""

from __future__ import annotations

import os
from typing import Any

from lib_sdpipe.hosts.frames import Frame


def role_of_save(frame: Frame, params: Any, path: str) -> str:
    """The role of a save that the pass itself makes; `grid` counts as one here."""
    assert frame.outer is not None
    if frame.finished is not None and params.image is frame.finished:
        frame.finished = None
        return frame.outer.save_final()
    stem = os.path.splitext(os.path.basename(path))[0]
    return frame.outer.role_of_save(stem, bool(getattr(frame.p, "is_hr_pass", False)), _is_foreign(frame, params, path))


def role_of_returned(frame: Frame, picture: Any) -> str:
    """A mask is returned as RGB, the masked part alone as RGBA; anything else is another extension's."""
    if getattr(frame.p, "image_mask", None) is None:
        return "preview"
    return "mask-composite" if picture.mode == "RGBA" else "mask"


def _is_foreign(frame: Frame, params: Any, path: str) -> bool:
    """Whether this is another extension's own save, with the host's next one still to come.

    The host saves the very picture that left the last hook, to its folder for samples, or a grid to the grids'. A
    callback before ours may have replaced the picture: then the place and the size must do.
    """
    if frame.outer is not None and frame.outer.grid_members is not None:
        return not is_below(path, getattr(frame.p, "outpath_grids", None))
    if frame.unsaved is None or params.image is frame.unsaved:
        return False
    if not is_below(path, getattr(frame.p, "outpath_samples", None)):
        return True
    return getattr(params.image, "size", None) != getattr(frame.unsaved, "size", None)


def is_below(path: str, folder: Any) -> bool:
    return isinstance(folder, str) and os.path.abspath(path).startswith(os.path.join(os.path.abspath(folder), ""))

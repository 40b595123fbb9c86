"""The only patch of a host: a wrapper round `modules.processing.process_images_inner` that tells passes and exceptions.

The host looks that function up at every call, so passes of code that imported `process_images` earlier come by too.
"""

from __future__ import annotations

import functools
from typing import Any

from modules import processing

from lib_sdpipe.hosts.session import Session

_MARK = "_sdpipe_wrapped"


def install_wrapper(session: Session) -> None:
    """Wrap once; a wrapper that is already in place stays."""
    inner = processing.process_images_inner
    if hasattr(inner, _MARK):
        return

    @functools.wraps(inner)
    def process_images_inner(p: Any, *args: Any, **kwargs: Any) -> Any:
        session.enter_pass(p)
        try:
            result = inner(p, *args, **kwargs)
        except BaseException as fault:
            session.leave_pass(p, fault)
            raise
        session.leave_pass(p, None)
        return result

    setattr(process_images_inner, _MARK, inner)
    processing.process_images_inner = process_images_inner


def remove_wrapper() -> None:
    """Put the host's function back, unless another extension has wrapped ours meanwhile: then ours stays inside."""
    current = processing.process_images_inner
    if hasattr(current, _MARK):
        processing.process_images_inner = getattr(current, _MARK)

"""The only patch of a host: a wrapper round `modules.processing.process_images_inner` that tells passes and exceptions.

The host looks that function up at every call, so passes of code that imported `process_images` earlier come by too.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from modules import processing

from lib_sdpipe.hosts.session import Session


class PassWrapper:
    """Takes part in every pass that begins while it is active. Known by identity: others copy our attributes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inner: Callable[..., Any] = processing.process_images_inner
        self._active = True
        self._function = self._wrap(self._inner)
        processing.process_images_inner = self._function

    def remove(self) -> None:
        """Put the host's function back. Where another extension has wrapped ours, ours stays inside and does nothing."""
        self._active = False
        if processing.process_images_inner is self._function:
            processing.process_images_inner = self._inner

    def _wrap(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def process_images_inner(p: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._active:
                return inner(p, *args, **kwargs)
            self._session.enter_pass(p)
            try:
                result = inner(p, *args, **kwargs)
            except BaseException as fault:
                self._session.leave_pass(p, fault)
                raise
            self._session.leave_pass(p, None, result)
            return result

        return process_images_inner

"""The passes the host is in at this moment, innermost last, for each thread: the events of a pass come on its own."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from lib_sdpipe.record.facts import Variant
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass
from lib_sdpipe.record.recorder import Recorder

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Frame:
    """One call of process_images_inner. `job` and `outer` are None where it is not recorded or is ADetailer's own.

    `finished` is the picture that left the last hook, `unsaved` the same until the host writes it; `decoded` are the
    batch's pictures as the model gave them, tensors of channels, rows and columns from 0 to 1. `has_gone_on` once what comes
    after the pass has been made of its images.
    """

    p: Any
    started: float
    job: Job | None = None
    outer: Pass | None = None
    unsaved: Any = None
    finished: Any = None
    variant: Variant | None = None
    decoded: list[Any] = field(default_factory=list)
    init_saves: int = 0
    put_back: Callable[[], Any] | None = None
    has_gone_on: bool = False


class Frames:
    """A stack a thread. The host runs one job at a time, but code that takes no lock can overlap it."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._count = 0

    def here(self) -> list[Frame]:
        """This thread's passes, outermost first."""
        if not hasattr(self._local, "frames"):
            self._local.frames = []
        frames: list[Frame] = self._local.frames
        return frames

    def any_anywhere(self) -> bool:
        return self._count > 0

    def push(self, frame: Frame) -> None:
        self.here().append(frame)
        with self._lock:
            self._count += 1

    def pop(self, p: Any) -> Frame | None:
        """The innermost frame of this object leaves, with whatever was left standing above it."""
        frames = self.here()
        place = next((i for i in reversed(range(len(frames))) if frames[i].p is p), None)
        if place is None:
            return None
        frame, gone = frames[place], len(frames) - place
        del frames[place:]
        with self._lock:
            self._count -= gone
        return frame

    def recorded(self, p: Any) -> Frame | None:
        """The frame of this very object, if its pass is recorded. By identity: ADetailer passes copies about."""
        return next((frame for frame in self.here() if frame.p is p and frame.outer is not None), None)

    def innermost_recorded(self) -> Frame | None:
        return next((frame for frame in reversed(self.here()) if frame.outer is not None), None)


def never_raises(function: F) -> F:
    """The door to the host: our fault is logged and shown in the tab, the host's generation goes on."""

    @functools.wraps(function)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(self, *args, **kwargs)
        except Exception as fault:  # whatever it is, it must not reach the host; it is seen through `report`
            recorder: Recorder = self.recorder
            recorder.report(fault)
            return None

    return guarded  # type: ignore[return-value]

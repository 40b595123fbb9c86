"""The passes the host is in at this moment, innermost last. Their events come on one thread and never overlap."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from lib_sdpipe.record.completion import Extras
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.saved_file import FileStamp

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Save:
    """A save between on_before_image_saved and on_image_saved. `before` is what lay at the path until then."""

    params: Any
    name: str
    path: str
    before: FileStamp | None
    extras: Extras
    is_final: bool


@dataclass
class Frame:
    """One call of process_images_inner. `job` and `outer` are None where it is not recorded or runs inside another.

    `unsaved` is a finished picture that the host has not written yet; `names` tells manifests by picture identity,
    for the members of a grid.
    """

    p: Any
    started: float
    job: Job | None = None
    outer: Pass | None = None
    save: Save | None = None
    unsaved: Any = None
    names: dict[int, str] = field(default_factory=dict)
    put_back: Callable[[], None] | None = None


class Frames(list[Frame]):
    """A stack that finds the frame of a processing object by identity: ADetailer passes copies about."""

    def recorded(self, p: Any) -> Frame | None:
        return next((frame for frame in self if frame.p is p and frame.outer is not None), None)


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

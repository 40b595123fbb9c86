"""Which images of a pass the host writes, where those are not all of them."""

from __future__ import annotations

from typing import Any, Collection

from lib_sdpipe.hosts.frames import Frames


class SaveChoice:
    """Stands in for a processing object's `save_samples`.

    The hosts call it once a batch and look at the answer once an image: the answer is this object, which looks itself up
    by the image that the pass is at. Grids are switched off elsewhere.
    """

    def __init__(self, places: Collection[int], frames: Frames, first_pass: int) -> None:
        self._places = frozenset(places)
        self._frames = frames
        self._first_pass = first_pass

    def __call__(self) -> SaveChoice:
        return self

    def __deepcopy__(self, memo: Any) -> SaveChoice:
        return self

    def __bool__(self) -> bool:
        frame = self._frames.innermost_recorded()
        if frame is None or frame.outer is None or frame.job is None:
            return False
        earlier = sum(outer.planned for outer in frame.job.passes[self._first_pass:frame.outer.number])
        p: Any = frame.p
        first = earlier + p.iteration * p.batch_size
        # Before hires fix a whole batch is saved, and the host does not say which image it is at.
        places = range(first, first + p.batch_size) if getattr(p, "is_hr_pass", False) else [first + (getattr(p, "batch_index", None) or 0)]
        return not self._places.isdisjoint(places) and bool(type(p).save_samples(p))

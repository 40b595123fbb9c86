"""One pass of the host's main loop as a state machine: which image a save belongs to, and in which role.

The order is the same in every host: sampling (hires saves inside it), then per image detailing, compositing, the final save and
its masks, and after all batches the grid. Where the host calls no script hooks the file name's suffix must do.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.file_names import role_of_stem
from lib_sdpipe.record.facts import DetailerPass, PassFacts, PassStep

Slot = tuple[int, int]


class Phase(enum.Enum):
    UNKNOWN = "no script hook has been seen"
    SAMPLING = "from before_process_batch to postprocess_batch_list"
    DECODED = "pictures exist, this one is not composited yet"
    COMPOSITED = "the next save is the final image"
    SAVED = "the final image is saved, its masks may follow"


@dataclass
class Pass:
    """State of one outer pass. Times are monotonic seconds. `is_nested`: inside another, to go on from its images."""

    number: int
    facts: PassFacts
    phase: Phase = Phase.UNKNOWN
    iteration: int = 0
    hires_saved: int = 0
    index: int = 0
    returned: int = 0
    planned: int = 0
    inputs: int = 0
    begun: int = 0
    grid_members: list[str] | None = None
    batch_started: float | None = None
    image_ms: int | None = None
    details: dict[Slot, list[DetailerPass]] = field(default_factory=dict)
    before_detailer: dict[Slot, Any] = field(default_factory=dict)
    names: dict[tuple[Slot, str], str] = field(default_factory=dict)
    incomplete: str | None = None
    step: PassStep | None = None
    is_nested: bool = False

    @property
    def is_detailing(self) -> bool:
        """A stage of its own: the picture before it is the parent, not a stage of this pass."""
        return self.step is not None and self.step.stage == "adetailer"

    def start_batch(self, iteration: int, planned: int, now: float) -> None:
        """`planned` images in the whole pass, as the host means it by now: extensions change it on the way."""
        self.phase = Phase.SAMPLING
        self.planned = planned
        self.iteration, self.hires_saved = iteration, 0
        self.batch_started, self.image_ms = now, None

    def finish_batch(self, images: int, now: float, cut_short: str | None) -> None:
        """Sampling is over; its time is shared by its images. `cut_short`: `interrupted` or `skipped`."""
        self.phase = Phase.DECODED
        self.incomplete = cut_short
        if self.batch_started is not None and images:
            self.image_ms = round((now - self.batch_started) * 1000 / images)

    def composite(self, index: int) -> None:
        """The image at `index` in the batch is finished."""
        self.phase = Phase.COMPOSITED
        self.grid_members = None
        self.index = index
        self.returned += 1

    def save_final(self) -> str:
        """The final image is about to be saved."""
        self.phase = Phase.SAVED
        return "final"

    def role_of_save(self, stem: str, in_hires_pass: bool, is_foreign: bool = False) -> str:
        """The role of the save that is about to happen; `grid` counts as one here.

        `is_foreign`: neither the picture nor the place is the one the host would save next; another extension's.
        """
        if self.phase is Phase.COMPOSITED and not is_foreign:
            return self.save_final()
        if self.grid_members is not None and not is_foreign:
            return "grid"
        if in_hires_pass and self.phase in (Phase.SAMPLING, Phase.UNKNOWN):
            return "before-highres-fix"
        named = role_of_stem(stem)
        if named:
            return named
        return "final" if self.phase is Phase.UNKNOWN else "preview"

    def input_of(self, slot: Slot) -> int:
        """Which input picture the image was made from: one serves all, of several each has its place in the batch."""
        return slot[1] if self.inputs > 1 else 0

    def slot_of_save(self, role: str, iteration: int | None, index: int | None) -> Slot:
        """(iteration, index in the batch). Inside the hires pass the host's own index is stale: saves come in order."""
        if role == "before-highres-fix":
            self.hires_saved += 1
            return (self.iteration, self.hires_saved - 1)
        return (self.iteration if iteration is None else iteration, index or 0)

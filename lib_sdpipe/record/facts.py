"""What a host tells about a job, in plain values: no host object, no picture (those travel beside a line)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class RunOptions:
    """The choices of one press of Generate. `then` is what comes after it: a recipe's name, or an object with stages."""

    record: bool = True
    write_run_id: bool = True
    keep_images: bool = False
    keep_stages: bool = False
    keep_inputs: bool = True
    label: str = ""
    prompts: bool = True
    then: str | Json = ""


@dataclass(frozen=True)
class JobKey:
    """What tells one job of the host from the next: its task id and the moment its state began."""

    task: str | None
    started: float


@dataclass(frozen=True)
class RunRequest:
    """What was asked. Pictures in `config` are `{"$picture": KEY}`; the pictures themselves travel beside it."""

    source: str
    user: str | None
    config: Json
    not_replayable: tuple[str, ...] = ()


@dataclass(frozen=True)
class PassFacts:
    """One pass of the host's main loop, not counting passes inside it. `planned` images, without grid."""

    stage: str
    planned: int
    settings: Json
    requested_seed: int | None
    first_pass: Json | None = None


@dataclass(frozen=True)
class Variant:
    """Which of a script's many images this pass makes: `row` from 0, axis or slot names to values.

    `each` holds values that differ from image to image of the pass, by place in it.
    """

    row: int | None
    values: Json
    each: tuple[Json, ...] = ()

    def of_image(self, place: int) -> Json:
        """The manifest's `variant` for the image at `place` in the pass, from 0."""
        own = self.each[place] if place < len(self.each) else {}
        return {"pack": None, "row": self.row, "index": place, "values": {**self.values, **own}}


@dataclass(frozen=True)
class PassStep:
    """What a run of the pipeline says of its next pass, since the host cannot know it.

    `stage` is what its images are, `mark` their manifests' `step`, `variant` theirs, `parents` links to the recorded images
    it is made from, by place among the input pictures. Those of `kept` (places in the pass) that the host does not save are
    written to the run folder.
    """

    stage: str | None = None
    mark: Json | None = None
    variant: Json | None = None
    parents: tuple[Json | None, ...] = ()
    kept: tuple[int, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What the text inside an input picture says about where it came from."""

    run_id: str | None
    seed: int | None


@dataclass(frozen=True)
class ImageValues:
    """One image as the host made it; field names are the manifest's."""

    batch_index: int | None
    batch_size: int | None
    iteration: int | None
    batch_count: int | None
    values: Json = field(default_factory=dict)


@dataclass(frozen=True)
class DetailerPass:
    """One inner pass of ADetailer over the image that is being finished."""

    settings: Json
    actual_seed: int | None
    duration_ms: int | None

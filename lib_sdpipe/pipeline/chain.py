"""Which pass of a job comes next: all items through the first stage, then what came of them through the next.

From what is done alone, so that a job goes on after a restart from where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib_sdpipe.pipeline.records import Job


@dataclass(frozen=True)
class Step:
    """One pass of a job. `stage` from 0; `input` is the number of an item or request, later the name of the image."""

    stage: int
    input: str

    @property
    def is_first(self) -> bool:
        return self.stage == 0


def next_step(job: Job) -> Step | None:
    """None where everything is done."""
    done = {(each.stage, each.input) for each in job.done}
    return next((step for step in iter_known_steps(job) if (step.stage, step.input) not in done), None)


def iter_known_steps(job: Job) -> Iterator[Step]:
    """All passes that are known by now, in their order: those of a stage are known once the one before has ended."""
    firsts = len(job.requests) or len(job.items)
    yield from (Step(0, str(number)) for number in range(firsts))
    previous = firsts
    for stage in range(1, len(job.stages)):
        before = [each for each in job.done if each.stage == stage - 1]
        if len(before) < previous:
            return
        names = [name for each in before for name in each.images]
        yield from (Step(stage, name) for name in names)
        previous = len(names)


def count_passes(job: Job) -> tuple[int, int | None]:
    """(passes done, passes in all; None while that is not known)."""
    known = list(iter_known_steps(job))
    is_whole = not known or known[-1].stage >= len(job.stages) - 1
    return len(job.done), len(known) if is_whole else None

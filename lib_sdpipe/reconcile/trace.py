"""From candidates to an answer: which of the recorded images a picture is, and which are other stages of the same one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Optional, Tuple

from lib_sdpipe.manifest.records import Json, Manifest

# What else speaks for a candidate, best first: it decides between lineages that the evidence does not tell apart.
HINTS = ("path", "run-id", "infotext")

Name = Tuple[str, str]
Slot = Tuple[Optional[str], object, Optional[int], Optional[int], Optional[int], Optional[str]]


@dataclass(frozen=True)
class Candidate:
    """A recorded image that may be the one; `distance` in the unit of its evidence, None where that has none.

    `ancestors` are earlier stages and parents by (run id, name), `slot` is its place in its run, None where unknown.
    """

    run_id: str
    name: str
    root: str | None
    path: str | None
    width: int | None
    height: int | None
    role: str | None
    distance: float | None = None
    hints: frozenset[str] = frozenset()
    ancestors: frozenset[Name] = frozenset()
    slot: Slot | None = None


@dataclass(frozen=True)
class Match:
    """One lineage: its image that is nearest in size, and its others."""

    candidate: Candidate
    also: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """`by` is the evidence, None where nothing was found."""

    by: str | None
    matches: list[Match]

    @property
    def status(self) -> str:
        return ("not-found", "found")[len(self.matches)] if len(self.matches) < 2 else "ambiguous"

    def to_json(self) -> Json:
        matches = [
            {**self._entry(match.candidate), "also": [self._entry(each) for each in match.also]} for match in self.matches
        ]
        return {"status": self.status, "matches": matches}

    def _entry(self, candidate: Candidate) -> Json:
        return {
            "run_id": candidate.run_id, "name": candidate.name, "by": self.by, "distance": candidate.distance,
            "root": candidate.root, "path": candidate.path,
        }


def build_trace(by: str | None, candidates: Iterable[Candidate], size: tuple[int, int]) -> Trace:
    """Candidates of the best evidence as matches, one a lineage, nearest first; `size` is the picture's."""
    waiting = sorted(candidates, key=lambda c: (_scale(c, size), _far(c), c.role != "final", c.run_id, c.name))
    matches: list[Match] = []
    while waiting:
        first = waiting[0]
        also = [each for each in waiting[1:] if is_one_lineage(first, each)]
        matches.append(Match(first, also))
        waiting = [each for each in waiting[1:] if each not in also]
    if len(matches) > 1:
        matches = _preferred(matches)
    matches.sort(key=lambda match: min(_far(each) for each in (match.candidate, *match.also)))
    return Trace(by if matches else None, matches)


def is_one_lineage(one: Candidate, other: Candidate) -> bool:
    """Whether one was made from the other, or both from the same pass over the same image (a companion and its image)."""
    if (one.run_id, one.name) in other.ancestors or (other.run_id, other.name) in one.ancestors:
        return True
    # Two final images are siblings, whatever they share: a script can make several from one seed.
    return one.slot is not None and one.slot == other.slot and not (one.role == other.role == "final")


def read_ancestors(manifest: Manifest) -> frozenset[Name]:
    """(run id, name) of every earlier stage that was recorded; an older program's history stays in its run."""
    links = [*manifest.stage_history, *([manifest.parent] if manifest.parent else [])]
    names = ((link.run_id or manifest.run_id, link.name) for link in links)
    return frozenset((run_id, name) for run_id, name in names if run_id and name)


def read_slot(manifest: Manifest) -> Slot | None:
    """The image's place in its run: the pass where a script makes several, the batch, and what was asked for there."""
    batch = manifest.batch
    if batch is None or batch.index is None or manifest.stage == "grid":
        return None
    row = (manifest.variant or {}).get("row")
    is_plain = row is None or isinstance(row, (int, str))
    return manifest.run_id, row if is_plain else None, batch.iteration, batch.index, manifest.actual_seed, manifest.prompt


def _preferred(matches: list[Match]) -> list[Match]:
    """The lineages that the best of the hints names; all, where none names any."""
    for hint in HINTS:
        named = [match for match in matches if any(hint in each.hints for each in (match.candidate, *match.also))]
        if named:
            return named
    return matches


def _scale(candidate: Candidate, size: tuple[int, int]) -> float:
    """How far the sizes are apart: 0 for the same, 1 for twice or half the edge."""
    if not candidate.width or not candidate.height:
        return math.inf
    return round(abs(math.log2(candidate.width * candidate.height / (size[0] * size[1]))) / 2, 1)


def _far(candidate: Candidate) -> float:
    return math.inf if candidate.distance is None else candidate.distance

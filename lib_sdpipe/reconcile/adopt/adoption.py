"""From images that no manifest names to the operations that record them, a stretch of time at a time."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from datetime import datetime
from typing import Iterable, Iterator, Protocol

from lib_sdpipe.manifest.names import build_label, build_run_id, is_run_id
from lib_sdpipe.reconcile.adopt.documents import LABEL, GroupRecords
from lib_sdpipe.reconcile.adopt.found import FoundImage
from lib_sdpipe.reconcile.adopt.grouping import Group, group_images
from lib_sdpipe.reconcile.adopt.parents import KnownImages, Lineage, leave_out_copies
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.operations.operation import Operation

# Nothing that belongs together lies further apart than the longest pass.
_PAUSE_SECONDS = 30 * 60.0
NO_INFOTEXT, COPIES, OF_RECORDED_RUNS = "no-infotext", "copies", "of-recorded-runs"
_RUN_ID_HEAD = len("20251225_143022_")


class AdoptionRecords(KnownImages, Protocol):
    """Reading, for the planner."""

    def iter_orphans(self, findings: Iterable[Finding]) -> Iterator[FoundImage]:
        """The images of these folders that no manifest names, the oldest first."""

    def run_ids(self) -> Iterable[str]:
        """Of all runs that are there."""


class Adoption:
    """One plan. `skipped` counts the files that were left as they are, by reason; `runs` and `images` those that come of it."""

    def __init__(self, records: AdoptionRecords, takes_all: bool = False, limit: int | None = None) -> None:
        """`takes_all`: also files without the text of any generator. `limit`: about so many images; no run is cut."""
        self.skipped: Counter[str] = Counter()
        self.runs = self.images = 0
        self._records = records
        self._lineage = Lineage(records)
        self._takes_all = takes_all
        self._limit = limit
        self._there = frozenset(records.run_ids())
        self._given: set[str] = set()
        self._attempts: dict[str, int] = {}

    def iter_operations(self, findings: Iterable[Finding]) -> Iterator[Operation]:
        """One for each run, the oldest first."""
        for stretch in _split_by_time(self._records.iter_orphans(findings)):
            for group in group_images(self._choose(stretch)):
                if self._limit is not None and self.images >= self._limit:
                    return
                yield self._adopt(group)

    def _choose(self, stretch: list[FoundImage]) -> list[FoundImage]:
        chosen = []
        for one in _join_beside(stretch):
            run_id = one.run_id if one.run_id is not None and _is_whole_run_id(one.run_id) else None
            if run_id is not None and (run_id in self._there or run_id in self._given):
                self.skipped[OF_RECORDED_RUNS] += 1
                continue
            if run_id != one.run_id:
                one = dataclasses.replace(one, run_id=None)
            chosen.append(one)
        chosen, copies = leave_out_copies(chosen, self._lineage)
        self.skipped[COPIES] += copies
        if self._takes_all:
            return chosen
        told = {one.parsed.parameters.get("Init image hash") for one in chosen if "Init image hash" in (one.infotext or "")}
        known = [one for one in chosen if one.kind != "unknown" and not _is_stray_input(one, told)]
        self.skipped[NO_INFOTEXT] += len(chosen) - len(known)
        return known

    def _adopt(self, group: Group) -> Operation:
        run_id = group.run_id or self._new_run_id(group.files[0].mtime)
        self._given.add(run_id)
        self.runs += 1
        self.images += len(group.files)
        records = GroupRecords(group, run_id, self._lineage.find_parent)
        operation = records.build_operation()
        for one in group.images:
            if one.kind == "image":
                self._lineage.note(one, run_id, records.names[one])
        return operation

    def _new_run_id(self, seconds: float) -> str:
        """Of the local time, as all run ids; unlike those that are there."""
        began = _local_time(seconds)
        first = build_run_id(began, LABEL)
        # Thousands can have one second: those of a copied folder.
        attempt = self._attempts.get(first, 1)
        while (run_id := build_run_id(began, LABEL, attempt)) in self._there or run_id in self._given:
            attempt += 1
        self._attempts[first] = attempt + 1
        return run_id


def build_adoptions(findings: list[Finding], records: AdoptionRecords) -> list[Operation]:
    """For a plan of several kinds of operations."""
    return list(Adoption(records).iter_operations(findings))


def _split_by_time(images: Iterable[FoundImage]) -> Iterator[list[FoundImage]]:
    stretch: list[FoundImage] = []
    for one in images:
        if stretch and one.mtime - stretch[-1].mtime > _PAUSE_SECONDS:
            yield stretch
            stretch = []
        stretch.append(one)
    if stretch:
        yield stretch


def _join_beside(images: list[FoundImage]) -> list[FoundImage]:
    """Without the small JPEG that the host wrote beside a large PNG: it goes into the record of the PNG."""
    by_place: dict[tuple[str, str], dict[str, FoundImage]] = defaultdict(dict)
    for one in images:
        by_place[one.root, one.folder][one.name] = one
    gone = set[FoundImage]()
    joined = []
    for one in images:
        others = {name: by_place[one.root, one.folder].get(name) for name in one.beside}
        mine = [name for name, other in others.items() if other is None or other.infotext == one.infotext]
        gone |= {other for name in mine if (other := others[name]) is not None}
        joined.append(one if len(mine) == len(one.beside) else dataclasses.replace(one, beside=tuple(mine)))
    return [one for one, before in zip(joined, images) if before not in gone]


def _is_stray_input(one: FoundImage, told: set[str | None]) -> bool:
    """A picture under the md5 of its pixels that no image here was made from, and that tells nothing itself."""
    return one.kind == "input" and one.infotext is None and one.host_name.rest not in told


def _is_whole_run_id(text: str) -> bool:
    """A run id as it is made: nothing in it that a folder's name could not be."""
    return is_run_id(text) and build_label(text[_RUN_ID_HEAD:]) == text[_RUN_ID_HEAD:]


def _local_time(seconds: float) -> datetime:
    """The start of time for what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds)
    except (OverflowError, OSError, ValueError):
        return datetime(1970, 1, 1)

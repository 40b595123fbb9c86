"""Which files one press of Generate saved, by what they say and when and under which names they were saved.

A wrong group is worse than a small one: what is not proved stays apart. Every file is in exactly one group, whatever the
order they come in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Iterable, Sequence

from lib_sdpipe.reconcile.adopt.companions import match_companions
from lib_sdpipe.reconcile.adopt.found import CLOCK_SECONDS, FoundImage
from lib_sdpipe.reconcile.adopt.grids import find_members

# Longer between two images of a batch that no grid proves, and they may as well be two presses of Generate.
LONGEST_GAP_SECONDS = 60.0
# Images that the user has deleted leave a hole in seeds and in numbers alike.
_LARGEST_HOLE = 16


@dataclass
class Group:
    """One run to be: `images` in the order of their seeds; each companion with the image it belongs to, None where that is gone."""

    images: list[FoundImage] = field(default_factory=list)
    companions: list[tuple[FoundImage, FoundImage | None]] = field(default_factory=list)
    grid: FoundImage | None = None
    run_id: str | None = None

    @property
    def files(self) -> list[FoundImage]:
        """All of them in the order of saving."""
        grid = [self.grid] if self.grid is not None else []
        return sorted([*self.images, *(one for one, _ in self.companions), *grid], key=lambda found: found.order)


def group_images(found: Iterable[FoundImage]) -> list[Group]:
    """Files of one stretch of time as groups, the oldest first."""
    kinds: dict[str, list[FoundImage]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.order):
        kinds[one.kind].append(one)
    groups = _group_by_run_id(kinds) + _group_by_grid(kinds) + _group_by_seeds(kinds["image"], kinds["companion"])
    _add_companions(groups, kinds["companion"], kinds["input"])
    rest = (one for kind in ("extras", "foreign", "unknown") for one in kinds[kind])
    groups += [Group(images=[one]) for one in rest]
    return sorted(groups, key=lambda group: group.files[0].order)


def _group_by_run_id(kinds: dict[str, list[FoundImage]]) -> list[Group]:
    """Files whose own text names their run need no other proof. They are taken out of `kinds`."""
    groups: dict[str, Group] = {}
    for kind in ("image", "companion", "grid", "extras"):
        for one in kinds[kind]:
            if one.run_id is None:
                continue
            group = groups.setdefault(one.run_id, Group(run_id=one.run_id))
            if kind == "companion":
                group.companions.append((one, None))
            elif kind == "grid" and group.grid is None and _is_plain_grid(one):
                group.grid = one
            else:
                group.images.append(one)
        kinds[kind] = [one for one in kinds[kind] if one.run_id is None]
    for group in groups.values():
        matched = match_companions(group.images, [one for one, _ in group.companions])
        group.companions = [(one, matched.get(one)) for one, _ in group.companions]
    return list(groups.values())


def _group_by_grid(kinds: dict[str, list[FoundImage]]) -> list[Group]:
    """A grid says how many images its batch had and which was the first. They are taken out of `kinds`."""
    by_count: dict[bytes, dict[int, list[FoundImage]]] = defaultdict(lambda: defaultdict(list))
    for image in kinds["image"]:
        if image.settings.count is not None:
            by_count[image.settings.key][image.settings.count].append(image)
    groups, taken = [], set[FoundImage]()
    for grid in kinds["grid"]:
        members = find_members(grid, by_count[grid.settings.key], taken) if _is_plain_grid(grid) else []
        taken.update(members)
        groups.append(Group(images=members, grid=grid))
    kinds["image"] = [one for one in kinds["image"] if one not in taken]
    return groups


def _group_by_seeds(images: list[FoundImage], companions: list[FoundImage]) -> list[Group]:
    """A batch without a grid: seeds and numbers go up together, one soon after the other."""
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in companions:
        if one.host_name.number is not None:
            numbers[one.root, one.folder].append(one.host_name.number)
    for of_folder in numbers.values():
        of_folder.sort()
    alike: dict[tuple[str, str, bytes], list[FoundImage]] = defaultdict(list)
    for image in images:
        alike[image.root, image.folder, image.settings.key].append(image)
    groups = []
    for (root, folder, _), batch in alike.items():
        batches: list[list[FoundImage]] = []
        for image in sorted(batch, key=_by_number):
            if batches and _follows(image, batches[-1][-1], numbers[root, folder]):
                batches[-1].append(image)
            else:
                batches.append([image])
        groups += [Group(images=one) for one in batches]
    return groups


def _follows(image: FoundImage, before: FoundImage, companions: Sequence[int]) -> bool:
    """Whether it is the next of the same batch; `companions` are the numbers in this folder that companions have, sorted."""
    count, last = image.settings.count, before.settings.count
    if count is None or last is None or not 1 <= count - last <= _LARGEST_HOLE:
        return False
    if not -CLOCK_SECONDS <= image.mtime - before.mtime <= LONGEST_GAP_SECONDS:
        return False
    number, first = image.host_name.number, before.host_name.number
    if number is None or first is None:
        return number is first and count - last == 1
    between = bisect_left(companions, number) - bisect_right(companions, first)
    return number - first - between == count - last


def _add_companions(groups: list[Group], companions: list[FoundImage], inputs: list[FoundImage]) -> None:
    """To the group of their image; the others are groups of their own."""
    of = {image: group for group in groups if group.run_id is None for image in group.images}
    matched = match_companions(list(of), companions + inputs)
    for one in companions + inputs:
        image = matched.get(one)
        if image is not None:
            of[image].companions.append((one, image))
        else:
            groups.append(Group(companions=[(one, None)]))


def _is_plain_grid(grid: FoundImage) -> bool:
    """The grid of a batch; that of a script shows images of other settings."""
    return grid.host_name.grid == "grid" and "Script" not in grid.parsed.parameters


def _by_number(image: FoundImage) -> tuple[bool, int, tuple[float, str, str, int, str]]:
    number = image.host_name.number
    return number is None, number if number is not None else 0, image.order

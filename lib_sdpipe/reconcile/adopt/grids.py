"""The images of a batch's grid: the host gives it the first image's text, and saves it just after the last."""

from __future__ import annotations

from bisect import bisect_right
from typing import Container, Mapping, Sequence

from lib_sdpipe.reconcile.adopt.found import CLOCK_SECONDS, FoundImage

# Between two images of a batch that a grid proves: a slow computer.
_LONGEST_IMAGE_SECONDS = 30 * 60.0
# Between the last image and the grid, which is put together and written.
_LONGEST_GRID_SECONDS = 120.0
# No host's page asks for more in one press.
_MOST_IMAGES = 1000
# Of a batch the user may have deleted that many from its beginning.
_MOST_MISSING = 64
# The same seed with the same settings, again and again: only the last ones can be the grid's.
_MOST_OF_A_SEED = 50


def find_members(grid: FoundImage, by_count: Mapping[int, Sequence[FoundImage]], taken: Container[FoundImage]) -> list[FoundImage]:
    """The images that the grid shows, by seed; empty where that is not proved.

    `by_count` are the images of the same settings by what goes up in a batch, each list in the order of saving. Of several
    with one seed it is the one saved last before the grid.
    """
    first = grid.settings.count
    if first is None:
        return []
    saved: dict[tuple[str, str], dict[int, FoundImage]] = {}
    place, places = 0, _MOST_MISSING
    while place < places:
        images = by_count.get(first + place, ())
        last = bisect_right(images, grid.mtime + CLOCK_SECONDS, key=lambda one: one.mtime)
        for image in images[max(0, last - _MOST_OF_A_SEED):last]:
            cells = _count_cells(grid, image)
            if cells is not None and image not in taken:
                saved.setdefault((image.root, image.folder), {})[place] = image
                places = min(cells, _MOST_IMAGES)
        place += 1
    fitting = sorted((_fit(grid, found) for found in saved.values()), key=len, reverse=True)
    if not fitting or (len(fitting) > 1 and len(fitting[0]) == len(fitting[1])):
        return []
    return fitting[0]


def _fit(grid: FoundImage, by_place: dict[int, FoundImage]) -> list[FoundImage]:
    """Those of one folder, as far as they can be one batch that ended just before the grid."""
    members = [by_place[place] for place in sorted(by_place)]
    while members and not _belongs(members):
        members = members[1:]  # an older picture with the batch's first seed; what follows it is the batch
    is_soon = members and grid.mtime - max(one.mtime for one in members) <= _LONGEST_GRID_SECONDS
    return members if is_soon else []


def _count_cells(grid: FoundImage, image: FoundImage) -> int | None:
    """How many such images have room in it; None where its size is no multiple of the image's."""
    if not (grid.width and grid.height and image.width and image.height):
        return None
    if grid.width % image.width or grid.height % image.height:
        return None
    return (grid.width // image.width) * (grid.height // image.height)


def _belongs(members: Sequence[FoundImage]) -> bool:
    """Whether all have one size, numbers and times go up with the seeds, and no more time lies between two than an image takes."""
    if len({(one.width, one.height) for one in members}) > 1:
        return False
    for before, after in zip(members, members[1:]):
        numbers = before.host_name.number, after.host_name.number
        places = (after.settings.count or 0) - (before.settings.count or 0)
        if None not in numbers and numbers[0] >= numbers[1]:  # type: ignore[operator]
            return False
        if not -CLOCK_SECONDS <= after.mtime - before.mtime <= places * _LONGEST_IMAGE_SECONDS:
            return False
    return True

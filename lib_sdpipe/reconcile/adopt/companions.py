"""Pictures that the host saved on the way to an image, or beside it: the ending of their name says what they are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import Iterable, Sequence

from lib_sdpipe.reconcile.adopt.found import CLOCK_SECONDS, FoundImage

# A pass with hires fix on a slow computer; masks come at once.
_LONGEST_PASS_SECONDS = 30 * 60.0
_LONGEST_SAVE_SECONDS = 120.0
# A batch has fewer images whose names differ in nothing but the number.
_MOST_LOOKED_AT = 200
_AFTER = ("mask", "mask-composite")
# ADetailer gives these the text of the first image of the job; their names have the right seed.
_TEXT_OF_ANOTHER = ("before-adetailer", "preview")
_SEVERAL = ("preview",)
_INPUT_HASH = "Init image hash"


def match_companions(images: Sequence[FoundImage], companions: Iterable[FoundImage]) -> dict[FoundImage, FoundImage]:
    """Each companion's image, where one is proved; an image has one of a role, the nearest."""
    by_name: dict[tuple[str, str, str], list[FoundImage]] = defaultdict(list)
    by_input: dict[str, list[FoundImage]] = defaultdict(list)
    for image in sorted(images, key=lambda one: one.order):
        by_name[image.root, image.folder, image.host_name.rest].append(image)
        if image.infotext is not None and _INPUT_HASH in image.infotext:
            by_input[image.parsed.parameters.get(_INPUT_HASH, "")].append(image)
    best: dict[tuple[FoundImage, str], tuple[tuple[int, float], FoundImage]] = {}
    matched: dict[FoundImage, FoundImage] = {}
    for one in sorted(companions, key=lambda one: one.order):
        if one.kind == "input":
            made = _made_from(one, by_input[one.host_name.rest])
            if made is not None:
                matched[one] = made
            continue
        role = one.host_name.role or ""
        alike = by_name[one.root, one.folder, one.host_name.rest]
        near = [(_distance(one, image, role), image) for image in _around(one, role, alike)]
        fitting = [(distance, image) for distance, image in near if distance is not None]
        if not fitting:
            continue
        distance, image = min(fitting, key=lambda each: (each[0], each[1].order))
        if role in _SEVERAL:
            matched[one] = image
        elif (image, role) not in best or distance < best[image, role][0]:
            best[image, role] = distance, one
    matched.update({one: image for (image, _), (_, one) in best.items()})
    return matched


def _around(one: FoundImage, role: str, images: Sequence[FoundImage]) -> Sequence[FoundImage]:
    """Those of `images`, sorted by time, that were saved shortly before or after it, as its role says; the nearest."""
    if role in _AFTER:
        begin, end = one.mtime - _LONGEST_SAVE_SECONDS, one.mtime + CLOCK_SECONDS
    else:
        begin, end = one.mtime - CLOCK_SECONDS, one.mtime + _LONGEST_PASS_SECONDS
    first = bisect_left(images, begin, key=lambda image: image.mtime)
    last = bisect_right(images, end, key=lambda image: image.mtime)
    return images[max(first, last - _MOST_LOOKED_AT):last] if role in _AFTER else images[first:min(last, first + _MOST_LOOKED_AT)]


def _distance(one: FoundImage, image: FoundImage, role: str) -> tuple[int, float] | None:
    """How far apart by number and time; None where it is none of this image's."""
    if role not in _TEXT_OF_ANOTHER and one.settings.request != image.settings.request:
        return None
    seconds = abs(one.mtime - image.mtime)
    numbers = one.host_name.number, image.host_name.number
    if numbers[0] is None or numbers[1] is None:
        return (0, seconds) if numbers[0] is numbers[1] else None
    places = numbers[0] - numbers[1] if role in _AFTER else numbers[1] - numbers[0]
    return (places, seconds) if places >= 0 else None


def _made_from(one: FoundImage, images: Sequence[FoundImage]) -> FoundImage | None:
    """The host writes the picture anew each time it begins with it: the next image is made from it."""
    later = [image for image in images if 0 <= image.mtime - one.mtime + CLOCK_SECONDS <= _LONGEST_PASS_SECONDS]
    return min(later, key=lambda image: image.order) if later else None

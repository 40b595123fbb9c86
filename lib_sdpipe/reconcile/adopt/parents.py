"""What an adopted image was made from, where its text leaves no doubt, and which file is only a copy of another."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Iterable, Protocol

from lib_sdpipe.reconcile.adopt.found import CLOCK_SECONDS, FoundImage
from lib_sdpipe.reconcile.findings import Json

# People send a picture on while they have it before them.
_LONGEST_SENT_SECONDS = 24 * 3600.0
# Smaller seeds are typed by hand, again and again: they prove nothing. Hosts draw from 2^32.
_SMALLEST_DRAWN_SEED = 1 << 16
_HOST_FOLDER = re.compile(r"(^|/)([\w-]+-(images|grids)|\d{4}-\d{2}-\d{2})(/|$)", re.ASCII)


@dataclass(frozen=True)
class KnownImage:
    """A final image that is recorded, or will be by this plan. `request` as in Settings; `time` in seconds since 1970."""

    run_id: str
    name: str
    root: str | None
    path: str | None
    width: int | None
    height: int | None
    time: float
    request: bytes


class KnownImages(Protocol):
    """What the library has recorded already."""

    def find_by_infotext(self, infotext: str) -> list[KnownImage]:
        """Final images with this text to the letter."""

    def find_by_seed(self, seed: int) -> list[KnownImage]: ...


class Lineage:
    """Final images of the library and of the plan so far, the oldest first."""

    def __init__(self, known: KnownImages) -> None:
        self._known = known
        self._by_text: dict[int, list[KnownImage]] = defaultdict(list)
        self._by_request: dict[bytes, list[KnownImage]] = defaultdict(list)

    def note(self, found: FoundImage, run_id: str, name: str) -> None:
        """An image that the plan records."""
        one = KnownImage(run_id, name, found.root, found.path, found.width, found.height, found.mtime, found.settings.request)
        self._by_text[hash(found.infotext)].append(one)
        self._by_request[one.request].append(one)

    def find_parent(self, found: FoundImage, stage: str | None, source: FoundImage | None) -> Json | None:
        """A manifest's `parent`. `source` is the picture that the host saved as what it began with."""
        if stage == "upscale":
            candidates = self._with_text(found.infotext)
        elif stage not in ("img2img", "inpaint"):
            return None
        elif source is not None and source.infotext is not None:
            candidates = self._with_text(source.infotext)
        else:
            candidates = self._with_request(found)
        if len(candidates) != 1:
            return None
        return {"run_id": candidates[0].run_id, "name": candidates[0].name, "by": "infotext", "pixel_sha256": None}

    def is_copy(self, found: FoundImage) -> bool:
        """Whether it is one of a picture that is known already."""
        if found.infotext is None or found.extras is not None:
            return False
        return any(_is_copy_of(found, known) for known in self._with_text(found.infotext))

    def _with_text(self, infotext: str | None) -> list[KnownImage]:
        if infotext is None:
            return []
        return [*self._known.find_by_infotext(infotext), *self._by_text.get(hash(infotext), ())]

    def _with_request(self, found: FoundImage) -> list[KnownImage]:
        """What has the same prompts, seed, model and proportions, and was made not long before."""
        settings = found.settings
        if settings.seed is None or settings.seed < _SMALLEST_DRAWN_SEED:
            return []
        candidates = [*self._known.find_by_seed(settings.seed), *self._by_request.get(settings.request, ())]
        return [
            known for known in candidates if known.request == settings.request and _has_proportions(known, found)
            and -CLOCK_SECONDS <= found.mtime - known.time <= _LONGEST_SENT_SECONDS
        ]


def leave_out_copies(found: Iterable[FoundImage], lineage: Lineage) -> tuple[list[FoundImage], int]:
    """(files without copies of others, how many copies).

    Of several the one stays that lies where a host saves, and there the one least deep: a backup is a folder in a folder.
    """
    seen: dict[tuple[str, int], list[FoundImage]] = defaultdict(list)
    kept, copies = [], 0
    for one in sorted(found, key=lambda one: (not _is_where_hosts_save(one), one.folder.count("/"), one.order)):
        alike = seen[one.name, hash((one.infotext, one.extras))]
        if one.infotext is not None and (any(_is_copy_of(one, first) for first in alike) or lineage.is_copy(one)):
            copies += 1
        else:
            alike.append(one)
            kept.append(one)
    return kept, copies


def _is_copy_of(found: FoundImage, known: KnownImage | FoundImage) -> bool:
    """Same name and size in another folder, of two pictures with one text.

    Where hosts save it may be another press with the same settings, on another day: there a copy has the time, too.
    """
    time = known.mtime if isinstance(known, FoundImage) else known.time
    folder, _, name = (known.path or "").rpartition("/")
    is_alike = name == found.name and (known.width, known.height) == (found.width, found.height)
    is_elsewhere = (known.root, folder) != (found.root, found.folder)
    return is_alike and is_elsewhere and (not _is_where_hosts_save(found) or abs(time - found.mtime) <= CLOCK_SECONDS)


def _is_where_hosts_save(found: FoundImage) -> bool:
    return _HOST_FOLDER.search(f"{found.root}/{found.folder}") is not None


def _has_proportions(known: KnownImage, found: FoundImage) -> bool:
    if not (known.width and known.height and found.width and found.height):
        return False
    one, other = known.width * found.height, known.height * found.width
    return abs(one - other) <= 0.02 * max(one, other)

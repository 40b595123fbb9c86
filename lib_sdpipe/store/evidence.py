"""Evidence for whose picture this is, from the index and the files it names. What it means is for others to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import is_scaled_copy, near_pixel_difference
from lib_sdpipe.images.read import read_image
from lib_sdpipe.index.pictures import Alike, Pictures, Recorded
from lib_sdpipe.store.library import Library

# Forge's canvas changes a few values by one; comparing a handful of look-alikes finds the source behind it.
_MOST_COMPARED = 8
# In mean colour difference; near-identical siblings are a tenth of it apart.
_HARDLY_FARTHER = 0.5


def without_inputs(candidates: list[Recorded]) -> list[Recorded]:
    """Without what the host saved of its input pictures: those were not made there."""
    return [r for r in candidates if r.role != "init"]


def find_claimed(pictures: Pictures, run_id: str | None, seed: int | None, size: tuple[int, int] | None) -> list[Recorded]:
    """Images that the Run ID and the seed in a picture's text name; those of the picture's size first."""
    if run_id is None or seed is None:
        return []
    named = [r for r in without_inputs(pictures.find_by_seed(run_id, seed)) if r.stage != "grid"]
    return sorted(named, key=lambda r: ((r.width, r.height) != size, r.role != "final"))


def compare_pixels(library: Library, picture: Image.Image, candidates: list[Recorded]) -> list[tuple[float, Recorded]]:
    """(mean difference, image) of those among the first few candidates whose pixels are near, in their order."""
    compared = [(_difference(library, picture, each), each) for each in list(dict.fromkeys(candidates))[:_MOST_COMPARED]]
    return [(difference, each) for difference, each in compared if difference is not None]


def compare_looks(library: Library, picture: Image.Image, alike: list[Alike]) -> list[Alike]:
    """Those that the picture is a copy of by their looks, in any size, nearest first.

    Where none matches, some of those that nearly do are compared with their files. With a match goes what is hardly
    farther: of two siblings the wrong one may be a shade nearer.
    """
    matching = [each for each in alike if each.is_match]
    if matching:
        most = min(each.colour for each in matching) + _HARDLY_FARTHER
        return [each for each in alike if each.is_match or each.colour <= most]
    likeliest = sorted(alike, key=lambda each: each.colour)[:_MOST_COMPARED]
    return [each for each in likeliest if _is_copy(library, picture, each.recorded)]


def _is_copy(library: Library, picture: Image.Image, candidate: Recorded) -> bool:
    files = library.iter_files(candidate.root, candidate.path, candidate.kept)
    return any(is_scaled_copy(picture, found) for found in _iter_pictures(files))


def _difference(library: Library, picture: Image.Image, candidate: Recorded) -> float | None:
    """How far the candidate's file is from the picture; None where it is not near or cannot be read."""
    if (candidate.width, candidate.height) != picture.size:
        return None
    files = library.iter_files(candidate.root, candidate.path, candidate.kept)
    return next((near_pixel_difference(picture, found) for found in _iter_pictures(files)), None)


def _iter_pictures(files: Iterable[Path]) -> Iterator[Image.Image]:
    for file in files:
        try:
            yield read_image(str(file))[1]
        except (OSError, SdPipeError):
            continue  # moved or damaged since: no evidence, and `check` tells about it

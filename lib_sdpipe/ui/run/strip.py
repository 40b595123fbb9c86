"""The thumbnails of a run, some at a time: a page of thousands stops a browser. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui import words

PAGE_TILES = 60
_LONGEST_VARIANT = 40


@dataclass(frozen=True)
class Tile:
    """`more` tells it from the others of its stage; `absence` says in two words why there is no picture."""

    name: str
    more: str = ""
    absence: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class Strip:
    """Page `page` (from 0) of `pages`; `first` is the number of its first tile, from 1, of `total`."""

    tiles: list[Tile]
    page: int
    pages: int
    first: int
    total: int


def choose_page(manifests: list[Manifest], name: str | None, page: int | None) -> tuple[int, list[Manifest]]:
    """The page that was turned to, else the one with the chosen image; and what is on it."""
    pages = max(1, -(-len(manifests) // PAGE_TILES))
    if page is None:
        page = next((number for number, manifest in enumerate(manifests) if manifest.name == name), 0) // PAGE_TILES
    page = max(0, min(page, pages - 1))
    return page, manifests[page * PAGE_TILES:(page + 1) * PAGE_TILES]


def present_strip(total: int, page: int, shown: list[Manifest], absences: list[str], name: str | None) -> Strip:
    tiles = [
        Tile(manifest.name or "", tell_apart(manifest), absence, manifest.name == name)
        for manifest, absence in zip(shown, absences) if manifest.name
    ]
    return Strip(tiles, page, max(1, -(-total // PAGE_TILES)), page * PAGE_TILES + 1, total)


def tell_apart(manifest: Manifest) -> str:
    """Its role, and what a script varied; empty for a final image like any other."""
    varied = words.format_value((manifest.variant or {}).get("values"))
    if len(varied) > _LONGEST_VARIANT:
        varied = varied[:_LONGEST_VARIANT] + "…"
    return " · ".join(part for part in (words.format_role(manifest.role), varied) if part)

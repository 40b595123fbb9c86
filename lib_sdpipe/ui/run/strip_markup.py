"""HTML of the thumbnails of a run."""

from __future__ import annotations

import json

from lib_sdpipe.ui.html_text import ask_attributes, e
from lib_sdpipe.ui.run.strip import Strip, Tile
from lib_sdpipe.workspace.page_address import build_picture_address, build_thumbnail_address


def show_strip(strip: Strip, run_id: str) -> str:
    """The images that can be chosen; javascript/sdpipe_viewer.js goes through them in this order."""
    if not strip.total:
        return ""
    tiles = "".join(_show_tile(tile, run_id) for tile in strip.tiles)
    numbers = f'data-sdpipe-first="{strip.first}" data-sdpipe-total="{strip.total}"'
    inside = f'{_show_pager(strip)}<ul aria-label="Images of the run">{tiles}</ul>'
    return f'<div class="sdpipe-tiles" data-sdpipe-gallery="run" {numbers}>{inside}</div>'


def _show_pager(strip: Strip) -> str:
    if strip.pages < 2:
        return ""
    last = strip.first + len(strip.tiles) - 1
    before = _turn("‹", "Images before these", strip.page - 1, strip.page > 0, "before")
    after = _turn("›", "Images after these", strip.page + 1, strip.page + 1 < strip.pages, "after")
    return f'<div class="sdpipe-actions">{before}<span class="sdpipe-place">{strip.first:,}–{last:,} / {strip.total:,}</span>{after}</div>'


def _turn(sign: str, label: str, page: int, is_possible: bool, where: str) -> str:
    asks = ask_attributes("turn_strip", {"page": page}) if is_possible else "disabled"
    return f'<button type="button" class="sdpipe-button" {asks} data-sdpipe-more="{where}" aria-label="{e(label)}">{sign}</button>'


def _show_tile(tile: Tile, run_id: str) -> str:
    link = {"run": run_id, "name": tile.name}
    current = ' aria-current="true"' if tile.is_current else ""
    if tile.absence:
        inside, full = f'<span class="sdpipe-tile-none">{e(tile.absence)}</span>', ""
    else:
        small = build_thumbnail_address(run_id, tile.name)
        inside = f'<img src="{e(small)}" alt="" loading="lazy" decoding="sync" data-sdpipe-thumbnail>'
        full = f' data-sdpipe-full="{e(build_picture_address(run_id, tile.name))}" data-sdpipe-small="{e(small)}"'
    said = ", ".join(part for part in (tile.name, tile.more, tile.absence) if part)
    more = f'<span class="sdpipe-tile-name">{e(tile.more)}</span>' if tile.more else ""
    return (
        f'<li class="sdpipe-tile"{current}><button type="button" {ask_attributes("open", link)}{full}'
        f' data-sdpipe-caption="{e(said)}" aria-label="{e(said)}" title="{e(said)}"{current}>{inside}'
        f'<span class="sdpipe-tile-name">{e(tile.name)}</span>{more}</button>{_show_pick(tile, link)}</li>'
    )


def _show_pick(tile: Tile, link: dict[str, str]) -> str:
    data = e(json.dumps(link, sort_keys=True))
    return f'<input type="checkbox" class="sdpipe-pick" data-sdpipe-pick="{data}" aria-label="{e(f"Pick {tile.name}")}">'

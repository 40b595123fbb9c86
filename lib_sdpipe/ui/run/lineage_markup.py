"""HTML of the lineage picture: cards in columns, and the lines between them as one SVG behind."""

from __future__ import annotations

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, e
from lib_sdpipe.ui.run.folding import MOST_LEVELS
from lib_sdpipe.ui.run.graph import ELSEWHERE, FOLD, INPUT, LATER, UNSEEN, Key, Link, Step
from lib_sdpipe.ui.run.layout import Layout, Placed
from lib_sdpipe.workspace.page_address import build_input_address, build_thumbnail_address

# Pixels; style.css has the same for a card.
CARD_WIDTH, CARD_HEIGHT = 152, 56
_PITCH_X, _PITCH_Y = CARD_WIDTH + 30, CARD_HEIGHT + 10
_EDGE = 4
_LOST = "in bin or lost"


def show_lineage(layout: Layout, current: Key | None, level: int) -> str:
    """The picture; empty where there is nothing to show but the one image itself."""
    if len(layout.placed) < 2:
        return ""
    width = layout.columns * _PITCH_X - (_PITCH_X - CARD_WIDTH) + 2 * _EDGE
    height = round(layout.rows * _PITCH_Y) - (_PITCH_Y - CARD_HEIGHT) + 2 * _EDGE
    places = {placed.step.key: placed for placed in layout.placed}
    lines = "".join(_show_line(link, places) for link in layout.links)
    cards = "".join(_show_card(placed, placed.step.key == current, level) for placed in layout.placed)
    less = ask_button("Show less", "unfold", {"level": 0}, kind="sdpipe-link") if level else ""
    return (
        f'<section class="sdpipe-lineage" aria-label="Lineage"><h4>Lineage {less}</h4><div class="sdpipe-graph-box" tabindex="-1">'
        f'<div class="sdpipe-graph" style="width:{width}px;height:{height}px">'
        f'<svg width="{width}" height="{height}" aria-hidden="true">{lines}</svg><ol>{cards}</ol></div></div></section>'
    )


def _show_line(link: Link, places: dict[Key, Placed]) -> str:
    start, end = _corner(places[link.start]), _corner(places[link.end])
    x1, y1 = start[0] + CARD_WIDTH, start[1] + CARD_HEIGHT // 2
    x2, y2 = end[0], end[1] + CARD_HEIGHT // 2
    return f'<path class="sdpipe-line sdpipe-line-{link.kind}" d="M{x1} {y1}C{x1 + 18} {y1} {x2 - 18} {y2} {x2} {y2}"/>'


def _corner(placed: Placed) -> tuple[int, int]:
    return placed.column * _PITCH_X + _EDGE, round(placed.row * _PITCH_Y) + _EDGE


def _show_card(placed: Placed, is_current: bool, level: int) -> str:
    left, top = _corner(placed)
    step = placed.step
    style = f'style="left:{left}px;top:{top}px"'
    if step.kind == FOLD:
        return f"<li {style}>{_show_fold(step, level)}</li>"
    title = "input picture" if step.kind == INPUT else words.format_stage(step.stage)
    lines = [line for line in (words.format_role(step.role), *_more(step)) if line]
    more = "".join(f'<span class="sdpipe-step-more" dir="auto">{e(line)}</span>' for line in lines[:2])
    inside = f'{_show_small(step)}<span class="sdpipe-step-text"><span class="sdpipe-step-title">{e(title)}</span>{more}</span>'
    if not step.name or not step.run_id:
        return f'<li {style}><div class="sdpipe-step sdpipe-step-{step.kind}" title="{e(title)}">{inside}</div></li>'
    current = ' aria-current="true"' if is_current else ""
    asks = ask_attributes("open", {"run": step.run_id, "name": step.name})
    spoken = ", ".join([title, *lines, step.name])
    return (
        f'<li {style}><button type="button" class="sdpipe-step sdpipe-step-{step.kind}" {asks}{current}'
        f' title="{e(_hint(step))}" aria-label="{e(spoken)}">{inside}</button></li>'
    )


def _show_fold(step: Step, level: int) -> str:
    what = "more images" if step.key == ("fold", "images") else "more in later runs"
    text = f'<span class="sdpipe-step-text"><span class="sdpipe-step-title">+ {step.count:,}</span>' \
           f'<span class="sdpipe-step-more">{what}</span></span>'
    if level >= MOST_LEVELS:
        return f'<div class="sdpipe-step sdpipe-step-fold">{text}</div>'
    return f'<button type="button" class="sdpipe-step sdpipe-step-fold" {ask_attributes("unfold", {"level": level + 1})}>{text}</button>'


def _show_small(step: Step) -> str:
    address = None
    if step.digest:
        address = build_input_address(step.digest, is_small=True)
    elif step.run_id and step.name and step.has_file:
        address = build_thumbnail_address(step.run_id, step.name)
    if address is None:
        return '<span class="sdpipe-step-small" aria-hidden="true"></span>'
    return f'<img class="sdpipe-step-small" src="{e(address)}" alt="" loading="lazy" decoding="sync" data-sdpipe-thumbnail>'


def _more(step: Step) -> list[str]:
    if step.kind in (ELSEWHERE, LATER):
        return [f"in {words.format_label(step.run_id or '')}", _LOST if step.is_lost else ""]
    if step.kind in (INPUT, UNSEEN):
        return ["not recorded" if step.kind == INPUT else "not yours"]
    absence = "not saved" if not step.name else _LOST if step.is_lost else ""
    return [absence, f"seed {step.seed}" if step.seed is not None else ""]


def _hint(step: Step) -> str:
    link = ImageLink(run_id=step.run_id, name=step.name)
    return f"{link.name} in {link.run_id}" if step.kind in (ELSEWHERE, LATER) else link.name or ""

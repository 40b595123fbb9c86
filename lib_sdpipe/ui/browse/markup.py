"""HTML of the list: rows of runs, cards of images, filters, searches that were kept, what the query language can say."""

from __future__ import annotations

import json
from collections.abc import Callable

from lib_sdpipe.index.query import QueryError
from lib_sdpipe.store.searches import SavedSearch
from lib_sdpipe.ui.browse.filters import Chip, FilterGroup
from lib_sdpipe.ui.browse.place import IMAGES, RUNS, Place
from lib_sdpipe.ui.browse.present import Card, Days, ImageList, RunList, RunRow, T, Thumbnail
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, dots, e, show_hint, show_status

# Before the first look at the library; javascript/sdpipe.js asks again as long as it sees this.
PENDING = '<p class="sdpipe-quiet" data-sdpipe-pending>Reading the library …</p>'
# The jump to a day; the buttons beside it are gradio's.
JUMP = '<label class="sdpipe-browse-jump"><span>Go to</span> <input type="date" data-sdpipe-jump aria-label="Go to a day"></label>'
_VIEWS = ((RUNS, "Runs"), (IMAGES, "Images"))
# What can be written, for those who have not read docs/search.md: a query to click, and what it finds.
_EXAMPLES = (
    ("castle night", "both words anywhere in the prompt"),
    ('"castle at night"', "this text as it stands"),
    ("castle -fog", "without a word"),
    ("cat OR dog", "one or the other"),
    ("negative:fog", "a word of the negative prompt"),
    ("model:dream", "a part of the model's name; = before it is the whole name"),
    ("lora:detail", "a part of a LoRA's name"),
    ('sampler:"DPM++ 2M"', "the sampler"),
    ("stage:img2img", "txt2img, img2img, inpaint, adetailer, upscale or grid"),
    ("status:failed", "how the run ended"),
    ("seed:123456", "the seed that was used"),
    ("steps:20..30 cfg:>7", "numbers, ranges and bounds"),
    ("size:512x768", "width and height"),
    ("date:yesterday", "today, yesterday, week, month, year"),
    ("date:2025-12..2026-01", "a year, a month, a day, or a range"),
    ("run:20251225", "the beginning of a run's id, or a part of its label"),
    ("rating:>=4", "your rating, 0 to 5"),
    ("favourite:yes", "your favourites"),
    ("tag:sea", "a part of one of your tags"),
    ("note:print", "a word of your note"),
    ("recorded:no", "images without a run"),
)


def show_head(total: str, folder: str | None) -> str:
    """How many, and where they are (`folder` is None where the host hides folders)."""
    where = f' in <code class="sdpipe-path">{e(folder)}</code>' if folder else ""
    return f'<div class="sdpipe-head"><strong>{e(total)}</strong>{where}</div>'


def show_views(place: Place) -> str:
    """The switch between runs and images."""
    buttons = "".join(
        f'<button type="button" class="sdpipe-browse-view" aria-pressed="{"true" if view == place.view else "false"}"'
        f' {ask_attributes("browse", {"view": view})}>{e(label)}</button>' for view, label in _VIEWS
    )
    return f'<div class="sdpipe-browse-views" role="group" aria-label="What is listed">{buttons}</div>'


def show_runs(runs: RunList) -> str:
    """Rows of runs: one button a run and a strip of its images."""
    running = " data-sdpipe-running" if runs.is_running else ""
    return f'<nav class="sdpipe-runs" aria-label="Runs"{running}>{_show_days(runs.days, _show_row, "sdpipe-browse-rows")}</nav>'


def show_images(images: ImageList) -> str:
    days = _show_days(images.days, _show_card, "sdpipe-browse-cards")
    return f'<nav class="sdpipe-runs" aria-label="Images" data-sdpipe-gallery="list">{days}</nav>'


def show_list(shown: str, place: Place, looking: str) -> str:
    """The list with what the page waits for above it; what the script keeps of the place goes with it."""
    waiting = f'<p class="sdpipe-browse-looking" role="status" data-sdpipe-pending>{e(looking)}</p>' if looking else ""
    kept = e(json.dumps(place.to_json(), sort_keys=True))
    return f'{waiting}<div class="sdpipe-browse-list" data-sdpipe-place="{kept}">{shown}</div>'


def show_empty(place: Place, is_paused: bool, is_whole: bool) -> str:
    """Where nothing is listed; `is_whole`: the library has been looked at, so there is nothing."""
    if not is_whole and place.query:
        return show_hint("Nothing fits so far: the library is being looked at.")
    if not place.is_newest:
        return show_hint(f"There are no older {place.view}.")
    if place.query:
        clear = ask_button("Clear the search", "browse", {"query": ""}, kind="sdpipe-link")
        found = "No run has an image that fits." if place.view == RUNS else "No image fits."
        return f'<div class="sdpipe-quiet"><p>{e(found)}</p><p>{clear}</p></div>'
    if not is_whole:
        return ""
    if is_paused:
        return show_hint("No runs yet, and recording is paused. Untick “Pause recording” and press Generate.")
    if place.view == IMAGES:
        return show_hint("No images yet. What you generate appears here, and what lies in the WebUI's output folders.")
    return (
        '<div class="sdpipe-quiet"><p><strong>No runs yet.</strong></p><p>Press Generate in txt2img or img2img: every press becomes'
        " a run, listed here with its images, their settings and what they were made from.</p>"
        f"<p>{ask_button('Show the images that are already there', 'browse', {'view': IMAGES}, kind='sdpipe-link')}</p></div>"
    )


def show_fault(fault: QueryError) -> str:
    """What is wrong with a query, and where."""
    before, after = fault.query[:fault.place], fault.query[fault.place:]
    marked = f'<code class="sdpipe-browse-query" dir="auto">{e(before)}<mark>{e(after or "…")}</mark></code>'
    return f'<div class="sdpipe-box" role="alert"><p>{e(fault.reason[:1].upper() + fault.reason[1:])}.</p><p>{marked}</p></div>'


def show_look_fault(sentence: str) -> str:
    return f'<div class="sdpipe-box" role="alert"><p>{e(sentence)}</p></div>'


def show_searches(searches: list[SavedSearch], query: str) -> str:
    if not searches:
        return ""
    chips = "".join(_show_search(search, search.query == query) for search in searches)
    listed = f'<ul class="sdpipe-browse-chips">{chips}</ul>'
    return f'<div class="sdpipe-browse-filter sdpipe-browse-saved"><h4>Saved searches</h4>{listed}</div>'


def show_filters(groups: list[FilterGroup] | None) -> str:
    """The filters; None as long as nobody knows what there is."""
    if groups is None:
        return show_hint("Counting what there is …")
    if not groups:
        return show_hint("There is nothing to filter yet.")
    return "".join(_show_group(group) for group in groups)


def show_help() -> str:
    rows = "".join(
        f"<div><dt>{ask_button(query, 'browse', {'query': query}, kind='sdpipe-link sdpipe-browse-example')}</dt><dd>{e(text)}</dd></div>"
        for query, text in _EXAMPLES
    )
    return (
        '<div class="sdpipe-browse-help">'
        '<p>Words are searched in the prompt; upper and lower case are the same. All terms must fit. A minus'
        f' before a term excludes it. Press an example to try it.</p><dl class="sdpipe-facts">{rows}</dl></div>'
    )


def _show_days(days: Days[T], show_one: Callable[[T], str], kind: str) -> str:
    return "".join(
        f'<h3 class="sdpipe-day">{e(day)}</h3><ul class="{kind}">{"".join(map(show_one, items))}</ul>' for day, items in days
    )


def _show_row(row: RunRow) -> str:
    strip = "".join(_show_thumbnail(row.run_id, thumbnail) for thumbnail in row.thumbnails)
    more = f'<span class="sdpipe-browse-strip-more">+{row.more:,}</span>' if row.more else ""
    error = f'<span class="sdpipe-run-more sdpipe-run-error">{e(row.error)}</span>' if row.error else ""
    return (
        f'<li><button type="button" class="sdpipe-run" data-sdpipe-run="{e(row.run_id)}" data-sdpipe-card="{e(row.run_id)}"'
        f' title="{e(row.run_id)}" {ask_attributes("open", {"run": row.run_id})}>'
        f'<span class="sdpipe-run-label" dir="auto">{e(row.label)}</span>'
        f'<span class="sdpipe-run-when" title="{e(row.moment)}">{e(row.when)}</span>'
        f'<span class="sdpipe-run-more">{show_status(row.status)}{dots(row.facts)}</span>{error}</button>'
        + (f'<div class="sdpipe-browse-strip">{strip}{more}</div>' if strip else "") + "</li>"
    )


def _show_thumbnail(run_id: str, thumbnail: Thumbnail) -> str:
    return (
        f'<button type="button" class="sdpipe-browse-thumbnail" tabindex="-1" title="{e(thumbnail.name)}" aria-label="{e(thumbnail.name)}"'
        f' {ask_attributes("open", {"run": run_id, "name": thumbnail.name})}>{_show_picture(thumbnail.address)}</button>'
    )


def _show_card(card: Card) -> str:
    link = e(json.dumps(card.link, sort_keys=True))
    badges = "".join(f'<span class="sdpipe-browse-badge">{e(badge)}</span>' for badge in card.badges)
    picture = _show_picture(card.address) if card.address else '<span class="sdpipe-browse-no-picture" aria-hidden="true">∅</span>'
    full = f' data-sdpipe-full="{e(card.full)}" data-sdpipe-caption="{e(card.title)}"' if card.full else ""
    return (
        f'<li class="sdpipe-browse-card">'
        f'<button type="button" class="sdpipe-browse-card-open" data-sdpipe-card="{link}" title="{e(card.hint)}"'
        f' aria-label="{e(card.title)}" {ask_attributes("open", card.link)}{full}>'
        f'<span class="sdpipe-browse-card-picture">{picture}{badges}</span>'
        f'<span class="sdpipe-browse-card-text">{e(card.caption)}</span></button>'
        f'<input type="checkbox" class="sdpipe-browse-pick" data-sdpipe-pick="{link}" tabindex="-1" aria-label="Pick {e(card.title)}"></li>'
    )


def _show_picture(address: str) -> str:
    return f'<img src="{e(address)}" alt="" loading="lazy" decoding="async">'


def _show_group(group: FilterGroup) -> str:
    more = f'<li class="sdpipe-where">and {group.more:,} more: write a part of the name</li>' if group.more else ""
    return (
        f'<div class="sdpipe-browse-filter"><h4>{e(group.title)}</h4>'
        f'<ul class="sdpipe-browse-chips">{"".join(_show_chip(chip) for chip in group.chips)}{more}</ul></div>'
    )


def _show_chip(chip: Chip) -> str:
    return (
        f'<li><button type="button" class="sdpipe-chip" aria-pressed="{"true" if chip.is_on else "false"}" title="{e(chip.term)}"'
        f' {ask_attributes("browse", {"term": chip.term})}><span dir="auto">{e(chip.label)}</span>'
        f' <span class="sdpipe-browse-count">{chip.count:,}</span></button></li>'
    )


def _show_search(search: SavedSearch, is_on: bool) -> str:
    return (
        f'<li class="sdpipe-browse-saved-search">'
        f'<button type="button" class="sdpipe-chip" aria-pressed="{"true" if is_on else "false"}"'
        f' title="{e(search.query)}" {ask_attributes("browse", {"query": search.query})}><span dir="auto">{e(search.name)}</span></button>'
        f'<button type="button" class="sdpipe-browse-forget" title="Delete this search" aria-label="Delete the search {e(search.name)}"'
        f' {ask_attributes("forget_search", {"name": search.name})}>×</button></li>'
    )

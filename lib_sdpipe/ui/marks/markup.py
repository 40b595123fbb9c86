"""HTML of the marks of one image: stars, favourite, tags, a note. Each press is written at once."""

from __future__ import annotations

import json
from collections.abc import Iterable

from lib_sdpipe.manifest.marks import HIGHEST_RATING, LONGEST_NOTE, LONGEST_TAG
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui.browse.query_text import build_filter
from lib_sdpipe.ui.html_text import ask_attributes, e

TAG_LIST = "sdpipe_known_tags"


def show_marks(run_id: str, name: str, mark: Json, known_tags: Iterable[str] = ()) -> str:
    """`mark` as marks.json has it, which another program may have written; `known_tags` are offered while one is typed."""
    image = {"run": run_id, "name": name}
    parts = [_show_rating(image, mark.get("rating")), _show_favourite(image, mark.get("favourite") is True)]
    return (
        f'<section class="sdpipe-marks" aria-label="Marks" data-sdpipe-marks="{e(json.dumps(image, sort_keys=True))}">'
        f'<div class="sdpipe-marks-row">{"".join(parts)}</div>{_show_tags(image, mark.get("tags"), known_tags)}'
        f'{_show_note(mark.get("note"))}</section>'
    )


def show_tag_list(known_tags: Iterable[str]) -> str:
    options = "".join(f'<option value="{e(tag)}"></option>' for tag in known_tags)
    return f'<datalist id="{TAG_LIST}">{options}</datalist>'


def show_no_marks() -> str:
    return ""


def show_marked(sentence: str, marks: dict[tuple[str, str], Json]) -> str:
    """What was just marked, for the page's script: it puts it on the pictures that are shown."""
    found = [{"run": run_id, "name": name, **_brief(mark)} for (run_id, name), mark in marks.items()]
    return f'<p data-sdpipe-marked="{e(json.dumps(found, sort_keys=True))}" role="status">{e(sentence)}</p>'


def show_stars(rating: int) -> str:
    return "★" * rating + "☆" * (HIGHEST_RATING - rating)


def _brief(mark: Json) -> Json:
    return {"rating": read_rating(mark.get("rating")), "favourite": mark.get("favourite") is True}


def read_rating(value: object) -> int | None:
    is_rating = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_RATING
    return int(value) if is_rating else None  # type: ignore[call-overload]


def read_tags(value: object) -> list[str]:
    return [tag for tag in value if isinstance(tag, str) and tag.strip()] if isinstance(value, list) else []


def _mark(image: Json, change: Json) -> str:
    return ask_attributes("mark", {"images": [image], "set": change})


def _show_rating(image: Json, value: object) -> str:
    rating = read_rating(value)
    stars = "".join(_show_star(image, number, rating) for number in range(1, HIGHEST_RATING + 1))
    said = "" if rating is None else f'<span class="sdpipe-where">{rating} of {HIGHEST_RATING}</span>'
    return f'<span class="sdpipe-stars" role="group" aria-label="Rating">{stars}</span>{said}'


def _show_star(image: Json, number: int, rating: int | None) -> str:
    """The star of the rating that an image has takes it off again."""
    is_on = rating is not None and number <= rating
    change: Json = {"rating": None if number == rating else number}
    label = "1 star" if number == 1 else f"{number} stars"
    return (
        f'<button type="button" class="sdpipe-star{" sdpipe-star-on" if is_on else ""}"'
        f' aria-pressed="{"true" if number == rating else "false"}" aria-label="{label}" title="{label} (key {number})"'
        f' data-sdpipe-keep="star-{number}" {_mark(image, change)}>{"★" if is_on else "☆"}</button>'
    )


def _show_favourite(image: Json, is_favourite: bool) -> str:
    change: Json = {"favourite": None if is_favourite else True}
    return (
        f'<button type="button" class="sdpipe-heart{" sdpipe-heart-on" if is_favourite else ""}" aria-label="Favourite"'
        f' aria-pressed="{"true" if is_favourite else "false"}" title="Favourite (key F)" data-sdpipe-keep="heart" {_mark(image, change)}>'
        f'{"♥" if is_favourite else "♡"}</button>'
    )


def _show_tags(image: Json, value: object, known_tags: Iterable[str]) -> str:
    chips = "".join(_show_tag(image, tag) for tag in read_tags(value))
    typed = (
        f'<input type="text" class="sdpipe-tag-input" data-sdpipe-add-tag data-sdpipe-keep="tag" list="{TAG_LIST}"'
        f' maxlength="{LONGEST_TAG}" placeholder="Add a tag" aria-label="Add a tag" autocomplete="off">'
    )
    return f'<div class="sdpipe-marks-row sdpipe-tags">{chips}{typed}{show_tag_list(known_tags)}</div>'


def _show_tag(image: Json, tag: str) -> str:
    search = ask_attributes("search", {"query": build_filter("tag", tag, is_whole=True)}, "browse")
    label = e(f"Take off tag {tag}")
    return (
        f'<span class="sdpipe-tag"><button type="button" class="sdpipe-tag-name" dir="auto" title="Search for this tag" {search}>'
        f'{e(tag)}</button><button type="button" class="sdpipe-tag-off"'
        f' aria-label="{label}" title="{label}" {_mark(image, {"remove_tags": [tag]})}>'
        "×</button></span>"
    )


def _show_note(value: object) -> str:
    note = value if isinstance(value, str) else ""
    return (
        f'<label class="sdpipe-note"><span class="sdpipe-where">Note</span><textarea rows="{2 if note else 1}" maxlength="{LONGEST_NOTE}"'
        f' data-sdpipe-note data-sdpipe-keep="note" dir="auto" placeholder="A note of your own">{e(note)}</textarea></label>'
    )

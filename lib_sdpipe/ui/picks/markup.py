"""HTML of the bar of what is picked; javascript/sdpipe_picks.js shows it and fills it as soon as something is."""

from __future__ import annotations

from lib_sdpipe.manifest.marks import HIGHEST_RATING, LONGEST_TAG
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, e
from lib_sdpipe.ui.marks.markup import TAG_LIST


def show_bar(more: str = "") -> str:
    """`more`: HTML of further actions; their buttons send what is picked along."""
    actions = [
        ask_button("Compare", "compare", {}, "compare", send_picked=True),
        _show_rating(),
        _show_favourite(),
        _show_tag(),
        more,
        ask_button("Bin", "bin", {"do": "preview"}, "bin", send_picked=True),
        '<button type="button" class="sdpipe-button sdpipe-picks-clear" data-sdpipe-picks-clear>Clear</button>',
    ]
    return (
        '<div class="sdpipe-picks" role="region" aria-label="Picked images" data-sdpipe-picks hidden>'
        '<span><strong data-sdpipe-picks-count>0</strong> <span>picked</span></span>'
        f'<ul class="sdpipe-picks-strip" data-sdpipe-picks-strip></ul><div class="sdpipe-picks-actions">{"".join(actions)}</div></div>'
    )


def _show_rating() -> str:
    stars = "".join(
        f'<button type="button" class="sdpipe-star" aria-label="{e(_label(number))}" title="{e(_label(number))}"'
        f' {ask_attributes("mark", {"set": {"rating": number}}, send_picked=True)}>☆</button>' for number in range(1, HIGHEST_RATING + 1)
    )
    return f'<span class="sdpipe-stars" role="group" aria-label="Rate all picked images">{stars}</span>'


def _show_favourite() -> str:
    asks = ask_attributes("mark", {"set": {"favourite": True}}, send_picked=True)
    return f'<button type="button" class="sdpipe-heart" aria-label="Favourite" title="Favourite" {asks}>♡</button>'


def _show_tag() -> str:
    return (
        f'<span><input type="text" class="sdpipe-tag-input" data-sdpipe-add-tag list="{TAG_LIST}" maxlength="{LONGEST_TAG}"'
        ' placeholder="Add a tag" aria-label="Add a tag to all picked images" autocomplete="off">'
        ' <button type="button" class="sdpipe-button" data-sdpipe-add-tags>Tag</button></span>'
    )


def _label(number: int) -> str:
    return "1 star" if number == 1 else f"{number} stars"

"""HTML of images beside each other: cards, the views, the pixel difference. `javascript/sdpipe_compare.js` moves what is in them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui.compare.choice import image_data
from lib_sdpipe.ui.compare.markup_texts import show_prompt, show_stages, show_table
from lib_sdpipe.ui.compare.present import Card, ImageComparison
from lib_sdpipe.ui.html_text import ask_button, dots, e, show_box
from lib_sdpipe.workspace.picked import Pick

if TYPE_CHECKING:
    from lib_sdpipe.images.difference import PixelDifference

# (what the script calls it, what the page does)
_VIEWS = (("slider", "Slider"), ("side", "Side by side"), ("blink", "Blink"), ("difference", "Difference"))
_EMPTY = (
    '<div class="sdpipe-quiet sdpipe-compare-empty"><p><strong>Nothing to compare yet.</strong></p>'
    "<p>Pick two to four images anywhere in this tab and press “Compare picked images”, or type two runs above.</p></div>"
)


def show_empty() -> str:
    return _EMPTY


def show_picked_button() -> str:
    button = ask_button("Compare picked images", "compare", {}, send_picked=True)
    count = '<span class="sdpipe-where"><span data-sdpipe-picked-count>0</span> <span>picked</span></span>'
    return f'<div class="sdpipe-compare-picked">{button}{count}</div>'


@dataclass(frozen=True)
class Offer:
    """Something that what is chosen may be compared with; `data` is what a press asks, `address` a small picture of it."""

    label: str
    detail: str
    data: Json
    address: str | None = None


def show_one(title: str, others: list[Offer]) -> str:
    """One thing is chosen."""
    rows = "".join(_show_offer(offer) for offer in others)
    offer = f'<p>Compare with:</p><ul class="sdpipe-offers">{rows}</ul>' if rows else "<p>Choose another to compare it with.</p>"
    return f'<section class="sdpipe-compare-one" aria-label="Chosen to compare"><h3 class="sdpipe-title">{e(title)}</h3>{offer}</section>'


def _show_offer(offer: Offer) -> str:
    picture = f'<img src="{e(offer.address)}" alt="" loading="lazy">' if offer.address else ""
    button = ask_button(offer.label, "compare", offer.data, kind="sdpipe-link")
    return f'<li>{picture}<div>{button}<div class="sdpipe-where">{e(offer.detail)}</div></div></li>'


def show_views(comparison: ImageComparison) -> str:
    """Cards, tools and the stage with all pictures; the script shows two of them, or all."""
    cards = comparison.cards
    picks = [card.pick for card in cards]
    shown = "".join(_show_card(card, picks, number) for number, card in enumerate(cards))
    return (
        f'<section class="sdpipe-compare" aria-label="Images compared" data-sdpipe-compare>{show_box("warning", comparison.notes)}'
        f'<ol class="sdpipe-compare-cards">{shown}</ol>{_show_tools(cards)}{_show_stage(cards)}</section>'
    )


def show_texts(comparison: ImageComparison) -> str:
    letters = [card.letter for card in comparison.cards]
    prompts = "".join(show_prompt(prompt, letters) for prompt in comparison.prompts)
    stages = f"<h4>Stages</h4>{show_stages(comparison.stages, letters)}" if comparison.stages else ""
    return (
        f'<section class="sdpipe-compare-texts" aria-label="What differs">{prompts}'
        f'<h4>Settings</h4>{show_table(comparison.settings, letters, "Settings", "All settings are equal.")}{stages}</section>'
    )


def show_waiting(picks: Sequence[Pick], number: int) -> str:
    """The script asks again as long as it sees this."""
    data = json.dumps({"images": [image_data(pick) for pick in picks], "number": number})
    return f'<p class="sdpipe-quiet" role="status" data-sdpipe-pixels-again="{e(data)}">Comparing the pixels …</p>'


def show_incomparable(sentence: str) -> str:
    return f'<div class="sdpipe-pixels">{show_box("warning", [sentence])}</div>'


def show_pixels(difference: PixelDifference, letters: tuple[str, str]) -> str:
    """The figures, and the map in a frame of the stage's kind."""
    facts = "".join(f"<div><dt>{e(name)}</dt><dd>{e(value)}</dd></div>" for name, value in _pixel_facts(difference, letters))
    picture = ""
    if difference.differing:
        address = "data:image/png;base64," + base64.b64encode(difference.map_png).decode("ascii")
        label = f"Where {letters[0]} and {letters[1]} differ: the brighter, the more"
        picture = (
            f'<div class="sdpipe-frame sdpipe-frame-difference" tabindex="0" role="group" aria-label="{e(label)}"'
            f' style="--shape: {difference.width} / {difference.height}"><img src="{address}" alt="{e(label)}" draggable="false"></div>'
        )
    return f'<div class="sdpipe-pixels">{picture}<dl class="sdpipe-facts" role="status">{facts}</dl></div>'


def _pixel_facts(difference: PixelDifference, letters: tuple[str, str]) -> list[tuple[str, str]]:
    if not difference.differing:
        facts = [("Pixels that differ", "none: the two show the same")]
    else:
        facts = [
            ("Pixels that differ", f"{_percent(difference.share)} ({difference.differing:,} of {difference.width * difference.height:,})"),
            ("Largest difference", f"{difference.largest} of 255"),
            ("Mean difference", f"{difference.mean:.3g} of 255"),
        ]
        left, top, right, bottom = difference.box or (0, 0, 0, 0)
        if (right - left) * (bottom - top) < 0.9 * difference.width * difference.height:
            facts.append(("They lie within", f"{right - left}×{bottom - top} pixels, {left} from the left and {top} from the top"))
    if difference.sizes[0] != difference.sizes[1]:
        small = 0 if difference.sizes[0] < difference.sizes[1] else 1
        width, height = difference.sizes[small]
        size = f"{difference.width}×{difference.height}"
        facts.append(("Size", f"{letters[small]} was enlarged from {width}×{height} to {size} to be compared"))
    if difference.has_alpha[0] != difference.has_alpha[1]:
        facts.append(("Transparency", f"only {letters[0 if difference.has_alpha[0] else 1]} has transparent parts"))
    return facts


def _percent(share: float) -> str:
    """Never `0 %` of something, nor `100 %` of less than all."""
    percent = share * 100
    if percent < 0.01:
        return "under 0.01 %"
    if percent < 100 and percent >= 99.995:
        return "over 99.99 %"
    return f"{percent:.4g} %" if percent < 1 else f"{percent:.2f} %".replace(".00 %", " %")


def _show_card(card: Card, picks: list[Pick], number: int) -> str:
    rest = [pick for pick in picks if pick != card.pick]
    first = {"images": [image_data(pick) for pick in [card.pick, *rest]]}
    buttons = [ask_button("Open", "open", image_data(card.pick), "browse", "sdpipe-link")] if card.pick.run_id else []
    if number:
        buttons.append(ask_button("Put first", "compare", first, kind="sdpipe-link"))
    buttons.append(ask_button("Take out", "compare", {"images": [image_data(pick) for pick in rest]}, kind="sdpipe-link"))
    return (
        f'<li class="sdpipe-card sdpipe-card-compared"><span class="sdpipe-letter">{e(card.letter)}</span><div>'
        f'<strong>{e(card.title)}</strong><div class="sdpipe-summary">{dots(card.facts)}</div>'
        f'<div class="sdpipe-card-buttons">{" ".join(buttons)}</div></div></li>'
    )


def _show_tools(cards: list[Card]) -> str:
    views = "".join(
        f'<button type="button" class="sdpipe-choice" data-sdpipe-show="{name}" aria-pressed="false">{label}</button>'
        for name, label in _VIEWS
    )
    against = "".join(
        f'<button type="button" class="sdpipe-choice" data-sdpipe-against="{number}" aria-pressed="false">'
        f'<span aria-hidden="true">A | {e(card.letter)}</span><span class="sdpipe-unseen">A with {e(card.letter)}</span></button>'
        for number, card in enumerate(cards) if number
    )
    pairs = f'<div class="sdpipe-choices sdpipe-pair-choices" role="group" aria-label="Which two">{against}</div>' if len(cards) > 2 else ""
    return (
        '<div class="sdpipe-compare-tools">'
        f'<div class="sdpipe-choices" role="group" aria-label="View">{views}</div>{pairs}'
        '<div class="sdpipe-choices" role="group" aria-label="Size">'
        '<button type="button" class="sdpipe-choice" data-sdpipe-zoom="out" aria-label="Smaller">−</button>'
        '<button type="button" class="sdpipe-choice" data-sdpipe-zoom="in" aria-label="Larger">+</button>'
        '<button type="button" class="sdpipe-choice" data-sdpipe-zoom="fit">Fit</button>'
        '<button type="button" class="sdpipe-choice" data-sdpipe-zoom="full" title="One pixel of the picture on one of the screen">1:1'
        "</button>"
        '<output class="sdpipe-where" data-sdpipe-zoomed></output></div>'
        '<label class="sdpipe-amplify"><span>Amplify</span>'
        '<input type="range" min="0" max="7" step="1" value="2" data-sdpipe-amplify aria-valuetext="4 times"><output>×4</output></label>'
        '<label class="sdpipe-flip"><input type="checkbox" checked data-sdpipe-flip><span>By itself</span></label>'
        "</div>"
    )


def _show_stage(cards: list[Card]) -> str:
    width, height = cards[0].size or (1, 1)
    pictures = "".join(_show_picture(card, number) for number, card in enumerate(cards))
    return (
        f'<div class="sdpipe-stage" data-sdpipe-count="{len(cards)}" style="--shape: {width} / {height}">{pictures}'
        '<div class="sdpipe-divider" role="slider" tabindex="0" aria-label="Divider between the two images" aria-valuemin="0"'
        ' aria-valuemax="100" aria-valuenow="50" aria-orientation="horizontal"><span aria-hidden="true">◂▸</span></div></div>'
    )


def _show_picture(card: Card, number: int) -> str:
    if card.address:
        inner = f'<img src="{e(card.address)}" alt="{e(card.letter)}: {e(card.title)}" draggable="false" decoding="async">'
    else:
        inner = f'<p class="sdpipe-quiet">{e(card.absence)}</p>'
    return (
        f'<figure class="sdpipe-compared" data-sdpipe-column="{number}" data-sdpipe-image="{e(json.dumps(image_data(card.pick)))}">'
        f'<div class="sdpipe-frame" tabindex="0" role="group" aria-label="{e(card.letter)}: {e(card.title)}">{inner}</div>'
        f'<figcaption><span class="sdpipe-letter">{e(card.letter)}</span> <span>{e(card.title)}</span></figcaption></figure>'
    )

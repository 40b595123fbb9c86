"""HTML of two runs beside each other."""

from __future__ import annotations

from lib_sdpipe.ui.compare.choice import image_data
from lib_sdpipe.ui.compare.markup_texts import show_prompt, show_rows, show_table
from lib_sdpipe.ui.compare.present_runs import Pair, PairedImage, RunCard, RunComparison
from lib_sdpipe.ui.html_text import ask_button, dots, e, show_box, show_status
from lib_sdpipe.workspace.page_address import build_thumbnail_address


def show_runs(comparison: RunComparison) -> str:
    cards = comparison.cards
    letters = [card.letter for card in cards]
    shown = "".join(_show_card(card, [other.run_id for other in cards]) for card in cards)
    environment = comparison.environment
    parts = [
        show_box("warning", comparison.notes),
        f'<ol class="sdpipe-compare-cards">{shown}</ol>',
        _show_pairs(comparison),
        "".join(show_prompt(prompt, letters) for prompt in comparison.prompts),
        f'<h4>What was asked</h4>{show_table(comparison.config, letters, "What was asked") or _NOTHING_KNOWN}',
        f'<h4>Models</h4>{show_table(comparison.models, letters, "Models", "All models are equal.") or _NOTHING_KNOWN}',
        f'<h4>Time</h4>{show_rows(comparison.times, letters, "Time")}' if comparison.times else "",
        "<h4>Environment</h4>",
        f'<p class="sdpipe-same">{e(comparison.environment_note)}</p>' if environment is None
        else show_table(environment, letters, "Environment") or _NOTHING_KNOWN,
    ]
    return f'<section class="sdpipe-compare sdpipe-compare-texts" aria-label="Runs compared">{"".join(parts)}</section>'


def _show_card(card: RunCard, run_ids: list[str]) -> str:
    others = [run_id for run_id in run_ids if run_id != card.run_id]
    buttons = [
        ask_button("Open", "open", {"run": card.run_id}, "browse", "sdpipe-link"),
        ask_button("Put first", "compare", {"runs": [card.run_id, *others]}, kind="sdpipe-link") if card.letter != "A" else "",
        ask_button("Take out", "compare", {"runs": others}, kind="sdpipe-link"),
    ]
    return (
        f'<li class="sdpipe-card sdpipe-card-compared"><span class="sdpipe-letter">{e(card.letter)}</span><div>'
        f'<strong dir="auto">{e(card.label)}</strong><div class="sdpipe-summary">{show_status(card.status)}{dots(card.facts)}</div>'
        f'<div class="sdpipe-id"><code>{e(card.run_id)}</code></div>'
        f'<div class="sdpipe-card-buttons">{" ".join(button for button in buttons if button)}</div></div></li>'
    )




def _show_pairs(comparison: RunComparison) -> str:
    if not comparison.pairs:
        return ""
    pairs = "".join(_show_pair(pair) for pair in comparison.pairs)
    more = f'<p class="sdpipe-quiet">{comparison.more_pairs:,} more pairs are not shown.</p>' if comparison.more_pairs else ""
    return f'<h4>Images</h4><ul class="sdpipe-pairs">{pairs}</ul>{more}'


def _show_pair(pair: Pair) -> str:
    images = "".join(_show_image(letter, image) for letter, image in (("A", pair.one), ("B", pair.other)))
    button = ""
    if pair.one is not None and pair.other is not None:
        data = {"images": [image_data(pair.one.pick), image_data(pair.other.pick)]}
        button = ask_button("Compare these two", "compare", data, kind="sdpipe-link")
    return f'<li class="sdpipe-card sdpipe-pair"><div class="sdpipe-pair-images">{images}</div>{button}</li>'


def _show_image(letter: str, image: PairedImage | None) -> str:
    if image is None:
        return f'<figure class="sdpipe-missing"><p>Not in {letter}</p></figure>'
    address = build_thumbnail_address(image.pick.run_id or "", image.pick.name or "")
    return (
        f'<figure><img src="{e(address)}" alt="{letter}: {e(image.title)}" loading="lazy">'
        f'<figcaption><span class="sdpipe-letter">{letter}</span> {e(image.title)}</figcaption></figure>'
    )


_NOTHING_KNOWN = '<p class="sdpipe-same">Nothing is known of it.</p>'

"""What differs, as the page says it: words and signs beside the colours, everything escaped."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from lib_sdpipe.manifest.compare_prompts import compare_prompts
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui.compare import markup
from lib_sdpipe.ui.compare.markup_texts import count_changes, show_prompt, show_words
from lib_sdpipe.ui.compare.present import PictureToCompare, describe_change, present_images, present_prompt
from lib_sdpipe.workspace.picked import Pick

EVIL = '<img src=x onerror="window.hacked = 1">'


def _picture(name: str, **values: Any) -> PictureToCompare:
    facts = {"name": name, "stage": name.rsplit("_", 1)[0], "role": "final", "config": {"steps": 20, "cfg_scale": 7}}
    return PictureToCompare(Pick("20251225_143022_one", name), Manifest(**{**facts, **values}), f"sdpipe/v1/pictures/{name}")


def _seen(html: str) -> str:
    """The text that is seen: what only screen readers get is left out."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", re.sub(r'<span class="sdpipe-unseen">.*?</span>', "", html))).split())


def _heard(html: str) -> str:
    """The text that is read aloud: what is hidden from screen readers is left out."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", re.sub(r'<span[^>]* aria-hidden="true">.*?</span>', "", html))).split())


@pytest.mark.parametrize(("old", "new", "shown"), [
    ("a cat, mist", "a dog, mist", "a cat dog, mist"),
    ("a (cat:1.2) here", "a (cat:1.1) here", "a (cat:1.1) 1.2 → 1.1 here"),
    ("((misty hills)), sun", "misty hills, sun", "misty hills 1.21 → 1, sun"),
    ("x <lora:sea:0.8>", "x <lora:sea:0.6>", "x <lora:sea:0.6> 0.8 → 0.6"),
    ("low, (bad anatomy:1.3)", "low", "low, bad anatomy ×1.3"),
    ("a, b", "b, a", "a,b, a"),
    ("(a cat", "(a cat)", "(a cat)"),
    ("", "new", "new"), ("old", "", "old"), ("a", "(((a))) ", "(((a))) 1 → 1.331"),
])
def test_the_new_prompt_is_seen_with_its_changes(old: str, new: str, shown: str) -> None:
    assert _seen(show_words(compare_prompts(old, new))) == shown


def test_changes_are_heard_too() -> None:
    heard = _heard(show_words(compare_prompts("soft light, a cat, (mist:1.2)", "a dog, (mist:1.1), soft light")))
    assert heard == (
        "moved away: soft light end of moved removed: , end of removed a removed: cat end of removed added: dog end of added ,"
        " (mist:1.1) weight changed from 1.2 to 1.1 added: , end of added moved here: soft light end of moved"
    )


def test_changes_are_counted_in_words() -> None:
    assert count_changes(compare_prompts("a red cat, (mist:1.2)", "a cat, (mist:1.1), sun")) == (
        "1 word added, 1 word removed, 1 weight changed"
    )
    assert count_changes(compare_prompts("a cat", "a cat,")) == "only commas differ"
    assert "only the beginning" in count_changes(compare_prompts("a " * 30_000, "a " * 30_001))


def test_a_prompt_that_is_equal_is_shown_once() -> None:
    page = show_prompt(present_prompt("Prompt", ["a cat", "a cat", "a dog"]), "ABC")
    assert "The same in A and B." in page and page.count("sdpipe-changes-head") == 1
    assert "The same everywhere." in show_prompt(present_prompt("Prompt", ["a cat", "a cat"]), "AB")
    assert show_prompt(present_prompt("Prompt", [None, ""]), "AB") == ""


def test_settings_that_differ_come_first_and_the_others_are_folded() -> None:
    comparison = present_images([
        _picture("txt2img_001", actual_seed=5), _picture("txt2img_002", actual_seed=6, config={"steps": "20.0", "cfg_scale": 5.5},
                                                         hires={"hr_scale": 2, "hr_upscaler": "Latent"}),
    ])
    table = comparison.settings
    assert [(row.name, [cell.text for cell in row.cells]) for row in table.differing] == [
        ("Seed", ["5", "6"]), ("CFG scale", ["7", "5.5"]), ("Hires fix", ["no", "yes"]),
    ]
    assert [row.cells[1].change for row in table.differing] == ["", "−1.5", ""]
    assert [row.name for row in table.partial] == ["Hires fix: scale", "Hires fix: upscaler"]
    assert [row.name for row in table.equal] == ["Stage", "Steps"], "20 and 20.0 are one number"
    page = markup.show_texts(comparison)
    assert page.index("CFG scale") < page.index("<details") and page.count("differs:") == 3 + 2


def test_long_texts_in_settings_are_compared_word_by_word() -> None:
    one, other = ({"hr_prompt": f"a very sharp photograph of a {animal}"} for animal in ("cat", "dog"))
    page = markup.show_texts(present_images([_picture("txt2img_001", hires=one), _picture("txt2img_002", hires=other)]))
    assert "<del>" in page and "<ins>" in page


@pytest.mark.parametrize(("old", "new", "change"), [
    (20, 30, "+10"), (7.0, 5.5, "−1.5"), (0.3, 0.35, "+0.05"), ("a", "b", ""), (None, 3, ""), (True, False, ""), (1, 10**9, ""),
])
def test_numbers_say_by_how_much(old: Any, new: Any, change: str) -> None:
    assert describe_change(old, new) == change


def test_the_same_pixels_are_told_without_looking() -> None:
    same = {"width": 8, "height": 8, "pixel_sha256": "ab"}
    comparison = present_images([_picture("txt2img_001", image=same), _picture("txt2img_002", image=same), _picture("txt2img_003")])
    assert comparison.notes == ["A and B were recorded with the same pixels."]


def test_nothing_of_a_record_becomes_html() -> None:
    pictures = [
        _picture("txt2img_001", prompt=EVIL, negative_prompt=f"({EVIL}:1.2)", model=EVIL, config={EVIL: EVIL, "styles": [EVIL]},
                 adetailer={"model": EVIL, EVIL: 1}, loras=[{"name": EVIL, "weight": 1}], role=EVIL,
                 stage_history=[{"stage": EVIL, "role": EVIL, "settings": {"sampler_name": EVIL}}]),
        _picture("txt2img_002", prompt=f"other {EVIL}", config={EVIL: f"{EVIL} and a long text of many words"}, image={"format": EVIL}),
    ]
    comparison = present_images(pictures)
    page = markup.show_views(comparison) + markup.show_texts(comparison) + markup.show_one(EVIL, [markup.Offer(EVIL, EVIL, {"x": EVIL})])
    assert "window.hacked" in page and "<img src=x" not in page
    assert page.count("<img ") == 2

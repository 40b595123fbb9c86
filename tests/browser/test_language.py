"""What our script translates, and what it leaves alone, beside a host's script that translates as A1111's and Forge's do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.localizations.texts import read_language

SCRIPT = Path(__file__).resolve().parents[2] / "javascript" / "sdpipe_language.js"
# As in the hosts' javascript/localization.js: the exact text of what is added, without the blanks at its ends.
_HOST = """
const say = (node) => { const found = window.localization[node.textContent.trim()]; if (found !== undefined) node.textContent = found; };
const below = (root) => {
    if (root.nodeType === 3) { say(root); return; }
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), nodes = [];
    while (walk.nextNode()) nodes.push(walk.currentNode);
    nodes.forEach(say);
};
new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach(below))).observe(document.body, {childList: true, subtree: true});
"""

Show = Callable[[str], Any]


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "beside a host's"])
def german(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page in German with nothing in it yet."""
    tab = browser.new_page()
    tab.set_content("<body><p id='outside' title='Refresh'></p></body>")
    tab.evaluate("texts => { window.localization = texts; }", {**read_language("de_DE"), "rtl": True})
    if request.param:
        tab.add_script_tag(content=_HOST)
    tab.add_script_tag(path=str(SCRIPT))
    yield tab
    tab.close()


@pytest.fixture
def show(german: Any) -> Iterator[Show]:
    """Put HTML into our tab; the page."""

    def put(html: str) -> Any:
        german.evaluate("html => document.body.insertAdjacentHTML('beforeend', `<div id='sdpipe_tab'>${html}</div>`)", html)
        german.wait_for_timeout(50)
        return german

    yield put
    german.evaluate("() => document.querySelectorAll('#sdpipe_tab').forEach(tab => tab.remove())")


@pytest.mark.parametrize(("text", "expected"), [
    ("Running", "Läuft"), ("1,234 images", "1,234 Bilder"), ("3 of 8 images, 2 saved", "3 von 8 Bildern, 2 gespeichert"),
    ("5 min ago", "vor 5 min"), ("A recording fault: the disk is full", "Ein Fehler beim Aufzeichnen: the disk is full"),
    ("img2img, seed 4242, img2img_001", "img2img, Seed 4242, img2img_001"), (": the Run ID in its text", ": die Run ID in seinem Text"),
    ("25 Dec 2025, 14:30:22", "25. Dez. 2025 14:30:22"), ("Compare with:", "Vergleichen mit:"),
    ("11 × Runs made of older images", "11 × Aus älteren Bildern gebildete Läufe"),
    ("11 × Runs made of older images · Images without a record", "11 × Aus älteren Bildern gebildete Läufe · Bilder ohne Eintrag"),
    ("a castle, night", "a castle, night"), ("a cat in the rain", "a cat in the rain"), ("photo of a dog", "photo of a dog"),
])
def test_texts(show: Show, text: str, expected: str) -> None:
    tab = show(f"<p id='one'>{text}</p>")
    assert tab.locator("#one").inner_text() == expected


def test_titles_and_names_for_screen_readers(show: Show) -> None:
    tab = show("<div><button id='one' title='Refresh' aria-label='2 runs'>x</button><input id='two' placeholder='Add a tag'></div>")
    assert tab.locator("#one").get_attribute("title") == "Aktualisieren" and tab.locator("#one").get_attribute("aria-label") == "2 Läufe"
    assert tab.locator("#two").get_attribute("placeholder") == "Schlagwort hinzufügen"
    assert tab.locator("#outside").get_attribute("title") == "Refresh"


def test_what_people_wrote_stays(show: Show) -> None:
    tab = show("<p id='one' dir='auto' title='2 runs'>2 runs</p><pre id='two'>2 runs</pre><p id='three' translate='no'>2 runs</p>")
    assert [tab.locator(f"#{name}").inner_text() for name in ("one", "two", "three")] == ["2 runs"] * 3
    assert tab.locator("#one").get_attribute("title") == "2 runs"


def test_words_do_not_run_together(show: Show) -> None:
    tab = show("<p id='one'><b>3 runs</b> in <i>x</i> <span>✓</span> Running</p>")
    assert tab.locator("#one").inner_text() == "3 Läufe in x ✓ Läuft"


def test_what_changes_is_translated_anew(show: Show) -> None:
    tab = show("<button id='one'>Copy</button>")
    tab.evaluate("() => { document.querySelector('#one').firstChild.data = 'Copied'; }")
    tab.evaluate("() => { document.querySelector('#one').title = '4 images'; }")
    tab.wait_for_timeout(50)
    assert (tab.locator("#one").inner_text(), tab.locator("#one").get_attribute("title")) == ("Kopiert", "4 Bilder")


def test_no_hostile_text_takes_long(show: Show) -> None:
    texts = [text * (590 // len(text)) for text in (" of ", "×", "1 ", ", ", ": ", "a at b of ", "{}", "# of ", "; 1")]
    tab = show("".join(f"<p>{json.dumps(text)[1:-1]}</p>" for text in texts))
    assert tab.evaluate("() => document.querySelectorAll('#sdpipe_tab p').length") == len(texts)

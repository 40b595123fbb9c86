"""Every text of ours is there in every language, and nothing that we no longer say."""

from __future__ import annotations

import re

import pytest

from tests.localizations.texts import LANGUAGES, as_template, collect_texts, read_language

LANGUAGE = "SDPipe: language of this file"
_GAP = re.compile(r"\{\d?\}|#\d?")


@pytest.fixture(scope="module")
def texts() -> dict[str, set[str]]:
    found = collect_texts()
    assert len(found) > 400 and {"Pause recording", "Record this run", "# image".replace("#", "{}"), "Running"} <= found.keys()
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_that_is_gone(language: str, texts: dict[str, set[str]]) -> None:
    known = {as_template(key) for key in read_language(language)} - {LANGUAGE}
    lacking = {text: sorted(places) for text, places in texts.items() if text not in known}
    assert lacking == {}, "add these to localizations/, or to NAMES in tests/localizations/texts.py where nothing is to be translated"
    assert sorted(known - texts.keys()) == [], "the source does not say these any more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_in_is_put_in_there_too(language: str) -> None:
    for text, translation in read_language(language).items():
        gaps, filled = _GAP.findall(text), _GAP.findall(translation)
        assert isinstance(translation, str) and translation.strip() == translation and translation, text
        assert len(gaps) == len(filled) or len(set(filled)) <= len(gaps) and "times" in text, text
        assert not re.search(r"<\w", translation), f"{text}: no language brings markup"


def test_the_languages_are_files_of_one_order() -> None:
    orders = [list(read_language(language)) for language in LANGUAGES]
    assert orders[0] == orders[1] == orders[2]
    assert [read_language(language)[LANGUAGE] for language in LANGUAGES] == ["de", "ja", "zh-CN"]

"""Texts as they are searched: without case, width and line breaks, and cut into grams of three characters for the full-text index.

One index of grams serves every script and every length of a term: a term of three characters or more is in a text only if all
its grams are, a shorter one only if a gram begins with it.
"""

from __future__ import annotations

import unicodedata

GRAM = 3
# Of a longer prompt the beginning is searched: a text from somebody's file must not take seconds.
MOST_CHARACTERS = 20_000
_PADDING = "\n" * (GRAM - 1)
# FTS5's tokenizer `ascii` ends a token at ASCII punctuation and blanks, so these stand in a gram as other characters.
# Two texts may give the same gram by that: what the index finds is compared with the text again.
_TOKEN_CHARACTERS = {code: 0x80 + place for place, code in enumerate(c for c in range(128) if not chr(c).isalnum())}


def fold_text(text: str) -> str:
    """`text` without differences of case and compatibility (full-width letters and the like), blanks as one blank each."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold())
    return " ".join(folded.replace("\0", " ").split())[:MOST_CHARACTERS]


def build_grams(folded: str) -> str:
    """The distinct grams of a folded text, as the full-text index takes them."""
    padded = (folded + _PADDING).translate(_TOKEN_CHARACTERS)
    return " ".join(sorted({padded[start:start + GRAM] for start in range(len(folded))}))


def build_match(term: str) -> str:
    """The FTS5 expression for texts that may hold the folded term (not empty)."""
    term = term.translate(_TOKEN_CHARACTERS)
    if len(term) < GRAM:
        return f'"{term}" *'
    grams = dict.fromkeys(term[start:start + GRAM] for start in range(len(term) - GRAM + 1))
    return " AND ".join(f'"{gram}"' for gram in grams)

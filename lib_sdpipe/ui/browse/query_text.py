"""A query as a text that clicks write into: what a filter adds, what is on, what is taken out. Pure.

The text is the only truth: what it says is what is searched, however it came there.
"""

from __future__ import annotations

from lib_sdpipe.index.query import QueryError, Token, iter_tokens

# An image has one of each: another one takes the first one's place. Tags it has many.
_SINGLE = ("model", "sampler", "stage", "status", "date", "rating", "favourite", "recorded")


def build_filter(field: str, value: str, is_whole: bool = False) -> str:
    """The term that asks for a value; `is_whole`: the whole name, not a part of it."""
    # The language has no word for a quote within quotes: the longest piece without one will do.
    piece = max(value.split('"'), key=len) if '"' in value else value
    text = f"={piece}" if is_whole and piece == value else piece.strip()
    needs_quotes = any(character.isspace() for character in text) or not text
    return f'{field}:"{text}"' if needs_quotes else f"{field}:{text}"


def has_term(query: str, term: str) -> bool:
    try:
        return any(query[token.start:token.end] == term for token in iter_tokens(query))
    except QueryError:
        return False


def toggle_term(query: str, term: str) -> str:
    """The query without the term where it has it, else with it, in the place of another one of its field if there can be but one."""
    try:
        tokens = list(iter_tokens(query))
    except QueryError:  # to be mended first; nothing of it is lost
        return f"{query} {term}".strip()
    field = term.partition(":")[0]
    same = [token for token in tokens if query[token.start:token.end] == term]
    if same:
        return _without(query, tokens, same[:1])
    if field in _SINGLE:
        query = _without(query, tokens, [token for token in tokens if token.field == field and not token.is_excluded])
    return f"{query} {term}".strip()


def _without(query: str, tokens: list[Token], gone: list[Token]) -> str:
    """The query without these terms, and without the ORs that would join nothing then."""
    kept: list[Token] = []
    for token in tokens:
        if token in gone:
            if kept and kept[-1].is_or:
                kept.pop()
        elif not token.is_or or (kept and not kept[-1].is_or):
            kept.append(token)
    while kept and kept[-1].is_or:
        kept.pop()
    return " ".join(query[token.start:token.end] for token in kept)

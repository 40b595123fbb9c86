"""A prompt as the hosts read it: words with their weights, LoRA tags, commas, BREAK, AND. Nothing of the text is lost.

The rules are A1111's (`modules/prompt_parser.py`, `modules/extra_networks.py`). Takes linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ROUND, _SQUARE = 1.1, 1 / 1.1
# Deeper brackets weigh nothing: each level costs a walk over what it holds.
_DEPTH_LIMIT = 24
_PIECE = re.compile(
    r"(?P<tag><\w{1,40}:[^<>]{1,400}>)"
    r"|(?P<open>[(\[])"
    r"|(?P<weight>:\s{0,40}(?P<number>[+-]?[.\d]{1,20})\s{0,40}\))"
    r"|(?P<close>[)\]])"
    r"|(?P<comma>,)"
    r"|(?P<mark>[:|])"
    r"|(?P<space>\s+)"
    r"|(?P<word>(?:[^\s()\[\],:|\\<]|\\.)+|.)",
    re.S,
)
_KEYWORDS = ("BREAK", "AND")


@dataclass(frozen=True)
class PromptToken:
    """A word of a prompt, with what stands before it that says nothing by itself: blanks, the brackets of weights.

    `kind` is `word`, `tag` (`<lora:name:0.8>`), `comma`, `keyword` (BREAK, AND) or `mark` (of `[from:to:when]`, `[a|b]`).
    Two tokens of one `key` are the same word, at another weight perhaps. `weight` is `1` unless something else was said;
    of a tag it is all that follows the name.
    """

    kind: str
    text: str
    key: str
    weight: str
    before: str


@dataclass(frozen=True)
class Prompt:
    """The words of a prompt; `tail` is what follows the last."""

    tokens: tuple[PromptToken, ...] = ()
    tail: str = ""


class _Reader:
    """Collects words; round brackets only weigh, square ones too unless `:` or `|` stands in them."""

    def __init__(self) -> None:
        # kind, text, what stands before it; a square bracket is a `bracket` until it is known what it is.
        self._found: list[tuple[str, str, str]] = []
        self._weights: list[float] = []
        self._gap = ""
        # Of each open bracket: its sign, how many pieces stand before it, whether it holds `:` or `|`.
        self._open: list[tuple[str, int, bool]] = []

    def add(self, kind: str, text: str) -> None:
        self._found.append((kind, text, self._gap))
        self._weights.append(1.0)
        self._gap = ""

    def skip(self, text: str) -> None:
        self._gap += text

    def begin(self, sign: str) -> None:
        if len(self._open) >= _DEPTH_LIMIT:
            self.skip(sign)
            return
        self._open.append((sign, len(self._found), False))
        if sign == "[":
            self.add("bracket", sign)
        else:
            self.skip(sign)

    def mark(self, text: str) -> None:
        if self._open and self._open[-1][0] == "[":
            self._open[-1] = ("[", self._open[-1][1], True)
        self.add("mark", text)

    def end(self, text: str, weight: float | None = None) -> None:
        opened = "[" if text == "]" else "("
        if not self._open or self._open[-1][0] != opened:
            if weight is None:
                self.skip(text)
            else:  # `:1.2)` that closes nothing is text
                self.add("mark", text)
            return
        _, start, has_marks = self._open.pop()
        if has_marks:
            self._found[start] = ("mark", *self._found[start][1:])
            self.add("mark", text)
            return
        self.skip(text)
        self._weigh(start, weight if weight is not None else _ROUND if opened == "(" else _SQUARE)

    def finish(self) -> Prompt:
        for sign, start, has_marks in reversed(self._open):
            if not has_marks:  # the hosts count a bracket that is never closed
                self._weigh(start, _ROUND if sign == "(" else _SQUARE)
        tokens: list[PromptToken] = []
        gap = ""
        for (kind, text, before), weight in zip(self._found, self._weights):
            if kind == "bracket":
                gap += before + text
            else:
                tokens.append(_build_token(kind, text, weight, gap + before))
                gap = ""
        return Prompt(tuple(tokens), gap + self._gap)

    def _weigh(self, start: int, factor: float) -> None:
        for number in range(start, len(self._weights)):
            self._weights[number] *= factor


def parse_prompt(text: str) -> Prompt:
    """Never raises. All `before` and `text` in a row, then `tail`, are the text again."""
    reader = _Reader()
    for piece in _PIECE.finditer(text):
        kind, found = piece.lastgroup or "word", piece.group()
        if kind == "space":
            reader.skip(found)
        elif kind == "open":
            reader.begin(found)
        elif kind == "close":
            reader.end(found)
        elif kind == "weight":
            reader.end(found, _number(piece.group("number")))
        elif kind == "mark":
            reader.mark(found)
        else:
            reader.add(kind, found)
    return reader.finish()


def _build_token(kind: str, text: str, weight: float, before: str) -> PromptToken:
    if kind == "tag":
        network, name, *rest = text[1:-1].split(":")
        return PromptToken(kind, text, f"<{network}:{name}>", ":".join(rest) or "1", before)
    if kind == "word" and text in _KEYWORDS:
        return PromptToken("keyword", text, text, "1", before)
    return PromptToken(kind, text, text, f"{weight:.4g}" if kind == "word" else "1", before)


def _number(text: str) -> float:
    try:
        return min(max(float(text), -1e6), 1e6)
    except ValueError:
        return 1.0

"""A1111's infotext, read as the hosts write it: prompt, `Negative prompt:` line, one line of `Key: value` pairs.

The raw text is always kept beside what is read here; this reader adds no defaults.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_NEGATIVE = "Negative prompt:"
# As in the hosts: a key is a word character and more of words, spaces, `-`, `/`; a value is JSON-quoted or has no comma.
_KEY_BACKWARDS = re.compile(r"[\w \-/]*")
_QUOTE_OR_ESCAPE = re.compile(r'["\\]')
_SPACES = re.compile(r"\s{0,63}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_MIN_PAIRS = 3
_MAX_COLONS = 20_000  # no host writes a hundredth of it


@dataclass(frozen=True)
class Infotext:
    """One image's generation parameters; every value is text, as written."""

    prompt: str = ""
    negative_prompt: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def integer(self, key: str) -> int | None:
        value = self.parameters.get(key, "")
        return int(value) if re.fullmatch(r"-?\d{1,20}", value) else None

    @property
    def seed(self) -> int | None:
        return self.integer("Seed")

    @property
    def run_id(self) -> str | None:
        return self.parameters.get("Run ID") or None


def parse_infotext(text: str) -> Infotext:
    """Never raises: what cannot be read as parameters is prompt."""
    lines = text.strip().split("\n")
    pairs = _parse_pairs(lines[-1])
    body = lines
    if len(pairs) >= _MIN_PAIRS:
        body = lines[:-1]
    else:
        pairs = {}
    prompt, negative, in_negative = [], [], False
    for line in body:
        line = line.strip()
        if line.startswith(_NEGATIVE):
            in_negative = True
            line = line[len(_NEGATIVE):].strip()
        (negative if in_negative else prompt).append(line)
    return Infotext("\n".join(prompt).strip(), "\n".join(negative).strip(), pairs)


def parse_hashes(text: str | None) -> dict[str, str]:
    """`name: hash, name: hash` of the keys `Lora hashes` and `TI hashes`."""
    pairs = (part.rpartition(":") for part in (text or "").split(","))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() and _HEX.fullmatch(value.strip())}


def _parse_pairs(line: str) -> dict[str, str]:
    """In one pass from colon to colon: a regular expression over the whole line takes quadratic time on hostile text."""
    pairs: dict[str, str] = {}
    start = 0
    for _ in range(_MAX_COLONS):
        colon = line.find(":", start)
        if colon < 0:
            break
        ending = _KEY_BACKWARDS.match(line[start:colon][::-1])
        key = ending.group()[::-1].lstrip(" -/") if ending else ""
        start = colon + 1
        if len(key) < 2:
            continue
        value = _SPACES.match(line, start)
        opening = value.end() if value else start
        closing = _end_of_quoted(line, opening)
        if closing is not None and line[closing:closing + 1] in ("", ","):
            pairs[key] = _unquote(line[opening:closing])
            start = closing + 1
            continue
        comma = line.find(",", start)
        end = comma if comma >= 0 else len(line)
        pairs[key] = _unquote(line[start:end].strip())
        start = end + 1
    return pairs


def _end_of_quoted(line: str, opening: int) -> int | None:
    """Behind the quote that closes the one at `opening`. One regular expression for it takes 150 bytes for each character."""
    if line[opening:opening + 1] != '"':
        return None
    at = opening + 1
    while (found := _QUOTE_OR_ESCAPE.search(line, at)) is not None:
        if found.group() == '"':
            return found.end()
        at = found.end() + 1
    return None


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        unquoted = json.loads(value)
    except ValueError:
        return value
    return unquoted if isinstance(unquoted, str) else value

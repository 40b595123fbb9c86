"""A1111's infotext, read as the hosts write it: prompt, `Negative prompt:` line, one line of `Key: value` pairs.

The raw text is always kept beside what is read here; this reader adds no defaults.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_NEGATIVE = "Negative prompt:"
# As in the hosts: a key is a word character and more of words, spaces, `-`, `/`; a value is JSON-quoted or has no comma.
_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_HASH_PAIR = re.compile(r"\s*([^:,]+):\s*([0-9a-fA-F]+)\s*(?:,|$)")
_MIN_PAIRS = 3


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
    return {name.strip(): value for name, value in _HASH_PAIR.findall(text or "")}


def _parse_pairs(line: str) -> dict[str, str]:
    return {key: _unquote(value.strip()) for key, value in _PAIR.findall(line)}


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        unquoted = json.loads(value)
    except ValueError:
        return value
    return unquoted if isinstance(unquoted, str) else value

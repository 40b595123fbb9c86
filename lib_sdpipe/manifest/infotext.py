"""A1111's infotext, read and written as the hosts do: prompt, `Negative prompt:` line, one line of `Key: value` pairs.

The raw text is always kept beside what is read here; this reader adds no defaults. Every step takes linear time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NEGATIVE = "Negative prompt:"
# The extension Dynamic Prompts adds these lines below the parameters, where the hosts' own reader no longer finds those.
_TEMPLATES = ("Template: ", "Negative Template: ")
# As in the hosts: a key is a word character and more of words, spaces, `-`, `/`; a value is JSON-quoted or has no comma.
_KEY_BACKWARDS = re.compile(r"[\w \-/]*")
_BLANKS = re.compile(r"\s*")
_HEX = re.compile(r"[0-9a-fA-F]+")
_MIN_PAIRS = 3


@dataclass(frozen=True)
class Infotext:
    """One image's generation parameters; every value is text, as written. `written` is the text this was read from."""

    prompt: str = ""
    negative_prompt: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    written: str = field(default="", compare=False, repr=False)

    def integer(self, key: str) -> int | None:
        value = self.parameters.get(key, "")
        return int(value) if re.fullmatch(r"-?\d{1,20}", value, re.ASCII) else None

    @property
    def seed(self) -> int | None:
        return self.integer("Seed")

    @property
    def run_id(self) -> str | None:
        return self.parameters.get("Run ID") or None


def parse_infotext(text: str) -> Infotext:
    """Never raises: what cannot be read as parameters is prompt."""
    lines = text.strip().split("\n")
    lines, templates = _split_templates(lines)
    pairs = list(_iter_pairs(lines[-1]))
    if len(pairs) >= _MIN_PAIRS:
        lines = lines[:-1]
    else:
        pairs = []
    prompt, negative = _parse_prompts(lines)
    # The hosts keep no key whose value is empty.
    return Infotext(prompt, negative, {key: _unquote(value) for key, value in pairs if value} | templates, text)


def parse_parameters(line: str) -> dict[str, str]:
    """The pairs of one line, also where they are few: what the Extras tab writes has no prompt around it."""
    return {key: _unquote(value) for key, value in _iter_pairs(line.strip()) if value}


def format_infotext(infotext: Infotext) -> str:
    """The text a host writes for this. What was read and is unchanged comes back as it was written, to the letter."""
    if infotext.written and parse_infotext(infotext.written) == infotext:
        return infotext.written
    negative = f"\n{_NEGATIVE} {infotext.negative_prompt}" if infotext.negative_prompt else ""
    pairs = ", ".join(f"{key}: {_quote(value)}" for key, value in infotext.parameters.items() if f"{key}: " not in _TEMPLATES)
    below = [f"\n{label}{infotext.parameters[label[:-2]]}" for label in _TEMPLATES if label[:-2] in infotext.parameters]
    return f"{infotext.prompt}{negative}\n{pairs}{''.join(below)}".strip()


def parse_hashes(text: str | None) -> dict[str, str]:
    """`name: hash, name: hash` of the keys `Lora hashes` and `TI hashes`."""
    pairs = (part.rpartition(":") for part in (text or "").split(","))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() and _HEX.fullmatch(value.strip())}


def _split_templates(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """The lines down to the parameters, and the templates below them; a template may have several lines."""
    for number in range(len(lines) - 1, 0, -1):
        above = lines[number - 1]
        if lines[number].startswith(_TEMPLATES) and above.startswith("Steps: ") and len(list(_iter_pairs(above))) >= _MIN_PAIRS:
            break
    else:
        return lines, {}
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines[number:]:
        label = next((label for label in _TEMPLATES if line.startswith(label) and label[:-2] not in found), None)
        if label is None:
            found[name].append(line)
        else:
            name = label[:-2]
            found[name] = [line[len(label):]]
    return lines[:number], {name: "\n".join(texts) for name, texts in found.items()}


def _parse_prompts(lines: list[str]) -> tuple[str, str]:
    """As the hosts: every line without blanks around it, and no empty line before the first that has text."""
    prompt: list[str] = []
    negative: list[str] = []
    part = prompt
    for line in lines:
        line = line.strip()
        if line.startswith(_NEGATIVE):
            part = negative
            line = line[len(_NEGATIVE):].strip()
        if line or part:
            part.append(line)
    return "\n".join(prompt), "\n".join(negative)


def _iter_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Keys and values as written, from colon to colon: a regular expression over the whole line takes quadratic time.

    Nor one for a quoted value: that takes 150 bytes for each character.
    """
    start = 0
    while (colon := line.find(":", start)) >= 0:
        key = _KEY_BACKWARDS.match(line[start:colon][::-1]).group()[::-1].lstrip(" -/")  # type: ignore[union-attr]
        start = colon + 1
        if len(key) < 2:
            continue
        begin = _BLANKS.match(line, start).end()  # type: ignore[union-attr]
        end = _end_of_quoted(line, begin)
        if end is None or line[end:end + 1] not in ("", ","):
            end = line.find(",", begin)
            end = end if end >= 0 else len(line)
        yield key, line[begin:end]
        start = end + 1


def _end_of_quoted(line: str, begin: int) -> int | None:
    """Where the quoted value ends that begins here; None where none does."""
    if line[begin:begin + 1] != '"' or line[begin + 1:begin + 2] in ('"', ""):
        return None
    end = line.find('"', begin + 1)
    while end >= 0:
        escapes = end
        while line[escapes - 1] == "\\":
            escapes -= 1
        if (end - escapes) % 2 == 0:
            return end + 1
        end = line.find('"', end + 1)
    return None


def _quote(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",\n:") else value


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        unquoted = json.loads(value)
    except ValueError:
        return value
    return unquoted if isinstance(unquoted, str) else value

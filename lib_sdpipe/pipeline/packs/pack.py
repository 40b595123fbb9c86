"""A prompt pack as data, and how much of one is taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.stage_fields import LONGEST_PROMPT

# Bytes of a file. The largest pack that was seen has a hundredth of it.
LARGEST_PACK = 4 << 20
MOST_ROWS = 10_000
MOST_LINES = 100_000
MOST_SLOTS = 50
MOST_VALUES = 1_000
LONGEST_VALUE = LONGEST_PROMPT
# Of one expansion: images that are asked for, and characters of all their prompts (they stand in the queue's file).
MOST_ITEMS = 10_000
MOST_CHARACTERS = 16_000_000

# Sentences that anybody reads.
_MOST_WARNINGS = 50

SEQUENTIAL, RANDOM = "sequential", "random"
_NAME = r"\w(?:[\w /.-]{0,62}\w)?"
# `[[name]]`; other brackets are the host's way to weaken a word.
TOKEN = re.compile(rf"\[\[[ \t]*({_NAME})[ \t]*\]\]")
SLOT_NAME = re.compile(_NAME)


@dataclass(frozen=True)
class Row:
    """One prompt, in the host's own words. `lines` are its text: the first is the quality line, the others the subject.

    `extra`: fields of its object in JSON that this version does not know.
    """

    lines: tuple[str, ...] = ()
    negative: str = ""
    embeddings: tuple[str, ...] = ()
    negative_embeddings: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict, hash=False)

    @property
    def prompt(self) -> str:
        return " ".join((*self.embeddings, *self.lines, *self.loras))

    @property
    def negative_prompt(self) -> str:
        return ", ".join(part for part in (*self.negative_embeddings, self.negative) if part)

    @property
    def title(self) -> str:
        """What tells the row from others: its subject, or all there is."""
        return " ".join(self.lines[1:]) or " ".join(self.lines) or self.prompt


@dataclass(frozen=True)
class Slot:
    """A word that varies, and its values."""

    name: str
    values: tuple[str, ...]
    extra: Json = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Matrix:
    """`limit` is the most combinations of one row; None is all of them."""

    slots: tuple[Slot, ...] = ()
    enabled: bool = True
    mode: str = SEQUENTIAL
    limit: int | None = None
    extra: Json = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Pack:
    """`preset` is StableNew's `preset_data`. `warnings` are sentences on what was found odd in its files and went on without.

    `extra` and `outer` are the fields of `pack_data`, and beside it, that this version does not know.
    """

    name: str
    rows: tuple[Row, ...] = ()
    matrix: Matrix = Matrix()
    global_positive: str = ""
    global_negative: str = ""
    preset: Json = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict, hash=False)
    outer: Json = field(default_factory=dict, hash=False)


def bound_warnings(warnings: Sequence[str]) -> tuple[str, ...]:
    """Each once, and no more than somebody reads."""
    distinct = tuple(dict.fromkeys(warnings))
    if len(distinct) <= _MOST_WARNINGS:
        return distinct
    return (*distinct[:_MOST_WARNINGS], f"and {len(distinct) - _MOST_WARNINGS:,} more of this kind")

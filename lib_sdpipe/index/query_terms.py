"""The terms of a search: a word, or a field and its value. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Callable

from lib_sdpipe.index.folding import fold_text
from lib_sdpipe.manifest.records import ROLES, RUN_STATUSES, STAGES

_NUMBER = r"-?\d{1,20}(?:\.\d{1,6})?"
_RANGE = re.compile(rf"(?:(>=|<=|>|<)?({_NUMBER})|({_NUMBER})?\.\.({_NUMBER})?)")
_SIZE = re.compile(r"(\d{1,6})[xX×](\d{1,6})")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_YES_NO = {"yes": True, "no": False}
# The week begins on Monday.
DATE_WORDS = ("today", "yesterday", "week", "month", "year")


@dataclass(frozen=True)
class Word:
    """A folded text that stands somewhere in the prompt, or in the negative prompt."""

    text: str
    is_negative: bool = False


@dataclass(frozen=True)
class Named:
    """A folded text that stands somewhere in a name, or is all of it; `kind` is model, sampler or loras, as the index calls them."""

    kind: str
    text: str
    is_whole: bool = False


@dataclass(frozen=True)
class Tagged:
    """A folded text that stands somewhere in a tag, or is all of it."""

    text: str
    is_whole: bool = False


@dataclass(frozen=True)
class Noted:
    """A folded text that stands somewhere in the user's note."""

    text: str


@dataclass(frozen=True)
class IsFavourite:
    value: bool


@dataclass(frozen=True)
class Choice:
    """`field` is stage, role or status; null is none of them, but an image that tells no role is a final one."""

    field: str
    value: str


@dataclass(frozen=True)
class Numbers:
    """`field` is seed, steps, cfg or rating; None is no bound on that side."""

    field: str
    low: float | None = None
    high: float | None = None
    with_low: bool = True
    with_high: bool = True


@dataclass(frozen=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True)
class Dates:
    """Days of this machine's calendar: from `start` until before `end`; None is no bound on that side."""

    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Lately:
    """A word of DATE_WORDS: days that are others tomorrow."""

    word: str


@dataclass(frozen=True)
class InRun:
    """A part of a run id."""

    text: str


@dataclass(frozen=True)
class IsRecorded:
    value: bool


@dataclass(frozen=True)
class IsLost:
    """Whether the record says that there is no such image any more: it lies in the bin, or was given up as lost."""

    value: bool


Term = Word | Named | Tagged | Noted | IsFavourite | Choice | Numbers | Size | Dates | Lately | InRun | IsRecorded | IsLost


def build_term(field: str | None, text: str) -> Term:
    """Raises ValueError with a sentence for the person who wrote it."""
    if not fold_text(text):
        raise ValueError("there is nothing to search for here" if field is None else f"{field}: needs a value")
    return Word(fold_text(text)) if field is None else _BUILDERS[field](text)


def _choice(field: str, values: tuple[str, ...]) -> Callable[[str], Term]:
    def build(text: str) -> Term:
        if text.lower() not in values:
            raise ValueError(f"{field}: is one of {', '.join(values)}")
        return Choice(field, text.lower())

    return build


def _numbers(field: str, kind: type[int] | type[float]) -> Callable[[str], Term]:
    def build(text: str) -> Term:
        match = _RANGE.fullmatch(text)
        if match is None or text == "..":
            raise ValueError(f"{field}: is a number, a range such as 20..30, or a bound such as >20 or <=30")
        sign, single, low, high = match.groups()
        try:
            if single is None:
                return Numbers(field, None if low is None else kind(low), None if high is None else kind(high))
            return _bound(field, sign, kind(single))
        except ValueError as fault:  # a fraction where whole numbers are
            raise ValueError(f"{field}: is a whole number") from fault

    return build


def _bound(field: str, sign: str | None, number: float) -> Numbers:
    if sign in (">", ">="):
        return Numbers(field, low=number, with_low=sign == ">=")
    if sign in ("<", "<="):
        return Numbers(field, high=number, with_high=sign == "<=")
    return Numbers(field, number, number)


def _size(text: str) -> Term:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("size: is width x height, such as 512x768")
    return Size(int(match.group(1)), int(match.group(2)))


def _named(kind: str, text: str) -> Term:
    return Named(kind, *_whole(kind.removesuffix("s"), text))


def _whole(field: str, text: str) -> tuple[str, bool]:
    """(folded text, whether it is the whole name): `=` before it says so."""
    is_whole = text.startswith("=")
    folded = fold_text(text[is_whole:])
    if not folded:
        raise ValueError(f"{field}: needs a value")
    return folded, is_whole


def _dates(text: str) -> Term:
    if text.lower() in DATE_WORDS:
        return Lately(text.lower())
    sign = next((sign for sign in (">=", "<=", ">", "<") if text.startswith(sign)), "")
    if sign:
        start, end = _days(text[len(sign):])
        return {">=": Dates(start=start), ">": Dates(start=end), "<": Dates(end=start), "<=": Dates(end=end)}[sign]
    first, dots, last = text.partition("..")
    if not dots:
        return Dates(*_days(text))
    if not first and not last:
        raise ValueError(_NO_DATE)
    return Dates(_days(first)[0] if first else None, _days(last)[1] if last else None)


_NO_DATE = (
    "date: is a year, month or day such as 2025, 2025-12 or 2025-12-25, a range such as 2025-12..2026-01, a bound such as >2025, or"
    f" {', '.join(DATE_WORDS[:-1])} or {DATE_WORDS[-1]}"
)


def _days(text: str) -> tuple[date, date | None]:
    """The first day of what is named, and the first day after it; None at the end of the calendar."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(_NO_DATE)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        start = date(year or 0, month or 1, day or 1)
    except ValueError as fault:
        raise ValueError(f"there is no such day as {text}") from fault
    if day is not None:
        return start, start + timedelta(days=1) if start < date.max else None
    months = start.year * 12 + (start.month if month else 12)
    return start, date(months // 12, months % 12 + 1, 1) if months // 12 <= date.max.year else None


def _yes_no(field: str, term: type[IsRecorded] | type[IsFavourite] | type[IsLost]) -> Callable[[str], Term]:
    def build(text: str) -> Term:
        if text.lower() not in _YES_NO:
            raise ValueError(f"{field}: is yes or no")
        return term(_YES_NO[text.lower()])

    return build


_BUILDERS: dict[str, Callable[[str], Term]] = {
    "model": lambda text: _named("model", text),
    "sampler": lambda text: _named("sampler", text),
    "lora": lambda text: _named("loras", text),
    "stage": _choice("stage", STAGES),
    "role": _choice("role", ROLES),
    "status": _choice("status", RUN_STATUSES),
    "seed": _numbers("seed", int),
    "steps": _numbers("steps", int),
    "cfg": _numbers("cfg", float),
    "size": _size,
    "date": _dates,
    "run": InRun,
    "recorded": _yes_no("recorded", IsRecorded),
    "lost": _yes_no("lost", IsLost),
    "rating": _numbers("rating", int),
    "favourite": _yes_no("favourite", IsFavourite),
    "tag": lambda text: Tagged(*_whole("tag", text)),
    "note": lambda text: Noted(fold_text(text)),
    "negative": lambda text: Word(fold_text(text), is_negative=True),
}
FIELDS = tuple(_BUILDERS)

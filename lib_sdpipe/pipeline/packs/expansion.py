"""A pack as the items of a chain: rows times the values of their words. Counted without being built, each built when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.packs.combinations import count_combinations, find_combination, shuffle_number
from lib_sdpipe.pipeline.packs.pack import MOST_CHARACTERS, MOST_ITEMS, RANDOM, SEQUENTIAL, TOKEN, Pack, Slot, bound_warnings
from lib_sdpipe.pipeline.records import Item
from lib_sdpipe.pipeline.stage_fields import LONGEST_PROMPT, show_name

# Characters of an expansion that are built only to see which of them are the same: some 100 ms.
_MOST_COMPARED = 4_000_000
# Bits of a digest beyond which there is nothing left to draw from.
_MOST_BITS = 400


@dataclass(frozen=True)
class Choices:
    """How a pack is expanded. None is as the pack has it; `limit` 0 is all combinations of a row.

    `seed` tells which combinations the random mode takes: kept with the job, it gives the same again. `rows` are numbers from 0.
    The global texts come before each prompt; empty is none.
    """

    mode: str | None = None
    limit: int | None = None
    seed: int = 0
    rows: tuple[int, ...] | None = None
    global_positive: str | None = None
    global_negative: str | None = None


AS_THE_PACK = Choices()


@dataclass(frozen=True)
class Preview:
    """The first items, how many there are, and what somebody should know before. `refusal` says why it cannot be run."""

    items: tuple[Item, ...]
    count: int
    warnings: tuple[str, ...]
    refusal: str | None


def count_items(pack: Pack, choices: Choices = AS_THE_PACK) -> int:
    """How many items the expansion has, exactly; quick for any number of combinations."""
    return _count(_list_parts(pack, choices))


def expand(pack: Pack, choices: Choices = AS_THE_PACK) -> Iterator[Item]:
    """The items, row by row. Raises UsageError for more of them, or longer ones, than a job can have."""
    parts = _list_parts(pack, choices)
    if refusal := _find_refusal(pack, choices, parts):
        raise UsageError(refusal)
    return (_build_item(pack.name, made) for made in _iter_made(parts))


def preview(pack: Pack, choices: Choices = AS_THE_PACK, first: int = 10) -> Preview:
    """What `expand` will give, also where it would refuse."""
    parts = _list_parts(pack, choices)
    refusal = _find_refusal(pack, choices, parts)
    is_short = refusal is None or all(part.longest <= LONGEST_PROMPT and part.total.bit_length() <= _MOST_BITS for part in parts)
    made = islice(_iter_made(parts), max(0, min(first, MOST_ITEMS))) if is_short else ()
    warnings = [*pack.warnings, *_iter_warnings(pack, parts), *([] if refusal else _find_duplicates(parts))]
    return Preview(tuple(_build_item(pack.name, one) for one in made), _count(parts), bound_warnings(warnings), refusal)


def find_refusal(pack: Pack, choices: Choices = AS_THE_PACK) -> str | None:
    """Why the pack cannot be run in this way, as a sentence; None where it can."""
    return _find_refusal(pack, choices, _list_parts(pack, choices))


@dataclass(frozen=True)
class _Part:
    """One row's share: the slots that its text names, how many combinations they have (`total`) and how many are taken (`count`).

    `longest`: characters of its longest prompt, at most. `draw` is the key of its shuffle; None takes them in order.
    """

    number: int
    prompt: str
    negative: str
    slots: tuple[Slot, ...]
    total: int
    count: int
    longest: int
    draw: str | None


@dataclass(frozen=True)
class _Made:
    part: _Part
    index: int
    values: dict[str, str]

    @property
    def prompt(self) -> str:
        return _fill(self.part.prompt, self.values)

    @property
    def negative(self) -> str:
        return _fill(self.part.negative, self.values)


def _list_parts(pack: Pack, choices: Choices) -> list[_Part]:
    slots = _slots_of(pack)
    limit = pack.matrix.limit if choices.limit is None else max(0, choices.limit)
    positive = pack.global_positive if choices.global_positive is None else choices.global_positive.strip()
    negative = pack.global_negative if choices.global_negative is None else choices.global_negative.strip()
    is_random = (choices.mode or pack.matrix.mode) == RANDOM
    longest = {name: max(map(len, slot.values)) for name, slot in slots.items()}
    chosen = None if choices.rows is None else set(choices.rows)
    parts = []
    for number, row in enumerate(pack.rows):
        if chosen is not None and number not in chosen:
            continue
        prompt, other = _join(positive, row.prompt), _join(negative, row.negative_prompt)
        used = tuple(slots[name] for name in _tokens(prompt, other) if name in slots)
        total = count_combinations([len(slot.values) for slot in used])
        # Each row draws for itself, so that a limit does not show the same few values in all of them.
        draw = f"{choices.seed}:{number}" if is_random else None
        most = max(_measure(prompt, longest), _measure(other, longest))
        parts.append(_Part(number, prompt, other, used, total, min(total, limit) if limit else total, most, draw))
    return parts


def _iter_made(parts: Sequence[_Part]) -> Iterator[_Made]:
    for part in parts:
        sizes = [len(slot.values) for slot in part.slots]
        for index in range(part.count):
            number = index if part.draw is None else shuffle_number(index, part.total, part.draw)
            places = find_combination(sizes, number)
            yield _Made(part, index, {slot.name: slot.values[place] for slot, place in zip(part.slots, places)})


def _build_item(pack: str, made: _Made) -> Item:
    settings: Json = {"prompt": made.prompt}
    if made.part.negative:  # else the first stage's own stands
        settings["negative_prompt"] = made.negative
    return Item(variant={"pack": pack, "row": made.part.number, "index": made.index, "values": made.values}, settings=settings)


def _find_refusal(pack: Pack, choices: Choices, parts: Sequence[_Part]) -> str | None:
    if choices.mode not in (None, SEQUENTIAL, RANDOM):
        return f"the mode of a pack is {SEQUENTIAL} or {RANDOM}, not {show_name(choices.mode)}"
    if choices.limit is not None and choices.limit < 0:
        return "the limit of a pack is a whole number from 0; 0 is no limit"
    for part in parts:
        if part.longest > LONGEST_PROMPT:
            return f"row {part.number + 1}: a prompt of it would have {part.longest:,} characters; at most {LONGEST_PROMPT:,}"
        if part.total.bit_length() > _MOST_BITS:
            return f"row {part.number + 1}: more combinations than can be drawn from; take slots out of it"
    count, characters = _count(parts), _measure_all(parts)
    if not count:
        return "none of the chosen rows is in the pack" if pack.rows else "the pack has no prompts"
    if count > MOST_ITEMS:
        return f"this pack makes {_say(count)} prompts; at most {MOST_ITEMS:,} at once: set a limit, or choose rows"
    if characters > MOST_CHARACTERS:
        return (
            f"the prompts of this pack have {_say(characters)} characters together; at most {MOST_CHARACTERS:,}:"
            " set a limit, or choose rows"
        )
    return None


def _iter_warnings(pack: Pack, parts: Sequence[_Part]) -> Iterator[str]:
    slots = _slots_of(pack)
    used = Counter(name for part in parts for name in _tokens(part.prompt, part.negative))
    why = "is not varied, since the matrix is off" if pack.matrix.slots and not pack.matrix.enabled else "has no values"
    for name, rows in used.items():
        if name not in slots:
            yield f"[[{name}]] {why}: it stays in the prompt as it is ({_say_rows(rows)})"
    for slot in slots.values():
        if slot.name not in used:
            yield f"[[{slot.name}]] is in no prompt; its values are not used"
        if len(set(slot.values)) < len(slot.values):
            yield f"[[{slot.name}]] has the same value more than once"
    cut = [part for part in parts if part.count < part.total]
    if cut:
        most = max(part.total for part in cut)
        yield f"the limit leaves {cut[0].count:,} of up to {_say(most)} combinations of a row ({_say_rows(len(cut))})"


def _find_duplicates(parts: Sequence[_Part]) -> list[str]:
    """Of an expansion that is not refused; one of very long prompts is not compared."""
    if _measure_all(parts) > _MOST_COMPARED:
        return []
    same = _count(parts) - len({(made.prompt, made.negative) for made in _iter_made(parts)})
    if not same:
        return []
    return [f"{same:,} of {_count(parts):,} prompts are the same as an earlier one; with a fixed seed they make the same image"]


def _slots_of(pack: Pack) -> dict[str, Slot]:
    """Those that vary something."""
    return {slot.name: slot for slot in pack.matrix.slots if slot.values} if pack.matrix.enabled else {}


def _tokens(prompt: str, negative: str) -> tuple[str, ...]:
    """Names in `[[ ]]`, each once, as they come."""
    return tuple(dict.fromkeys((*TOKEN.findall(prompt), *TOKEN.findall(negative))))


def _fill(text: str, values: dict[str, str]) -> str:
    """Values are not looked through for words in turn."""
    return TOKEN.sub(lambda match: values.get(match[1], match[0]), text) if values else text


def _measure(text: str, longest: dict[str, int]) -> int:
    """Characters of the text with the longest values in it, or of itself: both have to be gone through."""
    return max(len(text), len(text) + sum(longest[match[1]] - len(match[0]) for match in TOKEN.finditer(text) if match[1] in longest))


def _join(first: str, second: str) -> str:
    return ", ".join(part for part in (first.rstrip(" ,"), second) if part)


def _count(parts: Sequence[_Part]) -> int:
    return sum(part.count for part in parts)


def _measure_all(parts: Sequence[_Part]) -> int:
    return sum(part.count * part.longest for part in parts)


def _say(count: int) -> str:
    return f"{count:,}" if count < 10**15 else "more than a quadrillion"


def _say_rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"

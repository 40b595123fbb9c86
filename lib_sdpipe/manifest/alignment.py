"""Two lists side by side: which items of one stand in the other, in order. Bounded in time, whatever the lists hold."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

# As many insertions and deletions are looked for exactly; the work is the square of it.
_MOST_EDITS = 400
_MOST_EDITS_BETWEEN_ANCHORS = 60

Pair = tuple[int, int]


def align(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Pair]:
    """Positions (in one, in the other) of items that are equal, rising in both.

    The most that there are, where the lists differ in up to some hundred items; of lists that differ more, those
    around items that occur once in each.
    """
    start, end = _common_ends(one, other)
    pairs = [(number, number) for number in range(start)]
    a, b = one[start:len(one) - end], other[start:len(other) - end]
    middle = _align_exactly(a, b, _MOST_EDITS)
    if middle is None:
        middle = _align_by_anchors(a, b)
    pairs += [(start + i, start + j) for i, j in middle]
    return pairs + [(len(one) - left, len(other) - left) for left in range(end, 0, -1)]


def _common_ends(one: Sequence[Hashable], other: Sequence[Hashable]) -> Pair:
    """How many items are the same at the beginning, and how many at the end."""
    most = min(len(one), len(other))
    start = next((number for number in range(most) if one[number] != other[number]), most)
    most -= start
    return start, next((number for number in range(most) if one[-1 - number] != other[-1 - number]), most)


def _align_exactly(one: Sequence[Hashable], other: Sequence[Hashable], most: int) -> list[Pair] | None:
    """By Myers' algorithm; None where more than `most` items would have to go or come."""
    n, m = len(one), len(other)
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(most, n + m) + 1):
        trace.append(reach)
        reach = dict(reach)
        for diagonal in range(-edits, edits + 1, 2):
            is_insertion = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            i = reach[diagonal + 1] if is_insertion else reach[diagonal - 1] + 1
            j = i - diagonal
            while i < n and j < m and one[i] == other[j]:
                i, j = i + 1, j + 1
            reach[diagonal] = i
            if i >= n and j >= m:
                return _walk_back(trace, n, m)
    return None


def _walk_back(trace: list[dict[int, int]], n: int, m: int) -> list[Pair]:
    pairs: list[Pair] = []
    i, j = n, m
    for edits in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[edits], i - j
        is_insertion = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if is_insertion else diagonal - 1
        start = reach[before]
        floor = start if is_insertion else start + 1
        while edits and i > floor or not edits and i > 0:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        i, j = start, start - before
    return pairs[::-1]


def _align_by_anchors(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Pair]:
    """Between items that occur once in each list and keep their order."""
    counts, others = Counter(one), Counter(other)
    places = {item: number for number, item in enumerate(other)}
    found = [(number, places[item]) for number, item in enumerate(one) if counts[item] == 1 and others[item] == 1]
    pairs: list[Pair] = []
    i = j = 0
    for anchor in [*_longest_rising(found), (len(one), len(other))]:
        between = _align_exactly(one[i:anchor[0]], other[j:anchor[1]], _MOST_EDITS_BETWEEN_ANCHORS) or []
        pairs += [(i + a, j + b) for a, b in between]
        pairs.append(anchor)
        i, j = anchor[0] + 1, anchor[1] + 1
    return pairs[:-1]


def _longest_rising(pairs: list[Pair]) -> list[Pair]:
    """The longest part of the pairs, which rise in their first number, that rises in the second too."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for number, (_, second) in enumerate(pairs):
        place = bisect_left(tops, second)
        before.append(ends[place - 1] if place else None)
        tops[place:place + 1] = [second]
        ends[place:place + 1] = [number]
    chosen: list[Pair] = []
    at = ends[-1] if ends else None
    while at is not None:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]

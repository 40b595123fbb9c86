"""Combinations of a matrix by number: the n-th in order, or the n-th of a shuffle that is never laid out. Pure.

A matrix of ten slots has billions of combinations; a seed and a number tell one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_ROUNDS = 4


def count_combinations(sizes: Sequence[int]) -> int:
    """How many there are; one where nothing varies."""
    total = 1
    for size in sizes:
        total *= size
    return total


def find_combination(sizes: Sequence[int], number: int) -> tuple[int, ...]:
    """The places of the values in combination `number`, from 0: the last slot varies first."""
    places = []
    for size in reversed(sizes):
        number, place = divmod(number, size)
        places.append(place)
    return tuple(reversed(places))


def shuffle_number(number: int, total: int, key: str) -> int:
    """Where `number` of `total` goes in the shuffle of that key: each number to another one, the same on every computer.

    A Feistel network over the next power of four, walked until it lands inside `total` (four steps at most on average).
    """
    if total < 2:
        return number
    half = max(1, ((total - 1).bit_length() + 1) // 2)
    while True:
        number = _mix(number, half, key)
        if number < total:
            return number


def _mix(number: int, half: int, key: str) -> int:
    mask = (1 << half) - 1
    left, right = number >> half, number & mask
    for turn in range(_ROUNDS):
        digest = hashlib.sha256(f"{key}:{turn}:{right}".encode("utf-8", "surrogatepass")).digest()
        left, right = right, left ^ (int.from_bytes(digest, "big") & mask)
    return left << half | right

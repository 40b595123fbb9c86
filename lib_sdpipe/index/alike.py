"""Pictures that look alike, by their perceptual hashes. A range of the sum of tile colours narrows a million down to thousands."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

import numpy as np

from lib_sdpipe.index.looks import Looks

# A picture made smaller or larger keeps its proportions but for rounding to whole pixels.
_MOST_STRETCH = 0.03
_TILE_VALUES = 48
_AT_ONCE = 8192
_BIT_COUNTS = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def find_alike(
    connection: sqlite3.Connection, size: tuple[int, int], looks: Looks, most_steps: int, most_colour: float, any_size: bool
) -> list[tuple[int, float, int]]:
    """(differing steps, mean colour difference, picture id) of recorded pictures within both bounds, nearest first.

    Of this size; with `any_size` of these proportions.
    """
    reach = math.floor(most_colour * _TILE_VALUES)  # no sum can differ by more than the values do together
    query = (
        "SELECT brightness_steps, tile_colours, id, width, height FROM pictures INDEXED BY pictures_looks"
        " WHERE colour_sum BETWEEN ? AND ? AND colour_sum IS NOT NULL AND run_id IS NOT NULL"
    )
    bounds: tuple[int, ...] = (looks.colour_sum - reach, looks.colour_sum + reach)
    if not any_size:
        query, bounds = f"{query} AND width = ? AND height = ?", (*bounds, *size)
    cursor = connection.execute(query, bounds)
    found: list[tuple[int, float, int]] = []
    while rows := cursor.fetchmany(_AT_ONCE):
        matches = _match(rows, looks, most_steps, most_colour)
        found.extend((steps, colour, row[2]) for steps, colour, row in matches if _has_shape(row[3:5], size))
    return sorted(found)


def _match(
    rows: list[tuple[Any, ...]], looks: Looks, most_steps: int, most_colour: float
) -> Iterator[tuple[int, float, tuple[Any, ...]]]:
    differing = _BIT_COUNTS[_stack(rows, 0) ^ np.frombuffer(looks.steps, np.uint8)].sum(axis=1, dtype=np.uint16)
    near = np.flatnonzero(differing <= most_steps)
    if not near.size:
        return
    near_rows = [rows[place] for place in near]
    colour = np.abs(_stack(near_rows, 1).astype(np.int16) - np.frombuffer(looks.colours, np.uint8)).mean(axis=1)
    for place in np.flatnonzero(colour <= most_colour):
        yield int(differing[near[place]]), float(colour[place]), near_rows[place]


def _stack(rows: list[tuple[Any, ...]], column: int) -> np.ndarray:
    return np.frombuffer(b"".join(row[column] for row in rows), np.uint8).reshape(len(rows), -1)


def _has_shape(size: tuple[int | None, int | None], wanted: tuple[int, int]) -> bool:
    if size == wanted:
        return True
    width, height = size
    if not width or not height:
        return True  # a record that does not know its size
    return abs(math.log(width * wanted[1] / (height * wanted[0]))) <= _MOST_STRETCH

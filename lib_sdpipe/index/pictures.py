"""Pictures by their digests: what parents are found by."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib_sdpipe.index.database import transaction
from lib_sdpipe.index.sql_values import sql_integer, sql_text
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import parse_utc

# docs/formats.md: two pictures match at 32 differing steps or fewer and a mean colour difference of 1.0 or less.
MAX_DIFFERING_STEPS = 32
MAX_COLOUR_DIFFERENCE = 1.0
# Pixels within 2 of each other: tiles differ by 2 and a rounding, and steps near their threshold may flip.
NEAR_DIFFERING_STEPS = 96
NEAR_COLOUR_DIFFERENCE = 3.0
_COLUMNS = "run_id, name, stage, role, root, path, kept, width, height, actual_seed, sha256, pixel_sha256"
_BIT_COUNTS = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint16)


@dataclass(frozen=True)
class Recorded:
    """One recorded image, as far as the index knows it."""

    run_id: str
    name: str
    stage: str | None
    role: str | None
    root: str | None
    path: str | None
    kept: str | None
    width: int | None
    height: int | None
    actual_seed: int | None
    sha256: str | None
    pixel_sha256: str | None


class Pictures:
    """The table `pictures`, and `copies` beside it. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, manifest: Json) -> None:
        """Insert or replace one manifest's row."""
        with transaction(self._connection):
            self.insert(manifest)

    def remove_run(self, run_id: str) -> None:
        """Within a transaction of the caller's."""
        self._connection.execute("DELETE FROM pictures WHERE run_id = ?", (run_id,))

    def find_by_pixels(self, pixel_sha256: str) -> list[Recorded]:
        return self._find("pixel_sha256 = ?", (pixel_sha256,))

    def find_by_sha256(self, sha256: str) -> list[Recorded]:
        return self._find("sha256 = ?", (sha256,))

    def find_by_seed(self, run_id: str, actual_seed: int) -> list[Recorded]:
        return self._find("run_id = ? AND actual_seed = ?", (run_id, sql_integer(actual_seed)))

    def find_by_path(self, root: str | None, path: str) -> list[Recorded]:
        return self._find("root IS ? AND path = ?", (sql_text(root), sql_text(path)))

    def add_copy(self, path: str, run_id: str, name: str, evidence: str) -> None:
        """A file (absolute path) that shows a recorded image and is nobody's recorded file itself."""
        with transaction(self._connection):
            self._connection.execute("REPLACE INTO copies VALUES (?, ?, ?, ?)", (sql_text(path), run_id, name, evidence))

    def find_alike(self, width: int, height: int, perceptual_hash: str) -> list[Recorded]:
        """Images of this size that match the hash, nearest first."""
        return self._find_within(width, height, perceptual_hash, MAX_DIFFERING_STEPS, MAX_COLOUR_DIFFERENCE)

    def find_maybe_near(self, width: int, height: int, perceptual_hash: str) -> list[Recorded]:
        """Images of this size whose pixels may lie within 2 of the hashed picture's, likeliest first; compare to know."""
        return self._find_within(width, height, perceptual_hash, NEAR_DIFFERING_STEPS, NEAR_COLOUR_DIFFERENCE)

    def _find_within(self, width: int, height: int, perceptual_hash: str, most_steps: int, most_colour: float) -> list[Recorded]:
        steps, colours = _split_hash(perceptual_hash)
        cursor = self._connection.execute(
            f"SELECT brightness_steps, tile_colours, {_COLUMNS} FROM pictures"
            " WHERE width = ? AND height = ? AND brightness_steps IS NOT NULL AND run_id IS NOT NULL",
            (width, height),
        )
        found: list[tuple[int, Recorded]] = []
        while rows := cursor.fetchmany(4096):
            found.extend(_match(rows, steps, colours, most_steps, most_colour))
        return [recorded for _, recorded in sorted(found, key=lambda item: item[0])]

    def content(self) -> list[tuple[Any, ...]]:
        """Every row, in a fixed order: what a rebuilt index must equal."""
        return list(self._connection.execute(f"SELECT {_COLUMNS}, time FROM pictures ORDER BY run_id, name, root, path"))

    def _find(self, where: str, values: tuple[Any, ...]) -> list[Recorded]:
        query = f"SELECT {_COLUMNS} FROM pictures WHERE {where} AND run_id IS NOT NULL ORDER BY run_id, name"
        return [Recorded(*row) for row in self._connection.execute(query, values)]

    def insert(self, manifest: Json) -> int:
        """A manifest's JSON document, with the types that a record has; the row's id. Within a transaction of the caller's."""
        image = manifest.get("image") or {}
        steps, colours = _split_hash(image.get("perceptual_hash"))
        cursor = self._connection.execute(
            "REPLACE INTO pictures (run_id, name, root, path, kept, stage, role, time, actual_seed, width, height, bytes, sha256,"
            " pixel_sha256, lost_at, brightness_steps, tile_colours) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(sql_text(manifest.get(field)) for field in ("run_id", "name", "root", "path", "kept", "stage", "role")),
                parse_utc(manifest.get("timestamp") or "") or 0.0, sql_integer(manifest.get("actual_seed")),
                image.get("width"), image.get("height"), image.get("bytes"), sql_text(image.get("sha256")),
                sql_text(image.get("pixel_sha256")), sql_text(manifest.get("lost_at")), steps, colours,
            ),
        )
        return cursor.lastrowid or 0


def _split_hash(perceptual_hash: str | None) -> tuple[bytes | None, bytes | None]:
    parts = (perceptual_hash or "").split(":")
    if len(parts) != 3 or parts[0] != "1" or len(parts[1]) != 64 or len(parts[2]) != 96:
        return None, None
    try:
        return bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except ValueError:
        return None, None


def _match(
    rows: list[tuple[Any, ...]], steps: bytes | None, colours: bytes | None, most_steps: int, most_colour: float
) -> list[tuple[int, Recorded]]:
    if steps is None or colours is None:
        return []
    differing = _BIT_COUNTS[_stack(rows, 0) ^ np.frombuffer(steps, np.uint8)].sum(axis=1)
    colour = np.abs(_stack(rows, 1).astype(np.int16) - np.frombuffer(colours, np.uint8)).mean(axis=1)
    hits = np.flatnonzero((differing <= most_steps) & (colour <= most_colour))
    return [(int(differing[hit]), Recorded(*rows[hit][2:])) for hit in hits]


def _stack(rows: list[tuple[Any, ...]], column: int) -> np.ndarray:
    return np.frombuffer(b"".join(row[column] for row in rows), np.uint8).reshape(len(rows), -1)

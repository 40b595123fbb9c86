"""What was read of files, byte for byte, and what a deep check has yet to read."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Iterator

from lib_sdpipe.index.database import transaction

_PAGE = 500
_UNREAD = (
    "SELECT f.id, d.root, d.path, f.name, f.bytes, f.mtime_ns, f.format, f.width, f.height, f.claim, p.sha256, f.read_at"
    " FROM files f JOIN folders d ON d.id = f.folder LEFT JOIN pictures p ON p.id = f.picture WHERE "
)
_NEVER = "f.read_at IS NULL AND f.id > ? ORDER BY f.id LIMIT ?"
_BEFORE = "f.read_at < ? AND (f.read_at, f.id) > (?, ?) ORDER BY f.read_at, f.id LIMIT ?"


@dataclass(frozen=True)
class UnreadFile:
    """A file that a pass has yet to read. `recorded` is the sha256 that its manifest says, None without."""

    id: int
    root: str
    folder: str
    name: str
    bytes: int
    mtime_ns: int
    format: str | None
    width: int | None
    height: int | None
    claim: str | None
    recorded: str | None
    read_at: float | None

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder or not self.root else self.name

    @property
    def wants_looks(self) -> bool:
        """Whether nothing else says what it shows: then its pixels are digested, too."""
        return self.claim is None or (self.claim == "image" and self.recorded is None)


@dataclass(frozen=True)
class Read:
    """What was read of a file as it was at that size and time; `problem` where its bytes are no picture, or cannot be had."""

    file: int
    bytes: int
    mtime_ns: int
    sha256: str | None
    pixel_sha256: str | None = None
    perceptual_hash: str | None = None
    problem: str | None = None


class Reading:
    """The columns of `files` that reading fills, and `deep_passes`. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin_pass(self, now: float) -> float:
        """When the pass began that is under way; `now` where none is."""
        with transaction(self._connection):
            row = self._connection.execute("SELECT max(started_at) FROM deep_passes WHERE finished_at IS NULL").fetchone()
            if row[0] is None:
                self._connection.execute("DELETE FROM deep_passes")
                self._connection.execute("INSERT INTO deep_passes VALUES (?, NULL)", (now,))
        return float(row[0]) if row[0] is not None else now

    def finish_pass(self, now: float) -> None:
        with transaction(self._connection):
            self._connection.execute("UPDATE deep_passes SET finished_at = ? WHERE finished_at IS NULL", (now,))

    def count_left(self, started_at: float) -> tuple[int, int]:
        """(files, bytes) that the pass has yet to read."""
        query = "SELECT count(*), ifnull(sum(bytes), 0) FROM files WHERE read_at IS NULL OR read_at < ?"
        row: tuple[int, int] = self._connection.execute(query, (started_at,)).fetchone()
        return row

    def iter_left(self, started_at: float) -> Iterator[UnreadFile]:
        """Those never read, in the order they were found; then those read longest ago. What is noted meanwhile does no harm."""
        after = 0
        while page := self._page(_NEVER, (after, _PAGE)):
            yield from page
            after = page[-1].id
        last = (-1.0, 0)
        while page := self._page(_BEFORE, (started_at, *last, _PAGE)):
            yield from page
            last = (page[-1].read_at or 0.0, page[-1].id)

    def note(self, found: Read, read_at: float | None) -> None:
        """A file was read; if it has changed meanwhile, it is as if it was not. `read_at`: all was read that a deep check reads."""
        self._connection.execute(
            "UPDATE files SET sha256 = ?, pixel_sha256 = coalesce(?, pixel_sha256), perceptual_hash = coalesce(?, perceptual_hash),"
            " read_problem = ?, read_at = coalesce(?, read_at) WHERE id = ? AND bytes = ? AND mtime_ns = ?",
            (
                found.sha256, found.pixel_sha256, found.perceptual_hash, found.problem, read_at, found.file, found.bytes,
                found.mtime_ns,
            ),
        )

    def note_all(self, found: list[Read], read_at: float) -> None:
        with transaction(self._connection):
            for each in found:
                self.note(each, read_at)

    def counts(self) -> tuple[int, int]:
        """(images that a deep check has read as they are now, images)."""
        read = self._connection.execute("SELECT count(*) FROM files WHERE read_at IS NOT NULL").fetchone()[0]
        return int(read), int(self._connection.execute("SELECT count(*) FROM files").fetchone()[0])

    def _page(self, where: str, values: tuple[Any, ...]) -> list[UnreadFile]:
        return [UnreadFile(*row) for row in self._connection.execute(_UNREAD + where, values)]

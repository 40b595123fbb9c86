"""Folders and image files of the roots, as the last look saw them, and what manifests claim of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Iterable

from lib_sdpipe.index.sql_values import sql_text

FileStat = tuple[str, int, int, int, int]
"""Name, bytes, modification time in nanoseconds, inode, device."""

# How a problem begins that lies with the disk or its permissions, not with the file.
CANNOT_BE_READ = "cannot be read"

KnownFolder = tuple[int, "int | None", "str | None"]
"""Row id, device, problem."""

KnownFile = tuple[int, int, int, int, int]
"""Row id, bytes, modification time in nanoseconds, inode, device."""


@dataclass(frozen=True)
class FileHead:
    """What the first bytes of a file say; `infotext` verbatim."""

    format: str | None
    width: int | None
    height: int | None
    problem: str | None
    infotext: str | None
    infotext_digest: bytes | None
    run_id: str | None


@dataclass(frozen=True)
class Claim:
    """A manifest's word about a file: `claim` is `image`, `kept`, `beside` or, where it says that the image is lost, `lost`.

    `picture` is None where the manifest cannot be read itself.
    """

    root: str
    folder: str
    name: str
    run_id: str
    file: str
    picture: int | None
    claim: str


class Files:
    """The tables `folders`, `files` and `claims`. Changes are made within a transaction of the caller's. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # --- folders ---

    def known_folders(self, root: str) -> dict[str, KnownFolder]:
        """By path in the root."""
        rows = self._connection.execute("SELECT path, id, device, problem FROM folders WHERE root = ?", (root,))
        return {path: (row_id, device, problem) for path, row_id, device, problem in rows}

    def known_folder(self, root: str, path: str) -> KnownFolder | None:
        found: KnownFolder | None = self._connection.execute(
            "SELECT id, device, problem FROM folders WHERE root = ? AND path = ?", (root, sql_text(path))
        ).fetchone()
        return found

    def known_roots(self) -> list[str]:
        return [root for (root,) in self._connection.execute("SELECT DISTINCT root FROM folders")]

    def set_folder(self, root: str, path: str, device: int | None, problem: str | None) -> int:
        """Note how a folder was found; its row id. With a problem its device stays as it was known."""
        self._connection.execute(
            "INSERT INTO folders (root, path, device, problem) VALUES (?, ?, ?, ?) ON CONFLICT (root, path)"
            " DO UPDATE SET device = CASE WHEN excluded.problem IS NULL THEN excluded.device ELSE device END, problem = excluded.problem",
            (root, sql_text(path), device, problem),
        )
        row: tuple[int] = self._connection.execute(
            "SELECT id FROM folders WHERE root = ? AND path = ?", (root, sql_text(path))
        ).fetchone()
        return row[0]

    def remove_folder(self, folder: int) -> None:
        ids = [row_id for (row_id,) in self._connection.execute("SELECT id FROM files WHERE folder = ?", (folder,))]
        self.remove_files(ids)
        self._connection.execute("DELETE FROM folders WHERE id = ?", (folder,))

    def remove_root(self, root: str) -> None:
        for row_id, *_ in self.known_folders(root).values():
            self.remove_folder(row_id)

    def remove_homeless(self) -> None:
        """Files of a folder that another process removed while this one was looking into it."""
        rows = self._connection.execute("SELECT id FROM files WHERE folder NOT IN (SELECT id FROM folders)").fetchall()
        self.remove_files(row_id for (row_id,) in rows)

    # --- files ---

    def is_as_known(self, folder: int, found: list[FileStat]) -> bool:
        """Whether these are exactly the files that are known of a folder, unchanged: most folders are, and this is quick."""
        query = "SELECT name, bytes, mtime_ns, inode, device FROM files WHERE folder = ? ORDER BY name"
        return self._connection.execute(query, (folder,)).fetchall() == sorted(found)

    def known_files(self, folder: int, names: Iterable[str] | None = None) -> dict[str, KnownFile]:
        """The files of a folder, or only those of these names."""
        query = "SELECT name, id, bytes, mtime_ns, inode, device FROM files WHERE folder = ?"
        if names is None:
            rows: Iterable[Any] = self._connection.execute(query, (folder,))
        else:
            each = (self._connection.execute(f"{query} AND name = ?", (folder, sql_text(name))).fetchone() for name in names)
            rows = (row for row in each if row is not None)
        return {name: (row_id, size, mtime_ns, inode, device) for name, row_id, size, mtime_ns, inode, device in rows}

    def insert_file(self, folder: int, found: FileStat, head: FileHead, claim: tuple[int | None, str] | None) -> None:
        """A new file; one that another process has put there a moment ago gives way."""
        picture, kind = claim if claim is not None else (None, None)
        self._connection.execute(
            "REPLACE INTO files (folder, name, bytes, mtime_ns, inode, device, format, width, height, problem, infotext_digest,"
            " infotext, run_id, picture, claim) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                folder, sql_text(found[0]), *_stat_to_know(found, head), head.format, head.width, head.height, head.problem,
                head.infotext_digest, sql_text(head.infotext) if kind is None else None, sql_text(head.run_id), picture, kind,
            ),
        )

    def update_file(self, row_id: int, found: FileStat, head: FileHead) -> None:
        """The file was changed: what was known of its content is forgotten."""
        self._connection.execute(
            "UPDATE files SET bytes = ?, mtime_ns = ?, inode = ?, device = ?, format = ?, width = ?, height = ?, problem = ?,"
            " infotext_digest = ?, infotext = CASE WHEN claim IS NULL THEN ? END, run_id = ?, sha256 = NULL, pixel_sha256 = NULL,"
            " perceptual_hash = NULL, is_changed = 1, read_problem = NULL, read_at = NULL WHERE id = ?",
            (
                *_stat_to_know(found, head), head.format, head.width, head.height, head.problem, head.infotext_digest,
                sql_text(head.infotext), sql_text(head.run_id), row_id,
            ),
        )

    def move_file(self, row_id: int, inode: int, device: int) -> None:
        """The same file, as its size and time say, on another inode: a copied library, a remounted disk."""
        self._connection.execute("UPDATE files SET inode = ?, device = ? WHERE id = ?", (inode, device, row_id))

    def remove_files(self, ids: Iterable[int]) -> None:
        rows = [(row_id,) for row_id in ids]
        self._connection.executemany("DELETE FROM files WHERE id = ?", rows)

    # --- claims ---

    def claimed_names(self, root: str) -> list[tuple[str, list[str]]]:
        """Folders of a root and the claimed names in each."""
        rows = self._connection.execute("SELECT DISTINCT folder, name FROM claims WHERE root = ? ORDER BY folder, name", (root,))
        return [(folder, [name for _, name in group]) for folder, group in groupby(rows, key=lambda row: row[0])]

    def count_claims(self, root: str) -> int:
        return int(self._connection.execute("SELECT count(*) FROM claims WHERE root = ?", (root,)).fetchone()[0])

    def claimed_by(self, run_id: str) -> list[tuple[str, str, list[str]]]:
        """(root, folder, names) of the files that a run's manifests name."""
        query = "SELECT DISTINCT root, folder, name FROM claims WHERE run_id = ? ORDER BY root, folder, name"
        rows = self._connection.execute(query, (run_id,))
        return [(root, folder, [name for *_, name in group]) for (root, folder), group in groupby(rows, key=lambda row: row[:2])]

    def has_claims(self, root: str, folder: str) -> bool:
        """Whether any manifest names a file in this folder."""
        query = "SELECT 1 FROM claims WHERE root = ? AND folder = ? LIMIT 1"
        return self._connection.execute(query, (root, sql_text(folder))).fetchone() is not None

    def claim_of(self, root: str, folder: str, name: str) -> tuple[int | None, str] | None:
        """(picture, kind) of the claim on a file; of several the newest run's, of a lost picture the last."""
        row: tuple[int | None, str] | None = self._connection.execute(
            "SELECT picture, claim FROM claims WHERE root = ? AND folder = ? AND name = ?"
            " ORDER BY claim = 'lost', run_id DESC, file DESC LIMIT 1",
            (root, sql_text(folder), sql_text(name)),
        ).fetchone()
        return row

    def replace_claims(self, run_id: str, claims: Iterable[Claim]) -> None:
        """Make these the claims of a run's manifests, and tell the files."""
        places = set(self._connection.execute("SELECT root, folder, name FROM claims WHERE run_id = ?", (run_id,)))
        self._connection.execute("DELETE FROM claims WHERE run_id = ?", (run_id,))
        for claim in claims:
            place = (claim.root, sql_text(claim.folder), sql_text(claim.name))
            places.add(place)
            self._connection.execute(
                "REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*place, claim.run_id, sql_text(claim.file), claim.picture, claim.claim),
            )
        for root, folder, name in places:
            self._tell_file(root, folder, name)

    def _tell_file(self, root: str, folder: str, name: str) -> None:
        row = self._connection.execute(
            "SELECT files.id, files.claim FROM folders JOIN files ON files.folder = folders.id"
            " WHERE folders.root = ? AND folders.path = ? AND files.name = ?", (root, folder, name)
        ).fetchone()
        if row is None:
            return
        row_id, before = row
        claim = self.claim_of(root, folder, name)
        if claim is None and before is not None:  # its text is to be searched now, and must be read again for that
            self.remove_files([row_id])
            return
        self._connection.execute("UPDATE files SET picture = ?, claim = ? WHERE id = ?", (*(claim or (None, None)), row_id))


def _stat_to_know(found: FileStat, head: FileHead) -> tuple[int, int, int, int]:
    """Bytes, time, inode, device. What could not be read is tried again at the next look: a permission changes no time."""
    size, mtime_ns, inode, device = found[1:]
    return size, -1 if (head.problem or "").startswith(CANNOT_BE_READ) else mtime_ns, inode, device

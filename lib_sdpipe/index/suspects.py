"""What a check has to look at more closely: pictures and files that do not fit each other, found by the index alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Container, Iterable, Iterator

from lib_sdpipe.index.sql_values import sql_text

_PAGE = 500
_FILE = (
    "f.id, d.root, d.path, f.name, f.bytes, f.mtime_ns, f.inode, f.device, f.format, f.width, f.height,"
    " f.problem, f.read_problem, f.run_id, f.sha256,"
    " f.pixel_sha256, f.perceptual_hash, f.is_changed, f.claim"
)
_FROM_FILES = "FROM files f JOIN folders d ON d.id = f.folder"
# A file `f` of a picture `p` that is, or may be, something else than was recorded.
_IS_OTHER = (
    "CASE WHEN f.sha256 IS NOT NULL THEN f.sha256 <> p.sha256 ELSE f.is_changed OR f.bytes <> p.bytes"
    " OR (p.infotext_digest IS NOT NULL AND f.infotext_digest IS NOT p.infotext_digest) END"
)


@dataclass(frozen=True)
class FileRow:
    """A file as the index knows it; `folder` is a path in the root, or absolute where the root is empty."""

    id: int
    root: str
    folder: str
    name: str
    bytes: int
    mtime_ns: int
    inode: int
    device: int
    format: str | None
    width: int | None
    height: int | None
    head_problem: str | None
    read_problem: str | None
    run_id: str | None
    sha256: str | None
    pixel_sha256: str | None
    perceptual_hash: str | None
    is_changed: int
    claim: str | None

    @property
    def problem(self) -> str | None:
        return self.head_problem or self.read_problem

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder or not self.root else self.name


@dataclass(frozen=True)
class SuspectPicture:
    """A recorded picture whose file is not there (None), or is maybe not what was recorded.

    Of a kept copy that is maybe not a copy any more root and path are the copy's.
    """

    id: int
    run_id: str
    name: str
    root: str | None
    path: str
    bytes: int | None
    sha256: str | None
    pixel_sha256: str | None
    width: int | None
    height: int | None
    kept: str | None
    file: FileRow | None


class Suspects:
    """Questions over `pictures` and `files`. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def iter_pictures(self) -> Iterator[SuspectPicture]:
        """In the order of recording, a page at a time: what is noted meanwhile does no harm."""
        after = 0
        while page := self._page_of_pictures(after):
            for picture in page:
                yield picture
            after = page[-1].id

    def iter_kept(self) -> Iterator[SuspectPicture]:
        """Copies in run folders that may be none any more."""
        after = 0
        while page := self._page_of_kept(after):
            yield from page
            after = page[-1].file.id if page[-1].file is not None else after

    def _page_of_kept(self, after: int) -> list[SuspectPicture]:
        rows = self._connection.execute(
            f"SELECT p.id, p.run_id, p.name, d.root, p.kept, p.bytes, p.sha256, p.pixel_sha256, p.width, p.height, p.kept, {_FILE}"
            f" {_FROM_FILES} JOIN pictures p ON p.id = f.picture WHERE f.claim = 'kept' AND f.id > ? AND p.sha256 IS NOT NULL AND CASE"
            " WHEN f.sha256 = p.sha256 THEN 0 WHEN f.problem IS NOT NULL OR f.read_problem IS NOT NULL THEN 1"
            " WHEN f.sha256 IS NOT NULL THEN 1 ELSE f.is_changed OR f.bytes <> p.bytes END ORDER BY f.id LIMIT ?", (after, _PAGE),
        )
        return [SuspectPicture(*row[:11], FileRow(*row[11:])) for row in rows]

    def _page_of_pictures(self, after: int) -> list[SuspectPicture]:
        rows = self._connection.execute(
            f"SELECT p.id, p.run_id, p.name, p.root, p.path, p.bytes, p.sha256, p.pixel_sha256, p.width, p.height, p.kept,"
            f" {_FILE} FROM pictures p LEFT JOIN files f ON f.picture = p.id AND f.claim = 'image' LEFT JOIN folders d ON d.id = f.folder"
            " WHERE p.id > ? AND p.run_id IS NOT NULL AND p.path IS NOT NULL AND p.lost_at IS NULL AND CASE WHEN f.id IS NULL THEN 1"
            " WHEN f.sha256 = p.sha256 THEN 0 WHEN f.problem IS NOT NULL OR f.read_problem IS NOT NULL THEN 1"
            f" ELSE {_IS_OTHER} END ORDER BY p.id LIMIT ?",
            (after, _PAGE),
        )
        return [SuspectPicture(*row[:11], FileRow(*row[11:]) if row[11] is not None else None) for row in rows]

    # --- files ---

    def file_at(self, root: str | None, path: str) -> FileRow | None:
        folder, _, name = path.rpartition("/")
        rows = self._files("d.root = ? AND d.path = ? AND f.name = ?", (root or "", sql_text(folder), sql_text(name)))
        return rows[0] if rows else None

    def unnamed_on_inode(self, size: int, inode: int, device: int) -> list[FileRow]:
        """Names that no manifest names, of the file on that inode."""
        return self._files("f.claim IS NULL AND f.bytes = ? AND f.inode = ? AND f.device = ?", (size, inode, device))

    def iter_replaced(self) -> Iterator[tuple[int, int]]:
        """(bytes, id) of whole files that manifests name and that may show what another manifest recorded."""
        yield from self._connection.cursor().execute(
            "SELECT f.bytes, f.id FROM files f JOIN pictures p ON p.id = f.picture WHERE f.claim = 'image' AND p.lost_at IS NULL"
            f" AND p.sha256 IS NOT NULL AND f.problem IS NULL AND f.read_problem IS NULL AND {_IS_OTHER} ORDER BY f.id"
        )

    def file_of(self, row_id: int) -> FileRow | None:
        rows = self._files("f.id = ?", (row_id,))
        return rows[0] if rows else None

    def is_missed(self, sha256: str, but: int) -> bool:
        """Whether a picture other than this one has that content on record and, as far as is known, not in its place."""
        query = (
            "SELECT 1 FROM pictures p LEFT JOIN files f ON f.picture = p.id AND f.claim = 'image' WHERE p.sha256 = ? AND p.id <> ?"
            f" AND p.run_id IS NOT NULL AND p.path IS NOT NULL AND p.lost_at IS NULL AND (f.id IS NULL OR {_IS_OTHER}) LIMIT 1"
        )
        return self._connection.execute(query, (sha256, but)).fetchone() is not None

    def iter_further_names(self) -> Iterator[int]:
        """Files that no manifest names under this name, and one names under another: hard links, links, roots that overlap."""
        query = (
            "SELECT f.id FROM files f, files o WHERE f.claim IS NULL AND o.claim IS NOT NULL AND o.inode = f.inode AND o.device = f.device"
        )
        for (row_id,) in self._connection.cursor().execute(query):
            yield row_id

    def unnamed_of_size(self, size: int) -> list[FileRow]:
        """Files of that many bytes that no manifest names."""
        return self._files("f.claim IS NULL AND f.bytes = ?", (size,))

    def unnamed_saying(self, run_id: str) -> list[FileRow]:
        """Files that no manifest names and whose text names this run."""
        return self._files("f.claim IS NULL AND f.run_id = ?", (sql_text(run_id),))

    def unnamed_named(self, name: str) -> list[FileRow]:
        """Files of that name that no manifest names."""
        return self._files("f.claim IS NULL AND f.name = ?", (sql_text(name),))

    def with_pixels(self, pixel_sha256: str) -> list[FileRow]:
        """Files that no manifest names and that were read and show this."""
        return self._files("f.claim IS NULL AND f.pixel_sha256 = ?", (pixel_sha256,))

    def unnamed_with_content(self, sha256: str) -> list[FileRow]:
        return self._files("f.claim IS NULL AND f.sha256 = ?", (sha256,))

    def iter_damaged(self) -> Iterator[FileRow]:
        """Files that no manifest names and that are no whole images."""
        yield from self._iter_files("f.claim IS NULL AND (f.problem IS NOT NULL OR f.read_problem IS NOT NULL)", ())

    def iter_likely_copies(self) -> Iterator[FileRow]:
        """Files that nobody names and nobody has read, with the size and the text of a recorded image."""
        if self._connection.execute("SELECT 1 FROM pictures WHERE run_id IS NOT NULL LIMIT 1").fetchone() is None:
            return
        where = (
            "f.claim IS NULL AND f.sha256 IS NULL AND f.infotext_digest IS NOT NULL AND f.problem IS NULL"
            " AND f.read_problem IS NULL AND EXISTS"
            " (SELECT 1 FROM pictures p WHERE p.infotext_digest = f.infotext_digest AND p.run_id IS NOT NULL AND p.bytes = f.bytes)"
        )
        yield from self._iter_files(where, ())

    def iter_copies(self) -> Iterator[tuple[str, list[FileRow]]]:
        """Contents that more than one file has, as far as files were read or their manifests say, each with its files."""
        contents = self._connection.execute(
            "SELECT DISTINCT u.sha256 FROM files u WHERE u.sha256 IS NOT NULL AND u.claim IS NULL AND (EXISTS (SELECT 1 FROM files o"
            " WHERE o.sha256 = u.sha256 AND o.id <> u.id) OR EXISTS (SELECT 1 FROM pictures p WHERE p.sha256 = u.sha256)) ORDER BY u.sha256"
        ).fetchall()
        for (sha256,) in contents:
            recorded = self._files(
                "f.claim = 'image' AND (f.sha256 = ? OR f.sha256 IS NULL AND f.is_changed = 0 AND f.problem IS NULL"
                " AND f.read_problem IS NULL AND f.picture IN"
                " (SELECT p.id FROM pictures p WHERE p.sha256 = ? AND p.bytes = f.bytes))", (sha256, sha256),
            )
            yield sha256, recorded + self.unnamed_with_content(sha256)

    def picture_of(self, file: int) -> tuple[str, str] | None:
        """(run id, name) of the manifest that names a file as its image."""
        row: tuple[str, str] | None = self._connection.execute(
            "SELECT p.run_id, p.name FROM files f JOIN pictures p ON p.id = f.picture WHERE f.id = ? AND f.claim = 'image'", (file,)
        ).fetchone()
        return row

    def run_id_in_image(self, picture: int) -> str | None:
        """The Run ID in the text of the file that a picture's manifest names."""
        row = self._connection.execute("SELECT run_id FROM files WHERE picture = ? AND claim = 'image'", (picture,)).fetchone()
        return row[0] if row is not None else None

    def iter_unnamed_folders(self, but: Iterable[int]) -> Iterator[tuple[str, str, int, int]]:
        """(root, path, images, bytes) of folders with images that nobody names, without these files."""
        self._note_explained(but)
        yield from self._connection.execute(
            "SELECT d.root, d.path, COUNT(*), SUM(f.bytes) FROM files f JOIN folders d ON d.id = f.folder WHERE f.claim IS NULL"
            " AND f.id NOT IN (SELECT id FROM temp.explained) GROUP BY f.folder ORDER BY d.root, d.path"
        )

    def unnamed_in(self, root: str, path: str, limit: int) -> list[FileRow]:
        """Of one such folder, without those explained before."""
        where = "d.root = ? AND d.path = ? AND f.claim IS NULL AND f.id NOT IN (SELECT id FROM temp.explained) ORDER BY f.name LIMIT ?"
        return self._files(where, (root, path, limit))

    def iter_unnamed(self, places: Container[tuple[str, str]]) -> Iterator[FileRow]:
        """Whole images that nobody names, of these (root, folder), the oldest first; without those explained before."""
        where = "f.claim IS NULL AND f.problem IS NULL AND f.id NOT IN (SELECT id FROM temp.explained)"
        order = "ORDER BY f.mtime_ns, d.root, d.path, f.name"
        for row in self._connection.execute(f"SELECT {_FILE} {_FROM_FILES} WHERE {where} {order}"):
            file = FileRow(*row)
            if (file.root, file.folder) in places:
                yield file

    def recorded_below(self, root: str, path: str) -> int:
        """How many files manifests name in a folder and below it; those of lost images are not missed."""
        below = path + "/" if path else ""
        query = "SELECT COUNT(*) FROM claims WHERE root = ? AND claim <> 'lost' AND (? = '' OR folder = ? OR substr(folder, 1, ?) = ?)"
        return int(self._connection.execute(query, (root, path, path, len(below), below)).fetchone()[0])

    def totals(self) -> dict[str, int]:
        tables = {"runs": "runs", "manifests": "manifest_files", "images": "files"}
        return {name: int(self._connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]) for name, table in tables.items()}

    def _note_explained(self, ids: Iterable[int]) -> None:
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS explained (id INTEGER PRIMARY KEY)")
        self._connection.execute("DELETE FROM temp.explained")
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR IGNORE INTO temp.explained VALUES (?)", ((row_id,) for row_id in ids))
        self._connection.execute("COMMIT")

    def _iter_files(self, where: str, values: tuple[Any, ...]) -> Iterator[FileRow]:
        """A page at a time, in the order they were found: there may be a million, and they may be noted meanwhile."""
        after = 0
        while page := self._files(f"{where} AND f.id > ? ORDER BY f.id LIMIT ?", (*values, after, _PAGE)):
            yield from page
            after = page[-1].id

    def _files(self, where: str, values: tuple[Any, ...]) -> list[FileRow]:
        return [FileRow(*row) for row in self._connection.execute(f"SELECT {_FILE} {_FROM_FILES} WHERE {where}", values)]

"""The index of one library: the connection, and one part for each kind of question."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, NoReturn

from lib_sdpipe.errors import DamagedIndexError, LockedError, SdPipeError
from lib_sdpipe.index.culling import Culling
from lib_sdpipe.index.database import connect, connect_to_read, delete, go_on, is_damage, is_full, is_locked, transaction
from lib_sdpipe.index.facets import Facets, count_facets
from lib_sdpipe.index.files import Claim, Files
from lib_sdpipe.index.marks import CONTENT as MARKS_CONTENT
from lib_sdpipe.index.marks import Marks
from lib_sdpipe.index.pictures import CONTENT as PICTURES_CONTENT
from lib_sdpipe.index.pictures import Pictures
from lib_sdpipe.index.reading import Reading
from lib_sdpipe.index.records import FoundManifest, ManifestRow, Records, RunRow
from lib_sdpipe.index.run_search import RunSearch
from lib_sdpipe.index.search import Search
from lib_sdpipe.index.statistics import Statistics
from lib_sdpipe.index.suspects import Suspects

_CONTENT = {
    "folders": "SELECT root, path, device, problem FROM folders ORDER BY root, path",
    "files": (
        "SELECT d.root, d.path AS folder, f.name, f.bytes, f.mtime_ns, f.inode, f.device, f.format, f.width, f.height, f.problem,"
        " f.infotext_digest, f.run_id, f.claim, p.run_id AS picture_run_id, p.name AS picture_name"
        " FROM files f JOIN folders d ON d.id = f.folder LEFT JOIN pictures p ON p.id = f.picture ORDER BY d.root, d.path, f.name"
    ),
    "runs": "SELECT * FROM runs ORDER BY run_id",
    "manifest_files": "SELECT run_id, file, bytes, mtime_ns, problem, own_run_id FROM manifest_files ORDER BY run_id, file",
    "claims": "SELECT root, folder, name, run_id, file, claim FROM claims ORDER BY root, folder, name, run_id, file",
}


class Index:
    """Raises OSError or sqlite3.Error, as its parts do; the caller goes on without an index then."""

    def __init__(self, path: Path, viewer: str | None = None, connection: sqlite3.Connection | None = None) -> None:
        """`viewer`: whose runs alone `pictures`, `search` and `run_search` find; None: everybody's. `connection`: one that is open."""
        self._connection, self.is_new = (connection, False) if connection is not None else connect(path)
        self._viewer = viewer
        self.pictures = Pictures(self._connection, viewer)
        self.files = Files(self._connection)
        self.records = Records(self._connection)
        self.marks = Marks(self._connection)
        self.suspects = Suspects(self._connection)
        self.reading = Reading(self._connection)
        self.search = Search(self._connection, viewer)
        self.run_search = RunSearch(self._connection, viewer)
        self.statistics = Statistics(self._connection, viewer)
        self.culling = Culling(self._connection)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with transaction(self._connection):
            yield

    def clear(self) -> None:
        """Forget everything; whoever else has the index open sees it empty, not gone."""
        with self.transaction():
            self._connection.execute("DROP TABLE IF EXISTS prompt_grams")
            tables = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for (table,) in tables.fetchall():
                self._connection.execute(f'DELETE FROM "{table}"')

    def commit_and_go_on(self) -> None:
        """Within a transaction: keep what was done so far, and let others write in between."""
        go_on(self._connection)

    def version(self) -> int:
        """Another number where somebody else has written to the index."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def replace_run(self, run: RunRow, manifests: list[FoundManifest]) -> None:
        """Make the index hold exactly this of a run. Within a transaction."""
        self.pictures.keep_only(run.run_id, (found.file for found in manifests if found.manifest is not None))
        self.records.remove_run(run.run_id)
        self.records.set_run(run)
        claims: list[Claim] = []
        for found in manifests:
            picture = self.pictures.insert(found.manifest) if found.manifest is not None else None
            row = ManifestRow(found.file, found.stamp, found.problem, found.own_run_id, picture)
            self.records.set_manifest(run.run_id, row)
            claims += [Claim(root, folder, name, run.run_id, found.file, picture, claim) for root, folder, name, claim in found.claims]
        self.files.replace_claims(run.run_id, claims)

    def count_facets(self) -> Facets:
        """Once the search is prepared."""
        return count_facets(self._connection, self._viewer)

    def remove_run(self, run_id: str) -> None:
        """Within a transaction."""
        self.pictures.keep_only(run_id, ())
        self.records.remove_run(run_id)
        self.marks.replace(run_id, None, {})
        self.files.replace_claims(run_id, [])

    def content(self) -> dict[str, list[dict[str, Any]]]:
        """Every row but for row ids, what only reading tells and what happened before: what a rebuilt index must equal."""
        rows = {table: self._rows(query) for table, query in _CONTENT.items()}
        marks = {table: self._rows(query) for table, query in MARKS_CONTENT.items()}
        return {**rows, **marks, "pictures": self._rows(PICTURES_CONTENT)}

    def _rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]


@contextmanager
def open_index(places: Iterable[Path], viewer: str | None = None) -> Iterator[Index]:
    """The index at the first of these places where there can be one; later ones are for a library that cannot be written.

    Raises LockedError, or SdPipeError for what SQLite reports while it is in use.
    """
    path = Path()
    try:
        for path in places:
            try:
                index = Index(path, viewer)
            except (OSError, sqlite3.OperationalError) as fault:
                if isinstance(fault, sqlite3.Error) and is_locked(fault):
                    raise
                reason = fault
                continue
            with closing(index):
                yield index
            return
    except sqlite3.Error as fault:
        _explain(path, fault)
    raise SdPipeError(f"{path}: no index can be made there ({reason}); name a folder that can be written in SDPIPE_CACHE") from reason


@contextmanager
def read_index(places: Iterable[Path], viewer: str | None = None) -> Iterator[Index | None]:
    """The index as it is, for who only reads and waits for nobody; None where there is none of this version yet.

    Raises as `open_index`.
    """
    path = next((place for place in places if place.exists()), None)
    if path is None:
        yield None
        return
    try:
        connection = connect_to_read(path)
        if connection is None:
            yield None
            return
        with closing(Index(path, viewer, connection)) as index:
            yield index
    except sqlite3.Error as fault:
        _explain(path, fault)


def _explain(path: Path, fault: sqlite3.Error) -> NoReturn:
    if is_locked(fault):
        raise LockedError(f"{path}: another process is writing to the index; try again when it is done") from fault
    if is_damage(fault):
        _throw_away(path, fault)
    if is_full(fault):
        raise SdPipeError(f"{path}: the disk is full; make room, what was indexed so far is kept") from fault
    raise SdPipeError(f"{path}: the index cannot be used ({fault}); delete it, it is made anew from the manifests") from fault


def _throw_away(path: Path, fault: sqlite3.Error) -> NoReturn:
    try:
        delete(path)
    except OSError:  # on Windows another process that has it open keeps it
        raise SdPipeError(f"{path}: the index is damaged ({fault}); close what uses it and delete it: it is made anew") from fault
    raise DamagedIndexError(f"{path}: the index was damaged ({fault}); it is made anew from the manifests and the images") from fault

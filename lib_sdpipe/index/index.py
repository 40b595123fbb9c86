"""The index of one library: the connection, and one part for each kind of question."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator

from lib_sdpipe.errors import LockedError, SdPipeError
from lib_sdpipe.index.database import connect, transaction
from lib_sdpipe.index.pictures import Pictures
from lib_sdpipe.index.search import Search
from lib_sdpipe.manifest.records import Manifest


class Index:
    """Raises OSError or sqlite3.Error, as its parts do; the caller goes on without an index then."""

    def __init__(self, path: Path) -> None:
        self._connection, self.is_new = connect(path)
        self.pictures = Pictures(self._connection)
        self.search = Search(self._connection)

    def close(self) -> None:
        self._connection.close()

    def replace_run(self, run_id: str, manifests: Iterable[Manifest], mtime_ns: int) -> None:
        """Make the index hold exactly these manifests for a run."""
        with transaction(self._connection):
            self.pictures.remove_run(run_id)
            for manifest in manifests:
                self.pictures.insert(manifest)
            self._connection.execute(
                "REPLACE INTO runs (run_id, folder_mtime_ns, manifests_mtime_ns) VALUES (?, 0, ?)", (run_id, mtime_ns)
            )

    def remove_runs(self, run_ids: Iterable[str]) -> None:
        with transaction(self._connection):
            for run_id in run_ids:
                self.pictures.remove_run(run_id)
                self._connection.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))

    def known_runs(self) -> dict[str, int]:
        """Run ids and the modification time of their manifests folder when they were indexed."""
        return dict(self._connection.execute("SELECT run_id, manifests_mtime_ns FROM runs"))

    def content(self) -> list[tuple[Any, ...]]:
        """Every picture, in a fixed order: what a rebuilt index must equal."""
        return self.pictures.content()


@contextmanager
def open_index(places: Iterable[Path]) -> Iterator[Index]:
    """The index at the first of these places where there can be one; later ones are for a library that cannot be written.

    Raises LockedError, or SdPipeError for what SQLite reports while it is in use.
    """
    path = Path()
    try:
        for path in places:
            try:
                index = Index(path)
            except (OSError, sqlite3.OperationalError) as fault:
                if _is_locked(fault):
                    raise
                reason = fault
                continue
            with closing(index):
                yield index
            return
    except sqlite3.Error as fault:
        if _is_locked(fault):
            raise LockedError(f"{path}: another process is writing to the index; try again when it is done") from fault
        raise SdPipeError(f"{path}: the index cannot be used ({fault}); delete it, it is made anew from the manifests") from fault
    raise SdPipeError(f"{path}: no index can be made there ({reason}); name a folder that can be written in SDPIPE_CACHE") from reason


def _is_locked(fault: Exception) -> bool:
    return isinstance(fault, sqlite3.OperationalError) and "locked" in str(fault)

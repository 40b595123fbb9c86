"""The index of one library: the connection, and one part for each kind of question."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable

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

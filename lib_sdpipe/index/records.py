"""Run files and manifests as the last look saw them: what reading them again would tell."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any, Iterator

from lib_sdpipe.index.sql_values import sql_integer, sql_text
from lib_sdpipe.index.viewer import compile_seen_runs
from lib_sdpipe.manifest.records import Json

_RUN = "run_id, file_bytes, file_mtime_ns, problem, status, label, source, started_at, user, finished_at, facts"

Stamp = tuple[int, int]
"""Bytes, modification time in nanoseconds."""


@dataclass(frozen=True)
class RunRow:
    """A run folder. `problem`: why its run file cannot be read. `facts`: what rules need of it."""

    run_id: str
    file: Stamp | None
    problem: str | None = None
    status: str | None = None
    label: str | None = None
    source: str | None = None
    started_at: str | None = None
    user: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    finished_at: str | None = None


@dataclass(frozen=True)
class ManifestRow:
    """A manifest's file, by its name without `.json`. `picture` None and a `problem` where it cannot be read."""

    file: str
    stamp: Stamp
    problem: str | None
    own_run_id: str | None
    picture: int | None


@dataclass(frozen=True)
class FoundManifest:
    """A manifest as it lies in a run folder, and the (root, folder, name, claim) of the files that it names."""

    file: str
    stamp: Stamp
    problem: str | None
    own_run_id: str | None
    manifest: Json | None
    claims: list[tuple[str, str, str, str]]


class Records:
    """The tables `runs` and `manifest_files`. Changes are made within a transaction of the caller's. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run_ids(self) -> set[str]:
        return {run_id for (run_id,) in self._connection.execute("SELECT run_id FROM runs")}

    def has_run(self, run_id: str) -> bool:
        return self._connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is not None

    def run_stamp(self, run_id: str) -> Stamp | None:
        """Of its run file when it was read; None where there was none or the run is unknown."""
        row = self._connection.execute("SELECT file_bytes, file_mtime_ns FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return (row[0], row[1]) if row is not None and row[0] is not None else None

    def run_ids_of(self, viewer: str | None) -> set[str]:
        """Those that a person may see."""
        seen = compile_seen_runs(viewer)
        return {run_id for (run_id,) in self._connection.execute(f"SELECT run_id FROM runs WHERE {seen.text}", seen.values)}

    def set_run(self, row: RunRow) -> None:
        file = row.file or (None, None)
        texts = (row.problem, row.status, row.label, row.source, row.started_at, row.user, row.finished_at, json.dumps(row.facts))
        self._connection.execute(
            f"REPLACE INTO runs ({_RUN}, planned, returned, saved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (sql_text(row.run_id), *file, *map(sql_text, texts), *_counts(row.facts.get("images"))),
        )

    def remove_run(self, run_id: str) -> None:
        self._connection.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
        self._connection.execute("DELETE FROM manifest_files WHERE run_id = ?", (run_id,))

    def manifest_stamps(self, run_id: str) -> dict[str, Stamp]:
        rows = self._connection.execute("SELECT file, bytes, mtime_ns FROM manifest_files WHERE run_id = ?", (run_id,))
        return {file: (size, mtime_ns) for file, size, mtime_ns in rows}

    def set_manifest(self, run_id: str, row: ManifestRow) -> None:
        self._connection.execute(
            "REPLACE INTO manifest_files VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run_id, sql_text(row.file), *row.stamp, sql_text(row.problem), sql_text(row.own_run_id), row.picture),
        )

    def iter_runs(self) -> Iterator[tuple[RunRow, list[ManifestRow]]]:
        """Every run with its manifests, in the order of their names."""
        query = f"SELECT {_RUN} FROM runs ORDER BY run_id"
        manifests = self._connection.cursor().execute(
            "SELECT run_id, file, bytes, mtime_ns, problem, own_run_id, picture FROM manifest_files ORDER BY run_id, file"
        )
        ahead = manifests.fetchone()
        for run_id, size, mtime_ns, *texts, finished_at, facts in self._connection.cursor().execute(query):
            own: list[ManifestRow] = []
            while ahead is not None and ahead[0] <= run_id:
                if ahead[0] == run_id:
                    own.append(ManifestRow(ahead[1], (ahead[2], ahead[3]), *ahead[4:]))
                ahead = manifests.fetchone()
            stamp = (size, mtime_ns) if size is not None else None
            yield RunRow(run_id, stamp, *texts, json.loads(facts or "{}"), finished_at), own


def _counts(images: Any) -> tuple[int | None, ...]:
    """Planned, returned and saved, as far as a run file says numbers."""
    values = (images.get(name) if isinstance(images, dict) else None for name in ("planned", "returned", "saved"))
    return tuple(sql_integer(value) if isinstance(value, int) and not isinstance(value, bool) else None for value in values)

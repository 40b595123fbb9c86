"""Opening the index file: schema, pragmas, transactions; a damaged or older file is thrown away and made anew."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from lib_sdpipe.index.schema import SCHEMA, SCHEMA_VERSION

log = logging.getLogger("sdpipe")

_BUSY_SECONDS = 10.0
# SQLite's own 2 MB are less than the inner pages of a large library's indexes; memory is taken only as it is used.
_CACHE_KIB = 32_768


def connect(path: Path) -> tuple[sqlite3.Connection, bool]:
    """An open index and whether it had to be made. Raises OSError or sqlite3.Error where none can be made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path)
    except sqlite3.DatabaseError as fault:
        if not is_damage(fault):
            raise
        log.warning("SDPipe: %s is damaged (%s) and is made anew from the manifests", path, fault)
        delete(path)
        return _open(path)


def is_damage(fault: sqlite3.Error) -> bool:
    """Whether the file itself is to blame; not that it is locked, or its disk full."""
    return isinstance(fault, sqlite3.DatabaseError) and not isinstance(fault, sqlite3.OperationalError)


def delete(path: Path) -> None:
    """Remove an index and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _open(path: Path) -> tuple[sqlite3.Connection, bool]:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA recursive_triggers = ON")  # what REPLACE removes counts as deleted
        connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        with transaction(connection):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                _create(connection)
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"schema {version}, this version uses {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection, version == 0


def _create(connection: sqlite3.Connection) -> None:
    statement = ""
    for part in SCHEMA.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):  # a trigger has semicolons of its own
            connection.execute(statement)
            statement = ""
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

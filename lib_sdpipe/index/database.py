"""Opening the index file: schema, pragmas, transactions; a damaged or older file is thrown away and made anew."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from lib_sdpipe.index.schema import SCHEMA, SCHEMA_VERSION

log = logging.getLogger("sdpipe")

_BUSY_SECONDS = 10.0
# SQLite asks for a lock every tenth of a second: that often misses who lets go for moments only.
_ASK_SECONDS = 0.002
_LET_GO_SECONDS = 0.006
# SQLite's own 2 MB are less than the inner pages of a large library's indexes; memory is taken only as it is used.
_CACHE_KIB = 32_768


def connect(path: Path) -> tuple[sqlite3.Connection, bool]:
    """An open index and whether it had to be made. Raises OSError or sqlite3.Error where none can be made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open_patiently(path)
    except sqlite3.DatabaseError as fault:
        if not is_damage(fault):
            raise
        log.warning("SDPipe: %s cannot be used (%s): it is made anew from records and images", path, fault)
        delete(path)
        return _open_patiently(path)


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """An index as it is, None where it is none of this version. It waits for nobody who writes. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except BaseException:
        connection.close()
        raise
    if version == SCHEMA_VERSION:
        return connection
    connection.close()
    return None


def is_damage(fault: sqlite3.Error) -> bool:
    """Whether the file itself is to blame; not that it is locked, or its disk full."""
    return type(fault) is sqlite3.DatabaseError  # the others are kinds of it


def is_locked(fault: sqlite3.Error) -> bool:
    return isinstance(fault, sqlite3.OperationalError) and "locked" in str(fault)


def is_full(fault: sqlite3.Error) -> bool:
    return isinstance(fault, sqlite3.OperationalError) and "full" in str(fault)


def delete(path: Path) -> None:
    """Remove an index and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    _begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself takes back what a full disk cut short
            connection.execute("ROLLBACK")
        raise


def go_on(connection: sqlite3.Connection) -> None:
    """Within a transaction: commit, let others write, and begin the next one."""
    connection.execute("COMMIT")
    time.sleep(_LET_GO_SECONDS)
    _begin(connection)


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock. Raises sqlite3.OperationalError where another process does not let go of it."""
    until = time.monotonic() + _BUSY_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as fault:
                if not is_locked(fault) or time.monotonic() > until:
                    raise
            time.sleep(_ASK_SECONDS)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")


def _open_patiently(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Two processes that make the same index meet where SQLite does not wait by itself."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return _open(path)
        except sqlite3.OperationalError as fault:
            if not is_locked(fault) or time.monotonic() > until:
                raise
        time.sleep(_ASK_SECONDS)


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

"""What repairs did: one file an apply, lines of JSON, each on the disk before what it announces is done.

A kill leaves at most one torn line at the end: what it announced was not begun.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Iterator, Sequence

from lib_sdpipe.errors import RecordError
from lib_sdpipe.reconcile.acts import Act, Place, parse_act, parse_place
from lib_sdpipe.reconcile.undo import Started
from lib_sdpipe.store.atomic import make_folder, sync_folder

JOURNAL_SCHEMA = "sdpipe.journal/1"
_SUFFIX = ".jsonl"
_APPLY_ID = re.compile(r"\d{8}T\d{9}-[0-9a-f]{8}")
_LONGEST_FIRST_LINE = 1 << 16


def new_apply_id() -> str:
    """Sorts by time; UTC with milliseconds."""
    now = time.time()
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}{int(now * 1000) % 1000:03d}-{secrets.token_hex(4)}"


def is_apply_id(name: str) -> bool:
    return bool(_APPLY_ID.fullmatch(name))


@dataclass(frozen=True)
class JournalHead:
    """The first line."""

    apply_id: str
    plan_id: str
    plan_sha256: str
    library: str | None
    at: str


class Journal:
    """One apply's journal as it was read, and the way to go on with it. Whoever appends holds the repair lock."""

    def __init__(self, path: Path, head: JournalHead) -> None:
        self.path, self.head = path, head
        self.folders: list[Place] = []
        self.next_number = 1
        self.is_ended = False
        self.is_undo_cut_short = False
        self.undo_ops: frozenset[str] | None = None
        self.purged_at: str | None = None
        self._standing: dict[int, Started] = {}
        self._numbers: dict[str, list[int]] = {}
        self._descriptor: int | None = None
        self._end = 0

    @property
    def apply_id(self) -> str:
        return self.head.apply_id

    @property
    def standing(self) -> list[Started]:
        """What was begun and not undone, in order."""
        return list(self._standing.values())

    @property
    def half_done(self) -> list[Started]:
        return [one for one in self._standing.values() if not one.is_done]

    def has_done(self, op: str) -> bool:
        return any(self._standing[number].is_done for number in self._numbers.get(op, []))

    def start(self, op: str, acts: Sequence[Act], folders: Sequence[Place]) -> Started:
        """Announce an operation with all that its undo needs; on the disk when this returns. Raises OSError."""
        started = Started(op, self.next_number, tuple(acts), tuple(folders), is_done=False)
        line = {"kind": "start", "op": op, "number": started.number, "acts": [act.to_json() for act in acts]}
        self._append({**line, "folders": [[place.root, place.path] for place in folders]}, sync=True)
        self._take_start(started)
        return started

    def finish(self, op: str) -> None:
        """It is done. What its undo needs is on the disk: a long apply does not keep it in memory too."""
        self._append({"kind": "done", "op": op})
        self._take_done(op)
        number = self._numbers[op][-1]
        self._standing[number] = replace(self._standing[number], acts=())

    def take_back(self, op: str) -> None:
        """The operation was undone."""
        self._append({"kind": "undone", "op": op})
        self._take_undone(op)

    def note(self, kind: str, at: str, ops: Collection[str] | None = None) -> None:
        """`end` of an apply; `undo` (of these operations; None: of all) and `undo-end` around an undo; `purged`."""
        line: dict[str, Any] = {"kind": kind, "at": at}
        self._append(line if ops is None else {**line, "ops": sorted(ops)}, sync=True)
        self._take_note(kind, at, ops)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, line: dict[str, Any], sync: bool = False) -> None:
        """All of it or nothing. Raises OSError."""
        data = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
        descriptor = self._open()
        try:
            written = os.write(descriptor, data)
            if written != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            if sync:
                os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._end)
            raise
        self._end += written

    def _open(self) -> int:
        if self._descriptor is None:
            make_folder(self.path.parent)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
            if os.fstat(self._descriptor).st_size > self._end:
                os.ftruncate(self._descriptor, self._end)  # a torn line would make the next one unreadable
        if self._end == 0:
            self._begin(self._descriptor)
        return self._descriptor

    def _begin(self, descriptor: int) -> None:
        line = {"kind": "begin", "schema": JOURNAL_SCHEMA, **asdict(self.head)}
        self._end = os.write(descriptor, json.dumps(line).encode("ascii") + b"\n")
        os.fsync(descriptor)
        sync_folder(self.path.parent)

    def _take(self, line: dict[str, Any]) -> None:
        """One line of the file, in order. Raises RecordError, KeyError, TypeError, ValueError."""
        kind = line["kind"]
        if kind == "start":
            acts = tuple(parse_act(act) for act in line["acts"])
            folders = tuple(parse_place(place) for place in line["folders"])
            self._take_start(Started(str(line["op"]), int(line["number"]), acts, folders, is_done=False))
        elif kind == "done":
            self._take_done(line["op"])
        elif kind == "undone":
            self._take_undone(line["op"])
        else:
            self._take_note(kind, str(line["at"]), line.get("ops"))

    def _take_start(self, started: Started) -> None:
        if started.number < self.next_number or not started.acts:
            raise RecordError(f"operation {started.op} has the number of another")
        self.is_ended = False
        self._standing[started.number] = started
        self._numbers.setdefault(started.op, []).append(started.number)
        self.folders += started.folders
        self.next_number = started.number + len(started.acts)

    def _take_done(self, op: str) -> None:
        number = self._numbers[op][-1]
        self._standing[number] = replace(self._standing[number], is_done=True)

    def _take_undone(self, op: str) -> None:
        for number in self._numbers.pop(op, []):
            del self._standing[number]

    def _take_note(self, kind: str, at: str, ops: Collection[str] | None) -> None:
        self.is_ended = self.is_ended or kind == "end"
        self.is_undo_cut_short = kind == "undo"
        self.undo_ops = frozenset(map(str, ops)) if kind == "undo" and ops is not None else None
        self.purged_at = at if kind == "purged" else self.purged_at


def read_journal(path: Path) -> Journal:
    """Raises RecordError for a damaged one; a torn end is none."""
    data_end, journal = 0, None
    try:
        with open(path, "rb") as file:
            for number, text in enumerate(file, start=1):
                line = _parse_line(text)
                if line is None:
                    _refuse_more(file, number)
                    break
                if journal is None:
                    journal = Journal(path, _parse_head(line))
                else:
                    journal._take(line)
                data_end += len(text)
    except (RecordError, KeyError, TypeError, ValueError, IndexError) as fault:
        raise RecordError(f"{path}: damaged ({type(fault).__name__}: {fault}); what it tells of cannot be undone by it") from fault
    if journal is None or journal.apply_id != path.stem:
        raise RecordError(f"{path}: no journal of this version")
    journal._end = data_end
    return journal


def read_head(path: Path) -> JournalHead | None:
    """The first line alone; None where it was never whole."""
    with open(path, "rb") as file:
        line = _parse_line(file.readline(_LONGEST_FIRST_LINE))
    try:
        return _parse_head(line) if line is not None else None
    except (KeyError, TypeError, ValueError):
        return None


def iter_journals(folder: Path) -> Iterator[tuple[Path, JournalHead]]:
    """Journals, newest first. Raises OSError where the folder cannot be listed."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names, reverse=True):
        if name.endswith(_SUFFIX) and is_apply_id(name[:-len(_SUFFIX)]):
            head = read_head(folder / name)
            if head is not None and head.apply_id == name[:-len(_SUFFIX)]:
                yield folder / name, head


def journal_file(folder: Path, apply_id: str) -> Path:
    return folder / f"{apply_id}{_SUFFIX}"


def _parse_line(text: bytes) -> dict[str, Any] | None:
    """None for a torn line, or zeros in its place."""
    if not text.endswith(b"\n"):
        return None
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _refuse_more(file: Any, number: int) -> None:
    """After a torn line nothing was written; if there is more, the file is damaged in the middle."""
    if any(_parse_line(text) is not None for text in file):
        raise ValueError(f"line {number} is no line of a journal")


def _parse_head(line: dict[str, Any]) -> JournalHead:
    if line["schema"] != JOURNAL_SCHEMA:
        raise ValueError(f"its schema is {line['schema']!r}")
    head = JournalHead(**{field.name: line[field.name] for field in fields(JournalHead)})
    if not all(isinstance(value, str) for value in (head.apply_id, head.plan_id, head.plan_sha256, head.at)):
        raise TypeError("its first line is not whole")
    return head

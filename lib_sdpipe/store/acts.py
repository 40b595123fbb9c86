"""Doing one act of a repair on the disk, and reversing it. Each looks once more at what it changes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.reconcile.acts import Act, Content, Place, unpack_bytes
from lib_sdpipe.reconcile.byte_ranges import restore_ranges
from lib_sdpipe.reconcile.plan_document import RUNS_ROOT
from lib_sdpipe.store.atomic import make_folder, sync_folder
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.present import Present, Signature, read_signature
from lib_sdpipe.store.put import move_new, put_new, put_over, restore_stamp, temporary_of

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class PreparedAct:
    """An act with what it writes: `data` of a write or a patch."""

    act: Act
    data: bytes | None = None


class Hands:
    """Does the acts of one apply. Raises RefusedError where the world is another than it was, OSError where the disk refuses.

    Folders whose names changed are synced by `sync`, once an operation.
    """

    def __init__(self, places: Places, present: Present, apply_id: str) -> None:
        self._places, self._present, self._apply_id = places, present, apply_id
        self._touched: set[Path] = set()

    def do(self, prepared: PreparedAct, number: int) -> None:
        act = prepared.act
        path = self._path(act)
        if act.kind == "move":
            self._move(path, self._places.find_writable(_to(act)), self._seen(path, act.before))
            return
        if act.before is None:
            make_folder(path.parent)
        temporary = self._temporary(path, number)
        if act.kind == "copy":
            self._copy(act, path, temporary)
        elif act.before is None:
            put_new(path, lambda file: file.write(prepared.data or b""), temporary, None)
        else:
            stamp = act.stamp if act.kind == "patch" else None
            put_over(path, prepared.data or b"", temporary, self._seen(path, act.before), stamp)

    def reverse(self, act: Act, number: int) -> None:
        path = self._path(act)
        if act.kind == "move":
            self._move_back(act, path)
            return
        seen = self._seen(path, act.after)
        if act.before is None:
            self._touched.add(path.parent)
            os.unlink(path)
            return
        put_over(path, self._old_bytes(act, path), self._temporary(path, number), seen, act.stamp)

    def sweep(self, act: Act, number: int) -> None:
        """Remove what a killed process was in the middle of writing. Raises OSError."""
        if act.kind != "move":
            temporary_of(self._path(act).parent, self._apply_id, number).unlink(missing_ok=True)

    def sync(self) -> None:
        """Have the names on the disk. Raises OSError."""
        while self._touched:
            folder = self._touched.pop()
            if folder.is_dir():
                sync_folder(folder)

    def _path(self, act: Act) -> Path:
        if act.kind == "write":
            if act.place.root != RUNS_ROOT:
                raise RefusedError(f"{act.place}: only records in the runs folder are written")
            return self._places.find_record(act.place.path)
        return self._places.find_writable(act.place)

    def _temporary(self, path: Path, number: int) -> Path:
        self._touched.add(path.parent)
        return temporary_of(path.parent, self._apply_id, number)

    def _seen(self, path: Path, content: Content | None) -> Signature:
        if content is None:
            raise RefusedError(f"{path}: nothing is known of it")
        return self._present.signature_of(path, content)

    def _move(self, source: Path, target: Path, seen: Signature) -> None:
        make_folder(target.parent)
        self._touched |= {source.parent, target.parent}
        if read_signature(source) != seen:
            raise RefusedError(f"{source}: changed while it was looked at")
        move_new(source, target)

    def _move_back(self, act: Act, path: Path) -> None:
        aside = self._places.find_writable(_to(act))
        seen = self._seen(aside, act.before)
        if read_signature(path) is not None:
            self._seen(path, act.before)  # it is back already: the kill came between its two names
            self._touched.add(aside.parent)
            sync_folder(path.parent)
            os.unlink(aside)
            return
        if act.stamp is not None and seen.stamp != act.stamp:
            restore_stamp(aside, act.stamp)
            seen = self._seen(aside, act.before)
        self._move(aside, path, seen)

    def _copy(self, act: Act, path: Path, temporary: Path) -> None:
        source = self._places.find(_source(act))
        seen = self._seen(source, act.after)

        def fill(file: BinaryIO) -> None:
            digest = hashlib.sha256()
            with open(source, "rb") as copy:
                while piece := copy.read(_PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)
            if act.after is None or digest.hexdigest() != act.after.sha256:
                raise RefusedError(f"{source}: changed while it was copied")

        put_new(path, fill, temporary, seen.stamp)

    def _old_bytes(self, act: Act, path: Path) -> bytes:
        try:
            if act.kind == "write":
                old = unpack_bytes(act.old or "")
            else:
                old = restore_ranges(self._present.read(path)[0], act.ranges)
        except ValueError as fault:
            raise RefusedError(f"{path}: what the journal kept of it is damaged ({fault})") from fault
        if act.before is None or hashlib.sha256(old).hexdigest() != act.before.sha256:
            raise RefusedError(f"{path}: what the journal kept does not lead back to what it was")
        return old


def _to(act: Act) -> Place:
    if act.to is None:
        raise RefusedError(f"{act.place}: nobody knows where it went")
    return act.to


def _source(act: Act) -> Place:
    if act.source is None:
        raise RefusedError(f"{act.place}: nobody knows where it came from")
    return act.source

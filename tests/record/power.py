"""A disk as a power cut leaves it: what was synced, and of the rest nothing, or a part that nobody can foretell."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_STEPS = ("fsync", "fdatasync", "replace", "link", "write", "ftruncate")
_LONG_AGO = 1e9


class PowerCut(BaseException):
    """Nothing of ours may catch it."""


@dataclass
class Disk:
    """Everything below `top`, which itself is there for good. Counts what touches it; the n-th of that never happens.

    `files` is the synced content by inode, `names` the synced entries of a folder by its inode. Every inode that was synced
    is held open, so that none is used again for another file.
    """

    top: Path
    n: int = 0
    count: int = 0
    is_off: bool = False
    files: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=dict)
    _held: list[int] = field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in _STEPS:
            original = getattr(os, name)
            monkeypatch.setattr(os, name, self._watched(original, self._note_sync if "sync" in name else None))
        made = Path.mkdir
        monkeypatch.setattr(Path, "mkdir", self._watched(made, None))

    def _watched(self, original: Any, note: Any) -> Any:
        def watched(*arguments: Any, **named: Any) -> Any:
            if self.is_off:
                raise PowerCut
            self.count += 1
            if self.count == self.n:
                self.is_off = True
                raise PowerCut
            outcome = original(*arguments, **named)
            if note is not None:
                note(arguments[0])
            return outcome

        return watched

    def _note_sync(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        inode = os.fstat(descriptor).st_ino
        self._held.append(os.open(path, os.O_RDONLY))
        if path.is_dir():
            self.names[inode] = {entry.name: entry.inode() for entry in os.scandir(path)}
        else:
            self.files[inode] = path.read_bytes()

    def cut(self, rng: random.Random | None) -> None:
        """Leave below `top` what survived: with `rng` any part of what was not synced, without it none."""
        inodes: dict[int, Path] = {path.lstat().st_ino: path for path in self.top.rglob("*")}
        tree = self._survivors(self.top, inodes, rng, {})
        if rng is None or rng.random() < 0.5:  # SQLite syncs behind our back, and sees to it that its files stand or fall together
            tree = {path: data for path, data in tree.items() if "sqlite" not in path.name}
        else:
            tree.update({path: path.read_bytes() for path in self.top.rglob("*.sqlite3*") if path.parent in tree})
        for path in sorted(self.top.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        for path, data in sorted(tree.items()):
            if data is None:
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        for folder in [path for path in tree if path.is_dir()]:
            os.utime(folder, (_LONG_AGO, _LONG_AGO))  # the computer was off for a while
        for descriptor in self._held:
            os.close(descriptor)

    def _survivors(
        self, folder: Path, inodes: dict[int, Path], rng: random.Random | None, tree: dict[Path, bytes | None], inode: int | None = None
    ) -> dict[Path, bytes | None]:
        synced = self.names.get(folder.stat().st_ino if inode is None else inode, {})
        now = {entry.name: entry.inode() for entry in os.scandir(folder)} if folder.is_dir() else {}
        for name in sorted({*synced, *now}):
            chosen = synced.get(name) if rng is None or rng.random() < 0.5 else now.get(name)
            if chosen is None:
                continue
            path, place = folder / name, inodes.get(chosen)
            if chosen in self.names or (place is not None and place.is_dir()):
                tree[path] = None
                self._survivors(place or path, inodes, rng, tree, chosen)
            else:
                tree[path] = self._content(chosen, place, rng)
        return tree

    def _content(self, inode: int, place: Path | None, rng: random.Random | None) -> bytes:
        synced = self.files.get(inode, b"")
        if rng is None or place is None:
            return synced
        now = place.read_bytes()
        if not now.startswith(synced):  # cut off, or written anew
            return rng.choice([synced, now])
        kept = rng.randrange(len(synced), len(now) + 1)
        # Either the file has grown only so far, or its length is known and the data is not there.
        return now[:kept] + (bytes(len(now) - kept) if rng.random() < 0.5 else b"")

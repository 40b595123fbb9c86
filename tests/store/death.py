"""A process that is killed before the n-th step that touches the disk, and one whose disk refuses the n-th."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

_STEPS = ("write", "fsync", "ftruncate", "replace", "rename", "link", "unlink", "mkdir", "rmdir", "utime", "chmod")


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it, and nothing is done after it."""


class Death:
    """With `fault` the step alone is refused, and the process lives on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n: int, fault: OSError | None = None) -> None:
        self.n, self.fault, self.count, self.is_dead = n, fault, 0, False
        for name in _STEPS:
            self._watch(monkeypatch, os, name)
        for name in ("mkdir", "unlink", "rmdir"):  # Python 3.10 remembers os' own
            self._watch(monkeypatch, Path, name)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._step(arguments[0])
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, watched)

    def _step(self, path: Any) -> None:
        if self.is_dead:
            raise Killed
        self.count += 1
        if self.count != self.n:
            return
        if self.fault is not None:
            raise OSError(self.fault.errno, self.fault.strerror, str(path))
        self.is_dead = True
        raise Killed

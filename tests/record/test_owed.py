"""What is owed is done when it can be, and one line's trouble costs no other its turn."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.owed import OwedRuns


class Disk:
    """Refuses everything while it is away, and then trips over one line."""

    def __init__(self) -> None:
        self.is_away = True
        self.done: list[tuple[str, str]] = []

    def do(self, line: dict[str, Any], extras: Extras) -> None:
        if self.is_away:
            raise OSError(errno.ENOSPC, "full")
        if line["kind"] == "image" and line["run_id"] == "a":
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "an odd name")
        self.done.append((line["run_id"], line["kind"]))


def test_a_line_that_fails_in_its_own_way_takes_no_other_with_it() -> None:
    disk = Disk()
    owed = OwedRuns(disk.do, lambda fault: isinstance(fault, OSError))
    for run_id in ("a", "b"):
        for kind in ("run", "image", "end"):
            try:
                owed.handle({"kind": kind, "run_id": run_id}, Extras())
            except OSError:
                pass
    assert owed.run_ids() == {"a", "b"} and disk.done == []
    disk.is_away = False
    with pytest.raises(UnicodeEncodeError):
        owed.settle()
    assert disk.done == [("a", "run"), ("a", "end"), ("b", "run"), ("b", "image"), ("b", "end")]
    assert owed.run_ids() == set()

"""A power cut at every step of an apply: whatever of it survives, `apply` again or `undo` leads to one of the two whole trees."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import pytest

from lib_sdpipe.store.place import place_of
from tests.record.power import Disk, PowerCut
from tests.store.repair_library import RepairLibrary

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the simulated disk reads /proc")

MORE_THAN_ALL_STEPS = 200


def cut_at(top: Path, n: int, seed: int | None) -> tuple[RepairLibrary, dict[str, bytes], dict[str, bytes], bool]:
    """The library after the power was cut at the n-th step, its contents before and after the whole apply, and whether it was."""
    library = RepairLibrary(top)
    before, plan = library.contents(), library.short_plan()
    disk = Disk(top, n=0)
    with pytest.MonkeyPatch.context() as patched:
        disk.watch(patched)
        for path in [top, *top.rglob("*")]:
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        disk.n, disk.count = n, 0
        try:
            library.apply(plan)
        except PowerCut:
            pass
    after = library.contents()
    disk.cut(None if seed is None else random.Random(1000 * seed + n))
    place_of.cache_clear()
    return library, before, after, disk.is_off


@pytest.mark.parametrize("seed", [None, 1])
def test_after_a_power_cut_an_undo_leads_back(quick_path: Path, seed: int | None) -> None:
    for n in range(1, MORE_THAN_ALL_STEPS, 5):
        library, before, _, is_off = cut_at(quick_path / str(n), n, seed)
        assert library.undo().failed == []
        assert library.contents() == before
        if not is_off:
            assert n > 50
            return
    raise AssertionError("more steps than were cut")


def test_after_a_power_cut_the_same_apply_goes_on(quick_path: Path) -> None:
    whole, _, after, _ = cut_at(quick_path / "whole", 0, None)
    assert whole.contents() == after, "all is synced at the end"
    for n in range(2, 60, 8):
        library, before, _, _ = cut_at(quick_path / str(n), n, 2)
        plans = list(library.layout.journal.glob("*.plan.json"))
        if plans and list(library.layout.journal.glob("*.jsonl")):
            answer = library.apply(json.loads(plans[0].read_bytes()))
            assert answer.failed == [] and answer.done + answer.skipped == 5
            assert {name.replace("ID", "") for name in library.contents()} == {name.replace("ID", "") for name in after}
        library.undo()
        assert library.contents() == before

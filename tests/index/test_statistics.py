"""Statistics: every image is counted once, where it belongs; what is not known is counted as unknown."""

from __future__ import annotations

import os
import random
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.local_days import build_day_number, day_of
from lib_sdpipe.index.statistics import CountingStopped, Sums
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.statistics import count_library, find_counted, forget_counted
from tests.ui.sample_library import SampleLibrary

NOON = datetime(2025, 3, 30, 12, 0).timestamp()


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index.sqlite3")


def add(index: Index, name: str, **values: Any) -> None:
    facts: dict[str, Any] = {
        "run_id": "20250330_120000_a", "name": name, "stage": name.rsplit("_", 1)[0], "role": "final", "timestamp": format_utc(NOON),
        "model": "dream", "config": {"sampler_name": "Euler a", "steps": 20}, "stage_duration_ms": 2000,
        "image": {"width": 512, "height": 768}, "path": f"{name}.png", "root": "outputs",
    }
    index.pictures.add(Manifest(**{**facts, **values}))


def count(index: Index, query: str = "") -> Any:
    index.search.complete()
    return index.statistics.count(query)


def test_images_and_time_are_told_by_day_stage_checkpoint_and_sampler(index: Index) -> None:
    add(index, "txt2img_001")
    add(index, "txt2img_002", model="other", timestamp=format_utc(NOON + 86_400))
    add(index, "upscale_001", config={}, stage_duration_ms=500)
    found = count(index)
    assert found.days == {
        (date(2025, 3, 30), "txt2img"): Sums(1, 2000, 0), (date(2025, 3, 31), "txt2img"): Sums(1, 2000, 0),
        (date(2025, 3, 30), "upscale"): Sums(1, 500, 0),
    }
    assert found.models == {"dream": Sums(2, 2500, 0), "other": Sums(1, 2000, 0)}
    assert found.samplers == {"Euler a": Sums(2, 4000, 0), None: Sums(1, 500, 0)}
    assert [(t.stage, t.width, t.height, t.steps, t.images, t.mean_ms) for t in found.timings] == [
        ("txt2img", 512, 768, 20, 2, 2000), ("upscale", 512, 768, None, 1, 500),
    ]


def test_what_is_not_known_is_counted_as_unknown(index: Index) -> None:
    unknown = dict.fromkeys(("timestamp", "model", "stage_duration_ms", "stage", "role"))
    add(index, "txt2img_001", run_id="99999999_999999_a", config={}, **unknown)
    add(index, "grid_001", stage_duration_ms=None)
    found = count(index)
    assert found.days == {(None, None): Sums(1, 0, 1), (date(2025, 3, 30), "grid"): Sums(1, 0, 0)}
    assert found.models == {None: Sums(1, 0, 1), "dream": Sums(1, 0, 0)} and found.timings == []


def test_images_saved_on_the_way_are_no_images_of_their_own_and_their_time_counts_once(index: Index) -> None:
    history = [
        {"stage": "txt2img", "role": "before-adetailer", "run_id": "20250330_120000_a", "name": "txt2img_001", "duration_ms": 3000},
        {"stage": "txt2img", "role": "final", "run_id": "20250330_120000_a", "name": "txt2img_009", "duration_ms": 70_000},
        {"stage": "txt2img", "role": "before-adetailer", "run_id": "20240101_000000_b", "name": "txt2img_001", "duration_ms": 70_000},
        {"stage": "txt2img", "role": "before-adetailer", "run_id": "20250330_120000_a", "duration_ms": None},
    ]
    add(index, "txt2img_001", role="before-adetailer", stage_duration_ms=None)
    add(index, "adetailer_001", stage_history=history)
    found = count(index)
    assert found.days == {(date(2025, 3, 30), "adetailer"): Sums(1, 5000, 0)}
    assert found.others == {"before-adetailer": 1}


def test_a_query_and_a_viewer_narrow_every_count(index: Index) -> None:
    add(index, "txt2img_001", prompt="a castle")
    add(index, "txt2img_002", prompt="a harbour", model="other")
    found = count(index, "castle")
    assert sum(sums.images for sums in found.days.values()) == 1 and set(found.models) == {"dream"}
    with pytest.raises(UsageError):
        index.statistics.count("steps:many")
    index.statistics._viewer = "ann"
    assert count(index).days == {}


def test_a_count_ends_when_it_is_asked_to(index: Index) -> None:
    for number in range(400):
        add(index, f"txt2img_{number:03d}", stage_duration_ms=number)
    index.search.complete()
    from lib_sdpipe.index import statistics

    before, statistics._STEP = statistics._STEP, 50
    try:
        with pytest.raises(CountingStopped):
            index.statistics.count("", lambda: True)
        assert sum(sums.images for sums in index.statistics.count("", lambda: False).days.values()) == 400
    finally:
        statistics._STEP = before


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system's time zone cannot be changed for a test")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"])
def test_days_are_those_of_this_machines_calendar(index: Index, zone: str) -> None:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        rng = random.Random(zone)
        times = [rng.uniform(86_400 * 400, 4e9) for _ in range(400)]
        expression = build_day_number("t", min(times), max(times))
        for moment in times:
            (number,) = index._connection.execute(f"SELECT {expression} FROM (SELECT ? AS t)", (moment,)).fetchone()
            assert day_of(number) == datetime.fromtimestamp(moment).date()
    finally:
        os.environ.pop("TZ", None)
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def test_the_disk_is_told_by_what_lies_there(tmp_path: Path) -> None:
    library = SampleLibrary(tmp_path / "library")
    run_id = library.add_run("harbour", ago=60)
    first = library.add_image(run_id, "txt2img_001", 1, (64, 64))
    library.add_image(run_id, "txt2img_002", 2, (64, 64), role="mask")
    (library.outputs / "old.png").write_bytes((library.outputs / first.path).read_bytes())
    library.add_image(run_id, "txt2img_003", 3, file=False)
    workspace = Workspace(library.layout)
    workspace.find("", look=lambda what, count: None)
    disk = {(part.root, part.claim, part.role): (part.files, part.bytes) for part in count_library(workspace, "").counted.disk}
    size = (library.outputs / first.path).stat().st_size
    assert disk == {
        ("outputs", "image", "final"): (1, size), ("outputs", None, None): (1, size),
        ("outputs", "image", "mask"): (1, (library.outputs / f"{run_id}-txt2img_002.png").stat().st_size),
    }
    assert [part.files for part in count_library(workspace, "recorded:no").counted.disk] == [1]


def test_what_was_counted_is_kept_until_the_library_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_sdpipe.workspace.statistics._FRESH_SECONDS", 0.0)
    monkeypatch.setattr("lib_sdpipe.workspace.statistics._FRESH_TIMES", 0.0)
    library = SampleLibrary(tmp_path / "library")
    library.add_image(library.add_run("one", ago=60), "txt2img_001", 1, (64, 64))
    workspace = Workspace(library.layout)
    workspace.find("", look=lambda what, count: None)
    assert find_counted(workspace, "") == (None, False)
    counted = count_library(workspace, "")
    assert find_counted(workspace, "") == (counted, True)
    assert find_counted(workspace, "seed:1") == (None, False)
    workspace.find("seed:1")
    assert find_counted(workspace, "") == (counted, True)
    library.add_image(library.add_run("two", ago=50), "txt2img_001", 2, (64, 64))
    workspace.find("", look=lambda what, count: None)
    assert find_counted(workspace, "") == (counted, False)
    forget_counted(workspace)
    assert find_counted(workspace, "") == (None, False)

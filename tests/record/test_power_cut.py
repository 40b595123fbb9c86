"""A power cut at every step of recording: whatever was synced stands, nothing torn is believed, and the next start completes it."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from lib_sdpipe.errors import RecordError
from lib_sdpipe.record.desk import Desk
from lib_sdpipe.store.abandoned_log import iter_abandoned_logs
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.place import place_of
from tests.record.power import Disk, PowerCut
from tests.record.test_killed import RUN_ID, record_one_run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the simulated disk reads /proc")

MORE_THAN_ALL_STEPS = 80


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No disk is asleep here: a busy computer is not to look like one."""
    monkeypatch.setattr("lib_sdpipe.store.recording_log._PATIENCE_SECONDS", 5.0)
    monkeypatch.setattr("lib_sdpipe.store.recording_log._PATIENCE_IN_ALL_SECONDS", 5.0)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The runs folder and the user's cache are on it; the images are on another."""
    top = tmp_path / "disk"
    top.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(top / "cache"))
    return Disk(top)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    folder.mkdir()
    return folder


def record_until_the_cut(disk: Disk, outputs: Path, n: int, rng: random.Random | None) -> Layout:
    layout = find_layout(disk.top / "library" / "runs")
    disk.n = n
    with pytest.MonkeyPatch.context() as patched:
        disk.watch(patched)
        try:
            record_one_run(layout, outputs, None)
        except PowerCut:
            pass
    disk.cut(rng)
    return layout


def promised(layout: Layout) -> set[str]:
    """Names of the images whose promise is on the disk, with the run's own."""
    names: set[str] = set()
    for log in iter_abandoned_logs(layout.recording_folders):
        lines = log.lines()
        log.release()
        if any(line["kind"] == "run" for line in lines):
            names |= {Path(line["path"]).name for line in lines if line["kind"] == "image"}
    return names


def start_again(layout: Layout, outputs: Path) -> Desk:
    place_of.cache_clear()  # another process
    desk = Desk(layout)
    desk.start({"outputs": outputs})
    return desk


def assert_sound(desk: Desk, outputs: Path, owed: set[str]) -> None:
    """No torn record, run file and manifests agree, what was promised is there, and nothing that is not."""
    for path in desk.layout.runs.rglob("*.json"):
        json.loads(path.read_bytes())
    recorded = set()
    for run_id in desk.store.iter_run_ids():
        run = desk.store.read_run(run_id)
        assert run.status in ("completed", "abandoned")
        assert "$picture" not in json.dumps(run.config)
        manifests = [m for m in desk.store.iter_manifests(run_id) if not isinstance(m, RecordError)]
        assert {m.name for m in manifests} == {output["name"] for output in run.stage_outputs}
        assert all(m.image and m.kept and (desk.layout.runs / m.kept).stat().st_size == m.image.bytes for m in manifests)
        recorded |= {Path(m.path).name for m in manifests if m.path}
    images = {path.name for path in outputs.glob("*.png")}
    assert owed & images <= recorded <= images
    assert desk.index is not None and len(desk.index.content()["pictures"]) == len(recorded)


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("n", range(1, MORE_THAN_ALL_STEPS))
def test_after_a_power_cut_the_next_start_keeps_every_promise_that_was_synced(disk: Disk, outputs: Path, n: int, seed: int | None) -> None:
    rng = None if seed is None else random.Random(1000 * seed + n)
    layout = record_until_the_cut(disk, outputs, n, rng)
    owed = promised(layout)
    desk = start_again(layout, outputs)
    assert_sound(desk, outputs, owed)
    desk.close()
    assert promised(layout) == set()


def test_the_cuts_reach_every_step_and_all_is_synced_at_the_end(disk: Disk, outputs: Path) -> None:
    layout = record_until_the_cut(disk, outputs, 0, None)
    assert 50 < disk.count < MORE_THAN_ALL_STEPS
    desk = start_again(layout, outputs)
    assert_sound(desk, outputs, {path.name for path in outputs.glob("*.png")})
    assert desk.store.read_run(RUN_ID).status == "completed"
    assert desk.store.read_run(RUN_ID).environment is not None
    assert desk.library.locate(outputs / "1.png") == ("outputs", "1.png")
    desk.close()

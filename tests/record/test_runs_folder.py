"""A runs folder that is full, read-only, asleep or away: generation goes on, one warning is told, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from lib_sdpipe.index.index import Index
from lib_sdpipe.record import folder_claim, recorder as recorder_module
from lib_sdpipe.record.desk import Desk
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import JobKey, RunOptions, RunRequest
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.log_file import LogFile
from lib_sdpipe.store.place import place_of
from lib_sdpipe.store.runs import RunStore
from tests.images.test_digest import noise
from tests.record.test_recorder import save_image, wait_for

# A request with an input picture, as img2img has one.
REQUEST = RunRequest("ui", None, {"prompt": "x", "init_images": [{"$picture": "p0"}]})


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "CLOSE_AFTER_IDLE_SECONDS", 60.0)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


class WebUI:
    """One process's recorder, and what a press of Generate does."""

    def __init__(self, runs: Path, outputs: Path) -> None:
        self.layout, self.outputs = find_layout(runs), outputs
        self.recorder = Recorder(lambda: False)
        self.presses = 0
        self.recorder.open_library(self.layout, {"outputs": outputs})

    def press(self) -> str:
        """The run id."""
        self.presses += 1
        extras = Extras({"p0": noise(8, 8, seed=100 + self.presses)}, lambda: {"host": "test"})
        job = self.recorder.open_job(JobKey("task(x)", float(self.presses)), RunOptions(), "img2img", REQUEST, extras)
        assert job is not None, "no press of Generate is lost"
        for index in range(2):
            save_image(self.recorder, job, self.outputs / f"{self.presses}-{index}.png", index)
        self.recorder.close_job()
        self.recorder.flush()
        return job.run_id

    def stop(self, kill: bool = False) -> None:
        desk = self.recorder.desk
        assert desk is not None
        desk.log.release() if kill else self.recorder.close()
        place_of.cache_clear()  # what a process knows of a place ends with it


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    (tmp_path / "outputs").mkdir()
    return tmp_path / "outputs"


def assert_whole(layout: Layout, run_ids: list[str]) -> None:
    """Folder, run file, manifests, inputs and environment of each run, and every image in the index."""
    store = RunStore(layout)
    assert sorted(store.iter_run_ids()) == sorted(run_ids)
    for run_id in run_ids:
        run = store.read_run(run_id)
        assert (run.status, len(run.stage_outputs), run.environment is not None) == ("completed", 2, True)
        assert all(m.image and m.root == "outputs" for m in store.iter_manifests(run_id))  # type: ignore[union-attr]
        (reference,) = run.config["init_images"]
        assert layout.input_file(reference["$input"]).exists()
    index = Index(layout.index_file)
    assert len(index.content()["pictures"]) == 2 * len(run_ids)
    index.close()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "sdpipe" and record.levelname == "ERROR"]


class Refusal:
    """While it is on, nothing below `folder` can be written: what a full or a read-only disk is to a program."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError) -> None:
        self.folder, self.fault, self.is_on = folder, fault, False
        for owner, name in ((os, "replace"), (os, "link"), (os, "mkdir"), (os, "open")):
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name), name))
        monkeypatch.setattr(Path, "mkdir", self._watched(Path.mkdir, "mkdir"))
        append = LogFile.append
        monkeypatch.setattr(LogFile, "append", lambda file, data: self._check(file.path) or append(file, data))

    def _watched(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            if name != "open" or arguments[1] & os.O_CREAT:
                self._check(arguments[0])
            return original(*arguments, **named)

        return watched

    def _check(self, path: Any) -> None:
        place = Path(os.path.abspath(path))
        if self.is_on and (self.folder == place or self.folder in place.parents):
            raise OSError(self.fault.errno, self.fault.strerror, str(path))


@pytest.fixture(params=[28, 30, 5], ids=["full", "read-only", "broken"])
def refusal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    return Refusal(tmp_path / "disk", monkeypatch, OSError(request.param, os.strerror(request.param)))


def test_what_a_disk_refused_is_whole_when_a_later_run_finds_it_in_order(
    tmp_path: Path, outputs: Path, refusal: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "disk").mkdir()
    webui = WebUI(tmp_path / "disk" / "runs", outputs)
    run_ids = [webui.press()]
    refusal.is_on = True
    run_ids += [webui.press(), webui.press()]
    assert "cannot be written" in (webui.recorder.fault or "")
    assert len(warnings(caplog)) == 1, "told once"
    refusal.is_on = False
    run_ids.append(webui.press())
    assert webui.recorder.fault is None, "all is recorded"
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_who_waits_for_the_records_waits_for_a_disk_that_was_busy(tmp_path: Path, outputs: Path, refusal: Refusal) -> None:
    (tmp_path / "disk").mkdir()
    webui = WebUI(tmp_path / "disk" / "runs", outputs)
    run_ids = [webui.press()]
    refusal.is_on = True
    run_ids.append(webui.press())
    assert not webui.recorder.settle(0.5)
    awake = threading.Timer(0.5, lambda: setattr(refusal, "is_on", False))
    awake.start()
    assert webui.recorder.settle(20.0)
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_a_disk_that_refused_from_the_start(tmp_path: Path, outputs: Path, refusal: Refusal) -> None:
    (tmp_path / "disk").mkdir()
    refusal.is_on = True
    webui = WebUI(tmp_path / "disk" / "runs", outputs)
    run_ids = [webui.press(), webui.press()]
    refusal.is_on = False
    run_ids.append(webui.press())
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_what_a_disk_refused_until_the_kill_is_completed_at_the_next_start(tmp_path: Path, outputs: Path, refusal: Refusal) -> None:
    (tmp_path / "disk").mkdir()
    refusal.is_on = True
    webui = WebUI(tmp_path / "disk" / "runs", outputs)
    run_ids = [webui.press(), webui.press()]
    webui.stop(kill=True)
    refusal.is_on = False
    after = WebUI(tmp_path / "disk" / "runs", outputs)
    assert after.recorder.flush()
    store = RunStore(after.layout)
    for run_id in run_ids:
        run = store.read_run(run_id)
        assert (run.status, len(run.stage_outputs)) == ("completed", 2)
        assert run.config["init_images"] == [None], "the picture died with the process"
        assert "lost" in (run.not_replayable_because or "")
    after.stop()
    assert list((tmp_path / "cache").rglob("*.jsonl")) == []


def test_recovery_that_a_full_disk_cuts_short_is_taken_up_again(
    tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has closed the run by then, as abandoned: the images that are missing must not be forgotten for that."""
    webui = WebUI(tmp_path / "runs", outputs)
    job = webui.recorder.open_job(JobKey("task(x)", 1.0), RunOptions(), "txt2img", RunRequest("ui", None, {}), Extras())
    assert job is not None
    webui.recorder.flush()
    desk = webui.recorder.desk
    assert desk is not None
    monkeypatch.setattr(webui.recorder, "queue", lambda line, extras: None)
    save_image(webui.recorder, job, outputs / "1.png")
    webui.stop(kill=True)
    with monkeypatch.context() as patched:
        patched.setattr(RunStore, "write_manifest", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        WebUI(tmp_path / "runs", outputs).recorder.flush()
    place_of.cache_clear()
    after = WebUI(tmp_path / "runs", outputs)
    after.recorder.flush()
    assert [output["name"] for output in RunStore(after.layout).read_run(job.run_id).stage_outputs] == ["txt2img_001"]
    after.stop()


def test_a_sleeping_disk_holds_nobody_up_and_everything_is_recorded_when_it_wakes(
    tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    webui = WebUI(tmp_path / "disk" / "runs", outputs)
    run_ids = [webui.press()]
    awake = threading.Event()
    append, create = LogFile.append, RunStore.create_run_folder

    def sleepy_append(file: LogFile, data: bytes) -> None:
        if tmp_path / "disk" in file.path.parents:
            awake.wait(60)
        append(file, data)

    monkeypatch.setattr(LogFile, "append", sleepy_append)
    monkeypatch.setattr(RunStore, "create_run_folder", lambda store, run_id: awake.wait(60) and create(store, run_id))
    monkeypatch.setattr(webui.recorder, "flush", lambda: True)
    took = []
    for _ in range(3):
        started = time.monotonic()
        run_ids.append(webui.press())
        took.append(time.monotonic() - started)
    # A quarter of a second for the claim, and what the rest takes; once the machine may have been elsewhere.
    assert sorted(took)[1] < 0.9 and max(took) < 10, took
    awake.set()
    monkeypatch.undo()
    assert webui.recorder.flush()
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_a_damaged_library_file_costs_no_record_and_is_told_until_it_is_mended(
    tmp_path: Path, outputs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    webui = WebUI(tmp_path / "runs", outputs)
    run_ids = [webui.press()]
    sound = webui.layout.library_file.read_bytes()
    webui.layout.library_file.write_bytes(sound[:40])
    run_ids += [webui.press(), webui.press()]
    assert "library.json" in (webui.recorder.fault or "")
    assert len(warnings(caplog)) == 1
    webui.stop()
    webui = WebUI(tmp_path / "runs", outputs)
    webui.presses = 3
    run_ids.append(webui.press())
    assert "library.json" in (webui.recorder.fault or ""), "also after a restart, with the roots that were known"
    webui.layout.library_file.write_bytes(sound)
    run_ids.append(webui.press())
    assert webui.recorder.fault is None
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_an_index_damaged_while_it_is_open_is_made_anew(tmp_path: Path, outputs: Path) -> None:
    webui = WebUI(tmp_path / "runs", outputs)
    run_ids = [webui.press() for _ in range(3)]
    for path in webui.layout.private.glob("index.sqlite3*"):
        path.write_bytes(b"\0" * path.stat().st_size)
    run_ids += [webui.press() for _ in range(3)]
    assert webui.recorder.fault is None
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_two_hosts_in_one_runs_folder_keep_their_roots_and_runs_apart(tmp_path: Path) -> None:
    folders = [tmp_path / name / "outputs" for name in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
    webuis = [WebUI(tmp_path / "runs", folder) for folder in folders]
    run_ids: list[str] = []
    threads = [threading.Thread(target=lambda one=one: [run_ids.append(one.press()) for _ in range(4)]) for one in webuis]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    layout = webuis[0].layout
    roots = json.loads(layout.library_file.read_bytes())["roots"]
    assert sorted(roots) == ["outputs", "outputs-2"]
    assert len(set(run_ids)) == 8 == len(list(RunStore(layout).iter_run_ids()))
    paths = [(m.root, m.path) for run_id in run_ids for m in RunStore(layout).iter_manifests(run_id)]  # type: ignore[union-attr]
    assert len(set(paths)) == 16
    for one in webuis:
        one.stop()


def test_a_clock_that_jumps_back_overwrites_no_run(tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime, timedelta

    class Clock(datetime):
        back = timedelta(0)

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime(2025, 10, 26, 2, 59, 59) - cls.back

    monkeypatch.setattr(folder_claim, "datetime", Clock)
    webui = WebUI(tmp_path / "runs", outputs)
    run_ids = [webui.press()]
    Clock.back = timedelta(hours=1)
    run_ids.append(webui.press())
    Clock.back = timedelta(0)
    run_ids.append(webui.press())
    assert run_ids == ["20251026_025959_img2img", "20251026_015959_img2img", "20251026_025959_img2img_2"]
    assert_whole(webui.layout, run_ids)
    webui.stop()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root may mount a disk for a test, and only Linux has this one")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def fill(path: Path) -> None:
    """Until not a byte more goes onto its disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 16, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"\0" * size)
    finally:
        os.close(descriptor)


def test_a_real_disk_that_is_full(mounted: Path, outputs: Path, caplog: pytest.LogCaptureFixture) -> None:
    webui = WebUI(mounted / "runs", outputs)
    run_ids = [webui.press()]
    fill(mounted / "filler")
    run_ids += [webui.press(), webui.press()]
    assert len(warnings(caplog)) == 1 and "No space left" in (webui.recorder.fault or "")
    (mounted / "filler").unlink()
    run_ids.append(webui.press())
    assert webui.recorder.fault is None
    assert_whole(webui.layout, run_ids)
    webui.stop()


def test_a_real_disk_that_is_taken_away_and_brought_back(mounted: Path, outputs: Path, tmp_path: Path) -> None:
    webui = WebUI(mounted / "runs", outputs)
    run_ids = [webui.press()]
    moved = tmp_path / "away"
    moved.mkdir()
    subprocess.run(["mount", "--bind", str(mounted), str(moved)], check=True)
    try:
        subprocess.run(["umount", "-l", str(mounted)], check=True)
        run_ids += [webui.press(), webui.press()]
        assert "disk is not there" in (webui.recorder.fault or "")
        assert os.listdir(mounted) == [], "nothing is written where the disk was"
        subprocess.run(["mount", "--bind", str(moved), str(mounted)], check=True)
        run_ids.append(webui.press())
        assert webui.recorder.fault is None
        assert_whole(webui.layout, run_ids)
        webui.stop()
    finally:
        subprocess.run(["umount", "-l", str(moved)], capture_output=True)


def test_nothing_is_promised_twice_and_the_log_is_emptied(tmp_path: Path, outputs: Path) -> None:
    webui = WebUI(tmp_path / "runs", outputs)
    webui.press()
    desk = webui.recorder.desk
    assert isinstance(desk, Desk) and desk.log.path is not None
    wait_for(lambda: desk.log.path is not None and desk.log.path.stat().st_size == 0)
    webui.stop()
    assert list(webui.layout.recording.iterdir()) == []

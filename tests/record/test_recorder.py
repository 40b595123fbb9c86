"""The generating thread's side: quick, never failing, one run a job."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from lib_sdpipe.record import recorder as recorder_module
from lib_sdpipe.record import writer
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import ImageValues, JobKey, PassFacts, RunOptions, RunRequest
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.runs import RunStore
from tests.images.test_digest import noise

REQUEST = RunRequest("ui", None, {"prompt": "x"})


class Host:
    busy = False

    def is_busy(self) -> bool:
        return self.busy


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "CLOSE_AFTER_IDLE_SECONDS", 0.1)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def recorder(host: Host) -> Iterator[Recorder]:
    made = Recorder(host.is_busy)
    yield made
    host.busy = False
    made.close_job()
    assert made.flush(10)
    made.close()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return find_layout(tmp_path / "runs")


def open_job(recorder: Recorder, number: int = 1, **options: Any) -> Job | None:
    return recorder.open_job(JobKey("task(x)", float(number)), RunOptions(**options), "txt2img", REQUEST, Extras())


def save_image(recorder: Recorder, job: Job, path: Path, index: int = 0) -> None:
    outer = job.start_pass(PassFacts("txt2img", 1, {}, None))
    line = job.image_line(outer, "final", (index, 0), ImageValues(0, 1, index, 1, {"actual_seed": index}), time.time())
    line.update(path=str(path), before=None)
    recorder.promise(line, Extras())
    noise(8, 8, seed=index).save(path)
    recorder.queue({"kind": "saved", "run_id": job.run_id, "name": line["name"], "path": str(path)}, Extras())
    job.end_pass(outer, False, None)


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_job_keeps_its_run_and_the_next_job_closes_it(recorder: Recorder, layout: Layout, host: Host) -> None:
    host.busy = True
    recorder.open_library(layout, {})
    first = open_job(recorder, 1)
    assert first is not None and recorder.job_of(first.key) is first
    second = open_job(recorder, 2)
    assert second is not None and second.run_id != first.run_id
    recorder.flush()
    store = RunStore(layout)
    assert store.read_run(first.run_id).status == "failed", "no pass ever began"
    assert store.read_run(second.run_id).status == "running"


def test_an_idle_host_ends_the_run_at_its_last_event(recorder: Recorder, layout: Layout, tmp_path: Path, host: Host) -> None:
    recorder.open_library(layout, {})
    host.busy = True
    job = open_job(recorder)
    assert job is not None
    save_image(recorder, job, tmp_path / "1.png")
    store = RunStore(layout)
    wait_for(layout.run_file(job.run_id).exists)
    assert store.read_run(job.run_id).status == "running"
    host.busy = False
    wait_for(lambda: store.read_run(job.run_id).status == "completed")
    run = store.read_run(job.run_id)
    manifest = store.read_manifest(job.run_id, "txt2img_001")
    assert run.started_at <= manifest.timestamp <= run.finished_at  # type: ignore[operator]
    assert run.images.saved == 0, "the host says what was saved"


def test_while_the_host_is_at_work_the_writer_lets_it_go_first(
    recorder: Recorder, layout: Layout, tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer._LONGEST_DELAY_SECONDS <= 1.0
    monkeypatch.setattr(writer, "_LONGEST_DELAY_SECONDS", 60.0)
    recorder.open_library(layout, {})
    recorder.flush()
    host.busy = True
    job = open_job(recorder)
    assert job is not None
    save_image(recorder, job, tmp_path / "1.png")
    wait_for(layout.run_file(job.run_id).exists)  # a run is seen from its first moment
    time.sleep(0.2)
    assert not layout.manifest_file(job.run_id, "txt2img_001").exists()
    monkeypatch.setattr(writer, "_LONGEST_DELAY_SECONDS", 0.3)
    wait_for(layout.manifest_file(job.run_id, "txt2img_001").exists)


def test_the_writers_thread_ends_when_there_is_nothing_to_do(recorder: Recorder, layout: Layout) -> None:
    recorder.open_library(layout, {})
    recorder.flush()
    wait_for(lambda: not any(thread.name == "SDPipe writer" for thread in threading.enumerate()))


def test_without_a_runs_folder_generation_goes_on_the_reason_is_told_and_the_run_is_recorded_later(
    recorder: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    layout = find_layout(tmp_path / "file" / "runs")
    recorder.open_library(layout, {})
    first = open_job(recorder, 1)
    assert first is not None
    save_image(recorder, first, tmp_path / "1.png")
    recorder.close_job()
    recorder.flush()
    assert "file" in (recorder.fault or "")
    (tmp_path / "file").unlink()
    open_job(recorder, 2)
    recorder.close_job()
    recorder.flush()
    assert RunStore(layout).read_run(first.run_id).status == "completed"
    assert RunStore(layout).read_manifest(first.run_id, "txt2img_001").image is not None
    assert recorder.fault is None


def test_a_disk_that_does_not_answer_gets_the_folder_later(
    recorder: Recorder, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.open_library(layout, {})
    recorder.flush()
    asleep = threading.Event()
    create = RunStore.create_run_folder
    monkeypatch.setattr(RunStore, "create_run_folder", lambda store, run_id: asleep.wait(60) and create(store, run_id))
    started = time.monotonic()
    job = open_job(recorder)
    assert time.monotonic() - started < 5.0
    assert job is not None and len(job.run_id.rsplit("_", 1)[1]) == 8
    asleep.set()
    save_image(recorder, job, tmp_path / "1.png")
    recorder.close_job()
    recorder.flush()
    wait_for(lambda: [path.name for path in layout.runs.glob("2*")] == [job.run_id])
    assert RunStore(layout).read_manifest(job.run_id, "txt2img_001").actual_seed == 0


def test_a_full_disk_is_told_once_and_what_was_missed_is_written_when_there_is_room(
    recorder: Recorder, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: Host
) -> None:
    host.busy = True
    recorder.open_library(layout, {})
    job = open_job(recorder)
    assert job is not None
    recorder.flush()

    def full(store: RunStore, manifest: Any) -> None:
        raise OSError(28, "No space left on device", str(store.layout.runs))

    with monkeypatch.context() as patched:
        patched.setattr(RunStore, "write_manifest", full)
        for index in range(3):
            save_image(recorder, job, tmp_path / f"{index}.png", index)
        recorder.flush()
    assert len([r for r in caplog.records if "No space left" in r.getMessage()]) == 1
    assert "No space left" in (recorder.fault or "")
    recorder.close_job()
    recorder.flush()
    assert len(list(RunStore(layout).iter_manifests(job.run_id))) == 3
    assert RunStore(layout).read_run(job.run_id).status == "completed"


def test_a_writer_far_behind_holds_few_pictures(recorder: Recorder, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder.open_library(layout, {})
    recorder.flush()
    held: list[int] = []
    monkeypatch.setattr(recorder._writer, "submit", lambda task, at_once: held.append(len(task.pictures)))
    monkeypatch.setattr(type(recorder._writer), "backlog", property(lambda self: 1000))
    recorder.queue({"kind": "saved", "run_id": "r", "name": "n", "path": "p"}, Extras({"before": noise(8, 8)}))
    recorder.queue({"kind": "run", "run_id": "r"}, Extras({"p0": noise(8, 8)}))
    assert held == [0, 1], "what a file can tell later is dropped, what was asked is not"


def test_two_recorders_of_one_second_get_two_runs(layout: Layout, host: Host) -> None:
    recorders = [Recorder(host.is_busy) for _ in range(4)]
    for one in recorders:
        one.open_library(layout, {})
    jobs = [open_job(one, label="same") for one in recorders]
    assert len({job.run_id for job in jobs if job is not None}) == 4
    for one in recorders:
        one.close_job()
        assert one.flush(10)
        one.close()
    assert len(list(RunStore(layout).iter_run_ids())) == 4


def test_another_runs_folder_is_used_from_the_next_run_on(recorder: Recorder, tmp_path: Path) -> None:
    layouts = [find_layout(tmp_path / name) for name in ("one", "two")]
    run_ids = []
    for layout in layouts:
        recorder.close_job()
        recorder.open_library(layout, {})
        job = open_job(recorder)
        assert job is not None
        run_ids.append(job.run_id)
    recorder.close_job()
    recorder.flush()
    for layout, run_id in zip(layouts, run_ids):
        assert list(RunStore(layout).iter_run_ids()) == [run_id]
        assert RunStore(layout).read_run(run_id).status == "failed"


def test_a_file_name_that_is_no_utf8_is_recorded_and_ends_nothing(recorder: Recorder, layout: Layout, tmp_path: Path) -> None:
    if os.name == "nt" or sys.platform == "darwin":
        pytest.skip("file names are Unicode here")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    for again in range(2):  # the second time as after a restart: the index is made anew from the manifests
        recorder.open_library(layout, {})
        job = open_job(recorder, again)
        assert job is not None
        save_image(recorder, job, odd if not again else tmp_path / "plain.png")
        recorder.close_job()
        assert recorder.flush(10) and recorder.fault is None
        recorder.close()
        layout.index_file.unlink()
    found = [m for run_id in RunStore(layout).iter_run_ids() for m in RunStore(layout).iter_manifests(run_id)]
    assert len(found) == 2 and all(m.image is not None for m in found)

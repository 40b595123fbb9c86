"""What the queue promises: every job once, from where it was, one after another, never before the user's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib_sdpipe.conduct import conductor as conductor_module
from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.manifest.records import ImageLink, ProcessMark, Run
from lib_sdpipe.pipeline.port import PassOutcome, PassRequest
from lib_sdpipe.pipeline.queue import change_job, pause
from lib_sdpipe.pipeline.records import Item, Job, Queue, Stage
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.machine import process_mark
from lib_sdpipe.store.queue import change_queue, read_queue
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.jobs import Jobs, build_chain
from tests.conduct.imitated_port import ImitatedPort

FOUR = [
    Stage(stage="txt2img", settings={"prompt": "a fox", "seed": 5, "batch_size": 4}), Stage(stage="img2img"),
    Stage(stage="adetailer", settings={"adetailer": [{"ad_model": "face_yolov8n.pt"}]}),
    Stage(stage="upscale", settings={"upscaler_1": "Lanczos", "upscaling_resize": 2}),
]
Play = Callable[..., Conductor]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    runs = tmp_path / "runs"
    runs.mkdir()
    return find_layout(runs, None)


@pytest.fixture
def port(layout: Layout) -> ImitatedPort:
    return ImitatedPort(layout)


@pytest.fixture
def play(layout: Layout, port: ImitatedPort, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Have the queue worked off, by default by the same port."""
    monkeypatch.setattr(conductor_module, "_LOOK_SECONDS", 0.02)
    begun: list[Conductor] = []

    def begin(by: ImitatedPort | None = None, mark: ProcessMark | None = None) -> Conductor:
        begun.append(Conductor(lambda: layout, by or port, mark=mark))
        begun[-1].start()
        return begun[-1]

    yield begin
    for conductor in begun:
        conductor.end()


def _queue_up(layout: Layout, *jobs: Job) -> None:
    for job in jobs:
        Jobs(Workspace(layout)).add(job)


def _wait(layout: Layout, *statuses: str) -> list[Job]:
    """The jobs, once their statuses are these."""
    deadline = time.monotonic() + 20
    while [job.status for job in read_queue(layout).jobs] != list(statuses):
        assert time.monotonic() < deadline, [(job.status, job.error) for job in read_queue(layout).jobs]
        time.sleep(0.01)
    return read_queue(layout).jobs


def _run_of(layout: Layout, job: Job) -> Run:
    return RunStore(layout).read_run(job.run_id or "")


def _fails_at(stage: str, times: int = 1) -> Callable[[PassRequest], PassOutcome | None]:
    left = [times]

    def fail(request: PassRequest) -> PassOutcome | None:
        if request.stage != stage or not left[0]:
            return None
        left[0] -= 1
        return PassOutcome(error={"type": "OutOfMemoryError", "message": "CUDA out of memory"})

    return fail


def test_a_chain_is_one_run_with_a_manifest_for_each_image_of_each_stage(layout: Layout, play: Play) -> None:
    job = build_chain([], FOUR, label="foxes")
    assert job.planned == 16
    _queue_up(layout, job)
    play()
    (done,) = _wait(layout, "done")
    manifests = {manifest.name: manifest for manifest in RunStore(layout).iter_manifests(done.run_id or "")}  # type: ignore[union-attr]
    assert sorted(manifests) == sorted(f"{stage.stage}_{number:03}" for stage in FOUR for number in range(1, 5))
    for number in range(1, 5):
        line = [f"{stage.stage}_{number:03}" for stage in FOUR]
        for earlier, later in zip(line, line[1:]):
            assert (manifests[later].parent.run_id, manifests[later].parent.name) == (done.run_id, earlier)
            assert manifests[later].step["input"] == earlier
            assert manifests[later].prompt == "a fox" or later.startswith("upscale")
    run = _run_of(layout, done)
    assert (run.status, run.config["endpoint"], len(run.config["stages"])) == ("completed", "chain", 4)


@pytest.mark.parametrize("stage", [stage.stage for stage in FOUR])
def test_a_stage_that_fails_leaves_what_was_made_and_goes_on_from_there(layout: Layout, port: ImitatedPort, play: Play, stage: str) -> None:
    port.before_pass = _fails_at(stage)
    _queue_up(layout, build_chain([], FOUR))
    play()
    (failed,) = _wait(layout, "failed")
    assert failed.error is not None and (failed.error.stage, failed.error.message) == (stage, "CUDA out of memory")
    assert _run_of(layout, failed).status == "failed"
    made = len(port.passes) - 1
    Jobs(Workspace(layout)).resume(failed.id or "")
    (done,) = _wait(layout, "done")
    assert done.run_id == failed.run_id and _run_of(layout, done).status == "completed"
    assert len(port.passes) == 13 + 1 and made < 13
    assert len(list(RunStore(layout).iter_manifests(done.run_id or ""))) == 16


def test_a_job_that_fails_does_not_keep_the_next_from_being_made(layout: Layout, port: ImitatedPort, play: Play) -> None:
    port.before_pass = _fails_at("txt2img")
    _queue_up(layout, build_chain([], FOUR[:1]), build_chain([], FOUR[:1]))
    play()
    _wait(layout, "failed", "done")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_killed_process_loses_no_job_and_makes_no_image_twice(layout: Layout, port: ImitatedPort, play: Play) -> None:
    _queue_up(layout, *(build_chain([], FOUR, label=f"job{number}") for number in range(3)))
    reached, go_on = threading.Event(), threading.Event()

    def stop_here(request: PassRequest) -> None:
        if len(port.passes) == 8:
            reached.set()
            go_on.wait(20)
            raise SystemExit  # the process is gone: nothing of it runs any more

    port.before_pass = stop_here
    play()
    assert reached.wait(20)
    left = read_queue(layout)
    assert [job.status for job in left.jobs] == ["running", "waiting", "waiting"]
    gone = process_mark().copy(update={"boot": "an earlier one"})
    change_queue(layout, lambda queue: change_job(queue, left.jobs[0].id or "", {"owner": gone}))
    other = ImitatedPort(layout)
    play(other, process_mark().copy(update={"pid": 1}))
    jobs = _wait(layout, "done", "done", "done")
    assert len(other.passes) == 3 * 13 - 7, "what was not noted in the queue is found by its records"
    assert [len(list(RunStore(layout).iter_manifests(job.run_id or ""))) for job in jobs] == [16, 16, 16]
    go_on.set()


def test_the_queue_is_written_seldom_and_a_killed_process_still_loses_nothing(
    layout: Layout, port: ImitatedPort, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made after it was written last is found by its records; a pass that lacks an image is made again."""
    written: list[int] = []

    def count(layout: Layout, change: Callable[[Queue], Queue]) -> Queue:
        written.append(len(port.passes))
        return change_queue(layout, change)

    monkeypatch.setattr(conductor_module, "change_queue", count)
    reached, go_on = threading.Event(), threading.Event()

    def stop_here(request: PassRequest) -> None:
        if len(port.passes) == 12:
            reached.set()
            go_on.wait(20)

    port.before_pass = stop_here
    _queue_up(layout, build_chain([], FOUR))
    conductor = play()
    assert reached.wait(20)
    (job,) = read_queue(layout).jobs
    assert job.run_id and job.done == [] and written == [0, 0], "it is claimed, its run begun"
    working = conductor.working()
    assert working is not None and len(working.job.done) == 11
    # The process is gone, and one manifest with it.
    layout.manifest_file(job.run_id or "", "adetailer_003").unlink()
    monkeypatch.setattr(conductor_module, "change_queue", change_queue)
    gone = process_mark().copy(update={"boot": "an earlier one"})
    change_queue(layout, lambda queue: change_job(queue, job.id or "", {"owner": gone}))
    other = ImitatedPort(layout)
    play(other, process_mark().copy(update={"pid": 1}))
    (job,) = _wait(layout, "done")
    assert [request.step for request in other.passes] == [
        {"stage": 2, "input": "img2img_003"}, {"stage": 3, "input": "adetailer_003"}, {"stage": 3, "input": "adetailer_004"},
    ]
    assert len(list(RunStore(layout).iter_manifests(job.run_id or ""))) == 16
    go_on.set()


def test_it_waits_while_somebody_generates_by_hand(layout: Layout, port: ImitatedPort, play: Play) -> None:
    port.wanted.set()
    _queue_up(layout, build_chain([], FOUR[:1]))
    conductor = play()
    _wait(layout, "running")
    deadline = time.monotonic() + 5
    while (working := conductor.working()) is None or not working.is_waiting:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert port.passes == []
    port.wanted.clear()
    _wait(layout, "done")


def test_a_job_is_stopped_in_its_pass_and_can_be_resumed(layout: Layout, port: ImitatedPort, play: Play) -> None:
    begun = threading.Event()

    def last_until_interrupted(request: PassRequest) -> PassOutcome | None:
        if len(port.passes) == 2:
            begun.set()
            assert port.interrupted.wait(20)
            return PassOutcome(cut_short="interrupted")
        return None

    port.before_pass = last_until_interrupted
    job = build_chain([], FOUR)
    _queue_up(layout, job)
    conductor = play()
    assert begun.wait(20) and conductor.stop_job(job.id or "") and not conductor.stop_job("another")
    (stopped,) = _wait(layout, "interrupted")
    assert _run_of(layout, stopped).status == "interrupted" and [done.stage for done in stopped.done] == [0]
    Jobs(Workspace(layout)).resume(job.id or "")
    _wait(layout, "done")


def test_while_paused_nothing_begins(layout: Layout, port: ImitatedPort, play: Play) -> None:
    change_queue(layout, lambda queue: pause(queue, True))
    _queue_up(layout, build_chain([], FOUR[:1]))
    play()
    time.sleep(0.3)
    assert port.passes == []
    Jobs(Workspace(layout)).pause(False)
    _wait(layout, "done")


def test_two_processes_share_the_jobs(layout: Layout, port: ImitatedPort, play: Play) -> None:
    def linger(request: PassRequest) -> None:
        time.sleep(0.02)

    port.before_pass = linger
    _queue_up(layout, *(build_chain([], FOUR[:1], label=f"job{number}") for number in range(8)))
    other = ImitatedPort(layout, before_pass=linger)
    play()
    play(other, process_mark().copy(update={"pid": 1}))
    _wait(layout, *["done"] * 8)
    assert len(port.passes) + len(other.passes) == 8 and port.passes and other.passes


def test_a_queue_that_cannot_be_read_says_so_and_is_left_as_it_is(layout: Layout, play: Play) -> None:
    layout.queue_file.write_text("{broken")
    conductor = play()
    deadline = time.monotonic() + 5
    while conductor.fault is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert str(layout.queue_file) in conductor.fault and layout.queue_file.read_text() == "{broken"
    layout.queue_file.unlink()
    _queue_up(layout, build_chain([], FOUR[:1]))
    _wait(layout, "done")


def test_images_are_gone_on_from_as_they_were(layout: Layout, port: ImitatedPort, play: Play) -> None:
    _queue_up(layout, build_chain([], FOUR[:1]))
    play()
    (first,) = _wait(layout, "done")
    items = [Item(source=ImageLink(run_id=first.run_id, name=name)) for name in ("txt2img_002", "txt2img_004")]
    _queue_up(layout, build_chain(items, [Stage(stage="img2img", settings={"denoising_strength": 0.3})]))
    _wait(layout, "done", "done")
    later = port.passes[1:]
    assert [request.config["seed"] for request in later] == [6, 8]
    assert [request.config["init_images"] for request in later] == [
        [{"$image": {"run_id": first.run_id, "name": "txt2img_002"}}], [{"$image": {"run_id": first.run_id, "name": "txt2img_004"}}],
    ]


def test_a_source_that_is_gone_ends_the_job_with_a_sentence(layout: Layout, play: Play) -> None:
    _queue_up(layout, build_chain([Item(source=ImageLink(run_id="20251225_143022_gone", name="txt2img_001"))], [Stage(stage="img2img")]))
    play()
    (failed,) = _wait(layout, "failed")
    assert failed.error is not None and "20251225_143022_gone" in (failed.error.message or "")

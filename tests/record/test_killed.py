"""A kill at every step of recording: at the next start no torn file, no promise unkept, no run left running."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.names import build_run_id
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.desk import Desk
from lib_sdpipe.record.facts import ImageValues, JobKey, PassFacts, RunOptions, RunRequest
from lib_sdpipe.record.job import Job
from lib_sdpipe.store import atomic, keep, log_file
from lib_sdpipe.store.atomic import TEMPORARY_SUFFIX
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.runs import RunStore
from tests.images.test_digest import noise

RUN_ID = build_run_id(datetime(2025, 12, 25, 14, 30, 22), "killed")
OPTIONS = RunOptions(keep_images=True)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


class DeathAt:
    """Counts what touches the disk and dies before the n-th of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
        self.n, self.count = n, 0
        for module, name in ((atomic, "os.replace"), (atomic, "os.fsync"), (keep, "os.link"), (log_file, "os.write"),
                             (log_file, "os.ftruncate"), (Path, "mkdir")):
            self._watch(monkeypatch, module, name.split(".")[-1])

    def _watch(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        owner = module if module is Path else module.os
        original = getattr(owner, name)
        if hasattr(original, "is_watched"):
            return

        def watched(*arguments: Any, **named: Any) -> Any:
            self.step()
            return original(*arguments, **named)

        watched.is_watched = True  # type: ignore[attr-defined]
        monkeypatch.setattr(owner, name, watched)

    def step(self) -> None:
        self.count += 1
        if self.count == self.n:
            raise Killed


def record_one_run(layout: Layout, outputs: Path, alive: DeathAt | None) -> None:
    """What a host and SDPipe do in turn for two images and a picture returned unsaved."""
    step = alive.step if alive else lambda: None
    desk = Desk(layout)
    try:
        desk.start({"outputs": outputs})
        desk.promise({"kind": "claim", "run_id": RUN_ID})
        desk.store.create_run_folder(RUN_ID)
        job = Job(JobKey("task(x)", 1.0), RUN_ID, OPTIONS, "txt2img")
        line = job.run_line(RunRequest("ui", None, {"prompt": "x", "init_images": [{"$picture": "p0"}]}), "job", "killed", {}, 1e9, True)
        _do(desk, line, Extras({"p0": noise(8, 8, seed=5)}, lambda: {"host": "test"}))
        outer = job.start_pass(PassFacts("txt2img", 2, {"steps": 2}, None))
        for index in range(2):
            values = ImageValues(index, 2, 0, 1, {"actual_seed": index, "prompt": "x"})
            line = job.image_line(outer, "final", (0, index), values, 1e9 + index)
            line.update(path=str(outputs / f"{index}.png"), before=None)
            _do(desk, line, Extras())
            step()
            _save_as_hosts_do(noise(16, 16, seed=index), outputs / f"{index}.png")
            step()
            desk.handle({"kind": "saved", "run_id": RUN_ID, "name": line["name"], "path": line["path"]}, Extras())
            job.count_saved()
        job.end_pass(outer, False, None)
        _do(desk, job.end_line(1e9 + 9), Extras())
    finally:
        desk.log.release()  # the operating system closes a dead process's files and drops its locks
        if desk.index is not None:
            desk.index.close()


def _do(desk: Desk, line: dict[str, Any], extras: Extras) -> None:
    desk.promise(line)
    desk.handle(line, extras)


def statuses(layout: Layout) -> dict[str, str | None]:
    store = RunStore(layout)
    return {run_id: store.read_run(run_id).status for run_id in store.iter_run_ids()}


def _save_as_hosts_do(picture: Image.Image, path: Path) -> None:
    picture.save(path.with_suffix(".tmp"), "PNG")
    path.with_suffix(".tmp").replace(path)


def assert_sound(layout: Layout, outputs: Path) -> None:
    """Everything that was promised is there, and nothing else."""
    if not layout.runs.is_dir():
        return
    for path in layout.runs.rglob("*.json"):
        json.loads(path.read_bytes())
    desk = Desk(layout)
    desk.start({})
    images = {path.name for path in outputs.glob("*.png")}
    recorded = set()
    for run_id in desk.store.iter_run_ids():
        assert desk.store.read_run(run_id).status in ("completed", "abandoned")
        manifests = list(desk.store.iter_manifests(run_id))
        assert not any(isinstance(m, RecordError) for m in manifests)
        recorded |= {Path(m.path).name for m in manifests if m.path}  # type: ignore[union-attr]
        assert all(m.image and m.kept for m in manifests)  # type: ignore[union-attr]
        listed = {output["name"] for output in desk.store.read_run(run_id).stage_outputs}
        assert listed == {m.name for m in manifests}  # type: ignore[union-attr]
    assert recorded == images
    rows = desk.index.content()["pictures"] if desk.index else []
    assert len(rows) == len(images)
    desk.close()
    assert not list(layout.recording.glob("*.jsonl"))


@pytest.fixture
def places(tmp_path: Path) -> tuple[Layout, Path]:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    return find_layout(tmp_path / "runs"), outputs


MORE_THAN_ALL_STEPS = 70


def test_a_run_that_ends_does_not_take_the_next_ones_promises_with_it(places: tuple[Layout, Path]) -> None:
    """The generating thread is ahead of the writer: it has promised run two when the writer ends run one."""
    layout, outputs = places
    desk = Desk(layout)
    desk.start({"outputs": outputs})
    first, second = (Job(JobKey(None, n), f"{RUN_ID}_{n}", RunOptions(keep_images=True), "txt2img") for n in (2, 3))
    request = RunRequest("ui", None, {})
    lines = [job.run_line(request, "job", "killed", {}, 1e9, False) for job in (first, second)]
    first.end_pass(first.start_pass(PassFacts("txt2img", 0, {}, None)), False, None)
    for line in (lines[0], first.end_line(1e9), lines[1]):
        desk.promise(line)
    image = second.image_line(second.start_pass(PassFacts("txt2img", 1, {}, None)), "final", (0, 0), ImageValues(0, 1, 0, 1, {}), 1e9)
    image.update(path=str(outputs / "0.png"), before=None)
    desk.promise(image)
    _save_as_hosts_do(noise(8, 8), outputs / "0.png")
    for line in (lines[0], first.end_line(1e9)):
        desk.handle(line, Extras())
    desk.log.release()
    _start_again(layout, outputs)
    assert_sound(layout, outputs)
    assert statuses(layout) == {first.run_id: "completed", second.run_id: "abandoned"}


def test_a_dead_processs_claim_takes_no_folder_from_the_living_one_that_got_it(places: tuple[Layout, Path]) -> None:
    """Both wanted the same name in the same second; the owner's folder is empty until its writer gets to the run file."""
    layout, _ = places
    dead, living = Desk(layout), Desk(layout)
    for desk in (dead, living):
        desk.promise({"kind": "claim", "run_id": RUN_ID})
    assert living.store.create_run_folder(RUN_ID) and not dead.store.create_run_folder(RUN_ID)
    dead.log.release()
    living.start({})
    assert layout.run_folder(RUN_ID).is_dir(), "or the next press of Generate would take the same name"
    living.log.release()
    Desk(layout).start({})
    assert not layout.run_folder(RUN_ID).exists(), "now nobody claims it"


@pytest.mark.parametrize("n", range(1, MORE_THAN_ALL_STEPS))
def test_after_a_kill_the_next_start_keeps_every_promise(places: tuple[Layout, Path], monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    layout, outputs = places
    with monkeypatch.context() as patched:
        alive = DeathAt(patched, n)
        try:
            record_one_run(layout, outputs, alive)
        except Killed:
            pass
    _start_again(layout, outputs)
    assert_sound(layout, outputs)
    assert not list(layout.runs.rglob(f"*{TEMPORARY_SUFFIX}")), "the next start sweeps up"


def test_the_kills_reach_every_step(places: tuple[Layout, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        alive = DeathAt(patched, 0)
        record_one_run(*places, alive)
    assert 30 < alive.count < MORE_THAN_ALL_STEPS


def test_a_kill_during_recovery_is_recovered_too(places: tuple[Layout, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    layout, outputs = places
    with monkeypatch.context() as patched:
        with pytest.raises(Killed):
            record_one_run(layout, outputs, DeathAt(patched, 28))
    for n in range(1, 30):
        with monkeypatch.context() as patched:
            DeathAt(patched, n)
            try:
                _start_again(layout, outputs)
            except Killed:
                continue
    _start_again(layout, outputs)
    assert_sound(layout, outputs)
    assert not list(layout.runs.rglob(f"*{TEMPORARY_SUFFIX}")), "nor what the killed recoveries were writing"


def _start_again(layout: Layout, outputs: Path) -> None:
    desk = Desk(layout)
    try:
        desk.start({"outputs": outputs})
    except Killed:
        desk.log.release()
        raise
    desk.close()

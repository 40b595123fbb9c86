"""A pass from inside a job of the user's: one press of Generate, one run, the host's lock taken once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.pipeline.port import PassOutcome, PassRequest
from tests.hosts.port import units
from tests.hosts.port.conftest import SMALL, Desk, pixels


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    units.after.clear()
    units.calls.clear()


def run_of_press(desk: Desk, **given: Any) -> tuple[dict[str, Any], list[Any]]:
    """The run and the manifests of a press of Generate."""
    before = set(desk.store.iter_run_ids())
    desk.sandbox.press_generate(**{**SMALL, **given})
    desk.port.wait_recorded()
    (run_id,) = set(desk.store.iter_run_ids()) - before
    desk.port._session.recorder.close_job()
    desk.port.wait_recorded()
    return desk.store.read_run(run_id).to_json(), [m.to_json() for m in desk.store.iter_manifests(run_id)]  # type: ignore[union-attr]


def go_on(desk: Desk, outcomes: list[PassOutcome], *requests: tuple[str, str, dict[str, Any]]) -> None:
    """After the press each of these is made of the picture before it."""
    def then(p: Any, processed: Any) -> None:
        picture, job = processed.images[0], desk.port._session.jobs.current()
        name = "txt2img_001"
        for endpoint, stage, config in requests:
            source = {"init_images": [{"$input": "x"}]} if endpoint == "img2img" else {"image": {"$input": "x"}}
            given = {"endpoint": endpoint, **(SMALL if endpoint == "img2img" else {}), **source, **config}
            request = PassRequest(given, stage, parents=(ImageLink(run_id=job.run_id, name=name),))
            outcomes.append(desk.port.run_nested(request, lambda reference, made=picture: made))
            if outcomes[-1].images:
                picture, name = outcomes[-1].images[0].picture, outcomes[-1].images[0].name

    units.after.append(then)


def test_stages_after_a_press_are_in_its_run(desk: Desk) -> None:
    from modules import call_queue, shared

    outcomes: list[PassOutcome] = []
    seen: list[Any] = []
    upscale = {"upscaler": "Lanczos", "upscaling_resize": 2}
    go_on(desk, outcomes, ("img2img", "img2img", {"denoising_strength": 0.5}), ("extras", "upscale", upscale))
    units.calls.append(lambda p: seen.append((shared.state.job_count, call_queue.queue_lock._lock.locked())))
    run, made = run_of_press(desk)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert [m["stage"] for m in made] == ["img2img", "txt2img", "upscale"] and all(m["path"] for m in made)
    chain = next(m for m in made if m["stage"] == "upscale")
    assert (chain["parent"]["name"], [e["stage"] for e in chain["stage_history"]]) == ("img2img_001", ["txt2img", "img2img"])
    assert (run["source"], run["status"], run["images"]) == ("ui", "completed", {"planned": 3, "returned": 3, "saved": 3})
    assert seen[-1] == (2, True) and not call_queue.queue_lock._lock.locked()
    assert pixels(outcomes[1].images[0].picture) == pixels(outcomes[0].images[0].picture.convert("RGB").resize((128, 128), 1))


def test_a_stage_that_fails_costs_the_press_nothing(desk: Desk) -> None:
    outcomes: list[PassOutcome] = []
    go_on(desk, outcomes, ("img2img", "img2img", {"steps": "many"}), ("extras", "upscale", {"upscaler": "Gone"}))
    run, made = run_of_press(desk)
    assert [outcome.error is not None for outcome in outcomes] == [True, True]
    assert [m["stage"] for m in made] == ["txt2img"] and made[0]["path"]


def test_nothing_goes_on_from_an_interrupted_press(desk: Desk) -> None:
    from modules import shared

    outcomes: list[PassOutcome] = []

    def then(p: Any, processed: Any) -> None:
        shared.state.interrupted = True
        outcomes.append(desk.port.run_nested(PassRequest({"endpoint": "txt2img", **SMALL}, "txt2img"), desk.find))

    units.after.append(then)
    run_of_press(desk)
    assert outcomes[0].cut_short == "interrupted" and outcomes[0].images == ()

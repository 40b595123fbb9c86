"""What goes wrong when a host is driven from inside, each with what keeps it from going wrong here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts.port import units
from tests.hosts.port.conftest import SMALL, Desk, pixels


@pytest.fixture
def during() -> Iterator[Any]:
    """What is to happen in the middle of a batch: given the processing object."""
    yield units.calls.append
    units.calls.clear()


# --- the lock, whose turn it is ---


def test_the_lock_is_held_for_one_pass_and_the_host_says_what_it_does(desk: Desk, during: Any) -> None:
    from modules import call_queue, progress, shared

    seen: list[Any] = []
    during(lambda p: seen.append((call_queue.queue_lock._lock.locked(), progress.current_task, shared.state.job, desk.port.is_wanted())))
    assert desk.make().error is None
    ((locked, task, job, wanted),) = seen
    assert locked and task == job and task.startswith("task(sdpipe-") and not wanted
    assert not call_queue.queue_lock._lock.locked() and progress.current_task is None and not shared.state.job
    assert task in progress.finished_tasks and task not in progress.pending_tasks


def test_somebody_who_generates_is_waited_for_and_is_not_interrupted(desk: Desk) -> None:
    from modules import call_queue, shared

    outcomes: list[Any] = []
    with call_queue.queue_lock:
        shared.state.begin(job="task(theirs)")
        assert desk.port.is_wanted()
        waiting = threading.Thread(target=lambda: outcomes.append(desk.make()))
        waiting.start()
        while desk.port.progress().text != "Waiting for the host":
            time.sleep(0.01)
        desk.port.interrupt()
        assert not shared.state.interrupted
        shared.state.end()
    waiting.join(20)
    assert (outcomes[0].cut_short, outcomes[0].images) == ("interrupted", ())
    assert not desk.port.is_wanted() and desk.make().cut_short is None


def test_somebody_who_waits_behind_our_pass_is_seen(desk: Desk, during: Any) -> None:
    seen: list[bool] = []
    theirs: list[threading.Thread] = []

    def press(p: Any) -> None:
        if not theirs:
            units.calls.clear()
            theirs.append(threading.Thread(target=lambda: desk.by_hand(seed=99)))
            theirs[0].start()
            time.sleep(0.3)
            seen.append(desk.port.is_wanted())

    during(press)
    desk.make()
    theirs[0].join(20)
    assert seen == [True]


def test_a_request_that_failed_before_it_began_is_not_waited_for(desk: Desk) -> None:
    """The hosts leave its task among those that wait."""
    from modules import progress

    progress.pending_tasks["task(txt2img-LOST)"] = time.time() - 60
    try:
        assert not desk.port.is_wanted()
    finally:
        progress.pending_tasks.clear()


def test_the_users_run_between_two_passes_is_another(desk: Desk) -> None:
    desk.make()
    desk.by_hand(seed=99)
    desk.make(seed=8)
    desk.port.wait_recorded()
    assert sorted(m["actual_seed"] for m in desk.manifests()) == [7, 8]
    others = [run_id for run_id in desk.store.iter_run_ids() if run_id != desk.run_id]
    assert 99 in [m.actual_seed for run_id in others for m in desk.store.iter_manifests(run_id)]  # type: ignore[union-attr]


def test_it_is_recorded_while_recording_is_paused(desk: Desk) -> None:
    from modules import shared

    shared.opts.data["sdpipe_paused"] = True
    desk.make()
    assert len(desk.manifests()) == 1


# --- stopping ---


def test_an_interrupted_pass_says_so_and_the_next_one_is_whole(desk: Desk, during: Any) -> None:
    during(lambda p: desk.port.interrupt())
    outcome = desk.make(n_iter=3)
    assert outcome.cut_short == "interrupted" and outcome.error is None and len(outcome.images) < 3
    units.calls.clear()
    again = desk.make(n_iter=3)
    assert again.cut_short is None and len(again.images) == 3


@pytest.mark.parametrize(("flag", "said"), [("stopping_generation", "stopped"), ("skipped", "skipped")])
def test_the_hosts_other_ways_to_stop(desk: Desk, during: Any, flag: str, said: str) -> None:
    """The one makes no other batch; the other leaves this one as it is, and it is no result."""
    from modules import shared

    during(lambda p: setattr(shared.state, flag, p.iteration == 0))
    outcome = desk.make(n_iter=2)
    assert (outcome.cut_short, [image.infotext is not None for image in outcome.images]) == (said, [True])
    assert [m["actual_seed"] for m in desk.manifests() if m["name"] == outcome.images[0].name] == [7 if said == "stopped" else 8]


# --- failing ---


class OutOfMemoryError(RuntimeError):
    pass


def test_what_a_pass_raises_is_the_outcome_and_what_was_made_is_there(desk: Desk, during: Any) -> None:
    """On Forge's main thread too, which loses exceptions and tells old ones."""
    def fail(p: Any) -> None:
        if p.iteration == 1:
            p.sample = raise_memory

    during(fail)
    outcome = desk.make(n_iter=2)
    assert outcome.error == {"stage": "txt2img", "type": "OutOfMemoryError", "message": "CUDA out of memory"}
    assert [image.name for image in outcome.images] == ["txt2img_001"]
    units.calls.clear()
    again = desk.make()
    assert again.error is None and len(again.images) == 1


def test_the_device_is_freed_of_what_a_failed_pass_held(desk: Desk, during: Any) -> None:
    import gc
    import weakref

    held: list[Any] = []

    def fail(p: Any) -> None:
        held.append(weakref.ref(p))
        p.sample = raise_memory

    during(fail)
    assert desk.make().error is not None
    gc.collect()
    assert [reference() for reference in held] == [None]


def raise_memory(**given: Any) -> Any:
    raise OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize(("given", "said"), [
    ({"init_images": [{"$input": "lost"}]}, "lost is gone"),
    ({"steps": "many"}, "steps must be a whole number"),
    ({"width": True}, "width must be a whole number"),
    ({"override_settings": {"sd_model_checkpoint": "gone"}}, "the checkpoint gone is not on this host"),
    ({"override_settings": {"upscaler_for_img2img": "gone"}}, "the upscaler gone is not on this host"),
    ({"scripts": [{"title": "Gone", "args": []}]}, "the script 'Gone' is not on this host"),
    ({"endpoint": "interrogate"}, "is no request for a pass"),
])
def test_what_cannot_be_made_again_is_refused_before_anything_runs(desk: Desk, given: dict[str, Any], said: str) -> None:
    outcome = desk.make(**given)
    assert outcome.error is not None and said in outcome.error["message"] and desk.manifests() == []


def test_what_the_host_does_otherwise_in_silence_is_said_of_this_request(desk: Desk) -> None:
    assert desk.make(sampler_name="Gone").error is None
    assert [warning for warning in desk.close()["warnings"] if warning.startswith("Sampler Gone is unknown; ")]


def test_what_this_host_does_not_know_is_left_out_and_said(desk: Desk) -> None:
    outcome = desk.make(no_such_field=1, override_settings={"no_such_option": 1}, outpath_samples="/somewhere")
    assert outcome.error is None
    warnings = desk.close()["warnings"]
    for name in ("The field no_such_field", "The option no_such_option", "The field outpath_samples"):
        assert f"{name} is unknown to this host and was left out." in warnings


# --- the host's settings ---


def test_options_are_as_they_were_on_a_host_without_config(desk: Desk, during: Any) -> None:
    """The hosts leave an overridden option as it is where it is not in their data."""
    from modules import shared

    shared.opts.data.pop("samples_filename_pattern", None)
    before = dict(shared.opts.data)
    seen: list[Any] = []
    during(lambda p: seen.append((shared.opts.samples_filename_pattern, shared.opts.CLIP_stop_at_last_layers)))
    outcome = desk.make(override_settings={"samples_filename_pattern": "x[seed]", "CLIP_stop_at_last_layers": 2})
    assert outcome.error is None and seen == [("x[seed]", 2)]
    assert shared.opts.data == before


def test_another_checkpoint_is_used_for_the_pass_and_the_setting_is_as_it_was(desk: Desk) -> None:
    from modules import shared

    desk.make()
    before = dict(shared.opts.data)
    names = [shared.sd_model.sd_checkpoint_info.name_for_extra]
    other = "sandbox-dunes-v2" if names[0] != "sandbox-dunes-v2" else "sandbox-hills-v1"
    overrides = {"sd_model_checkpoint": f"{other}.safetensors"}
    assert desk.make(override_settings=overrides, override_settings_restore_afterwards=False).error is None
    assert shared.opts.data == before
    assert [m["model"] for m in desk.manifests()] == [names[0], other]
    desk.by_hand()
    assert shared.sd_model.sd_checkpoint_info.name_for_extra == names[0]


# --- scripts ---


def test_builtin_scripts_do_not_take_the_seed_and_the_sampler_away(desk: Desk) -> None:
    """They read them from the page's controls unless the object is the API's before they are set up."""
    desk.make(seed=12345, sampler_name="DPM++ 2M", steps=3)
    (made,) = desk.manifests()
    assert (made["actual_seed"], made["config"]["sampler_name"], made["config"]["steps"]) == (12345, "DPM++ 2M", 3)


def other(*arguments: dict[str, Any]) -> dict[str, Any]:
    return {"scripts": [{"title": "Other", "file": "other.py", "selected": False, "args": list(arguments)}]}


def test_arguments_go_by_label_else_by_number_and_the_others_are_the_pages(desk: Desk, arguments_seen: list[Any]) -> None:
    outcome = desk.make(**other(
        {"index": 1, "label": "Enable", "value": True}, {"index": 3, "label": "Renamed since", "value": "text"},
        {"index": 9, "label": "Taken away", "value": 1},
    ))
    assert outcome.error is None
    (arguments,) = arguments_seen
    assert arguments[:2] == (True, 0.5) and arguments[3] == "text" and isinstance(arguments[2], units.Unit)
    assert "Other: its argument Taken away does not exist here." in desk.close()["warnings"]


def test_an_object_is_made_again_of_the_scripts_own_class(desk: Desk, arguments_seen: list[Any]) -> None:
    desk.pictures["hint"] = desk.by_hand()[0]
    unit = {"$type": "Unit", "weight": 0.5, "mode": {"$type": "Mode", "value": "My prompt is more important"},
            "image": {"image": {"$input": "hint", "as": "array"}, "text": {"$input": "hint", "as": "base64"}}, "extra": {"$$a": 1}}
    outcome = desk.make(**other({"index": 0, "label": "Enable", "value": True}, {"index": 2, "label": None, "value": unit}))
    assert outcome.error is None
    made = arguments_seen[0][2]
    assert type(made) is units.Unit and (made.weight, made.mode, made.extra) == (0.5, units.Mode.PROMPT, {"$a": 1})
    assert made.image["image"].shape == (64, 64, 3) and made.image["text"].startswith("iVBOR")


@pytest.mark.parametrize(("value", "said"), [
    ({"$type": "Popen", "args": "ls"}, "is a Popen, which no default of this host shows how to make"),
    ({"$type": "Unit", "mode": {"$type": "Mode", "value": "Gone"}}, "is 'Gone', which is no Mode here"),
    ({"$type": "Unit", "no_such": 1}, "has no_such, which a Unit does not have here"),
    ({"$type": "Unit", "__class__": 1}, "has __class__"),
    ({"$type": ["Unit"]}, "no default of this host"),
])
def test_nothing_else_is_made_of_a_record(desk: Desk, value: Any, said: str) -> None:
    outcome = desk.make(**other({"index": 2, "label": None, "value": value}))
    assert outcome.error is not None and said in outcome.error["message"]


def test_a_default_that_a_script_changes_is_not_the_pages(desk: Desk, arguments_seen: list[Any]) -> None:
    enable = {"index": 0, "label": "Enable", "value": True}
    desk.make(**other(enable))
    arguments_seen[0][2].weight = 9.0
    desk.make(**other(enable))
    assert arguments_seen[1][2].weight == 1.0


@pytest.fixture
def arguments_seen(desk: Desk) -> Iterator[list[Any]]:
    units.seen.clear()
    yield units.seen


def test_a_plot_is_run_by_its_script_with_its_cells_named(desk: Desk) -> None:
    desk.make(save=())
    axes = [{"index": index, "label": label, "value": value} for index, label, value in [
        (0, "X type", axis_number("Seed")), (1, "X values", "1,2"), (3, "Y type", 0), (6, "Z type", 0),
    ]]
    outcome = desk.make(scripts=[{"title": "X/Y/Z plot", "selected": True, "args": axes}])
    assert outcome.error is None and [image.name for image in outcome.images] == ["txt2img_002", "txt2img_003"]
    made = [m for m in desk.manifests() if m["name"] != "txt2img_001"]
    assert [m["actual_seed"] for m in made if m["stage"] == "txt2img"] == [1, 2]
    assert [m["variant"]["row"] for m in made if m["stage"] == "txt2img"] == [0, 1]
    theirs = [desk.by_hand(seed=seed)[0] for seed in (1, 2)]
    assert [pixels(image.picture) for image in outcome.images] == [pixels(picture) for picture in theirs]
    assert desk.close()["status"] == "completed"


def axis_number(label: str) -> int:
    from modules import scripts

    plot = next(script for script in scripts.scripts_txt2img.selectable_scripts if script.title() == "X/Y/Z plot")
    return [option.label for option in plot.current_axis_options].index(label)


def test_adetailers_stage_is_one_also_where_it_finds_nothing(desk: Desk) -> None:
    first = desk.make()
    for number, model in enumerate(("always_yolov8n.pt", "never_yolov8n.pt"), start=1):
        detailer = {"title": "ADetailer", "args": [
            {"index": 0, "value": True}, {"index": 1, "value": True}, {"index": 2, "value": {"ad_model": model}},
        ]}
        reference = {"$image": {"run_id": desk.run_id, "name": first.images[0].name}}
        outcome = desk.make("img2img", "adetailer", init_images=[reference], scripts=[detailer], denoising_strength=0.4)
        assert outcome.error is None and [image.name for image in outcome.images] == [f"adetailer_{number:03d}"]
    found, nothing = [m for m in desk.manifests() if m["stage"] == "adetailer"]
    assert [entry["stage"] for entry in found["stage_history"]] == [entry["stage"] for entry in nothing["stage_history"]]
    assert found["config"]["steps"] == SMALL["steps"] and (found["image"]["width"], nothing["image"]["width"]) == (64, 64)
    assert found["image"]["pixel_sha256"] != nothing["image"]["pixel_sha256"]

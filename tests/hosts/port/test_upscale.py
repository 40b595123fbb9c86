"""Upscaling through the Extras tab's scripts: recorded as a stage, and only where it was done to its end."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.manifest.records import ImageLink
from tests.hosts.port.conftest import Desk, pixels


@pytest.fixture
def source(desk: Desk) -> dict[str, Any]:
    """A recorded image to be made larger, as a request names it."""
    first = desk.make()
    return {"image": {"$image": {"run_id": desk.run_id, "name": first.images[0].name}}}


def upscaled(desk: Desk) -> list[Any]:
    return [m for m in desk.manifests() if m["stage"] == "upscale"]


def test_an_upscaled_picture_is_a_stage_with_its_parent(desk: Desk, source: Any) -> None:
    link = ImageLink(run_id=desk.run_id, name="txt2img_001")
    outcome = desk.make("extras", "upscale", upscaler="Lanczos", upscaling_resize=2, parents=(link,), step={"stage": 1}, **source)
    assert outcome.error is None and [(image.name, image.picture.size) for image in outcome.images] == [("upscale_001", (128, 128))]
    (made,) = upscaled(desk)
    assert made["path"] and made["root"] and (made["parent"]["name"], made["step"]) == ("txt2img_001", {"stage": 1})
    assert [entry["stage"] for entry in made["stage_history"]] == ["txt2img"] and made["config"]["Postprocess upscaler"] == "Lanczos"
    assert desk.close()["status"] == "completed"


def test_it_is_what_the_hosts_api_makes(desk: Desk, source: Any) -> None:
    from modules.api.requests import decode_base64_to_image

    from tests.contract.webui import encode_picture

    recorded = [{"title": "Upscale", "args": [
        {"index": 2, "label": "upscale_by", "value": 3.0}, {"index": 7, "label": "upscaler_1_name", "value": "Nearest"},
    ]}]
    ours = desk.make("extras", "upscale", scripts=recorded, **source)
    body = {"image": encode_picture(desk.pictures["txt2img_001"]), "upscaling_resize": 3, "upscaler_1": "Nearest"}
    theirs = decode_base64_to_image(desk.sandbox.api.extras_single_image_api(body)["image"])
    assert ours.error is None and pixels(ours.images[0].picture) == pixels(theirs)


def test_each_upscale_of_a_run_is_a_pass_of_its_own(desk: Desk, source: Any) -> None:
    for _ in range(2):
        desk.make("extras", "upscale", upscaler="Lanczos", upscaling_resize=2, **source)
    assert [m["name"] for m in upscaled(desk)] == ["upscale_001", "upscale_002"]


@pytest.mark.parametrize(("given", "path", "root"), [({"save": ()}, False, None), ({"save": (), "kept": (0,)}, True, "runs")])
def test_one_that_is_not_saved_is_recorded_all_the_same(desk: Desk, source: Any, given: Any, path: bool, root: str | None) -> None:
    outcome = desk.make("extras", "upscale", upscaler="Lanczos", upscaling_resize=2, **source, **given)
    (made,) = upscaled(desk)
    assert len(outcome.images) == 1 and (bool(made["path"]), made["root"]) == (path, root)


@pytest.mark.parametrize("field", ["upscaler", "upscaler_2"])
def test_an_unknown_upscaler_is_refused_before_it_resizes_in_silence(desk: Desk, source: Any, field: str) -> None:
    outcome = desk.make("extras", "upscale", **{"upscaler": "Lanczos", field: "Gone"}, upscaling_resize=2, **source)
    assert outcome.error is not None and "the upscaler Gone is not on this host" in outcome.error["message"] and upscaled(desk) == []


def test_what_an_interrupted_upscaler_gives_back_is_not_recorded(desk: Desk, source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives back a picture of the wanted size, and the host would answer with it again the next time."""
    from modules import shared

    upscaler = next(one for one in shared.sd_upscalers if one.name == "Nearest").scaler
    real = type(upscaler).upscale

    def interrupted(self: Any, *args: Any) -> Any:
        desk.port.interrupt()
        return real(self, *args)

    monkeypatch.setattr(type(upscaler), "upscale", interrupted)
    outcome = desk.make("extras", "upscale", upscaler="Nearest", upscaling_resize=2, **source)
    assert (outcome.cut_short, outcome.images, outcome.error) == ("interrupted", (), None) and upscaled(desk) == []
    monkeypatch.undo()
    again = desk.make("extras", "upscale", upscaler="Nearest", upscaling_resize=2, **source)
    assert pixels(again.images[0].picture) == pixels(desk.pictures["txt2img_001"].resize((128, 128), 0))


def test_an_upscaler_that_does_not_enlarge_is_no_success(desk: Desk, source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import shared

    monkeypatch.setattr(type(shared.sd_upscalers[0].scaler), "upscale", lambda self, image, *args: image)
    outcome = desk.make("extras", "upscale", upscaler="Nearest", upscaling_resize=2, **source)
    assert outcome.error is not None and "the upscaler gave back 64x64 where 128x128 was asked for" in outcome.error["message"]
    assert upscaled(desk) == []
    assert desk.close()["status"] == "completed", "whether the run has failed is for who ends it to say"


def test_it_is_not_told_by_the_hosts_cache_that_a_picture_repeats(desk: Desk, source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import shared

    calls: list[int] = []
    real = type(shared.sd_upscalers[0].scaler).upscale
    monkeypatch.setattr(type(shared.sd_upscalers[0].scaler), "upscale", lambda self, *args: (calls.append(1), real(self, *args))[1])
    for _ in range(2):
        desk.make("extras", "upscale", upscaler="Lanczos", upscaling_resize=2, **source)
    assert len(calls) == 2


def test_the_state_of_the_host_is_begun_once(desk: Desk, source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's own way to upscale begins another job inside: an interruption before it would be forgotten."""
    from modules import shared

    begun: list[str] = []
    real = shared.state.begin
    monkeypatch.setattr(shared.state, "begin", lambda job: (begun.append(job), real(job=job))[1])
    desk.make("extras", "upscale", upscaler="Lanczos", upscaling_resize=2, **source)
    assert len(begun) == 1 and begun[0].startswith("task(sdpipe-")

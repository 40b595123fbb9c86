"""What differs today, before a recorded image is made again."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.pipeline.port import HostFacts, ModelFile
from lib_sdpipe.pipeline.preflight import check_rerun, is_blocked, set_back
from lib_sdpipe.pipeline.replay import Replay, Wanted, plan_rerun
from lib_sdpipe.pipeline.rerun_difference import Difference
from tests.pipeline.recorded import a_run, an_image

SHA = "abcdef0123" + "0" * 54
THEN: dict[str, Any] = {
    "host": {"name": "A1111", "version": "v1.10.1"}, "options": {"eta_ancestral": 1, "randn_source": "CPU"},
    "script_defaults": {"txt2img": [
        {"title": "Other", "file": "other.py", "args": [{"label": "Strength", "value": 0.5}, {"label": None, "value": {"model": "face"}}]},
        {"title": "Seed", "file": "seed.py", "args": [{"label": "Seed", "value": -1}]},
    ]},
}
OTHER = {"title": "Other", "file": "other.py", "selected": False, "args": [{"index": 1, "label": "Mode", "value": "a"}]}


class Case:
    """An image of the sampler Euler a and the checkpoint tiny, and the host as it is now."""

    def __init__(self, image: Manifest | None = None, /, **config: Any) -> None:
        self.image = image if image is not None else an_image(model_hash="abcdef0123")
        self.run = a_run([self.image], **config)
        self.run.models = [{"kind": "checkpoint", "name": "tiny", "hash": "abcdef0123", "sha256": SHA}]
        self.replay: Replay = plan_rerun(self.run, [self.image], THEN, Wanted(name=self.image.name))
        self.facts: dict[str, Any] = {
            "environment": THEN, "models": (ModelFile("checkpoint", "tiny", "abcdef0123", SHA),), "samplers": ("Euler a", "DPM++ 2M"),
            "schedulers": ("Automatic", "Karras"), "upscalers": ("None", "ESRGAN_4x"),
            "scripts": {"txt2img": {"Other": ["Strength", "Mode"]}},
        }

    def check(self, then: Any = THEN, **facts: Any) -> list[Difference]:
        return check_rerun(self.replay, self.run, [self.image], then, HostFacts(**{**self.facts, **facts}))

    def only(self, **facts: Any) -> Difference:
        (found,) = self.check(**facts)
        return found


def environment(**changes: Any) -> dict[str, Any]:
    return {**THEN, **changes}


def test_nothing_changed_is_nothing_said() -> None:
    assert Case().check() == []


# --- models ---


def test_a_checkpoint_that_is_gone_stands_in_the_way() -> None:
    found = Case().only(models=(ModelFile("checkpoint", "other", "ffff000011"),))
    assert found.is_blocking and "The checkpoint tiny is not on this host" in found.sentence


def test_a_checkpoint_with_another_name_and_the_same_hash_is_found_and_named_so() -> None:
    case = Case()
    found = case.only(models=(ModelFile("checkpoint", "renamed", "abcdef0123", SHA),))
    assert (found.is_blocking, found.can_set_back, found.now) == (False, True, "renamed")
    (request,) = set_back(case.replay, [found]).requests
    assert request.config["override_settings"]["sd_model_checkpoint"] == "renamed"


def test_another_file_under_the_name_is_no_way_back_but_no_wall_either() -> None:
    found = Case().only(models=(ModelFile("checkpoint", "tiny", "ffff000011"),))
    assert (found.is_blocking, found.can_set_back, found.then, found.now) == (False, False, SHA, "ffff000011")


def test_the_right_file_is_found_though_another_has_its_name() -> None:
    found = Case().only(models=(ModelFile("checkpoint", "tiny", "ffff000011"), ModelFile("checkpoint", "moved", None, SHA)))
    assert (found.now, found.can_set_back) == ("moved", True)


def test_a_name_without_known_hashes_is_taken_at_its_word() -> None:
    assert Case().check(models=(ModelFile("checkpoint", "tiny"),)) == []


@pytest.mark.parametrize("asked", ["tiny.safetensors", "sub/tiny.safetensors [abcdef0123]", "tiny"])
def test_a_title_is_the_same_as_the_name_in_it(asked: str) -> None:
    image = an_image(model=None, model_hash=None)
    assert Case(image, override_settings={"sd_model_checkpoint": asked}).check() == []


def test_refiner_hires_checkpoint_vae_and_modules_are_looked_for_too() -> None:
    image = an_image(vae="sea.vae", config={**an_image().config, "forge_additional_modules": ["clip.sft"]})
    case = Case(image, refiner_checkpoint="fine", enable_hr=True, hr_checkpoint_name="big", hr_upscaler="Latent")
    models = (ModelFile("checkpoint", "tiny"), ModelFile("vae", "x"), ModelFile("module", "y"))
    assert {found.field for found in case.check(models=models)} == {"models.refiner.fine", "models.hires.big", "models.module.clip.sft"}
    plain = Case(an_image(vae="sea.vae"))
    assert [found.field for found in plain.check(models=models)] == ["models.vae.sea.vae"]


def test_a_lora_is_looked_for_by_its_hash() -> None:
    case = Case(an_image(loras=[{"name": "sea", "weight": 1, "hash": "0011223344aa"}]))
    tiny = ModelFile("checkpoint", "tiny")
    assert case.check(models=(tiny, ModelFile("lora", "sea", "0011223344aa"))) == []
    assert case.only(models=(tiny, ModelFile("lora", "old sea", "0011223344aa"))).is_blocking is False
    assert case.only(models=(tiny, ModelFile("lora", "hill", "99"))).is_blocking is True


def test_of_what_the_host_tells_nothing_nothing_is_said() -> None:
    assert Case().check(models=(), samplers=(), schedulers=(), upscalers=(), scripts={}) == []


# --- samplers and upscalers ---


@pytest.mark.parametrize(("config", "field"), [
    ({"sampler_name": "Gone"}, "sampler_name"), ({"scheduler": "Gone"}, "scheduler"),
    ({"enable_hr": True, "hr_sampler_name": "Gone"}, "hr_sampler_name"), ({"enable_hr": True, "hr_upscaler": "Gone"}, "hr_upscaler"),
])
def test_a_sampler_or_upscaler_that_is_gone_stands_in_the_way(config: dict[str, Any], field: str) -> None:
    found = Case(**config).only()
    assert (found.field, found.is_blocking) == (field, True)


@pytest.mark.parametrize("config", [
    {"sampler_name": "DPM++ 2M Karras"}, {"scheduler": None}, {"hr_sampler_name": "Use same sampler", "enable_hr": True},
    {"enable_hr": True, "hr_upscaler": "Latent (bicubic)"},
])
def test_names_that_the_host_understands_are_fine(config: dict[str, Any]) -> None:
    assert Case(**config).check() == []


# --- scripts ---


def test_a_script_that_is_gone_stands_in_the_way() -> None:
    found = Case(scripts=[OTHER]).only(scripts={"txt2img": {"Something": []}})
    assert found.is_blocking and "“Other” is not on this host" in found.sentence


def test_an_argument_that_moved_goes_by_its_label_and_needs_no_word() -> None:
    assert Case(scripts=[OTHER]).check(scripts={"txt2img": {"Other": ["Mode", "Strength"]}}) == []


def test_an_argument_with_another_label_goes_by_its_number_and_is_named() -> None:
    found = Case(scripts=[OTHER]).only(scripts={"txt2img": {"Other": ["Strength", "Manner"]}})
    assert "goes by its number to “Manner”" in found.sentence and not found.is_blocking


def test_an_argument_that_is_gone_is_named() -> None:
    found = Case(scripts=[OTHER]).only(scripts={"txt2img": {"Other": ["Strength"]}})
    assert "“Mode”" in found.sentence and "left out" in found.sentence


def changed_default(value: Any, index: int = 0) -> dict[str, Any]:
    (other, seed) = THEN["script_defaults"]["txt2img"]
    arguments = [dict(argument) for argument in other["args"]]
    arguments[index]["value"] = value
    return environment(script_defaults={"txt2img": [{**other, "args": arguments}, seed]})


def test_a_default_that_was_changed_since_is_set_as_it_was() -> None:
    case = Case()
    found = case.only(environment=changed_default(0.9))
    assert (found.field, found.then, found.now) == ("scripts.Other.Strength", 0.5, 0.9)
    (request,) = set_back(case.replay, [found]).requests
    assert request.config["scripts"] == [
        {"title": "Other", "file": None, "selected": False, "args": [{"index": 0, "label": "Strength", "value": 0.5}]},
    ]


def test_a_default_does_not_matter_where_the_request_names_the_argument() -> None:
    asked = {**OTHER, "args": [{"index": 0, "label": "Strength", "value": 0.1}]}
    assert Case(scripts=[asked]).check(environment=changed_default(0.9)) == []


def test_defaults_of_what_are_fields_of_the_request_do_not_matter() -> None:
    now = environment(script_defaults={"txt2img": [{"title": "Seed", "args": [{"label": "Seed", "value": 7}]}]})
    assert Case().check(environment=now) == []


# --- environment ---


def test_the_likeliest_cause_comes_first_and_options_can_be_set_back() -> None:
    case = Case()
    now = environment(host={"name": "A1111", "version": "v1.11"}, options={"eta_ancestral": 0.5, "randn_source": "GPU"})
    found = case.check(environment=now)
    assert [one.field for one in found] == ["options.randn_source", "options.eta_ancestral", "host.version"]
    assert [one.can_set_back for one in found] == [True, True, False]
    assert found[2].sentence == "The WebUI's version was v1.10.1 and is v1.11 now."
    (request,) = set_back(case.replay, found).requests
    options = request.config["override_settings"]
    assert (options["randn_source"], options["eta_ancestral"]) == ("CPU", 1)


def test_what_was_set_back_does_not_differ_any_more() -> None:
    case = Case()
    changed = environment(options={"eta_ancestral": 0.5, "randn_source": "GPU"}, script_defaults=changed_default(0.9)["script_defaults"])
    found = case.check(environment=changed)
    case.replay = set_back(case.replay, found)
    assert len(found) == 3 and case.check(environment=changed) == []


def test_only_what_is_chosen_is_set_back() -> None:
    case = Case()
    found = case.check(environment=environment(options={"eta_ancestral": 0.5, "randn_source": "GPU"}))
    (request,) = set_back(case.replay, found, ["options.eta_ancestral"]).requests
    assert "randn_source" not in request.config["override_settings"]


def test_settings_of_the_page_are_not_told() -> None:
    assert Case().check(environment=environment(options={**THEN["options"], "ui_order": 2, "samples_format": "jpg"})) == []


def test_the_quality_of_files_is_told_of_lossy_ones() -> None:
    then, now = environment(options={"jpeg_quality": 80}), environment(options={"jpeg_quality": 90})
    assert Case().check(then, environment=now) == []
    lossy = Case(an_image(model_hash="abcdef0123", image=ImageFacts(format="JPEG")))
    assert [one.field for one in lossy.check(then, environment=now)] == ["options.jpeg_quality"]


def test_an_extension_that_is_gone_or_new_is_told() -> None:
    then = environment(extensions=[{"name": "a", "commit": "1"}, {"name": "b", "commit": "1"}])
    now = environment(extensions=[{"name": "a", "commit": "2"}, {"name": "c", "commit": "1"}])
    assert [one.sentence for one in Case().check(then, environment=now)] == [
        "The extension a was at 1 and is at 2 now.", "The extension b is not active any more.", "The extension c was not active then.",
    ]


def test_what_the_host_was_then_may_not_be_known() -> None:
    (found,) = Case().check(None)
    assert "not recorded" in found.sentence and not found.is_blocking


def test_what_is_missing_comes_before_everything() -> None:
    found = Case(sampler_name="Gone").check(environment=environment(options={"randn_source": "GPU", "eta_ancestral": 1}))
    assert [one.field for one in found] == ["sampler_name", "options.randn_source"]
    assert is_blocked(found) and not is_blocked(found[1:])


def test_of_an_upscaled_picture_only_what_concerns_it_is_told() -> None:
    picture = {"$input": "a" * 64}
    image = an_image(stage="upscale", batch=None, model=None, config={"image": picture, "Postprocess upscaler": "Gone"})
    case = Case(image, endpoint="extras", extras_mode=0, image=picture, scripts=[])
    now = environment(options={**THEN["options"], "randn_source": "GPU", "ESRGAN_tile": 64})
    found = case.check(environment(options={**THEN["options"], "ESRGAN_tile": 192}), environment=now)
    assert [one.field for one in found] == ["upscaler_1_name", "options.ESRGAN_tile"]
    assert not found[1].can_set_back

"""Which change of the environment is named first."""

from __future__ import annotations

import pytest

from lib_sdpipe.pipeline.likely_causes import CAUSES, cause_of, rank_changes
from lib_sdpipe.pipeline.picture_options import PICTURE_OPTIONS

THEN = {
    "host": {"name": "A1111", "version": "v1.10.0"}, "platform": {"processor": "A", "python": "3.10.6"},
    "packages": {"torch": "2.1", "gradio": "3.41", "Pillow": "9.5"}, "device": {"name": "cuda", "accelerator": "A", "driver": "1"},
    "precision": {"dtype": "float16"}, "attention": "sdp", "flags": {"no_half": True},
    "extensions": [{"name": "a", "version": "1", "commit": "c1"}, {"name": "sdpipe", "version": "1", "commit": "x"}],
    "options": {"randn_source": "GPU", "eta_ancestral": 1, "jpeg_quality": 80, "font": "", "ui_order": 1, "CLIP_stop_at_last_layers": 1},
}
NOW = {
    "host": {"name": "A1111", "version": "v1.10.1"}, "platform": {"processor": "B", "python": "3.11.7"},
    "packages": {"torch": "2.2", "gradio": "4.40", "Pillow": "10"}, "device": {"name": "cuda", "accelerator": "B", "driver": "2"},
    "precision": {"dtype": "float32"}, "attention": "xformers", "flags": {},
    "extensions": [{"name": "a", "version": "2", "commit": "c2"}, {"name": "b"}, {"name": "sdpipe", "version": "2", "commit": "y"}],
    "options": {"randn_source": "CPU", "eta_ancestral": 0.9, "jpeg_quality": 90, "font": "", "ui_order": 2, "CLIP_stop_at_last_layers": 2},
}


def test_the_likeliest_cause_comes_first() -> None:
    assert [change.field for change in rank_changes(THEN, NOW)] == [
        "options.randn_source", "options.CLIP_stop_at_last_layers", "options.eta_ancestral", "host.version", "extensions.a", "extensions.b",
        "flags.no_half", "precision.dtype", "device.accelerator", "attention", "device.driver", "packages.torch", "packages.Pillow",
        "options.jpeg_quality", "platform.processor", "platform.python", "options.ui_order", "packages.gradio",
    ]


def test_the_same_environment_has_no_changes_and_an_unknown_one_none_that_are_known() -> None:
    assert rank_changes(THEN, THEN) == []
    assert rank_changes(None, NOW) == rank_changes(THEN, None) == []


def test_whole_numbers_and_fractions_of_one_value_are_no_change() -> None:
    assert rank_changes({"options": {"eta_ancestral": 1}}, {"options": {"eta_ancestral": 1.0}}) == []


def test_what_was_not_recorded_then_is_no_likely_cause() -> None:
    now = {"attention": "sdp", "precision": {"dtype": "float16"}, "packages": {"xformers": "0.0.2"}}
    assert [(change.field, change.cause) for change in rank_changes({}, now)] == [
        ("packages.xformers", "attention"), ("attention", "other"), ("precision.dtype", "other"),
    ]


def test_an_extension_is_named_with_its_commit() -> None:
    (change,) = rank_changes({"extensions": [{"name": "a", "version": "1", "commit": "c1"}]}, {"extensions": []})
    assert change.to_json() == {"field": "extensions.a", "then": "c1", "now": None}


def test_an_option_that_was_set_back_is_no_change() -> None:
    now = {"options": {"eta_ancestral": 0.5}}
    assert rank_changes({"options": {"eta_ancestral": 1}}, now, {}, {"eta_ancestral": 1}) == []
    (change,) = rank_changes({"options": {"eta_ancestral": 1}}, now, {}, {"eta_ancestral": 0.7})
    assert (change.then, change.now) == (1, 0.7)


def test_what_only_the_re_run_says_beside_its_options_is_no_change_of_the_host() -> None:
    assert rank_changes({"options": {}}, {"options": {}}, {}, {"sd_model_checkpoint": "tiny"}) == []


@pytest.mark.parametrize(("path", "is_cpu", "cause"), [
    (("platform", "processor"), True, "device"), (("platform", "processor"), False, "system"),
    (("flags", "opt_sdp_attention"), False, "attention"),
    (("flags", "all_in_fp32"), False, "precision"), (("flags", "use_cpu"), False, "device"), (("flags", "vae_path"), False, "model"),
    (("flags", "api"), False, "other"), (("device", "memory_mb"), False, "system"), (("options", "never_heard_of"), False, "other"),
])
def test_each_field_is_a_kind_of_cause(path: tuple[str, ...], is_cpu: bool, cause: str) -> None:
    assert cause_of(path, is_cpu) == cause


def test_every_effect_of_an_option_has_its_place_in_the_order() -> None:
    assert {option.effect for option in PICTURE_OPTIONS.values()} <= set(CAUSES)

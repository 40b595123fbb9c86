"""The text that is sent on: the image's own, or what a host reads the recorded settings from."""

from __future__ import annotations

from lib_sdpipe.manifest.from_infotext import build_from_infotext
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.manifest.to_infotext import build_infotext


def test_an_images_own_text_is_sent_to_the_letter() -> None:
    assert build_infotext(Manifest(infotext="a,  b\nSteps: 2,Seed: 1", prompt="other")) == "a,  b\nSteps: 2,Seed: 1"


def test_what_is_recorded_is_read_back_from_the_text_made_of_it() -> None:
    manifest = Manifest(
        prompt="a lighthouse, night:\nmist", negative_prompt="blurry", actual_seed=7, actual_subseed=9, subseed_strength=0.25,
        model="dream, v2", model_hash="cf866e2290", vae="kl-f8", vae_hash="abc123",
        config={"steps": 24, "sampler_name": "DPM++ 2M", "scheduler": "Karras", "cfg_scale": 7.0, "width": 512, "height": 768,
                "clip_skip": 2},
        hires={"hr_scale": 2.0, "hr_upscaler": "Latent", "hr_second_pass_steps": 12, "denoising_strength": 0.4},
        refiner={"refiner_checkpoint": "xl [12]", "refiner_switch_at": 0.8},
    )
    text = build_infotext(manifest)
    read = build_from_infotext(parse_infotext(text or ""))
    names = ("prompt", "negative_prompt", "actual_seed", "actual_subseed", "subseed_strength", "model", "model_hash", "vae", "vae_hash")
    for name in names:
        assert read[name] == getattr(manifest, name), name
    assert read["refiner"] == manifest.refiner
    assert read["config"] == {**manifest.config, "denoising_strength": 0.4}
    assert read["hires"] == {"hr_scale": 2.0, "hr_upscaler": "Latent", "hr_second_pass_steps": 12}


def test_of_nothing_nothing_is_made() -> None:
    assert build_infotext(Manifest()) is None
    assert build_infotext(Manifest(config={"steps": {"a": 1}, "width": True, "height": [1]}, hires={"hr_scale": {}})) is None

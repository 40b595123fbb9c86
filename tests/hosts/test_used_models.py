"""The models of a pass are those it was made with, named and hashed as the host has them; what differs from the request is said."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.hosts.conftest import Host


def a_pass(**attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{
        "sd_model_name": "tiny", "sd_model_hash": "a" * 10, "sampler_name": "Euler", "scheduler": "Automatic", "override_settings": {},
        "extra_generation_params": {}, "all_prompts": ["a cat"], "width": 64, "height": 64, **attributes,
    })


def models_of(p: Any) -> list[tuple[str, str, str | None, str | None]]:
    from lib_sdpipe.hosts.used_models import read_models

    return [(model["kind"], model["name"], model["hash"], (model["sha256"] or "")[:1] or None) for model in read_models(p)]


def warnings_of(p: Any, config: dict[str, Any] | None = None, prompts: bool = True) -> list[str]:
    from lib_sdpipe.hosts.asked_and_used import read_warnings

    return read_warnings(p, config or {}, prompts)


def add_loras(host: Host, *names: str) -> None:
    entries = {name: SimpleNamespace(name=name, hash=name * 20, shorthash=name[:12], is_safetensors=name != "old") for name in names}
    host.module(
        "networks", available_networks=entries, available_network_aliases=dict(entries), forbidden_network_aliases={}, loaded_networks=[],
    )


def parsed(*names: str) -> dict[str, list[SimpleNamespace]]:
    return {"lora": [SimpleNamespace(positional=[name, "1"]) for name in names]}


# --- what was used ---


def test_the_checkpoint_is_the_pass_own_after_a_refiner_too(host: Host) -> None:
    other = host.checkpoints["tiny-b"]
    host.shared.sd_model = SimpleNamespace(sd_checkpoint_info=other)
    p = a_pass(refiner_checkpoint_info=other, extra_generation_params={"Refiner": "tiny-b [bbbbbbbbbb]"})
    assert models_of(p) == [("checkpoint", "tiny", "a" * 10, "a"), ("refiner", "tiny-b", "b" * 10, "b")]
    p.extra_generation_params.clear()
    assert models_of(p) == [("checkpoint", "tiny", "a" * 10, "a")]
    assert models_of(a_pass(enable_hr=True, hr_checkpoint_info=other))[1:] == [("hires", "tiny-b", "b" * 10, "b")]
    assert models_of(a_pass(sd_model_name="gone", sd_model_hash="c" * 10)) == [("checkpoint", "gone", "c" * 10, None)]


def test_a_vae_has_the_hosts_digest_only_where_it_is_of_that_file(host: Host, tmp_path: Path) -> None:
    files = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for number, file in enumerate(files):
        file.write_bytes(b"x")
        os.utime(file, (1000 - number, 1000 - number))
    host.sd_vae.vae_dict.update({file.name: str(file) for file in files})
    host.module("modules.hashes", cache=lambda section: {"vae": {"mtime": 1000.0, "sha256": "c" * 64}})
    assert models_of(a_pass(sd_vae_name="one.pt", sd_vae_hash="c" * 10))[1:] == [("vae", "one.pt", "c" * 10, "c")]
    assert models_of(a_pass(sd_vae_name="two.pt", sd_vae_hash="c" * 10))[1:] == [("vae", "two.pt", None, None)]


def test_loras_of_every_image_are_named_once(host: Host) -> None:
    add_loras(host, "ink", "old")
    p = a_pass(all_prompts=["a <lora:ink:0.5>", "a <lora:ink:1><lyco:old:1>"], extra_network_data=parsed("ink", "old"))
    assert models_of(p)[1:] == [("lora", "ink", "ink", None), ("lora", "old", "old", "o")]
    assert models_of(a_pass(all_prompts=p.all_prompts, disable_extra_networks=True))[1:] == []


def test_a_lora_that_was_not_loaded_was_not_used(host: Host) -> None:
    add_loras(host, "ink", "broken")
    prompt, names = "<lora:ink:1><lora:broken:1><lora:gone:1>", parsed("ink", "broken", "gone")
    p = a_pass(all_prompts=[prompt], extra_network_data=names, lora_hashes={"ink": "d21508cd908c"})
    assert [name for kind, name, *_ in models_of(p) if kind == "lora"] == ["ink"]
    assert warnings_of(p) == ["LoRA gone does not exist.", "LoRA broken could not be loaded."]
    assert warnings_of(p, prompts=False) == ["A LoRA in the prompt does not exist.", "LoRA broken could not be loaded."]


def test_forge_uses_no_lora_where_one_is_missing(host: Host) -> None:
    add_loras(host, "ink")
    host.module("backend.memory_management")
    p = a_pass(all_prompts=["<lora:ink:1><lora:gone:1>"], extra_network_data=parsed("ink", "gone"))
    assert models_of(p)[1:] == []
    assert len(warnings_of(p)) == 2 and warnings_of(p)[1].startswith("No LoRA was used")


def test_embeddings_and_forges_modules(host: Host) -> None:
    known = {"ti": SimpleNamespace(hash="d" * 64)}
    host.module("modules.sd_hijack", model_hijack=SimpleNamespace(embedding_db=SimpleNamespace(word_embeddings=known)))
    assert models_of(a_pass(extra_generation_params={"TI hashes": "ti: dddddddddddd"}))[1:] == [("embedding", "ti", "d" * 12, "d")]
    assert models_of(a_pass(extra_generation_params={"TI": "other, ti"}))[1:] == [
        ("embedding", "other", None, None), ("embedding", "ti", None, "d"),
    ]
    host.opts["forge_additional_modules"] = ["/models/VAE/ae.pt"]
    host.module("modules_forge.main_entry", module_list={"ae.pt": "/models/VAE/ae.pt", "t5.pt": "/models/t5.pt"})
    p = a_pass(enable_hr=True, hr_additional_modules=["t5.pt", "gone.pt"])
    assert models_of(p)[1:] == [("module", "ae.pt", None, None), ("module", "t5.pt", None, None)]
    assert warnings_of(p) == ["VAE or text encoder gone.pt is unknown and was not used."]
    assert models_of(a_pass(enable_hr=True, hr_additional_modules=["Use same choices"]))[1:] == [("module", "ae.pt", None, None)]


def test_an_ended_pass_without_a_model_names_none(host: Host) -> None:
    assert models_of(a_pass(sd_model_name=None, all_prompts=None)) == []


# --- what was asked ---


def test_nothing_is_said_where_all_is_as_asked(host: Host) -> None:
    host.opts["upscaler_for_img2img"] = "Lanczos"
    p = a_pass(init_images=[SimpleNamespace(size=(8, 8))], styles=["ink", "None"], refiner_checkpoint="None")
    assert warnings_of(p, {"sampler_name": "Euler", "scheduler": "Automatic"}) == []
    assert warnings_of(a_pass(override_settings={"sd_model_checkpoint": "tiny"}, sd_vae_name="auto.pt")) == []


@pytest.mark.parametrize(("attributes", "config", "said"), [
    ({}, {"override_settings": {"sd_model_checkpoint": "gone"}}, "Checkpoint gone is unknown; tiny was used."),
    ({"override_settings": {"sd_model_checkpoint": "tiny-b"}}, {}, "Checkpoint tiny-b was asked for; tiny was used."),
    ({}, {"override_settings": {"sd_vae": "ae.pt"}}, "VAE ae.pt was asked for; the one in the checkpoint was used."),
    ({"sd_vae_name": "near.pt"}, {"override_settings": {"sd_vae": "None"}}, "No VAE was asked for; near.pt was used."),
    ({"refiner_checkpoint": "tiny-b", "refiner_checkpoint_info": 1}, {}, "Refiner tiny-b was asked for and never used."),
    ({}, {"sampler_name": "Nope"}, "Sampler Nope is unknown; Euler was used."),
    ({}, {"scheduler": "Nope"}, "Schedule type Nope is unknown; Automatic was used."),
    ({"enable_hr": True, "hr_scheduler": "Nope"}, {}, "Schedule type Nope of hires fix is unknown; the sampler's own was used."),
    ({"styles": ["Nope"]}, {}, "Style Nope does not exist."),
    ({"init_images": [SimpleNamespace(size=(8, 8))]}, {"override_settings": {"upscaler_for_img2img": "Nope"}},
     "Upscaler Nope is unknown; the input picture was resized without one."),
])
def test_what_the_host_did_instead_is_said(host: Host, attributes: dict[str, Any], config: dict[str, Any], said: str) -> None:
    assert warnings_of(a_pass(**attributes), config) == [said]


@pytest.mark.parametrize(("attributes", "config"), [
    ({"sampler_name": "DPM++ 2M", "scheduler": "Karras"}, {"sampler_name": "DPM++ 2M Karras", "scheduler": None}),
    ({"sampler_name": "DPM++ 2M"}, {"sampler_name": "Euler"}),
    ({"override_settings": {"sd_model_checkpoint": "tiny"}}, {"override_settings": {"sd_model_checkpoint": "tiny-b"}}),
    ({"init_images": [SimpleNamespace(size=(64, 64))]}, {"override_settings": {"upscaler_for_img2img": "Nope"}}),
])
def test_what_a_script_or_the_hosts_own_spelling_chose_is_no_replacement(
    host: Host, attributes: dict[str, Any], config: dict[str, Any],
) -> None:
    assert warnings_of(a_pass(**attributes), config) == []

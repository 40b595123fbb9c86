"""Other generators' texts: whose they are, and what could be read of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.foreign import read_foreign
from tests.pace import assert_quick


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


COMFY = {
    "3": node("KSampler", seed=42, steps=20, cfg=7.5, sampler_name="euler", scheduler="karras", denoise=1.0,
              model=["10", 0], positive=["6", 0], negative=["7", 0], latent_image=["5", 0]),
    "4": node("CheckpointLoaderSimple", ckpt_name="sd15.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
    "6": node("CLIPTextEncode", text="a cat", clip=["10", 1]),
    "7": node("CLIPTextEncode", text=["20", 0], clip=["10", 1]),
    "10": node("LoraLoader", lora_name="paint.safetensors", strength_model=0.8, strength_clip=0.7, model=["4", 0], clip=["4", 1]),
    "20": node("PrimitiveString", value="blurry"),
    "9": node("SaveImage", images=["8", 0]),
    "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
}
FLUX = {
    "13": node("SamplerCustomAdvanced", noise=["25", 0], guider=["22", 0], sampler=["16", 0], sigmas=["17", 0], latent_image=["27", 0]),
    "25": node("RandomNoise", noise_seed=7), "22": node("BasicGuider", model=["12", 0], conditioning=["26", 0]),
    "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]), "6": node("CLIPTextEncode", text="a dog", clip=["11", 0]),
    "12": node("UNETLoader", unet_name="flux1-dev.safetensors"), "16": node("KSamplerSelect", sampler_name="euler"),
    "17": node("BasicScheduler", scheduler="simple", steps=25, denoise=1.0, model=["12", 0]),
    "27": node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1),
}
SWARM = {"sui_image_params": {
    "prompt": "a cat", "negativeprompt": "blurry", "model": "sd15", "seed": 42, "steps": 20, "cfgscale": 7.5, "width": 512, "height": 768,
    "sampler": "euler", "scheduler": "karras", "loras": ["paint"], "loraweights": ["0.8"],
}}
FOOOCUS = {
    "prompt": "a cat", "full_prompt": ["a cat", "cinematic"], "negative_prompt": "blurry", "base_model": "sd15", "seed": "42",
    "steps": 20, "guidance_scale": 7.5, "sampler": "euler", "scheduler": "karras", "resolution": "(512, 768)", "performance": "Speed",
    "loras": [["paint", 0.8, "abc"]], "version": "Fooocus v2.5.0",
}
INVOKE = {"app_version": "4.0", "positive_prompt": "a cat", "negative_prompt": "blurry", "seed": 42, "steps": 20, "cfg_scale": 7.5,
          "scheduler": "euler", "width": 512, "height": 768, "model": {"name": "sd15", "hash": "blake3:1"}}
INVOKE_2 = {"model_weights": "sd15", "image": {
    "prompt": [{"prompt": "a cat [blurry]", "weight": 1}], "seed": 42, "steps": 20, "cfg_scale": 7.5, "sampler": "euler",
    "width": 512, "height": 768,
}}
NOVEL = {"prompt": "a cat", "uc": "blurry", "seed": 42, "steps": 20, "scale": 7.5, "sampler": "euler", "width": 512, "height": 768}
NOVEL_TEXTS = {"Software": "NovelAI", "Source": "sd15", "Description": "a cat", "Comment": json.dumps(NOVEL)}
A1111 = "a cat\nNegative prompt: blurry\nSteps: 20, Sampler: euler, CFG scale: 7.5, Seed: 42, Size: 512x768, Model: sd15"
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "comfyui": ("ComfyUI", {"prompt": json.dumps(COMFY), "workflow": '{"nodes": [{"id": 3}]}'}),
    "comfyui in exif": ("ComfyUI", {"exif:Model": "prompt:" + json.dumps(COMFY), "exif:Make": 'workflow:{"nodes": [1]}'}),
    "swarmui": ("SwarmUI", {"parameters": json.dumps(SWARM)}),
    "swarmui in jpeg": ("SwarmUI", {"exif:UserComment": json.dumps(SWARM, indent=2)}),
    "fooocus": ("Fooocus", {"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}),
    "fooocus in jpeg": ("Fooocus", {"exif:UserComment": json.dumps(FOOOCUS)}),
    "fooocus in a1111's words": ("Fooocus", {"parameters": A1111 + ", Version: Fooocus v2.5.0", "fooocus_scheme": "a1111"}),
    "invokeai": ("InvokeAI", {"invokeai_metadata": json.dumps(INVOKE)}),
    "invokeai 2": ("InvokeAI", {"sd-metadata": json.dumps(INVOKE_2)}),
    "invokeai dream": ("InvokeAI", {"Dream": '"a cat [blurry]" -s 20 -S 42 -W 512 -H 768 -C 7.5 -A euler'}),
    "novelai": ("NovelAI", NOVEL_TEXTS),
    "novelai in its pixels": ("NovelAI", {"stealth": json.dumps(NOVEL_TEXTS)}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_generator_is_recognised_and_its_settings_read(case: str) -> None:
    generator, texts = CASES[case]
    found = read_foreign(texts)
    assert found is not None and found.generator == generator
    fields = found.fields
    assert fields["prompt"].startswith("a cat") and fields["negative_prompt"] == "blurry" and fields["actual_seed"] == 42
    assert {"sampler_name": "euler", "steps": 20, "cfg_scale": 7.5, "width": 512, "height": 768}.items() <= fields["config"].items()
    if case != "invokeai dream":
        assert fields["model"].startswith("sd15")
    if generator in ("ComfyUI", "SwarmUI") or case == "fooocus":
        assert [(lora["name"].split(".")[0], lora.get("unet_weight", lora["weight"])) for lora in fields["loras"]] == [("paint", 0.8)]


def test_a_graph_of_the_newer_nodes_is_read_along_its_links() -> None:
    found = read_foreign({"prompt": json.dumps(FLUX)})
    assert found is not None
    assert (found.fields["prompt"], found.fields["actual_seed"], found.fields["model"]) == ("a dog", 7, "flux1-dev.safetensors")
    assert found.fields["config"] == {"sampler_name": "euler", "scheduler": "simple", "steps": 25, "width": 1024, "height": 1024}


@pytest.mark.parametrize("texts", [
    {"parameters": A1111}, {}, {"prompt": "a cat"}, {"Comment": '{"a": 1}', "Software": "GIMP"}, {"prompt": '{"a": {"inputs": {}}}'},
    {"parameters": '{"a": 1}', "Description": "x"},
])
def test_what_is_nobodys_is_not_claimed(texts: dict[str, str]) -> None:
    assert read_foreign(texts) is None


CIRCLE = {
    "1": node("KSampler", seed=1, latent_image=["1", 0], model=["2", 0], positive=["2", 0]), "2": node("X", model=["1", 0], a=["2", 0]),
}
WIDE = {str(n): node("X", **{f"i{m}": [str((n * 7 + m) % 3000), 0] for m in range(20)}) for n in range(3000)}
HOSTILE = {
    "circle": {"prompt": json.dumps(CIRCLE)},
    "wide": {"prompt": json.dumps({**WIDE, "s": node("K", seed=["1", 0], latent_image=["2", 0], model=["3", 0], positive=["4", 0])})},
    "deep": {"prompt": '{"a":' * 100_000, "workflow": "[" * 100_000},
    "a long seed": {"parameters": '{"sui_image_params": {"seed": ' + "9" * 500_000 + "}}"},
    "wrong types": {"parameters": '{"sui_image_params": {"prompt": [], "seed": "x", "loras": {}, "steps": 1e999, "width": true}}'},
    "brackets": {"Dream": '"' + "[" * 300_000 + '" -s 1'},
    "quotes": {"Dream": '"' + "\\" * 300_001},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_read_in_no_time(case: str) -> None:
    assert_quick(lambda: read_foreign(HOSTILE[case]), seconds=1)


keys = st.sampled_from([
    "prompt", "workflow", "parameters", "Comment", "Software", "invokeai_metadata", "sd-metadata", "Dream", "fooocus_scheme",
    "exif:UserComment",
])
leaves = st.none() | st.integers() | st.sampled_from(["NovelAI", "a1111", "KSampler", "x"])
names = st.sampled_from([
    "inputs", "class_type", "1", "seed", "latent_image", "image", "prompt", "sui_image_params", "loras", "base_model", "performance",
    "model", "Comment",
])
documents = st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4))


@settings(max_examples=60)
@given(st.dictionaries(keys, documents.map(json.dumps) | st.text(max_size=20), max_size=4))
def test_no_text_can_make_the_reader_fail(texts: dict[str, str]) -> None:
    read_foreign(texts)

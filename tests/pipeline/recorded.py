"""Runs and manifests as the recorder writes them, in short."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.manifest.records import Manifest, Run

Json = dict[str, Any]
RUN_ID = "20251225_133022_a"
# What a request of the page or the API has, as a host with default settings records it.
_REQUEST: Json = {
    "endpoint": "txt2img", "prompt": "a lighthouse", "negative_prompt": "blurry", "styles": [], "seed": -1, "subseed": -1,
    "subseed_strength": 0, "sampler_name": "Euler a", "scheduler": "Automatic", "batch_size": 1, "n_iter": 1, "steps": 4,
    "cfg_scale": 7.0, "width": 64, "height": 64, "do_not_save_samples": False, "do_not_save_grid": False, "override_settings": {},
    "scripts": [],
}
_IMG2IMG: Json = {
    "endpoint": "img2img", "init_images": [{"$input": "a" * 64}], "denoising_strength": 0.5, "resize_mode": 0, "inpainting_fill": 1,
}
_SETTINGS: Json = {
    "sampler_name": "Euler a", "scheduler": "Automatic", "steps": 4, "cfg_scale": 7.0, "width": 64, "height": 64, "clip_skip": 1,
}
ENVIRONMENT: Json = {"schema": "sdpipe.environment/1", "host": {"name": "A1111"}, "options": {}, "script_defaults": {}}


def a_run(images: list[Manifest] | None = None, **config: Any) -> Run:
    base = {**_REQUEST, **(_IMG2IMG if config.get("endpoint") == "img2img" else {})}
    if config.get("endpoint") in ("extras", "chain", "requests"):
        base = {}
    outputs = [{"name": image.name} for image in images or []]
    return Run(run_id=RUN_ID, status="completed", source="ui", replayable=True, config={**base, **config}, stage_outputs=outputs)


def an_image(number: int = 1, stage: str = "txt2img", iteration: int = 0, index: int = 0, **fields: Any) -> Manifest:
    """Image `index` of batch `iteration`; `size`, `count` and `seed` of the pass, and any field of a manifest."""
    size, count, seed = fields.pop("size", 1), fields.pop("count", 1), fields.pop("seed", 100)
    usual: Json = {
        "name": f"{stage}_{number:03d}", "run_id": RUN_ID, "stage": stage, "role": "final", "prompt": "a lighthouse",
        "negative_prompt": "blurry", "config": _SETTINGS, "model": "tiny", "model_hash": "abc", "subseed_strength": 0,
        "actual_seed": seed + iteration * size + index, "actual_subseed": 7000 + iteration * size + index,
        "batch": {"index": index, "size": size, "iteration": iteration, "count": count},
    }
    return Manifest(**{**usual, **fields})


def a_batch(size: int, count: int, **fields: Any) -> list[Manifest]:
    """All images of a pass; with a variation strength only their variation seeds count up, as the hosts have it."""
    is_varied = bool(fields.get("subseed_strength"))
    images = []
    for place in range(size * count):
        seeds = {"actual_seed": 100} if is_varied else {}
        images.append(an_image(place + 1, iteration=place // size, index=place % size, size=size, count=count, **{**seeds, **fields}))
    return images

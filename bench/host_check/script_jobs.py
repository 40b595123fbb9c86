"""Jobs with a script of the Script menu. What a script saves itself, it saves after the job's overrides are taken back."""

from __future__ import annotations

import math
import random
from typing import Any

from host_check.host import Host
from host_check.job import Job, Pool
from host_check.plain_jobs import fill_init_images
from host_check.variations import (
    chance, expect_grid, expect_pass, fill_base, fill_choices, fill_detailer, fill_identity, fill_saving, finish, saves_samples,
)

# Axis label: values to choose from; all of them show in the infotext of a cell.
AXES: dict[str, list[Any]] = {
    "Steps": [1, 2, 3, 4], "Seed": [11, 12, 13], "CFG Scale": [3.0, 5.5, 8.0], "Sampler": ["Euler", "Euler a", "DPM++ 2M"],
    "Schedule type": ["Karras", "Exponential", "Uniform"], "Prompt S/R": [], "Size": ["64x64", "72x64", "64x96"], "Var. seed": [5, 6],
    "Denoising": [0.3, 0.5, 0.8], "Checkpoint name": [],
}


def _fill(job: Job, rng: random.Random, host: Host, pool: Pool, from_image: bool) -> str:
    fill_base(job, rng, host)
    fill_choices(job, rng)
    fill_saving(job, rng, host)
    if from_image:
        fill_init_images(job, rng, pool)
    fill_identity(job, rng)
    return job.endpoint


def _set_script(job: Job, host: Host, title: str, chosen: dict[str, Any]) -> None:
    job.body.update(script_name=title, script_args=host.script_args(job.endpoint, title, chosen))


def build_xyz(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    tab = _fill(job, rng, host, pool, chance(rng, 0.3))
    labels = host.choices(tab, "x/y/z plot", "X type")
    count = rng.choice([1, 2, 2, 3])
    chosen: dict[str, Any] = {"Y type": 0, "Z type": 0, "Use text inputs instead of dropdowns": True}
    picked = _pick_axes(job, rng, host, labels, count)
    for axis, (label, values) in zip("XYZ", picked):
        chosen[f"{axis} type"] = labels.index(label)
        chosen[f"{axis} values"] = ", ".join(str(value) for value in values)
    chosen.setdefault("X type", 0)
    for option in ("Include Sub Images", "Include Sub Grids", "Draw legend", "Vary seeds for X"):
        chosen[option] = chance(rng, 0.5) and (option != "Vary seeds for X" or "Seed" not in dict(picked))
    job.body.update(batch_size=rng.choice([1, 1, 1, 2]), n_iter=1)
    if job.overrides.get("return_grid") is False:
        del job.overrides["return_grid"]
    _set_script(job, host, "x/y/z plot", chosen)
    painted = fill_detailer(job, rng, 0.1)
    stage = "adetailer" if painted else tab
    for option in ("ad_save_images_before", "ad_save_previews"):
        job.overrides.pop(option, None)
    job.choices.pop("keep_stages", None)
    _expect_xyz(job, stage, picked, chosen["Include Sub Grids"])
    finish(job)


def _pick_axes(job: Job, rng: random.Random, host: Host, labels: list[str], count: int) -> list[tuple[str, list[Any]]]:
    offered = [label for label in AXES if label in labels and (label != "Denoising" or job.inits)]
    if len(host.checkpoints) < 2 or not chance(rng, 0.25):
        offered = [label for label in offered if label != "Checkpoint name"]
    if "Var. seed" in offered and "subseed_strength" not in job.body:
        offered.remove("Var. seed")
    axes = []
    for label in rng.sample(offered, count):
        values = list(AXES[label])
        if label == "Prompt S/R":
            values = [job.token, f"{job.token} at noon", f"{job.token} at night"]
        elif label == "Checkpoint name":
            values = [title.split(" [")[0] for title in host.checkpoints[:2]]
        size = rng.choice([1, 2, 3]) if count == 1 else 2
        axes.append((label, values[:size]))
    return axes


def _expect_xyz(job: Job, stage: str, axes: list[tuple[str, list[Any]]], sub_grids: bool) -> None:
    expected, each = job.expected, job.body["batch_size"]
    cells = math.prod(len(values) for _, values in axes)
    expected.axes, expected.variant, expected.per_cell = axes, "xyz", each
    expected.planned = cells * each
    expected.saved = cells * each if saves_samples(job) else 0
    expected.add(stage, "final", saves_samples(job), cells * each)
    for _ in range(cells):
        expect_grid(job, each)
    depth = len(axes[2][1]) if len(axes) == 3 else 1
    expected.add("grid", "final", True, 1 + (depth if sub_grids and depth > 1 else 0))
    expected.add("grid", "final", False, 0, depth if sub_grids and depth == 1 else 0)


def build_prompt_matrix(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    tab = _fill(job, rng, host, pool, chance(rng, 0.25))
    parts = rng.choice([2, 3])
    job.body["prompt"] += "".join(f"|{word}" for word in ["in rain", "at dawn", "oil on canvas"][:parts])
    job.body["seed"] = rng.randrange(2**31)
    job.body.update(batch_size=rng.choice([1, 2]), n_iter=1)
    _set_script(job, host, "prompt matrix", {"Use different seed for each picture": chance(rng, 0.5)})
    expected, count, saved = job.expected, 2**parts, saves_samples(job)
    expected.variant, expected.planned, expected.saved = "prompt", count, count if saved else 0
    expected.add(tab, "final", saved, count)
    expected.add("grid", "final", True, 1)
    finish(job)


def build_prompt_lines(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    tab = _fill(job, rng, host, pool, chance(rng, 0.25))
    lines = ["a red door", '--prompt "a blue door" --steps 2', "a door of glass"][: rng.choice([2, 3])]
    job.body["prompt"] = job.token
    chosen: dict[str, Any] = {"List of prompt inputs": "\n".join(lines), "Iterate seed every line": chance(rng, 0.5)}
    combined = "Make a combined image containing all outputs (if more than one)"
    combines = host.is_forge and chance(rng, 0.5)
    if combines:
        chosen[combined] = True
    _set_script(job, host, "prompts from file or textbox", chosen)
    expected, each, saved = job.expected, job.body["batch_size"] * job.body["n_iter"], saves_samples(job)
    expected.variant, expected.per_cell = "line", each
    expected.planned, expected.saved = len(lines) * each, len(lines) * each if saved else 0
    expected.add(tab, "final", saved, len(lines) * each)
    if combines:
        expected.add("grid", "final", True, 1)
    finish(job)


def build_loopback(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    _fill(job, rng, host, pool, True)
    loops, job.body["n_iter"] = rng.choice([1, 2, 3]), rng.choice([1, 1, 2])
    job.body.update(batch_size=1)
    _set_script(job, host, "loopback", {"Loops": loops, "Final denoising strength": 0.6})
    expected, rounds, saved = job.expected, job.body["n_iter"], saves_samples(job)
    expected.variant, expected.loops = "loop", (loops, rounds)
    expected.planned, expected.saved = loops * rounds, loops * rounds if saved else 0
    expected.add("img2img", "final", saved, loops * rounds)
    if (loops if rounds == 1 else rounds) > 1:
        expected.add("grid", "final", True, 1)
    finish(job)


def build_tiles(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """Pictures put together from tiles: SD upscale and the two ways of outpainting."""
    _fill(job, rng, host, pool, True)
    job.body.update(width=64, height=64, batch_size=1, n_iter=rng.choice([1, 2]), denoising_strength=0.4)
    sides = rng.choice([["left"], ["right", "down"], ["up"]])
    if job.kind == "SD upscale":
        _set_script(job, host, job.kind, {"Tile overlap": 16, "Upscaler": "Lanczos", "Scale Factor": rng.choice([1.0, 1.5])})
    elif job.kind == "Poor man's outpainting":
        _set_script(job, host, job.kind, {"Pixels to expand": 32, "Mask blur": 2, "Masked content": 0, "Outpainting direction": sides})
    else:  # the host rounds what it adds up to 64 pixels and fails where that is the whole tile
        job.body.update(width=128, height=128)
        _set_script(job, host, job.kind, {"Pixels to expand": 32, "Mask blur": 2, "Outpainting direction": sides})
    stage = "img2img" if job.kind == "SD upscale" else "inpaint"
    expected, count = job.expected, 1 if job.kind.startswith("Poor") else job.body["n_iter"]
    expected.is_made_of_tiles, expected.saved = True, count
    expected.add(stage, "final", True, count)
    expected.add(stage, "final", False, count, 99)
    if job.kind == "Outpainting mk2" and count > 1:
        expected.add("grid", "final", True, 1)
    job.choices.pop("keep_stages", None)
    finish(job)


def build_script_free(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """A host without the script gets an ordinary job."""
    job.kind = "txt2img"
    fill_base(job, rng, host)
    fill_identity(job, rng)
    expect_pass(job, "txt2img", False)
    finish(job)

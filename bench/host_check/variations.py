"""Random settings that any generating job can have, and what they change in what must be on record."""

from __future__ import annotations

import random
from typing import Any

from host_check.host import Host, Json
from host_check.job import Job

PROMPTS = [
    "a lighthouse\non a cliff, dramatic: sky, naïve art", "red cube AND blue sphere :0.7", "夜の森と狐, 4k, детальный фон",
    'portrait of an old sailor, "storm" behind, [soft:hard:0.5]', "market at dusk, <b>lanterns</b> & <script>alert(1)</script>",
    "fog, (river:1.2), \\(brackets\\), 100% steel", "Steps: 20, Sampler: none of them",
]
NEGATIVES = ["", "blurry, (worst quality:1.4)", "low quality, 悪い"]
FOLDERS = ["[date]", "[seed]", "deep/[width]x[height]", "[prompt_words]", "a b/[sampler]"]
NAMES = ["", "[seed]-[prompt_spaces]", "[generation_number]-[seed]", "[seed]"]


def chance(rng: random.Random, share: float) -> bool:
    return rng.random() < share


def fill_base(job: Job, rng: random.Random, host: Host) -> None:
    """What every generating request has: a prompt that names the job, small sizes, few steps."""
    prompt = f"{rng.choice(PROMPTS)}, {job.token}"
    if host.loras and chance(rng, 0.12):
        prompt += f" <lora:{rng.choice(host.loras)}:{rng.choice([0.3, 0.75, 1])}>"
    if host.embeddings and chance(rng, 0.1):
        prompt += f", {rng.choice(host.embeddings)}"
    job.body.update(
        prompt=prompt, negative_prompt=rng.choice(NEGATIVES), steps=rng.choice([1, 2, 3]), width=rng.choice([64, 64, 72, 96]), height=64,
        sampler_name=rng.choice(["Euler a", "Euler", "DPM++ 2M"]), scheduler=rng.choice(["Karras", "Automatic"]),
        cfg_scale=rng.choice([4.5, 7]), save_images=not chance(rng, 0.15), seed=rng.choice([-1, rng.randrange(2**31)]),
        batch_size=rng.choice([1, 1, 2]), n_iter=rng.choice([1, 1, 2]), alwayson_scripts={},
    )
    job.overrides["samples_format"] = rng.choice(["png"] * 8 + ["jpg", "webp", "avif"])
    if chance(rng, 0.15):
        job.body.update(subseed=rng.randrange(1000), subseed_strength=0.3)
    if chance(rng, 0.06):
        job.overrides["CLIP_stop_at_last_layers"] = 2
    if len(host.checkpoints) > 1 and chance(rng, 0.04):
        job.overrides["sd_model_checkpoint"] = rng.choice(host.checkpoints)


def fill_identity(job: Job, rng: random.Random) -> None:
    """How the job can be told afterwards: by label, by task id, or by its prompt alone."""
    way = rng.random()
    if way < 0.7:
        job.label = job.choices["label"] = job.token
    if way > 0.5 and way < 0.85 or job.press:
        job.task_id = job.body["force_task_id"] = f"task({job.token})"


def fill_choices(job: Job, rng: random.Random) -> None:
    for choice, value, share in (
        ("write_run_id", False, 0.08), ("keep_images", True, 0.1), ("keep_stages", True, 0.12), ("keep_inputs", False, 0.06),
    ):
        if chance(rng, share):
            job.choices[choice] = value


def fill_saving(job: Job, rng: random.Random, host: Host) -> None:
    """How the host writes its files."""
    picks: list[tuple[float, Json]] = [
        (0.08, {"enable_pnginfo": False}), (0.1, {"save_txt": True}), (0.1, {"samples_filename_pattern": rng.choice(NAMES)}),
        (0.12, {"directories_filename_pattern": rng.choice(FOLDERS)}), (0.06, {"grid_save": False}), (0.06, {"return_grid": False}),
        (0.04, {"samples_save": False}), (0.06, {"save_to_dirs": False, "grid_save_to_dirs": False}), (0.05, {"grid_format": "webp"}),
        (0.15, {"stealth_pnginfo_option": "None"}),
    ]
    for share, options in picks:
        if chance(rng, share):
            job.overrides.update(options)
    if chance(rng, 0.1):
        _fill_equal_names(job, rng)
    if chance(rng, 0.08) and not _writes_over(job):
        job.overrides.update(export_for_4chan=True, target_side_length=32.0, img_downscale_threshold=rng.choice([0.001, 4.0]))
    for option in [option for option in job.overrides if not host.knows(option)]:
        del job.overrides[option]


def _writes_over(job: Job) -> bool:
    """Then the small copy of one image would lie on another job's image."""
    return job.overrides.get("save_images_add_number") is False and job.overrides.get("save_images_replace_action") == "Replace"


def _fill_equal_names(job: Job, rng: random.Random) -> None:
    """No numbers and few seeds: jobs write over each other's files, or dodge them with a suffix."""
    job.body["seed"] = rng.choice([9001, 9001, 9002])
    job.overrides.update(
        save_images_add_number=False, samples_filename_pattern="[seed]", directories_filename_pattern="same",
        save_images_replace_action=rng.choice(["Replace", "Add number suffix"]), save_to_dirs=True, grid_save_to_dirs=True,
    )


def fill_detailer(job: Job, rng: random.Random, share: float) -> bool:
    """ADetailer with the model that always finds something, or the one that never does; True where it paints."""
    if not chance(rng, share):
        return False
    model = rng.choice(["always_yolov8n.pt", "always_yolov8n.pt", "never_yolov8n.pt"])
    job.body["alwayson_scripts"]["ADetailer"] = {"args": [True, False, {"ad_model": model}]}
    for option in ("ad_save_images_before", "ad_save_previews"):
        if chance(rng, 0.3):
            job.overrides[option] = True
    return model.startswith("always")


def finish(job: Job) -> None:
    """Put SDPipe's own argument into the request, and say what the settings of saving mean for the records."""
    if job.choices:
        job.body.setdefault("alwayson_scripts", {})["SDPipe"] = {"args": [dict(job.choices)]}
    expected = job.expected
    expected.text = job.overrides.get("enable_pnginfo", True)
    expected.shrunk = bool(job.overrides.get("export_for_4chan")) and job.overrides.get("samples_format") == "jpg"
    if not job.is_recorded:
        expected.runs, expected.manifests = (0, 0), None


def saves_samples(job: Job) -> bool:
    return job.body["save_images"] and job.overrides.get("samples_save", True)


def expect_pass(job: Job, stage: str, painted: bool, detailer_on: bool = False) -> None:
    """One ordinary pass: its images, its companions, its grid."""
    expected, count, saved = job.expected, job.body["batch_size"] * job.body["n_iter"], saves_samples(job)
    overrides: Any = job.overrides
    expected.planned, expected.saved = count, count if saved else 0
    expected.add("adetailer" if painted else stage, "final", saved, count)
    keeps = bool(job.choices.get("keep_stages"))
    if job.body.get("enable_hr") and (keeps or saved and overrides.get("save_images_before_highres_fix")):
        expected.add(stage, "before-highres-fix", True, count if saved else 0, count)  # the host saves none where it saves no image
    for wanted in (keeps, overrides.get("ad_save_images_before")):
        if painted and wanted:
            expected.add(stage, "before-adetailer", True, count)
    if painted and overrides.get("ad_save_previews"):
        expected.add(stage, "preview", True, count)
    if overrides.get("img2img_color_correction") and overrides.get("save_images_before_color_correction") and saved:
        expected.add(stage, "before-color-correction", True, count)
    returned = count
    for role, option in (("mask", "mask"), ("mask-composite", "mask_composite")):
        returned += _expect_mask(job, stage, role, option, count, saved)
    expect_grid(job, returned)


def _expect_mask(job: Job, stage: str, role: str, option: str, count: int, saved: bool) -> int:
    """How many masks are among the returned images."""
    if job.mask is None:
        return 0
    saves, returns = saved and job.overrides.get(f"save_{option}"), job.overrides.get(f"return_{option}")
    if saves or returns:
        job.expected.add(stage, role, bool(saves), count)
    return count if returns else 0


def expect_grid(job: Job, returned: int) -> None:
    saves, returns = job.overrides.get("grid_save", True), job.overrides.get("return_grid", True)
    if job.body["save_images"] and returned > 1 and (saves or returns):
        job.expected.add("grid", "final", saves, 1)

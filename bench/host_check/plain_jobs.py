"""Jobs without a script: txt2img, img2img, inpaint, extras, and those that are refused, fail or are cut short."""

from __future__ import annotations

import random

from host_check import pictures
from host_check.host import Host
from host_check.job import UNRECORDED_FOLDER, Job, Pool, Sent
from host_check.variations import (
    chance, expect_pass, fill_base, fill_choices, fill_detailer, fill_identity, fill_saving, finish, saves_samples,
)


def fill_init_images(job: Job, rng: random.Random, pool: Pool, count: int = 1) -> None:
    """Earlier pictures and ones that nobody made."""
    encoded = []
    for number in range(count):
        picked = pool.pick(rng) if chance(rng, 0.65) else None
        if picked is None:  # new in every session: an earlier one would be on record
            own = random.Random(f"{job.token}/{number}")
            image = pictures.random_picture(own, own.choice([64, 80, 96]), 64, own.choice(["RGB", "RGB", "RGBA"]))
            picked = pictures.encode(image), Sent(pictures.pixel_digest(image))
        encoded.append(picked[0])
        job.inits.append(picked[1])
    job.endpoint = "img2img"
    job.body.update(init_images=encoded, denoising_strength=rng.choice([0.4, 0.7]), resize_mode=rng.choice([0, 1]))


def build_txt2img(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    fill_base(job, rng, host)
    fill_choices(job, rng)
    fill_saving(job, rng, host)
    if job.kind == "hires":
        fill_hires(job, rng, host)
    elif len(host.checkpoints) > 1 and chance(rng, 0.06):
        job.body.update(refiner_checkpoint=host.checkpoints[-1], refiner_switch_at=0.5, steps=3)
    painted = fill_detailer(job, rng, 0.25)
    _fill_stealth_rgb(job, rng, host)
    fill_identity(job, rng)
    expect_pass(job, "txt2img", painted)
    finish(job)


def fill_hires(job: Job, rng: random.Random, host: Host) -> None:
    job.body.update(enable_hr=True, hr_scale=1.5 if job.body["width"] != 72 else 2, hr_upscaler=rng.choice(["Latent", "Lanczos"]),
                    denoising_strength=0.6, hr_second_pass_steps=rng.choice([0, 1]))
    if host.is_forge:
        job.body["hr_additional_modules"] = ["Use same choices"]
    if chance(rng, 0.5):
        job.overrides["save_images_before_highres_fix"] = True


def _fill_stealth_rgb(job: Job, rng: random.Random, host: Host) -> None:
    """Forge's other hiding place for the infotext; it cannot take a grid's alpha."""
    if host.knows("stealth_pnginfo_option") and job.body["batch_size"] * job.body["n_iter"] == 1 and chance(rng, 0.1):
        job.overrides["stealth_pnginfo_option"] = "RGB"


def build_img2img(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    fill_base(job, rng, host)
    fill_choices(job, rng)
    fill_saving(job, rng, host)
    several = job.kind == "several inits"
    fill_init_images(job, rng, pool, 2 if several else 1)
    if several:
        job.body["batch_size"] = 2
    stage = "img2img"
    if job.kind == "inpaint":
        stage = "inpaint"
        _fill_mask(job, rng, host)
    elif chance(rng, 0.1):
        job.overrides.update(img2img_color_correction=True, save_images_before_color_correction=True)
    if chance(rng, 0.2) and not job.overrides.get("save_txt") and not job.overrides.get("export_for_4chan"):
        job.overrides["save_init_img"] = True
    painted = fill_detailer(job, rng, 0.12) if job.kind == "img2img" else False
    fill_identity(job, rng)
    expect_pass(job, stage, painted)
    finish(job)


def _fill_mask(job: Job, rng: random.Random, host: Host) -> None:
    mask = pictures.random_mask(rng, 64, 64)
    job.mask = Sent(pictures.pixel_digest(mask))
    job.body.update(mask=pictures.encode(mask), mask_blur=rng.choice([0, 2]), inpainting_fill=rng.choice([0, 1, 2, 3]),
                    inpaint_full_res=chance(rng, 0.4), inpaint_full_res_padding=8, inpainting_mask_invert=rng.choice([0, 0, 1]))
    for option in ("save_mask", "save_mask_composite", "return_mask", "return_mask_composite"):
        if host.knows(option) and chance(rng, 0.35):
            job.overrides[option] = True
    if host.has_script("img2img", "Soft Inpainting") and chance(rng, 0.25):
        arguments = host.script_args("img2img", "Soft Inpainting", {"Soft inpainting": True})
        job.body["alwayson_scripts"]["Soft Inpainting"] = {"args": arguments}


def build_unrecorded(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """The caller does not want a record. Its files go to a folder of their own, to be told from forgotten ones."""
    job.choices["record"] = False
    fill_base(job, rng, host)
    fill_saving(job, rng, host)
    job.overrides.update(
        save_images_add_number=True, save_to_dirs=True, grid_save_to_dirs=True, directories_filename_pattern=UNRECORDED_FOLDER,
    )
    finish(job)


def build_extras(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """Told afterwards by the picture it returned: such a call has no label, task id or prompt."""
    batch = job.kind == "extras batch"
    fill_init_images(job, rng, pool, 2 if batch else 1)
    encoded, job.body = job.body["init_images"], {}
    job.body.update(upscaler_1=rng.choice(["Lanczos", "Nearest"]), resize_mode=rng.choice([0, 1]), upscaling_resize=rng.choice([1.5, 2]),
                    upscaling_resize_w=128, upscaling_resize_h=128, upscaling_crop=chance(rng, 0.5))
    if batch:
        job.endpoint = "extra-batch-images"
        job.body["imageList"] = [{"data": data, "name": f"{job.token}-{number}.png"} for number, data in enumerate(encoded)]
    else:
        job.endpoint, job.body["image"] = "extra-single-image", encoded[0]
    job.expected.planned, job.expected.saved = len(encoded), 0
    job.expected.add("upscale", "final", False, len(encoded))


def build_refused(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """The host says no before it takes the job."""
    fill_base(job, rng, host)
    fill_identity(job, rng)
    finish(job)
    job.must_fail, job.expected.runs, job.expected.manifests = True, (0, 0), None
    way = rng.randrange(3)
    if way == 0:
        job.body["alwayson_scripts"]["nobody's script"] = {"args": []}
    elif way == 1:
        job.body.update(script_name="no such script", script_args=[])
    else:
        job.endpoint = "img2img"
        job.body["init_images"] = ["bm8gcGljdHVyZQ=="]


def build_failing(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """The host raises an error while it works."""
    fill_base(job, rng, host)
    fill_identity(job, rng)
    job.must_fail, job.expected.statuses, job.expected.manifests = True, ("failed",), {}
    way = rng.randrange(4)
    if way == 0:
        job.body.update(enable_hr=True, hr_upscaler="no such upscaler", hr_additional_modules=["Use same choices"])
    elif way == 1 and host.is_forge:
        job.body.update(enable_hr=True, hr_upscaler="Latent")  # Forge needs hr_additional_modules and fails late
    elif way == 2 and host.has_script("txt2img", "x/y/z plot"):
        axis = host.choices("txt2img", "x/y/z plot", "X type").index("Steps")
        chosen = {"X type": axis, "X values": "many", "Y type": 0, "Z type": 0}
        job.body.update(script_name="x/y/z plot", script_args=host.script_args("txt2img", "x/y/z plot", chosen))
        job.expected.runs = (0, 1)  # it ends before any pass was announced
    else:
        fill_init_images(job, rng, pool, 3)
        job.body["batch_size"] = 1
    finish(job)


def build_cut_short(job: Job, rng: random.Random, host: Host, pool: Pool) -> None:
    """Interrupted or skipped by the other client, while it is sampling."""
    fill_base(job, rng, host)
    fill_choices(job, rng)
    job.press = "interrupt" if job.kind == "interrupted" else "skip"
    job.overrides.pop("sd_model_checkpoint", None)
    job.body.update(steps=50, n_iter=2, batch_size=1, sampler_name="Euler")
    fill_identity(job, rng)
    job.expected.statuses = ("interrupted",) if job.press == "interrupt" else ("completed",)
    job.expected.manifests = None
    finish(job)
    job.expected.planned = 2
    if not saves_samples(job):
        job.expected.saved = 0

"""What fields are called on the page. One that nobody named is shown by its own name."""

from __future__ import annotations

from lib_sdpipe.manifest.compare_fields import CUT, FieldRow, Path

# In the order of the page; what is not listed comes after.
_GROUPS = {
    "stage": "", "model": "", "vae": "", "checkpoint": "", "loras": "LoRA", "lora": "LoRA", "embeddings": "Embedding",
    "embedding": "Embedding", "module": "Module", "actual_seed": "", "actual_subseed": "", "subseed_strength": "", "config": "",
    "image": "", "hires": "Hires fix", "refiner": "Refiner", "adetailer": "ADetailer", "variant": "Variant", "scripts": "",
    "override_settings": "Override", "host": "WebUI", "sdpipe": "", "platform": "Platform", "device": "Device", "packages": "",
    "precision": "Precision", "attention": "", "flags": "Flag", "extensions": "Extension", "options": "Option",
}
_NAMES = {
    "stage": "Stage", "model": "Model", "vae": "VAE", "actual_seed": "Seed", "actual_subseed": "Variation seed",
    "subseed_strength": "Variation strength", "sampler_name": "Sampler", "scheduler": "Scheduler", "steps": "Steps",
    "cfg_scale": "CFG scale", "distilled_cfg_scale": "Distilled CFG scale", "width": "Width", "height": "Height",
    "denoising_strength": "Denoising strength", "clip_skip": "Clip skip", "styles": "Styles", "restore_faces": "Restore faces",
    "tiling": "Tiling", "eta": "Eta", "size": "Image size", "format": "File format", "mask_blur_x": "Mask blur across",
    "mask_blur_y": "Mask blur down", "resize_mode": "Resize mode", "init_images": "Made from", "mask": "Mask",
    "unet_weight": "U-Net weight", "hr_scale": "scale", "hr_upscaler": "upscaler", "hr_second_pass_steps": "steps",
    "hr_resize_x": "width asked for", "hr_resize_y": "height asked for", "hr_prompt": "prompt", "hr_negative_prompt": "negative prompt",
    "hr_sampler_name": "sampler", "hr_scheduler": "scheduler", "hr_checkpoint_name": "checkpoint", "refiner_checkpoint": "checkpoint",
    "refiner_switch_at": "switch at",
    "seed": "Seed asked for", "subseed": "Variation seed asked for", "batch_size": "Batch size", "n_iter": "Batch count",
    "endpoint": "Kind", "checkpoint": "Model", "sdpipe": "SDPipe", "attention": "Attention", "python": "Python", "accelerator": "GPU",
    "run_id": "Run", "job_id": "Job", "label": "Label", "timestamp": "Time", "started_at": "Started", "finished_at": "Finished",
    "images": "Number of images", "stage_outputs": "Stages", "stage_history": "Earlier stages", "config": "Settings", "role": "Role",
    "parent": "Made from", "members": "Images in the grid", "kept": "Copy in the run's folder", "prompt": "Prompt",
    "negative_prompt": "Negative prompt", "model_hash": "Model hash", "status": "Status", "name": "Name", "image": "Picture",
    "memory_mb": "memory in MB", CUT: "Further fields",
}


def format_field(path: Path) -> str:
    """`Hires fix: upscaler`, `LoRA watercolour: weight`, `Sampler`."""
    group, rest = _GROUPS.get(path[0]), path[1:]
    if not rest or group is None:
        return ": ".join([_name(path[0]), *path[1:]])
    if not group:
        return ": ".join([_name(rest[0]), *rest[1:]])
    if group in ("LoRA", "Embedding", "Module", "Extension"):
        return ": ".join([f"{group} {rest[0]}", *(_name(part) for part in rest[1:])])
    return ": ".join([group, *(_lower(_name(part)) for part in rest)])


def list_fields(names: list[str]) -> str:
    """`Seed, Model`: fields of a record, each once."""
    return ", ".join(dict.fromkeys(_name(name) for name in names))


def sort_rows(rows: list[FieldRow]) -> list[FieldRow]:
    """By what people look for first; within a group as they came."""
    order = {name: number for number, name in enumerate(_GROUPS)}
    # A run's config has its fields without a group: they stand where those of an image do.
    return sorted(rows, key=lambda row: order.get(row.path[0], order["config"]))


def _name(part: str) -> str:
    return _NAMES.get(part) or part.replace("_", " ")


def _lower(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]

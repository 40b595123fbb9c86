"""Which settings of a stage the page has a field for. All others are written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.pipeline.records import STAGES
from lib_sdpipe.pipeline.stage_fields import FIELDS, LONGEST_PROMPT

PROMPT, TEXT, WHOLE, NUMBER, CHOICE, PICTURE = "prompt", "text", "whole", "number", "choice", "picture"
CHECKPOINT, DETECTOR, MASK = "checkpoint", "ad_model", "mask"
OTHER = "other"


@dataclass(frozen=True)
class Field:
    """`offers` names the list of the host's that it is chosen from; `choices` are (value, label) where there are no others."""

    name: str
    label: str
    kind: str
    offers: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


_PROMPTS = (Field("prompt", "Prompt", PROMPT), Field("negative_prompt", "Negative prompt", PROMPT))
_DENOISING = Field("denoising_strength", "Denoising strength", NUMBER)
_SAMPLING = (
    Field("steps", "Steps", WHOLE), Field("cfg_scale", "CFG scale", NUMBER), Field("sampler_name", "Sampler", TEXT, "samplers"),
    Field("scheduler", "Scheduler", TEXT, "schedulers"),
)
_SIZE = (Field("width", "Width", WHOLE), Field("height", "Height", WHOLE))
_SEED = (Field("seed", "Seed", WHOLE, hint="-1: another one each time"),)
_BATCH = (Field("batch_size", "Batch size", WHOLE), Field("n_iter", "Batch count", WHOLE))
_MODEL = (Field(CHECKPOINT, "Checkpoint", TEXT, "checkpoints"),)
_MASKED = (
    Field(MASK, "Mask", PICTURE, hint="White is painted anew"), Field("mask_blur", "Mask blur", WHOLE),
    Field("inpainting_fill", "Masked content", CHOICE, choices=(
        ("0", "fill"), ("1", "original"), ("2", "latent noise"), ("3", "latent nothing"),
    )),
    Field("inpaint_full_res_padding", "Only masked padding", WHOLE),
)
_DETAILS = (
    Field(DETECTOR, "Detector", TEXT, "detectors"), Field("ad_prompt", "Prompt for what is found", PROMPT),
    Field("ad_negative_prompt", "Negative prompt for it", PROMPT), Field("ad_confidence", "Confidence", NUMBER),
    Field("ad_denoising_strength", "Denoising strength", NUMBER),
)
_UPSCALING = (
    Field("upscaler_1", "Upscaler", TEXT, "upscalers"), Field("upscaling_resize", "Scale", NUMBER),
    Field("upscaler_2", "Second upscaler", TEXT, "upscalers"), Field("extras_upscaler_2_visibility", "Its visibility", NUMBER),
    Field("gfpgan_visibility", "GFPGAN visibility", NUMBER), Field("codeformer_visibility", "CodeFormer visibility", NUMBER),
)
SHOWN: dict[str, tuple[Field, ...]] = {
    "txt2img": (*_PROMPTS, *_SAMPLING, *_SIZE, *_SEED, *_BATCH, *_MODEL),
    "img2img": (*_PROMPTS, _DENOISING, *_SAMPLING, *_SIZE, *_SEED, *_BATCH, *_MODEL),
    "inpaint": (*_MASKED, *_PROMPTS, _DENOISING, *_SAMPLING, *_SIZE, *_SEED, *_BATCH, *_MODEL),
    "adetailer": (*_DETAILS, *_SAMPLING, *_SEED, *_MODEL),
    "upscale": _UPSCALING,
}
assert set(SHOWN) == set(STAGES)
# What can be changed when something is made again.
VARIED = (*_PROMPTS, _DENOISING, *_SAMPLING, *_SIZE, *_SEED, *_BATCH, Field("sd_model_checkpoint", "Checkpoint", TEXT, "checkpoints"))
# Characters of one field, of the JSON of the others, and of a chain's parts.
LONGEST_FIELD = LONGEST_PROMPT
LONGEST_OTHER = 100_000
_DETECTORS = ("face_yolov8n.pt", "face_yolov8s.pt", "hand_yolov8n.pt", "person_yolov8n-seg.pt", "mediapipe_face_full")
_MOST_OFFERED = 2_000


def find_field(stage: str, name: str) -> Field | None:
    return next((field for field in SHOWN.get(stage, ()) if field.name == name), None)


def is_shown_as(field: Field, stage: str, value: Any) -> bool:
    """Whether a setting's value can stand in the field without becoming another one."""
    if field.kind in (PROMPT, TEXT):
        return isinstance(value, str) and value != "" and len(value) <= LONGEST_FIELD
    if field.kind == PICTURE:
        return isinstance(value, dict)
    return isinstance(value, (int, float)) and not isinstance(value, bool) and FIELDS[stage].get(field.name) is not None


def list_offers(facts: HostFacts | None) -> dict[str, list[str]]:
    """What the host has to choose from, by the names in `Field.offers`."""
    if facts is None:
        return {"detectors": list(_DETECTORS)}  # the host does not list ADetailer's models: those that it brings along
    found = {
        "samplers": facts.samplers, "schedulers": facts.schedulers, "upscalers": [name for name in facts.upscalers if name != "None"],
        "checkpoints": [model.name for model in facts.models if model.kind == "checkpoint"], "detectors": _DETECTORS,
    }
    return {name: list(dict.fromkeys(values))[:_MOST_OFFERED] for name, values in found.items()}


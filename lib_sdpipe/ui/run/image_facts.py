"""One image as rows: what it is and how it was made. No gradio and no HTML here."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.run.lineage import LineageNode, present_lineage, read_links
from lib_sdpipe.ui.words import Fact


@dataclass(frozen=True)
class ImageView:
    """What is shown of one image beside its picture."""

    title: str
    summary: list[str]
    place: str
    lineage: list[LineageNode]
    members: list[ImageLink]
    prompt: str
    negative_prompt: str
    settings: list[Fact]
    infotext: str
    notices: list[str]


def present_image(manifest: Manifest, run_id: str, absence: str | None = None, copies: list[str] | None = None) -> ImageView:
    """An image of run `run_id` (an older manifest may not name it); `absence` says why there is no picture.

    `copies` are files that somebody made of it with the Save button.
    """
    image = manifest.image
    title = " · ".join(part for part in (manifest.name or "unnamed", words.format_role(manifest.role)) if part)
    size = f"{image.width}×{image.height}" if image and image.width and image.height else ""
    summary = [
        size, image.format or "" if image else "", words.format_bytes(image.bytes if image else None),
        words.format_moment(manifest.timestamp),
    ]
    return ImageView(
        title=title,
        summary=[text for text in summary if text],
        place=_place(manifest),
        lineage=present_lineage(manifest, run_id),
        members=list(read_links(manifest.members, run_id)),
        prompt=manifest.prompt or "",
        negative_prompt=manifest.negative_prompt or "",
        settings=_settings(manifest, copies or []),
        infotext=manifest.infotext or "",
        notices=_notices(manifest, absence),
    )


def _settings(manifest: Manifest, copies: list[str]) -> list[Fact]:
    config = manifest.config
    sampler = [config.get("sampler_name"), None if config.get("scheduler") == "Automatic" else config.get("scheduler")]
    facts = [
        Fact("Seed", _describe_seed(manifest)),
        Fact("Variation seed", _describe_subseed(manifest)),
        Fact("Sampler", words.format_value(sampler)),
        Fact("Steps", words.format_value(config.get("steps"))),
        Fact("CFG scale", words.format_value(config.get("cfg_scale"))),
        Fact("Denoising strength", words.format_value(config.get("denoising_strength"))),
        Fact("Size asked for", _asked_size(manifest)),
        Fact("Clip skip", words.format_value(config.get("clip_skip"))),
        Fact("Styles", words.format_value(config.get("styles"))),
        Fact("Model", _with_hash(manifest.model, manifest.model_hash)),
        Fact("VAE", _with_hash(manifest.vae, manifest.vae_hash)),
        Fact("LoRA", _networks(manifest.loras)),
        Fact("Embeddings", _networks(manifest.embeddings)),
        Fact("Hires fix", _describe_hires(manifest)),
        Fact("Refiner", _describe_refiner(manifest.refiner)),
        Fact("ADetailer", _described(manifest.adetailer, {"inpaint_only_masked", "version"})),
        Fact("Batch", _describe_batch(manifest)),
        Fact("Variant", words.format_value((manifest.variant or {}).get("values"))),
        *_postprocessing(manifest),
        Fact("Written beside it", ", ".join(manifest.beside)),
        Fact("Copies", ", ".join(copies)),
        Fact("Concluded", ", ".join(manifest.inferred)),
    ]
    return [fact for fact in facts if fact.value]


def _postprocessing(manifest: Manifest) -> list[Fact]:
    """What the Extras tab did, in the host's own words."""
    if manifest.stage != "upscale":
        return []
    return [Fact(name, words.format_value(value)) for name, value in manifest.config.items() if name != "image"]


def _describe_seed(manifest: Manifest) -> str:
    actual, requested = manifest.actual_seed, manifest.requested_seed
    if actual is None:
        return f"{requested} (asked for)" if requested is not None else ""
    return f"{actual} ({requested} asked for)" if requested not in (None, actual) else str(actual)


def _describe_subseed(manifest: Manifest) -> str:
    if not manifest.subseed_strength or manifest.actual_subseed is None:
        return ""
    return f"{manifest.actual_subseed} at {words.format_value(manifest.subseed_strength)}"


def _asked_size(manifest: Manifest) -> str:
    width, height = manifest.config.get("width"), manifest.config.get("height")
    image = manifest.image
    if not width or not height or (image and (image.width, image.height) == (width, height)):
        return ""
    return f"{words.format_value(width)}×{words.format_value(height)}"


def _with_hash(name: str | None, digest: str | None) -> str:
    return f"{name or 'unknown'} [{digest}]" if digest else name or ""


def _networks(networks: list[Json]) -> str:
    return ", ".join(
        f"{words.format_value(network.get('name'))}" + words.format_named(network, "weight", " at {}")
        for network in networks if isinstance(network, dict) and network.get("name")
    )


def _describe_hires(manifest: Manifest) -> str:
    hires = manifest.hires
    if not hires:
        return ""
    width, height = hires.get("width"), hires.get("height")
    parts = [
        words.format_named(hires, "hr_scale", "{}×"), words.format_value(hires.get("hr_upscaler")),
        words.format_named(hires, "hr_second_pass_steps", "{} steps") if hires.get("hr_second_pass_steps") else "the same steps",
        words.format_named(hires, "denoising_strength", "denoising {}"),
        f"to {words.format_value(width)}×{words.format_value(height)}" if width and height else "",
        words.format_value(hires.get("hr_checkpoint_name")), words.format_value(hires.get("hr_sampler_name")),
        "its own prompt" if hires.get("hr_prompt") not in (None, "", manifest.prompt) else "",
    ]
    return ", ".join(part for part in parts if part)


def _describe_refiner(refiner: Json | None) -> str:
    if not refiner:
        return ""
    parts = [words.format_value(refiner.get("refiner_checkpoint")), words.format_named(refiner, "refiner_switch_at", "from {} on")]
    return ", ".join(part for part in parts if part) or words.format_value(refiner)


def _described(block: Json | None, unnamed: set[str]) -> str:
    """A block in its own words; the model's name speaks for itself, and minor values are left to the manifest."""
    rest = {name.replace("_", " "): value for name, value in (block or {}).items() if name != "model" and name not in unnamed}
    return ", ".join(part for part in (words.format_value((block or {}).get("model")), words.format_value(rest)) if part)


def _describe_batch(manifest: Manifest) -> str:
    batch = manifest.batch
    if batch is None or batch.index is None or batch.iteration is None or not (batch.size or 1) * (batch.count or 1) > 1:
        return ""
    return f"image {batch.index + 1} of {batch.size or '?'} in batch {batch.iteration + 1} of {batch.count or '?'}"


def _place(manifest: Manifest) -> str:
    if manifest.path is None:
        return ""
    return f"{manifest.root}: {manifest.path}" if manifest.root else manifest.path


def _notices(manifest: Manifest, absence: str | None) -> list[str]:
    notices = []
    if absence:
        notices.append(words.describe_absence(absence))
    if manifest.lost_at:
        notices.append(f"Marked as lost on {words.format_moment(manifest.lost_at)}.")
    if manifest.revisions:
        notices.append(f"The file was changed {words.format_count(len(manifest.revisions), 'time')} since; the manifest keeps what it was.")
    return notices

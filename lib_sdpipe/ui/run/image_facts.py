"""One image as facts: what it is, how it was made, where its file is. No gradio and no HTML here."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.field_names import list_fields
from lib_sdpipe.ui.run.links import find_inputs, read_links
from lib_sdpipe.ui.run.stages import Bar, StageTable, present_stages, present_timings
from lib_sdpipe.ui.words import Fact
from lib_sdpipe.workspace.shown_file import IN_BIN


@dataclass(frozen=True)
class FileFacts:
    """What was found of an image's file. `absence` is a sentence, `short` the same in two words; both empty where it is there."""

    absence: str = ""
    short: str = ""
    is_kept: bool = False
    copies: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ImageView:
    """What is shown of one image beside its picture. An input is the field it was given in, and a digest or a recorded image."""

    title: str
    summary: list[str]
    place: str
    stages: StageTable
    timings: list[Bar]
    parentage: list[tuple[str | None, ImageLink]]
    inputs: list[tuple[str, str | ImageLink]]
    members: list[ImageLink]
    prompt: str
    negative_prompt: str
    settings: list[Fact]
    infotext: str
    notices: list[str]


def present_image(manifest: Manifest, run_id: str, file: FileFacts) -> ImageView:
    """An image of run `run_id` (an older manifest may not name it)."""
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
        place=format_place(manifest),
        stages=present_stages(manifest, run_id),
        timings=present_timings(manifest, run_id),
        parentage=_parentage(manifest, run_id),
        inputs=find_inputs(manifest.config),
        members=list(read_links(manifest.members, run_id)),
        prompt=manifest.prompt or "",
        negative_prompt=manifest.negative_prompt or "",
        settings=_settings(manifest, file.copies),
        infotext=manifest.infotext or "",
        notices=_notices(manifest, file),
    )


def _parentage(manifest: Manifest, run_id: str) -> list[tuple[str | None, ImageLink]]:
    """The image that this one was made from and how that is known; with None those that only its text names."""
    parent = manifest.parent
    if parent is None or not (parent.run_id or parent.name):
        return []
    how = words.format_evidence(parent.by) or "as recorded"
    found: list[tuple[str | None, ImageLink]] = [(how, ImageLink(run_id=parent.run_id or run_id, name=parent.name))]
    also = getattr(parent, "also", None)
    return found + [(None, link) for link in (read_links(also, run_id) if isinstance(also, list) else ())]


def _settings(manifest: Manifest, copies: list[str]) -> list[Fact]:
    config = manifest.config
    facts = [
        Fact("Seed asked for", _asked_seed(manifest)),
        Fact("Variation strength", words.format_value(manifest.subseed_strength) if manifest.subseed_strength else ""),
        Fact("Size asked for", _asked_size(manifest)),
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
        Fact("Concluded", list_fields(manifest.inferred)),
    ]
    return [fact for fact in facts if fact.value]


def _postprocessing(manifest: Manifest) -> list[Fact]:
    """What the Extras tab did, in the host's own words."""
    if manifest.stage != "upscale":
        return []
    return [Fact(name, words.format_value(value)) for name, value in manifest.config.items() if name != "image"]


def _asked_seed(manifest: Manifest) -> str:
    return words.format_value(manifest.requested_seed) if manifest.requested_seed != manifest.actual_seed else ""


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


def format_place(manifest: Manifest) -> str:
    if manifest.path is None:
        return ""
    return f"{manifest.root}: {manifest.path}" if manifest.root else manifest.path


def _notices(manifest: Manifest, file: FileFacts) -> list[str]:
    notices = [file.absence] if file.absence else []
    if file.is_kept:
        notices.append("What is shown is the copy in the run folder.")
    if file.elsewhere:
        notices.append(f"A file of that name and length lies at {', '.join(file.elsewhere)}. Repair compares it and can link it again.")
    if manifest.lost_at:
        is_binned = file.absence == words.describe_absence(IN_BIN)
        notices.append(f"{'In the bin since' if is_binned else 'Marked as lost on'} {words.format_moment(manifest.lost_at)}.")
    if manifest.revisions:
        notices.append(f"The file was changed {words.format_count(len(manifest.revisions), 'time')} since; the manifest keeps what it was.")
    return notices

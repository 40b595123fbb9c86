"""Whether a record is this image's, and on what two records disagree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib_sdpipe.manifest.history import file_name
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest

# What two sources of one image can disagree on, in the order of a manifest.
COMPARED = ("run_id", "job_id", "stage", "prompt", "negative_prompt", "model", "requested_seed", "actual_seed")
# What an image's own text and a manifest that only has the image's name must agree on.
TELLING = ("run_id", "job_id", "prompt", "actual_seed")
_LOSSY = ("JPEG", "WEBP", "AVIF")
_CHECKPOINTS = (".safetensors", ".ckpt", ".pt", ".pth", ".gguf", ".sft")


def shows_the_same(manifest: Manifest, image: ImageFacts | None) -> bool | None:
    """Whether the recorded picture is the one in the file; None where the digests that there are cannot tell."""
    recorded = manifest.image
    if recorded is None or image is None:
        return None
    if recorded.sha256 and recorded.sha256 == image.sha256:
        return True
    if recorded.pixel_sha256 and image.pixel_sha256:
        if recorded.pixel_sha256 == image.pixel_sha256:
            return True
        if recorded.format not in _LOSSY or recorded.decoder == image.decoder:
            return False
    sizes = [(facts.width, facts.height) for facts in (recorded, image)]
    return False if None not in (*sizes[0], *sizes[1]) and sizes[0] != sizes[1] else None


def is_companion(manifest: Manifest, file: str) -> bool:
    """Whether the host wrote this file with the recorded one, of the same picture."""
    return file in manifest.beside


def has_name(manifest: Manifest, file: str) -> bool:
    """Whether the manifest speaks of a file of this name, or of its stem."""
    stem = _stem(file)
    return manifest.name == stem or (manifest.path is not None and _stem(file_name(manifest.path)) == stem)


def find_differences(one: Json, other: Json, names: Iterable[str] = COMPARED) -> list[str]:
    """The fields that both know and do not say alike."""
    return [name for name in names if _differ(name, one.get(name), other.get(name))]


def describe_difference(name: str, one: Any, other: Any) -> str:
    return f"{name} {_shorten(one)} instead of {_shorten(other)}"


def is_one_lineage(manifests: list[Manifest]) -> bool:
    """Whether these are stages of one image: each was made from another of them, or they share run and seed."""
    keys = {(manifest.run_id, manifest.name) for manifest in manifests}
    heads = [m for m in manifests if m.parent is None or (m.parent.run_id, m.parent.name) not in keys]
    return len({(m.run_id, m.actual_seed) for m in heads}) == 1


def _differ(name: str, one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    return bool(_normalize(name, one) != _normalize(name, other))


def _normalize(name: str, value: Any) -> Any:
    if name == "model" and isinstance(value, str):
        # "folder/name.safetensors [hash]", or the name alone.
        value = file_name(value.partition(" [")[0]).strip().lower()
        return next((value[:-len(ending)] for ending in _CHECKPOINTS if value.endswith(ending)), value)
    if name.endswith("prompt") and isinstance(value, str):
        return "\n".join(line.strip() for line in value.strip().split("\n"))  # as infotext keeps it
    return value


def _stem(file: str) -> str:
    return file.rpartition(".")[0] or file


def _shorten(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")

"""How a picture that came back differs from what was recorded of it."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import ImageFacts, Manifest

SAME, NEARLY, OTHER, GONE, NEW, UNKNOWN = "same", "nearly", "other", "gone", "new", "unknown"
# Evidence that leaves no doubt about the pixels.
_SAME_PIXELS, _NEAR_PIXELS = ("file", "pixels"), "near-pixels"


@dataclass(frozen=True)
class Difference:
    """`what` is bytes, size, format, pixels or text; the values as recorded and as they are now, None where there is none."""

    what: str
    verdict: str
    recorded: str | int | None = None
    now: str | int | None = None


def find_differences(manifest: Manifest, now: ImageFacts, infotext: str | None, by: str | None) -> list[Difference]:
    """In that order. `by` is the evidence that says that it is this image at all."""
    recorded = manifest.image or ImageFacts()
    size, size_now = _size(recorded), _size(now)
    return [
        Difference("bytes", _compare(recorded.sha256, now.sha256), recorded.bytes, now.bytes),
        Difference("size", _compare(size, size_now), size, size_now),
        Difference("format", _compare(recorded.format, now.format), recorded.format, now.format),
        Difference("pixels", _judge_pixels(recorded, now, by)),
        _judge_text(manifest.infotext, infotext),
    ]


def _judge_pixels(recorded: ImageFacts, now: ImageFacts, by: str | None) -> str:
    """Decoders of lossy formats differ in the last bit: what another one made of the same file is no evidence of a change."""
    if by in _SAME_PIXELS or recorded.pixel_sha256 is not None and recorded.pixel_sha256 == now.pixel_sha256:
        return SAME
    if by == _NEAR_PIXELS:
        return NEARLY
    return UNKNOWN if recorded.pixel_sha256 is None else OTHER


def _judge_text(recorded: str | None, now: str | None) -> Difference:
    if not recorded or not now:
        verdict = SAME if not recorded and not now else GONE if recorded else NEW
    else:
        verdict = SAME if recorded.strip() == now.strip() else OTHER
    return Difference("text", verdict, recorded or None, now or None)


def _compare(recorded: str | None, now: str | None) -> str:
    return UNKNOWN if recorded is None or now is None else SAME if recorded == now else OTHER


def _size(image: ImageFacts) -> str | None:
    return f"{image.width} × {image.height}" if image.width and image.height else None

"""Values as people read them: times in local time, durations, sizes, status and stage words. Pure; no HTML, no gradio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lib_sdpipe.manifest.records import ImageCounts, ImageLink
from lib_sdpipe.manifest.times import parse_utc

_STAMP_LENGTH = len("20251225_143022_")
_STAGE_WORDS = {"adetailer": "ADetailer"}
_ROLE_WORDS = {
    "before-highres-fix": "before hires fix",
    "before-adetailer": "before ADetailer",
    "before-face-restoration": "before face restoration",
    "before-color-correction": "before color correction",
    "mask-composite": "mask composite",
}
_SOURCE_WORDS = {"ui": "Browser", "api": "API", "pipeline": "Pipeline", "adopted": "Adopted", "imported": "Imported"}
_EVIDENCE_WORDS = {
    "file": "the same file",
    "pixels": "the same pixels",
    "near-pixels": "nearly the same pixels",
    "run-id": "the Run ID in its text",
    "perceptual": "it looks alike",
    "infotext": "its infotext",
}


@dataclass(frozen=True)
class Status:
    """A status with a word and a sign: colour is never all there is. `kind` is fit for a CSS class."""

    kind: str
    sign: str
    word: str


@dataclass(frozen=True)
class Fact:
    """A name and its value; `link` names a recorded image or a run (then its name is None)."""

    name: str
    value: str
    link: ImageLink | None = None


_STATUSES = {
    "running": Status("running", "▶", "Running"),
    "completed": Status("completed", "✓", "Completed"),
    "interrupted": Status("interrupted", "■", "Interrupted"),
    "failed": Status("failed", "✕", "Failed"),
    "abandoned": Status("abandoned", "⊘", "Abandoned"),
}
# Of an image that was made again, or of the worst of several.
_VERDICTS = {
    "identical": Status("completed", "✓", "Identical"), "near": Status("interrupted", "≈", "Nearly identical"),
    "different": Status("failed", "≠", "Different"), "not-compared": Status("unknown", "–", "Not compared"),
}
# Why an image has no picture to show, by the kind that `workspace/shown_file.py` has for it: in two words, and in a sentence.
_ABSENCES = {
    "not-saved": ("not saved", "The host returned this image without saving it: there is no file to show."),
    "missing": ("file missing", "The file is not where it was recorded. It was moved, renamed or deleted."),
    "in-bin": ("in the bin", "This image is in the bin, from where it can be restored."),
    "offline": ("offline", "The folder of this image's root is not there: its drive may be offline."),
    "outside": (
        "outside the roots", "The file lies outside the image roots, or behind a link that leads out of them: it is shown once that"
        " folder is a root (`roots NAME=DIR`).",
    ),
    "unreadable": ("cannot be read", "The file is there, but it is no image that a page can show."),
}

UNREADABLE = Status("unreadable", "!", "Unreadable")
UNKNOWN = Status("unknown", "?", "Unknown")


def format_status(status: str | None) -> Status:
    """An unknown word of a later version is shown as it is."""
    if status is None:
        return UNKNOWN
    return _STATUSES.get(status) or Status("unknown", "?", status)


def format_verdict(verdict: str) -> Status:
    """An unknown word of a later version is shown as it is."""
    return _VERDICTS.get(verdict) or Status("unknown", "?", verdict)


def format_stage(stage: str | None) -> str:
    return _STAGE_WORDS.get(stage or "", stage or "unknown stage")


def format_role(role: str | None) -> str:
    """Empty for a final image: that is what everybody expects."""
    return "" if role in (None, "final") else _ROLE_WORDS.get(role, role)


def format_source(source: str | None) -> str:
    return _SOURCE_WORDS.get(source or "", source or "")


def format_evidence(by: str | None) -> str:
    return _EVIDENCE_WORDS.get(by or "", by or "")


def name_absence(kind: str) -> str:
    return _ABSENCES[kind][0] if kind in _ABSENCES else kind


def describe_absence(kind: str) -> str:
    return _ABSENCES[kind][1] if kind in _ABSENCES else kind


def format_moment(text: str | None) -> str:
    """A recorded time in full, local: `25 Dec 2025, 14:30:22`. A text that is no time of ours is shown as it is."""
    moment = to_local(text)
    return f"{moment.day} {moment:%b %Y, %H:%M:%S}" if moment else text or ""


def format_day(moment: datetime, now: datetime) -> str:
    """The heading of a day in a list."""
    if moment.date() == now.date():
        return "Today"
    if moment.date() == now.date() - timedelta(days=1):
        return "Yesterday"
    return f"{moment:%a} {moment.day} {moment:%b}" + (f" {moment.year}" if moment.year != now.year else "")


def format_when(moment: datetime, now: datetime) -> str:
    """Under a day's heading: how long ago within the last hour, else the time of day."""
    seconds = (now - moment).total_seconds()
    if 0 <= seconds < 45:
        return "just now"
    if 45 <= seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    return f"{moment:%H:%M}"


def format_duration(milliseconds: float | None) -> str:
    """`0.3 s`, `14 s`, `2 min 5 s`, `1 h 12 min`; empty where unknown."""
    if milliseconds is None or milliseconds < 0:
        return ""
    seconds = milliseconds / 1000
    if seconds < 0.095:
        return f"{milliseconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def format_span(started: str | None, finished: str | None) -> str:
    begin, end = parse_utc(started or ""), parse_utc(finished or "")
    return format_duration((end - begin) * 1000) if begin is not None and end is not None else ""


def format_bytes(count: int | None) -> str:
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{count / 1000:.0f} kB"
    if count < 999_950_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:,.1f} GB"


def format_count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def format_value(value: Any) -> str:
    """Any recorded value on one line; empty for what is unknown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, item in value.items() if (text := format_value(item)))
    if isinstance(value, (list, tuple)):
        return ", ".join(text for item in value if (text := format_value(item)))
    return str(value)


def format_named(values: dict[str, Any], name: str, pattern: str) -> str:
    """One value of a block in a pattern like `{} steps`; empty where it is unknown."""
    text = format_value(values.get(name))
    return pattern.format(text) if text else ""


def to_local(text: str | None) -> datetime | None:
    """A recorded time in this machine's zone, without a zone; None where it is none."""
    seconds = parse_utc(text or "")
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds)
    except (OverflowError, OSError, ValueError):
        return None


def list_stages(stages: list[str | None]) -> str:
    """A grid goes without saying where there are images."""
    shown = [stage for stage in stages if stage != "grid"] or stages
    return ", ".join(dict.fromkeys(format_stage(stage) for stage in shown))


def format_label(run_id: str) -> str:
    """The label in a run's id, for a run whose file does not say."""
    return run_id[_STAMP_LENGTH:] or run_id


def count_images(images: ImageCounts, status: str | None) -> str:
    """`4 images`, `1 of 4 images` where fewer came than were asked for, and `2 saved` where not all were."""
    made = images.returned if images.returned is not None else images.saved
    if made is None:
        return f"{images.planned:,} planned" if status == "running" and images.planned is not None else ""
    planned = images.planned
    text = format_count(made, "image")
    if planned is not None and planned > made:
        text = f"{made:,} of {format_count(planned, 'image')}"
    if images.saved is not None and images.saved < made:
        text += f", {images.saved:,} saved"
    return text

"""The verdict on a run that made something again: how its images compare, and what has changed since. No HTML; a file may hold anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.loose_json import list_of, number_of, object_of, text_of
from lib_sdpipe.manifest.names import is_manifest_name, is_run_id
from lib_sdpipe.manifest.records import ImageLink, Replay
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Status

_MOST_IMAGES, _MOST_CHANGES = 100, 60
_LONGEST = 120


@dataclass(frozen=True)
class ComparedView:
    """One image that was made again: `name` in this run, `of` the original. `facts` are numbers or why there are none."""

    name: str | None
    of: ImageLink | None
    status: Status
    facts: list[str]


@dataclass(frozen=True)
class VerdictView:
    """`of` is what was made again. `changes`: field, then, now, the likeliest cause first; `more` counts those not shown."""

    of: ImageLink | None
    status: Status | None
    images: list[ComparedView] = field(default_factory=list)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    more_images: int = 0
    more_changes: int = 0


def present_verdict(replay: Replay | None) -> VerdictView | None:
    """None for a run that made nothing again."""
    if replay is None or replay.of is None and replay.verdict is None:
        return None
    differences = object_of(replay.differences)
    images, changes = list_of(differences.get("images")), list_of(differences.get("environment"))
    return VerdictView(
        replay.of if replay.of is not None and replay.of.run_id and is_run_id(replay.of.run_id) else None,
        words.format_verdict(replay.verdict) if replay.verdict else None,
        [_present_image(object_of(image)) for image in images[:_MOST_IMAGES]],
        [_present_change(object_of(change)) for change in changes[:_MOST_CHANGES]],
        max(0, len(images) - _MOST_IMAGES), max(0, len(changes) - _MOST_CHANGES),
    )


def _present_image(image: dict[str, Any]) -> ComparedView:
    of = object_of(image.get("of"))
    run_id, name, made = text_of(of.get("run_id")), text_of(of.get("name")), text_of(image.get("name"))
    link = ImageLink(run_id=run_id, name=name) if run_id and name and is_run_id(run_id) and is_manifest_name(name) else None
    return ComparedView(
        made if made and is_manifest_name(made) else None, link, words.format_verdict(text_of(image.get("verdict")) or "not-compared"),
        _present_numbers(image),
    )


def _present_numbers(image: dict[str, Any]) -> list[str]:
    values, share, largest, psnr = (number_of(image.get(name)) for name in ("values", "share", "largest", "psnr"))
    reason = text_of(image.get("reason"))
    if not values:
        return [reason] if reason else []
    return [text for text in (
        f"{values:,.0f} values differ" + (f" ({share:.2%})" if share is not None else ""),
        f"by at most {largest:.0f} of 255" if largest is not None else "", f"PSNR {psnr:.1f} dB" if psnr is not None else "", reason or "",
    ) if text]


def _present_change(change: dict[str, Any]) -> tuple[str, str, str]:
    then, now = (words.format_value(change.get(name)) or "nothing" for name in ("then", "now"))
    return str(change.get("field") or "")[:_LONGEST], then[:_LONGEST], now[:_LONGEST]

"""Whether a picture that was made again is the same, and if not, by how much and what has changed since. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_sdpipe.manifest.compare_fields import compare_fields
from lib_sdpipe.manifest.compare_images import collect_settings
from lib_sdpipe.manifest.compare_runs import compare_models
from lib_sdpipe.manifest.records import ImageFacts, ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.likely_causes import Change, rank_changes, sort_changes

if TYPE_CHECKING:
    from PIL import Image

IDENTICAL, NEAR, DIFFERENT, NOT_COMPARED = "identical", "near", "different", "not-compared"
# From the best to the worst: what is known to be another picture is worse than one of which nothing is known.
_ORDER = (IDENTICAL, NEAR, NOT_COMPARED, DIFFERENT)
# Every channel within this is near; of 255.
_NEAR_WITHIN = 2
_MOST_CHANGES = 200
_LOSSLESS = ("PNG",)
# What a re-run has another of by its nature.
_OF_THE_RUN = ("variant", "image")


@dataclass(frozen=True)
class Judgement:
    """`values` differ of all that were compared (`share`, 0 to 1), `largest` is of 255.

    `psnr` is 10 log10(255² / mean squared difference of all values) in dB; None for identical pictures, where it is
    infinite. `reason` is a sentence where there are no numbers.
    """

    verdict: str
    values: int | None = None
    share: float | None = None
    largest: int | None = None
    psnr: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class JudgedImage:
    """One image of a re-run, `name` in its run, and what was found of it and `of`."""

    of: ImageLink
    name: str | None
    judgement: Judgement

    def to_json(self) -> Json:
        found = self.judgement
        return {
            "of": {"run_id": self.of.run_id, "name": self.of.name}, "name": self.name, "verdict": found.verdict, "values": found.values,
            "share": found.share, "largest": found.largest, "psnr": found.psnr, "reason": found.reason,
        }


def judge_pictures(original: Image.Image, made: Image.Image) -> Judgement:
    """Two pictures in memory; takes seconds for large ones, and some 12 bytes a pixel."""
    from lib_sdpipe.images.difference import IncomparableError, compare_pictures

    if original.size != made.size:
        sizes = [f"{width}×{height}" for width, height in (original.size, made.size)]
        return Judgement(DIFFERENT, reason=f"It has another size: {sizes[0]} then, {sizes[1]} now.")
    try:
        found = compare_pictures(original, made)
    except IncomparableError as fault:
        return Judgement(NOT_COMPARED, reason=f"{fault}.")
    if not found.values:
        return Judgement(IDENTICAL, 0, 0.0, 0)
    psnr = 10 * math.log10(255**2 * found.all_values / found.squares)
    verdict = NEAR if found.largest <= _NEAR_WITHIN else DIFFERENT
    return Judgement(verdict, found.values, found.values / found.all_values, found.largest, round(psnr, 2))


def judge_digests(original: ImageFacts | None, made: ImageFacts) -> Judgement:
    """Where the original's file is gone, its record still tells whether the pixels are the same.

    Of a lossy file only where both were read by the same decoder; `made` is then what was read of a file written alike.
    """
    if original is None or original.pixel_sha256 is None or made.pixel_sha256 is None:
        return Judgement(NOT_COMPARED, reason="The original's file is gone, and no digest of its pixels is recorded.")
    if original.pixel_sha256 == made.pixel_sha256:
        return Judgement(IDENTICAL, 0, 0.0, 0)
    if original.format not in _LOSSLESS and original.decoder != made.decoder:
        return Judgement(NOT_COMPARED, reason="The original's file is gone, and its pixels were read by another decoder than today's.")
    return Judgement(DIFFERENT, reason="The original's file is gone; its pixels were others.")


def worst_verdict(judgements: Sequence[Judgement]) -> str:
    """`not-compared` where there is nothing."""
    return max((one.verdict for one in judgements), key=_ORDER.index, default=NOT_COMPARED)


def find_changes(
    then: Run, now: Run, environments: tuple[Json | None, Json | None], images: Sequence[tuple[Manifest, Manifest]] = (),
) -> list[Change]:
    """What is not as it was, the likeliest cause of other pixels first. `images` are pairs of old and new manifests."""
    overrides = [run.config.get("override_settings") for run in (then, now)]
    changes = [
        *_setting_changes(images),
        *(Change(".".join(("models", *row.path)), *row.values, cause="model") for row in compare_models([then, now]) if not row.is_equal),
        *rank_changes(*environments, *(one if isinstance(one, dict) else None for one in overrides)),
    ]
    return sort_changes(list({change.field: change for change in changes}.values()))[:_MOST_CHANGES]


def build_replay(of: ImageLink, images: Sequence[JudgedImage], changes: Sequence[Change]) -> Json:
    """The run file's `replay`."""
    return {
        "of": {"run_id": of.run_id, "name": of.name},
        "verdict": worst_verdict([image.judgement for image in images]),
        "differences": {
            "images": [image.to_json() for image in images], "environment": [change.to_json() for change in changes],
        },
    }


def _setting_changes(images: Sequence[tuple[Manifest, Manifest]]) -> list[Change]:
    """Settings that an image had and the one made again has not: a script or the host did something else."""
    found = []
    for pair in images:
        rows = compare_fields([collect_settings(manifest) for manifest in pair])
        found += [
            Change(".".join(row.path), *row.values, cause="setting") for row in rows if not row.is_equal and row.path[0] not in _OF_THE_RUN
        ]
        texts = [(name, getattr(pair[0], name), getattr(pair[1], name)) for name in ("prompt", "negative_prompt")]
        found += [Change(name, one, other, "setting") for name, one, other in texts if (one or "") != (other or "")]
    return found

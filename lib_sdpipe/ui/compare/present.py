"""Images beside each other as cards, tables and prompts. No gradio and no HTML here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.compare_fields import FieldRow, is_same_value
from lib_sdpipe.manifest.compare_images import StageStep, compare_settings, compare_stages
from lib_sdpipe.manifest.compare_prompts import PromptDifference, compare_prompts
from lib_sdpipe.manifest.records import ImageLink, Manifest, StageEntry
from lib_sdpipe.ui import words
from lib_sdpipe.ui.compare.field_names import format_field, sort_rows

LETTERS = "ABCD"
_LONGEST_VALUE = 400
# Texts from here on are compared word by word where they stand in a table.
_LONG_TEXT = 25
_PICTURES = ("$input", "$image")


@dataclass(frozen=True)
class PictureToCompare:
    """An image that was found. `address` is None where there is nothing to show, for which `absence` is the reason.

    `is_reduced`: the address leads to a small picture, since the image itself would be too large for a page.
    """

    link: ImageLink
    manifest: Manifest
    address: str | None
    absence: str | None = None
    is_reduced: bool = False


@dataclass(frozen=True)
class Cell:
    """One value in a table. `differs` from the first column's; `change` is by how much; `words` compare it to the first's."""

    text: str
    differs: bool = False
    change: str = ""
    words: PromptDifference | None = None


@dataclass(frozen=True)
class Row:
    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """Rows that differ, and rows that are the same in all columns."""

    differing: list[Row]
    equal: list[Row]


@dataclass(frozen=True)
class PromptView:
    """A prompt of all columns: `text` is the first's; `differences` lead from it to each other's, None where they are equal."""

    name: str
    text: str
    differences: list[PromptDifference | None]


@dataclass(frozen=True)
class StageRow:
    """One stage; an image that did not go through it has an empty cell list."""

    name: str
    columns: list[list[Cell]]


@dataclass(frozen=True)
class Card:
    letter: str
    link: ImageLink
    title: str
    facts: list[str]
    address: str | None
    absence: str
    size: tuple[int, int] | None


@dataclass(frozen=True)
class ImageComparison:
    """All that is shown of images beside each other."""

    cards: list[Card]
    notes: list[str]
    prompts: list[PromptView]
    settings: Table
    stages: list[StageRow] = field(default_factory=list)


def present_images(pictures: Sequence[PictureToCompare]) -> ImageComparison:
    manifests = [picture.manifest for picture in pictures]
    steps = compare_stages(manifests)
    return ImageComparison(
        [_card(LETTERS[number], picture) for number, picture in enumerate(pictures)],
        _notes(pictures),
        [
            present_prompt("Prompt", [manifest.prompt for manifest in manifests]),
            present_prompt("Negative prompt", [manifest.negative_prompt for manifest in manifests]),
        ],
        present_table(compare_settings(manifests)),
        [_stage_row(step) for step in steps] if any(manifest.stage_history for manifest in manifests) else [],
    )


def present_prompt(name: str, texts: Sequence[str | None]) -> PromptView:
    differences = [compare_prompts(texts[0], text) for text in texts[1:]]
    return PromptView(name, texts[0] or "", [None if found.is_equal else found for found in differences])


def present_table(rows: list[FieldRow]) -> Table:
    shown = [(row, Row(format_field(row.path), [_cell(row, number) for number in range(len(row.values))])) for row in sort_rows(rows)]
    return Table([made for row, made in shown if not row.is_equal], [made for row, made in shown if row.is_equal])


def describe_change(old: Any, new: Any) -> str:
    """`+6` where a number became larger by 6; empty for what has no such thing, seeds among it."""
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in (old, new)):
        return ""
    if max(abs(old), abs(new)) > 100_000:
        return ""
    return f"{new - old:+.6g}".replace("-", "−")


def format_cell(value: Any) -> str:
    text = _describe_picture(value) or words.format_value(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def _describe_picture(value: Any) -> str:
    """A picture that a config refers to (docs/formats.md)."""
    if isinstance(value, list) and value and all(_describe_picture(item) for item in value):
        return ", ".join(_describe_picture(item) for item in value)
    if not isinstance(value, dict) or not any(name in value for name in _PICTURES):
        return ""
    image = value.get("$image")
    if isinstance(image, dict):
        return f"image {image.get('name')} of {image.get('run_id')}"
    return f"picture {str(value.get('$input'))[:12]}"


def _cell(row: FieldRow, number: int) -> Cell:
    first, value = row.values[0], row.values[number]
    if number == 0 or row.is_equal or is_same_value(first, value):
        return Cell(format_cell(value))
    is_long = isinstance(first, str) and isinstance(value, str) and " " in first and min(len(first), len(value)) >= _LONG_TEXT
    change = "" if row.path[-1].endswith("seed") else describe_change(first, value)
    return Cell(format_cell(value), True, change, compare_prompts(first, value) if is_long else None)


def _card(letter: str, picture: PictureToCompare) -> Card:
    manifest = picture.manifest
    image = manifest.image
    title = " · ".join(part for part in (picture.link.name or manifest.name or "unnamed", words.format_role(manifest.role)) if part)
    size = (image.width, image.height) if image and image.width and image.height else None
    facts = [
        words.format_label(picture.link.run_id or ""),
        f"{size[0]}×{size[1]}" if size else "",
        f"seed {manifest.actual_seed}" if manifest.actual_seed is not None else "",
        words.format_moment(manifest.timestamp),
        words.format_duration(manifest.stage_duration_ms),
    ]
    absence = words.describe_absence(picture.absence) if picture.absence else ""
    return Card(letter, picture.link, title, [fact for fact in facts if fact], picture.address, absence, size)


def _notes(pictures: Sequence[PictureToCompare]) -> list[str]:
    """What is to be known before one looks."""
    notes = []
    digests = [picture.manifest.image.pixel_sha256 if picture.manifest.image else None for picture in pictures]
    for number in range(1, len(pictures)):
        if digests[0] is not None and digests[number] == digests[0]:
            notes.append(f"A and {LETTERS[number]} were recorded with the same pixels.")
    reduced = [LETTERS[number] for number, picture in enumerate(pictures) if picture.is_reduced]
    if reduced:
        notes.append(f"Too large for a page, so a small picture stands for it: {', '.join(reduced)}.")
    return notes


def _stage_row(step: StageStep) -> StageRow:
    name = ", ".join(part for part in (words.format_stage(step.stage), words.format_role(step.role)) if part)
    return StageRow(name, [_stage_cells(step, number) if entry is not None else [] for number, entry in enumerate(step.entries)])


def _stage_cells(step: StageStep, number: int) -> list[Cell]:
    """What is worth a word of one image's stage: what differs among the images, and what every stage is known by."""
    first = next(index for index, entry in enumerate(step.entries) if entry is not None)
    entry = step.entries[number]
    values = {row.path: row for row in sort_rows(step.rows)}
    cells = []
    for path, row in values.items():
        if row.is_equal and path[-1] not in ("actual_seed", "sampler_name", "steps", "denoising_strength", "width", "height"):
            continue
        text = format_cell(row.values[number])
        if text:
            cells.append(Cell(f"{format_field(path)} {text}", not is_same_value(row.values[first], row.values[number])))
    return [*cells, *_time_cell(entry)]


def _time_cell(entry: StageEntry | None) -> list[Cell]:
    text = words.format_duration(entry.duration_ms) if entry is not None else ""
    return [Cell(f"Time {text}")] if text else []

"""Images beside each other as cards, tables and prompts. No gradio and no HTML here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.compare_fields import FieldRow, is_same_value
from lib_sdpipe.manifest.compare_images import StageStep, compare_settings, compare_stages
from lib_sdpipe.manifest.compare_prompts import PromptDifference, compare_prompts
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.field_names import format_field, sort_rows
from lib_sdpipe.workspace.picked import Pick

LETTERS = "ABCD"
_LONGEST_VALUE = 400
_NOT_SAVED = "The host returned this image without saving it: there is no file to show."
_NOT_THERE = "The file is not where it was recorded. It was moved, renamed or deleted, or its drive is offline."
_NOT_INDEXED = "The index does not know this file yet. Compare again in a moment."
# Texts from here on are compared word by word where they stand in a table.
_LONG_TEXT = 25
_PICTURES = ("$input", "$image")
_BLOCKS = {"hires": "Hires fix", "refiner": "Refiner", "adetailer": "ADetailer"}
_ALWAYS_SHOWN = ("denoising_strength", "init_images", "mask", "scheduler", "clip_skip", "distilled_cfg_scale")
_STAGE_FACTS = ("actual_seed", "sampler_name", "steps", "denoising_strength")


@dataclass(frozen=True)
class PictureToCompare:
    """An image that was found, and where the page finds its picture; None where there is nothing to show.

    One without a run has an address once the index knows it.

    `is_reduced`: the address leads to a small picture, since the image itself would be too large for a page.
    """

    pick: Pick
    manifest: Manifest
    address: str | None
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
    """Rows that differ, rows that only some columns have and that say little, and rows that are the same in all columns."""

    differing: list[Row]
    partial: list[Row]
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
    pick: Pick
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
    table = Table([], [], [])
    for row in sort_rows(rows):
        rank = table.equal if row.is_equal else table.partial if _says_little(row) else table.differing
        rank.append(Row(format_field(row.path), [_cell(row, number) for number in range(len(row.values))]))
    table.differing.extend(_present_blocks(rows))
    return table


def _says_little(row: FieldRow) -> bool:
    """A setting of a stage or a block that others do not have at all."""
    return None in row.values and (row.path[0] in _BLOCKS or (row.path[0] == "config" and row.path[-1] not in _ALWAYS_SHOWN))


def _present_blocks(rows: list[FieldRow]) -> list[Row]:
    """Hires fix, refiner and ADetailer: one row each where only some have it."""
    found = []
    for block, name in _BLOCKS.items():
        owned = [row.values for row in rows if row.path[0] == block]
        has = [any(values[number] is not None for values in owned) for number in range(len(owned[0]))] if owned else []
        if any(has) and not all(has):
            found.append(Row(name, [Cell("yes" if each else "no", each != has[0]) for each in has]))
    return found


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
    text = words.format_stage(value) if row.path == ("stage",) and value else format_cell(value)
    if number == 0 or row.is_equal or is_same_value(first, value):
        return Cell(text)
    is_long = isinstance(first, str) and isinstance(value, str) and " " in first and min(len(first), len(value)) >= _LONG_TEXT
    change = "" if row.path[-1].endswith("seed") else describe_change(first, value)
    return Cell(text, True, change, compare_prompts(first, value) if is_long else None)


def _card(letter: str, picture: PictureToCompare) -> Card:
    manifest = picture.manifest
    image = manifest.image
    name = picture.pick.name or (picture.pick.path or "unnamed").rpartition("/")[2]
    title = " · ".join(part for part in (name, words.format_role(manifest.role)) if part)
    size = (image.width, image.height) if image and image.width and image.height else None
    facts = [
        words.format_label(picture.pick.run_id) if picture.pick.run_id else "without a run",
        f"{size[0]}×{size[1]}" if size else "",
        f"seed {manifest.actual_seed}" if manifest.actual_seed is not None else "",
        words.format_moment(manifest.timestamp),
        words.format_duration(manifest.stage_duration_ms),
    ]
    return Card(letter, picture.pick, title, [fact for fact in facts if fact], picture.address, _absence(picture), size)


def _absence(picture: PictureToCompare) -> str:
    if picture.address:
        return ""
    if picture.pick.run_id is None:
        return _NOT_INDEXED
    return _NOT_SAVED if picture.manifest.path is None and picture.manifest.kept is None else _NOT_THERE


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
    return StageRow(words.format_stage(step.stage), [_stage_cells(step, number) for number in range(len(step.entries))])


def _stage_cells(step: StageStep, number: int) -> list[Cell]:
    """What is worth a word of one image's stage: what every stage is known by, and what differs among the images."""
    entry = step.entries[number]
    if entry is None:
        return []
    first = next(index for index, found in enumerate(step.entries) if found is not None)
    cells = [Cell(words.format_role(entry.role)), _size_cell(step, first, number)]
    for row in sort_rows(step.rows):
        name, value = row.path[-1], row.values[number]
        if name in ("width", "height") or value is None or (row.is_equal and name not in _STAGE_FACTS):
            continue
        cells.append(Cell(f"{format_field(row.path)} {format_cell(value)}", not is_same_value(row.values[first], value)))
    cells.append(Cell(words.format_duration(entry.duration_ms)))
    return [cell for cell in cells if cell.text]


def _size_cell(step: StageStep, first: int, number: int) -> Cell:
    values = {row.path[-1]: row.values for row in step.rows if row.path[-1] in ("width", "height")}
    sizes = [[values[side][index] if side in values else None for side in ("width", "height")] for index in (first, number)]
    text = "×".join(format_cell(side) for side in sizes[1]) if None not in sizes[1] else ""
    return Cell(text, not is_same_value(sizes[0], sizes[1]))

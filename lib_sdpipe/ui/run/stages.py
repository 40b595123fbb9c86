"""The stages of an image side by side: what each was told, what changed on the way, how long each took. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run, StageEntry
from lib_sdpipe.manifest.stage_settings import clear_sizes
from lib_sdpipe.manifest.times import parse_utc
from lib_sdpipe.ui import words
from lib_sdpipe.ui.run.graph import MOST_STAGES

# Settings in the order of the hosts' infotext; others follow where two stages differ in them.
_ROWS = ("seed", "subseed", "sampler", "size", "steps", "cfg_scale", "denoising_strength", "clip_skip")
_SHOWN = {"sampler_name", "scheduler", "width", "height", *_ROWS}
_NAMES = {"subseed": "Variation seed", "cfg_scale": "CFG scale", "denoising_strength": "Denoising strength", "clip_skip": "Clip skip"}
_HIDDEN = {"init_images", "image", "mask", "prompt", "negative_prompt", "scripts", "alwayson_scripts"}
_MOST_OTHERS = 30


@dataclass(frozen=True)
class StageColumn:
    """`link` is None for what was never saved, and for the image itself."""

    title: str
    link: ImageLink | None
    is_this: bool = False


@dataclass(frozen=True)
class Cell:
    text: str
    is_changed: bool = False


@dataclass(frozen=True)
class StageTable:
    """A row for each setting, a cell in it for each stage."""

    columns: list[StageColumn]
    rows: list[tuple[str, list[Cell]]]


@dataclass(frozen=True)
class Bar:
    """`share` of the longest, 0 to 1."""

    title: str
    text: str
    share: float


@dataclass(frozen=True)
class _Stage:
    column: StageColumn
    settings: Json
    seed: int | None
    subseed: int | None
    duration_ms: int | None


def present_stages(manifest: Manifest, run_id: str) -> StageTable:
    """All stages of an image, the image last."""
    stages = _read_stages(manifest, run_id)
    names = [*_ROWS, *_others(stages)]
    rows = [(_NAMES.get(name) or name.replace("_", " ").capitalize(), [_text(stage, name) for stage in stages]) for name in names]
    return StageTable([stage.column for stage in stages], [(name, _compare(texts)) for name, texts in rows if any(texts)])


def present_timings(manifest: Manifest, run_id: str) -> list[Bar]:
    """How long each stage of an image took; empty where nobody knows of any."""
    return _bars([(stage.column.title, stage.duration_ms) for stage in _read_stages(manifest, run_id)])


def present_run_timings(run: Run, manifests: list[Manifest]) -> list[Bar]:
    """What the stages of a run took together, and the rest of its time: loading, saving, waiting."""
    took: dict[str, int] = {}
    counted: set[tuple[str | None, str]] = set()
    for manifest in manifests:
        if manifest.stage != "grid":
            _count(took, counted, (manifest.name, ""), _title(manifest.stage, manifest.role), manifest.stage_duration_ms)
        for number, entry in enumerate(manifest.stage_history):
            if entry.run_id in (None, run.run_id):
                key = (entry.name, "") if entry.name else (manifest.name, str(number))
                _count(took, counted, key, _title(entry.stage, entry.role), entry.duration_ms)
    begin, end = parse_utc(run.started_at or ""), parse_utc(run.finished_at or "")
    rest = round((end - begin) * 1000) - sum(took.values()) if begin is not None and end is not None and took else 0
    return _bars([*took.items(), *([("Loading, saving, waiting", rest)] if rest > 0 else [])])


def _count(took: dict[str, int], counted: set[tuple[str | None, str]], key: tuple[str | None, str], title: str, ms: int | None) -> None:
    if ms is not None and ms >= 0 and key not in counted:
        counted.add(key)
        took[title] = took.get(title, 0) + ms


def _bars(durations: list[tuple[str, int | None]]) -> list[Bar]:
    known = [(title, ms) for title, ms in durations if ms is not None and ms >= 0]
    longest = max((ms for _, ms in known), default=0)
    return [Bar(title, words.format_duration(ms), ms / longest if longest else 0.0) for title, ms in known]


def _read_stages(manifest: Manifest, run_id: str) -> list[_Stage]:
    own = _Stage(
        StageColumn(_title(manifest.stage, manifest.role), None, is_this=True), _as_made(manifest), manifest.actual_seed,
        manifest.actual_subseed if manifest.subseed_strength else None, manifest.stage_duration_ms,
    )
    return [*(_read_entry(entry, run_id) for entry in clear_sizes(manifest.stage_history[-MOST_STAGES:])), own]


def _read_entry(entry: StageEntry, run_id: str) -> _Stage:
    link = ImageLink(run_id=entry.run_id or run_id, name=entry.name) if entry.name else None
    return _Stage(StageColumn(_title(entry.stage, entry.role), link), entry.settings, entry.actual_seed, None, entry.duration_ms)


def _as_made(manifest: Manifest) -> Json:
    """The settings with what hires fix and the like made of them: the picture's real size, its last denoising strength."""
    made = dict(manifest.config)
    if manifest.image and manifest.image.width and manifest.image.height:
        made.update(width=manifest.image.width, height=manifest.image.height)
    block = manifest.adetailer if manifest.stage == "adetailer" else manifest.hires
    if block and block.get("denoising_strength") is not None:
        made["denoising_strength"] = block["denoising_strength"]
    return made


def _title(stage: str | None, role: str | None) -> str:
    return ", ".join(part for part in (words.format_stage(stage), words.format_role(role)) if part)


def _size(stage: _Stage) -> str:
    width, height = stage.settings.get("width"), stage.settings.get("height")
    return f"{words.format_value(width)}×{words.format_value(height)}" if width and height else ""


def _sampler(stage: _Stage) -> str:
    scheduler = stage.settings.get("scheduler")
    return words.format_value([stage.settings.get("sampler_name"), None if scheduler == "Automatic" else scheduler])


_READERS: dict[str, Callable[[_Stage], str]] = {
    "seed": lambda stage: words.format_value(stage.seed), "subseed": lambda stage: words.format_value(stage.subseed),
    "sampler": _sampler, "size": _size,
}


def _text(stage: _Stage, name: str) -> str:
    reader = _READERS.get(name)
    return reader(stage) if reader is not None else words.format_value(stage.settings.get(name))


def _others(stages: list[_Stage]) -> list[str]:
    """Settings in which two stages that both have them differ."""
    found: list[str] = []
    for name in dict.fromkeys(key for stage in stages for key in stage.settings):
        if name not in _SHOWN | _HIDDEN and len({text for stage in stages if (text := _text(stage, name))}) > 1:
            found.append(name)
    return found[:_MOST_OTHERS]


def _compare(texts: list[str]) -> list[Cell]:
    """A cell is changed where the last stage before it of which it is known says otherwise."""
    cells, before = [], ""
    for text in texts:
        cells.append(Cell(text, bool(before and text and text != before)))
        before = text or before
    return cells

"""One run as a person reads it in a terminal: the run, what was asked, its images, what is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.render import (
    Column, build_fields, build_table, escape_lines, escape_text, format_count, format_local, format_seconds, parse_seconds, wrap_text,
)
from lib_sdpipe.cli.status import paint_status
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.workspace import RunView

Fields = list[tuple[str, list[str]]]

_IMAGE_COLUMNS = (
    Column("IMAGE"),
    Column("ROLE", drop=2),
    Column("SIZE", right=True, drop=3),
    Column("SEED", right=True),
    Column("TIME", right=True, drop=5),
    Column("MADE FROM", drop=1),
    Column("FILE", least=16, drop=4),
)


def build_run_text(view: RunView, folder: Path, output: Output) -> list[str]:
    """The lines of `show RUN`."""
    width = output.width
    lines = [output.paint(escape_text(view.run_id), "bold")]
    run_fields = _run_fields(view.run, output) if view.run else [("Status", [paint_status("unreadable", output)])]
    lines += build_fields([*run_fields, ("Folder", [escape_text(str(folder))])], width, indent=2)
    for fields in _request_blocks(view):
        lines += ["", *build_fields(fields, width, indent=2)]
    if view.manifests:
        lines += ["", *build_table(_IMAGE_COLUMNS, [_image_cells(manifest) for manifest in view.manifests], width)]
    else:
        lines += ["", "  No images recorded."]
    if view.problems:
        lines += ["", output.paint(f"{format_count(len(view.problems), 'damaged file')}:", "red")]
        lines += [line for text in view.problems for line in wrap_text(f"  {escape_text(text)}", width)]
    return lines


def _run_fields(run: Run, output: Output) -> Fields:
    error = run.error
    return [
        ("Status", [paint_status(escape_text(run.status or "unknown"), output)]),
        ("Error", [": ".join(escape_text(part) for part in (error.stage, error.type, error.message) if part)] if error else []),
        ("Warning", [escape_text(warning) for warning in run.warnings]),
        ("Started", [format_local(run.started_at or run.timestamp)]),
        ("Took", [_run_time(run)]),
        ("Images", [_count_images(run)]),
        ("Source", [escape_text(" by ".join(part for part in (run.source, run.user) if part))]),
        ("Label", [escape_text(run.label or "")]),
        ("From", [_link(run.parent.run_id, run.parent.name) if run.parent else ""]),
        ("Replay of", [_link(run.replay.of.run_id, run.replay.of.name) if run.replay and run.replay.of else ""]),
        ("Replayable", [f"no: {escape_text(run.not_replayable_because or 'unknown')}"] if run.replayable is False else []),
    ]


def _run_time(run: Run) -> str:
    started, finished = parse_seconds(run.started_at or run.timestamp), parse_seconds(run.finished_at)
    return format_seconds((finished - started) * 1000) if started is not None and finished is not None else ""


def _count_images(run: Run) -> str:
    counts = run.images
    parts = [f"{number} {word}" for word, number in (("planned", counts.planned), ("returned", counts.returned), ("saved", counts.saved))
             if number is not None]
    return ", ".join(parts)


def _request_blocks(view: RunView) -> Iterator[Fields]:
    """What was asked, said once for each group of images that were asked for alike."""
    groups: list[tuple[Fields, list[str]]] = []
    for manifest in view.manifests:
        if manifest.stage == "grid":
            continue
        fields, name = build_request_fields(manifest), escape_text(manifest.name or "?")
        known = next((names for other, names in groups if other == fields), None)
        if known is None:
            groups.append((fields, [name]))
        else:
            known.append(name)
    for fields, names in groups:
        yield [("Images", [", ".join(names)]), *fields] if len(groups) > 1 else fields


def build_request_fields(manifest: Manifest) -> Fields:
    """What was asked for one image, under the words people look for."""
    loras = ", ".join(str(lora["name"]) for lora in manifest.loras if lora.get("name"))
    return [
        ("Prompt", escape_lines(manifest.prompt or "")),
        ("Negative", escape_lines(manifest.negative_prompt or "")),
        ("Model", [escape_text(manifest.model or "")]),
        ("LoRAs", [escape_text(loras)]),
        ("Settings", [_pick(manifest.config, "sampler_name", "scheduler", "steps", "cfg_scale", "denoising_strength")]),
        ("Hires fix", [_pick(manifest.hires, "hr_scale", "hr_upscaler", "hr_second_pass_steps", "denoising_strength")]),
        ("ADetailer", [_pick(manifest.adetailer, "model", "confidence", "denoising_strength")]),
    ]


def _pick(settings: Json | None, *names: str) -> str:
    """The settings people compare first, under the host API's names; those at nothing are left out."""
    found = [f"{name} {settings[name]}" for name in names if settings.get(name) not in (None, "", 0)] if settings else []
    return escape_text(", ".join(found))


def _image_cells(manifest: Manifest) -> list[str]:
    image = manifest.image
    size = f"{image.width}x{image.height}" if image and image.width and image.height else ""
    file = "not saved" if manifest.path is None else f"{manifest.root}: {manifest.path}" if manifest.root else manifest.path
    return [
        escape_text(manifest.name or "?"),
        "" if manifest.role in (None, "final") else escape_text(manifest.role),
        size,
        "" if manifest.actual_seed is None else str(manifest.actual_seed),
        format_seconds(manifest.stage_duration_ms),
        _made_from(manifest),
        escape_text(file),
    ]


def _made_from(manifest: Manifest) -> str:
    parent, earlier = manifest.parent, manifest.stage_history
    if parent:
        return escape_text(parent.name or "?") if parent.run_id == manifest.run_id else _link(parent.run_id, parent.name)
    if earlier and earlier[-1].name is None:
        return f"{escape_text(earlier[-1].stage or '?')} (not saved)"
    return ""


def _link(run_id: str | None, name: str | None) -> str:
    return escape_text("/".join(part for part in (run_id, name) if part))

"""An image's lineage as a list of nodes: earlier stages, the parent among them, the image itself. No gradio and no HTML here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, StageEntry
from lib_sdpipe.ui import words


@dataclass(frozen=True)
class LineageNode:
    """One step on the way to an image. `name` is None for a stage whose picture was never saved."""

    title: str
    run_id: str | None
    name: str | None
    facts: list[str]
    is_this: bool = False
    evidence: str = ""
    also: list[ImageLink] = field(default_factory=list)


def present_lineage(manifest: Manifest, run_id: str) -> list[LineageNode]:
    """Earlier stages in order, the parent among them, then the image itself."""
    own = manifest.run_id or run_id
    parent = manifest.parent if manifest.parent and (manifest.parent.run_id or manifest.parent.name) else None
    nodes: list[LineageNode] = []
    for entry in manifest.stage_history:
        is_parent = parent is not None and (entry.run_id, entry.name) == (parent.run_id, parent.name)
        nodes.append(_stage_node(entry, manifest if is_parent else None))
    if parent is not None and not any(node.evidence for node in nodes):
        earlier = sum(1 for entry in manifest.stage_history if entry.run_id not in (None, own))
        nodes.insert(earlier, LineageNode(
            words.format_stage(_stage_of(parent.name)) if parent.name else "a recorded image", parent.run_id, parent.name, [],
            evidence=_evidence(manifest), also=_also(manifest),
        ))
    nodes.append(LineageNode(
        _node_title(manifest.stage, manifest.role), own, manifest.name,
        _node_facts(_as_made(manifest), manifest.actual_seed, manifest.stage_duration_ms), is_this=True,
    ))
    return nodes


def _as_made(manifest: Manifest) -> Json:
    """The settings with what hires fix and the like made of them: the picture's real size, its last denoising strength."""
    made = dict(manifest.config)
    if manifest.image and manifest.image.width and manifest.image.height:
        made.update(width=manifest.image.width, height=manifest.image.height)
    block = manifest.adetailer if manifest.stage == "adetailer" else manifest.hires
    if block and block.get("denoising_strength") is not None:
        made["denoising_strength"] = block["denoising_strength"]
    return made


def _stage_node(entry: StageEntry, child: Manifest | None) -> LineageNode:
    return LineageNode(
        _node_title(entry.stage, entry.role), entry.run_id, entry.name,
        _node_facts(entry.settings, entry.actual_seed, entry.duration_ms),
        evidence=_evidence(child) if child else "", also=_also(child) if child else [],
    )


def _node_title(stage: str | None, role: str | None) -> str:
    return ", ".join(part for part in (words.format_stage(stage), words.format_role(role)) if part)


def _node_facts(settings: Json, seed: int | None, duration_ms: int | None) -> list[str]:
    width, height = settings.get("width"), settings.get("height")
    facts = [
        f"seed {seed}" if seed is not None else "",
        words.format_value(settings.get("sampler_name")),
        words.format_named(settings, "steps", "{} steps"),
        words.format_named(settings, "cfg_scale", "CFG {}"),
        words.format_named(settings, "denoising_strength", "denoising {}"),
        f"{words.format_value(width)}×{words.format_value(height)}" if width and height else "",
        words.format_duration(duration_ms),
    ]
    return [fact for fact in facts if fact]


def _evidence(child: Manifest) -> str:
    return words.format_evidence(child.parent.by if child.parent else None) or "as recorded"


def _also(child: Manifest) -> list[ImageLink]:
    found = getattr(child.parent, "also", None)
    return list(read_links(found, child.run_id)) if isinstance(found, list) else []


def read_links(values: list[Any], run_id: str | None) -> Iterable[ImageLink]:
    """Links as files have them: names of this run, or objects that name another."""
    for value in values:
        if isinstance(value, str):
            yield ImageLink(run_id=run_id, name=value)
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            other = value.get("run_id")
            yield ImageLink(run_id=other if isinstance(other, str) else run_id, name=value["name"])


def _stage_of(name: str | None) -> str | None:
    return name.rsplit("_", 1)[0] if name else None

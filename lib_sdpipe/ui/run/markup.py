"""HTML of the open run and the open image."""

from __future__ import annotations

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.ui.html_text import COPY, dots, e, show_box, show_facts, show_link, show_status, show_text
from lib_sdpipe.ui.run.image_facts import ImageView, LineageNode
from lib_sdpipe.ui.run.present import RunFacts


def show_run(run: RunFacts) -> str:
    """The chosen run above its images."""
    parts = [
        f'<h3 class="sdpipe-title" dir="auto">{e(run.label)}</h3>',
        f'<p class="sdpipe-summary">{show_status(run.status)}{dots(run.summary)}</p>',
        f'<p class="sdpipe-id"><code>{e(run.run_id)}</code></p>',
        show_box("error", [run.error] if run.error else []),
        show_box("warning", run.problems),
    ]
    if run.facts:
        parts.append(f"<details><summary>More about this run</summary>{show_facts(run.facts)}</details>")
    opened = f'data-sdpipe-open-run="{e(run.run_id)}"'
    return f'<section class="sdpipe-run-facts" aria-label="Chosen run" {opened}>{"".join(parts)}</section>'


def show_image(image: ImageView, run_id: str, number: int) -> str:
    """The chosen image below its picture: lineage, prompts, settings, infotext. `number` is its thumbnail's, from 0."""
    parts = [
        _mark_thumbnail(number),
        f'<h3 class="sdpipe-title">{e(image.title)}</h3>',
        f'<p class="sdpipe-summary">{dots(image.summary)}</p>',
        f'<p class="sdpipe-id"><code>{e(image.place)}</code></p>' if image.place else "",
        show_box("warning", image.notices),
        _show_lineage(image.lineage, run_id),
        _show_members(image.members, run_id),
        show_text("Prompt", image.prompt),
        show_text("Negative prompt", image.negative_prompt),
        f"<h4>Settings</h4>{show_facts(image.settings)}" if image.settings else "",
    ]
    if image.infotext:
        parts.append(
            f"<details><summary>Infotext</summary>{COPY}"
            f'<pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="Infotext">{e(image.infotext)}</pre></details>'
        )
    return f'<section class="sdpipe-image-facts" aria-label="Chosen image">{"".join(parts)}</section>'


def _mark_thumbnail(number: int) -> str:
    """A rule for one thumbnail: gradio 3.41 cannot be told which one is chosen, and later versions forget it on an update."""
    thumbnail = f"#sdpipe_run_gallery .grid-container > :nth-child({number + 1})"
    return f"<style>{thumbnail} {{ outline: 3px solid var(--sdpipe-edge); outline-offset: -1px; border-radius: 6px; }}</style>"


def _show_lineage(nodes: list[LineageNode], run_id: str) -> str:
    items = "".join(_show_node(node, run_id) for node in nodes)
    return f'<h4>Lineage</h4><ol class="sdpipe-lineage">{items}</ol>'


def _show_node(node: LineageNode, run_id: str) -> str:
    if node.is_this:
        where = f'<span class="sdpipe-where">{e(node.name or "")}, this image</span>'
    elif node.name or (node.evidence and node.run_id):
        where = show_link(ImageLink(run_id=node.run_id, name=node.name), run_id)
    else:
        where = '<span class="sdpipe-where">not saved</span>'
    evidence = f'<div class="sdpipe-evidence">Parent, known by: {e(node.evidence)}</div>' if node.evidence else ""
    also = "".join(f'<div class="sdpipe-evidence">Its text names {show_link(link, run_id)}</div>' for link in node.also)
    current = ' aria-current="true"' if node.is_this else ""
    return (
        f'<li{current}><div class="sdpipe-node"><strong>{e(node.title)}</strong> {where}</div>'
        f'<div class="sdpipe-node-facts">{dots(node.facts)}</div>{evidence}{also}</li>'
    )


def _show_members(members: list[ImageLink], run_id: str) -> str:
    if not members:
        return ""
    links = " ".join(f"<li>{show_link(link, run_id)}</li>" for link in members)
    return f'<h4>Images in this grid</h4><ul class="sdpipe-members">{links}</ul>'

"""HTML of the Runs tab, made of the presenter's rows. Everything that comes from a file is escaped here, by `_e`."""

from __future__ import annotations

from html import escape
from typing import Iterable

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.ui.image_facts import ImageView, LineageNode
from lib_sdpipe.ui.presenter import Fact, RunFacts, RunList, RunRow
from lib_sdpipe.ui.words import Status, format_count

# Before the first look at the library; javascript/sdpipe.js asks again as long as it sees this.
PENDING = '<p class="sdpipe-quiet" data-sdpipe-pending>Reading the runs folder …</p>'


def show_head(total: int | None, folder: str | None) -> str:
    """How many runs, and where they are (`folder` is None where the host hides folders)."""
    count = "Runs" if total is None else format_count(total, "run")
    where = f' in <code class="sdpipe-path">{_e(folder)}</code>' if folder else ""
    return f'<div class="sdpipe-head"><strong>{_e(count)}</strong>{where}</div>'


def show_notice(sentences: Iterable[str], kind: str = "warning") -> str:
    """Warnings for the top of the tab; empty for none."""
    found = "".join(f"<p>{_e(sentence)}</p>" for sentence in sentences if sentence)
    return f'<div class="sdpipe-box sdpipe-box-{_e(kind)}" role="alert">{found}</div>' if found else ""


def show_runs(runs: RunList, chosen: str | None, is_paused: bool) -> str:
    """The list of runs: one button a run, under the days."""
    if not runs.days:
        return _show_empty(runs.total, is_paused)
    days = "".join(
        f'<h3 class="sdpipe-day">{_e(day)}</h3><ul>{"".join(_show_row(row, row.run_id == chosen) for row in rows)}</ul>'
        for day, rows in runs.days
    )
    running = " data-sdpipe-running" if runs.is_running else ""
    return f'<nav class="sdpipe-runs" aria-label="Runs"{running}>{days}</nav>'


def show_run(run: RunFacts) -> str:
    """The chosen run above its images."""
    parts = [
        f'<h3 class="sdpipe-title" dir="auto">{_e(run.label)}</h3>',
        f'<p class="sdpipe-summary">{_show_status(run.status)}{_dots(run.summary)}</p>',
        f'<p class="sdpipe-id"><code>{_e(run.run_id)}</code></p>',
        _show_box("error", [run.error] if run.error else []),
        _show_box("warning", run.problems),
    ]
    if run.facts:
        parts.append(f"<details><summary>More about this run</summary>{_show_facts(run.facts)}</details>")
    return f'<section class="sdpipe-run-facts" aria-label="Chosen run">{"".join(parts)}</section>'


def show_image(image: ImageView, run_id: str, number: int) -> str:
    """The chosen image below its picture: lineage, prompts, settings, infotext. `number` is its thumbnail's, from 0."""
    parts = [
        _mark_thumbnail(number),
        f'<h3 class="sdpipe-title">{_e(image.title)}</h3>',
        f'<p class="sdpipe-summary">{_dots(image.summary)}</p>',
        f'<p class="sdpipe-id"><code>{_e(image.place)}</code></p>' if image.place else "",
        _show_box("warning", image.notices),
        _show_lineage(image.lineage, run_id),
        _show_members(image.members, run_id),
        _show_text("Prompt", image.prompt),
        _show_text("Negative prompt", image.negative_prompt),
        f"<h4>Settings</h4>{_show_facts(image.settings)}" if image.settings else "",
    ]
    if image.infotext:
        parts.append(
            f"<details><summary>Infotext</summary>{_COPY}"
            f'<pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="Infotext">{_e(image.infotext)}</pre></details>'
        )
    return f'<section class="sdpipe-image-facts" aria-label="Chosen image">{"".join(parts)}</section>'


def show_hint(sentence: str) -> str:
    return f'<p class="sdpipe-quiet">{_e(sentence)}</p>'


_COPY = '<button type="button" class="sdpipe-copy" data-sdpipe-copy>Copy</button>'


def _e(text: object) -> str:
    """HTML of a text. Half a surrogate pair, which no page can carry, becomes a question mark."""
    return escape(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def _mark_thumbnail(number: int) -> str:
    """A rule for one thumbnail: gradio 3.41 cannot be told which one is chosen, and later versions forget it on an update."""
    thumbnail = f"#sdpipe_run_gallery .grid-container > :nth-child({number + 1})"
    return f"<style>{thumbnail} {{ outline: 3px solid var(--sdpipe-edge); outline-offset: -1px; border-radius: 6px; }}</style>"


def _show_empty(total: int, is_paused: bool) -> str:
    if total:
        return show_hint("There are no older runs.")
    if is_paused:
        return show_hint("No runs yet, and recording is paused. Untick “Pause recording” and press Generate.")
    return (
        '<div class="sdpipe-quiet"><p><strong>No runs yet.</strong></p><p>Press Generate in txt2img or img2img: every press becomes'
        " a run, listed here with its images, their settings and what they were made from.</p></div>"
    )


def _show_row(row: RunRow, is_chosen: bool) -> str:
    more = _dots([row.images, row.stages, row.source])
    current = ' aria-current="true"' if is_chosen else ""
    return (
        f'<li><button type="button" class="sdpipe-run" data-sdpipe-run="{_e(row.run_id)}" title="{_e(row.run_id)}"{current}>'
        f'<span class="sdpipe-run-label" dir="auto">{_e(row.label)}</span>'
        f'<span class="sdpipe-run-when" title="{_e(row.moment)}">{_e(row.when)}</span>'
        f'<span class="sdpipe-run-more">{_show_status(row.status)}{more}</span></button></li>'
    )


def _show_status(status: Status) -> str:
    return (
        f'<span class="sdpipe-status sdpipe-status-{_e(status.kind)}"><span aria-hidden="true">{_e(status.sign)}</span> '
        f"{_e(status.word)}</span>"
    )


def _show_box(kind: str, sentences: list[str]) -> str:
    return f'<div class="sdpipe-box sdpipe-box-{kind}">{"".join(f"<p>{_e(text)}</p>" for text in sentences)}</div>' if sentences else ""


def _dots(texts: list[str]) -> str:
    return "".join(f'<span class="sdpipe-dot">{_e(text)}</span>' for text in texts if text)


def _show_facts(facts: list[Fact]) -> str:
    rows = "".join(
        f"<div><dt>{_e(fact.name)}</dt><dd>{_show_link(fact.link, None) if fact.link else _e(fact.value)}</dd></div>" for fact in facts
    )
    return f'<dl class="sdpipe-facts">{rows}</dl>'


def _show_text(name: str, text: str) -> str:
    if not text:
        return ""
    shown = f'<pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="{_e(name)}">{_e(text)}</pre>'
    return f'<div class="sdpipe-copyable"><h4>{_e(name)}</h4>{_COPY}{shown}</div>'


def _show_link(link: ImageLink, own_run: str | None) -> str:
    """A button that opens a recorded image; its run is named beside it unless it is the one that is open."""
    if not link.run_id:
        return _e(link.name or "")
    name = f' data-sdpipe-name="{_e(link.name)}"' if link.name else ""
    button = f'<button type="button" class="sdpipe-link" data-sdpipe-run="{_e(link.run_id)}"{name}>{_e(link.name or link.run_id)}</button>'
    if not link.name:
        return button
    where = "in this run" if link.run_id == own_run else f"in {link.run_id}"
    return f'{button} <span class="sdpipe-where">{_e(where)}</span>'


def _show_lineage(nodes: list[LineageNode], run_id: str) -> str:
    items = "".join(_show_node(node, run_id) for node in nodes)
    return f'<h4>Lineage</h4><ol class="sdpipe-lineage">{items}</ol>'


def _show_node(node: LineageNode, run_id: str) -> str:
    if node.is_this:
        where = f'<span class="sdpipe-where">{_e(node.name or "")}, this image</span>'
    elif node.name or (node.evidence and node.run_id):
        where = _show_link(ImageLink(run_id=node.run_id, name=node.name), run_id)
    else:
        where = '<span class="sdpipe-where">not saved</span>'
    evidence = f'<div class="sdpipe-evidence">Parent, known by: {_e(node.evidence)}</div>' if node.evidence else ""
    also = "".join(f'<div class="sdpipe-evidence">Its text names {_show_link(link, run_id)}</div>' for link in node.also)
    current = ' aria-current="true"' if node.is_this else ""
    return (
        f'<li{current}><div class="sdpipe-node"><strong>{_e(node.title)}</strong> {where}</div>'
        f'<div class="sdpipe-node-facts">{_dots(node.facts)}</div>{evidence}{also}</li>'
    )


def _show_members(members: list[ImageLink], run_id: str) -> str:
    if not members:
        return ""
    links = " ".join(f"<li>{_show_link(link, run_id)}</li>" for link in members)
    return f'<h4>Images in this grid</h4><ul class="sdpipe-members">{links}</ul>'

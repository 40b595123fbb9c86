"""HTML of the open run and the open image."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.actions.markup import show_run_actions
from lib_sdpipe.ui.html_text import COPY, ask_attributes, ask_button, dots, e, show_box, show_facts, show_link, show_status, show_text
from lib_sdpipe.ui.pipelines.buttons import show_run_buttons
from lib_sdpipe.ui.run.image_facts import ImageView
from lib_sdpipe.ui.run.present import RunFacts
from lib_sdpipe.ui.run.stages import Bar, StageTable
from lib_sdpipe.ui.run.verdict_markup import show_verdict
from lib_sdpipe.ui.words import Fact
from lib_sdpipe.workspace.page_address import build_input_address, build_thumbnail_address
from lib_sdpipe.workspace.shown_file import IN_BIN

# From so many columns on they stand closer, or the last ones would be cut.
_MANY_STAGES = 4


def show_run(run: RunFacts, can_open_folder: bool) -> str:
    """The chosen run above its images."""
    folder = ask_button("Open folder", "open_folder", {"run": run.run_id}) if can_open_folder else ""
    compare = ask_button("Compare", "compare", {"runs": [run.run_id]}, "compare")
    bin_ = ask_button("Bin", "bin", {"do": "preview", "runs": [run.run_id]}, "bin")
    title = f'<h3 class="sdpipe-title" dir="auto">{e(run.label)}</h3><code>{e(run.run_id)}</code>'
    parts = [
        f'<div class="sdpipe-title-row">{title}{show_run_buttons(run.run_id)}{folder}{compare}{bin_}{show_run_actions(run.run_id)}</div>',
        f'<p class="sdpipe-summary">{show_status(run.status)}{dots(run.summary)}</p>',
        show_box("error", [run.error] if run.error else []),
        show_box("warning", run.problems),
        show_verdict(run.verdict, run.run_id) if run.verdict is not None else "",
    ]
    if run.facts:
        more = f'{show_facts(run.facts)}{show_bars("How long its stages took together", run.timings)}'
        parts.append(f"<details><summary>More about this run</summary>{more}</details>")
    opened = f'data-sdpipe-open-run="{e(run.run_id)}"'
    return f'<section class="sdpipe-run-facts" aria-label="Chosen run" {opened}>{"".join(parts)}</section>'


@dataclass(frozen=True)
class Picture:
    """The large picture: `full` is its address, `shown` that of what stands here, both None where `absence` says why.

    `link` is what it is asked for by; `before` and `after` the same of its neighbours. `place` is its number in the run.
    """

    link: Json
    alt: str
    full: str | None
    shown: str | None
    absence: str = ""
    place: str = ""
    before: Json | None = None
    after: Json | None = None
    width: int | None = None
    height: int | None = None
    can_open_folder: bool = False


def show_picture(picture: Picture) -> str:
    """The chosen image, large, with the ways to the next."""
    if picture.full is None or picture.shown is None:
        shown = f'<div class="sdpipe-absent"><span aria-hidden="true">✕</span> {e(picture.absence)}</div>'
    else:
        size = f' width="{picture.width}" height="{picture.height}"' if picture.width and picture.height else ""
        shown = (
            f'<a class="sdpipe-large" href="{e(picture.full)}" target="_blank" rel="noopener" data-sdpipe-view aria-label="View large">'
            f'<img src="{e(picture.shown)}" alt="{e(picture.alt)}"{size} decoding="sync"></a>'
        )
    ways = [
        _step_button("‹", "Image before", picture.before), f'<span class="sdpipe-place">{e(picture.place)}</span>',
        _step_button("›", "Next image", picture.after),
    ] if picture.place else []
    buttons = [
        *ways, "" if picture.full is None else '<button type="button" class="sdpipe-button" data-sdpipe-view>View large</button>',
        ask_button("Open folder", "open_folder", picture.link) if picture.can_open_folder and picture.full is not None else "",
        ask_button("Compare", "compare", {"images": [picture.link]}, "compare"),
        _bin_button(picture),
    ]
    opened = e(json.dumps(picture.link, sort_keys=True))
    actions = f'<figcaption class="sdpipe-actions">{"".join(buttons)}</figcaption>'
    return f'<figure class="sdpipe-picture" data-sdpipe-open-image="{opened}">{shown}{actions}</figure>'


def _bin_button(picture: Picture) -> str:
    if picture.absence == words.name_absence(IN_BIN):
        return ask_button("Open the bin", "bin", {"do": "look"}, "bin")
    return ask_button("Bin", "bin", {"do": "preview", "images": [picture.link]}, "bin")


def _step_button(sign: str, label: str, link: Json | None) -> str:
    asks = ask_attributes("open", link) if link is not None else "disabled"
    return f'<button type="button" class="sdpipe-button" {asks} aria-label="{e(label)}">{sign}</button>'


def show_file_head(place: str) -> str:
    """The head of an image that no run recorded."""
    return (
        f'<section class="sdpipe-run-facts" aria-label="Chosen image"><div class="sdpipe-title-row"><h3 class="sdpipe-title">Without a run'
        f'</h3><code>{e(place)}</code></div><p class="sdpipe-summary">This image was not recorded. What follows is what its file tells.'
        "</p></section>"
    )


def show_image(image: ImageView, run_id: str, actions: str = "") -> str:
    """The chosen image beside its picture: prompts, settings of each stage, timings, infotext. `actions` is HTML."""
    parts = [
        f'<h3 class="sdpipe-title">{e(image.title)}</h3>',
        f'<p class="sdpipe-summary">{dots(image.summary)}</p>',
        actions,
        f'<p class="sdpipe-id"><code>{e(image.place)}</code></p>' if image.place else "",
        show_box("warning", image.notices),
        "".join(_show_parent(how, link, run_id) for how, link in image.parentage),
        show_text("Prompt", image.prompt),
        show_text("Negative prompt", image.negative_prompt),
        _show_settings(image.stages, image.settings),
        show_bars("How long each stage took", image.timings if len(image.timings) > 1 else []),
        _show_inputs(image.inputs, run_id),
        _show_members(image.members, run_id),
    ]
    if image.infotext:
        parts.append(
            f"<details><summary>Infotext</summary>{COPY}"
            f'<pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="Infotext">{e(image.infotext)}</pre></details>'
        )
    return f'<section class="sdpipe-image-facts" aria-label="Chosen image">{"".join(parts)}</section>'


def _show_parent(how: str | None, link: ImageLink, run_id: str) -> str:
    told = f"Made from {show_link(link, run_id)}: {e(how)}" if how else f"Its text names {show_link(link, run_id)}"
    return f'<p class="sdpipe-parentage">{told}</p>'


def _show_settings(table: StageTable, facts: list[Fact]) -> str:
    if len(table.columns) == 1:
        facts = [*(Fact(name, cells[0].text) for name, cells in table.rows), *facts]
        return f"<h4>Settings</h4>{show_facts(facts)}" if facts else ""
    head = "".join(f'<th scope="col"{_this(column.is_this)}>{_column_title(column.title, column.link)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{e(name)}</th>'
        + "".join(f'<td{" class=sdpipe-changed" if cell.is_changed else ""}>{e(cell.text)}</td>' for cell in cells) + "</tr>"
        for name, cells in table.rows
    )
    return (
        '<h4>Settings of each stage</h4><p class="sdpipe-hint">What changed from stage to stage is marked.</p>'
        '<div class="sdpipe-table-box" tabindex="0" role="region" aria-label="Settings of each stage">'
        f'<table class="{_table_classes(table)}">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>{show_facts(facts) if facts else ''}"
    )


def _table_classes(table: StageTable) -> str:
    return "sdpipe-stage-table" if len(table.columns) < _MANY_STAGES else "sdpipe-stage-table sdpipe-many-stages"


def _this(is_this: bool) -> str:
    return ' aria-current="true"' if is_this else ""


def _column_title(title: str, link: ImageLink | None) -> str:
    if link is None or not link.run_id:
        return e(title)
    return ask_button(title, "open", {"run": link.run_id, "name": link.name}, kind="sdpipe-link")


def show_bars(title: str, bars: list[Bar]) -> str:
    """Durations; the length of a bar is its share of the longest."""
    rows = "".join(
        f'<div><dt>{e(bar.title)}</dt><dd><span class="sdpipe-bar" style="width:{bar.share * 100:.0f}%"></span>{e(bar.text)}</dd></div>'
        for bar in bars
    )
    return f'<h4>{e(title)}</h4><dl class="sdpipe-bars">{rows}</dl>' if rows else ""


def _show_inputs(inputs: list[tuple[str, str | ImageLink]], run_id: str) -> str:
    items = "".join(f"<li>{_show_input(name, picture, run_id)}</li>" for name, picture in inputs)
    return f'<h4>Pictures that went in</h4><ul class="sdpipe-inputs">{items}</ul>' if items else ""


def _show_input(field: str, picture: str | ImageLink, run_id: str) -> str:
    name = {"init_images": "input picture", "image": "input picture", "mask": "mask"}.get(field, field.replace("_", " "))
    if isinstance(picture, str):
        small, full = build_input_address(picture, is_small=True), build_input_address(picture)
        shown = f'<img src="{e(small)}" alt="{e(name)}" loading="lazy" data-sdpipe-thumbnail>'
        return f'<a href="{e(full)}" target="_blank" rel="noopener">{shown}</a><span>{e(name)}</span>'
    small = build_thumbnail_address(picture.run_id or "", picture.name or "")
    asks = ask_attributes("open", {"run": picture.run_id, "name": picture.name})
    shown = f'<img src="{e(small)}" alt="{e(name)}" loading="lazy" data-sdpipe-thumbnail>'
    where = picture.name if picture.run_id == run_id else f"{picture.name} in {picture.run_id}"
    return f'<button type="button" {asks} title="{e(where)}">{shown}</button><span>{e(name)}</span>'


def _show_members(members: list[ImageLink], run_id: str) -> str:
    if not members:
        return ""
    links = " ".join(f"<li>{show_link(link, run_id)}</li>" for link in members)
    return f'<details><summary>Images in this grid ({len(members):,})</summary><ul class="sdpipe-members">{links}</ul></details>'

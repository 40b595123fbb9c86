"""HTML of the verdict on a run that made something again."""

from __future__ import annotations

from lib_sdpipe.ui.html_text import ask_button, dots, e, show_link, show_status
from lib_sdpipe.ui.run.verdict import ComparedView, VerdictView
from lib_sdpipe.workspace.page_address import build_thumbnail_address

_OPEN_UP_TO = 6


def show_verdict(view: VerdictView, run_id: str) -> str:
    of = f"Made again: {show_link(view.of, run_id)}" if view.of is not None else "Made again"
    status = show_status(view.status) if view.status is not None else ""
    rows = "".join(_show_image(image, run_id) for image in view.images)
    more = f'<p class="sdpipe-where">and {view.more_images:,} more</p>' if view.more_images else ""
    images = f'<ul class="sdpipe-verdicts">{rows}</ul>{more}'
    if len(view.images) > _OPEN_UP_TO:
        images = f"<details><summary>Each image ({len(view.images):,})</summary>{images}</details>"
    return (
        f'<section class="sdpipe-verdict" aria-label="Verdict"><p class="sdpipe-summary">{status}<span>{of}</span></p>'
        f'{images if view.images else ""}{_show_changes(view)}</section>'
    )


def _show_image(image: ComparedView, run_id: str) -> str:
    name = image.name or (image.of.name if image.of else "") or ""
    compare = picture = ""
    if image.name:
        picture = f'<img src="{e(build_thumbnail_address(run_id, image.name))}" alt="" loading="lazy">'
    if image.name and image.of is not None:
        pair = [{"run": image.of.run_id, "name": image.of.name}, {"run": run_id, "name": image.name}]
        compare = ask_button("Compare", "compare", {"images": pair}, "compare")
    return (
        f'<li>{picture}<span class="sdpipe-verdict-text"><code>{e(name)}</code> {show_status(image.status)}'
        f'{dots(image.facts)}</span>{compare}</li>'
    )


def _show_changes(view: VerdictView) -> str:
    """Of a re-run that came out the same there is no cause to look for."""
    if not view.changes:
        return ""
    rows = "".join(
        f'<tr><th scope="row" translate="no">{e(name)}</th><td dir="auto">{e(then)}</td><td dir="auto">{e(now)}</td></tr>'
        for name, then, now in view.changes
    )
    more = f'<p class="sdpipe-where">and {view.more_changes:,} more</p>' if view.more_changes else ""
    opened = " open" if view.status is not None and view.status.kind != "completed" else ""
    return (
        f"<details{opened}><summary>What has changed since, the likeliest cause first ({len(view.changes):,})</summary>"
        '<div class="sdpipe-table-box"><table class="sdpipe-stage-table"><thead><tr><th scope="col">Field</th><th scope="col">Before</th>'
        f'<th scope="col">Now</th></tr></thead><tbody>{rows}</tbody></table></div>{more}</details>'
    )

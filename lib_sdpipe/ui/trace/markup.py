"""HTML of the Trace section."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, dots, e, show_facts, show_hint, show_link, show_status, show_text
from lib_sdpipe.ui.trace.present import DifferenceRow, MatchView, Sureness

EMPTY = (
    '<div class="sdpipe-trace sdpipe-quiet"><p>Drop any image above, or paste one with Ctrl+V: renamed, made smaller, saved as JPEG or'
    " stripped of its text as it may be. You see which run made it, and what has changed in it since.</p></div>"
)


@dataclass(frozen=True)
class DroppedView:
    """The picture that was dropped; `address` shows it small."""

    name: str
    facts: list[str]
    address: str
    infotext: str


def show_working(name: str) -> str:
    return (
        f'<div class="sdpipe-trace"><div class="sdpipe-progress" data-sdpipe-tracing role="status"><div><strong>Looking for</strong> '
        f'<span class="sdpipe-dot">{e(name)}</span></div><progress aria-label="Looking for it"></progress></div></div>'
    )


def show_fault(sentence: str) -> str:
    return f'<div class="sdpipe-trace"><div class="sdpipe-box sdpipe-box-error" role="alert"><p>{e(sentence)}</p></div></div>'


def show_traced(dropped: DroppedView, sure: Sureness, matches: list[MatchView], addresses: list[str | None], left: int) -> str:
    """`addresses` of the recorded pictures, None for one that has no file."""
    parts = [_show_verdict(sure)]
    if len(matches) == 1:
        parts.append(_show_one(dropped, matches[0], addresses[0]))
    else:
        parts.append(_show_several(dropped, matches, addresses, left))
    return f'<div class="sdpipe-trace">{"".join(parts)}</div>'


def _show_verdict(sure: Sureness) -> str:
    by = f' <span class="sdpipe-trace-by">{e("Known by: " + sure.evidence)}</span>' if sure.evidence else ""
    return (
        f'<div class="sdpipe-sure sdpipe-sure-{e(sure.kind)}" role="status"><p><strong>{e(sure.word)}</strong>{by}</p>'
        f"<p>{e(sure.reason)}</p></div>"
    )


def _show_one(dropped: DroppedView, match: MatchView, address: str | None) -> str:
    return (
        f'<div class="sdpipe-traces">{_show_dropped(dropped)}{_show_recorded(match, address)}</div>'
        f'{_show_rows(match.rows)}{_show_texts(match)}{_show_relatives(match)}'
    )


def _show_several(dropped: DroppedView, matches: list[MatchView], addresses: list[str | None], left: int) -> str:
    cards = "".join(_show_recorded(match, address) for match, address in zip(matches, addresses))
    more = show_hint(f"And {left:,} more that fit as well.") if left else ""
    compare = ""
    if len(matches) > 1:
        images = [{"run": match.link.run_id, "name": match.link.name} for match in matches[:4]]
        compare = ask_button("Compare the first of these", "compare", {"images": images}, "compare")
    text = ""
    if not matches and dropped.infotext:
        text = f"<h4>What its own text says</h4>{show_text('Infotext', dropped.infotext)}"
    nothing = ""
    if not matches:
        hint = "If its original lies in a folder that SDPipe has not looked at yet, check the library once in Repair, and try again."
        nothing = show_hint(hint)
    return f'<div class="sdpipe-traces">{_show_dropped(dropped)}{cards}</div>{more}{compare}{nothing}{text}'


def _show_dropped(dropped: DroppedView) -> str:
    return (
        f'<figure class="sdpipe-card sdpipe-traced"><img src="{e(dropped.address)}" alt="The dropped picture">'
        "<figcaption><strong>This picture</strong>"
        f'<span class="sdpipe-whereabouts" dir="auto">{e(dropped.name)}</span><span>{dots(dropped.facts)}</span></figcaption></figure>'
    )


def _show_recorded(match: MatchView, address: str | None) -> str:
    opened = ask_attributes("open", {"run": match.link.run_id, "name": match.link.name}, "browse")
    label = e(f"Open {match.link.name} of {match.link.run_id}")
    image = f'<img src="{e(address)}" alt="As recorded">' if address else ""
    shown = '<span class="sdpipe-no-picture">Its file is not there</span>'
    if image:
        shown = f'<button type="button" class="sdpipe-picture-button" {opened} aria-label="{label}">{image}</button>'
    prompt = f'<p class="sdpipe-trace-prompt" dir="auto">{e(match.prompt)}</p>' if match.prompt else ""
    return (
        f'<figure class="sdpipe-card sdpipe-traced">{shown}<figcaption><strong>{e(match.title)}</strong> {show_link(match.link, None)}'
        f"{show_facts(match.facts)}{prompt}</figcaption></figure>"
    )


def _show_rows(rows: list[DifferenceRow]) -> str:
    if not rows:
        return show_hint("Its record cannot be read: what has changed since is not known.")
    lines = "".join(
        f'<tr><th scope="row">{e(row.what)}</th><td>{e(row.recorded)}</td><td>{e(row.now)}</td><td>{show_status(row.verdict)}</td></tr>'
        for row in rows
    )
    head = '<th scope="col">What</th><th scope="col">Recorded</th><th scope="col">Now</th><th scope="col">Since then</th>'
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<h4>What has changed in it</h4><div class="sdpipe-difftable">{table}</div>'


def _show_texts(match: MatchView) -> str:
    if match.texts is None:
        return ""
    recorded, now = match.texts
    found = show_text("Now", now) if now else f'<h4>Now</h4>{show_hint("No text.")}'
    before = show_text("Recorded", recorded) if recorded else f'<h4>Recorded</h4>{show_hint("No text.")}'
    return f'<details><summary>Its text, as recorded and now</summary><div class="sdpipe-two">{before}{found}</div></details>'


def _show_relatives(match: MatchView) -> str:
    run = match.link.run_id
    parts = [_show_links("Made from", match.parents, run)]
    parts.append(_show_links("Other stages of it", [(link, "") for link in match.stages], run))
    parts.append(_show_links("Made from it", match.children, run))
    more = show_hint(f"And {match.more:,} more that were made from it.") if match.more else ""
    found = "".join(parts)
    if not found:
        return show_hint("As far as is recorded, it was made from no other image, and nothing was made from it.")
    return f'<div class="sdpipe-relatives">{found}{more}</div>'


def _show_links(title: str, links: list[tuple[ImageLink, str]], run: str | None) -> str:
    if not links:
        return ""
    rows = "".join(
        f'<li>{show_link(link, run)}{f" <span class=sdpipe-where>({e(note)})</span>" if note else ""}</li>' for link, note in links
    )
    return f'<section><h4>{e(title)}</h4><ul class="sdpipe-links">{rows}</ul></section>'

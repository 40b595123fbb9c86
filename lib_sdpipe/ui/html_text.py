"""Pieces of HTML that every section uses. Everything that comes from a file is escaped, by `e`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.ui.words import Fact, Status


def e(text: object) -> str:
    """HTML of a text. Half a surrogate pair, which no page can carry, becomes a question mark."""
    return escape(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def show_notice(sentences: Iterable[str], kind: str = "warning") -> str:
    """Warnings for the top of the tab; empty for none."""
    found = "".join(f"<p>{e(sentence)}</p>" for sentence in sentences if sentence)
    return f'<div class="sdpipe-box sdpipe-box-{e(kind)}" role="alert">{found}</div>' if found else ""


def show_box(kind: str, sentences: list[str]) -> str:
    return f'<div class="sdpipe-box sdpipe-box-{kind}">{"".join(f"<p>{e(text)}</p>" for text in sentences)}</div>' if sentences else ""


def show_hint(sentence: str) -> str:
    return f'<p class="sdpipe-quiet">{e(sentence)}</p>'


def dots(texts: Iterable[str]) -> str:
    """Short texts in a line, with dots between them."""
    return "".join(f'<span class="sdpipe-dot">{e(text)}</span>' for text in texts if text)


def show_status(status: Status) -> str:
    return (
        f'<span class="sdpipe-status sdpipe-status-{e(status.kind)}"><span aria-hidden="true">{e(status.sign)}</span> '
        f"{e(status.word)}</span>"
    )


def ask_attributes(name: str, data: Json, section: str | None = None, send_picked: bool = False) -> str:
    """What makes an element ask `name` of the tab when it is pressed, after the tab has turned to `section`."""
    turn = f' data-sdpipe-section="{e(section)}"' if section else ""
    picked = " data-sdpipe-send-picked" if send_picked else ""
    return f'data-sdpipe-ask="{e(name)}" data-sdpipe-with="{e(json.dumps(data, sort_keys=True))}"{turn}{picked}'


def ask_button(
    label: str, name: str, data: Json, section: str | None = None, kind: str = "sdpipe-button", send_picked: bool = False
) -> str:
    """A button that asks; `kind` is its class: `sdpipe-button`, or `sdpipe-link` for one that reads as a link."""
    return f'<button type="button" class="{e(kind)}" {ask_attributes(name, data, section, send_picked)}>{e(label)}</button>'


def show_link(link: ImageLink, own_run: str | None) -> str:
    """A button that opens a recorded image; its run is named beside it unless it is the one that is open."""
    if not link.run_id:
        return e(link.name or "")
    data = {"run": link.run_id, "name": link.name} if link.name else {"run": link.run_id}
    button = ask_button(link.name or link.run_id, "open", data, "browse", "sdpipe-link")
    if not link.name:
        return button
    where = "in this run" if link.run_id == own_run else f"in {link.run_id}"
    return f'{button} <span class="sdpipe-where">{e(where)}</span>'


def show_facts(facts: list[Fact]) -> str:
    rows = "".join(
        f"<div><dt>{e(fact.name)}</dt><dd>{show_link(fact.link, None) if fact.link else e(fact.value)}</dd></div>" for fact in facts
    )
    return f'<dl class="sdpipe-facts">{rows}</dl>'


COPY = '<button type="button" class="sdpipe-copy" data-sdpipe-copy>Copy</button>'


def show_text(name: str, text: str) -> str:
    """A text that can be copied; empty for none."""
    if not text:
        return ""
    shown = f'<pre class="sdpipe-text" dir="auto" tabindex="0" aria-label="{e(name)}">{e(text)}</pre>'
    return f'<div class="sdpipe-copyable"><h4>{e(name)}</h4>{COPY}{shown}</div>'

"""HTML of the Bin section: previews that wait for a yes, what a deed did, and what lies in the bin."""

from __future__ import annotations

from collections.abc import Mapping

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.quarantine import Purge
from lib_sdpipe.ui import words
from lib_sdpipe.ui.bin.desk import CULL, PURGE, Outcome
from lib_sdpipe.ui.bin.present import CullCard, PreviewView, TileView
from lib_sdpipe.ui.html_text import ask_attributes, dots, e, show_hint

# Before the first look; javascript/sdpipe_bin.js asks as soon as it sees this.
PENDING = '<div class="sdpipe-bin" data-sdpipe-pending></div>'
AGES = ((30.0, "Delete what is older than 30 days"), (7.0, "Delete what is older than a week"), (0.0, "Delete everything"))
_MOST_FAILED = 50
_MAIN, _DANGER = "sdpipe-button sdpipe-main-button", "sdpipe-button sdpipe-danger-button"

Addresses = Mapping[tuple[str, str], "str | None"]
"""Where a picture is found: by (cull, operation), of a preview by ("", number of the tile)."""


def do_button(label: str, data: Json, kind: str = "sdpipe-button", keep: str = "", more: str = "") -> str:
    """A button that asks for a deed of this section. The keyboard finds its place again by `keep` after the page was written anew."""
    kept = f' data-sdpipe-keep="{e(keep)}"' if keep else ""
    return f'<button type="button" class="{e(kind)}" {ask_attributes("bin", data)}{kept}{more}>{e(label)}</button>'


def show_work(name: str, phase: str, done: int, total: int | None, is_stopping: bool) -> str:
    far = f' value="{done}" max="{max(1, total)}"' if total is not None else ""
    count = f"{done:,} of {total:,}" if total else ""
    stop = do_button("Stopping …" if is_stopping else "Stop", {"do": "stop"}, keep="stop", more=" disabled" if is_stopping else "")
    return (
        f'<div class="sdpipe-working" data-sdpipe-working role="status"><div><strong>{e(name)}</strong> {_dots([phase, count])}</div>'
        f'<progress aria-label="{e(name)}"{far}></progress>{stop}</div>'
    )


def show_fault(sentence: str | None) -> str:
    return f'<div class="sdpipe-box sdpipe-box-error" role="alert"><p>{e(sentence)}</p></div>' if sentence else ""


def show_preview(preview: PreviewView, preview_id: str, addresses: Addresses) -> str:
    """What would go to the bin; only its button does it."""
    tiles = "".join(_show_tile(tile, addresses.get(("", str(number)))) for number, tile in enumerate(preview.tiles))
    more = show_hint(f"and {preview.more:,} more") if preview.more else ""
    runs = f'<p>{e("Then these runs are hidden in lists: " + ", ".join(preview.runs))}</p>' if preview.runs else ""
    children = (
        f'<p>{e(words.format_count(preview.has_children, "image"))} {"was" if preview.has_children == 1 else "were"} used for others.'
        " Those stay, and show where they came from.</p>" if preview.has_children else ""
    )
    what = _count(preview)
    title = f"Move {what} ({preview.size}) to the bin?" if what else "Nothing of this can go to the bin."
    yes = do_button(
        f"Move {what} to the bin", {"do": "cull", "preview": preview_id}, _MAIN, "cull", " data-sdpipe-clears-picks"
    ) if what else ""
    back = "They can be restored from here at any time." if what else ""
    return (
        f'<section class="sdpipe-card sdpipe-confirm" aria-label="{e(title)}"><h3>{e(title)}</h3>{_show_failed(preview.refused, "Stays:")}'
        f'<ul class="sdpipe-binned-list">{tiles}</ul>{more}{children}{runs}<div class="sdpipe-deeds">{yes}'
        f'{do_button("Cancel", {"do": "drop", "preview": preview_id}, keep="drop")}<span class="sdpipe-quiet">{back}</span></div></section>'
    )


def show_purge(found: Purge, preview_id: str) -> str:
    """What would be deleted for good; only its button does it."""
    size = words.format_bytes(found.bytes)
    if not found.files:
        title, yes = "Nothing of that age is set aside.", ""
    else:
        title = f"Delete {words.format_count(found.files, 'file')} ({size}) for good?"
        yes = do_button(
            f"Delete {words.format_count(found.files, 'file')} for good", {"do": "purge", "preview": preview_id}, _DANGER, "purge"
        )
    failed = tuple((one["id"], one["reason"]) for one in found.failed)
    hint = "They are then gone from the disk, and neither the bin nor an undo brings them back. The records of the images stay."
    return (
        f'<section class="sdpipe-card sdpipe-confirm" aria-label="{e(title)}"><h3>{e(title)}</h3>{show_hint(hint) if yes else ""}'
        f'{_show_failed(failed, "Cannot be counted:")}<div class="sdpipe-deeds">{yes}'
        f'{do_button("Cancel" if yes else "Close", {"do": "drop", "preview": preview_id}, keep="drop")}</div>'
        "</section>"
    )


def show_outcome(outcome: Outcome) -> str:
    if outcome.deed == CULL:
        done = f"{words.format_count(outcome.count, 'image')} moved to the bin."
    elif outcome.deed == PURGE:
        done = f"{words.format_count(outcome.count, 'file')} deleted for good, {words.format_bytes(outcome.bytes)} freed."
    else:
        done = f"{words.format_count(outcome.count, 'image')} restored."
    stopped = " It was stopped before the rest." if outcome.is_stopped else ""
    undo = do_button("Undo", {"do": "restore", "cull": outcome.apply_id}, keep="undo") if outcome.apply_id and outcome.count else ""
    return (
        f'<section class="sdpipe-card" role="status"><div class="sdpipe-deeds"><strong>{e(done + stopped)}</strong>{undo}'
        f'{do_button("Close", {"do": "close"}, keep="close")}</div>{_show_failed(outcome.failed, "Left as it is:")}</section>'
    )


def show_head(files: int, size: str, can_purge: bool) -> str:
    """All that is set aside, and the ways to be rid of it."""
    if not files:
        return show_hint("The bin is empty. What you throw away lies here until you delete it for good, and can be restored.")
    ways = "".join(do_button(label, {"do": "purge-preview", "days": days}, keep=f"age-{days:g}") for days, label in AGES)
    chosen = do_button("Restore the chosen", {"do": "restore-chosen"}, _MAIN, "chosen", " data-sdpipe-bin-restore hidden")
    menu = (
        f'<details class="sdpipe-empty-bin"><summary class="sdpipe-button">Empty the bin</summary><div class="sdpipe-deeds">{ways}</div>'
        "</details>" if can_purge else ""
    )
    held = _dots([f"{words.format_count(files, 'file')} set aside", size])
    return f'<div class="sdpipe-card sdpipe-deeds sdpipe-bin-head"><strong>In the bin</strong>{held}{chosen}{menu}</div>'


def show_cull(card: CullCard, addresses: Addresses) -> str:
    tiles = "".join(_show_tile(tile, addresses.get((card.apply_id, tile.op)), card.apply_id) for tile in card.tiles)
    more = do_button(
        f"Show {card.more:,} more", {"do": "open", "cull": card.apply_id}, "sdpipe-link", f"more-{card.apply_id}"
    ) if card.more else ""
    stopped = (
        '<div class="sdpipe-box sdpipe-box-warning"><p>This was stopped half way. What was begun is put in order with the next deed here.'
        "</p></div>" if card.is_stopped else ""
    )
    what = words.format_count(card.count, "image")
    restore = do_button(f"Restore all {card.count:,}" if card.count > 1 else "Restore", {"do": "restore", "cull": card.apply_id},
                        keep=f"all-{card.apply_id}")
    return (
        f'<section class="sdpipe-card" aria-label="{e(card.when)}"><div class="sdpipe-sheet-head"><h3>{e(card.when)}</h3>'
        f'{_dots([what, card.size])}{restore}</div>{stopped}<ul class="sdpipe-binned-list">{tiles}</ul>{more}</section>'
    )


def show_pager(is_first: bool, next_cull: str | None) -> str:
    newest = do_button("Newest", {"do": "turn"}, keep="newest") if not is_first else ""
    older = do_button("Older", {"do": "turn", "after": next_cull}, keep="older") if next_cull is not None else ""
    return f'<nav class="sdpipe-turn" aria-label="Pages">{newest}{older}</nav>' if newest or older else ""


def _count(preview: PreviewView) -> str:
    parts = [words.format_count(preview.count, "image")] if preview.count else []
    parts += [words.format_count(preview.empty_runs, "run") + " without images"] if preview.empty_runs else []
    return " and ".join(parts)


def _dots(texts: list[str]) -> str:
    return f'<span class="sdpipe-quiet">{dots(texts)}</span>'


def _show_tile(tile: TileView, address: str | None, apply_id: str | None = None) -> str:
    picture = (
        f'<img src="{e(address)}" alt="" loading="lazy" decoding="async">' if address
        else f'<span class="sdpipe-no-look">{"No picture" if tile.has_picture else "No file"}</span>'
    )
    notes = "".join(f'<span class="sdpipe-binned-note">{e(note)}</span>' for note in tile.notes)
    notes += "".join(f'<span class="sdpipe-binned-note sdpipe-binned-warning">{e(note)}</span>' for note in tile.warnings)
    name = f'<strong>{e(tile.title)}</strong><span dir="auto">{e(tile.where)}</span><span>{e(tile.size)}</span>{notes}'
    if apply_id is None:
        return f'<li class="sdpipe-binned"><div class="sdpipe-binned-look">{picture}</div><div class="sdpipe-binned-text">{name}</div></li>'
    chosen = e(f'{{"cull": "{apply_id}", "op": "{tile.op}"}}')
    one = do_button(
        "Restore", {"do": "restore", "cull": apply_id, "ops": [tile.op]}, "sdpipe-link", f"one-{apply_id}-{tile.op}",
        f' aria-label="{e(f"Restore {tile.title}")}"',
    )
    return (
        f'<li class="sdpipe-binned"><label class="sdpipe-binned-look">{picture}<input type="checkbox" data-sdpipe-binned="{chosen}"'
        f' aria-label="{e(f"Choose {tile.title}")}"></label><div class="sdpipe-binned-text">{name}{one}</div></li>'
    )


def _show_failed(failed: tuple[tuple[str, str], ...], title: str) -> str:
    if not failed:
        return ""
    lines = "".join(f"<li><strong>{e(what)}</strong> {e(why)}</li>" for what, why in failed[:_MOST_FAILED])
    more = f"<li>{e(f'and {len(failed) - _MOST_FAILED:,} more')}</li>" if len(failed) > _MOST_FAILED else ""
    return f'<div class="sdpipe-box sdpipe-box-warning"><p>{e(title)}</p><ul>{lines}{more}</ul></div>'

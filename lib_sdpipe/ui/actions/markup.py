"""HTML of the actions: buttons beside an image, the card with a download that is ready."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import ask_attributes, ask_button, e

_TARGET_WORDS = {"extras": "Extras"}


@dataclass(frozen=True)
class ImageTexts:
    """What can be copied of an image; empty for what is not known."""

    infotext: str = ""
    prompt: str = ""
    seed: str = ""


@dataclass(frozen=True)
class FileLink:
    """Where the browser finds the image in full size, and what its file is called."""

    address: str
    name: str


@dataclass(frozen=True)
class Ready:
    """A download that waits. `count` says how many files, `notes` what there is to know about it."""

    address: str
    file_name: str
    count: str
    size: str
    notes: list[str]


def show_actions(image: Json, texts: ImageTexts, targets: tuple[str, ...], file: FileLink | None, more: str = "") -> str:
    """`image`: `run` and `name`, or `root` and `path`. Without a file only settings can be sent, and nothing be downloaded.

    `more`: HTML of the buttons that lead to Pipelines.
    """
    possible = [target for target in targets if (texts.infotext if target == "txt2img" else file)]
    send = [_ask(_TARGET_WORDS.get(target, target), f"Send to {target}", "send", {**image, "to": target}) for target in possible]
    copy = [
        f'<button type="button" class="sdpipe-button" data-sdpipe-copy-text="{e(text)}" aria-label="Copy {name}">{e(name)}</button>'
        for name, text in (("infotext", texts.infotext), ("prompt", texts.prompt), ("seed", texts.seed)) if text
    ]
    download = [
        f'<a class="sdpipe-button" href="{e(file.address)}" download="{e(file.name)}" aria-label="Download the file as it is">As it is</a>',
        _ask("Without prompt", "Download a copy for sharing, without prompt and settings", "share", image),
    ] if file else []
    groups = (("Pipelines", [more] if more else []), ("Send to", send), ("Copy", copy), ("Download", download))
    shown = "".join(
        f'<div class="sdpipe-action-group" role="group" aria-label="{label}"><span>{label}</span>{"".join(buttons)}</div>'
        for label, buttons in groups if buttons
    )
    return f'<div class="sdpipe-image-actions">{shown}</div>' if shown else ""


def show_run_actions(run_id: str) -> str:
    """For the head of a run."""
    return ask_button("Download as zip", "zip", {"run": run_id})


def show_picked_actions() -> str:
    """For the bar of what is picked."""
    return (
        ask_button("Download as zip", "zip", {}, send_picked=True) + ask_button("Copies without prompt", "share", {}, send_picked=True)
    )


def show_download(ready: Ready) -> str:
    notes = "".join(f"<p>{e(note)}</p>" for note in ready.notes)
    close = f'<button type="button" class="sdpipe-link" {ask_attributes("close_download", {})}>Close</button>'
    return (
        f'<section class="sdpipe-download" role="status" aria-label="Download"><p><strong>{e(ready.file_name)}</strong></p>'
        f'<p class="sdpipe-download-size">{e(", ".join(part for part in (ready.count, ready.size) if part))}</p>{notes}'
        f'<p class="sdpipe-download-buttons"><a class="sdpipe-button" href="{e(ready.address)}" download="{e(ready.file_name)}" '
        f'data-sdpipe-download>Download</a>{close}</p></section>'
    )


def show_pending(data: Json) -> str:
    """The card while a download is prepared; the page's script asks again with `data`."""
    return (
        f'<section class="sdpipe-download" role="status" aria-label="Download"><p data-sdpipe-pending="{e(json.dumps(data))}">'
        "Preparing the download…</p></section>"
    )


def show_ready_mark(button: str, number: int) -> str:
    """What the page's script waits for: the components are filled, and this hidden button of the host's can be pressed."""
    return f'<span data-sdpipe-ready="{e(button)}" data-sdpipe-number="{number}"></span>'


def format_size(size: int, is_bound: bool) -> str:
    return f"about {words.format_bytes(size)}" if is_bound else words.format_bytes(size)


def _ask(label: str, name: str, ask: str, data: Json) -> str:
    return f'<button type="button" class="sdpipe-button" {ask_attributes(ask, data)} aria-label="{e(name)}">{e(label)}</button>'

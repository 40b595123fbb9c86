"""HTML of the actions: buttons beside an image, the card with a download that is ready."""

from __future__ import annotations

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
class Ready:
    """A download that waits. `count` says how many files, `notes` what there is to know about it."""

    address: str
    file_name: str
    count: str
    size: str
    notes: list[str]


def show_actions(image: Json, texts: ImageTexts, targets: tuple[str, ...], has_file: bool) -> str:
    """`image`: `run` and `name`, or `root` and `path`. Without a file only settings can be sent, and nothing be shared."""
    possible = [target for target in targets if has_file or target == "txt2img"] if has_file or texts.infotext else []
    send = [_ask(_TARGET_WORDS.get(target, target), f"Send to {target}", "send", {**image, "to": target}) for target in possible]
    copy = [
        f'<button type="button" class="sdpipe-button" data-sdpipe-copy-text="{e(text)}" aria-label="Copy {name}">{e(name)}</button>'
        for name, text in (("infotext", texts.infotext), ("prompt", texts.prompt), ("seed", texts.seed)) if text
    ]
    share = [_ask("Copy for sharing", "Copy for sharing, without prompt and settings", "share", image)] if has_file else []
    groups = (("Send to", send), ("Copy", copy), ("Download", share))
    shown = "".join(
        f'<div class="sdpipe-action-group" role="group" aria-label="{label}"><span>{label}</span>{"".join(buttons)}</div>'
        for label, buttons in groups if buttons
    )
    return f'<div class="sdpipe-image-actions">{shown}</div>' if shown else ""


def show_run_actions(run_id: str) -> str:
    """For the head of a run."""
    return ask_button("Download as zip", "zip", {"run": run_id})


def show_download(ready: Ready) -> str:
    notes = "".join(f"<p>{e(note)}</p>" for note in ready.notes)
    close = f'<button type="button" class="sdpipe-link" {ask_attributes("close_download", {})}>Close</button>'
    return (
        f'<section class="sdpipe-download" role="status" aria-label="Download"><p><strong>{e(ready.file_name)}</strong></p>'
        f'<p class="sdpipe-download-size">{e(", ".join(part for part in (ready.count, ready.size) if part))}</p>{notes}'
        f'<p class="sdpipe-download-buttons"><a class="sdpipe-button" href="{e(ready.address)}" download="{e(ready.file_name)}" '
        f'data-sdpipe-download>Download</a>{close}</p></section>'
    )


def show_ready_mark(button: str, number: int) -> str:
    """What the page's script waits for: the components are filled, and this hidden button of the host's can be pressed."""
    return f'<span data-sdpipe-ready="{e(button)}" data-sdpipe-number="{number}"></span>'


def format_size(size: int, is_bound: bool) -> str:
    return f"about {words.format_bytes(size)}" if is_bound else words.format_bytes(size)


def _ask(label: str, name: str, ask: str, data: Json) -> str:
    return f'<button type="button" class="sdpipe-button" {ask_attributes(ask, data)} aria-label="{e(name)}">{e(label)}</button>'

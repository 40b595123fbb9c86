"""What is to be compared: images, or runs. Read from presses on the page and from what somebody typed. No gradio here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_manifest_name, is_run_id
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.workspace.picked import Pick, read_picks

MOST_IMAGES = 4
MOST_RUNS = 2
_MOST_CHARACTERS = 4_000
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Choice:
    """Either images, in the order in which they are compared, or runs. `left_out`: how many more were asked for."""

    images: tuple[Pick, ...] = ()
    runs: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class _Found:
    images: list[Pick] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)


def read_choice(ask: Ask) -> Choice:
    """What a press on the page asks to compare: `images`, `runs`, `picked`, or one image or run by itself."""
    images = _read_images([*_list(ask.data.get("images")), ask.data])
    runs = [value for value in [*_list(ask.data.get("runs")), ask.data.get("run")] if isinstance(value, str) and is_run_id(value)]
    return build_choice(images or _read_images(_list(ask.data.get("picked"))), runs)


def parse_typed(text: str) -> Choice:
    """`RUN RUN`, `RUN/NAME RUN/NAME`, or `RUN NAME NAME`: a name without a run belongs to the run before it. Raises UsageError."""
    found = _Found()
    for word in _BETWEEN.split(text[:_MOST_CHARACTERS].strip()):
        if word:
            _read_word(word, found)
    named = {pick.run_id for pick in found.images}
    runs = [run_id for run_id in found.runs if run_id not in named]
    if runs and found.images:
        raise UsageError(f"Name images or runs, not both: {runs[0]} stands there without an image.")
    return build_choice(found.images, runs)


def build_choice(images: list[Pick], runs: list[str]) -> Choice:
    """Each once, and no more than can be compared; images go before runs."""
    picks = list(dict.fromkeys(images))
    if picks:
        return Choice(images=tuple(picks[:MOST_IMAGES]), left_out=max(0, len(picks) - MOST_IMAGES))
    run_ids = list(dict.fromkeys(runs))
    return Choice(runs=tuple(run_ids[:MOST_RUNS]), left_out=max(0, len(run_ids) - MOST_RUNS))


def format_typed(choice: Choice) -> str:
    """What one would have to type for it; images without a run cannot be typed."""
    return "  ".join([f"{pick.run_id}/{pick.name}" for pick in choice.images if pick.run_id] or choice.runs)


def image_data(pick: Pick) -> Json:
    """As the page says it, so that `read_choice` understands it."""
    return {"run": pick.run_id, "name": pick.name} if pick.run_id else {"root": pick.root, "path": pick.path}


def _read_word(word: str, found: _Found) -> None:
    run_id, slash, name = word.rpartition("/")
    if slash and is_run_id(run_id) and is_manifest_name(name):
        found.images.append(Pick(run_id, name))
    elif is_run_id(word):
        found.runs.append(word)
    elif is_manifest_name(word) and found.runs:
        found.images.append(Pick(found.runs[-1], word))
    else:
        raise UsageError(f"{word[:80]!r} names neither a run nor an image of one. An image is named like this: RUN/txt2img_001.")


def _read_images(values: list[Any]) -> list[Pick]:
    return [pick for pick in read_picks(values) if pick.run_id is None or is_run_id(pick.run_id)]


def _list(value: Any) -> list[Any]:
    return value[:100] if isinstance(value, list) else []

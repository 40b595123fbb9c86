"""What the host shows of a press of Generate, with what came after it: pictures, texts and seeds stay in step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from lib_sdpipe.record.facts import Json

_LISTS = (
    ("all_prompts", "prompt"), ("all_negative_prompts", "negative_prompt"), ("all_seeds", "actual_seed"),
    ("all_subseeds", "actual_subseed"),
)


@dataclass(frozen=True)
class Shown:
    picture: Image.Image
    infotext: str | None
    manifest: Json


def add_to_gallery(processed: Any, shown: list[Shown]) -> None:
    """Behind what is there. The host's lists are shared with its processing object: new ones take their place."""
    if processed is None or not shown:
        return
    texts = list(processed.infotexts)
    # Masks that are returned have no text of their own; the page looks texts up by the picture's place.
    texts += [texts[-1] if texts else ""] * max(0, len(processed.images) - len(texts))
    processed.images = [*processed.images, *(one.picture for one in shown)]
    processed.infotexts = [*texts, *(one.infotext or "" for one in shown)]
    for name, field in _LISTS:
        known = getattr(processed, name, None)
        if isinstance(known, list) and known:
            setattr(processed, name, [*known, *(known[0] if (value := one.manifest.get(field)) is None else value for one in shown)])


def add_comment(processed: Any, text: str) -> None:
    """Under the gallery, where the host tells of its own warnings."""
    if processed is not None and isinstance(getattr(processed, "comments", None), str):
        processed.comments += f"{text}\n"

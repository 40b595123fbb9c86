"""Links to recorded images and input pictures, as files have them: names of this run, or objects that name another. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lib_sdpipe.manifest.records import ImageLink, Json

_DIGEST = re.compile(r"[0-9a-f]{64}")
# Deeper than any request of a host, and what a hostile file may cost.
_DEEPEST = 12
_MOST = 64


def read_links(values: list[Any], run_id: str | None) -> Iterator[ImageLink]:
    for value in values:
        if isinstance(value, str):
            yield ImageLink(run_id=run_id, name=value)
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            other = value.get("run_id")
            yield ImageLink(run_id=other if isinstance(other, str) else run_id, name=value["name"])


def is_input_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def find_inputs(config: Json) -> list[tuple[str, str | ImageLink]]:
    """Every picture of a request: (the field it was given in, a digest or a recorded image), each once, in their order."""
    found: dict[str, tuple[str, str | ImageLink]] = {}
    _collect(config, "", 0, found)
    return list(found.values())[:_MOST]


def _collect(value: Any, name: str, depth: int, found: dict[str, tuple[str, str | ImageLink]]) -> None:
    if depth > _DEEPEST or len(found) >= _MOST:
        return
    if isinstance(value, list):
        for item in value:
            _collect(item, name, depth + 1, found)
        return
    if not isinstance(value, dict):
        return
    digest, link = value.get("$input"), value.get("$image")
    if is_input_digest(digest):
        found.setdefault(digest, (name, digest))
    elif isinstance(link, dict):
        for image in read_links([link], None):
            if image.run_id and image.name:
                found.setdefault(f"{image.run_id}/{image.name}", (name, image))
    else:
        label = value.get("label")
        for key, item in value.items():
            _collect(item, label if key == "value" and isinstance(label, str) else str(key), depth + 1, found)

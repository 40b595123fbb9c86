"""What somebody asked of the tab: data of the page, which may be anything, and the library as whoever asks may see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.workspace import Workspace

# A page that picks more than this does it one by one; a longer text was not made by our script.
MOST_PICKED = 5_000
_MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Ask:
    """`user` is the name that the host asked for at its page, None where it asks for none."""

    data: Json
    workspace: Workspace
    user: str | None = None

    def text(self, name: str) -> str | None:
        value = self.data.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        value = self.data.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def link(self) -> ImageLink | None:
        """The run, and perhaps the image, that `run` and `name` name."""
        return read_link(self.data)

    def picked(self) -> list[ImageLink]:
        """The recorded images that are picked, each once, in the order of picking."""
        values = self.data.get("picked")
        links = [read_link(value) for value in values[:MOST_PICKED]] if isinstance(values, list) else []
        return list({(link.run_id, link.name): link for link in links if link is not None and link.name}.values())


def read_link(value: Any) -> ImageLink | None:
    """`{"run": RUN_ID, "name": NAME}`; None for anything else. Whether there is such a run is for the library to say."""
    if not isinstance(value, dict):
        return None
    run_id, name = value.get("run"), value.get("name")
    if not isinstance(run_id, str) or not is_run_id(run_id):
        return None
    return ImageLink(run_id=run_id, name=name if isinstance(name, str) and name else None)


def parse_ask(text: object) -> Json:
    """The JSON object that the page sent; an empty one for everything else."""
    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}

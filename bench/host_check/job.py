"""One call to the host: what is sent, what is to be recorded of it, what came back."""

from __future__ import annotations

import io
import json
import base64
import threading
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from host_check import pictures
from host_check.host import Json

Key = tuple[str, str, bool]  # stage, role, has a file


@dataclass(frozen=True)
class Sent:
    """A picture in a request. `source`: the job that made it. `change`: `none`, `near` (off by one) or `own` (nobody's)."""

    digest: str
    source: int | None = None
    change: str = "own"
    original: str | None = None
    text: str | None = None


UNRECORDED_FOLDER = "unrecorded"


@dataclass
class Expected:
    """What must be on record. `manifests` counts by stage, role and file, from-to; None: not to be foretold."""

    runs: tuple[int, int] = (1, 1)
    statuses: tuple[str, ...] = ("completed",)
    planned: int | None = None
    saved: int | None = None
    manifests: dict[Key, tuple[int, int]] | None = field(default_factory=dict)
    text: bool = True
    shrunk: bool = False
    axes: list[tuple[str, list[Any]]] = field(default_factory=list)
    per_cell: int = 1
    variant: str | None = None
    loops: tuple[int, int] = (0, 0)
    is_made_of_tiles: bool = False

    def add(self, stage: str, role: str, has_file: bool, least: int, most: int | None = None) -> None:
        assert self.manifests is not None
        low, high = self.manifests.get((stage, role, has_file), (0, 0))
        self.manifests[(stage, role, has_file)] = (low + least, high + (least if most is None else most))


@dataclass
class Job:
    number: int
    kind: str
    token: str
    endpoint: str = "txt2img"
    body: Json = field(default_factory=dict)
    choices: Json = field(default_factory=dict)
    label: str | None = None
    task_id: str | None = None
    press: str | None = None
    inits: list[Sent] = field(default_factory=list)
    mask: Sent | None = None
    expected: Expected = field(default_factory=Expected)
    must_fail: bool = False
    # What came back:
    status: int = 0
    images: list[str] = field(default_factory=list)
    info: Json = field(default_factory=dict)
    fault: str | None = None

    @property
    def overrides(self) -> Json:
        return self.body.setdefault("override_settings", {})

    @property
    def is_recorded(self) -> bool:
        return bool(self.choices.get("record", True))

    def take(self, status: int, body: Any) -> None:
        self.status = status
        if status != 200:
            self.fault = str(body)
            return
        self.images = body["images"] if "images" in body else [body["image"]]
        self.info = json.loads(body["info"]) if "info" in body else {}

    @property
    def answer_was_lost(self) -> bool:
        """The hosts encode an answer after they have let the next job in: its format may be one they cannot encode."""
        return self.status == 500 and "Invalid image format" in (self.fault or "")

    def first_image(self) -> int:
        return int(self.info.get("index_of_first_image") or 0)


class Pool:
    """Pictures that finished jobs have returned, for later jobs to start from. Shared by the clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: list[tuple[int, str, Image.Image, str | None]] = []

    def add(self, job: Job) -> None:
        """The first image of a job that went well; grids and masks are left out."""
        if job.expected.statuses != ("completed",) or job.expected.is_made_of_tiles or not job.is_recorded or not job.images:
            return
        if job.kind in ("xyz", "extras", "extras batch", "loopback", "prompt lines", "prompt matrix"):
            return
        encoded = job.images[job.first_image()]
        image = Image.open(io.BytesIO(base64.b64decode(encoded)))
        image.load()
        if max(image.size) <= 144 and image.format == "PNG":
            with self._lock:
                self._pictures.append((job.number, encoded, image, image.info.get("parameters")))

    def pick(self, rng: Any) -> tuple[str, Sent] | None:
        """An earlier picture as it was returned, without its text, or changed by one."""
        with self._lock:
            if not self._pictures:
                return None
            number, encoded, image, text = rng.choice(self._pictures[-60:])
        digest, way = pictures.pixel_digest(image), rng.random()
        if way < 0.5:
            return encoded, Sent(digest, number, "none", digest, text)
        if way < 0.75:
            return pictures.encode(image), Sent(digest, number, "none", digest, None)
        near = pictures.brighten(image)
        return pictures.encode(near), Sent(pictures.pixel_digest(near), number, "near", digest, None)

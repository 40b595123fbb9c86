"""Which picture stands for a recorded image on the page. Only files that Workspace found, and only those that are images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, UnidentifiedImageError

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.run.present import build_caption
from lib_sdpipe.workspace import Workspace

_EDGE = 320
# The first look at a run makes its thumbnails; Pillow decodes outside the interpreter's lock.
_THREADS = 4


@dataclass(frozen=True)
class Tile:
    """A thumbnail with its caption; a placeholder picture where there is none."""

    name: str
    picture: Path | Image.Image
    caption: str


@dataclass(frozen=True)
class Shown:
    """The file to show large, or why there is none."""

    file: Path | None
    absence: str | None


def find_tiles(workspace: Workspace, manifests: list[Manifest]) -> list[Tile]:
    """A tile for every manifest, in their order."""
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="sdpipe-thumbnails") as pool:
        return list(pool.map(lambda manifest: _find_tile(workspace, manifest), manifests))


def find_shown(workspace: Workspace, manifest: Manifest) -> Shown:
    """The image's own file. What does not open as an image is never shown: a manifest may name any file of the disk."""
    file = _find(workspace, manifest)
    if file is None:
        return Shown(None, words.NOT_SAVED if manifest.path is None and manifest.kept is None else words.FILE_MISSING)
    try:
        with Image.open(file):
            return Shown(file, None)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        return Shown(None, words.NOT_READABLE)


@lru_cache(maxsize=1)
def placeholder() -> Image.Image:
    """An empty frame that reads on a light and on a dark page; the caption says what it stands for."""
    picture = Image.new("RGB", (_EDGE, _EDGE), (128, 132, 140))
    draw = ImageDraw.Draw(picture)
    ink = (208, 211, 217)
    draw.rounded_rectangle((80, 96, 240, 224), radius=12, outline=ink, width=6)
    draw.ellipse((108, 120, 132, 144), outline=ink, width=5)
    draw.line((92, 212, 146, 160, 178, 188, 206, 164, 232, 190), fill=ink, width=6, joint="curve")
    draw.line((72, 240, 248, 80), fill=ink, width=6)
    return picture


def _find_tile(workspace: Workspace, manifest: Manifest) -> Tile:
    shown = find_shown(workspace, manifest)
    thumbnail = None
    if shown.file is not None:
        try:
            thumbnail = workspace.find_thumbnail(manifest)
        except (OSError, SdPipeError):
            thumbnail = None  # a full disk, a read-only library
    absence = shown.absence or (None if thumbnail else words.NOT_READABLE)
    return Tile(manifest.name or "", thumbnail or placeholder(), build_caption(manifest, absence))


def _find(workspace: Workspace, manifest: Manifest) -> Path | None:
    try:
        return workspace.find_picture(manifest)
    except (OSError, SdPipeError, ValueError):
        return None

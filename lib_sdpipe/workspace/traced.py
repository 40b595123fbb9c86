"""Any picture, from anywhere: which recorded image it is, what that was made from and became, and what has changed in it since."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PIL import Image

from lib_sdpipe.errors import SdPipeError, UsageError
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.read import PictureFacts, UnreadableImageError, open_regular, read_image, read_infotext
from lib_sdpipe.images.thumbnail import encode_small
from lib_sdpipe.index.children import Child, read_children
from lib_sdpipe.index.index import open_index
from lib_sdpipe.manifest.records import ImageFacts, Manifest, Run
from lib_sdpipe.reconcile.differences import Difference, find_differences
from lib_sdpipe.reconcile.trace import Match, Trace
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.tracer import Tracer
from lib_sdpipe.workspace.workspace import Workspace

# What somebody drops on the page is decoded whole, and takes some 20 bytes of memory for each of its pixels meanwhile.
MOST_BYTES = 128 << 20
MOST_PIXELS = 80_000_000
_MOST_SHOWN = 12
_MOST_CHILDREN = 200

# One at a time, whoever asks: memory holds one large picture, not as many as there are people.
_decoding = threading.Lock()


@dataclass(frozen=True)
class TracedMatch:
    """One image that the picture is, or may be. `manifest` and `run` are None where they cannot be read.

    `has_file`: whether the recorded file, or its kept copy, is there. `children` were made from it in later runs.
    """

    match: Match
    manifest: Manifest | None
    run: Run | None
    has_file: bool
    children: list[Child]
    differences: list[Difference]


@dataclass(frozen=True)
class Traced:
    """`small` is the picture as WebP, at most 320 pixels wide or high; `left` further matches are not among these."""

    name: str
    facts: PictureFacts
    infotext: str | None
    small: bytes
    trace: Trace
    matches: list[TracedMatch] = field(default_factory=list)
    left: int = 0


def trace_picture(workspace: Workspace, file: Path, name: str, rest: Callable[[], None] = lambda: None) -> Traced:
    """What the picture in `file`, which somebody calls `name`, is. The index answers as it is: the disk is not looked at.

    Raises UsageError for what is no picture, or too large a one; LockedError and SdPipeError as the index does.
    """
    _check_size(file, name)
    with _decoding:
        rest()
        facts, picture = _read(file, name)
        small, infotext = _encode(picture, name), read_infotext(picture)
        rest()
        with open_index(workspace.layout.index_places, workspace.viewer) as index:
            trace = Tracer(index, RunStore(workspace.layout), workspace.library()).trace_picture(file, facts, picture, infotext)
    library, matches = workspace.library(), []
    for match in trace.matches[:_MOST_SHOWN]:
        rest()
        matches.append(_describe(workspace, library, match, trace.by, facts, infotext))
    return Traced(name, facts, infotext, small, trace, matches, max(0, len(trace.matches) - _MOST_SHOWN))


def _check_size(file: Path, name: str) -> None:
    """By what the file says of itself, before any of it is decoded."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UsageError(f"{name}: larger than {MOST_BYTES >> 20} MB, which no picture of a WebUI is")
        with open_regular(file) as opened, Image.open(opened) as picture:
            width, height = picture.size
    except Image.DecompressionBombError as fault:
        raise UsageError(f"{name}: it has more pixels than can be looked at here; make it smaller first") from fault
    except DECODER_FAULTS as fault:
        raise UsageError(f"{name}: no picture of a kind that is known here") from fault
    if width * height > MOST_PIXELS:
        raise UsageError(f"{name}: {width} × {height} pixels are more than can be looked at here; make it smaller first")


def _read(file: Path, name: str) -> tuple[PictureFacts, Image.Image]:
    try:
        return read_image(str(file))
    except UnreadableImageError as fault:
        raise UsageError(f"{name}: {fault.reason}") from fault
    except OSError as fault:
        raise UsageError(f"{name}: it cannot be read ({fault.strerror or fault})") from fault


def _encode(picture: Image.Image, name: str) -> bytes:
    try:
        return encode_small(picture)
    except (OSError, ValueError, MemoryError) as fault:
        raise UsageError(f"{name}: it cannot be shown ({fault})") from fault


def _describe(
    workspace: Workspace, library: Library, match: Match, by: str | None, facts: PictureFacts, infotext: str | None
) -> TracedMatch:
    found, store = match.candidate, RunStore(workspace.layout)
    try:
        manifest: Manifest | None = store.read_manifest(found.run_id, found.name)
    except (SdPipeError, OSError):
        manifest = None
    try:
        run: Run | None = store.read_run(found.run_id)
    except (SdPipeError, OSError):
        run = None
    children = read_children(workspace.layout.index_places, found.run_id, _MOST_CHILDREN, workspace.viewer)
    return TracedMatch(
        match, manifest, run, _has_file(library, manifest), [child for child in children if child.parent_name == found.name],
        find_differences(manifest, ImageFacts(**asdict(facts)), infotext, by) if manifest is not None else [],
    )


def _has_file(library: Library, manifest: Manifest | None) -> bool:
    try:
        return manifest is not None and next(library.iter_files(manifest.root, manifest.path, manifest.kept), None) is not None
    except (OSError, ValueError):
        return False

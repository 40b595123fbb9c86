"""What goes into a download: all of a run, the picked images, copies of them for sharing. It is decided here, and not read yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.names import is_manifest_file
from lib_sdpipe.workspace.parcels import FilePiece, Parcel, build_copy
from lib_sdpipe.workspace.picked import IMAGE_SUFFIXES, FoundPick, Pick, find_pick
from lib_sdpipe.workspace.workspace import Workspace

MOST_PICKS = 10_000
_ZIP = "application/zip"
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif"}
_EXACT = "The same pixels, without prompt, settings, models, names and dates. It was read back, and none of them is in it."
_CLEARED = (
    "A text was hidden in its colours, so their lowest bits were cleared; it looks the same. It was read back: prompt, settings,"
    " models, names and dates are not in it."
)
_MANY = "Each copy is read back while it is made; an image that cannot be proven clean is left out, and not-included.txt says so."
# Windows takes none of these in a name; a path is kept readable otherwise.
_NO_NAME = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]|[. ]+(?=/|$)|(?<![^/])\.{1,2}(?=/|$)')


def pack_run(workspace: Workspace, run_id: str) -> Parcel:
    """The run file, marks, every manifest and every image that is there. Raises UnknownNameError."""
    view = workspace.view_run(run_id)
    layout, missing = workspace.layout, list(view.problems)
    pieces = [*_plain(layout.run_file(run_id), f"{run_id}/run_metadata.json"), *_plain(layout.marks_file(run_id), f"{run_id}/marks.json")]
    try:
        records = sorted(path for path in layout.manifests(run_id).iterdir() if is_manifest_file(path.name))
    except OSError:
        records = []
    pieces += [piece for path in records for piece in _plain(path, f"{run_id}/manifests/{path.name}")]
    names = [manifest.name for manifest in view.manifests if manifest.name]
    found = [find_pick(workspace, Pick(run_id, name)) for name in names]
    pieces += [piece for one in found if (piece := _image(one)) is not None]
    missing += _list_absent(found)
    return _zip(f"{run_id}.zip", pieces, missing)


def pack_picked(workspace: Workspace, picks: list[Pick]) -> Parcel:
    """Picked images as they are, each recorded one with its manifest. Raises UsageError for none or too many."""
    found = _find(workspace, picks)
    pieces = []
    for one in found:
        image = _image(one)
        pieces += [image] if image is not None else []
        if one.manifest is not None and one.pick.run_id is not None and one.pick.name is not None:
            record = workspace.layout.manifest_file(one.pick.run_id, one.pick.name)
            pieces += _plain(record, f"{one.pick.run_id}/manifests/{one.pick.name}.json")
    return _zip("sdpipe_images.zip", pieces, _list_absent(found))


def pack_shared(workspace: Workspace, picks: list[Pick]) -> Parcel:
    """Copies for others: one image as it is called nothing, or a zip of them. Raises UsageError; NotSharableError for a single one."""
    found = _find(workspace, picks)
    if len(found) == 1:
        copy = build_copy(found[0])
        notice = _EXACT if copy.is_exact else _CLEARED
        return Parcel(f"image{copy.suffix}", _TYPES[copy.suffix], len(copy.data), shared=found, notice=notice)
    there = [one for one in found if one.file is not None]
    missing = [f"{len(found) - len(there)} of the picked images have no file"] if len(there) < len(found) else []
    if not there:
        raise UnknownNameError("none of the picked images has a file: there is nothing to copy")
    return Parcel("images.zip", _ZIP, sum(one.bytes or 0 for one in there), shared=there, missing=missing, notice=_MANY)


def _find(workspace: Workspace, picks: list[Pick]) -> list[FoundPick]:
    if not picks:
        raise UsageError("no image is picked: tick the boxes at the pictures first")
    if len(picks) > MOST_PICKS:
        raise UsageError(f"{len(picks):,} images are picked; {MOST_PICKS:,} at once are the most")
    return [find_pick(workspace, pick) for pick in picks]


def _zip(file_name: str, pieces: list[FilePiece], missing: list[str]) -> Parcel:
    """Names that came out the same get a number."""
    taken: set[str] = set()
    own = []
    for piece in pieces:
        name, number = piece.name, 1
        while name.casefold() in taken:
            number += 1
            stem, dot, suffix = piece.name.rpartition(".")
            name = f"{stem}_{number}{dot}{suffix}"
        taken.add(name.casefold())
        own.append(FilePiece(name, piece.file, piece.bytes))
    return Parcel(file_name, _ZIP, sum(piece.bytes for piece in own), own, missing=missing)


def _plain(file: Path, name: str) -> Iterator[FilePiece]:
    try:
        yield FilePiece(name, file, file.stat().st_size)
    except OSError:
        return  # not every run has marks; a run file that is gone is told among the run's problems


def _image(found: FoundPick) -> FilePiece | None:
    if found.file is None:
        return None
    suffix = found.file.suffix.lower()
    suffix = suffix if suffix in (*IMAGE_SUFFIXES, ".gif", ".bmp", ".tif", ".tiff", ".jxl") else ".img"
    pick = found.pick
    name = f"{pick.run_id}/images/{pick.name}{suffix}" if pick.run_id else f"{pick.root}/{pick.path}"
    return FilePiece(_safe_name(name), found.file, found.bytes or 0)


def _safe_name(name: str) -> str:
    """Relative, below the folder it is unpacked to, and possible on every disk."""
    parts = [_NO_NAME.sub("_", part.encode("utf-8", "replace").decode("utf-8")) for part in name.split("/")]
    return "/".join(part for part in parts if part) or "_"


def _list_absent(found: list[FoundPick]) -> list[str]:
    return [f"{one.pick.title}: {one.absence}" for one in found if one.file is None]

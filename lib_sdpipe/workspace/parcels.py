"""Downloads that are made as they are sent: a run or picked images as zip, copies for sharing.

What is in one is decided when it is asked for on the page; the files are read when the browser fetches it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lib_sdpipe.images.read import open_regular
from lib_sdpipe.images.sharing import NotSharableError, SharedCopy, build_shared_copy
from lib_sdpipe.workspace.picked import FoundPick, list_secrets
from lib_sdpipe.workspace.zip_stream import Entry, iter_zip

_STEP = 1 << 20
# Decoding takes memory, several times that of a picture.
_AT_ONCE = threading.BoundedSemaphore(2)
_MOST_BYTES = 512 << 20
_MISSING, _NOT_INCLUDED = "missing.txt", "not-included.txt"


@dataclass(frozen=True)
class FilePiece:
    """A file as it is, under a name in the zip."""

    name: str
    file: Path
    bytes: int


@dataclass(frozen=True)
class Parcel:
    """`file_name` and `media_type` as the browser is told. Pieces or, for sharing, images in the order of their numbers.

    `missing` are sentences about what is not in it, `notice` is one for whoever downloads. `bytes` is what it holds, before the
    zip's own few.
    """

    file_name: str
    media_type: str
    bytes: int
    pieces: list[FilePiece] = field(default_factory=list)
    shared: list[FoundPick] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notice: str = ""

    def iter_bytes(self) -> Iterator[bytes]:
        """The file, as it is sent. A single image for sharing is made at once: raises NotSharableError."""
        if self.media_type != "application/zip":
            return iter([build_copy(self.shared[0]).data])
        return iter_zip(self._copies() if self.shared else self._files())

    def _files(self) -> Iterator[Entry]:
        notes = list(self.missing)
        for piece in self.pieces:
            try:
                changed_at = piece.file.stat().st_mtime
            except OSError as fault:
                notes.append(f"{piece.name}: {fault.strerror or fault}")
                continue
            yield Entry(piece.name, _reader(piece, notes), changed_at, piece.bytes)
        yield from _note(_MISSING, notes)

    def _copies(self) -> Iterator[Entry]:
        """Names and times say nothing; nor may the reasons why one is missing."""
        notes = list(self.missing)
        width = max(3, len(str(len(self.shared))))
        for number, found in enumerate(self.shared, 1):
            try:
                copy = build_copy(found)
            except NotSharableError as fault:
                notes.append(f"image {number}: {fault}")
                continue
            yield Entry(f"image_{number:0{width}d}{copy.suffix}", lambda data=copy.data: [data], None, len(copy.data))  # type: ignore[misc]
        yield from _note(_NOT_INCLUDED, notes)


def build_copy(found: FoundPick) -> SharedCopy:
    """Raises NotSharableError, whose text names no file."""
    if found.file is None:
        raise NotSharableError("its file is not there")
    try:
        if found.file.stat().st_size > _MOST_BYTES:
            raise NotSharableError(f"its file is larger than {_MOST_BYTES >> 20} MB")
        with open_regular(found.file) as file:
            data = file.read(_MOST_BYTES)
    except OSError as fault:
        raise NotSharableError(f"its file cannot be read ({fault.strerror or type(fault).__name__})") from fault
    with _AT_ONCE:
        return build_shared_copy(data, list_secrets(found))


def _reader(piece: FilePiece, notes: list[str]) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        done = 0
        try:
            with open_regular(piece.file) as file:
                while data := file.read(_STEP):
                    done += len(data)
                    yield data
        except OSError as fault:
            notes.append(f"{piece.name}: only {done:,} bytes could be read ({fault.strerror or fault})")

    return read


def _note(name: str, notes: list[str]) -> Iterator[Entry]:
    if notes:
        text = "\n".join(notes).encode("utf-8", "backslashreplace") + b"\n"
        yield Entry(name, lambda: [text], None, len(text))

"""What lies at a path now, by its bytes; a digest is remembered as long as the file seems untouched."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.reconcile.acts import LARGEST_KEPT_BYTES, Content, Other, Place, Stamp, State
from lib_sdpipe.store.confine import Places

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Signature:
    """Equal as long as nobody wrote to the file or put another in its place."""

    device: int
    inode: int
    bytes: int
    mtime_ns: int
    ctime_ns: int
    mode: int

    @property
    def stamp(self) -> Stamp:
        return Stamp(stat.S_IMODE(self.mode), self.mtime_ns)


def read_signature(path: Path) -> Signature | None:
    """None where nothing is; of a link the link itself. Raises OSError."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _signature(found)


class Present:
    """Looks at places; remembers digests, nothing else."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._known: dict[Path, tuple[Signature, Content]] = {}

    def state(self, place: Place) -> State:
        """Never raises: what cannot be looked at is Other."""
        try:
            return self.state_of(self._places.find(place))
        except RefusedError as fault:
            return Other(f"out of reach ({fault})")

    def size(self, place: Place) -> int | None:
        """The bytes of a plain file, which is not read; None where none is."""
        try:
            signature = read_signature(self._places.find(place))
        except (OSError, RefusedError, ValueError):
            return None
        return signature.bytes if signature is not None and stat.S_ISREG(signature.mode) else None

    def state_of(self, path: Path) -> State:
        try:
            signature = read_signature(path)
            if signature is None:
                return None
            if not stat.S_ISREG(signature.mode):
                return Other(_kind(signature.mode))
            known = self._known.get(path)
            if known is not None and known[0] == signature:
                return known[1]
            return self._digest(path)
        except (OSError, RefusedError, ValueError) as fault:  # ValueError: a name that no disk can have
            return Other(f"not readable ({getattr(fault, 'strerror', None) or fault})")

    def signature_of(self, path: Path, content: Content) -> Signature:
        """The signature of the file whose content was seen. Raises RefusedError if it is another by now."""
        signature = read_signature(path)
        if signature is None or self.state_of(path) != content:
            raise RefusedError(f"{path}: changed while it was looked at")
        return signature

    def read(self, path: Path) -> tuple[bytes, Content]:
        """All of a file that is small enough to be edited. Raises RefusedError or OSError."""
        signature = read_signature(path)
        if signature is None or not stat.S_ISREG(signature.mode):
            raise RefusedError(f"{path}: is {_kind(signature.mode) if signature else 'not there any more'}")
        if signature.bytes > LARGEST_KEPT_BYTES:
            raise RefusedError(f"{path}: has {signature.bytes:,} bytes; files over {LARGEST_KEPT_BYTES:,} are not edited")
        with open(path, "rb") as file:
            data = file.read(LARGEST_KEPT_BYTES + 1)
        content = Content(len(data), hashlib.sha256(data).hexdigest())
        self._remember(path, signature, content)
        return data, content

    def _digest(self, path: Path) -> Content:
        digest, size = hashlib.sha256(), 0
        with open(path, "rb") as file:
            signature = _signature(os.fstat(file.fileno()))
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
        content = Content(size, digest.hexdigest())
        self._remember(path, signature, content)
        return content

    def _remember(self, path: Path, before: Signature, content: Content) -> None:
        if read_signature(path) != before or content.bytes != before.bytes:
            raise RefusedError(f"{path}: changed while it was read")
        self._known[path] = (before, content)


def _signature(found: os.stat_result) -> Signature:
    return Signature(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no plain file"

"""Reading one image file to the last byte: its sha256 and, where that is asked for, what its pixels are."""

from __future__ import annotations

import hashlib
import os
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

from lib_sdpipe.images.read import UndecodableImageError, UnreadableImageError, open_regular, read_pixels
from lib_sdpipe.index.files import CANNOT_BE_READ
from lib_sdpipe.index.reading import Read, UnreadFile

_CHUNK = 1 << 20


def read_content(file: UnreadFile, path: str, one_at_a_time: AbstractContextManager[object] | None = None) -> Read | None:
    """What the bytes of a file are; None where it is gone, or is another by now than it was when it was looked at.

    `one_at_a_time` is entered while pixels are decoded: of large pictures memory holds a few only.
    """
    try:
        with open_regular(path) as opened:
            if not _is_as_known(file, opened):
                return None
            sha256 = _digest(opened)
            found = Read(file.id, file.bytes, file.mtime_ns, sha256)
            if file.wants_looks:
                with one_at_a_time or nullcontext():
                    found = _with_looks(found, path, opened)
            return found if _is_as_known(file, opened) else None
    except FileNotFoundError:
        return None
    except OSError as fault:
        reason = f"{CANNOT_BE_READ} ({fault.strerror or fault})"
        return Read(file.id, file.bytes, file.mtime_ns, None, problem=reason)


def _with_looks(found: Read, path: str, opened: BinaryIO) -> Read:
    opened.seek(0)
    try:
        facts = read_pixels(path, opened)
    except UndecodableImageError:
        return found
    except UnreadableImageError as fault:
        return Read(found.file, found.bytes, found.mtime_ns, found.sha256, problem=fault.reason)
    return Read(found.file, found.bytes, found.mtime_ns, found.sha256, facts.pixel_sha256, facts.perceptual_hash)


def _digest(opened: BinaryIO) -> str:
    digest = hashlib.sha256()
    while data := opened.read(_CHUNK):
        digest.update(data)
    return digest.hexdigest()


def _is_as_known(file: UnreadFile, opened: BinaryIO) -> bool:
    status = os.fstat(opened.fileno())
    return (status.st_size, status.st_mtime_ns) == (file.bytes, file.mtime_ns)

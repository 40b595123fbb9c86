"""The only writes of a repair: each leaves the old file or the new one, and none goes over a file that was not looked at."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Callable

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.reconcile.acts import Stamp
from lib_sdpipe.store.atomic import TEMPORARY_SUFFIX, replace_file, sync_folder
from lib_sdpipe.store.present import Signature, read_signature

# File systems without hard links, and rules of Linux against links to others' files.
_NO_LINKS = {getattr(errno, name) for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK") if hasattr(errno, name)}


def temporary_of(folder: Path, apply_id: str, number: int) -> Path:
    """The temporary name of one act: short, for names of images can be as long as a name can be, and known after a kill."""
    return folder / f".sdpipe-{apply_id}-{number}{TEMPORARY_SUFFIX}"


def put_over(target: Path, data: bytes, temporary: Path, before: Signature, stamp: Stamp | None) -> None:
    """Exchange the bytes of a file. It keeps its mode or gets that of `stamp`, with its mtime. Raises RefusedError or OSError.

    The new file takes over owner and extended attributes where the system lets us. Other hard links keep the old bytes.
    """
    def finish(file: BinaryIO) -> None:
        _take_over(target, temporary)
        os.chmod(temporary, before.stamp.mode)
        os.utime(temporary)
        if stamp is not None:
            _set_stamp(temporary, stamp)

    try:
        _write(temporary, lambda file: file.write(data), finish)
        if read_signature(target) != before:
            raise RefusedError(f"{target}: changed while it was edited")
        replace_file(temporary, target)
    except (OSError, RefusedError):
        _drop(temporary)
        raise


def put_new(target: Path, fill: Callable[[BinaryIO], object], temporary: Path, stamp: Stamp | None) -> None:
    """Make a file where none is. Raises OSError, FileExistsError where there is one."""
    def finish(file: BinaryIO) -> None:
        if stamp is not None:
            _set_stamp(temporary, stamp)

    try:
        _write(temporary, fill, finish)
        move_new(temporary, target)
    except (OSError, RefusedError):
        _drop(temporary)
        raise


def move_new(source: Path, target: Path) -> None:
    """Give a file another name, never over another file. Raises FileExistsError or another OSError.

    A kill in between leaves both names of the one file; where there are no hard links, a file that appears in the
    same instant could be lost.
    """
    if os.name == "nt":
        os.rename(source, target)
        return
    try:
        os.link(source, target)
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from fault
        os.rename(source, target)
        return
    if target.parent != source.parent:
        sync_folder(target.parent)  # a power cut that keeps the next line and not this one would lose the file
    os.unlink(source)


def restore_stamp(path: Path, stamp: Stamp) -> None:
    found = read_signature(path)
    if found is not None and found.stamp != stamp:
        _set_stamp(path, stamp)


def _write(temporary: Path, fill: Callable[[BinaryIO], object], finish: Callable[[BinaryIO], None]) -> None:
    temporary.unlink(missing_ok=True)  # of a killed try
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        fill(file)
        file.flush()
        finish(file)
        os.fsync(file.fileno())


def _take_over(old: Path, new: Path) -> None:
    """A user's tags are extended attributes on some systems; not every file system takes them."""
    try:
        shutil.copystat(old, new)
    except OSError:
        pass
    if hasattr(os, "chown"):
        found = os.lstat(old)
        try:
            os.chown(new, found.st_uid, found.st_gid)
        except OSError:
            pass  # only an administrator gives files away


def _set_stamp(path: Path, stamp: Stamp) -> None:
    os.chmod(path, stamp.mode)
    os.utime(path, ns=(stamp.mtime_ns, stamp.mtime_ns))


def _drop(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        pass  # a disk that refuses everything; the next apply or undo removes it

"""This machine as the records name it, and which of its disks are far away."""

from __future__ import annotations

import os
import platform
import sys
from functools import lru_cache
from pathlib import Path

from lib_sdpipe.manifest.records import ProcessMark

_NETWORK_TYPES = {
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "afpfs", "9p", "davfs", "webdav", "ceph", "lustre",
    "glusterfs", "fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.s3fs", "fuse.davfs2", "drvfs",
}
_DRIVE_REMOTE = 4
_QUERY_LIMITED_INFORMATION = 0x1000


@lru_cache(maxsize=1)
def process_mark() -> ProcessMark:
    """Machine name, pid and boot of this process."""
    return ProcessMark(machine=platform.node() or None, pid=os.getpid(), boot=_boot_id())


def is_network_path(path: Path) -> bool:
    """Whether `path` lies on a network file system; False where this platform does not tell."""
    if os.name == "nt":
        return _is_remote_drive(path)
    if sys.platform.startswith("linux"):
        return _mount_type(path, Path("/proc/mounts").read_text("utf-8", "replace")) in _NETWORK_TYPES
    return False


def _mount_type(path: Path, mounts: str) -> str:
    """The file system type of the deepest mount point above `path`, from the text of /proc/mounts."""
    real = os.path.realpath(path)
    best, best_type = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, best_type = point, fields[2]
    return best_type


def _is_remote_drive(path: Path) -> bool:
    import ctypes

    anchor = Path(os.path.abspath(path)).anchor
    return anchor.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(anchor) == _DRIVE_REMOTE  # type: ignore[attr-defined]


def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None  # other platforms: machine and pid must do


def is_process_alive(mark: ProcessMark) -> bool | None:
    """Whether the process that a record names still runs; None where that cannot be seen from here."""
    own = process_mark()
    if mark.machine is None or mark.pid is None or mark.machine != own.machine:
        return None
    if mark.boot is not None and own.boot is not None and mark.boot != own.boot:
        return False
    return _has_pid(mark.pid)


def _has_pid(pid: int) -> bool | None:
    if os.name == "nt":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)  # type: ignore[attr-defined]
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)  # type: ignore[attr-defined]
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

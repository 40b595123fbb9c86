"""Looking through image roots and the runs folder: what lies there, by name, size, time and inode. Reads no file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from lib_sdpipe.manifest.names import is_manifest_file, is_run_id
from lib_sdpipe.store.library import RUNS_ROOT

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".gif")
# Below the runs folder, beside its runs.
_NOT_IMAGES = ("inputs", "environments")

FileStat = tuple[str, int, int, int, int]
"""Name, bytes, modification time in nanoseconds, inode, device. A plain tuple: there are millions."""


@dataclass(frozen=True)
class ScannedFolder:
    """One folder of a root; `path` is POSIX and relative, empty for the root itself. With a `problem` nothing is known of it."""

    root: str
    path: str
    device: int
    files: list[FileStat]
    problem: str | None = None


@dataclass(frozen=True)
class ScannedRun:
    """One run folder: its run file (None: there is none), its manifests, its image folders."""

    run_id: str
    run_file: FileStat | None
    manifests: list[FileStat]
    folders: list[ScannedFolder] = field(default_factory=list)
    problem: str | None = None


def scan_root(root: str, folder: Path, skip: frozenset[str] = frozenset()) -> Iterator[ScannedFolder]:
    """Every folder of a root, the root first; not those whose real path is in `skip` (other roots), nor hidden ones.

    Links are followed; each real folder is visited once, under its own name where it has one here.
    """
    return _walk(root, [(str(folder), "")], skip)


def scan_beside_runs(runs: Path) -> Iterator[ScannedFolder]:
    """Images that lie in the runs folder but in no run of it."""
    with os.scandir(runs) as entries:
        found = sorted((e.name, e.path, e.is_dir()) for e in entries if e.name[0] != "." and e.name not in _NOT_IMAGES)
    files = [file for name, path, is_dir in found if not is_dir and _is_image(name) for file in _stat_files(path)]
    if files:
        yield ScannedFolder(RUNS_ROOT, "", os.stat(runs).st_dev, files)
    folders = [(path, name) for name, path, is_dir in found if is_dir and not is_run_id(name)]
    yield from _walk(RUNS_ROOT, folders[::-1], frozenset())


def scan_run(runs: Path, run_id: str) -> ScannedRun:
    """One run folder; one that cannot be listed comes with a problem."""
    path = os.path.join(runs, run_id)
    run_file: FileStat | None = None
    manifests: list[FileStat] = []
    folders: list[tuple[str, str]] = []
    images: list[FileStat] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if name == "manifests":
                    manifests = _list_manifests(entry.path)
                elif name == "run_metadata.json":
                    run_file = _stat_entry(entry)
                elif name[0] != "." and _is_image(name):
                    images += _stat_files(entry.path)
                elif name[0] != "." and entry.is_dir():
                    folders.append((entry.path, f"{run_id}/{name}"))
        scanned = [ScannedFolder(RUNS_ROOT, run_id, os.stat(path).st_dev, images)] if images else []
    except OSError as fault:
        return ScannedRun(run_id, None, [], [], fault.strerror or str(fault))
    scanned += _walk(RUNS_ROOT, folders, frozenset())
    return ScannedRun(run_id, run_file, manifests, scanned)


def _walk(root: str, folders: list[tuple[str, str]], skip: frozenset[str]) -> Iterator[ScannedFolder]:
    """From these (path, relative path) down; the last one first."""
    seen: set[tuple[int, int]] = set()
    waiting, links = list(folders), list[tuple[str, str]]()
    while waiting or links:
        path, relative = waiting.pop() if waiting else links.pop()
        files: list[FileStat] = []
        inside: list[tuple[str, str]] = []
        try:
            own = os.stat(path)
            if (own.st_dev, own.st_ino) in seen or (skip and os.path.realpath(path) in skip):
                continue
            seen.add((own.st_dev, own.st_ino))
            _list_folder(path, relative, files, inside, links)
        except OSError as fault:
            yield ScannedFolder(root, relative, 0, [], _reason(path, fault))
            continue
        waiting += sorted(inside, reverse=True)
        yield ScannedFolder(root, relative, own.st_dev, files)


def _list_folder(
    path: str, relative: str, files: list[FileStat], inside: list[tuple[str, str]], links: list[tuple[str, str]]
) -> None:
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            if _is_image(name):
                found = _stat_entry(entry)
                if found is not None:
                    files.append(found)
            elif entry.is_symlink():
                if entry.is_dir() or not os.path.exists(entry.path):
                    links.append((entry.path, f"{relative}/{name}" if relative else name))
            elif entry.is_dir(follow_symlinks=False):
                inside.append((entry.path, f"{relative}/{name}" if relative else name))


def _list_manifests(path: str) -> list[FileStat]:
    with os.scandir(path) as entries:
        found = (_stat_entry(entry) for entry in entries if is_manifest_file(entry.name))
        return [file for file in found if file is not None]


def _stat_entry(entry: os.DirEntry[str]) -> FileStat | None:
    """None for what is no regular file, or is gone by now."""
    try:
        found = entry.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    inode, device = found.st_ino, found.st_dev
    if inode == 0:  # on Windows a folder's listing does not tell them
        found = os.stat(entry.path)
        inode, device = found.st_ino, found.st_dev
    return entry.name, found.st_size, found.st_mtime_ns, inode, device


def _stat_files(path: str) -> list[FileStat]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    if not stat.S_ISREG(found.st_mode):
        return []
    return [(os.path.basename(path), found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)]


def _is_image(name: str) -> bool:
    return name.endswith(IMAGE_SUFFIXES) or name.lower().endswith(IMAGE_SUFFIXES)


def _reason(path: str, fault: OSError) -> str:
    return "a link to nothing" if os.path.islink(path) and not os.path.exists(path) else fault.strerror or str(fault)

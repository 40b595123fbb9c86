"""Looking through image roots and the runs folder: what lies there, by name, size, time and inode. Reads no file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from lib_sdpipe.manifest.names import is_manifest_file, is_run_id
from lib_sdpipe.store.library import RUNS_ROOT

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".gif")
# Below the runs folder, beside its runs.
_NOT_IMAGES = ("inputs", "environments", "recipes", "packs")
_TYPE, _REGULAR, _FOLDER = 0o170000, 0o100000, 0o040000

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
    """One run folder: its run file and its marks (None: there is none), its manifests, its image folders."""

    run_id: str
    run_file: FileStat | None
    manifests: list[FileStat]
    folders: list[ScannedFolder] = field(default_factory=list)
    problem: str | None = None
    marks: FileStat | None = None


def scan_root(root: str, folder: Path, skip: frozenset[str] = frozenset()) -> Iterator[ScannedFolder]:
    """Every folder of a root, the root first; not those whose real path is in `skip` (other roots), nor hidden ones.

    Links are followed; each real folder is visited once, under its own name where it has one here.
    """
    return _walk(root, [(str(folder), "")], skip)


def scan_beside_runs(runs: Path, skip: frozenset[str] = frozenset()) -> Iterator[ScannedFolder]:
    """Images that lie in the runs folder but in no run of it; `skip` as in `scan_root`."""
    with os.scandir(runs) as entries:
        found = sorted((e.name, e.path, e.is_dir()) for e in entries if e.name[0] != "." and e.name not in _NOT_IMAGES)
    files = [file for name, path, is_dir in found if not is_dir and _is_image(name) for file in _stat_files(path)]
    if files:
        yield ScannedFolder(RUNS_ROOT, "", os.stat(runs).st_dev, files)
    folders = [(path, name) for name, path, is_dir in found if is_dir and not is_run_id(name) and not _is_renamed_run(path)]
    yield from _walk(RUNS_ROOT, folders[::-1], skip)


def list_renamed_runs(runs: Path) -> list[str]:
    """Folders that hold a run and have a name that no run has: somebody has renamed them."""
    with os.scandir(runs) as entries:
        strange = [entry for entry in entries if entry.name[0] != "." and not is_run_id(entry.name) and entry.is_dir()]
    return sorted(entry.name for entry in strange if _is_renamed_run(entry.path))


def scan_run(runs: Path, run_id: str, skip: frozenset[str] = frozenset()) -> ScannedRun:
    """One run folder; one that cannot be listed comes with a problem."""
    path = os.path.join(runs, run_id)
    run_file: FileStat | None = None
    marks: FileStat | None = None
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
                elif name == "marks.json":
                    marks = _stat_entry(entry)
                elif name[0] != "." and _is_image(name) and not entry.is_dir():
                    images += _stat_files(entry.path)
                elif name[0] != "." and entry.is_dir():
                    folders.append((entry.path, f"{run_id}/{name}"))
        scanned = [ScannedFolder(RUNS_ROOT, run_id, os.stat(path).st_dev, images)] if images else []
    except OSError as fault:
        return ScannedRun(run_id, None, [], [], fault.strerror or str(fault))
    scanned += _walk(RUNS_ROOT, folders, skip)
    return ScannedRun(run_id, run_file, manifests, scanned, marks=marks)


def read_record_stamp(path: Path) -> tuple[int, int] | None:
    """Bytes and modification time of a record's file; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _is_renamed_run(path: str) -> bool:
    return os.path.isfile(os.path.join(path, "run_metadata.json")) and os.path.isdir(os.path.join(path, "manifests"))


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
            # Written out rather than called: this is the most of what a second look at a large library does.
            if name.endswith(IMAGE_SUFFIXES) or name.lower().endswith(IMAGE_SUFFIXES):
                try:
                    found = entry.stat()
                except OSError:
                    continue
                if found.st_mode & _TYPE == _REGULAR:
                    files.append((name, found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev))
                if found.st_mode & _TYPE != _FOLDER:
                    continue
            if entry.is_symlink():
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
    if found.st_mode & _TYPE != _REGULAR:
        return None
    return entry.name, found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def _stat_files(path: str) -> list[FileStat]:
    try:
        found = os.stat(path)
    except OSError:
        return []
    if found.st_mode & _TYPE != _REGULAR:
        return []
    return [(os.path.basename(path), found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)]


def _is_image(name: str) -> bool:
    return name.endswith(IMAGE_SUFFIXES) or name.lower().endswith(IMAGE_SUFFIXES)


def _reason(path: str, fault: OSError) -> str:
    return "a link to nothing" if os.path.islink(path) and not os.path.exists(path) else fault.strerror or str(fault)


def scan_files(root: str, path: str, folder: Path, names: list[str]) -> ScannedFolder:
    """A folder as if only these files were in it."""
    try:
        device = os.stat(folder).st_dev
    except OSError as fault:
        return ScannedFolder(root, path, 0, [], fault.strerror or str(fault))
    files: list[FileStat] = []
    for name in names:
        try:
            found = os.stat(folder / name)
        except OSError:
            continue
        files.append((name, found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev))
    return ScannedFolder(root, path, device, files)

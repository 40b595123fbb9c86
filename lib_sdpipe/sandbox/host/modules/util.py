"""Small functions on names, paths and orders that the host offers to extensions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping

from modules import paths_internal


def natural_sort_key(text: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", text)]


def listfiles(dirname: str) -> list[str]:
    names = sorted((x for x in os.listdir(dirname) if not x.startswith(".")), key=natural_sort_key)
    return [full for full in (os.path.join(dirname, x) for x in names) if os.path.isfile(full)]


def walk_files(path: str, allowed_extensions: Iterable[str] | None = None) -> Iterator[str]:
    allowed = None if allowed_extensions is None else set(allowed_extensions)
    for root, _, files in sorted(os.walk(path, followlinks=True), key=lambda x: natural_sort_key(x[0])):
        for name in sorted(files, key=natural_sort_key):
            if allowed is None or os.path.splitext(name)[1].lower() in allowed:
                yield os.path.join(root, name)


def truncate_path(target_path: str, base_path: str | None = None) -> str:
    """Make a path below the base relative to it; the base is the working directory unless given."""
    target, base = os.path.abspath(target_path), os.path.abspath(base_path or paths_internal.cwd)
    try:
        inside = os.path.commonpath([target, base]) == base
    except ValueError:  # two drives on Windows
        inside = False
    return os.path.relpath(target, base) if inside else target


def open_folder(path: str) -> None:
    """Show a folder in the file manager of this computer. Raises OSError where it has none."""
    path = os.path.normpath(path)
    if sys.platform == "win32":
        os.startfile(path)
    else:
        subprocess.Popen(["open" if sys.platform == "darwin" else "xdg-open", path])


def topological_sort(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """Names in an order in which each follows what it depends on; unknown names and circles are ignored."""
    res: dict[str, None] = {}
    entered: set[str] = set()

    def enter(name: str) -> None:
        if name in dependencies and name not in entered:
            entered.add(name)
            for other in dependencies[name]:
                enter(other)
            res[name] = None

    for name in dependencies:
        enter(name)
    return list(res)

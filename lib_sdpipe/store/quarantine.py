"""`purge`: the only thing that empties quarantines. Nothing but what an apply set aside, and nothing that a link leads to."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterator

from lib_sdpipe.errors import RecordError, RefusedError
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.store.confine import QUARANTINE_NAME, Places
from lib_sdpipe.store.journal import Journal, is_apply_id, iter_journals, journal_file, read_journal
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.repair import Progress, hold_repairs, no_progress
from lib_sdpipe.store.way_back import now_text

_DAY_SECONDS = 86400.0


@dataclass
class Purge:
    """What was found that is old enough; `is_done` tells whether it is gone."""

    files: int = 0
    bytes: int = 0
    applies: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    is_done: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"purged": self.is_done, "files": self.files, "bytes": self.bytes, "applies": self.applies, "failed": self.failed}


def purge(layout: Layout, older_than_days: float, is_meant: bool) -> Purge:
    """Delete what applies of that age set aside; without `is_meant` only count it. Raises as `purge_before`."""
    return purge_before(layout, time.time() - older_than_days * _DAY_SECONDS, is_meant)


def purge_before(
    layout: Layout, before: float, is_meant: bool, progress: Progress = no_progress, should_stop: Callable[[], bool] = lambda: False,
) -> Purge:
    """The same for what was set aside before a moment, in seconds since 1970. `should_stop` is asked between applies.

    Raises LockedError while another process repairs, RecordError for a library.json that cannot be read.
    """
    if not is_meant:
        return _purge(layout, before, is_meant, progress, should_stop)
    with hold_repairs(layout, "purge"):
        return _purge(layout, before, is_meant, progress, should_stop)


def _purge(layout: Layout, before: float, is_meant: bool, progress: Progress, should_stop: Callable[[], bool]) -> Purge:
    found = Purge(is_done=is_meant)
    by_apply: dict[str, list[Path]] = {}
    for folder in _quarantines(layout):
        by_apply.setdefault(folder.name, []).append(folder)
    for number, (apply_id, folders) in enumerate(sorted(by_apply.items())):
        if seconds_of(apply_id) >= before:
            continue
        if should_stop():
            break
        progress("deleting" if is_meant else "counting", number, len(by_apply))
        found.applies.append(apply_id)
        if is_meant and not _announce(layout, apply_id, found):
            continue
        for folder in folders:
            _empty(folder, is_meant, found)
    if is_meant and found.applies:
        _forget_thumbnails(layout)
    return found


def _forget_thumbnails(layout: Layout) -> None:
    """What was deleted for good is not to be seen any more either; which thumbnails were of it nobody knows, and all can be made again."""
    for file in layout.thumbnails.glob("*/*"):
        with contextlib.suppress(OSError):  # another process does the same, or has it open
            file.unlink()


def seconds_of(apply_id: str) -> float:
    """When the apply was begun, in seconds since 1970."""
    try:
        moment = datetime.strptime(apply_id[:15], "%Y%m%dT%H%M%S")
    except ValueError:
        return float("inf")  # of no apply: it never gets old
    return moment.replace(tzinfo=timezone.utc).timestamp()


def measure_quarantines(library: Library) -> tuple[int, int]:
    """(files, bytes) in the quarantines of the roots; two names of one file count once. What cannot be listed counts as nothing."""
    sizes: dict[tuple[int, int], int] = {}
    for folder in library.roots().values():
        top = folder / QUARANTINE_NAME
        for place, _, files in os.walk(top) if not top.is_symlink() else ():
            for name in files:
                try:
                    found = os.lstat(os.path.join(place, name))
                except OSError:
                    continue
                sizes[found.st_dev, found.st_ino] = found.st_size
    return len(sizes), sum(sizes.values())


def _quarantines(layout: Layout) -> Iterator[Path]:
    """Folders `.sdpipe-quarantine/<apply id>`: of every root, and those that journals tell of beside files."""
    library = Library(layout)
    tops = [folder / QUARANTINE_NAME for folder in library.roots().values()]
    tops += _tops_of_journals(layout, Places(layout, library))
    for top in dict.fromkeys(tops):
        if top.is_symlink() or not top.is_dir():
            continue
        for name in sorted(os.listdir(top)):
            if is_apply_id(name) and not (top / name).is_symlink() and (top / name).is_dir():
                yield top / name


def _tops_of_journals(layout: Layout, places: Places) -> Iterator[Path]:
    for path, _ in iter_journals(layout.journal):
        try:
            journal = read_journal(path)
        except RecordError:
            continue
        for place in {act.to for started in journal.standing for act in started.acts if act.to is not None}:
            head, name, _ = place.path.partition(f"/{QUARANTINE_NAME}/")
            if name:
                try:
                    yield places.find(Place(place.root, f"{head}/{QUARANTINE_NAME}"))
                except RefusedError:
                    continue


def _announce(layout: Layout, apply_id: str, found: Purge) -> bool:
    """Tell the apply's journal, so that an undo knows why a file is gone."""
    path = journal_file(layout.journal, apply_id)
    if not path.exists():
        return True
    journal: Journal | None = None
    try:
        journal = read_journal(path)
        journal.note("purged", now_text())
    except RecordError:
        pass  # it cannot be undone anyway
    except OSError as fault:
        found.failed.append({"id": apply_id, "reason": f"its journal cannot be written: {fault.strerror or fault}"})
        return False
    finally:
        if journal is not None:
            journal.close()
    return True


def _empty(folder: Path, is_meant: bool, found: Purge) -> None:
    def fail(fault: OSError) -> None:
        found.failed.append({"id": folder.name, "reason": f"{fault.filename}: {fault.strerror}"})

    for place, folders, files in os.walk(folder, topdown=False, onerror=fail):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in [*files, *links]:
            path = os.path.join(place, name)
            try:
                size = os.lstat(path).st_size
                if is_meant:
                    os.unlink(path)
            except OSError as fault:
                fail(fault)
                continue
            found.files += 1
            found.bytes += size
        if is_meant:
            _remove_folder(place)
    if is_meant:
        _remove_folder(folder.parent)


def _remove_folder(folder: str | Path) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        pass  # something is left in it

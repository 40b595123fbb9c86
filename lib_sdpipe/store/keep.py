"""Pictures inside a run folder: copies the user wants there, and intermediate stages that are nowhere else."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Callable

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.store.atomic import make_folder, sync_file, sync_folder, temporary_name, write_atomic
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT
from lib_sdpipe.store.place import place_of


def kept_path(layout: Layout, run_id: str, stage: str, name: str, extension: str) -> Path:
    return layout.run_folder(run_id) / stage / f"{name}{extension}"


def keep_copy(layout: Layout, run_id: str, stage: str, name: str, source: str) -> str:
    """A hard link where the file system can, else a copy; its path in the runs folder. Raises OSError."""
    target = _make_room(layout, run_id, stage, name, source)
    if not _is_copy(target, source):
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
            sync_file(target)  # the host has not synced what it wrote, and a manifest is about to say that it is there
        except OSError:
            _replace_with(target, source, shutil.copy2)
        sync_folder(target.parent)
    return target.relative_to(layout.runs).as_posix()


def adopt_file(layout: Layout, run_id: str, stage: str, name: str, source: str) -> Path:
    """Move a file that the host wrote only for us into the run folder. Raises OSError; done twice it is done once."""
    target = _make_room(layout, run_id, stage, name, source)
    if os.path.exists(source):
        _replace_with(target, source, shutil.move)
        sync_folder(target.parent)
    return target


def write_kept_picture(layout: Layout, run_id: str, stage: str, name: str, picture: Image.Image, infotext: str | None) -> Path:
    """A picture that the host does not write, as PNG with its infotext."""
    buffer, texts = io.BytesIO(), PngInfo()
    if infotext is not None:
        texts.add_text("parameters", infotext)
    picture.save(buffer, "PNG", compress_level=4, pnginfo=texts)
    place_of(layout).ensure()
    target = kept_path(layout, run_id, stage, name, ".png")
    write_atomic(target, buffer.getvalue())
    return target


def remove_kept_picture(layout: Layout, path: str | None, root: str | None) -> None:
    """Take a picture out of a run folder, if it is in one; gone already is gone. Raises OSError."""
    if path is not None and root == RUNS_ROOT:
        target = layout.runs / path
        target.unlink(missing_ok=True)
        sync_folder(target.parent)


def _make_room(layout: Layout, run_id: str, stage: str, name: str, source: str) -> Path:
    place_of(layout).ensure()
    target = kept_path(layout, run_id, stage, name, os.path.splitext(source)[1])
    make_folder(target.parent)
    return target


def _is_copy(target: Path, source: str) -> bool:
    """Whether it is there from before a kill; a power cut may have left less of it."""
    return target.exists() and target.stat().st_size == os.stat(source).st_size


def _replace_with(target: Path, source: str, bring: Callable[[str, Path], object]) -> None:
    temporary = temporary_name(target)
    bring(source, temporary)
    sync_file(temporary)
    os.replace(temporary, target)

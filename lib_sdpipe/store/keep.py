"""Pictures inside a run folder: copies the user wants there, and intermediate stages that are nowhere else."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

from PIL import Image

from lib_sdpipe.store.atomic import temporary_name, write_atomic
from lib_sdpipe.store.layout import Layout


def kept_path(layout: Layout, run_id: str, stage: str, name: str, extension: str) -> Path:
    return layout.run_folder(run_id) / stage / f"{name}{extension}"


def keep_copy(layout: Layout, run_id: str, stage: str, name: str, source: str) -> str:
    """A hard link where the file system can, else a copy; its path in the runs folder. Raises OSError."""
    target = kept_path(layout, run_id, stage, name, os.path.splitext(source)[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        try:
            os.link(source, target)
        except OSError:
            temporary = temporary_name(target)
            shutil.copy2(source, temporary)
            os.replace(temporary, target)
    return target.relative_to(layout.runs).as_posix()


def adopt_file(layout: Layout, run_id: str, stage: str, name: str, source: str) -> Path:
    """Move a file that the host wrote only for us into the run folder. Raises OSError; done twice it is done once."""
    target = kept_path(layout, run_id, stage, name, os.path.splitext(source)[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.exists(source):
        temporary = temporary_name(target)
        shutil.move(source, temporary)
        os.replace(temporary, target)
    return target


def write_kept_picture(layout: Layout, run_id: str, stage: str, name: str, picture: Image.Image) -> Path:
    """An intermediate stage as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    target = kept_path(layout, run_id, stage, name, ".png")
    write_atomic(target, buffer.getvalue())
    return target

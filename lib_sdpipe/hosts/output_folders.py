"""The folders the host saves to, as image roots: the top folder below the data path, else the folder itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from modules import paths, shared

_OPTIONS = (
    "outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_extras_samples", "outdir_grids",
    "outdir_txt2img_grids", "outdir_img2img_grids", "outdir_save", "outdir_init_images",
)
_SAVE = "outdir_save"


def read_output_folders() -> dict[str, Path]:
    """Root names as wished, and absolute folders."""
    roots: dict[str, Path] = {}
    for folder in _read_settings().values():
        roots.setdefault(_free_wish(folder.name, folder, roots), folder)
    return roots


def find_save_folder(roots: dict[str, Path]) -> Path | None:
    """Of these the one that the Save button copies to; None where the host saves other images to it, too."""
    folders = _read_settings()
    save = folders.pop(_SAVE, None)
    if save is None or save not in roots.values():
        return None
    return None if any(_is_within(folder, save) or _is_within(save, folder) for folder in folders.values()) else save


def _read_settings() -> dict[str, Path]:
    """By option the root that its folder makes."""
    data_path = Path(os.path.abspath(paths.data_path))
    folders: dict[str, Path] = {}
    for option in _OPTIONS:
        setting = getattr(shared.opts, option, "") or ""
        if not isinstance(setting, str) or not setting.strip():
            continue
        folder = Path(os.path.abspath(setting))
        if data_path in folder.parents:
            folder = data_path / folder.relative_to(data_path).parts[0]
        folders[option] = folder
    return folders


def _is_within(folder: Path, other: Path) -> bool:
    return folder == other or other in folder.parents


def output_folders_of(p: Any) -> tuple[str, ...]:
    """Where this pass saves: the settings' folders, or those a script or the batch tab chose for it."""
    folders = (getattr(p, name, None) for name in ("outpath_samples", "outpath_grids"))
    return tuple(os.path.abspath(folder) for folder in folders if isinstance(folder, str) and folder.strip())


def _free_wish(name: str, folder: Path, roots: dict[str, Path]) -> str:
    """Two folders of one name are two wishes; the library gives the second its number."""
    wish, number = name, 1
    while wish in roots and roots[wish] != folder:
        number += 1
        wish = f"{name}-{number}"
    return wish

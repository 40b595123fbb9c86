"""The host's output folders become image roots; the one of its Save button is known as such."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.hosts.conftest import Host


def save_folder(host: Host, data: Path, **options: str) -> tuple[set[str], str | None]:
    """(root names, the Save folder's path in the data folder) with these settings."""
    host.module("modules.paths", data_path=str(data))
    host.shared.opts = SimpleNamespace(**options)
    from lib_sdpipe.hosts.output_folders import find_save_folder, read_output_folders

    roots = read_output_folders()
    found = find_save_folder(roots)
    return set(roots), found.relative_to(data).as_posix() if found is not None else None


@pytest.mark.parametrize(("settings", "roots", "save"), [
    ({"outdir_txt2img_samples": "outputs/txt2img-images", "outdir_save": "log/images"}, {"outputs", "log"}, "log"),
    ({"outdir_txt2img_samples": "outputs/txt2img-images", "outdir_save": "outputs/saved"}, {"outputs"}, None),
    ({"outdir_samples": "log/all", "outdir_save": "log/images"}, {"log"}, None),
    ({"outdir_samples": "outputs", "outdir_save": ""}, {"outputs"}, None),
    ({"outdir_save": "log/images"}, {"log"}, "log"),
])
def test_the_save_folder_is_one_that_nothing_else_is_saved_to(
    host: Host, tmp_path: Path, settings: dict[str, str], roots: set[str], save: str | None
) -> None:
    absolute = {option: str(tmp_path / folder) if folder else "" for option, folder in settings.items()}
    assert save_folder(host, tmp_path, **absolute) == (roots, save)

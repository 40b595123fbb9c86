"""Where images go: relative and absolute folders, another file system, folders that change between runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, Made, base_request, open_picture
from tests.contract.webui import HttpError, WebUI, encode_picture

Options = Callable[..., None]
SHARED_MEMORY = Path("/dev/shm")


def into(options: Options, folder: str) -> None:
    options(outdir_txt2img_samples=folder, outdir_txt2img_grids=folder)


def assert_all_in(made: Made, folder: Path) -> None:
    assert made.manifests
    for manifest in made.manifests:
        file = made.file(manifest)
        assert folder.resolve() in file.resolve().parents
        assert manifest["image"]["pixel_sha256"] == pixel_sha256(open_picture(file))


@pytest.fixture
def elsewhere(host: WebUI) -> Iterator[Path]:
    """A folder on another file system."""
    if not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == host.data_dir.stat().st_dev:
        pytest.skip("no second file system here")
    folder = Path(tempfile.mkdtemp(prefix="sdpipe-", dir=SHARED_MEMORY))
    yield folder
    subprocess.run(["rm", "-r", str(folder)], check=True)


def test_an_absolute_folder(generate: Generate, options: Options, tmp_path: Path) -> None:
    into(options, str(tmp_path / "pictures"))
    assert_all_in(generate(batch_size=2), tmp_path / "pictures")


def test_a_folder_relative_to_where_the_host_was_started(generate: Generate, options: Options, host: WebUI, tmp_path: Path) -> None:
    try:
        started = host.get("/internal/sysinfo")["Script path"]
    except HttpError:
        pytest.skip("this host does not say where it was started")
    relative = os.path.relpath(tmp_path / "relative", started)
    into(options, relative)
    assert_all_in(generate(batch_size=2), tmp_path / "relative")


def test_another_file_system(generate: Generate, options: Options, elsewhere: Path) -> None:
    into(options, str(elsewhere / "pictures"))
    made = generate(batch_size=2)
    assert_all_in(made, elsewhere)
    child = generate("img2img", init_images=[encode_picture(open_picture(made.file(made.of("txt2img")[0])))], denoising_strength=0.4)
    assert child.of("img2img")[0]["parent"]["run_id"] == made.run_id


def test_kept_images_are_whole_across_file_systems(generate: Generate, options: Options, host: WebUI, elsewhere: Path) -> None:
    into(options, str(elsewhere))
    made = generate(alwayson_scripts={"SDPipe": {"args": [{"keep_images": True}]}})
    (image,) = made.of("txt2img")
    kept = host.layout.runs / image["kept"]
    assert kept.read_bytes() == made.file(image).read_bytes()
    made.file(image).unlink()
    assert kept.exists()


def test_folders_that_change_between_runs_are_all_found_again(generate: Generate, options: Options, tmp_path: Path) -> None:
    made: list[tuple[Made, Path]] = []
    for name in ("one/outputs", "two/outputs", "one/outputs"):
        into(options, str(tmp_path / name))
        made.append((generate(), tmp_path / name))
    for run, folder in made:
        assert_all_in(run, folder)
    roots = [run.of("txt2img")[0]["root"] for run, _ in made]
    assert roots[0] == roots[2] != roots[1]


def test_one_folder_for_everything(generate: Generate, options: Options, tmp_path: Path) -> None:
    options(outdir_samples=str(tmp_path / "all"), outdir_grids=str(tmp_path / "all"))
    made = generate(batch_size=2)
    assert all(made.file(m).exists() for m in made.manifests) and len(made.manifests) == 3


@pytest.mark.parametrize("pattern", ["", "[date]/[seed]", "[prompt_words]", "[job_timestamp]-[steps]"])
def test_sub_folders_by_pattern(generate: Generate, options: Options, tmp_path: Path, pattern: str) -> None:
    options(directories_filename_pattern=pattern, save_to_dirs=bool(pattern))
    into(options, str(tmp_path / "patterns"))
    assert_all_in(generate(batch_size=2), tmp_path / "patterns")


def test_a_link_to_a_folder_is_followed(generate: Generate, options: Options, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    into(options, str(tmp_path / "link"))
    assert_all_in(generate(), tmp_path / "real")


def test_a_folder_that_cannot_be_written_is_a_failed_run(host: WebUI, options: Options, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("no folder")
    into(options, str(tmp_path / "a-file" / "below"))
    before = host.run_ids()
    with pytest.raises(HttpError):
        host.post("/sdapi/v1/txt2img", base_request())
    (run_id,) = host.run_ids() - before
    run = host.wait_closed(run_id)
    assert run["status"] == "failed" and run["images"]["saved"] == 0

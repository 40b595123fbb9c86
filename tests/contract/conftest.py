"""One host for the whole suite: SDPIPE_WEBUI names a WebUI's folder or a running one's address; else the sandbox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from PIL import Image

from tests.contract.webui import HttpError, WebUI, connect_running, start_folder, start_sandbox

_SAME_FOR_EVERY_TEST = {
    "sdpipe_paused": False, "samples_format": "png", "save_images_add_number": True, "save_images_replace_action": "Replace",
    "save_images_before_highres_fix": False, "ad_only_selected_scripts": True, "grid_save": True, "samples_save": True,
    "save_incomplete_images": False, "sdpipe_record_sources": ["Browser", "API"],
}


# A WebUI whose settings were never saved lists none of them: the sandbox starts as one whose were.
_SAVED_SETTINGS = {
    "grid_format": "png", "samples_filename_pattern": "", "directories_filename_pattern": "[date]", "save_to_dirs": True,
    "grid_save_to_dirs": True, "return_grid": True, "jpeg_quality": 80, "webp_lossless": False, "export_for_4chan": True,
    "img_downscale_threshold": 4.0, "target_side_length": 4000, "save_txt": False, "enable_pnginfo": True, "save_init_img": False,
    "save_mask": False, "save_mask_composite": False, "return_mask": False, "return_mask_composite": False,
    "img2img_color_correction": False,
    "outdir_samples": "", "outdir_grids": "",
}
_SAVED_FOLDERS = {f"outdir_{tab}_{kind}": f"outputs/{tab}-{name}" for tab in ("txt2img", "img2img")
                  for kind, name in (("samples", "images"), ("grids", "grids"))} | {"outdir_save": "log/images"}


@pytest.fixture(scope="session")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUI]:
    place = os.environ.get("SDPIPE_WEBUI", "")
    if place.startswith("http"):
        host = connect_running(place)
    elif place:
        host = start_folder(Path(place), tmp_path_factory.mktemp("webui"))
    else:
        host = start_sandbox(tmp_path_factory.mktemp("sandbox"), "--step-ms", "5")
        host.set_options(**_SAVED_SETTINGS, **{name: str(host.data_dir / folder) for name, folder in _SAVED_FOLDERS.items()})
    yield host
    host.stop()


@pytest.fixture
def host(webui: WebUI) -> WebUI:
    """The host with the options that every test may rely on."""
    webui.set_options(**_SAME_FOR_EVERY_TEST)
    return webui


Generate = Callable[..., "Made"]


class Made:
    """What one call made: its answer, its run and the run's manifests."""

    def __init__(self, host: WebUI, answer: Any, run_id: str) -> None:
        self.answer = answer
        self.run_id = run_id
        self.run = host.wait_closed(run_id)
        self.manifests = host.manifests(run_id)
        self._host = host

    def of(self, stage: str, role: str = "final") -> list[dict[str, Any]]:
        return [m for m in self.manifests if m["stage"] == stage and m["role"] == role]

    def file(self, manifest: dict[str, Any]) -> Path:
        return self._host.file_of(manifest)

    def picture(self, reference: Any) -> Image.Image:
        """The picture that a config refers to: kept as an input, or recorded as an image."""
        assert reference, "the picture was not kept"
        if "$input" in reference:
            return open_picture(self._host.layout.input_file(reference["$input"]))
        run_id, name = reference["$image"]["run_id"], reference["$image"]["name"]
        (manifest,) = [m for m in self._host.manifests(run_id) if m["name"] == name]
        return open_picture(self._host.file_of(manifest))


@pytest.fixture
def generate(host: WebUI) -> Generate:
    """Call the API and return what was recorded: exactly one run, or None where `runs=0` is asked for."""

    def call(endpoint: str = "txt2img", runs: int = 1, **request: Any) -> Any:
        before = host.run_ids()
        answer = host.post(f"/sdapi/v1/{endpoint}", {**base_request(), **request})
        made = host.run_ids() - before
        assert len(made) == runs, f"{len(made)} runs were made, not {runs}: {sorted(made)}"
        return Made(host, answer, made.pop()) if runs == 1 else answer

    return call


def base_request() -> dict[str, Any]:
    return {
        "prompt": "a lighthouse at dusk", "negative_prompt": "blurry", "steps": 2, "width": 64, "height": 64, "seed": -1,
        "sampler_name": "Euler a", "cfg_scale": 7, "save_images": True,
    }


def hires_request() -> dict[str, Any]:
    # Forge's hires pass needs its modules named; other hosts pass over a key they do not know.
    return {
        "enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.5,
        "hr_additional_modules": ["Use same choices"],
    }


def detailer(model: str) -> dict[str, Any]:
    return {"ADetailer": {"args": [True, False, {"ad_model": model}]}}


@pytest.fixture
def options(host: WebUI) -> Iterator[Callable[..., None]]:
    """Change the host's options for one test; skips where the host has no such option."""
    now = host.get("/sdapi/v1/options")
    changed: dict[str, Any] = {}

    def change(**wanted: Any) -> None:
        for name in wanted:
            if name not in now:
                pytest.skip(f"this host has no option {name}")
            changed.setdefault(name, _whole(now[name]))
        host.set_options(**wanted)

    yield change
    if changed:
        host.set_options(**changed)


def _whole(value: Any) -> Any:
    """The API tells whole numbers as 80.0; given back like that, `jpeg_quality` makes every JPEG fail."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def require_script(host: WebUI, tab: str, title: str) -> str:
    """The title, or a skip: the sandbox has few scripts, and a host may lack an extension."""
    try:
        known = host.get("/sdapi/v1/scripts")[tab]
    except HttpError:
        known = []
    if title.lower() not in (name.lower() for name in known):
        pytest.skip(f"this host has no script {title!r} in {tab}")
    return title


def open_picture(path: Path) -> Image.Image:
    """With its file closed again."""
    with Image.open(path) as picture:
        picture.load()
        return picture


def noise(width: int = 64, height: int = 64) -> Image.Image:
    """A picture that nobody has recorded."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def box_mask(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    mask.paste(255, box)
    return mask

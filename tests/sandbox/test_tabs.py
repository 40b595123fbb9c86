"""The page's other jobs: a folder through img2img, the hires button, Save and Zip."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, opened

SMALL = {"width": 64, "height": 64, "steps": 2, "seed": 5}


def files(log: Log) -> list[Path]:
    return [Path(x["filename"]) for x in log.of("on_image_saved")]


@pytest.fixture
def folder(sandbox: Sandbox, log: Log, tmp_path: Path) -> Path:
    sandbox.generate(prompt="source", save_images=True, **{**SMALL, "seed": 77})
    (tmp_path / "in").mkdir()
    shutil.copy(files(log)[0], tmp_path / "in" / "a.png")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "in" / "b.jpg")
    (tmp_path / "in" / "c.txt").write_text("no picture")
    log.clear()
    return tmp_path


def press_batch(sandbox: Sandbox, folder: Path, **fields: Any) -> Any:
    return sandbox.press_generate("img2img", prompt="x", mode=5, img2img_batch_input_dir=str(folder / "in"), **{**SMALL, **fields})


def test_batch_is_one_task_of_one_request(sandbox: Sandbox, log: Log, folder: Path) -> None:
    press_batch(sandbox, folder, img2img_batch_output_dir=str(folder / "out"))
    assert log.names().count("setup") == 1 and log.names().count("process") == 2
    assert len({id(x["p"]) for x in log.of("process")}) == 1
    assert files(log) == [folder / "out" / "00000-a.png", folder / "out" / "00001-b.png"]


def test_batch_takes_texts_and_masks(sandbox: Sandbox, log: Log, folder: Path) -> None:
    (folder / "masks").mkdir()
    Image.new("L", (64, 64), 255).save(folder / "masks" / "a.png")
    Image.new("L", (64, 64), 255).save(folder / "masks" / "other.png")
    press_batch(sandbox, folder, img2img_batch_inpaint_mask_dir=str(folder / "masks"), img2img_batch_use_png_info=True,
                img2img_batch_png_info_props=["Prompt", "Seed"])
    assert [(x["p"].prompt, x["seeds"]) for x in log.of("process")] == [("x source", [77])]  # b.jpg has no mask
    assert log.of("on_mask_blend")


def test_init_images_are_saved_by_their_digest_and_without_a_request(sandbox: Sandbox, log: Log, folder: Path) -> None:
    from modules.shared import opts

    opts.save_init_img = True
    press_batch(sandbox, folder)
    first, _, second, _ = log.of("on_image_saved")
    assert first["type"] == second["type"] == "NoneType" and Path(first["filename"]).parent.name == "init-images"
    assert len(Path(first["filename"]).stem) == 32 and first["filename"] != second["filename"]


def test_hires_button_draws_the_second_pass_only(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_before_highres_fix = True
    form = {"prompt": "x", "hr_upscaler": "Lanczos", "n_iter": 2, **SMALL}
    gallery, info, *_ = sandbox.press_generate(**form)
    log.clear()
    shown, changed, *_ = sandbox.press_generate(**form, upscale=(gallery, 2, info))
    p = log.of("before_process")[0]["p"]
    assert p.txt2img_upscale is True and p.firstpass_image.size == (64, 64) and p.n_iter == 1 and p.enable_hr
    assert log.of("process")[0]["seeds"] == [6] and not log.of("process_before_every_sampling")[1:]
    assert len(log.of("on_image_saved")) == 1 and opened(files(log)[0]).size == (128, 128)
    assert len(shown) == 3 and "Hires upscale: 2.0" in json.loads(changed)["infotexts"][2]


def test_save_button_hands_over_a_plain_object(sandbox: Sandbox, log: Log) -> None:
    from modules.ui_common import save_files

    gallery, info, *_ = sandbox.press_generate(prompt="x", n_iter=2, **SMALL)
    log.clear()
    save_files(info, gallery, False, 0)
    assert [x["type"] for x in log.of("on_image_saved")] == ["MyObject"] * 3
    assert [x["batch_index"] for x in log.of("on_image_saved")] == [-1, 0, 1]
    assert {x.parent for x in files(log)} == {sandbox.data_dir / "log" / "images"}
    log.clear()
    save_files(info, gallery, False, 2)
    assert [x["batch_index"] for x in log.of("on_image_saved")] == [1]


def test_zip_button_packs_what_it_saved(sandbox: Sandbox, log: Log) -> None:
    from modules.call_queue import queue_lock
    from modules.shared import opts
    from modules.ui_common import save_files

    opts.save_txt = True
    gallery, info, *_ = sandbox.press_generate(prompt="x", n_iter=2, **SMALL)
    log.clear()
    with queue_lock:  # which it does not wait for
        update, _ = save_files(info, gallery, True, -1)
    with ZipFile(update["value"][0]) as packed:
        assert packed.namelist() == [x.name for path in files(log) for x in (path, path.with_suffix(".txt"))]

"""Names, folders, formats and texts of saved files, with the host's flaws."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, opened

SMALL = {"width": 64, "height": 64, "steps": 2, "sampler_name": "Euler a", "save_images": True}


def saved(log: Log) -> list[Path]:
    return [Path(x["filename"]) for x in log.of("on_image_saved")]


def test_numbered_name_in_a_folder_of_the_day(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=77, **SMALL)
    path = saved(log)[0]
    assert path.parent == sandbox.data_dir / "outputs" / "txt2img-images" / datetime.date.today().isoformat()
    assert path.name[5:] == "-77.png" and path.name[:5].isdigit()
    sandbox.generate(prompt="x", seed=78, **SMALL)
    assert int(saved(log)[1].name[:5]) == int(path.name[:5]) + 1


def test_number_follows_every_entry_that_starts_with_one(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, **SMALL)
    saved(log)[0].with_name("00500-note.json").write_text("{}")
    sandbox.generate(prompt="x", seed=1, **SMALL)
    assert saved(log)[1].name == "00501-1.png"
    saved(log)[0].with_name("00500-note.json").unlink()
    saved(log)[1].unlink()


def test_grid_has_its_own_folder_and_number(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=5, batch_size=2, **SMALL)
    grid = saved(log)[-1]
    assert grid.parent.parent.name == "txt2img-grids" and grid.name.startswith("grid-0")
    assert opened(grid).size == (128, 64)


def test_pattern_with_parts_that_do_not_apply(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.samples_filename_pattern = "[seed]-[generation_number]-[prompt_spaces]-[nonsense]"
    sandbox.generate(prompt="a/b: c", seed=5, **SMALL)
    assert saved(log)[0].name[6:] == "5-a_b_ c-[nonsense].png"


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_infotext_is_read_back_from_every_format(sandbox: Sandbox, log: Log, kind: str) -> None:
    from modules import images

    prompt = "naïve: 雪, <lora:soft-light:0.7>\nsecond line"
    res = sandbox.generate(prompt=prompt, negative_prompt="sandbox-negative", seed=5,
                           override_settings={"samples_format": kind}, **SMALL)
    text, _ = images.read_info_from_image(opened(saved(log)[0]))
    assert saved(log)[0].suffix == f".{kind}"
    assert text == json.loads(res["info"])["infotexts"][0]
    assert text.startswith(f"{prompt}\nNegative prompt: sandbox-negative\nSteps: 2, Sampler: Euler a, ")
    assert 'Lora hashes: "soft-light: ' in text and 'TI hashes: "sandbox-negative: ' in text
    assert text.endswith(", Version: sandbox")


def test_other_readers_find_the_user_comment(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=5, override_settings={"samples_format": "jpg"}, **SMALL)
    comment = opened(saved(log)[0]).getexif().get_ifd(0x8769)[0x9286]
    assert comment.startswith(b"UNICODE\0") and comment[8:].decode("utf-16-be").startswith("x\nSteps")


def test_add_number_suffix_tells_of_another_file_than_it_wrote(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_add_number = False
    opts.save_images_replace_action = "Add number suffix"
    for prompt in ("first", "second"):
        sandbox.generate(prompt=prompt, seed=900, **SMALL)
    first, second = log.of("on_image_saved")
    assert Path(first["filename"]).name == Path(second["filename"]).name == second["already"].rsplit("/", 1)[-1] == "900.png"
    written = Path(second["filename"]).with_name("900-1.png")
    assert opened(written).info["parameters"].startswith("second")
    assert opened(second["filename"]).info["parameters"].startswith("first")


def test_replace_overwrites_and_the_callback_sees_the_file_before(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_add_number = False
    for _ in range(2):
        sandbox.generate(prompt="x", seed=901, **SMALL)
    assert [x["exists"] for x in log.of("on_before_image_saved")] == [False, True]


def test_text_file_exists_when_the_callback_fires(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_txt = True
    sandbox.generate(prompt="x", seed=5, **SMALL)
    assert saved(log)[0].with_suffix(".txt").read_text().startswith("x\nSteps: 2")


@pytest.mark.parametrize(("options", "endings"), [
    ({"target_side_length": 32}, [".jpg", ".png"]), ({"img_downscale_threshold": 0.0001}, [".jpg", ".png"]),
    ({"export_for_4chan": False, "target_side_length": 32}, [".png"]),
    ({"target_side_length": 32, "save_txt": True}, [".jpg", ".png", ".txt"]),
])
def test_large_pictures_have_a_jpeg_beside(sandbox: Sandbox, log: Log, options: dict[str, Any], endings: list[str]) -> None:
    from modules.shared import opts

    for key, value in options.items():
        setattr(opts, key, value)
    sandbox.generate(prompt="x", seed=5, **SMALL)
    path = saved(log)[0]
    assert sorted(x.suffix for x in path.parent.glob(f"{path.stem}.*")) == endings and len(saved(log)) == 1
    if "target_side_length" in options and ".jpg" in endings:
        assert opened(path.with_suffix(".jpg")).size == (32, 32) and opened(path).size == (64, 64)


def test_format_that_cannot_hold_the_picture_becomes_png(sandbox: Sandbox, log: Log, tmp_path: Path) -> None:
    from modules import images
    from modules.shared import opts

    opts.export_for_4chan = False
    for kind, width in (("webp", 16384), ("jpg", 65536), ("jpg", 65500)):
        images.save_image(Image.new("L", (width, 1)), str(tmp_path), "", extension=kind, save_to_dirs=False)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["00000.png", "00001.png", "00002.jpg"]


def test_no_text_is_written_if_the_user_wants_none(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.enable_pnginfo = False
    sandbox.generate(prompt="x", seed=5, **SMALL)
    assert "parameters" in log.of("on_image_saved")[0]["pnginfo"]
    assert not opened(saved(log)[0]).info


def test_path_that_is_too_long_is_cut(sandbox: Sandbox, log: Log, tmp_path: Path) -> None:
    from modules import images

    names = [images.save_image(Image.new("L", (8, 8)), str(tmp_path), "", forced_filename="y" * 300, save_to_dirs=False)[0]]
    assert [len(x) for x in names] == [255] and Path(names[0]).is_file()


def test_names_follow_the_options_of_the_request(sandbox: Sandbox, log: Log, tmp_path: Path) -> None:
    from modules.shared import opts

    opts.directories_filename_pattern, opts.samples_filename_pattern = "[date]", ""  # known: so both come back
    for options in ({"directories_filename_pattern": "[sampler]/[seed]"},
                    {"samples_filename_pattern": "[hasprompt<DOG|cat>]-[styles]-[sampler_scheduler]"}):
        sandbox.generate(prompt="a dog", seed=5, override_settings=options, **SMALL)
    assert saved(log)[0].parts[-3:-1] == ("Euler a", "5") and saved(log)[0].name.endswith("-5.png")
    assert saved(log)[1].name.partition("-")[2] == "dog-None-Euler a Automatic.png"
    opts.outdir_txt2img_samples, opts.save_to_dirs = os.path.relpath(tmp_path), False
    sandbox.generate(prompt="a dog", seed=5, **SMALL)
    assert saved(log)[2].resolve() == tmp_path / "00000-5-a dog.png" and not saved(log)[2].is_absolute()


def test_infotext_is_on_the_picture_only_after_the_save(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=5, **SMALL)
    event = log.of("on_image_saved")[0]
    assert "parameters" not in event["image_info"] and "parameters" in event["pnginfo"]
    assert "parameters" in log.of("postprocess")[0]["given"].images[0].info


def test_overridden_options_are_restored_only_where_the_config_knows_them(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    assert "jpeg_quality" not in opts.data
    sandbox.generate(prompt="x", seed=5, override_settings={"jpeg_quality": 33}, **SMALL)
    assert opts.jpeg_quality == 33
    sandbox.generate(prompt="x", seed=5, override_settings={"jpeg_quality": 44}, **SMALL)
    assert opts.jpeg_quality == 33


def test_extra_parameters_may_be_lists_and_callables(sandbox: Sandbox, log: Log) -> None:
    from modules.processing import StableDiffusionProcessingTxt2Img, process_images

    params: dict[str, Any] = {"Listed": ["a", "b"], "Called": lambda p, index, **_: f"{index}:{p.seed}", "None": None,
                              "Boom": lambda **_: 1 / 0, "Same": "Same"}
    p = StableDiffusionProcessingTxt2Img(prompt="x", seed=5, steps=1, width=64, height=64, batch_size=2,
                                         do_not_save_samples=True, do_not_save_grid=True, extra_generation_params=params)
    texts = process_images(p).infotexts
    assert 'Listed: a, Called: "0:5", Same, Version' in texts[0]
    assert 'Listed: b, Called: "1:5", Same, Version' in texts[1]


def test_same_request_same_pixels_other_seed_or_prompt_other_picture(sandbox: Sandbox) -> None:
    import numpy as np

    def draw(**request: Any) -> Any:
        from modules.api.requests import decode_base64_to_image

        answer = sandbox.generate(**{"prompt": "a hill", "seed": 1, "width": 128, "height": 96, "steps": 3, **request})
        return np.asarray(decode_base64_to_image(answer["images"][0]).convert("RGB"), dtype=np.int16)

    base = draw()
    assert base.shape == (96, 128, 3)
    assert np.array_equal(base, draw())
    for change in ({"seed": 2}, {"prompt": "a hill at night"}, {"subseed_strength": 0.5, "subseed": 9},
                   {"override_settings": {"sd_model_checkpoint": "sandbox-dunes-v2"}}):
        assert np.abs(base - draw(**change)).mean() > 0.2
    assert np.abs(base - draw(seed=2)).mean() > 3

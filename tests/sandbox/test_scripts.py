"""The selectable scripts: their titles and arguments, what they save and with which `p`; as seen in a running host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, opened

SMALL: dict[str, Any] = {"prompt": "a cat, dog", "seed": 5, "steps": 2, "width": 64, "height": 64, "sampler_name": "Euler",
                         "save_images": True}
SEED, STEPS, CFG, PROMPT_SR, SAMPLER = 1, 4, 6, 7, 9  # numbers of txt2img's axes


def xyz(*axes: tuple[int, str, list[str]], grids: bool = False, csv_mode: bool = False) -> list[Any]:
    given = [x for axis in [*axes, *[(0, "", [])] * (3 - len(axes))] for x in axis]
    return [*given, True, False, grids, False, False, False, False, 0, csv_mode]


def plot(sandbox: Sandbox, *axes: tuple[int, str, list[str]], tab: str = "txt2img", **options: Any) -> dict[str, Any]:
    request = {**SMALL, **options.pop("request", {})}
    return sandbox.generate(tab, **request, script_name="X/Y/Z plot", script_args=xyz(*axes, **options))


def names(log: Log) -> list[str]:
    return [Path(x["filename"]).name.partition("-")[2] for x in log.of("on_image_saved")]


def test_plot_saves_every_cell_and_its_grid_with_a_processed(sandbox: Sandbox, log: Log) -> None:
    answer = plot(sandbox, (SEED, "1,2", []), (STEPS, "1-2", []))
    assert log.names().count("setup") == 1 and log.names().count("before_process") == 4
    assert names(log)[:4] == ["1.png", "2.png", "1.png", "2.png"] and len(names(log)) == 5
    grid = log.of("on_image_saved")[-1]
    assert grid["type"] == "Processed" and Path(grid["filename"]).name.startswith("xyz_grid-")
    assert "Script: X/Y/Z plot, X Type: Seed, X Values: \"1,2\"" in grid["pnginfo"]["parameters"]
    assert "Fixed X Values: \"1, 2\", Y Type: Steps, Y Values: 1-2" in grid["pnginfo"]["parameters"]
    assert [x["count"] for x in log.of("on_image_grid")] == [4, 1]
    assert len(answer["images"]) == 1


def test_third_axis_makes_a_grid_of_grids(sandbox: Sandbox, log: Log) -> None:
    answer = plot(sandbox, (SEED, "1,2", []), (0, "", []), (CFG, "5,7.5", []), grids=True)
    assert [x["count"] for x in log.of("on_image_grid")] == [2, 2, 2]
    assert len([x for x in log.of("on_image_saved") if x["type"] == "Processed"]) == 3
    assert len(answer["images"]) == 3
    assert "Z Type: CFG Scale" in log.of("on_image_saved")[-3]["pnginfo"]["parameters"]


def test_frame_of_a_cell_has_the_names_of_the_host(sandbox: Sandbox, log: Log) -> None:
    from modules import script_callbacks

    cells: list[Any] = []

    def look(params: Any) -> None:
        frame: Any = sys._getframe()
        while frame is not None and frame.f_code.co_name != "cell":
            frame = frame.f_back
        if frame is not None:
            found = frame.f_locals
            cells.append(([found[x] for x in ("x", "y", "z", "ix", "iy", "iz")],
                          [found[f"{x}_opt"].label for x in "xyz"], Path(frame.f_code.co_filename).name))

    script_callbacks.on_before_image_saved(look)
    plot(sandbox, (SAMPLER, "", ["Euler a", "DDIM"]), (PROMPT_SR, "cat,bird", []))
    script_callbacks.remove_callbacks_for_function(look)
    assert [x[0] for x in cells] == [["Euler a", "cat", 0, 0, 0, 0], ["DDIM", "cat", 0, 1, 0, 0],
                                     ["Euler a", "bird", 0, 0, 1, 0], ["DDIM", "bird", 0, 1, 1, 0]]
    assert {(*x[1], x[2]) for x in cells} == {("Sampler", "Prompt S/R", "Nothing", "xyz_grid.py")}


def test_costly_axis_is_the_outer_one_and_the_checkpoint_comes_back(sandbox: Sandbox, log: Log) -> None:
    from modules import shared

    plot(sandbox, (11, "sandbox-dunes-v2,sandbox-hills-v1", []), (SEED, "1,2", []), csv_mode=True)
    assert [(x["model"], x["seeds"][0]) for x in log.of("process")] == [
        ("sandbox-dunes-v2", 1), ("sandbox-dunes-v2", 2), ("sandbox-hills-v1", 1), ("sandbox-hills-v1", 2)]
    assert shared.sd_model.sd_checkpoint_info.name_for_extra == "sandbox-hills-v1"


@pytest.mark.parametrize(("text", "kind", "values"), [
    ("1-3", int, [1, 2, 3]), ("1-9 (+4)", int, [1, 5, 9]), ("1-10 [3]", int, [1, 5, 10]), ("7", int, [7]),
    ("1-2 (+0.5)", float, [1.0, 1.5, 2.0]), ("0-1 [2]", float, [0.0, 1.0]), ("-1", int, [-1]),
])
def test_spans_of_numbers(sandbox: Sandbox, text: str, kind: Any, values: list[Any]) -> None:
    from modules import xyz_axes

    opt = next(x for x in xyz_axes.build() if x.type is kind)
    assert xyz_axes.read_values(opt, xyz_axes.split_values(text))[:len(values)] == values


def test_unknown_value_of_an_axis_fails_before_anything_is_drawn(sandbox: Sandbox, log: Log) -> None:
    with pytest.raises(RuntimeError, match="Unknown sampler: nobody"):
        plot(sandbox, (SAMPLER, "", ["nobody"]))
    assert log.names() == ["setup"]


def test_upscale_saves_the_whole_and_not_its_tiles(sandbox: Sandbox, log: Log, picture: str) -> None:
    sandbox.generate("img2img", **SMALL, init_images=[picture], denoising_strength=0.4, batch_size=2,
                     script_name="SD upscale", script_args=[None, 16, "Lanczos", 2.0])
    assert [len(x["p"].all_seeds) for x in log.of("process")] == [2] * 5 and names(log) == ["5.png"]
    event = log.of("on_image_saved")[0]
    assert opened(event["filename"]).size == (128, 128) and event["type"] == "StableDiffusionProcessingImg2Img"
    assert "SD upscale overlap: 16, SD upscale upscaler: Lanczos" in event["pnginfo"]["parameters"]


def test_tiles_that_nothing_changed_make_the_same_picture() -> None:
    import numpy as np
    from modules import images
    from PIL import Image

    image = Image.fromarray((np.random.default_rng(1).random((150, 200, 3)) * 255).astype(np.uint8))
    grid = images.split_grid(image, 64, 64, 16)
    assert [row[0] for row in grid.tiles] == [0, 43, 86] and [x[0] for x in grid.tiles[0][2]] == [0, 45, 90, 136]
    assert np.abs(np.asarray(images.combine_grid(grid), dtype=int) - np.asarray(image)).max() <= 1


def test_loopback_feeds_each_result_back(sandbox: Sandbox, log: Log, picture: str) -> None:
    answer = sandbox.generate("img2img", **SMALL, init_images=[picture], denoising_strength=0.6, script_name="Loopback",
                              script_args=[3, 0.2, "Linear", "None"])
    texts = [x["pnginfo"]["parameters"] for x in log.of("on_image_saved")[:3]]
    assert ["Denoising strength: 0.6" in texts[0], "Denoising strength: 0.4" in texts[1]] == [True, True]
    assert names(log)[:3] == ["5.png", "6.png", "7.png"] and "Denoising curve: Linear" in texts[0]
    grid = log.of("on_image_saved")[3]
    assert Path(grid["filename"]).name.startswith("grid-") and grid["pnginfo"] == {} and len(answer["images"]) == 4


def test_prompt_matrix_is_one_request(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(**{**SMALL, "prompt": "a|b|c"}, script_name="Prompt matrix",
                     script_args=[False, True, "positive", "comma", 0])
    assert log.of("process")[0]["p"].all_prompts == ["a", "a, b", "a, c", "a, b, c"]
    assert log.of("process")[0]["seeds"] == [5, 6, 7, 8] and len(log.of("process")) == 1
    assert Path(log.of("on_image_saved")[-1]["filename"]).name.startswith("prompt_matrix-")


def test_prompts_from_lines(sandbox: Sandbox, log: Log) -> None:
    lines = "first\n\n--prompt second one --steps 3 --seed 9\n--nonsense x"
    script = next(x for x in sys.modules["modules.scripts"].scripts_txt2img.scripts if x.name.startswith("prompts from"))
    args = [True, False, "end", lines, *[False] * (script.args_to - script.args_from - 4)]
    sandbox.generate(**SMALL, script_name="Prompts from file or textbox", script_args=args)
    found = [(x["p"].prompt, x["p"].steps, x["seeds"][0]) for x in log.of("process")]
    assert found == [("a cat, dog first", 2, 5), ("a cat, dog second one", 3, 9), ("a cat, dog --nonsense x", 2, 7)]


def test_outpainting_draws_only_what_is_new(sandbox: Sandbox, log: Log, picture: str) -> None:
    sandbox.generate("img2img", **SMALL, init_images=[picture], denoising_strength=0.8,
                     script_name="Poor man's outpainting", script_args=[32, 4, 0, ["right"]])
    assert names(log) == ["5.png"] and opened(log.of("on_image_saved")[0]["filename"]).size == (128, 64)


def test_page_selects_a_script_by_its_place(sandbox: Sandbox, log: Log) -> None:
    sandbox.press_generate(script_args={"X/Y/Z plot": xyz((SEED, "1,2", []))}, width=64, height=64, steps=1)
    assert len(log.of("process")) == 2

"""The host's scripts that make many images: one run, and each image says what is different about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Generate, Made, noise, open_picture, require_script
from tests.contract.webui import WebUI, encode_picture

Axes = dict[str, str]


def plot(host: WebUI, axes: Axes, subgrids: bool = False) -> dict[str, Any]:
    """X/Y/Z plot's arguments; an axis is named by its number in the list of the tab."""
    require_script(host, "txt2img", "X/Y/Z plot")
    info = next(s for s in host.get("/sdapi/v1/script-info") if s["name"] == "x/y/z plot" and not s["is_img2img"])
    labels = next(a["choices"] for a in info["args"] if a["label"] == "X type")
    arguments: list[Any] = []
    for label, values in [*axes.items(), *[("Nothing", "")] * (3 - len(axes))]:
        arguments += [labels.index(label), values, []]
    return {"script_name": "X/Y/Z plot", "script_args": [*arguments, True, False, subgrids, False, False, False, False, 0, False]}


def values(made: Made) -> list[dict[str, Any]]:
    return [m["variant"]["values"] for m in made.of("txt2img")]


def test_an_xyz_plot_of_one_axis(generate: Generate, host: WebUI) -> None:
    made = generate(seed=5, **plot(host, {"Steps": "1,2,3"}))
    cells = made.of("txt2img")
    assert values(made) == [{"Steps": 1}, {"Steps": 2}, {"Steps": 3}]
    assert [m["config"]["steps"] for m in cells] == [1, 2, 3]
    assert [(m["variant"]["row"], m["variant"]["index"]) for m in cells] == [(0, 0), (1, 0), (2, 0)]
    assert [m["variant"]["pack"] for m in cells] == [None] * 3
    (grid,) = made.of("grid")
    assert grid["members"] == [m["name"] for m in cells]
    assert made.run["images"] == {"planned": 3, "returned": 3, "saved": 3}


def test_the_runs_config_is_what_was_asked_not_what_a_cell_had(generate: Generate, host: WebUI) -> None:
    made = generate(seed=5, steps=4, **plot(host, {"Steps": "1,2", "CFG Scale": "3,4"}))
    assert (made.run["config"]["steps"], made.run["config"]["cfg_scale"], made.run["config"]["seed"]) == (4, 7, 5)
    (chosen,) = [s for s in made.run["config"]["scripts"] if s["selected"]]
    assert chosen["title"] == "X/Y/Z plot"
    assert {"1,2", "3,4"} <= {str(a["value"]) for a in chosen["args"] if a["label"] in ("X values", "Y values")}


def test_an_xyz_plot_of_two_axes(generate: Generate, host: WebUI) -> None:
    made = generate(**plot(host, {"Steps": "1,2", "Seed": "7,8"}))
    assert values(made) == [{"Steps": s, "Seed": n} for n in (7, 8) for s in (1, 2)]
    assert [(m["config"]["steps"], m["actual_seed"]) for m in made.of("txt2img")] == [(1, 7), (2, 7), (1, 8), (2, 8)]
    assert sorted(made.of("grid")[0]["members"]) == sorted(m["name"] for m in made.of("txt2img"))


def test_an_xyz_plot_of_three_axes_with_its_sub_grids(generate: Generate, host: WebUI) -> None:
    made = generate(**plot(host, {"Steps": "1,2", "Seed": "7,8", "CFG Scale": "3,4"}, subgrids=True))
    assert len(made.of("txt2img")) == 8
    assert all(set(v) == {"Steps", "Seed", "CFG Scale"} for v in values(made))
    assert all(m["config"]["cfg_scale"] == m["variant"]["values"]["CFG Scale"] for m in made.of("txt2img"))
    by_size = sorted(made.of("grid"), key=lambda grid: -len(grid["members"]))
    assert [len(grid["members"]) for grid in by_size] == [8, 4, 4]
    scale = {m["name"]: m["config"]["cfg_scale"] for m in made.of("txt2img")}
    assert [len({scale[name] for name in grid["members"]}) for grid in by_size] == [2, 1, 1]


def test_images_of_one_cell_share_its_row(generate: Generate, host: WebUI) -> None:
    made = generate(batch_size=2, seed=3, **plot(host, {"Steps": "1,2"}))
    assert [(m["variant"]["row"], m["variant"]["index"]) for m in made.of("txt2img")] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_prompt_in_a_plot_is_recorded_as_it_was_put_in(generate: Generate, host: WebUI) -> None:
    made = generate(**plot(host, {"Prompt S/R": "lighthouse, windmill"}))
    assert [m["prompt"] for m in made.of("txt2img")] == ["a lighthouse at dusk", "a windmill at dusk"]
    assert [v["Prompt S/R"] for v in values(made)] == ["lighthouse", "windmill"]


def test_the_cells_of_a_plot_that_is_not_saved_have_manifests_without_paths(generate: Generate, host: WebUI, options: Any) -> None:
    """No hook shows a grid that a script only returns."""
    options(grid_save=False)
    made = generate(save_images=False, **plot(host, {"Steps": "1,2"}))
    assert [m["path"] for m in made.of("txt2img")] == [None, None] and values(made) == [{"Steps": 1}, {"Steps": 2}]


def test_a_prompt_matrix_says_each_images_prompt(generate: Generate, host: WebUI) -> None:
    require_script(host, "txt2img", "Prompt matrix")
    request = {"prompt": "a harbour|at night|in snow", "script_name": "Prompt matrix"}
    made = generate(**request, script_args=[False, False, "positive", "comma", 0], seed=4)
    prompts = ["a harbour", "a harbour, at night", "a harbour, in snow", "a harbour, at night, in snow"]
    assert [m["prompt"] for m in made.of("txt2img")] == prompts
    assert values(made) == [{"prompt": text} for text in prompts]
    assert made.run["config"]["prompt"] == "a harbour|at night|in snow"
    (grid,) = made.of("grid")
    assert grid["members"] == [m["name"] for m in made.of("txt2img")]
    assert open_picture(made.file(grid)).width > 128


def test_prompts_from_a_file_say_their_line(generate: Generate, host: WebUI) -> None:
    require_script(host, "txt2img", "Prompts from file or textbox")
    lines = 'first\n--prompt "second" --steps 3'
    made = generate(prompt="", script_name="Prompts from file or textbox", script_args=[False, False, "start", lines, False], seed=4)
    images = made.of("txt2img")
    assert [(m["prompt"], m["config"]["steps"]) for m in images] == [("first", 2), ("second", 3)]
    assert [v["prompt"] for v in values(made)] == ["first", "second"]
    assert values(made)[1]["line"] - values(made)[0]["line"] == 1
    assert made.run["config"]["prompt"] == "" and made.run["config"]["steps"] == 2


@pytest.mark.parametrize("loops", [1, 3])
def test_each_loop_of_a_loopback_is_made_from_the_one_before(generate: Generate, host: WebUI, loops: int) -> None:
    require_script(host, "img2img", "Loopback")
    source = generate()
    picture = encode_picture(open_picture(source.file(source.of("txt2img")[0])))
    made = generate("img2img", init_images=[picture], denoising_strength=0.6, script_name="Loopback",
                    script_args=[loops, 0.4, "Linear", "None"])
    images = made.of("img2img")
    parents = [(m["parent"]["run_id"], m["parent"]["name"]) for m in images]
    assert parents == [(source.run_id, "txt2img_001"), (made.run_id, "img2img_001"), (made.run_id, "img2img_002")][:loops]
    numbers = [m["variant"]["values"]["loop"] for m in images]
    assert numbers == list(range(numbers[0], numbers[0] + loops))
    assert made.run["parent"] == {"run_id": source.run_id, "name": "txt2img_001"}
    assert [grid["members"] for grid in made.of("grid")] == ([[m["name"] for m in images]] if loops > 1 else [])


def test_a_script_and_the_press_after_it_are_two_runs(generate: Generate, host: WebUI) -> None:
    first = generate(**plot(host, {"Steps": "1,2"}))
    second = generate()
    assert second.of("txt2img")[0]["variant"] is None
    assert first.run["images"]["saved"] == 2 and second.run["images"]["saved"] == 1
    assert second.of("txt2img")[0]["name"] == "txt2img_001"


def test_a_plot_of_an_unknown_picture_knows_its_input(generate: Generate, host: WebUI) -> None:
    info = require_script(host, "img2img", "X/Y/Z plot")
    request = plot(host, {"Steps": "2,3"})
    made = generate("img2img", init_images=[encode_picture(noise())], denoising_strength=0.5, **{**request, "script_name": info})
    assert [m["config"]["init_images"] for m in made.of("img2img")] == [made.run["config"]["init_images"]] * 2

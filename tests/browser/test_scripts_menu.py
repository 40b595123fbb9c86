"""The Script menu of the page: X/Y/Z plot is one run of many passes."""

from __future__ import annotations

from tests.browser.conftest import Press
from tests.browser.fields import select, type_into
from tests.browser.page import Page
from tests.contract.conftest import require_script
from tests.contract.webui import WebUI


def test_an_xyz_plot_is_one_run_whose_cells_say_what_they_vary(page: Page, press: Press, host: WebUI) -> None:
    require_script(host, "txt2img", "X/Y/Z plot")
    page.fill("txt2img", "a harbour, many ways")
    select(page, "txt2img_script_container #script_list", "X/Y/Z plot")
    box = "script_txt2img_xyz_plot"
    select(page, f"{box}_x_type", "Steps")
    type_into(page, f"{box}_x_values", "2,3")
    select(page, f"{box}_y_type", "Seed")
    type_into(page, f"{box}_y_values", "7,8")
    made = press(lambda: page.generate("txt2img"))
    cells = made.of("txt2img")
    wanted = [{"Steps": 2, "Seed": 7}, {"Steps": 3, "Seed": 7}, {"Steps": 2, "Seed": 8}, {"Steps": 3, "Seed": 8}]
    assert sorted((m["config"]["steps"], m["actual_seed"]) for m in cells) == sorted((w["Steps"], w["Seed"]) for w in wanted)
    assert all(m["variant"]["values"] == {"Steps": m["config"]["steps"], "Seed": m["actual_seed"]} for m in cells)
    assert [(m["variant"]["row"], m["variant"]["index"]) for m in cells] == [(number, 0) for number in range(4)]
    grids = made.of("grid")
    assert any(sorted(grid["members"]) == sorted(m["name"] for m in cells) for grid in grids)
    assert made.run["images"] == {"planned": 4, "returned": 4, "saved": 4}

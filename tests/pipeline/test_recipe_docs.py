"""The page on recipes and packs shows files that are read as it says."""

from __future__ import annotations

import re
from pathlib import Path

from lib_sdpipe.pipeline.packs.expansion import count_items, preview
from lib_sdpipe.pipeline.packs.reading import parse_pack
from lib_sdpipe.pipeline.recipes import MOST_STAGES, check_recipe, check_stages, parse_recipe
from lib_sdpipe.pipeline.records import STAGES, Recipe, Stage
from lib_sdpipe.pipeline.stage_fields import FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "recipes-and-packs.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.S | re.M)


def block_with(language: str, text: str) -> str:
    (found,) = [block for kind, block in BLOCKS if kind == language and text in block]
    return found


def first_cells(heading: str) -> list[list[str]]:
    part = PAGE.split(f"# {heading}\n")[1].split("\n#")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith(("| `", "| all"))]
    return [[cell.strip() for cell in row] for row in rows]


def test_the_recipe_of_the_page_can_be_run() -> None:
    recipe = parse_recipe(block_with("json", "sdpipe.recipe/1").encode(), "page")
    assert check_recipe(recipe) == [] and len(recipe.stages) == 4 and f"1 to {MOST_STAGES} stages" in PAGE
    fields = [field.alias for field in Recipe.__fields__.values()]
    assert [row[0].strip("`") for row in first_cells("Recipes")] == fields


def test_the_packs_of_the_page_are_what_it_says() -> None:
    text, document = block_with("text", "neg: people").encode(), block_with("json", "pack_data").encode()
    rows = parse_pack("Castles", {".txt": text}).rows
    assert [(row.prompt, row.negative_prompt) for row in rows] == [
        ("(masterpiece, best quality), wide shot a ruined [[kind]] in the mist <lora:add-detail:0.6>", "blurry, text"),
        ("a lighthouse at night", "people"),
    ]
    pack = parse_pack("Castles", {".json": document})
    assert count_items(pack) == 6 and "above is 6 prompts" in PAGE and preview(pack).warnings == ()
    assert pack.rows[0].prompt.startswith("glow (detail:1.2) (masterpiece") and pack.rows[0].negative_prompt == "bad-hands, blurry, text"


def test_every_stage_and_every_setting_is_on_the_page() -> None:
    assert [row[0].strip("`") for row in first_cells("Which stages, in which order")] == list(STAGES)
    said: dict[str, set[str]] = {stage: set() for stage in STAGES}
    for row in first_cells("Settings"):
        named = re.findall(r"`(\w+)`", row[0])
        for stage in [stage for stage in STAGES if stage not in named] if "all but" in row[0] else named:
            said[stage].update(re.findall(r"`(\w+)`", row[1]))
    assert said == {stage: set(fields) for stage, fields in FIELDS.items()}


def test_the_faults_of_the_page_are_said_like_that() -> None:
    faults = check_stages([
        Stage(stage="txt2img"), Stage(stage="img2img", settings={"steps": "x", "hr_scale": 2}), Stage(stage="inpaint"),
    ])
    assert faults == block_with("text", "stage 2: steps").splitlines()

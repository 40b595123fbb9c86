"""The front desk for recipes and packs: what a page asks, and what it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.errors import ChangedMeanwhileError, RecordError, UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.pipeline.packs.expansion import Choices
from lib_sdpipe.pipeline.records import Recipe, Stage
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.jobs import Jobs
from lib_sdpipe.workspace.recipes import (
    bring_back_pack, bring_back_recipe, build_pack_job, delete_pack, delete_recipe, draw_seed, list_packs, list_recipes, open_pack,
    open_recipe, preview_pack, preview_text, read_run_recipe, save_pack, save_recipe, save_recipe_text,
)

RECIPE = Recipe(description="twice as large", stages=[Stage(stage="upscale", settings={"upscaler_1": "Lanczos"})])
MATRIX = json.dumps({"pack_data": {"matrix": {"slots": [{"name": "sea", "values": ["calm", "rough"]}]}}})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "runs").mkdir()
    return Workspace(Layout(tmp_path / "runs", tmp_path / "runs" / ".sdpipe"))


def test_a_recipe_is_saved_opened_changed_deleted_and_brought_back(workspace: Workspace) -> None:
    digest = save_recipe(workspace, "Larger", RECIPE, None)
    opened = open_recipe(workspace, "Larger")
    assert list_recipes(workspace) == ["Larger"] and opened.digest == digest and opened.faults == []
    assert opened.recipe is not None and (opened.recipe.name, opened.recipe.stages) == ("Larger", RECIPE.stages)
    digest = save_recipe_text(workspace, "Larger", opened.text.replace("Lanczos", "Nearest"), digest)
    aside = delete_recipe(workspace, "Larger", digest)
    assert list_recipes(workspace) == [] and bring_back_recipe(workspace, aside) == "Larger"
    assert "Nearest" in open_recipe(workspace, "Larger").text


def test_a_recipe_that_could_not_be_run_is_not_saved_but_one_that_is_there_is_shown_with_its_faults(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="stage 1: upscale needs upscaler_1"):
        save_recipe_text(workspace, "a", '{"stages": [{"stage": "upscale"}]}', None)
    with pytest.raises(UsageError, match="the recipe: not readable JSON"):
        save_recipe_text(workspace, "a", "{", None)
    workspace.layout.recipes.mkdir()
    (workspace.layout.recipes / "a.json").write_text('{"stages": [{"stage": "upscale"}]}', "utf-8")
    (workspace.layout.recipes / "b.json").write_text('{"stages": [{"stage"', "utf-8")
    assert list_recipes(workspace) == ["a", "b"]
    assert open_recipe(workspace, "a").faults == ["stage 1: upscale needs upscaler_1, the name of an upscaler as the WebUI lists it"]
    broken = open_recipe(workspace, "b")
    assert broken.recipe is None and broken.text == '{"stages": [{"stage"'
    assert broken.faults[0].startswith("recipes/b.json: not readable JSON")
    save_recipe(workspace, "b", RECIPE, broken.digest)
    with pytest.raises(UnknownNameError):
        open_recipe(workspace, "c")


def test_a_recorded_run_becomes_a_recipe_for_those_who_may_see_it(workspace: Workspace) -> None:
    store = RunStore(workspace.layout)
    store.create_run_folder("20260101_000000_sea")
    config = {"endpoint": "txt2img", "prompt": "sea", "steps": 3}
    store.write_run(Run(run_id="20260101_000000_sea", label="sea", user="anna", config=config))
    store.write_manifest(Manifest(run_id="20260101_000000_sea", name="txt2img_001", stage="txt2img"))
    made = read_run_recipe(workspace, "20260101_000000_sea")
    save_recipe(workspace, "Sea", made.recipe, None)
    assert open_recipe(workspace, "Sea").recipe == made.recipe.copy(update={"name": "Sea"})
    with pytest.raises(UnknownNameError):
        read_run_recipe(Workspace(workspace.layout, viewer="bert"), "20260101_000000_sea")


def test_a_pack_of_two_files_is_previewed_as_one(workspace: Workspace) -> None:
    save_pack(workspace, "Sea", ".txt", "a [[sea]] sea\nneg: land\n", None)
    save_pack(workspace, "Sea", ".json", MATRIX, None)
    assert list_packs(workspace) == {"Sea": (".txt", ".json")}
    shown = preview_pack(workspace, "Sea")
    assert shown.count == 2 and [item.settings["prompt"] for item in shown.items] == ["a calm sea", "a rough sea"]
    assert preview_pack(workspace, "Sea", Choices(limit=1)).count == 1
    opened = open_pack(workspace, "Sea")
    assert opened.fault is None and opened.texts == {".txt": "a [[sea]] sea\nneg: land\n", ".json": MATRIX}
    asides = delete_pack(workspace, "Sea", opened.digests)
    assert list_packs(workspace) == {}
    assert bring_back_pack(workspace, asides) == ["Sea", "Sea"] and preview_pack(workspace, "Sea") == shown


def test_a_pack_that_is_being_written_is_previewed_before_it_is_saved(workspace: Workspace) -> None:
    assert preview_text("New", {".txt": "a [[sea]]", ".json": MATRIX}).count == 2
    with pytest.raises(RecordError, match="New.json: no prompt pack"):
        preview_text("New", {".txt": "a", ".json": "{}"})
    with pytest.raises(UsageError, match="New.json: no row with a prompt"):
        save_pack(workspace, "New", ".json", MATRIX, None)
    assert list_packs(workspace) == {}


def test_a_damaged_pack_is_told_and_can_be_mended(workspace: Workspace) -> None:
    workspace.layout.packs.mkdir()
    (workspace.layout.packs / "old.txt").write_bytes("Möwe".encode("latin-1"))
    opened = open_pack(workspace, "old")
    assert opened.pack is None and opened.fault is not None and "save it as UTF-8" in opened.fault and opened.texts == {".txt": "M\ufffdwe"}
    with pytest.raises(RecordError, match="save it as UTF-8"):
        preview_pack(workspace, "old")
    with pytest.raises(ChangedMeanwhileError):
        save_pack(workspace, "old", ".txt", "Möwe", None)
    save_pack(workspace, "old", ".txt", "Möwe", opened.digests[".txt"])
    assert preview_pack(workspace, "old").items[0].settings == {"prompt": "Möwe"}
    with pytest.raises(UnknownNameError, match="there is no prompt pack 'nobody'"):
        open_pack(workspace, "nobody")


def test_a_pack_becomes_a_job_that_holds_its_seed(workspace: Workspace) -> None:
    save_pack(workspace, "Sea", ".txt", "a [[sea]] sea\n\na harbour", None)
    digest = save_pack(workspace, "Sea", ".json", MATRIX, None)
    stages = [Stage(stage="txt2img", settings={"n_iter": 2}), *RECIPE.stages]
    choices = Choices(mode="random", limit=1, seed=draw_seed())
    job = build_pack_job(workspace, "Sea", choices, stages, user="anna")
    assert (job.label, job.planned, job.user, len(job.items)) == ("Sea", 8, "anna", 2)
    assert job.pack is not None and job.pack["digests"][".json"] == digest and job.pack["seed"] == choices.seed
    assert build_pack_job(workspace, "Sea", choices, stages).items == job.items == list(preview_pack(workspace, "Sea", choices).items)
    assert Jobs(workspace).add(job).pack == Jobs(workspace).read().jobs[0].pack
    with pytest.raises(UsageError, match="stage 1: steps"):
        build_pack_job(workspace, "Sea", choices, [Stage(stage="txt2img", settings={"steps": 0})])
    with pytest.raises(UsageError, match="begin with txt2img"):
        build_pack_job(workspace, "Sea", choices, RECIPE.stages)

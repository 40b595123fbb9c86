"""Older manifests without a run id, as StableNew wrote them: found, planned, given their id, and put back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.cli.main import main

Capture = pytest.CaptureFixture[str]
Tree = dict[str, tuple[bytes, int]]

RUN_ID = "20260310_231652_PhotoOptimiz-juggernautrokBy-none"
NAMES = ("txt2img_p01_v01_PhotoOptim_batch0", "img2img_p01_v01_PhotoOptim_batch1", "upscale_p01_v01_PhotoOptim_batch1")


def manifest_of(name: str, place: str) -> dict[str, Any]:
    """Its shape: no schema, local time, paths of its own process, blocks that are nobody else's business."""
    return {
        "zone": "kept", "name": name, "stage": name.split("_")[0], "timestamp": "20260310_231702", "original_prompt": "a café",
        "final_prompt": "a café, masterpiece", "global_positive_applied": True, "config": {"steps": 20, "seed": -1, "cfg": 7.0},
        "path": f"output\\Pipeline\\{RUN_ID}\\{place}{name}.png", "job_id": "a" * 32, "requested_seed": -1, "actual_seed": 5,
        "seeds": {"original_seed": -1, "final_seed": 5}, "artifact": {"schema": "stablenew.artifact.v2.6"},
    }


def make_library(runs: Path, run_file: str | None, in_stage_folders: bool) -> None:
    """Images flat in the run folder, or in stage folders, `upscaled` for `upscale`. `run_file`: which run it says it is."""
    folder = runs / RUN_ID
    (folder / "manifests").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        stage = name.split("_")[0]
        place = ("upscaled/" if stage == "upscale" else f"{stage}/") if in_stage_folders else ""
        (folder / place).mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(folder / f"{place}{name}.png")
        # As its writer indents: four spaces, and no line end at the end of the file.
        text = json.dumps(manifest_of(name, place), indent=4, ensure_ascii=False)
        (folder / "manifests" / f"{name}.json").write_text(text, encoding="utf-8")
        (folder / "manifests" / f"{name}.prompt_optimizer_v3.json").write_text("{}")
    if run_file is not None:
        document = {"run_id": run_file, "timestamp": "2026-03-10T22:20:00Z", "packs": [], "config": {}, "stage_outputs": []}
        (folder / "run_metadata.json").write_text(json.dumps(document))


def tree(runs: Path) -> Tree:
    files = (file for file in sorted(runs.rglob("*")) if file.is_file() and ".sdpipe" not in file.parts)
    return {file.relative_to(runs).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def call(capsys: Capture, runs: Path, verb: str, *arguments: str) -> dict[str, Any]:
    main([verb, "--runs", str(runs), "--json", *arguments])
    return json.loads(capsys.readouterr().out)


def codes(answer: dict[str, Any]) -> list[str]:
    return sorted(finding["code"] for finding in answer["findings"])


@pytest.mark.parametrize("in_stage_folders", [False, True], ids=["flat", "stage folders"])
@pytest.mark.parametrize("run_file", [RUN_ID, None], ids=["run file agrees", "no run file"])
def test_an_older_run_gets_its_run_id_and_keeps_all_else(
    tmp_path: Path, capsys: Capture, run_file: str | None, in_stage_folders: bool
) -> None:
    runs = tmp_path / "output"
    make_library(runs, run_file, in_stage_folders)
    before = tree(runs)
    lost = [] if run_file is not None else ["missing-run-file"]
    assert codes(call(capsys, runs, "check")) == [*lost, *["unlinked-manifest"] * 3]
    plan = call(capsys, runs, "plan", "--only", "unlinked-manifest", "-o", str(tmp_path / "plan.json"))
    assert {(one["op"], one["run_id"]) for one in plan["operations"]} == {("backfill", RUN_ID)} and len(plan["operations"]) == 3
    assert call(capsys, runs, "apply", str(tmp_path / "plan.json"))["done"] == 3
    changed = {path for path, state in tree(runs).items() if before.get(path) != state}
    assert changed == {f"{RUN_ID}/manifests/{name}.json" for name in NAMES}, "no image and no other file was touched"
    for path in changed:
        added = before[path][0].removesuffix(b"\n}") + f',\n    "run_id": "{RUN_ID}"\n}}'.encode()
        assert (runs / path).read_bytes() == added, "every byte as it was, and one more field"
    assert codes(call(capsys, runs, "check")) == lost
    call(capsys, runs, "undo")
    assert tree(runs) == before


def test_where_the_run_file_names_another_run_nothing_is_filled_in(tmp_path: Path, capsys: Capture) -> None:
    runs = tmp_path / "output"
    make_library(runs, "20260101_000000_another", in_stage_folders=False)
    checked = call(capsys, runs, "check")
    unlinked = [finding for finding in checked["findings"] if finding["code"] == "unlinked-manifest"]
    assert [finding["operations"] for finding in unlinked] == [[], [], []]
    assert {finding["evidence"]["run_file"] for finding in unlinked} == {"20260101_000000_another"}
    assert "conflicting-run-id" in codes(checked)
    plan = call(capsys, runs, "plan")
    assert not any(one["op"] == "backfill" for one in plan["operations"])

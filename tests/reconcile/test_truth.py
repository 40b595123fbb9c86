"""In a library of which everything is known, a check finds all that was damaged and nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable

import pytest

from lib_sdpipe.reconcile.findings import CODES
from tests.reconcile.truth import DAMAGES, Truth


def make(base: Path, seed: int = 0, runs: int = 8) -> Truth:
    truth = Truth(base, seed)
    for number in range(runs):
        truth.record(f"20260102_0304{number:02d}_cats", kept=number % 3 == 0)
    return truth


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return make(tmp_path_factory.mktemp("whole"))


def test_a_whole_library_has_no_findings(whole: Truth) -> None:
    assert whole.found() == {}
    assert whole.found() == {}, "neither does a second look find any"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("is_known", [False, True], ids=["first look", "looked at before"])
def test_one_damage_is_found_and_nothing_else(damage: Callable[[Truth], None], is_known: bool, tmp_path: Path) -> None:
    truth = make(tmp_path, runs=3)
    if is_known:
        truth.found()
    damage(truth)
    assert truth.found() == truth.expected != {}
    assert truth.found() == truth.expected, "a second look says the same"


@pytest.mark.parametrize("seed", range(12))
def test_many_damages_at_once_are_all_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    truth = make(tmp_path, seed, runs=12)
    chooser = random.Random(seed)
    if seed % 2:
        truth.found()
    for damage in chooser.sample(DAMAGES, chooser.randint(5, 10)):
        damage(truth)
    assert truth.found() == truth.expected


def test_every_code_has_a_damage_that_shows_it(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=18)
    for damage in DAMAGES:
        damage(truth)
    assert {code for code, _, _ in truth.expected} == set(CODES) - {"unavailable-root"}


def test_an_offline_root_is_one_notice_and_no_missing_images(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=2)
    truth.found()
    truth.outputs.rename(tmp_path / "unplugged")
    assert truth.found() == {("unavailable-root", "outputs", ""): 1}
    (finding,) = truth.check()
    assert finding.evidence == {"reason": "No such file or directory", "recorded": 8}
    truth.outputs.mkdir()
    assert truth.found() == {("unavailable-root", "outputs", ""): 1}, "an empty folder where a disk was mounted"


def test_every_finding_says_why_and_what_can_be_done(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=18)
    for damage in DAMAGES:
        damage(truth)
    for finding in truth.check():
        document = finding.to_json()
        assert document["evidence"], document
        assert set(document["operations"]) <= set(CODES[finding.code].operations)
        assert document["level"] == CODES[finding.code].level

"""Records field by field: the rows lead from one record to the other, and values are compared as what they mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.manifest.compare_fields import CUT, MOST_FIELDS, compare_fields, flatten, is_same_value
from lib_sdpipe.manifest.compare_images import collect_settings, compare_settings, compare_stages
from lib_sdpipe.manifest.compare_runs import compare_configs, compare_environments, compare_models, pair_images, sum_times
from lib_sdpipe.manifest.records import Manifest, Run
from tests.pace import assert_quick

_VALUES = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.sampled_from(["7", "7.0", "1e999"]))
RECORDS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.one_of(_VALUES, st.none(), st.dictionaries(st.sampled_from("xyz"), _VALUES), st.lists(_VALUES, max_size=3)), max_size=6,
)


@given(RECORDS, RECORDS)
def test_the_rows_make_the_old_record_the_new_one(old: dict[str, Any], new: dict[str, Any]) -> None:
    one, other = flatten(old), flatten(new)
    made = dict(one)
    for row in compare_fields([one, other]):
        if row.is_equal:
            assert is_same_value(one[row.path], other[row.path])
        elif row.values[1] is None:
            del made[row.path]
        else:
            made[row.path] = row.values[1]
    assert made.keys() == other.keys()
    assert all(is_same_value(value, other[path]) for path, value in made.items())


@given(st.lists(RECORDS, min_size=2, max_size=4))
def test_equal_means_equal_in_all(records: list[dict[str, Any]]) -> None:
    for row in compare_fields([flatten(record) for record in records]):
        assert row.is_equal is all(is_same_value(row.values[0], value) for value in row.values)


@pytest.mark.parametrize(("one", "other", "same"), [
    (7, 7.0, True), ("7", 7, True), ("0.30", 0.3, True), (0.1 + 0.2, 0.3, True), (7, 8, False), (True, 1, False), ("a", "a ", True),
    ("Euler", "Euler a", False), (10**400, 10**400 + 1, False), (10**400, 1.5, False), ("1e999", 3, False), (None, 0, False),
    ([1, 2.0], [1.0, 2], True), ([1], [1, 2], False), ({"a": 1}, {"a": "1"}, True), ({"a": 1}, {"b": 1}, False), (3, 3.0000001, False),
])
def test_values_are_compared_as_what_they_mean(one: Any, other: Any, same: bool) -> None:
    assert is_same_value(one, other) is same
    assert is_same_value(other, one) is same


def test_lists_of_named_things_are_compared_by_name() -> None:
    old = flatten({"loras": [{"name": "sea", "weight": 0.8}, {"name": "sky", "weight": 1}]})
    new = flatten({"loras": [{"name": "sky", "weight": 1.0}, {"name": "sea", "weight": 0.6}]})
    assert [(row.path, row.values) for row in compare_fields([old, new]) if not row.is_equal] == [(("loras", "sea", "weight"), (0.8, 0.6))]
    script = {"title": "X/Y/Z plot", "args": [{"index": 3, "label": "Steps", "value": "1,2", "free_text": True}]}
    assert flatten({"scripts": [script]}) == {("scripts", "X/Y/Z plot", "args", "Steps"): "1,2"}
    assert flatten({"mask": {"$input": "ab"}}) == {("mask",): {"$input": "ab"}}
    assert flatten({"a": [{"name": "x"}, {"name": "x"}]}) == {("a", "x"): True, ("a", "x (2)"): True}


def test_a_hostile_record_is_cut_in_time() -> None:
    deep: Any = 1
    for _ in range(90):
        deep = {"deeper": deep}
    assert len(assert_quick(lambda: flatten({"deep": deep}), seconds=1)) == 1
    wide = {str(number): number for number in range(100_000)}
    found = assert_quick(lambda: flatten(wide), seconds=1)
    assert len(found) == MOST_FIELDS + 1 and (CUT,) in found


def _image(name: str, **values: Any) -> Manifest:
    stage = name.rsplit("_", 1)[0]
    return Manifest(**{"name": name, "run_id": "r", "stage": stage, "role": "final", "config": {"steps": 20}, **values})


def test_what_an_image_was_made_with_is_compared() -> None:
    one = _image("txt2img_001", actual_seed=1, model="a", model_hash="aa", loras=[{"name": "sea", "weight": 1, "unet_weight": 1}])
    other = _image("txt2img_001", actual_seed=1, model="a", model_hash="bb", config={"steps": 20.0, "prompt": "of the pass"})
    rows = {row.path: row for row in compare_settings([one, other])}
    assert not rows[("model",)].is_equal, "two files of one name are two models"
    assert rows[("config", "steps")].is_equal and rows[("actual_seed",)].is_equal
    assert rows[("loras", "sea", "weight")].values == (1, None)
    assert ("config", "prompt") not in rows and ("loras", "sea", "unet_weight") not in rows
    assert ("actual_subseed",) not in collect_settings(_image("txt2img_001", actual_subseed=5, subseed_strength=0))


def test_stages_of_one_kind_stand_beside_each_other() -> None:
    first = {"stage": "txt2img", "role": "before-highres-fix", "settings": {"steps": 20, "width": 512}, "actual_seed": 5}
    plain = _image("txt2img_001", actual_seed=5)
    hires = _image("txt2img_002", actual_seed=5, stage_history=[first], hires={"hr_scale": 2})
    detailed = _image("adetailer_001", actual_seed=6, stage_history=[first, {"stage": "txt2img", "settings": {"steps": 30}}])
    steps = compare_stages([plain, hires, detailed])
    assert [step.stage for step in steps] == ["txt2img", "txt2img", "adetailer"]
    assert [[entry is not None for entry in step.entries] for step in steps] == [
        [True, True, True], [False, True, True], [False, False, True],
    ]
    assert [row.values for row in steps[0].rows if row.path == ("config", "width")] == [(None, 512, 512)]
    assert [(row.values, row.is_equal) for row in steps[1].rows if row.path == ("config", "steps")] == [((None, 20, 30), False)]
    assert all(row.is_equal for row in steps[2].rows), "who has no such stage does not differ in it"


def test_runs_are_compared_by_what_was_asked_and_where() -> None:
    checkpoint, lora = {"kind": "checkpoint", "name": "a", "hash": "1"}, {"kind": "lora", "name": "sea"}
    one = Run(config={"steps": 20, "prompt": "x"}, models=[checkpoint, lora])
    other = Run(config={"steps": 30, "prompt": "y"}, models=[{"kind": "checkpoint", "name": "b", "hash": "1"}])
    assert [row.path for row in compare_configs([one, other])] == [("steps",)]
    assert [(row.path, row.values) for row in compare_models([one, other])] == [
        (("checkpoint",), ("a [1]", "b [1]")), (("lora", "sea"), ("yes", None)),
    ]
    old = {"schema": "sdpipe.environment/1", "packages": {"torch": "2.1"}, "extensions": [{"name": "adetailer", "version": "1"}],
           "script_defaults": {"txt2img": []}}
    rows = compare_environments([old, {**old, "packages": {"torch": "2.3"}}])
    assert [(row.path, row.is_equal) for row in rows] == [(("packages", "torch"), False), (("extensions", "adetailer", "version"), True)]
    assert all(row.values[1] is None for row in compare_environments([old, None]))


def test_images_of_two_runs_are_paired_by_seed_then_by_number() -> None:
    one = [_image("txt2img_001", actual_seed=5), _image("txt2img_002", actual_seed=6), _image("grid_001")]
    one.append(_image("txt2img_003", actual_seed=7))
    other = [_image("txt2img_001", actual_seed=6), _image("txt2img_002", actual_seed=9), _image("adetailer_001", actual_seed=5)]
    assert [(pair.one and pair.one.name, pair.other and pair.other.name) for pair in pair_images(one, other)] == [
        ("txt2img_001", None), ("txt2img_002", "txt2img_001"), ("grid_001", None), ("txt2img_003", None),
        (None, "txt2img_002"), (None, "adetailer_001"),
    ]


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_every_image_stands_in_one_pair(seeds: list[int], others: list[int]) -> None:
    one = [_image(f"txt2img_{number:03}", actual_seed=seed) for number, seed in enumerate(seeds)]
    other = [_image(f"txt2img_{number:03}", actual_seed=seed) for number, seed in enumerate(others)]
    pairs = pair_images(one, other)
    assert [pair.one for pair in pairs if pair.one is not None] == one
    assert sorted(pair.other.name or "" for pair in pairs if pair.other is not None) == [image.name for image in other]


def test_times_are_summed_by_stage() -> None:
    images = [_image(f"txt2img_00{n}", stage_duration_ms=ms) for n, ms in ((1, 1000), (2, 3000), (3, None))]
    times = sum_times([*images, _image("grid_001", stage_duration_ms=5), _image("adetailer_001", stage_duration_ms=700)])
    assert {stage: (found.count, found.total_ms, found.median_ms) for stage, found in times.items()} == {
        "txt2img": (2, 4000, 2000), "adetailer": (1, 700, 700),
    }

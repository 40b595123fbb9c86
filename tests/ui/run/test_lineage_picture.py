"""The lineage picture: every stage has its place, fans are folded to a count, and no damaged record makes it endless."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.index.children import Child
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui.run.folding import MOST_LEVELS, fold_graph
from lib_sdpipe.ui.run.graph import BESIDE, ELSEWHERE, FOLD, INPUT, LATER, MEMBER, UNSAVED, UNSEEN, Graph, build_graph, image_key
from lib_sdpipe.ui.run.layout import Layout, lay_out
from lib_sdpipe.ui.run.lineage_markup import show_lineage

RUN = "20251225_142000_harbour"
BEFORE = "20251224_100000_first"
LATER_RUN = "20251226_090000_later"


def image(name: str, *earlier: tuple[str, str | None], **values: Any) -> Manifest:
    """An image with earlier stages: (run id, name or None)."""
    history = [{"stage": "txt2img", "role": "final", "run_id": run, "name": known} for run, known in earlier]
    return Manifest(**{"name": name, "run_id": RUN, "stage": name.rsplit("_", 1)[0], "role": "final", "stage_history": history, **values})


def names_by_column(layout: Layout) -> list[list[str]]:
    return [
        [placed.step.name or placed.step.kind for placed in layout.placed if placed.column == column] for column in range(layout.columns)
    ]


def test_stages_stand_from_left_to_right_also_those_that_were_never_saved_and_those_of_other_runs() -> None:
    hires = image("txt2img_002", (BEFORE, "txt2img_009"), (RUN, None))
    detailed = image("adetailer_001", (BEFORE, "txt2img_009"), (RUN, None), (RUN, "txt2img_002"))
    children = [Child(LATER_RUN, "upscale_001", "upscale", "final", None, "adetailer_001")]
    graph = build_graph([hires, detailed], RUN, children)
    assert names_by_column(lay_out(graph)) == [["txt2img_009"], ["unsaved"], ["txt2img_002"], ["adetailer_001"], ["upscale_001"]]
    kinds = [graph.steps[key].kind for key in (image_key(BEFORE, "txt2img_009"), image_key(LATER_RUN, "upscale_001"))]
    assert kinds == [ELSEWHERE, LATER]


def test_a_stage_that_two_images_have_in_common_stands_once() -> None:
    digest = "a" * 64
    entry = {"stage": "txt2img", "role": "before-adetailer", "run_id": RUN, "name": None, "pixel_sha256": digest}
    graph = build_graph([image(f"adetailer_00{n}", stage_history=[entry]) for n in (1, 2)], RUN)
    assert [step.kind for step in graph.steps.values()].count(UNSAVED) == 1


def test_a_parent_that_the_history_does_not_name_stands_before_the_runs_own_stages() -> None:
    parent = {"run_id": BEFORE, "name": "txt2img_004", "by": "run-id"}
    layout = lay_out(build_graph([image("img2img_001", (RUN, None), parent=parent)], RUN))
    assert names_by_column(layout) == [["txt2img_004"], ["unsaved"], ["img2img_001"]]


def test_what_went_in_is_shown_where_it_is_no_recorded_image() -> None:
    graph = build_graph([image("img2img_001", config={"init_images": [{"$input": "b" * 64}]})], RUN)
    assert [step.kind for step in graph.steps.values() if step.digest] == [INPUT]
    known = build_graph([image("img2img_001", config={"init_images": [{"$image": {"run_id": BEFORE, "name": "txt2img_001"}}]})], RUN)
    assert image_key(BEFORE, "txt2img_001") in known.steps
    odd = build_graph([image("img2img_001", config={"init_images": [{"$input": "../../etc"}], "image": 7})], RUN)
    assert len(odd.steps) == 1


def test_a_grid_stands_behind_its_members_and_masks_beside_their_image() -> None:
    batch = {"index": 0, "size": 1, "iteration": 0, "count": 1}
    mask = image("inpaint_002", role="mask", batch=batch)
    grid = image("grid_001", members=["inpaint_001", {"run_id": "x", "name": "y"}, None, 7])
    graph = build_graph([image("inpaint_001", batch=batch), mask, grid], RUN)
    kinds = {(link.start[-1], link.end[-1]): link.kind for link in graph.links.values()}
    assert kinds == {("inpaint_001", "grid_001"): MEMBER, ("inpaint_001", "inpaint_002"): BESIDE}
    assert names_by_column(lay_out(graph))[0] == ["inpaint_001"]


def many(count: int) -> list[Manifest]:
    names = [f"txt2img_{number:03}" for number in range(1, count + 1)]
    return [*(image(name) for name in names), image("grid_001", members=names)]


def test_five_hundred_images_are_a_picture_of_a_few_and_their_count() -> None:
    graph = build_graph(many(500), RUN)
    folded = fold_graph(graph, image_key(RUN, "txt2img_321"))
    assert {step.name for step in folded.steps.values()} == {"txt2img_321", "grid_001", None}
    (fold,) = (step for step in folded.steps.values() if step.kind == FOLD)
    assert fold.count == 499 and (fold.key, image_key(RUN, "grid_001")) in folded.links
    more = fold_graph(graph, image_key(RUN, "txt2img_321"), 1)
    assert 20 < len(more.steps) < 40 and image_key(RUN, "txt2img_321") in more.steps
    assert len(fold_graph(graph, None, 10**9).steps) < 130


def test_of_images_made_from_one_some_are_shown_beside_the_chosen_one() -> None:
    variations = [image(f"img2img_{number:03}", (BEFORE, "txt2img_001")) for number in range(1, 41)]
    folded = fold_graph(build_graph(variations, RUN), image_key(RUN, "img2img_030"))
    shown = [step.name for step in folded.steps.values() if step.kind == "image"]
    assert "img2img_030" in shown and len(shown) == 3
    (fold,) = (step for step in folded.steps.values() if step.kind == FOLD)
    assert fold.count == 37 and (image_key(BEFORE, "txt2img_001"), fold.key) in folded.links


def test_what_later_runs_made_of_one_image_is_counted_beyond_a_few() -> None:
    children = [Child(LATER_RUN, f"img2img_{n:03}", "img2img", "final", n, "txt2img_001") for n in range(50)]
    folded = fold_graph(build_graph([image("txt2img_001")], RUN, children), None)
    assert sum(step.kind == LATER for step in folded.steps.values()) == 2
    assert [step.count for step in folded.steps.values() if step.kind == FOLD] == [48]


def test_a_chosen_grid_and_a_chosen_mask_are_in_the_picture() -> None:
    batch = {"index": 0, "size": 1, "iteration": 9, "count": 1}
    manifests = [*many(100), image("txt2img_101", batch=batch), image("txt2img_102", role="mask", batch=batch)]
    graph = build_graph(manifests, RUN)
    for name in ("grid_001", "txt2img_102"):
        assert image_key(RUN, name) in fold_graph(graph, image_key(RUN, name)).steps


def test_of_runs_of_others_nothing_is_told_but_that_there_is_a_step() -> None:
    graph = build_graph([image("img2img_001", (BEFORE, "txt2img_001"))], RUN)
    graph.hide_runs(lambda run_id: run_id != BEFORE)
    hidden = graph.steps[image_key(BEFORE, "txt2img_001")]
    assert (hidden.kind, hidden.run_id, hidden.name) == (UNSEEN, None, None)
    page = show_lineage(lay_out(graph), None, 0)
    assert BEFORE not in page and "not yours" in page


def test_records_that_name_themselves_as_their_ancestors_have_an_end() -> None:
    manifests = [
        image("txt2img_001", (RUN, "txt2img_001"), (RUN, "txt2img_002"), members=["txt2img_001"]),
        image("txt2img_002", (RUN, "txt2img_003"), (RUN, "txt2img_001")), image("txt2img_003", (RUN, "txt2img_002")),
        image("txt2img_004", *[(RUN, None)] * 10_000),
    ]
    children = [Child(RUN, "txt2img_001", None, None, None, "txt2img_002")]
    layout = lay_out(fold_graph(build_graph(manifests, RUN, children), None, MOST_LEVELS))
    assert {placed.step.name for placed in layout.placed} >= {"txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004"}
    assert len(layout.placed) < 30


NAMES = st.sampled_from([f"txt2img_00{number}" for number in range(6)])
MANIFESTS = st.lists(st.builds(
    lambda name, earlier, members, role: image(name, *earlier, members=members, role=role),
    NAMES, st.lists(st.tuples(st.sampled_from([RUN, BEFORE]), st.one_of(st.none(), NAMES)), max_size=4), st.lists(NAMES, max_size=4),
    st.sampled_from(["final", "mask", "init", None]),
), max_size=8)


@settings(max_examples=60, deadline=None)
@given(MANIFESTS, st.integers(0, 3))
def test_nothing_overlaps_and_every_line_leads_to_the_right(manifests: list[Manifest], level: int) -> None:
    children = [Child(LATER_RUN, "img2img_001", "img2img", None, 1, "txt2img_003")]
    folded: Graph = fold_graph(build_graph(manifests, RUN, children), image_key(RUN, "txt2img_002"), level)
    layout = lay_out(folded)
    places = {placed.step.key: placed for placed in layout.placed}
    assert places.keys() == folded.steps.keys()
    for column in range(layout.columns):
        rows = [placed.row for placed in layout.placed if placed.column == column]
        assert all(after - before > 0.999 for before, after in zip(rows, rows[1:]))
    assert all(places[link.start].column < places[link.end].column for link in layout.links)


def test_the_page_has_a_button_for_each_image_and_tells_which_is_open() -> None:
    layout = lay_out(build_graph([image("txt2img_001", actual_seed=7), image("adetailer_001", (RUN, "txt2img_001"))], RUN))
    page = show_lineage(layout, image_key(RUN, "adetailer_001"), 0)
    assert page.count("<button") == 2 and page.count('aria-current="true"') == 1
    assert 'aria-label="txt2img, seed 7, txt2img_001"' in page and page.count("<path") == 1
    assert show_lineage(lay_out(build_graph([image("txt2img_001")], RUN)), None, 0) == ""

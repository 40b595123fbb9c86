"""Candidates of one lineage are one match; two lineages, and siblings, are ambiguous."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.manifest.records import Batch, Manifest, ParentLink, StageEntry
from lib_sdpipe.reconcile.trace import Candidate, Trace, build_trace, is_one_lineage, read_ancestors, read_slot

RUN = "20251225_143022_a"


def candidate(name: str, edge: int = 512, distance: float | None = 0, run_id: str = RUN, **values: Any) -> Candidate:
    return Candidate(run_id, name, "outputs", f"{name}.png", edge, edge, values.pop("role", "final"), distance, **values)


def made_from(*names: str) -> frozenset[tuple[str, str]]:
    return frozenset((RUN, name) for name in names)


def names(trace: Trace) -> list[tuple[str, list[str]]]:
    return [(match.candidate.name, [each.name for each in match.also]) for match in trace.matches]


def test_nothing_is_not_found() -> None:
    assert build_trace("infotext", [], (512, 512)).to_json() == {"status": "not-found", "matches": []}


def test_stages_of_one_image_are_one_match_nearest_in_size_first() -> None:
    stages = [
        candidate("txt2img_001", 512, 9, role="before-highres-fix"),
        candidate("txt2img_002", 1024, 3, ancestors=made_from("txt2img_001")),
        candidate("upscale_001", 4096, 5, ancestors=made_from("txt2img_001", "txt2img_002")),
    ]
    assert names(build_trace("perceptual", stages, (512, 512))) == [("txt2img_001", ["txt2img_002", "upscale_001"])]
    assert names(build_trace("perceptual", stages, (1000, 1000))) == [("txt2img_002", ["txt2img_001", "upscale_001"])]
    assert build_trace("perceptual", stages, (512, 512)).status == "found"


def test_siblings_are_ambiguous_nearest_first() -> None:
    trace = build_trace("perceptual", [candidate("txt2img_001", distance=7), candidate("txt2img_002", distance=2)], (512, 512))
    assert (trace.status, names(trace)) == ("ambiguous", [("txt2img_002", []), ("txt2img_001", [])])


def test_two_pictures_made_from_one_are_siblings_and_their_parent_is_not() -> None:
    parent = candidate("txt2img_001", 512)
    children = [candidate(f"img2img_00{n}", 1024, n, ancestors=made_from("txt2img_001")) for n in (1, 2)]
    assert build_trace("perceptual", [parent, *children], (1024, 1024)).status == "ambiguous"
    assert names(build_trace("perceptual", [parent, *children], (512, 512))) == [("txt2img_001", ["img2img_001", "img2img_002"])]


def test_the_path_a_run_id_or_the_text_decides_between_lineages() -> None:
    one, other = candidate("txt2img_001", distance=1), candidate("txt2img_001", distance=4, run_id="20251226_143022_b")
    for hint in ("path", "run-id", "infotext"):
        hinted = Candidate(**{**vars(other), "hints": frozenset({hint})})
        trace = build_trace("pixels", [one, hinted], (512, 512))
        assert (trace.status, trace.matches[0].candidate.run_id) == ("found", other.run_id)
    by_text = Candidate(**{**vars(one), "hints": frozenset({"infotext"})})
    by_path = Candidate(**{**vars(other), "hints": frozenset({"path"})})
    assert build_trace("pixels", [by_text, by_path], (512, 512)).matches[0].candidate.run_id == other.run_id


def test_json_has_the_promised_keys() -> None:
    stages = [candidate("txt2img_001", 512, None), candidate("txt2img_002", 1024, 3, ancestors=made_from("txt2img_001"))]
    also = {"run_id": RUN, "name": "txt2img_002", "by": "run-id", "distance": 3, "root": "outputs", "path": "txt2img_002.png"}
    match = {"run_id": RUN, "name": "txt2img_001", "by": "run-id", "distance": None, "root": "outputs", "path": "txt2img_001.png"}
    assert build_trace("run-id", stages, (512, 512)).to_json() == {"status": "found", "matches": [{**match, "also": [also]}]}


def test_a_companion_and_its_image_share_a_slot_and_two_final_images_never() -> None:
    slot = (RUN, None, 0, 1, 5, "a cat")
    image, companion = candidate("txt2img_001", slot=slot), candidate("txt2img_002", slot=slot, role="before-face-restoration")
    assert is_one_lineage(image, companion)
    assert not is_one_lineage(image, candidate("txt2img_003", slot=slot))
    assert not is_one_lineage(candidate("txt2img_001"), candidate("txt2img_002", role="mask"))


def test_ancestors_and_slot_are_read_from_a_manifest() -> None:
    manifest = Manifest(
        run_id=RUN, name="upscale_001", prompt="a cat", actual_seed=5, batch=Batch(index=1, iteration=0), variant={"row": 3},
        stage_history=[StageEntry(name="txt2img_001", run_id="20251224_143022_b"), StageEntry(name=None), StageEntry(name="img2img_001")],
        parent=ParentLink(run_id=RUN, name="img2img_007"),
    )
    assert read_ancestors(manifest) == {("20251224_143022_b", "txt2img_001"), (RUN, "img2img_001"), (RUN, "img2img_007")}
    assert read_slot(manifest) == (RUN, 3, 0, 1, 5, "a cat")
    assert read_slot(Manifest(run_id=RUN, variant={"row": [1]}, batch=Batch(index=0))) is not None
    assert read_slot(Manifest(run_id=RUN)) is None and read_slot(Manifest(stage="grid", batch=Batch(index=0))) is None


_DISTANCES = st.one_of(st.none(), st.integers(0, 9))


@given(st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([0, 64, 512, 1024]), _DISTANCES, st.integers(0, 9)), max_size=8, unique_by=lambda c: c[0],
))
def test_every_candidate_stands_in_the_answer_once(candidates: list[tuple[int, int, int | None, int]]) -> None:
    given_ = [candidate(str(n), edge, distance, ancestors=made_from(str(ancestor))) for n, edge, distance, ancestor in candidates]
    trace = build_trace("pixels", given_, (512, 512))
    assert sorted(each.name for match in trace.matches for each in (match.candidate, *match.also)) == sorted(c.name for c in given_)

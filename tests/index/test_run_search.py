"""Searching runs: each that fits, once, newest first, in both directions and by every way the search can take."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.index import choosing, run_search
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import RunRow
from lib_sdpipe.index.run_search import FoundRun
from lib_sdpipe.manifest.records import Manifest


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index.sqlite3")
    yield made
    made.close()


def add_run(index: Index, run_id: str, *images: dict[str, Any], **fields: Any) -> None:
    facts = {"images": {"planned": 4, "returned": 3, "saved": 3}, **fields.pop("facts", {})}
    index.records.set_run(RunRow(run_id, None, **{"status": "completed", "label": run_id[16:], "facts": facts, **fields}))
    for number, image in enumerate(images, 1):
        values = {"name": f"{image.get('stage', 'txt2img')}_{number:03d}", "stage": "txt2img", "role": "final", "path": "a.png", **image}
        index.pictures.add(Manifest(run_id=run_id, root="outputs", timestamp="2025-12-25T13:30:22.123Z", **values))


def found(index: Index, query: str = "", **options: Any) -> list[str]:
    return [run.run_id for run in index.run_search.find(query, 100, **options).runs]


def only(index: Index, query: str) -> FoundRun:
    (run,) = index.run_search.find(query, 5).runs
    return run


def test_a_run_is_found_by_one_image_that_fits_all_terms(index: Index) -> None:
    add_run(index, "20251225_143022_a", {"prompt": "a cat", "model": "dream"}, {"prompt": "a dog", "model": "real"})
    assert found(index, "cat model:dream") == ["20251225_143022_a"] and found(index, "cat model:real") == []
    assert only(index, "cat").fitting == 1 and only(index, "cat").recorded == 2 and only(index, "").fitting is None


def test_what_is_asked_of_the_run_finds_runs_without_images(index: Index) -> None:
    add_run(index, "20251225_143022_a", status="failed")
    add_run(index, "20240101_000000_b", {"prompt": "cat"}, status="failed")
    assert found(index, "status:failed") == ["20251225_143022_a", "20240101_000000_b"]
    assert found(index, "status:failed date:2025") == ["20251225_143022_a"] == found(index, "run:20251225") == found(index, "-date:2024")
    assert found(index, "date:<2025 OR run:_a") == ["20251225_143022_a", "20240101_000000_b"]
    assert found(index, "recorded:no") == [] and found(index, "recorded:yes") == ["20251225_143022_a", "20240101_000000_b"]
    assert found(index, "status:failed cat") == ["20240101_000000_b"] and found(index, "cat OR date:2025") == ["20240101_000000_b"]


def test_a_row_tells_what_was_made(index: Index) -> None:
    add_run(
        index, "20251225_143022_a", {"name": "grid_001", "stage": "grid"}, {"name": "adetailer_001", "stage": "adetailer", "model": "m"},
        {"name": "before_001", "role": "before-adetailer"}, {"name": "txt2img_001", "path": None}, source="api", finished_at="x",
    )
    run = only(index, "")
    assert (run.status, run.source, run.planned, run.returned, run.saved, run.recorded) == ("completed", "api", 4, 3, 3, 4)
    assert run.stages == ["txt2img", "adetailer", "grid"] and run.models == ["m"]
    assert run.thumbnails == ["adetailer_001", "grid_001", "before_001", "txt2img_001"], "final ones first, what has no file last"
    assert index.run_search.find("", 5, thumbnails=1).runs[0].thumbnails == ["adetailer_001"]


def test_runs_of_which_no_image_is_left_are_told_only_when_asked_for(index: Index) -> None:
    add_run(index, "20251225_143022_a", {"prompt": "cat", "lost_at": "2025-12-26T00:00:00.000Z"})
    add_run(index, "20251225_143022_b", {"prompt": "cat", "lost_at": "2025-12-26T00:00:00.000Z"}, {"prompt": "dog"})
    add_run(index, "20251225_143022_c")
    assert found(index) == ["20251225_143022_c", "20251225_143022_b"] and index.run_search.find("", 9).total == 2
    assert found(index, "dog") == ["20251225_143022_b"] and found(index, "cat") == []
    assert found(index, "lost:yes") == ["20251225_143022_b", "20251225_143022_a"] == found(index, "lost:yes cat")


def test_somebody_who_sees_own_runs_finds_no_others(tmp_path: Path) -> None:
    made = Index(tmp_path / "index.sqlite3", viewer="ann")
    add_run(made, "20251225_143022_a", {"prompt": "cat"}, user="ann")
    add_run(made, "20251225_143022_b", {"prompt": "cat"}, user="bob")
    add_run(made, "20251225_143022_c", {"prompt": "cat"}, problem="broken")
    made.search.prepare()
    assert found(made) == ["20251225_143022_a"] == found(made, "cat") and made.run_search.find("", 5).total == 1
    assert made.count_facets().statuses == [("completed", 1)] and made.count_facets().recorded == 1
    made.close()


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Index, dict[str, list[dict[str, Any]]]]]:
    rng, runs = random.Random(1), {}
    index = Index(tmp_path_factory.mktemp("varied") / "index.sqlite3")
    for number in range(120):
        images = [{"prompt": " ".join(rng.sample(["cat", "dog", "fox", "owl"], 2)), "model": rng.choice(["one", "two", None])}
                  for _ in range(rng.randrange(4))]
        runs[f"2025{number // 28 + 1:02d}{number % 28 + 1:02d}_000000_r"] = images
        add_run(index, f"2025{number // 28 + 1:02d}{number % 28 + 1:02d}_000000_r", *images)
    index.search.complete()
    yield index, runs
    index.close()


_TERMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    **{word: lambda image, word=word: word in image["prompt"] for word in ("cat", "dog", "fox", "zz")},
    "model:one": lambda image: image["model"] == "one", "-owl": lambda image: "owl" not in image["prompt"],
}


@given(st.lists(st.sampled_from(sorted(_TERMS)), max_size=3), st.booleans(), st.integers(0, 3))
@settings(max_examples=50)
def test_every_way_finds_what_a_plain_reader_finds(
    varied: tuple[Index, dict[str, list[dict[str, Any]]]], terms: list[str], in_may: bool, way: int
) -> None:
    index, runs = varied
    days = ["date:2025-03..2025-05"] if in_may else []
    expected = sorted((
        run_id for run_id, images in runs.items()
        if (not in_may or run_id >= "202503") and (not terms or any(all(_TERMS[term](image) for term in terms) for image in images))
    ), reverse=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_search, "_GLANCE", (2000, 10, 10, 25)[way])
        patch.setattr(choosing, "_FEW_PICTURES", (10_000, 10_000, 3, 3)[way])
        patch.setattr(choosing, "_FEW_PROMPTS", (10_000, 10_000, 10_000, 1)[way])
        forward, pages, after = [], [], None
        while not pages or after is not None:
            page = index.run_search.find(" ".join([*terms, *days]), 11, after=after)
            assert page.total == len(expected)
            forward += [run.run_id for run in page.runs]
            pages.append(page)
            after = page.next
        back, before = [], pages[-1].previous
        while before is not None:
            page = index.run_search.find(" ".join([*terms, *days]), 7, before=before)
            back = [run.run_id for run in page.runs] + back
            before = page.previous
    assert forward == expected
    assert back == expected[:11 * (len(pages) - 1)]

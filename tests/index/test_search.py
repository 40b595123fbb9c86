"""Searching the index: every row that fits, once, in order, by every way the search can take."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index import choosing, owed, search
from lib_sdpipe.index.folding import fold_text
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import RunRow
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.manifest.times import format_utc
from tests.pace import assert_quick

RUN = "20251225_143022_a"
Record = Callable[..., None]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index.sqlite3")
    yield made
    made.close()


@pytest.fixture
def record(index: Index) -> Record:
    return lambda name, run_id=RUN, **fields: index.pictures.add(manifest(name, run_id, **fields))


def manifest(name: str, run_id: str = RUN, **fields: Any) -> Manifest:
    return Manifest(**{"name": name, "run_id": run_id, "stage": "txt2img", "timestamp": "2025-12-25T13:30:22.123Z", **fields})


def add_file(index: Index, name: str, infotext: str | None = None, mtime: float = 1_700_000_000, **values: Any) -> None:
    connection = index._connection
    connection.execute("INSERT OR IGNORE INTO folders (id, root, path) VALUES (1, 'outputs', 'old')")
    columns = {"folder": 1, "name": name, "bytes": 9, "mtime_ns": int(mtime * 1e9), "inode": 1, "device": 1, "infotext": infotext}
    columns.update(values)
    connection.execute(f"INSERT INTO files ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", tuple(columns.values()))


def names(index: Index, query: str, **options: Any) -> list[str | None]:
    return sorted(found.name or found.path or "" for found in index.search.find(query, 1000, **options).images)


INFOTEXT = (
    "A Dog <lora:zed:1>\nNegative prompt: thick fog\nSteps: 20, Sampler: Euler, CFG scale: 6.5, Seed: 99, Size: 512x512, Model: foo"
)


@pytest.mark.parametrize("is_indexed", [True, False], ids=["full text", "not indexed yet"])
def test_every_field_and_kind_of_word(index: Index, record: Record, is_indexed: bool) -> None:
    texts = ["A Cat on a mat", "美しい少女、東京", "Castle at\nnight (best:1.2)", "ab", "ＣＡＴ 100% _x_ 'y'", "Ночной город"]
    for number, text in enumerate(texts):
        config = {"steps": 20 + number, "cfg_scale": 7.0, "sampler_name": "DPM++ 2M Karras"}
        record(str(number), prompt=text, negative_prompt=f"fog {number}", actual_seed=number, model="dream_v8 [abc]", config=config,
               loras=[{"name": "Detail"}, {"name": "X"}], image=ImageFacts(width=512, height=700 + number))
    add_file(index, "x.png", INFOTEXT, width=512, height=512)
    index.records.set_run(RunRow(RUN, None, status="failed"))
    index.search.complete()
    if not is_indexed:
        index._connection.execute("UPDATE prompts SET is_waiting = 1 WHERE is_negative = 0")
        index._connection.execute("DROP TABLE prompt_grams")
    file, recorded = "old/x.png", list("012345")
    expected = {
        "": [*recorded, file], "cat": ["0", "4"], "少女": ["1"], "美": ["1"], "京": ["1"],
        "at n": ["0", "2"], '"at n"': ["2"], "b": ["2", "3"], "AB": ["3"],
        "город": ["5"], "%": ["4"], "_x_": ["4"], "'y'": ["4"], "cat OR castle -mat": ["2", "4"], "cat mat": ["0"],
        "-cat": ["1", "2", "3", "5", file], "zzz": [], "fog": [], "negative:fog": [*recorded, file], "negative:thick": [file],
        "model:DREAM": recorded, "-model:dream": [file], "sampler:2m": recorded, "lora:detail": recorded, "lora:zed": [file],
        "steps:>22": ["3", "4", "5"], "steps:21..22": ["1", "2"], "cfg:6.5": [file], "cfg:<7": [file], "seed:3": ["3"], "seed:99": [file],
        "seed:99999999999999999999": [], "seed:>-99999999999999999999": [*recorded, file], "size:512x703": ["3"], "size:512x512": [file],
        "stage:txt2img": [*recorded, file], "stage:inpaint": [], "status:failed": recorded, "status:completed": [],
        "role:final": [*recorded, file], "role:mask": [], "-role:final": [],
        "run:20251225_14": recorded, "run:2024": [], "run:22_A": recorded, "recorded:no": [file], "recorded:yes cat": ["0", "4"],
        "date:2025-12-25..2025-12-26": recorded, "date:2023": [file], "date:<2025 dog": [file], "-date:2025": [file],
    }
    assert {query: names(index, query) for query in expected} == expected


def test_paging_reaches_every_row_once_where_times_tie_and_rows_come_in(index: Index, record: Record) -> None:
    for number in range(40):
        record(f"a_{number:03d}", prompt="cat", timestamp=format_utc(1_766_000_000.123 + number // 8))
    seen: list[str | None] = []
    after = None
    while True:
        page = index.search.find("cat", limit=7, after=after)
        seen += [found.name for found in page.images]
        record(f"new_{len(seen):03d}", prompt="cat", timestamp=format_utc(1_767_000_000))
        record("a_003", prompt="cat", timestamp=format_utc(1_766_000_000.123))  # written again, it keeps its place
        if (after := page.next) is None:
            break
    assert sorted(seen) == [f"a_{number:03d}" for number in range(40)] and len(set(seen)) == 40
    assert [found.name for found in index.search.find("cat", limit=2).images] == ["new_040", "new_035"]


@pytest.mark.parametrize("cursor", ["", "x", "1_2", "nan_1", "1.000_-1", "9" * 50 + ".000_1", "1.000_" + "9" * 30, "1.000_1; DROP TABLE x"])
def test_a_cursor_that_is_none_is_refused(index: Index, cursor: str) -> None:
    with pytest.raises(UsageError):
        index.search.find("", after=cursor)


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Index, list[dict[str, Any]]]]:
    """300 rows of few words, so that every query fits some and no glance reaches all."""
    rng, rows = random.Random(0), []
    index = Index(tmp_path_factory.mktemp("varied") / "index.sqlite3")
    for number in range(300):
        row = {"name": f"a_{number:03d}", "prompt": " ".join(rng.sample(["Cat", "DOG", "少女", "fox", "ab", "x%"], 3)),
               "model": rng.choice(["one", "two", None]), "steps": rng.choice([20, 30]), "time": 1_766_000_000 + rng.randrange(30)}
        index.pictures.add(manifest(row["name"], prompt=row["prompt"], model=row["model"], config={"steps": row["steps"]},
                                    timestamp=format_utc(row["time"])))
        rows.append(row)
    index.search.complete()
    yield index, rows
    index.close()


_TERMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    **{word: lambda row, word=word: word in fold_text(row["prompt"]) for word in ("cat", "dog", "少女", "女", "fo", "x%", "og", "zz")},
    "model:one": lambda row: row["model"] == "one",
    "steps:>20": lambda row: row["steps"] > 20,
}


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(sorted(_TERMS)), min_size=1, max_size=2)), max_size=4), st.integers(0, 4))
@settings(max_examples=60)
def test_every_way_finds_what_a_plain_reader_finds(
    varied: tuple[Index, list[dict[str, Any]]], groups: list[tuple[bool, list[str]]], way: int
) -> None:
    index, rows = varied
    groups = [(is_excluded and len(terms) == 1, terms) for is_excluded, terms in groups]
    query = " ".join(("-" if is_excluded else "") + " OR ".join(terms) for is_excluded, terms in groups)
    fits = [row for row in rows if all(any(_TERMS[t](row) for t in terms) != is_excluded for is_excluded, terms in groups)]
    expected = [row["name"] for row in sorted(fits, key=lambda row: (-row["time"], [-ord(c) for c in row["name"]]))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_GLANCE", (3000, 10, 10, 10, 60)[way])
        patch.setattr(choosing, "_FEW_PROMPTS", (3000, 3000, 5, 5, 5)[way])
        patch.setattr(choosing, "_FEW_PICTURES", (10_000, 10_000, 10_000, 5, 5)[way])
        patch.setattr(search, "MOST_COUNTED", (1000, 1000, 1000, 30, 30)[way])
        found, after, page, pages = [], None, None, []
        while page is None or after is not None:
            page = index.search.find(query, limit=90, after=after)
            assert page.total == len(expected) if page.total_is_exact else page.total <= len(expected)
            found += [each.name for each in page.images]
            pages.append(page)
            after = page.next
        back, before = [], pages[-1].previous
        while before is not None:
            page = index.search.find(query, limit=70, before=before)
            back = [each.name for each in page.images] + back
            before = page.previous
    assert found == expected
    assert back == expected[:len(pages[:-1]) * 90], "the way back passes the same images"


def test_without_fts5_the_answers_are_the_same(index: Index, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "_CREATE_GRAMS", owed._CREATE_GRAMS.replace("fts5", "fts_that_is_not_there"))
    for number, text in enumerate(["a cat", "少女", "Café"]):
        record(str(number), prompt=text)
    index.search.complete()
    assert not index.search._owed.has_grams()
    assert [names(index, query) for query in ("cat", "女", "CAFÉ", "-cat", "dog")] == [["0"], ["1"], ["2"], ["1", "2"], []]


def test_prompts_that_came_after_the_last_indexing_are_found(index: Index, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_GLANCE", 1)
    record("1", prompt="a cat")
    index.search.complete()
    record("2", prompt="another cat")
    assert names(index, "cat") == ["1", "2"]


def test_a_file_is_read_once_and_its_row_goes_with_it(index: Index) -> None:
    add_file(index, "x.png", INFOTEXT)
    told: list[tuple[int, int]] = []
    index.search.complete(lambda done, total: told.append((done, total)))
    assert told == [(1, 1), (2, 2)]
    (row,) = index.search.find("").images
    assert (row.prompt, row.model, row.actual_seed, row.stage, row.root, row.path) == (
        "A Dog <lora:zed:1>", "foo", 99, "txt2img", "outputs", "old/x.png",
    )
    assert index._connection.execute("SELECT infotext FROM files").fetchall() == [(None,)]
    index.search.complete(lambda done, total: told.append((done, total)))
    assert len(told) == 2, "nothing is owed"
    index._connection.execute("UPDATE files SET infotext = 'another', infotext_digest = x'01', mtime_ns = mtime_ns + 1")
    index.search.complete()
    assert [found.prompt for found in index.search.find("").images] == ["another"]
    index._connection.execute("UPDATE files SET picture = 1, claim = 'image'")
    assert index.search.find("").images == [], "a manifest names it now"
    index._connection.execute("UPDATE files SET picture = NULL, claim = NULL")
    index.search.complete()
    assert len(index.search.find("").images) == 1
    index._connection.execute("DELETE FROM files")
    assert index.search.find("").images == []


@pytest.mark.parametrize(("last_line", "stage"), [
    ("Steps: 20, Sampler: Euler, Seed: 1", "txt2img"),
    ("Steps: 20, Sampler: Euler, Seed: 1, Denoising strength: 0.5, Hires upscale: 2", "txt2img"),
    ("Steps: 20, Sampler: Euler, Seed: 1, Denoising strength: 0.5", "img2img"),
    ("Steps: 20, Sampler: Euler, Seed: 1, Denoising strength: 0.5, Mask blur: 4", "inpaint"),
    ("Postprocess upscale by: 2, Postprocess upscaler: Lanczos, Source: x", None),
    ("no parameters at all", None),
])
def test_a_stage_is_guessed_only_where_the_text_is_certain(index: Index, last_line: str, stage: str | None) -> None:
    add_file(index, "x.png", f"a cat\n{last_line}")
    index.search.complete()
    assert [found.stage for found in index.search.find("").images] == [stage]


def test_prompts_of_no_picture_leave_with_their_grams(index: Index, record: Record) -> None:
    record("1", prompt="a cat", negative_prompt="fog")
    record("2", prompt="a dog", negative_prompt="fog")
    index.search.complete()
    record("1", prompt="a fox", negative_prompt="fog")
    index.pictures.keep_only("another", [])
    index.search.complete()
    texts = "SELECT text FROM prompts ORDER BY text"
    assert index._connection.execute(texts).fetchall() == [("a dog",), ("a fox",), ("fog",)]
    index.pictures.keep_only(RUN, [])
    index.search.complete()
    assert index._connection.execute(texts).fetchall() == []
    assert index._connection.execute("SELECT rowid FROM prompt_grams WHERE prompt_grams MATCH '\"fox\" OR \"cat\"'").fetchall() == []
    assert index._connection.execute("SELECT count(*) FROM loose_prompts").fetchone() == (0,)


def test_hostile_text_is_data(index: Index, record: Record) -> None:
    hostile = ["a\0b cat", "'; DROP TABLE pictures; --", 'say "hi" AND *', "\ud83d half", "x" * 50_000 + " end", "NEAR(cat dog)"]
    for number, text in enumerate(hostile):
        record(str(number), prompt=text, model=text, timestamp="0001-01-01T00:00:00Z")
    add_file(index, "x.png", "\0" * 99, mtime=-(10**9))
    index.search.complete()
    queries = ("cat", "'; DROP", '"say" -hello', "hi\"", "half", "near(", "*", "AND", "a\0", "\ud83d", "model:'", "end", "^", "a*")
    for query in queries:
        index.search.find(query)
    assert (names(index, "b cat"), names(index, "near("), names(index, '"hi" AND')) == (["0"], ["5"], ["2"])
    assert names(index, "xxx") == ["4"] and names(index, "end") == [], "of an endless prompt the beginning is searched"
    assert all(found.time is None for found in index.search.find("").images)


def test_recording_a_picture_costs_well_under_a_millisecond(index: Index) -> None:
    fields = {"prompt": "a castle at night, " * 20, "model": "m", "config": {"steps": 20}, "infotext": "t" * 900}
    rows = iter([manifest(f"a_{number:03d}", **fields).to_json() for number in range(600)])

    def record_200() -> None:
        index._connection.execute("BEGIN")
        for row in itertools.islice(rows, 200):
            index.pictures.insert(row)
        index._connection.execute("COMMIT")

    assert_quick(record_200, seconds=0.2)


def test_a_prompt_that_loses_its_pictures_one_after_the_other_is_noted_once(index: Index, record: Record) -> None:
    """Two manifests of one prompt are written over with those of another run, and nobody searches in between."""
    record("a_001", prompt="cat")
    record("a_002", prompt="cat")
    record("a_001", prompt="dog")
    record("a_002", prompt="dog")
    assert names(index, "dog") == ["a_001", "a_002"] and names(index, "cat") == []

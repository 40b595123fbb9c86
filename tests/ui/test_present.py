"""What the Runs tab says: rows, captions, lineage, escaped HTML. No gradio is imported here."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lib_sdpipe.index.run_search import FoundRun, FoundRuns
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.ui import words
from lib_sdpipe.ui.browse.markup import show_empty, show_head, show_runs
from lib_sdpipe.ui.browse.place import Place
from lib_sdpipe.ui.browse.present import RunList, present_runs
from lib_sdpipe.ui.html_text import show_hint, show_notice

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 12, 25, 14, 30, 0)
RUN = "20251225_142000_harbour"
HOSTILE = "</pre></textarea><script>alert(1)</script><img src=x onerror='a' title=\"b\">&"


def _found(run_id: str = RUN, **values: object) -> FoundRun:
    facts: dict[str, object] = {
        "label": "harbour", "status": "completed", "source": "ui", "started_at": _utc(datetime(2025, 12, 25, 14, 20)), "finished_at": None,
        "planned": 4, "returned": 4, "saved": 4, "problem": None, "recorded": 5, "fitting": None, "stages": ["txt2img", "grid"],
        "models": [], "thumbnails": ["txt2img_001"],
    }
    return FoundRun(run_id, **{**facts, **values})  # type: ignore[arg-type]


def _list(*runs: FoundRun) -> RunList:
    return present_runs(FoundRuns(len(runs), True, list(runs), None, None), NOW)


def _utc(moment: datetime) -> str:
    return format_utc(moment.timestamp())


class _Tags(HTMLParser):
    """The elements and attributes that a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.sources: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.sources += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_nothing_that_makes_texts_imports_gradio() -> None:
    places = [file for name in ("present", "markup") for file in (ROOT / "lib_sdpipe" / "ui").rglob(f"{name}.py")]
    assert len(places) >= 4
    names = [file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for file in places]
    code = "".join(f"import {name}\n" for name in names) + "import sys; print('gradio' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_runs_stand_under_their_days_newest_first() -> None:
    days = _list(_found(), _found("20251224_100000_a", label="a", started_at=_utc(datetime(2025, 12, 24, 10, 0)))).days
    assert [(day, [row.label for row in rows]) for day, rows in days] == [("Today", ["harbour"]), ("Yesterday", ["a"])]
    assert [days[0][1][0].when, days[1][1][0].when] == ["10 min ago", "10:00"]


def test_an_unreadable_run_still_has_a_row_with_its_name_and_day() -> None:
    broken = _found(
        label=None, status=None, started_at=None, source=None, planned=None, returned=None, saved=None, stages=[], recorded=0,
        thumbnails=[], problem="broken JSON",
    )
    (day, (row,)), = _list(broken).days
    assert (day, row.label, row.status.word, row.error) == ("Today", "harbour", "Unreadable", "broken JSON")


@pytest.mark.parametrize(
    ("images", "status", "text"),
    [
        ({"planned": 1, "returned": 1, "saved": 1}, "completed", "1 image"),
        ({"planned": 8, "returned": 3, "saved": 2}, "interrupted", "3 of 8 images, 2 saved"),
        ({"planned": 4, "returned": None, "recorded": 2}, "running", "2 of 4 so far"),
        ({"planned": None, "returned": 1200, "saved": 1200}, "completed", "1,200 images"),
        ({"recorded": 5, "fitting": 2}, "completed", "2 fit, 4 images"),
    ],
)
def test_image_counts_say_what_is_missing(images: dict, status: str | None, text: str) -> None:
    (_, (row,)), = _list(_found(status=status, **images)).days
    assert row.facts[0] == text


@pytest.mark.parametrize("status", ["running", "completed", "interrupted", "failed", "abandoned", "unheard-of", None])
def test_every_status_has_a_word_and_a_sign(status: str | None) -> None:
    shown = words.format_status(status)
    assert shown.word and shown.sign and shown.kind


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (-5, ""), (0, "0 ms"), (48, "48 ms"), (95, "0.1 s"), (1400, "1.4 s"), (14_200, "14 s"), (59_600, "1 min"),
     (125_000, "2 min 5 s"), (3_599_600, "1 h"), (4_320_000, "1 h 12 min")],
)
def test_durations_are_human(milliseconds: float | None, text: str) -> None:
    assert words.format_duration(milliseconds) == text


def test_times_are_local_and_foreign_texts_stay_as_they_are() -> None:
    assert words.format_moment(_utc(datetime(2025, 12, 25, 14, 30, 22))) == "25 Dec 2025, 14:30:22"
    assert words.format_moment("last summer") == "last summer"
    assert words.format_moment(None) == ""


def test_prompts_labels_and_errors_cannot_become_elements() -> None:
    found = _found(
        HOSTILE, label=HOSTILE, status=HOSTILE, source=HOSTILE, stages=[HOSTILE], started_at=HOSTILE, models=[HOSTILE],
        thumbnails=[HOSTILE], problem=HOSTILE,
    )
    pages = [
        show_runs(_list(found)),
        show_head(HOSTILE, HOSTILE), show_notice([HOSTILE]), show_hint(HOSTILE),
    ]
    for page in pages:
        tags = _Tags(page)
        assert not {"script", "textarea"} & set(tags.names)
        assert not {"onerror", "href"} & set(tags.attributes)
        assert all(source.startswith("sdpipe/v1/thumbnails/") for source in tags.sources)
        assert any(HOSTILE in text for text in tags.texts)


def test_an_empty_library_says_what_to_do() -> None:
    assert "Press Generate" in show_empty(Place(), is_paused=False, is_whole=True)
    assert "recording is paused" in show_empty(Place(), is_paused=True, is_whole=True)
    assert show_empty(Place(), is_paused=False, is_whole=False) == ""


def test_a_running_run_is_marked_for_the_script() -> None:
    page = show_runs(_list(_found(status="running")))
    assert f'data-sdpipe-run="{RUN}"' in page
    assert "data-sdpipe-running" in page

"""What the Runs tab says: rows, captions, lineage, escaped HTML. No gradio is imported here."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.ui import words
from lib_sdpipe.ui.browse.markup import show_head, show_runs
from lib_sdpipe.ui.browse.present import present_runs
from lib_sdpipe.ui.html_text import show_hint, show_notice
from lib_sdpipe.workspace import RunPage, RunSummary

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 12, 25, 14, 30, 0)
RUN = "20251225_142000_harbour"
HOSTILE = "</pre></textarea><script>alert(1)</script><img src=x onerror='a' title=\"b\">&"


def _summary(run_id: str = RUN, **values: object) -> RunSummary:
    facts: dict[str, object] = {
        "label": "harbour", "status": "completed", "started_at": _utc(datetime(2025, 12, 25, 14, 20)), "source": "ui",
        "images": {"planned": 4, "returned": 4, "saved": 4}, "stages": ["txt2img", "grid"],
    }
    return RunSummary(run_id, **{**facts, **values})  # type: ignore[arg-type]


def _utc(moment: datetime) -> str:
    return format_utc(moment.timestamp())


class _Tags(HTMLParser):
    """The elements and attributes that a browser would make of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]

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
    runs = [_summary(), _summary("20251224_100000_a", label="a", started_at=_utc(datetime(2025, 12, 24, 10, 0)))]
    days = present_runs(RunPage(2, runs, None), NOW).days
    assert [(day, [row.label for row in rows]) for day, rows in days] == [("Today", ["harbour"]), ("Yesterday", ["a"])]
    assert [days[0][1][0].when, days[1][1][0].when] == ["10 min ago", "10:00"]


def test_an_unreadable_run_still_has_a_row_with_its_name_and_day() -> None:
    broken = _summary(label=None, status=None, started_at=None, source=None, images={}, stages=[], error="broken JSON")
    (day, (row,)), = present_runs(RunPage(1, [broken], None), NOW).days
    assert (day, row.label, row.status.word, row.images) == ("Today", "harbour", "Unreadable", "")


@pytest.mark.parametrize(
    ("images", "status", "text"),
    [
        ({"planned": 1, "returned": 1, "saved": 1}, "completed", "1 image"),
        ({"planned": 8, "returned": 3, "saved": 2}, "interrupted", "3 of 8 images, 2 saved"),
        ({"planned": 4, "returned": None, "saved": None}, "running", "4 planned"),
        ({"planned": None, "returned": None, "saved": None}, None, ""),
        ({"planned": None, "returned": 1200, "saved": 1200}, "completed", "1,200 images"),
    ],
)
def test_image_counts_say_what_is_missing(images: dict, status: str | None, text: str) -> None:
    (_, (row,)), = present_runs(RunPage(1, [_summary(images=images, status=status)], None), NOW).days
    assert row.images == text


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
    summary = _summary(HOSTILE, label=HOSTILE, status=HOSTILE, source=HOSTILE, stages=[HOSTILE], started_at=HOSTILE)
    pages = [
        show_runs(present_runs(RunPage(1, [summary], None), NOW), False),
        show_head(1, HOSTILE), show_notice([HOSTILE]), show_hint(HOSTILE),
    ]
    for page in pages:
        tags = _Tags(page)
        assert not {"script", "img", "textarea"} & set(tags.names)
        assert not {"onerror", "src", "href"} & set(tags.attributes)
        assert any(HOSTILE in text for text in tags.texts)


def test_an_empty_library_says_what_to_do() -> None:
    empty = present_runs(RunPage(0, [], None), NOW)
    assert "Press Generate" in show_runs(empty, is_paused=False)
    assert "recording is paused" in show_runs(empty, is_paused=True)


def test_a_running_run_is_marked_for_the_script() -> None:
    page = show_runs(present_runs(RunPage(1, [_summary(status="running")], None), NOW), False)
    assert f'data-sdpipe-run="{RUN}"' in page
    assert "data-sdpipe-running" in page

"""Statistics as a person reads them: round axes, no day left out, what is unknown named, every bar a way to its images."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import pytest

from lib_sdpipe.index.query import parse_query
from lib_sdpipe.index.statistics import Counted, Disk, Sums, Timing
from lib_sdpipe.ui.statistics import markup
from lib_sdpipe.ui.statistics.calendar import MOST_BARS, choose_span, iter_begins, list_spans
from lib_sdpipe.ui.statistics.present import present_statistics
from lib_sdpipe.ui.statistics.queries import ask_days, ask_name, ask_settings, ask_stage
from lib_sdpipe.ui.statistics.scale import round_ticks, round_time_ticks

HOSTILE = '</svg><script>window.hacked = 1</script>"\' onmouseover=x'
TODAY = date(2025, 12, 25)


def counted(**values: object) -> Counted:
    facts: dict[str, object] = {
        "days": {
            (TODAY, "txt2img"): Sums(3, 6000, 1), (TODAY - timedelta(days=2), "upscale"): Sums(1, 500, 0), (None, None): Sums(2, 0, 2),
        },
        "models": {"dream": Sums(4, 6500, 1), None: Sums(2, 0, 2)},
        "samplers": {"Euler a": Sums(3, 6000, 1), None: Sums(3, 500, 2)},
        "timings": [Timing("txt2img", 512, 768, 20, 2, 3000.0, 2800, 3200), Timing("upscale", 1024, 1024, None, 1, 500.0, 500, 500)],
        "disk": [
            Disk("outputs", "image", "txt2img", "final", 3, 3_000_000),
            Disk("outputs", "image", "txt2img", "before-highres-fix", 1, 900_000),
            Disk("runs", "kept", "txt2img", "final", 1, 500), Disk("outputs", None, None, None, 2, 2_000_000_000),
            Disk("outputs", "image", "grid", "final", 1, 70_000), Disk("outputs", "image", None, None, 1, 5),
            Disk("", "lost", "inpaint", "mask", 1, 5),
        ],
        "others": {"before-highres-fix": 1},
    }
    return Counted(**{**facts, **values})  # type: ignore[arg-type]


def show(found: Counted, query: str = "", span: str | None = None) -> str:
    return markup.show_statistics(present_statistics(found, query, span, datetime(2025, 12, 25, 14, 30)), is_pending=False)


def queries(html: str) -> set[str]:
    return {unescape(text) for text in re.findall(r"&quot;query&quot;: &quot;(.*?)&quot;, &quot;view", html)}


@pytest.mark.parametrize(("most", "ticks"), [
    (0, [0, 1]), (3, [0, 1, 2, 3]), (7, [0, 2, 4, 6, 8]), (100, [0, 50, 100]), (0.02, [0, 0.005, 0.01, 0.015, 0.02]),
    (float("nan"), [0, 1]),
])
def test_axes_are_round(most: float, ticks: list[float]) -> None:
    assert round_ticks(most) == pytest.approx(ticks)


def test_axes_of_time_are_divided_like_a_clock() -> None:
    assert round_time_ticks(100_000) == [0, 30_000, 60_000, 90_000, 120_000]
    assert round_time_ticks(5 * 3_600_000)[-1] == 6 * 3_600_000
    for most in (1, 900, 59_999, 86_400_000 * 400, 31 * 86_400_000 * 1_000_000):
        ticks = round_time_ticks(most)
        assert 2 <= len(ticks) <= 7 and ticks[-1] >= most * 0.999


@pytest.mark.parametrize(("span", "by"), [(1, "day"), (130, "day"), (131, "week"), (1000, "month"), (5000, "year")])
def test_bars_are_as_fine_as_can_be_read(span: int, by: str) -> None:
    days = [TODAY, TODAY - timedelta(days=span - 1)]
    assert choose_span(days) == by == list_spans(days)[0]
    assert choose_span(days, "year") == "year" and choose_span(days, HOSTILE) == by
    begins = list(iter_begins(min(days), max(days), by))
    assert len(begins) <= MOST_BARS + 1 and begins == sorted(set(begins)) and begins[0] <= min(days)


def test_the_ends_of_the_calendar_are_no_fault() -> None:
    found = counted(days={(date.min, "txt2img"): Sums(1, 1, 0), (date.max, None): Sums(1, 1, 0)})
    assert "Images by year" in show(found)


def test_no_day_is_left_out_and_unknown_ones_are_told() -> None:
    html = show(counted())
    assert html.count("<g class=\"sdpipe-chart-mark\"") == 2 * 3 + 2
    assert "Of 2 images the day is not known." in html and "Of 3 images it is not known how long they took." in html
    assert html.count("Not known") >= 3
    assert "Thu 25 Dec 2025: 3 images" in html and "1 more were saved on the way" in html


def test_the_disk_is_told_by_kind_stage_and_root() -> None:
    html = show(counted())
    for text in ("Final images", "Saved on the way", "Copies in run folders", "Without a record", "Grids", "Recorded as lost",
                 "Of manifests that cannot be read", "2.0 GB", "Outside the image roots"):
        assert text in html, text


def test_every_bar_leads_to_its_images_by_a_search_that_can_be_read() -> None:
    found = queries(show(counted(), "model:dream"))
    assert found >= {
        "model:dream role:final date:2025-12-25", "model:dream role:final stage:txt2img size:512x768 steps:20",
        'model:dream role:final sampler:\\"=Euler a\\"', "model:dream recorded:no", "model:dream stage:grid",
    }
    for query in found:
        parse_query(query.replace('\\"', '"'))
    assert not any("role:" in query for query in queries(show(counted(others={}, disk=[]))))


def test_names_days_and_sizes_are_asked_for_exactly() -> None:
    assert ask_name("model", "a b") == 'model:"=a b"' and ask_name("model", 'a"b') is None and ask_name("model", None) is None
    assert ask_days(date(2025, 12, 22), "week") == "date:2025-12-22..2025-12-28"
    assert ask_days(date(2025, 12, 1), "month") == "date:2025-12" and ask_days(date(2025, 1, 1), "year") == "date:2025"
    assert ask_settings("upscale", 64, 64, None) == "stage:upscale size:64x64" and ask_settings("upscale", None, 64, 3) is None
    assert ask_stage("made-up") is None and (ask_stage(None) or "").startswith("-stage:txt2img ")
    parse_query(ask_stage(None) or "")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_names_from_files_stay_text() -> None:
    found = counted(
        days={(TODAY, HOSTILE): Sums(1, 1, 0)}, models={HOSTILE: Sums(1, 1, 0)}, samplers={"\ud800 half": Sums(1, 1, 0)},
        timings=[Timing(HOSTILE, 1, 1, -5, 1, 1.0, 1, 1)], disk=[Disk(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1)], others={HOSTILE: 1},
    )
    tags = Tags()
    tags.feed(show(found, HOSTILE))
    assert "script" not in tags.found and not any(name.startswith("on") for name in tags.attributes)


def test_of_nothing_it_says_so() -> None:
    assert "nothing to count" in show(Counted({}, {}, {}, [], [], {}))
    assert "Everything" in markup.show_ranges({"week": "2025-12-19", "month": "2025-11-26", "year": "2025"}, "")


def test_hundreds_of_checkpoints_are_a_list_of_the_most_used() -> None:
    html = show(counted(models={f"m{number}": Sums(number, 1, 0) for number in range(1, 301)}))
    assert "288 others made" in html and "m300" in html and ">m1<" not in html


def test_thousands_of_combinations_are_drawn_in_part_and_the_rest_is_told() -> None:
    timings = [Timing("txt2img", 64 * n, 512, 20, n, 10.0 * n, n, 20 * n) for n in range(1, 400)]
    timings.append(Timing("txt2img", None, None, 2, 1, 1.0, 1, 1))
    html = show(counted(timings=timings))
    assert html.count("<circle") == 150 and "250 rarer combinations of size and steps are not drawn." in html

"""What the Statistics section shows, as texts and shares. `query` is the search that leads to the images, None for none."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """A piece of a bar. `series` numbers its colour; `share` is of the whole axis."""

    label: str
    value: str
    series: int
    share: float


@dataclass(frozen=True)
class Column:
    """One bar over time. `label` is empty where the axis names no day."""

    title: str
    label: str
    total: str
    parts: list[Part]
    query: str | None


@dataclass(frozen=True)
class TimeChart:
    """Bars side by side. `ticks`: share of the axis from 0 to 1, and text."""

    title: str
    unit: str
    columns: list[Column]
    ticks: list[tuple[float, str]]
    legend: list[Part] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Row:
    label: str
    value: str
    note: str
    share: float
    query: str | None
    is_unknown: bool = False


@dataclass(frozen=True)
class BarList:
    title: str
    column: str
    rows: list[Row]
    note: str = ""


@dataclass(frozen=True)
class Point:
    """`x`, `y` and `weight` are shares from 0 to 1."""

    label: str
    value: str
    x: float
    y: float
    weight: float
    query: str | None


@dataclass(frozen=True)
class Scatter:
    title: str
    x_label: str
    series: int
    points: list[Point]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class Figure:
    """A number with its name, and a few words more."""

    name: str
    value: str
    note: str = ""
    query: str | None = None


@dataclass(frozen=True)
class StatisticsView:
    """`spans`: (name, words, whether it is chosen). `counted`: when, as words."""

    query: str
    figures: list[Figure]
    spans: list[tuple[str, str, bool]]
    over_time: list[TimeChart]
    bars: list[BarList]
    scatters: list[Scatter]
    scatter_note: str
    counted: str
    is_empty: bool

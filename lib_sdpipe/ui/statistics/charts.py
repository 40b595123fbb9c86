"""Charts as SVG: for the eye and the mouse. What they say stands in a table as well, for everybody else. Pure."""

from __future__ import annotations

from lib_sdpipe.ui.html_text import ask_attributes, e
from lib_sdpipe.ui.statistics.view import Column, Scatter, TimeChart

_GAP = 0.12
# A few bars do not fill the whole width.
_LEAST_COLUMNS = 12
_WIDTH, _HEIGHT = 320, 190
# On the left "1 min 30 s" has room.
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 8, 34
_LEAST_RADIUS, _MOST_RADIUS = 3.5, 9.0


def ask_images(query: str) -> str:
    """What makes an element lead to the images that fit."""
    return ask_attributes("search", {"query": query, "view": "images"}, "browse")


def draw_columns(chart: TimeChart) -> str:
    """Bars without words: the SVG is stretched to the width there is, the words stand around it as HTML."""
    places = count_places(chart)
    lines = "".join(f'<line x1="0" x2="{places}" y1="{_y(share)}" y2="{_y(share)}"/>' for share, _ in chart.ticks)
    bars = "".join(_draw_column(number, column) for number, column in enumerate(chart.columns))
    return (
        f'<svg class="sdpipe-bars" viewBox="0 0 {places} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{e(chart.title)}"><g class="sdpipe-gridlines">{lines}</g>{bars}</svg>'
    )


def count_places(chart: TimeChart) -> int:
    """How many bars would fill the width."""
    return max(len(chart.columns), _LEAST_COLUMNS)


def _draw_column(number: int, column: Column) -> str:
    top, rects = 0.0, ""
    for part in column.parts:
        height = 100 * part.share
        top += height
        rects += (
            f'<rect class="sdpipe-series-{part.series}" x="{number + _GAP:.2f}" width="{1 - 2 * _GAP:.2f}" '
            f'y="{100 - top:.3f}" height="{height:.3f}"/>'
        )
    pieces = "; ".join(f"{part.label} {part.value}" for part in column.parts) if len(column.parts) > 1 else ""
    title = f"{column.title}: {column.total}" + (f" ({pieces})" if pieces else "")
    ask = f" {ask_images(column.query)}" if column.query else ""
    hit = f'<rect class="sdpipe-hit" x="{number}" y="0" width="1" height="100"/>'
    return f'<g class="sdpipe-chart-mark"{ask}><title>{e(title)}</title>{hit}{rects}</g>'


def _y(share: float) -> str:
    return f"{100 - 100 * share:.3f}"


def draw_scatter(chart: Scatter) -> str:
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[str, str]:
        return f"{_LEFT + width * x:.1f}", f"{_TOP + height * (1 - y):.1f}"

    parts = []
    for share, text in chart.y_ticks:
        x, y = place(0, share)
        parts.append(f'<line x1="{x}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/><text x="{_LEFT - 6}" y="{y}" dy="0.32em" '
                     f'text-anchor="end">{e(text)}</text>')
    for share, text in chart.x_ticks:
        x, _ = place(share, 0)
        parts.append(f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 14}" text-anchor="middle">{e(text)}</text>')
    parts.append(f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 4}" text-anchor="middle">{e(chart.x_label)}</text>')
    points = ""
    for point in sorted(chart.points, key=lambda point: -point.weight):
        x, y = place(point.x, point.y)
        radius = _LEAST_RADIUS + (_MOST_RADIUS - _LEAST_RADIUS) * point.weight
        ask = f" {ask_images(point.query)}" if point.query else ""
        points += (f'<g class="sdpipe-chart-mark"{ask}><title>{e(point.label)}: {e(point.value)}</title>'
                   f'<circle class="sdpipe-series-{chart.series}" cx="{x}" cy="{y}" r="{radius:.1f}"/></g>')
    return (
        f'<svg class="sdpipe-scatter" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{e(chart.title)}">'
        f'<g class="sdpipe-gridlines">{"".join(parts)}</g>{points}</svg>'
    )

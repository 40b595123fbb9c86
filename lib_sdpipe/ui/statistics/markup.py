"""HTML of the Statistics section."""

from __future__ import annotations

from collections.abc import Iterable

from lib_sdpipe.ui.html_text import ask_attributes, ask_button, e
from lib_sdpipe.ui.statistics.charts import ask_images, count_places, draw_columns, draw_scatter
from lib_sdpipe.ui.statistics.view import BarList, Figure, Row, Scatter, StatisticsView, TimeChart

PENDING = '<p class="sdpipe-quiet" data-sdpipe-pending role="status">Counting…</p>'
# Words, and the query they stand for.
_RANGES = (("Everything", ""), ("Last 7 days", "date:>={week}"), ("Last 30 days", "date:>={month}"), ("This year", "date:{year}"))
_EMPTY = "No image fits: there is nothing to count."


def show_statistics(view: StatisticsView, is_pending: bool) -> str:
    """`is_pending`: a newer count is on its way."""
    pending = '<span data-sdpipe-pending role="status">Counting anew…</span>' if is_pending else ""
    again = ask_button("Count anew", "statistics_again", {}, None, "sdpipe-link") if not is_pending else ""
    foot = f'<p class="sdpipe-quiet sdpipe-counted"><span>Counted at</span> {e(view.counted)} {pending}{again}</p>'
    if view.is_empty:
        return f'<div class="sdpipe-statistics"><p class="sdpipe-quiet">{e(_EMPTY)}</p>{foot}</div>'
    scatters = "".join(_show_scatter(chart) for chart in view.scatters)
    speed = (
        '<section class="sdpipe-card sdpipe-panel-wide"><h3>Seconds an image took</h3><p class="sdpipe-quiet">A point is a size and a '
        "number of steps; the larger it is, the more images. Press it to see them.</p>"
        f'<div class="sdpipe-scatters">{scatters}</div>{_note(view.scatter_note)}</section>'
    ) if scatters else ""
    return (
        f'<div class="sdpipe-statistics"><div class="sdpipe-figures">{"".join(map(_show_figure, view.figures))}</div>'
        f'{_show_over_time(view)}<div class="sdpipe-panels">{"".join(map(_show_bars, view.bars))}{speed}</div>{foot}</div>'
    )


def show_ranges(queries: dict[str, str], chosen: str) -> str:
    """Buttons for the usual times; `queries` fill in the days."""
    buttons = []
    for label, pattern in _RANGES:
        query = pattern.format(**queries)
        pressed = "true" if query == chosen else "false"
        buttons.append(
            f'<button type="button" class="sdpipe-chip" aria-pressed="{pressed}" '
            f'{ask_attributes("statistics_show", {"query": query})}>{e(label)}</button>'
        )
    return f'<div class="sdpipe-pills" role="group" aria-label="Time">{"".join(buttons)}</div>'


def _show_figure(figure: Figure) -> str:
    value = _link(figure.value, figure.query)
    note = f'<span class="sdpipe-figure-note">{e(figure.note)}</span>' if figure.note else ""
    return f'<div class="sdpipe-card sdpipe-figure"><span>{e(figure.name)}</span><strong>{value}</strong>{note}</div>'


def _show_over_time(view: StatisticsView) -> str:
    if not view.over_time:
        return ""
    spans = "".join(
        f'<button type="button" class="sdpipe-chip" aria-pressed="{"true" if chosen else "false"}" '
        f'{ask_attributes("statistics_show", {"by": name})}>{e(words)}</button>' for name, words, chosen in view.spans
    )
    choice = f'<div class="sdpipe-pills" role="group" aria-label="A bar is">{spans}</div>' if len(view.spans) > 1 else ""
    charts = "".join(map(_show_chart, view.over_time))
    head = f'<div class="sdpipe-panel-head"><h3>Over time</h3>{choice}</div>'
    return f'<section class="sdpipe-card sdpipe-panel-wide">{head}{charts}</section>'


def _show_chart(chart: TimeChart) -> str:
    count = count_places(chart)
    y_texts = "".join(f'<span style="bottom:{100 * share:.2f}%">{e(text)}</span>' for share, text in chart.ticks)
    x_texts = "".join(
        f'<span style="left:{100 * (number + 0.5) / count:.2f}%"{" class=sdpipe-minor" if place % 2 else ""}>{e(column.label)}</span>'
        for place, (number, column) in enumerate((n, c) for n, c in enumerate(chart.columns) if c.label)
    )
    legend = "".join(
        f'<li><span class="sdpipe-swatch sdpipe-series-{part.series}" aria-hidden="true"></span><span>{e(part.label)}</span> '
        f"{e(part.value)}</li>"
        for part in chart.legend
    )
    rows = ((column.title, column.total, "; ".join(f"{p.label} {p.value}" for p in column.parts), column.query)
            for column in reversed(chart.columns) if column.query)
    return (
        f'<figure class="sdpipe-chart"><figcaption><h4>{e(chart.title)}</h4>{f"<ul class=sdpipe-legend>{legend}</ul>" if legend else ""}'
        f'</figcaption><div class="sdpipe-plot"><div class="sdpipe-y" aria-hidden="true">{y_texts}</div>{draw_columns(chart)}</div>'
        f'<div class="sdpipe-x" aria-hidden="true">{x_texts}</div>{_note(chart.note)}'
        f'{_show_table(chart.title, ("When", chart.unit, "Of which"), rows)}</figure>'
    )


def _show_scatter(chart: Scatter) -> str:
    rows = ((point.label, point.value, "", point.query) for point in chart.points)
    return (
        f'<figure class="sdpipe-chart"><figcaption><h4>{e(chart.title)}</h4></figcaption>{draw_scatter(chart)}'
        f'{_show_table(chart.title, ("Size and steps", "Seconds"), rows)}</figure>'
    )


def _show_table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, str, str, str | None]]) -> str:
    """What a chart says, closed until somebody wants it; its first column leads to the images."""
    head = "".join(f'<th scope="col">{e(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{_link(label, query)}</th>' + "".join(f"<td>{e(text)}</td>" for text in texts[:len(heads) - 1]) + "</tr>"
        for label, *texts, query in rows
    )
    return (
        f'<details class="sdpipe-chart-table"><summary>As a table</summary><div><table aria-label="{e(title)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _show_bars(bars: BarList) -> str:
    rows = "".join(map(_show_row, bars.rows))
    return f'<section class="sdpipe-card"><h3>{e(bars.title)}</h3><ul class="sdpipe-barlist">{rows}</ul>{_note(bars.note)}</section>'


def _show_row(row: Row) -> str:
    kind = " sdpipe-unknown" if row.is_unknown else ""
    inner = (
        f'<span class="sdpipe-row-label" dir="auto">{e(row.label)}</span><span class="sdpipe-row-value">{e(row.value)}</span>'
        f'<span class="sdpipe-row-bar" aria-hidden="true"><span style="width:{100 * row.share:.2f}%"></span></span>'
        f'<span class="sdpipe-row-note">{e(row.note)}</span>'
    )
    if row.query is None:
        return f'<li><div class="sdpipe-row{kind}">{inner}</div></li>'
    return f'<li><button type="button" class="sdpipe-row{kind}" {ask_images(row.query)}>{inner}</button></li>'


def _link(label: str, query: str | None) -> str:
    return f'<button type="button" class="sdpipe-link" {ask_images(query)}>{e(label)}</button>' if query else e(label)


def _note(text: str) -> str:
    return f'<p class="sdpipe-quiet">{e(text)}</p>' if text else ""

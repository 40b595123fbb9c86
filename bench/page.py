"""How quick the Runs tab's list is in a large library: first page, page turns, filters, and what 200 page turns leave in memory.

    python3 bench/page.py [--rows 100000] [--folder DIR] [--repeat 10]      the handlers, over the index of bench/search.py
    python3 bench/page.py --browser [--rows 100000]                         Chromium on `serve`, over files on the disk

The first has no files on the disk, so it does not look at them: what a look costs is measured by bench/check.py. The second writes
small pictures, nine in ten of them in runs of four, looks at them once, and then measures what somebody sees who opens the page.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.page_browser import measure_in_browser, read_memory  # noqa: E402
from bench.search_library import fill_index  # noqa: E402

TURNS = 200
_SEARCHES = ("masterpiece", "castle cinematic", "zyxomma", "castle -dragon -fog", "masterpiece model:checkpoint_199", "少女", "qqxxyyzz")


class List:
    """The list as the page has it: its handlers, and what the page keeps between two presses."""

    def __init__(self, layout: Any) -> None:
        import gradio as gr

        from lib_sdpipe.standalone.host import StandaloneHost
        from lib_sdpipe.ui.browse.events import BrowseEvents, Listed
        from lib_sdpipe.ui.frame import Frame
        from lib_sdpipe.workspace.watch import LibraryWatch, Looking

        # There are no files: a look would find that out and empty the index.
        LibraryWatch.ask = lambda self, again=False, patience=0.0: Looking(has_looked=True)  # type: ignore[method-assign]
        with gr.Blocks():
            self._frame = Frame(StandaloneHost(layout))
        self.events, self._count, self._new = BrowseEvents(self._frame), len(BrowseEvents.OUTPUTS), Listed
        self.listed = Listed()

    def open(self, view: str, query: str = "") -> None:
        """As if the page had just come."""
        self.listed = self._new()
        self.ask("browse", "", view=view, query=query)

    def ask(self, name: str, *values: Any, **data: Any) -> None:
        answer = self._frame.answer(getattr(self.events, name), self._count, data, None, (*values, self.listed))
        assert answer[0] == "", answer[0]
        self.listed = answer[-1]


def median(work: Callable[[], None], repeat: int) -> dict[str, float]:
    """Milliseconds: the first call, the median and the slowest of the others."""
    taken = []
    for _ in range(repeat + 1):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return {"first": round(taken[0]), "median": round(statistics.median(taken[1:])), "most": round(max(taken[1:]))}


def measure_handlers(folder: Path, rows: int, repeat: int) -> dict[str, Any]:
    from lib_sdpipe.store.layout import Layout

    (folder / "runs").mkdir(parents=True, exist_ok=True)
    layout = Layout(folder / "runs", folder / "private")
    if not layout.index_file.exists():
        layout.private.mkdir(exist_ok=True)
        fill_index(layout.index_file, rows, 0)
    page, figures = List(layout), {}
    for view in ("runs", "images"):
        def measure(what: str, work: Callable[[], None], view: str = view) -> None:
            figures[f"{view}: {what}"] = median(work, repeat)

        measure("first page", lambda view=view: page.open(view))
        measure("older", lambda: page.ask("show_older"))
        measure("newer", lambda: page.ask("show_newer"))
        days = iter([(date(2023, 3, 1) + timedelta(days=30 * number)).isoformat() for number in range(repeat + 1)])
        measure("go to a day", lambda days=days: page.ask("browse", page.listed.place.query, jump=next(days)))
        for term in _terms(layout):
            measure(term, lambda view=view, term=term: page.open(view, term))
        for query in _SEARCHES:
            measure(query, lambda view=view, query=query: page.open(view, query))
    figures["counts of all filters"] = median(lambda: _count(layout), repeat)
    page.open("images", "masterpiece")
    gc.collect()
    before, started = read_memory(), time.perf_counter()
    for _ in range(TURNS):
        page.ask("show_older")
    gc.collect()
    figures[f"{TURNS} page turns"] = {
        "each": round(1000 * (time.perf_counter() - started) / TURNS), "MB before": before, "MB after": read_memory(),
    }
    return figures


def _terms(layout: Any) -> list[str]:
    """One filter of each kind, the most frequent and the rarest."""
    from lib_sdpipe.ui.browse.filters import present_filters

    groups = present_filters(_count(layout), "")
    return [chip.term for group in groups for chip in {chip.term: chip for chip in (group.chips[0], group.chips[-1])}.values()]


def _count(layout: Any) -> Any:
    from lib_sdpipe.index.index import read_index

    with read_index(layout.index_places) as index:
        assert index is not None
        return index.count_facets()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keeps what is made for the next call")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--browser", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)) / f"{'page' if arguments.browser else 'index'}-{arguments.rows}"
        if arguments.browser:
            figures = measure_in_browser(folder, arguments.rows, TURNS)
        else:
            figures = measure_handlers(folder, arguments.rows, arguments.repeat)
    for name, figure in figures.items():
        print(f"{name:44} " + "  ".join(f"{what} {value:>6}" for what, value in figure.items()), file=sys.stderr)
    print(json.dumps({"rows": arguments.rows, **figures}, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())

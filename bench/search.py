"""How quick `find` and `trace` are in a large index, what a row costs, and how many small stripped copies are traced.

    python3 bench/search.py [--rows 1000000] [--folder DIR] [--repeat 20] [--trace-pictures 0] [--seed 0]

Writes a synthetic index straight into DIR (a temporary folder, or one that keeps it for the next call): runs of four images over
three years, most prompts from a vocabulary with a long tail in several scripts, a tenth of them images that nothing recorded.
With --trace-pictures N also: N recorded pictures, each halved, saved as JPEG of quality 70 without its text, and traced.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.search_library import QUERIES, fill_index, read_sample  # noqa: E402
from bench.traced_copies import trace_copies  # noqa: E402
from lib_sdpipe.index.index import Index  # noqa: E402


def percentiles(work: Callable[[], Any], repeat: int) -> dict[str, float]:
    """Milliseconds, after one call that warms the caches."""
    work()
    taken = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return {"p50": round(statistics.median(taken), 1), "p95": round(sorted(taken)[max(0, int(len(taken) * 0.95) - 1)], 1)}


def measure_queries(index: Index, repeat: int) -> dict[str, Any]:
    figures = {}
    for name, query in QUERIES.items():
        page = index.search.find(query)
        total = f"{page.total:,}" + ("" if page.total_is_exact else "+")
        figures[name] = {"query": query, "total": total, **percentiles(lambda query=query: index.search.find(query), repeat)}
    page = index.search.find("")
    for _ in range(20):
        page = index.search.find("", after=page.next)
    figures["page 20"] = {"query": "", "total": "", **percentiles(lambda: index.search.find("", after=page.next), repeat)}
    return figures


def measure_traces(index: Index, repeat: int) -> dict[str, Any]:
    """Of pictures all over the index, one after another."""
    sample = read_sample(index, repeat + 1)
    places = iter([])

    def one_after_another(look: Callable[[Any], Any]) -> Callable[[], Any]:
        nonlocal places
        places = iter(sample * 2)
        return lambda: look(next(places))

    pictures = index.pictures
    return {
        "trace by file digest": percentiles(one_after_another(lambda row: pictures.find_by_file(row[0])), repeat),
        "trace by pixel digest": percentiles(one_after_another(lambda row: pictures.find_by_pixels(row[1])), repeat),
        "trace by looks, any size": percentiles(one_after_another(lambda row: pictures.find_scaled(512, 512, row[2])), repeat),
        "near pixels, same size": percentiles(one_after_another(lambda row: pictures.find_maybe_near(512, 512, row[2])), repeat),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--trace-pictures", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        path = folder / f"index-{arguments.rows}-{arguments.seed}.sqlite3"
        document: dict[str, Any] = {"rows": arguments.rows}
        if arguments.rows:
            document["making"] = fill_index(path, arguments.rows, arguments.seed) if not path.exists() else "made before"
            index = Index(path)
            document["bytes a row"] = round(path.stat().st_size / arguments.rows)
            document["find"] = measure_queries(index, arguments.repeat)
            document["trace"] = measure_traces(index, arguments.repeat)
            index.close()
        if arguments.trace_pictures:
            document["copies"] = trace_copies(Path(temporary), arguments.trace_pictures, arguments.seed)
    for kind in ("find", "trace"):
        for name, figure in document.get(kind, {}).items():
            print(f"{name:28} {figure['p50']:8.1f} {figure['p95']:8.1f} ms  {figure.get('total', ''):>9}  {figure.get('query', '')}",
                  file=sys.stderr)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())

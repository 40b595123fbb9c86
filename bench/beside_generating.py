"""What a check in the Runs tab costs a generation that runs beside it in the same process, and how far it comes meanwhile.

    python bench/beside_generating.py [--images 20000] [--rounds 60]

One thread does steps like a sampler's: Python, then work that lets other threads run. Rounds are interleaved: alone (twice: what
these differ by is noise), beside a check that lets the host go first (as the tab's does), and beside one that does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.check import make_library  # noqa: E402
from lib_sdpipe.store.layout import find_layout  # noqa: E402
from lib_sdpipe.ui.background import Background, LongWork  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from lib_sdpipe.workspace.repairs import tally_findings  # noqa: E402

_STEPS = 40
# Each step of a sampler takes the interpreter's lock again and again, once for every operation that it starts.
_OPERATIONS = 400
_BYTES = bytes(16_384)


def do_steps() -> float:
    """Seconds of one round."""
    began = time.perf_counter()
    for _ in range(_STEPS):
        for _ in range(_OPERATIONS):
            hashlib.sha256(_BYTES)  # lets other threads run meanwhile, as an operation of torch does
            sum(range(200))
    return time.perf_counter() - began


def check(workspace: Workspace) -> Callable[[LongWork], None]:
    def work(long_work: LongWork) -> None:
        while True:
            tally_findings(workspace, lambda finding: True, long_work.report, long_work.rest)

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sdpipe-bench-") as folder:
        make_library(Path(folder) / "library", arguments.images, 0, 4)
        workspace = Workspace(find_layout(Path(folder) / "library" / "runs"))
        began = time.perf_counter()
        tally_findings(workspace, lambda finding: True, lambda what, count: None, lambda: None)
        first = time.perf_counter() - began
        seconds: dict[str, list[float]] = {"alone": [], "alone again": [], "lets it go first": [], "does not": []}
        do_steps()
        for _ in range(arguments.rounds):
            for kind, found in seconds.items():
                background = Background(lambda kind=kind: kind == "lets it go first")  # type: ignore[misc]
                if not kind.startswith("alone"):
                    background.start("bench", "Check", check(workspace))
                time.sleep(0.05)
                found.append(do_steps())
                background.stop(30)
    # The quicker rounds: what else the machine does makes the others slow.
    quick = {kind: statistics.quantiles(found, n=4)[0] for kind, found in seconds.items()}
    print(json.dumps({
        "images": arguments.images, "first check alone, s": round(first, 2), "a round alone, ms": round(1000 * quick["alone"], 1),
        "slower, %": {kind: round(100 * (found / quick["alone"] - 1), 1) for kind, found in quick.items() if kind != "alone"},
        "slower by the median, %": {
            kind: round(100 * (statistics.median(found) / statistics.median(seconds["alone"]) - 1), 1)
            for kind, found in seconds.items() if kind != "alone"
        },
    }, indent=2))


if __name__ == "__main__":
    main()

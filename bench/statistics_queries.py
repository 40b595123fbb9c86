"""How long the statistics of a large library take.

    python3 bench/statistics_queries.py [--rows 1000000] [--folder DIR]

Writes a synthetic index straight into DIR (a temporary folder, or one that keeps it for the next call): images of three years, nine of ten
recorded, with 200 checkpoints, 12 samplers, five sizes; prints seconds of a count of all of it and of filtered ones, and the numbers.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_sdpipe.index.database import transaction  # noqa: E402
from lib_sdpipe.index.index import Index  # noqa: E402

_START, _END = 1_672_531_200, 1_767_225_600  # 2023 to 2025
_SIZES = ((512, 512), (512, 768), (768, 512), (1024, 1024), (832, 1216))
_STAGES = ("txt2img",) * 6 + ("img2img", "inpaint", "adetailer", "upscale")
_BATCH = 20_000
QUERIES = ("", "date:2025", "model:checkpoint_3", "steps:30", "stage:upscale")


def fill_index(path: Path, rows: int, seed: int = 0) -> None:
    rng = random.Random(seed)
    index = Index(path)
    connection = index._connection
    connection.execute("PRAGMA synchronous = OFF")
    with transaction(connection):
        connection.execute("INSERT INTO folders (id, root, path) VALUES (1, 'outputs', 'a')")
        connection.executemany("INSERT INTO names (id, kind, text, folded) VALUES (?, 'model', ?, ?)",
                               [(i, f"checkpoint_{i}", f"checkpoint_{i}") for i in range(1, 201)])
        connection.executemany("INSERT INTO names (id, kind, text, folded) VALUES (?, 'sampler', ?, ?)",
                               [(200 + i, f"sampler {i}", f"sampler {i}") for i in range(1, 13)])
        connection.executemany("INSERT INTO prompts (id, digest, text, is_negative, is_waiting) VALUES (?, ?, ?, 0, 0)",
                               [(i, i.to_bytes(16, "big"), f"a lighthouse {i} " * 20) for i in range(1, rows // 4 + 2)])
    for first in range(0, rows, _BATCH):
        numbers = range(first, min(first + _BATCH, rows))
        with transaction(connection):
            connection.executemany(
                "INSERT INTO pictures (id, run_id, name, root, path, stage, role, time, prompt, model, sampler, actual_seed, steps,"
                " cfg_scale, width, height, bytes, sha256, pixel_sha256, duration_ms, file) VALUES (?, ?, ?, 'outputs', ?, ?, ?, ?, ?, ?,"
                " ?, ?, ?, 7.0, ?, ?, 400000, ?, ?, ?, ?)", [_picture(rng, number, rows) for number in numbers],
            )
            connection.executemany(
                "INSERT INTO files (id, folder, name, bytes, mtime_ns, inode, device, picture, claim)"
                " VALUES (?, 1, ?, 400000, 0, ?, 1, ?, ?)",
                [(n + 1, f"{n}.png", n, *((None, None) if n % 10 == 9 else (n + 1, "image"))) for n in numbers],
            )
            connection.execute("DELETE FROM waiting_files")
    index.search.complete()
    index.close()


def _picture(rng: random.Random, number: int, rows: int) -> tuple[Any, ...]:
    is_recorded = number % 10 != 9
    width, height = rng.choice(_SIZES)
    steps, moment = rng.choice((20, 25, 28, 30)), _START + (_END - _START) * number / rows
    return (
        number + 1, f"20250101_{number // 4:07d}_a" if is_recorded else None, f"txt2img_{number % 4:03d}" if is_recorded else None,
        f"{number}.png", rng.choice(_STAGES), ("final" if number % 8 else "before-highres-fix") if is_recorded else None, moment,
        number // 4 + 1, min(int(rng.expovariate(0.1)) + 1, 200), 200 + rng.randint(1, 12), number, steps, width, height,
        f"{number:064x}", f"{number:064x}", int(steps * width * height / 5000 * rng.uniform(0.8, 1.3)) if is_recorded else None,
        None if is_recorded else number + 1,
    )


def measure(path: Path) -> dict[str, Any]:
    figures = {}
    for query in QUERIES:
        index = Index(path)
        taken = []
        for _ in range(3):
            started = time.perf_counter()
            found = index.statistics.count(query)
            taken.append(time.perf_counter() - started)
        figures[query or "everything"] = {
            "seconds, first": round(taken[0], 2), "seconds": round(min(taken), 2), "days": len(found.days),
            "images": sum(sums.images for sums in found.days.values()), "timings": len(found.timings),
        }
        index.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (arguments.folder or Path(temporary)) / f"statistics_{arguments.rows}.sqlite3"
        if not path.exists():
            started = time.perf_counter()
            fill_index(path, arguments.rows)
            print(f"written in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        print(json.dumps(measure(path), indent=2))


if __name__ == "__main__":
    main()

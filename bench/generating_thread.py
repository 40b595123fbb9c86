"""What recording costs where the user waits: per save on the generating thread, and for a whole job.

    python3 bench/generating_thread.py URL [--pairs 200] [--jobs 20] [--edge 512]

URL is a WebUI with SDPipe and the folder bench/webui as an extension (`python -m lib_sdpipe.sandbox --extension .
--extension bench/webui` is one). All figures are ratios of interleaved pairs of one run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import urllib.request
from typing import Any


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=1800) as response:
        return json.load(response)


def job_seconds(url: str, edge: int, seed: int, record: bool) -> float:
    """A job of 16 images, from request to answer."""
    body = {
        "prompt": "a lighthouse at dusk", "steps": 2, "width": edge, "height": edge, "batch_size": 1, "n_iter": 16, "seed": seed,
        "sampler_name": "Euler a", "save_images": True, "send_images": False,
        "alwayson_scripts": {"SDPipe": {"args": [{"record": record}]}},
    }
    started = time.perf_counter()
    post(f"{url}/sdapi/v1/txt2img", body)
    return time.perf_counter() - started


def measure_jobs(url: str, edge: int, pairs: int) -> dict[str, float]:
    """Interleaved jobs with and without recording; the order changes from pair to pair."""
    job_seconds(url, edge, 0, True), job_seconds(url, edge, 0, False)
    without, differences = [], []
    for pair in range(pairs):
        seconds = {record: job_seconds(url, edge, pair, record) for record in ((True, False) if pair % 2 else (False, True))}
        without.append(seconds[False])
        differences.append(seconds[True] - seconds[False])
    quartiles = statistics.quantiles(differences, n=4)
    plain = statistics.median(without)
    return {
        "pairs": pairs, "edge": edge, "job_ms": 1000 * plain, "difference_percent": 100 * statistics.median(differences) / plain,
        "quartiles_percent": [round(100 * q / plain, 2) for q in (quartiles[0], quartiles[2])],
        "slower_with_recording": sum(d > 0 for d in differences),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--edge", type=int, default=512)
    arguments = parser.parse_args()
    url = arguments.url.rstrip("/")
    print(json.dumps({"one save": post(f"{url}/sdpipe-bench/saves?pairs={arguments.pairs}", {})}, indent=2), flush=True)
    print(json.dumps({"a job of 16 images": measure_jobs(url, arguments.edge, arguments.jobs)}, indent=2))


if __name__ == "__main__":
    main()

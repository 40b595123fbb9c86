"""What a chain costs through the queue, against the same calls made by hand through the host's own API.

    python3 bench/chain.py URL [--pairs 30] [--stages 4] [--images 1] [--edge 256] [--steps 20]

URL is a WebUI with SDPipe and --api, with nobody else at it. A chain is txt2img and so many img2img stages less one, on each of its
images. Each round makes it three times in changing order: through the queue, by hand, and by hand again; the last two against each
other tell how far the host itself is from doing the same in the same time. All are recorded, saved and made with the same seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any

_PROMPT = {"prompt": "a lighthouse at dusk", "negative_prompt": "blurry", "sampler_name": "Euler a", "cfg_scale": 7}
_RESAMPLES = 10_000


def call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=1800) as response:
        return json.load(response)


def make_by_hand(url: str, chosen: argparse.Namespace, seed: int) -> float:
    """Seconds from the first call to the last answer."""
    size = {"width": chosen.edge, "height": chosen.edge, "steps": chosen.steps, "save_images": True}
    started = time.perf_counter()
    first = {**_PROMPT, **size, "seed": seed, "batch_size": chosen.images}
    pictures = call(f"{url}/sdapi/v1/txt2img", first)["images"][-chosen.images:]
    for _ in range(chosen.stages - 1):
        later = [{**_PROMPT, **size, "seed": seed + place, "denoising_strength": 0.5} for place in range(chosen.images)]
        pictures = [
            call(f"{url}/sdapi/v1/img2img", {**asked, "init_images": [picture]})["images"][0] for asked, picture in zip(later, pictures)
        ]
    return time.perf_counter() - started


def make_by_queue(url: str, chosen: argparse.Namespace, seed: int, quiet_seconds: float = 0.0) -> float:
    """Seconds from the call to the end of the job, which the host's clock tells: it is this computer's.

    For so many seconds nothing is asked of the host: it has one interpreter, and by hand nobody asks either.
    """
    first = {**_PROMPT, "width": chosen.edge, "height": chosen.edge, "steps": chosen.steps, "seed": seed, "batch_size": chosen.images}
    later = {"stage": "img2img", "settings": {"denoising_strength": 0.5, "steps": chosen.steps}}
    started = time.time()
    asked = {"stages": [{"stage": "txt2img", "settings": first}, *[later] * (chosen.stages - 1)]}
    job_id = call(f"{url}/sdpipe/v1/jobs", asked)["id"]
    time.sleep(quiet_seconds)
    while True:
        time.sleep(0.1)
        job = call(f"{url}/sdpipe/v1/jobs/{job_id}")
        if job["status"] not in ("waiting", "running"):
            break
    if job["status"] != "done":
        raise SystemExit(f"the job ended as {job['status']}: {job['error']}")
    return datetime.fromisoformat(job["finished_at"].replace("Z", "+00:00")).timestamp() - started


def rest(url: str) -> None:
    """What was made is recorded, and its run closed: no round pays for the one before."""
    deadline = time.monotonic() + 60
    while call(f"{url}/sdpipe/v1/runs?limit=1")["runs"][0]["status"] == "running" and time.monotonic() < deadline:
        time.sleep(0.2)


def estimate(ratios: list[float], rng: random.Random) -> dict[str, float]:
    """The geometric mean, and where 95 of 100 means of as many drawn with replacement lie."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(rng.choices(logs, k=len(logs))) for _ in range(_RESAMPLES))
    low, high = means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES)]
    return {"ratio": round(math.exp(statistics.fmean(logs)), 4), "from": round(math.exp(low), 4), "to": round(math.exp(high), 4)}


def measure(url: str, chosen: argparse.Namespace) -> dict[str, Any]:
    ways: dict[str, Callable[[str, argparse.Namespace, int], float]] = {
        "queue": make_by_queue, "hand": make_by_hand, "hand again": make_by_hand,
    }
    usual = min(way(url, chosen, 1) for way in ways.values())
    ways["queue"] = lambda url, chosen, seed: make_by_queue(url, chosen, seed, 0.9 * usual)
    rng = random.Random(1)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for pair in range(chosen.pairs):
        for name in rng.sample(list(ways), len(ways)):
            rest(url)
            seconds[name].append(ways[name](url, chosen, 1000 + pair))
    by_hand = seconds["hand"]
    return {
        "pairs": chosen.pairs, "stages": chosen.stages, "images": chosen.images, "edge": chosen.edge, "steps": chosen.steps,
        "by hand, median seconds": round(statistics.median(by_hand), 3),
        "through the queue against by hand": estimate([a / b for a, b in zip(seconds["queue"], by_hand)], rng),
        "by hand against by hand": estimate([a / b for a, b in zip(seconds["hand again"], by_hand)], rng),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    for name, default in (("--pairs", 30), ("--stages", 4), ("--images", 1), ("--edge", 256), ("--steps", 20)):
        parser.add_argument(name, type=int, default=default)
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.url.rstrip("/"), chosen), indent=2))


if __name__ == "__main__":
    main()

"""The part of `bench/page.py` that opens the page: a library on the disk, `serve` in a process of its own, headless Chromium."""

from __future__ import annotations

import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import check

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 120
_PLACE = "document.querySelector('#sdpipe_runs [data-sdpipe-place]')"
_PICTURES_THERE = """() => { const frame = document.getElementById('sdpipe_runs').getBoundingClientRect();
    return [...document.querySelectorAll('#sdpipe_runs img')].every(image => image.complete || !image.checkVisibility()
        || image.getBoundingClientRect().top > frame.bottom); }"""
_CARDS = "document.querySelectorAll('#sdpipe_runs [data-sdpipe-card]').length"


def measure_in_browser(folder: Path, rows: int, turns: int) -> dict[str, Any]:
    """Milliseconds as a person sees them, and what the page and its server take."""
    if not folder.exists():
        write_library(folder, rows)
    with _served(folder / "runs") as (url, process), _browser() as browser:
        _wait_until_looked(browser, url)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        started = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_function("() => document.querySelector('#sdpipe_runs')", polling=10)
        built = time.perf_counter()
        page.wait_for_function(f"() => {_CARDS} > 0", polling=10)
        figures: dict[str, Any] = {
            "gradio's page": {"ms": round(1000 * (built - started))}, "its first rows": {"ms": round(1000 * (time.perf_counter() - built))},
        }
        page.wait_for_timeout(2000)
        figures["older"] = {"ms": _timed(page, lambda: page.locator("#sdpipe_older").click())}
        figures["to images"] = {"ms": _timed(page, lambda: page.locator("#sdpipe_views button", has_text="Images").first.click())}
        figures["older images"] = {"ms": _timed(page, lambda: page.locator("#sdpipe_older").click())}
        page.locator("#sdpipe_filters_panel button, #sdpipe_filters_panel .label-wrap").first.click()
        page.wait_for_timeout(500)
        for title, name in (("Model", "filter: model"), ("Record", "filter: record")):
            chip = page.locator(".sdpipe-browse-filter", has_text=title).locator("button").first
            figures[name] = {"ms": _timed(page, chip.click)}
            figures[f"{name}, off"] = {"ms": _timed(page, page.locator(".sdpipe-browse-filter button[aria-pressed=true]").first.click)}
        turns = min(turns, rows // 60 - 3)  # to the last page
        figures[f"{turns} page turns"] = _turn(page, process.pid, turns)
    return figures


def write_library(folder: Path, rows: int) -> None:
    """Small pictures that can be shown, nine in ten of them in runs of four."""
    pixels = zlib.compress(b"".join(b"\0" + bytes([row * 4 % 256, 90, 160] * 64) for row in range(64)))

    def build_png(text: str, noise: bytes) -> bytes:
        parts = ((b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)), (b"tEXt", b"parameters\0" + text.encode("latin-1")),
                 (b"IDAT", pixels), (b"IEND", b""))
        chunks = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts)
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

    with patch.object(check, "build_png", build_png):
        check.make_library(folder, rows * 9 // 10, 0, 4)
        check.make_library(folder / "older", rows - rows * 9 // 10, 0, 0)
    (folder / "older" / "outputs").rename(folder / "outputs" / "older")


def read_memory(pid: int | None = None) -> int:
    """Megabytes that a process holds now."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return round(int(found.group(1)) / 1024) if found else 0


def _turn(page: Any, pid: int, turns: int) -> dict[str, Any]:
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    before = (_heap(client), read_memory(pid))
    taken = [_timed(page, lambda: page.locator("#sdpipe_older").click()) for _ in range(turns)]
    return {
        "median": round(statistics.median(taken)), "most": max(taken), "page MB before": before[0],
        "page MB after": _heap(client), "server MB before": before[1], "server MB after": read_memory(pid),
    }


def _heap(client: Any) -> float:
    client.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}
    return round(metrics["JSHeapUsedSize"] / (1 << 20), 1)


def _timed(page: Any, press: Callable[[], None]) -> int:
    """Milliseconds from a press until another place is listed. Pressed by somebody who has seen the page: its pictures are there."""
    page.wait_for_function(_PICTURES_THERE)
    before = page.evaluate(f"() => {_PLACE}.dataset.sdpipePlace")
    page.evaluate(f"""before => {{ window.sdpipeShown = new Promise(shown => {{
        const observer = new MutationObserver(() => {{ const place = {_PLACE};
            if (place && place.dataset.sdpipePlace !== before) {{ observer.disconnect(); shown(performance.now()); }} }});
        observer.observe(document.getElementById('sdpipe_runs'), {{childList: true, subtree: true}}); }});
        document.addEventListener('click', () => {{ window.sdpipePressed = performance.now(); }}, {{capture: true, once: true}});
    }}""", before)
    press()
    return round(page.evaluate("async () => await window.sdpipeShown - window.sdpipePressed"))


def _wait_until_looked(browser: Any, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    page.wait_for_function(f"() => {_CARDS} > 0 && !document.querySelector('#sdpipe_runs [data-sdpipe-pending]')", timeout=1_800_000)
    page.close()


@contextmanager
def _served(runs: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(os.environ.get("SDPIPE_BENCH_PORT", probe.getsockname()[1]))
    arguments = [sys.executable, "-m", "lib_sdpipe", "serve", "--runs", str(runs), "--port", str(port), "--no-browser"]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        until = time.monotonic() + _START_SECONDS
        while "http" not in process.stdout.readline():
            assert time.monotonic() < until and process.poll() is None, "the page does not start"
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser.page import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()

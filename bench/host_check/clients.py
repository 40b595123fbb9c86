"""Two clients that send their jobs at the same time, and a hand on the other's Interrupt and Skip buttons."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable

from host_check import plain_jobs, script_jobs
from host_check.host import Host
from host_check.job import Job, Pool

Builder = Callable[[Job, random.Random, Host, Pool], None]

# Kind: builder, its share of the jobs, the script it needs with its tab.
KINDS: dict[str, tuple[Builder, int, tuple[str, str] | None]] = {
    "txt2img": (plain_jobs.build_txt2img, 50, None),
    "hires": (plain_jobs.build_txt2img, 26, None),
    "img2img": (plain_jobs.build_img2img, 40, None),
    "several inits": (plain_jobs.build_img2img, 12, None),
    "inpaint": (plain_jobs.build_img2img, 34, None),
    "xyz": (script_jobs.build_xyz, 32, ("txt2img", "x/y/z plot")),
    "prompt matrix": (script_jobs.build_prompt_matrix, 12, ("txt2img", "prompt matrix")),
    "prompt lines": (script_jobs.build_prompt_lines, 14, ("txt2img", "prompts from file or textbox")),
    "loopback": (script_jobs.build_loopback, 12, ("img2img", "loopback")),
    "SD upscale": (script_jobs.build_tiles, 8, ("img2img", "SD upscale")),
    "Poor man's outpainting": (script_jobs.build_tiles, 7, ("img2img", "Poor man's outpainting")),
    "Outpainting mk2": (script_jobs.build_tiles, 7, ("img2img", "Outpainting mk2")),
    "extras": (plain_jobs.build_extras, 10, None),
    "extras batch": (plain_jobs.build_extras, 6, None),
    "refused": (plain_jobs.build_refused, 8, None),
    "failing": (plain_jobs.build_failing, 9, None),
    "interrupted": (plain_jobs.build_cut_short, 5, None),
    "skipped": (plain_jobs.build_cut_short, 4, None),
    "unrecorded": (plain_jobs.build_unrecorded, 4, None),
}


def draw_kinds(count: int, seed: int, host: Host) -> list[str]:
    """The kind of every job, in the given shares and a random order."""
    usable = {kind: share for kind, (_, share, script) in KINDS.items() if script is None or host.has_script(*script)}
    if not host.has_extras_batch:
        usable.pop("extras batch")
    whole, kinds = sum(usable.values()), []
    for kind, share in usable.items():
        kinds += [kind] * round(count * share / whole)
    rng = random.Random(seed)
    kinds += rng.choices(["txt2img", "img2img"], k=max(0, count - len(kinds)))
    rng.shuffle(kinds)
    return kinds[:count]


class Clients:
    """`mark` sets this session's jobs apart from those of earlier ones in the same data path."""

    def __init__(self, host: Host, kinds: list[str], seed: int, mark: str) -> None:
        self._host = host
        self._seed = seed
        self._mark = mark
        self._left = list(enumerate(kinds))
        self._lock = threading.Lock()
        self._pool = Pool()
        self.jobs: list[Job] = []

    def work(self, clients: int) -> list[Job]:
        threads = [threading.Thread(target=self._one_client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(self.jobs, key=lambda job: job.number)

    def _one_client(self) -> None:
        while True:
            with self._lock:
                if not self._left:
                    return
                number, kind = self._left.pop(0)
            job = Job(number, kind, f"{self._mark}{number:04d}")
            KINDS[kind][0](job, random.Random(f"{self._seed}/{number}"), self._host, self._pool)
            self._send(job)
            self._pool.add(job)
            with self._lock:
                self.jobs.append(job)
            if len(self.jobs) % 10 == 0:
                print(f"{len(self.jobs)} jobs sent", file=sys.stderr, flush=True)

    def _send(self, job: Job) -> None:
        hand = threading.Thread(target=self._press, args=(job,)) if job.press else None
        if hand:
            hand.start()
        answer = self._host.send(job.endpoint, job.body)
        job.take(answer.status, answer.body)
        if hand:
            hand.join()

    def _press(self, job: Job) -> None:
        """Press the button once the host says that this very job is sampling."""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            state = self._host.send("/internal/progress", {"id_task": job.task_id, "live_preview": False}).body
            if state.get("completed"):
                return
            if state.get("active") and (state.get("progress") or 0) > 0.02:
                self._host.send(str(job.press), {})
                return
            time.sleep(0.02)

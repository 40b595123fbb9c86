"""SIGKILL at random moments of `apply` and `undo`: finishing or undoing always leads to one of the two whole trees.

    .venv/bin/python bench/kill_repairs.py [--kills 500] [--operations 200] [--seed 0]

A process of its own applies a mixed plan and is killed. Then, as the seed has it, the plan is applied again or undone, and that
may be killed too. In the end the tree is compared with the whole one, file for file; after an undo also modes and times.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from PIL import Image  # noqa: E402
from PIL.PngImagePlugin import PngInfo  # noqa: E402

from lib_sdpipe.manifest.records import Manifest, Run  # noqa: E402
from lib_sdpipe.store.apply import apply_plan  # noqa: E402
from lib_sdpipe.store.layout import find_layout  # noqa: E402
from lib_sdpipe.store.library import Library  # noqa: E402
from lib_sdpipe.store.runs import RunStore  # noqa: E402
from lib_sdpipe.store.undo import undo  # noqa: E402

# The child forks for each piece of work, so that a kill costs no start of Python.
_CHILD = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import lib_sdpipe.images.edit
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.undo import undo
plan = json.loads(Path(sys.argv[2]).read_bytes())
for line in sys.stdin:
    verb, runs = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid == 0:
        layout = find_layout(Path(runs))
        apply_plan(layout, plan) if verb == "apply" else undo(layout)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def build_library(top: Path, operations: int, rng: random.Random) -> dict[str, Any]:
    """A library below `top`, and a plan with operations of every kind for it."""
    layout = find_layout(top / "runs")
    store, outputs = RunStore(layout), top / "outputs"
    outputs.mkdir(parents=True)
    Library(layout).ensure_roots({"outputs": outputs})
    found = []
    for number in range(operations):
        run_id = f"20260101_{number // 8:06d}_bench"
        if number % 8 == 0:
            store.write_run(Run(run_id=run_id, status="completed"))
        manifest = Manifest(run_id=run_id, name=f"txt2img_{number % 8 + 1:03d}", root="outputs", path=f"{number}.png")
        store.write_manifest(manifest)
        (outputs / f"{number}.png").write_bytes(_picture(rng))
        (outputs / f"copy-{number}.png").write_bytes(_picture(rng))
        found.append(_operation(layout.runs, outputs, number, run_id, manifest.name or ""))
    for number, path in enumerate(sorted(path for path in top.rglob("*") if path.is_file())):
        os.utime(path, ns=(10**18, 10**18 + 1001 * number))
    document = json.loads(layout.library_file.read_bytes())
    return {"schema": "sdpipe.plan/1", "plan_id": "bench", "created_at": "", "library": document["id"], "operations": found}


def _picture(rng: random.Random) -> bytes:
    info, buffer = PngInfo(), io.BytesIO()
    info.add_text("parameters", f"a lighthouse, {rng.random()}")
    Image.frombytes("RGB", (48, 48), rng.randbytes(48 * 48 * 3)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def _operation(runs: Path, outputs: Path, number: int, run_id: str, name: str) -> dict[str, Any]:
    manifest, run = f"{run_id}/manifests/{name}.json", f"{run_id}/run_metadata.json"
    record = {"file": manifest, "expects": _seen(runs / manifest), "set": {"infotext": f"text {number}", "lost_at": "x"}}
    listed = {"file": run, "expects": _seen(runs / run), "append": {"stage_outputs": [{"name": name}]}}
    writes: list[dict[str, Any]] = [
        {"quarantine": True},
        {"infotext": f"another text {number}", "json": [record]},
        {"restore_from": {"root": "outputs", "path": f"copy-{number}.png", **_seen(outputs / f"copy-{number}.png")}, "json": [record]},
        {"json": [record, listed]},
        {"json": [{"file": manifest, "expects": _seen(runs / manifest), "quarantine": True, "document": {"name": name}}]},
        {"json": [{"file": f"20260202_{number:06d}_new/run_metadata.json", "expects": None, "document": {"run_id": str(number)}}]},
    ]
    return {
        "id": str(number), "op": "bench", "code": "bench", "path": f"{number}.png", "root": "outputs", "run_id": run_id, "name": name,
        "expects": _seen(outputs / f"{number}.png"), "writes": writes[number % len(writes)],
    }


def _seen(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def tree(top: Path, with_times: bool) -> dict[str, Any]:
    """All outside `.sdpipe`; names of quarantines without the apply's id."""
    found = {}
    for path in top.rglob("*"):
        if ".sdpipe" in path.parts:
            continue
        parts = list(path.relative_to(top).parts)
        if ".sdpipe-quarantine" in parts[:-1]:
            parts[parts.index(".sdpipe-quarantine") + 1] = "ID"
        status = path.stat()
        content = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        found["/".join(parts)] = (content, *((status.st_mode, status.st_mtime_ns) if with_times and path.is_file() else ()))
    return found


class Worker:
    """Applies or undoes in processes of its own, and kills them."""

    def __init__(self, plan: Path) -> None:
        command = [sys.executable, "-c", _CHILD, str(REPOSITORY), str(plan)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def work(self, verb: str, runs: Path, kill_after: float | None) -> tuple[bool, float]:
        """Whether it was killed at work, and the seconds it took."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(f"{verb}\t{runs}\n")
        self._child.stdin.flush()
        pid, started = int(self._child.stdout.readline()), time.monotonic()
        if kill_after is not None:
            time.sleep(kill_after)
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        status = int(self._child.stdout.readline())
        if status not in (0, 9):
            raise SystemExit(f"{verb} ended with status {status}")
        return status == 9, time.monotonic() - started

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def run_kills(top: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    rng = random.Random(arguments.seed)
    plan = build_library(top / "first", arguments.operations, rng)
    (top / "plan.json").write_text(json.dumps(plan))
    first = tree(top / "first", with_times=True)
    shutil.copytree(top / "first", top / "whole")
    whole = apply_plan(find_layout(top / "whole" / "runs"), plan)
    after = tree(top / "whole", with_times=False)
    worker = Worker(top / "plan.json")
    shutil.copytree(top / "first", top / "timed")
    seconds = {verb: worker.work(verb, top / "timed" / "runs", None)[1] for verb in ("apply", "undo")}
    counts: dict[str, Any] = {"operations": whole.done, "kills": 0, "killed apply": 0, "killed undo": 0, "finished": 0, "undone": 0}
    faults: list[str] = [] if tree(top / "timed", True) == first and not whole.failed else ["without a kill"]
    number = 0
    while counts["kills"] < arguments.kills:
        number += 1
        faults += _one(top, number, rng, worker, seconds, counts, first, after, plan)
        print(f"\r{counts['kills']} kills", end="", file=sys.stderr, flush=True)
    worker.close()
    return {**counts, "faults": faults[:20], "number of faults": len(faults)}


def _one(
    top: Path, number: int, rng: random.Random, worker: Worker, seconds: dict[str, float], counts: dict[str, Any], first: dict[str, Any],
    after: dict[str, Any], plan: dict[str, Any],
) -> list[str]:
    """A fresh copy, one to three kills, then the end that the seed has chosen; what is not as it should be."""
    place = top / "work"
    shutil.copytree(top / "first", place)
    verb = "apply"
    for _ in range(rng.choice([1, 1, 2, 3])):
        was_killed, _ = worker.work(verb, place / "runs", rng.uniform(0.0, 1.1 * seconds[verb]))
        counts["kills"] += was_killed
        counts[f"killed {verb}"] += was_killed
        if verb == "undo" or rng.random() < 0.4:
            verb = "undo"
    layout = find_layout(place / "runs")
    if verb == "undo" or rng.random() < 0.5:
        answer, counts["undone"] = undo(layout), counts["undone"] + 1
        is_right = tree(place, True) == first
    else:
        answer, counts["finished"] = apply_plan(layout, plan), counts["finished"] + 1
        is_right = tree(place, False) == after
    shutil.rmtree(place)
    return [] if is_right and not answer.failed else [f"round {number}, last {verb}: {answer.to_json()}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--operations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = os.environ["LOCALAPPDATA"] = os.path.join(folder, "cache")
        answer = run_kills(Path(folder), arguments)
    print(json.dumps({"seed": arguments.seed, **answer}, indent=2))
    return 1 if answer["number of faults"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""SIGKILL at random moments of recording: after the next start no torn file, no promise unkept, no run left running.

    .venv/bin/python bench/kills.py [--kills 200] [--at-once 2] [--seed 0]

Two sandboxes at a time generate into one library and are killed; each start completes what the last ones left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]

_CHILD = """
import sys
from lib_sdpipe.sandbox.launch import start_sandbox
data_dir, repository, runs, number = sys.argv[1:]
with start_sandbox(data_dir, [repository], page=False, server=False) as sandbox:
    from modules import shared
    shared.opts.data["sdpipe_runs_folder"] = runs
    from lib_sdpipe.hosts import extension
    extension._session.open_library()
    print("ready", flush=True)
    count, last = 0, None
    while True:
        count += 1
        request = dict(prompt=f"a lighthouse {count}", steps=1, width=128, height=128, batch_size=2, n_iter=2, save_images=True,
                       alwayson_scripts={"SDPipe": {"args": [{"keep_images": count % 3 == 0}]}})
        if count % 4 == 0:
            request["alwayson_scripts"]["ADetailer"] = {"args": [True, False, {"ad_model": "always_yolov8n.pt"}]}
        if last and count % 3 == 0:
            last = sandbox.generate("img2img", init_images=[last], denoising_strength=0.5, **request)["images"][-1]
        else:
            last = sandbox.generate(**request)["images"][-1]
"""


def kill_some(data: Path, runs: Path, at_once: int, rng: random.Random) -> None:
    """Start children, let them record for a random while, kill them all."""
    children = []
    for number in range(at_once):
        folder = data / f"webui-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _CHILD, str(folder), str(REPOSITORY), str(runs), str(number)]
        children.append(subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    for child in children:
        assert child.stdout is not None
        while (line := child.stdout.readline()) and b"ready" not in line:
            pass
    for child in children:
        time.sleep(rng.uniform(0, 1.2))
        child.kill()
        child.wait()
        child.stdout.close()  # type: ignore[union-attr]


def finish(runs: Path) -> None:
    """One more start, which only recovers."""
    code = (
        "import sys; from pathlib import Path; from lib_sdpipe.record.desk import Desk; from lib_sdpipe.store.layout import find_layout\n"
        "desk = Desk(find_layout(Path(sys.argv[1]))); desk.start({}); desk.close()"
    )
    subprocess.run([sys.executable, "-c", code, str(runs)], cwd=REPOSITORY, check=True)


def faults_of(data: Path, runs: Path) -> tuple[dict[str, int], list[str]]:
    faults: list[str] = []
    manifests: list[dict[str, Any]] = []
    statuses: dict[str, int] = {}
    for path in sorted(runs.rglob("*.json")):
        try:
            document = json.loads(path.read_bytes())
        except ValueError as fault:
            faults.append(f"{path}: torn ({fault})")
            continue
        if path.name == "run_metadata.json":
            statuses[document["status"]] = statuses.get(document["status"], 0) + 1
        elif path.parent.name == "manifests":
            manifests.append(document)
    faults += [f"{statuses['running']} runs left running"] if "running" in statuses else []
    faults += [f"{p}: left behind" for p in data.rglob("*.sdpipe-tmp")]
    faults += [f"{p}: a log nobody completed" for p in data.rglob("recording/*.jsonl")]
    faults += [f"{p}: a run without a run file" for p in runs.glob("2*") if not (p / "run_metadata.json").exists()]
    library = json.loads((runs / "library.json").read_bytes())
    roots = {name: Path(os.path.normpath(runs / root["path"])) for name, root in library["roots"].items()}
    recorded = [roots[m["root"]] / m["path"] for m in manifests if m["path"]]
    files = set(data.rglob("webui-*/outputs/**/*.png"))
    faults += [f"{p}: saved but not recorded" for p in sorted(files - set(recorded))]
    faults += [f"{p}: recorded but not there" for p in sorted(set(recorded) - files)]
    faults += [f"{m['run_id']}/{m['name']}: kept copy is not there" for m in manifests if m["kept"] and not (runs / m["kept"]).exists()]
    return {**statuses, "manifests": len(manifests), "files": len(files)}, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = os.environ["LOCALAPPDATA"] = os.path.join(folder, "cache")
        data, runs = Path(folder), Path(folder) / "runs"
        for round_number in range(arguments.kills // arguments.at_once):
            kill_some(data, runs, arguments.at_once, rng)
            print(f"\r{(round_number + 1) * arguments.at_once} kills", end="", file=sys.stderr, flush=True)
        finish(runs)
        counts, faults = faults_of(data, runs)
    print(json.dumps({"kills": arguments.kills, **counts, "faults": faults[:20], "number of faults": len(faults)}, indent=2))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

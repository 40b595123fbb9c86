"""What a check costs against the least that anybody could do: a walk over the same files, their stat, 4 KB of each.

`--images N`: N unrecorded PNGs of 200 KB and more, then the same with a run for every four. `--records N ...`: libraries
of N small recorded images, for the straight line and the memory. On stdout a table; times are of a warm disk cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_sdpipe.manifest.codec import format_json  # noqa: E402
from lib_sdpipe.manifest.records import Manifest, Run  # noqa: E402

_WORDS = [f"{a}{b}" for a in ("castle", "forest", "lamp", "river", "violet", "cloud", "stone") for b in ("", " at night", " in snow", "s")]
_REPEAT = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=200)
    parser.add_argument("--records", type=int, nargs="*", default=[])
    parser.add_argument("--folder", type=Path, help="where the libraries are made (default: a temporary folder)")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        print(json.dumps(measure(arguments.measure)))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="sdpipe-bench-", dir=arguments.folder))
    try:
        if arguments.images:
            compare("unrecorded", make_library(folder / "unrecorded", arguments.images, arguments.kilobytes, 0))
            compare("recorded, runs of 4", make_library(folder / "recorded", arguments.images, arguments.kilobytes, 4))
        for count in arguments.records:
            library = make_library(folder / f"records-{count}", count, 0, 100)
            compare(f"{count:,} records, runs of 100", library)
            shutil.rmtree(library)
    finally:
        shutil.rmtree(folder)
    return 0


def compare(what: str, library: Path) -> None:
    """One line of the table: the checks in a process of their own, the floor before and after."""
    stat, read = floor(library, False), floor(library, True)
    checks = in_own_process(library)
    stat, read = min(stat, floor(library, False)), min(read, floor(library, True))
    print(
        f"{what:28} first {checks['first']:8.2f} s = {checks['first'] / read:4.1f} x walk+stat+4 KB   "
        f"second {checks['again']:8.2f} s = {checks['again'] / stat:4.1f} x walk+stat   {checks['megabytes']:5.0f} MB", flush=True,
    )


def floor(library: Path, with_head: bool) -> float:
    """Seconds of a walk over roots and runs folder with a stat of each file, and 4 KB of it."""
    best = float("inf")
    for _ in range(_REPEAT):
        started = time.perf_counter()
        for top in ("outputs", "runs"):
            for folder, names, files in os.walk(library / top):
                names[:] = [name for name in names if not name.startswith(".")]
                for name in files:
                    path = os.path.join(folder, name)
                    os.stat(path)
                    if with_head:
                        with open(path, "rb") as file:
                            file.read(4096)
        best = min(best, time.perf_counter() - started)
    return best


def in_own_process(library: Path) -> dict[str, float]:
    answer = subprocess.run([sys.executable, __file__, "--measure", str(library)], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def measure(library: Path) -> dict[str, float]:
    """Seconds of a first check and of the best of some more, and the most memory."""
    from lib_sdpipe.index.index import Index
    from lib_sdpipe.store.layout import find_layout
    from lib_sdpipe.store.library import Library
    from lib_sdpipe.workspace.check import Checker

    layout = find_layout(library / "runs")
    shutil.rmtree(layout.private, ignore_errors=True)
    seconds = []
    for _ in range(1 + _REPEAT):
        started = time.perf_counter()
        index = Index(layout.index_file)
        for _ in Checker(layout, Library(layout), index).check():
            pass
        index.close()
        seconds.append(time.perf_counter() - started)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"first": seconds[0], "again": min(seconds[1:]), "megabytes": most}


def make_library(base: Path, images: int, kilobytes: int, run_of: int) -> Path:
    """Files with the structure of a host's PNGs; their pixels are noise that no check of this kind looks at."""
    chooser = random.Random(images)
    noise = chooser.randbytes(max(kilobytes, 1) * 2048)
    runs = base / "runs"
    runs.mkdir(parents=True)
    (runs / "library.json").write_bytes(format_json({
        "schema": "sdpipe.library/1", "id": "bench", "roots": {"outputs": {"path": "../outputs", "on": {}}},
    }))
    outputs: list[dict[str, str]] = []
    for number in range(images):
        run_id = f"20260101_{number // run_of % 1_000_000:06d}_bench" if run_of else None
        text = build_infotext(chooser, number, run_id)
        size = kilobytes * 1024 + chooser.randrange(kilobytes * 512 + 1) if kilobytes else 300
        start = chooser.randrange(max(len(noise) - size, 1))
        data = build_png(text, noise[start:start + size])
        path = f"txt2img-images/{number // 400:05d}/{number:07d}-{number}.png"
        file = base / "outputs" / path
        if number % 400 == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(data)
        if run_id is not None:
            place = number % run_of + 1
            write_manifest(runs / run_id, f"txt2img_{place:03d}", run_id, path, text, data, number, chooser)
            outputs.append({"stage": "txt2img", "name": f"txt2img_{place:03d}", "path": path, "root": "outputs", "role": "final"})
            if place == run_of or number == images - 1:
                write_run(runs / run_id, run_id, outputs)
                outputs = []
    os.sync()  # else the disk is still busy writing while the checks run
    return base


def build_infotext(chooser: random.Random, number: int, run_id: str | None) -> str:
    prompt = ", ".join(chooser.choices(_WORDS, k=20)) + f", {number}"
    ours = f", Run ID: {run_id}" if run_id is not None else ""
    return (
        f"{prompt}\nNegative prompt: blurry, low quality\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, "
        f"Seed: {number}, Size: 512x512, Model hash: abcdef1234, Model: dream{ours}, Version: v1.10.1"
    )


def build_png(text: str, pixels: bytes) -> bytes:
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 512, 512, 8, 2, 0, 0, 0)), (b"tEXt", b"parameters\0" + text.encode("latin-1")),
             (b"IDAT", pixels), (b"IEND", b""))
    chunks = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_manifest(
    run: Path, name: str, run_id: str, path: str, text: str, data: bytes, number: int, chooser: random.Random
) -> None:
    image = {
        "width": 512, "height": 512, "format": "PNG", "mode": "RGB", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        "pixel_sha256": hashlib.sha256(b"%d" % number).hexdigest(), "decoder": "Pillow 9.5.0",
        "perceptual_hash": f"1:{chooser.randbytes(32).hex()}:{chooser.randbytes(48).hex()}",
    }
    manifest = Manifest.construct(
        name=name, run_id=run_id, job_id="task(bench)", stage="txt2img", role="final", timestamp="2026-01-01T00:00:00.000Z",
        prompt=text.split("\n")[0], negative_prompt="blurry, low quality", path=path, root="outputs", model="dream",
        model_hash="abcdef1234", requested_seed=number, actual_seed=number, infotext=text, image=image,
        batch={"index": 0, "size": 1, "iteration": 0, "count": 1},
        config={"steps": 20, "sampler_name": "Euler a", "scheduler": "Automatic", "cfg_scale": 7.0, "width": 512, "height": 512},
    )
    (run / "manifests").mkdir(parents=True, exist_ok=True)
    (run / "manifests" / f"{name}.json").write_bytes(format_json(manifest.dict(by_alias=True)))


def write_run(run: Path, run_id: str, outputs: list[dict[str, str]]) -> None:
    record = Run(
        run_id=run_id, job_id="task(bench)", label="bench", status="completed", started_at="2026-01-01T00:00:00.000Z", source="ui",
        stage_outputs=outputs, replayable=True,
    )
    (run / "run_metadata.json").write_bytes(format_json(record.to_json()))


if __name__ == "__main__":
    sys.exit(main())

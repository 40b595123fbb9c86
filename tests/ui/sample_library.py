"""A small library to look at: every kind of run the tab has to show, with small drawn pictures."""

from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from lib_sdpipe.manifest.names import build_label, build_run_id
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

MALICIOUS = 'castle </textarea><script>window.hacked = 1</script> <img src=x onerror="window.hacked = 2"> "quotes" & more'
CJK = "夕暮れの灯台、水彩、細密描写。高山上的灯塔,雾气缭绕"
_CONFIG = {"sampler_name": "DPM++ 2M", "scheduler": "Karras", "steps": 24, "cfg_scale": 7.0, "width": 512, "height": 512, "clip_skip": 1}


class SampleLibrary:
    """Builds runs into a temporary folder, the youngest last."""

    def __init__(self, folder: Path) -> None:
        self.outputs = folder / "outputs"
        self.outputs.mkdir(parents=True)
        self.layout = Layout(folder / "runs", folder / "runs" / ".sdpipe")
        self.layout.runs.mkdir()
        self.store = RunStore(self.layout)
        Library(self.layout).ensure_roots({"outputs": self.outputs})

    def add_run(self, label: str, ago: float, stage: str = "txt2img", **values: Any) -> str:
        """A run that began `ago` seconds before now; its id."""
        started = time.time() - ago
        run_id = build_run_id(_local(started), build_label(label) or stage)
        self.store.create_run_folder(run_id)
        run = Run(
            run_id=run_id, label=build_label(label) or stage, status="completed", source="ui", job_id="task(abc123)",
            timestamp=format_utc(started), started_at=format_utc(started), finished_at=format_utc(started + 9.4),
            images={"planned": 1, "returned": 1, "saved": 1}, replayable=True, environment="7" * 64,
        )
        self.store.write_run(run.copy(update=Run(**values).dict(include=set(values))))
        return run_id

    def add_image(self, run_id: str, name: str, seed: int, size: tuple[int, int] = (512, 512), **values: Any) -> Manifest:
        """One recorded image with its file; `file=False` records a file that is gone."""
        has_file = values.pop("file", True)
        path = f"{run_id}-{name}.png"
        data = draw_picture(seed, size)
        if has_file:
            (self.outputs / path).write_bytes(data)
        facts = {
            "name": name, "run_id": run_id, "stage": name.rsplit("_", 1)[0], "role": "final", "timestamp": format_utc(time.time()),
            "prompt": "a lighthouse on a cliff, morning light, mist", "negative_prompt": "lowres, blurry", "config": dict(_CONFIG),
            "path": path, "root": "outputs", "model": "dreamlike-v2", "model_hash": "cf866e2290", "requested_seed": seed,
            "actual_seed": seed, "stage_duration_ms": 2345, "infotext": f"a lighthouse\nSteps: 24, Seed: {seed}, Run ID: {run_id}",
            "image": {
                "width": size[0], "height": size[1], "format": "PNG", "mode": "RGB", "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(), "pixel_sha256": hashlib.sha256(data + b"p").hexdigest(),
            },
        }
        manifest = Manifest(**{**facts, **values})
        self.store.write_manifest(manifest)
        return manifest


def build_sample_library(folder: Path) -> SampleLibrary:
    """All kinds of runs, 45 in all."""
    library = SampleLibrary(folder)
    for number in range(35):
        run_id = library.add_run(f"study {number}", ago=86400 * 2 + number * 5000, source="api")
        library.add_image(run_id, "txt2img_001", 7000 + number)
    source = _add_grid(library)
    _add_hires(library)
    _add_detailed(library)
    _add_from(library, source)
    _add_troubled(library)
    library.add_run("now", ago=4, status="running", finished_at=None, images={"planned": 4, "returned": None, "saved": None})
    return library


def _add_grid(library: SampleLibrary) -> Manifest:
    run_id = library.add_run("harbour studies", ago=86400 + 400, images={"planned": 4, "returned": 4, "saved": 4})
    names = [f"txt2img_00{number}" for number in range(1, 5)]
    images = [
        library.add_image(run_id, name, 100 + number, batch={"index": number % 2, "size": 2, "iteration": number // 2, "count": 2})
        for number, name in enumerate(names)
    ]
    library.add_image(run_id, "grid_001", 99, (1024, 1024), members=names, actual_seed=None, requested_seed=None)
    return images[0]


def _add_hires(library: SampleLibrary) -> None:
    run_id = library.add_run("hires " + "a very long label that does not fit " * 3, ago=5400)
    first = library.add_image(run_id, "txt2img_001", 555, role="before-highres-fix")
    library.add_image(
        run_id, "txt2img_002", 555, (1024, 768), stage_history=[_entry(first)], prompt=MALICIOUS,
        hires={"hr_scale": 2.0, "hr_upscaler": "R-ESRGAN 4x+", "hr_second_pass_steps": 12, "denoising_strength": 0.45, "width": 1024,
               "height": 768, "hr_prompt": "sharp"},
        refiner={"refiner_checkpoint": "sdxl-refiner [7440042bbd]", "refiner_switch_at": 0.8},
    )


def _add_detailed(library: SampleLibrary) -> None:
    run_id = library.add_run("夕暮れの灯台", ago=1500)
    library.add_image(
        run_id, "adetailer_001", 909, (640, 960), prompt=CJK,
        stage_history=[{"stage": "txt2img", "role": "before-adetailer", "run_id": run_id, "name": None, "settings": dict(_CONFIG),
                        "actual_seed": 909, "duration_ms": 1830}],
        adetailer={"model": "face_yolov8n.pt", "confidence": 0.3, "mask_blur": 4, "denoising_strength": 0.4, "version": "25.3.0"},
        loras=[{"name": "watercolour", "weight": 0.8, "hash": "d21508cd908c"}],
    )


def _add_from(library: SampleLibrary, source: Manifest) -> None:
    link = {"run_id": source.run_id, "name": source.name}
    run_id = library.add_run("img2img", ago=700, stage="img2img", parent=link)
    library.add_image(
        run_id, "img2img_001", 4242, config={**_CONFIG, "denoising_strength": 0.35}, stage_history=[_entry(source)],
        parent={**link, "by": "near-pixels", "also": [{"run_id": source.run_id, "name": "txt2img_003", "by": "run-id"}]},
    )


def _add_troubled(library: SampleLibrary) -> None:
    run_id = library.add_run("stopped", ago=500, status="interrupted", images={"planned": 8, "returned": 3, "saved": 2})
    library.add_image(run_id, "txt2img_001", 1)
    library.add_image(run_id, "txt2img_002", 2, file=False)
    library.add_image(run_id, "txt2img_003", 3, file=False, path=None, root=None)
    library.add_run(
        "failed", ago=300, status="failed", images={"planned": 2, "returned": 0, "saved": 0}, replayable=False,
        error={"stage": "txt2img", "type": "OutOfMemoryError", "message": "CUDA out of memory. Tried to allocate 2.00 GiB <b>"},
        not_replayable_because="an argument of a script could not be stored",
    )
    damaged = library.add_run("damaged", ago=200)
    library.add_image(damaged, "txt2img_001", 11)
    (library.layout.manifests(damaged) / "txt2img_002.json").write_text('{"schema": "sdpipe.manifest/1", "name"', encoding="utf-8")
    broken = library.add_run("broken run file", ago=150)
    library.layout.run_file(broken).write_text("{", encoding="utf-8")


def draw_picture(seed: int, size: tuple[int, int]) -> bytes:
    """A small landscape, another for every seed."""
    width, height = size
    hue = seed * 47 % 360
    picture = Image.new("HSV", size, (hue * 255 // 360, 90, 235)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for band in range(4):
        top = height * (4 + band) // 8
        colour = Image.new("HSV", (1, 1), ((hue + 25 * band) % 360 * 255 // 360, 110, 190 - 40 * band)).convert("RGB").getpixel((0, 0))
        points = [(x, top + ((seed * 31 + x * (band + 3)) % 90) - 45) for x in range(0, width + 64, 64)]
        draw.polygon([(0, height), *points, (width, height)], fill=colour)
    draw.ellipse((width * 5 // 8, height // 8, width * 5 // 8 + 60, height // 8 + 60), fill=(255, 240, 200))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def _entry(manifest: Manifest) -> dict[str, Any]:
    return {
        "stage": manifest.stage, "role": manifest.role, "run_id": manifest.run_id, "name": manifest.name, "settings": manifest.config,
        "actual_seed": manifest.actual_seed, "duration_ms": manifest.stage_duration_ms,
    }


def _local(seconds: float) -> Any:
    from datetime import datetime

    return datetime.fromtimestamp(seconds)

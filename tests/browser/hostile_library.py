"""A library in which every text that anybody can choose tries to become part of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.ui.sample_library import SampleLibrary, draw_picture

# Out of a text, an attribute of either quote, a script and a text field; into an element that nothing of ours has.
BAIT = (
    "'\"></textarea></pre></title></script><sdpipe-injected></sdpipe-injected><img src=x onerror=window.hacked=1>"
    "<script>window.hacked=1</script><svg onload=window.hacked=1>"
)
SHORT = '"><sdpipe-injected>'
# A file's name has no slash.
FILE_NAME = "'\"><sdpipe-injected><img src=x onerror=window.hacked=1>.png"


def build_hostile_library(folder: Path) -> SampleLibrary:
    """Three runs, one made from another, and pictures without a run."""
    library = SampleLibrary(folder)
    first = _add(library, "first", 600, 3)
    second = _add(library, "second", 300, 2, parent={"run_id": first, "name": "txt2img_001", "by": BAIT})
    _add_ended_badly(library)
    (library.outputs / FILE_NAME).write_bytes(draw_picture(77, (64, 64)))
    hostile_folder = library.outputs / SHORT
    hostile_folder.mkdir()
    (hostile_folder / f"a {FILE_NAME}").write_bytes(draw_picture(78, (64, 64)))
    for run_id in (first, second):
        mark = {"rating": 4, "favourite": True, "tags": [SHORT, BAIT[:90]], "note": BAIT, "updated_at": "2025-01-01T00:00:00.000Z"}
        document = {"schema": "sdpipe.marks/1", "marks": {"txt2img_001": mark}}
        library.layout.marks_file(run_id).write_text(json.dumps(document))
    environment = {"host": {"name": BAIT, "version": BAIT}, "extensions": [{"name": BAIT, "commit": BAIT}], "options": {BAIT: BAIT},
                   "script_defaults": {BAIT: {BAIT: BAIT}}}
    (library.layout.runs / "environments").mkdir(exist_ok=True)
    library.layout.environment_file("7" * 64).write_text(json.dumps(environment))
    return library


def _add(library: SampleLibrary, label: str, ago: float, images: int, **values: Any) -> str:
    run_id = library.add_run(
        label, ago=ago, user=BAIT, job_id=BAIT, config={"prompt": BAIT, "styles": [BAIT], BAIT: BAIT},
        not_replayable_because=BAIT, replayable=False, inferred=[BAIT],
    )
    run = library.store.read_run(run_id)
    run.label = BAIT
    library.store.write_run(run)
    for number in range(1, images + 1):
        name = f"{run_id}-{number}-{FILE_NAME}"
        (library.outputs / name).write_bytes(draw_picture(number + len(label), (64, 64)))
        library.add_image(
            run_id, f"txt2img_{number:03d}", number + len(label), (64, 64), file=False, path=name, prompt=f"{BAIT} {number}",
            negative_prompt=BAIT, model=BAIT, model_hash=BAIT, vae=BAIT, infotext=f"{BAIT}\nSteps: 2, Sampler: {SHORT}, Model: {BAIT}",
            config={"sampler_name": BAIT, "scheduler": BAIT, "steps": number, "cfg_scale": 7.0, BAIT: BAIT, "width": 64, "height": 64},
            loras=[{"name": BAIT, "weight": 0.5, "hash": BAIT}], embeddings=[{"name": BAIT, "hash": BAIT}],
            hires={"hr_upscaler": BAIT, "hr_prompt": BAIT, BAIT: BAIT}, refiner={"refiner_checkpoint": BAIT},
            adetailer={"model": BAIT, "ad_prompt": BAIT}, variant={"pack": BAIT, "row": BAIT, "index": 0, "values": {BAIT: BAIT}},
            stage_history=[{"stage": BAIT, "role": BAIT, "run_id": run_id, "name": SHORT, "settings": {BAIT: BAIT}}], inferred=[BAIT],
            revisions=[{"reason": BAIT, "time": BAIT, "image": {"sha256": BAIT}}], **values,
        )
    library.add_image(run_id, "grid_001", 99, (64, 64), members=[SHORT, "txt2img_001"], prompt=BAIT)
    library.add_image(run_id, "img2img_001", 98, (64, 64), stage=BAIT, role=BAIT, file=False, path=f"../{BAIT}", root=BAIT)
    return run_id


def _add_ended_badly(library: SampleLibrary) -> None:
    run_id = library.add_run("failed", ago=100, status="failed", error={"stage": BAIT, "type": BAIT, "message": BAIT}, source=BAIT)
    (library.layout.run_folder(run_id) / "manifests").mkdir()
    library.layout.manifest_file(run_id, "txt2img_001").write_text(f'{{"schema": "{SHORT[2:]}"}}')

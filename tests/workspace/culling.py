"""A library whose images have all that can belong to an image, and what a check of it says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.cull import look_at_cull
from lib_sdpipe.workspace.cull_deed import CullAnswer, cull
from lib_sdpipe.workspace.repairs import check_library
from tests.store.repair_library import RepairLibrary, png, seen

RUN = "20251225_143022_a"
OTHER_RUN = "20251226_080000_b"


class CullLibrary(RepairLibrary):
    """`outputs` with a run of three images (the first with a text, a forum's JPEG and a copy in the run folder), one made of the
    second in a later run, and two images that nobody recorded, one of them with a text."""

    def __init__(self, top: Path, is_copy: bool = False) -> None:
        self.top, self.outputs = top, top / "outputs"
        self.layout = find_layout(top / "runs")
        self.run = self.layout.run_folder(RUN)
        self.workspace = Workspace(self.layout)
        if is_copy:
            return
        (self.outputs / "day").mkdir(parents=True)
        Library(self.layout).ensure_roots({"outputs": self.outputs})
        self.store = RunStore(self.layout)
        for run_id in (RUN, OTHER_RUN):
            self.store.write_run(Run(run_id=run_id, status="completed", label="a", started_at="2025-12-25T13:30:22.123Z"))
        for number in range(1, 4):
            self.record(RUN, f"txt2img_{number:03d}", f"day/{number}.png", number)
        self.record(OTHER_RUN, "img2img_001", "day/4.png", 4, parent={"run_id": RUN, "name": "txt2img_002", "by": "file"})
        self.write("day/1.txt", b"a lighthouse 1")
        self.write("day/1.jpg", b"\xff\xd8 a forum's")
        kept = self.run / "txt2img" / "txt2img_001.png"
        kept.parent.mkdir()
        os.link(self.outputs / "day" / "1.png", kept)
        self.record(RUN, "txt2img_001", "day/1.png", 1, kept=f"{RUN}/txt2img/txt2img_001.png", beside=["1.txt", "1.jpg"])
        self.write("old/5.png", png(5, "an old one"))
        self.write("old/5.txt", b"an old one")
        self.write("old/6.png", png(6, "another old one"))
        for number, path in enumerate(sorted(path for path in top.rglob("*") if path.is_file() and ".sdpipe" not in path.parts)):
            os.utime(path, ns=(10**18 + number, 10**18 + 7 * number + 1))
            path.chmod(0o640 if number % 2 else 0o604)
        with_runs = [{"stage": "txt2img", "name": f"txt2img_{n:03d}", "root": "outputs", "path": f"day/{n}.png"} for n in range(1, 4)]
        self.store.write_run(Run(run_id=RUN, status="completed", label="a", stage_outputs=with_runs))
        other = [{"stage": "img2img", "name": "img2img_001", "root": "outputs", "path": "day/4.png"}]
        self.store.write_run(Run(run_id=OTHER_RUN, status="completed", label="a", stage_outputs=other))
        check_library(self.workspace)

    def record(self, run_id: str, name: str, path: str, number: int, **fields: Any) -> None:
        file = self.outputs / path
        if not file.exists():
            self.write(path, png(number, f"a lighthouse {number}"))
        facts = {"width": 64, "height": 64, "format": "PNG", **seen(file)}
        self.store.write_manifest(Manifest(
            run_id=run_id, name=name, stage=name.partition("_")[0], role="final", root="outputs", path=path, image=facts,
            infotext=f"a lighthouse {number}", **fields,
        ))

    def cull(self, *keys: ImageKey, runs: tuple[str, ...] = (), **options: Any) -> CullAnswer:
        return cull(self.workspace, look_at_cull(self.workspace, keys, runs), **options)

    def findings(self) -> set[tuple[str, str | None, str | None]]:
        return {(one["code"], one["path"], one["name"]) for one in check_library(self.workspace)["findings"]}


def recorded(number: int) -> ImageKey:
    return ImageKey(RUN, f"txt2img_{number:03d}")


def unrecorded(number: int) -> ImageKey:
    return ImageKey(root="outputs", path=f"old/{number}.png")

"""A host port that paints plain pictures at once and records them itself, with faults to order."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from PIL import Image

from lib_sdpipe.images.read import read_image
from lib_sdpipe.manifest.names import build_manifest_name
from lib_sdpipe.manifest.records import Batch, ImageFacts, ImageLink, Json, Manifest, ParentLink, Replay, Run
from lib_sdpipe.pipeline.build import count_images
from lib_sdpipe.pipeline.port import FindPicture, HostFacts, MadeImage, PassOutcome, PassProgress, PassRequest, RunStart
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT
from lib_sdpipe.store.runs import RunStore

Fault = Callable[[PassRequest], "PassOutcome | None"]


@dataclass
class ImitatedPort:
    """`before_pass` may answer an outcome in place of the pass, wait, or raise. `shade` is added to what it paints."""

    layout: Layout
    before_pass: Fault = lambda request: None
    wanted: threading.Event = field(default_factory=threading.Event)
    shade: int = 0
    environment: Json = field(default_factory=dict)
    passes: list[PassRequest] = field(default_factory=list)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.store = RunStore(self.layout)

    def is_wanted(self) -> bool:
        return self.wanted.is_set()

    def open_run(self, start: RunStart) -> str:
        number = 1
        while not self.store.create_run_folder(run_id := f"20251225_1430{number:02}_{start.label or start.stage}"):
            number += 1
        self.store.write_run(Run(
            run_id=run_id, label=start.label, status="running", source="pipeline", config=start.config, user=start.user,
            environment=self.store.write_environment(self.environment),
            replay=Replay(of=start.replay_of) if start.replay_of else None,
        ))
        return run_id

    def reopen_run(self, run_id: str, planned: int) -> None:
        self._change(run_id, status="running", error=None)

    def close_run(self, run_id: str, cut_short: str | None, error: Json | None, replay: Json | None) -> None:
        status = "failed" if error else "interrupted" if cut_short else "completed"
        outputs = [
            {"stage": m.stage, "name": m.name, "manifest": f"manifests/{m.name}.json", "path": m.path, "root": m.root, "role": m.role}
            for m in self.store.iter_manifests(run_id) if isinstance(m, Manifest)
        ]
        self._change(run_id, status=status, error=error, stage_outputs=outputs, **({"replay": replay} if replay else {}))

    def run_pass(self, run_id: str, request: PassRequest, find_picture: FindPicture) -> PassOutcome:
        self.passes.append(request)
        self.interrupted.clear()
        instead = self.before_pass(request)
        if instead is not None:
            return instead
        for reference in request.config.get("init_images") or []:
            find_picture(reference)
        made = [self._make(run_id, request, place) for place in range(count_images(request.config))]
        return PassOutcome(tuple(made), "interrupted" if self.interrupted.is_set() else None, seconds=0.01)

    def promised(self, run_id: str, name: str) -> Json | None:
        return self.store.read_manifest(run_id, name).to_json() if self.store.has_manifest(run_id, name) else None

    def wait_recorded(self) -> None:
        """It is recorded already."""

    def drop_kept(self, run_id: str, name: str) -> None:
        manifest = self.store.read_manifest(run_id, name)
        (self.layout.runs / (manifest.path or "")).unlink()
        self.store.write_manifest(manifest.copy(update={"path": None, "root": None}))

    def write_picture(self, picture: Image.Image, infotext: str | None, path: str) -> None:
        picture.convert("RGB").save(path, quality=90)

    def progress(self) -> PassProgress:
        return PassProgress(0.5, "step 1 of 2")

    def interrupt(self) -> None:
        self.interrupted.set()

    def facts(self) -> HostFacts:
        return HostFacts(environment=self.environment)

    def _make(self, run_id: str, request: PassRequest, place: int) -> MadeImage:
        seed = int(request.config.get("seed") or 1) + place
        picture = Image.new("RGB", (16, 16), ((seed * 40 + self.shade) % 256, len(request.stage) * 20, 90))
        name = self._free_name(run_id, request.stage)
        is_kept, is_saved = place in request.kept, request.save is None or place in request.save
        path: Path | None = None
        if is_kept or is_saved:
            path = self.layout.run_folder(run_id) / request.stage / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            picture.save(path)
        facts = ImageFacts(**vars(read_image(path)[0])) if path is not None else None
        parent = request.parents[0] if request.parents else None
        self.store.write_manifest(Manifest(
            name=name, run_id=run_id, stage=request.stage, role="final", prompt=request.config.get("prompt"), actual_seed=seed,
            config={"steps": 1}, path=path.relative_to(self.layout.runs).as_posix() if path else None,
            root=RUNS_ROOT if path else None, image=facts, variant=request.variant, step=request.step, infotext=f"x {seed}",
            batch=Batch(index=place, iteration=0),
            parent=ParentLink(run_id=parent.run_id, name=parent.name, by="pixels") if isinstance(parent, ImageLink) else None,
        ))
        return MadeImage(name, picture, f"x {seed}")

    def _free_name(self, run_id: str, stage: str) -> str:
        number = 1
        while self.store.has_manifest(run_id, build_manifest_name(stage, number)):
            number += 1
        return build_manifest_name(stage, number)

    def _change(self, run_id: str, **fields: Any) -> None:
        run = self.store.read_run(run_id)
        self.store.write_run(Run.parse_obj({**run.to_json(), **fields}))

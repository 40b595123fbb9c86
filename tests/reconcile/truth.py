"""A library of which everything is known: made whole, then damaged in ways whose findings are known too."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.read import read_image
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import ImageCounts, Manifest, ProcessMark, Run
from lib_sdpipe.reconcile.findings import Finding, Json
from lib_sdpipe.reconcile.plan import build_plan, parse_choices, plan_operations
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.machine import process_mark
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.check import Checker
from lib_sdpipe.workspace.plan_records import PlanRecords

NOW = "2026-02-03T04:05:06.789Z"

Found = tuple[str, str | None, str | None]
"""Code, root and path of a finding."""


@dataclass
class Truth:
    """A library on the disk; `expected` are the findings that its damages must give, each with how many images or records."""

    base: Path
    seed: int = 0
    expected: dict[Found, int] = field(default_factory=dict)
    touched: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.outputs = self.base / "outputs"
        self.outputs.mkdir(parents=True)
        self.layout: Layout = find_layout(self.base / "runs")
        self.layout.runs.mkdir()
        Library(self.layout).ensure_roots({"outputs": self.outputs})
        self.store = RunStore(self.layout)

    # --- making it ---

    def record(self, run_id: str, count: int = 4, kept: bool = False) -> None:
        """A run with that many images in the root, recorded as the extension does."""
        outputs = []
        for number in range(1, count + 1):
            name = f"txt2img_{number:03d}"
            seed = self.random.randrange(1 << 32)
            path = f"txt2img-images/{run_id[:8]}/{run_id}-{number:05d}-{seed}.png"
            text = f"a cat, {seed}\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: {seed}, Run ID: {run_id}, Version: v1.10.1"
            self.write_picture(self.outputs / path, text, seed)
            facts, _ = read_image(str(self.outputs / path))
            manifest = Manifest(
                name=name, run_id=run_id, job_id=f"task({run_id})", stage="txt2img", role="final", timestamp="2026-01-02T03:04:05.678Z",
                prompt=f"a cat, {seed}", negative_prompt="dog", path=path, root="outputs", actual_seed=seed, infotext=text,
                image=asdict(facts),
            )
            if kept:
                manifest.kept = f"{run_id}/txt2img/{name}.png"
                (self.layout.runs / manifest.kept).parent.mkdir(exist_ok=True, parents=True)
                shutil.copyfile(self.outputs / path, self.layout.runs / manifest.kept)
            self.store.write_manifest(manifest)
            outputs.append({
                "stage": "txt2img", "name": name, "manifest": f"manifests/{name}.json", "path": path, "root": "outputs", "role": "final",
            })
        self.store.write_run(Run(
            run_id=run_id, job_id=f"task({run_id})", label="cats", status="completed", timestamp="2026-01-02T03:04:05.000Z",
            started_at="2026-01-02T03:04:05.000Z", finished_at="2026-01-02T03:04:09.000Z", source="ui", stage_outputs=outputs,
            images=ImageCounts(planned=count, returned=count, saved=count), config={"steps": 20}, replayable=True,
        ))

    def write_picture(self, file: Path, text: str | None, seed: int) -> None:
        info = PngInfo()
        if text is not None:
            info.add_text("parameters", text)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.frombytes("RGB", (16, 16), random.Random(seed).randbytes(768)).save(file, pnginfo=info)

    # --- damaging it ---

    def manifests(self) -> list[Manifest]:
        """Of images and runs that no damage has touched yet, in a random order that is always the same."""
        files = sorted(self.layout.runs.glob("*/manifests/*.json"))
        free = [file for file in files if not {file, file.parents[1]} & self.touched]
        self.random.shuffle(free)
        return [self.store.read_manifest(file.parents[1].name, file.stem) for file in free]

    def manifests_now(self) -> list[Manifest]:
        """All, as they are now."""
        return [self.store.read_manifest(file.parents[1].name, file.stem) for file in sorted(self.layout.runs.glob("*/manifests/*.json"))]

    def take(self, whole_run: bool = False, kept: bool | None = None) -> tuple[Manifest, Path]:
        """An untouched recorded image and its file; nothing else will damage it, with `whole_run` nothing of its run."""
        for manifest in self.manifests():
            if kept is not None and kept != (manifest.kept is not None):
                continue
            run = self.layout.run_folder(manifest.run_id or "")
            if whole_run and any(run in path.parents for path in self.touched):
                continue
            self.touched |= {run} if whole_run else {self.layout.manifest_file(manifest.run_id or "", manifest.name or "")}
            return manifest, self.outputs / (manifest.path or "")
        raise AssertionError("every image was damaged: make more")

    def expect(self, code: str, root: str | None, path: str | None, count: int = 1) -> None:
        self.expected[code, root, path] = self.expected.get((code, root, path), 0) + count

    # --- looking at it ---

    def check(self, **options: Any) -> list[Finding]:
        index = Index(self.layout.index_file)
        try:
            return list(Checker(self.layout, Library(self.layout), index, **options).check())
        finally:
            index.close()

    def found(self) -> dict[Found, int]:
        return {(finding.code, finding.root, finding.path): finding.count for finding in self.check()}

    def plan(self, *choices: str) -> Json:
        """A plan for everything that is found, with these choices."""
        library, index = Library(self.layout), Index(self.layout.index_file)
        try:
            findings = list(Checker(self.layout, library, index).check())
            operations = plan_operations(findings, parse_choices(choices), PlanRecords(self.layout, library, index), NOW)
        finally:
            index.close()
        return build_plan(operations, f"plan-{self.random.random()}", NOW, library.document["id"])

    def tree(self) -> dict[str, tuple[bytes, int, int]]:
        """Every file outside what is derived: bytes, mode, modification time."""
        files = {}
        for folder, names, in_it in os.walk(self.base):
            names[:] = [name for name in names if not name.startswith(".sdpipe")]
            for name in in_it:
                file = Path(folder) / name
                stat = file.stat()
                files[file.relative_to(self.base).as_posix()] = (file.read_bytes(), stat.st_mode, stat.st_mtime_ns)
        return files


# --- the damages, by code ---

def damage_missing(truth: Truth) -> None:
    manifest, file = truth.take(kept=False)
    file.unlink()
    truth.expect("missing-image", "outputs", manifest.path)


def damage_ambiguous(truth: Truth) -> None:
    """Moved away twice: which of the two is it?"""
    manifest, file = truth.take()
    for folder in ("one", "two"):
        (truth.outputs / folder).mkdir(exist_ok=True)
        shutil.copyfile(file, truth.outputs / folder / file.name)
    file.unlink()
    truth.expect("missing-image", "outputs", manifest.path)


def damage_kept(truth: Truth) -> None:
    """Only the copy in the run folder is left."""
    manifest, file = truth.take(kept=True)
    file.unlink()
    truth.expect("moved-image", "outputs", manifest.path)


def damage_moved(truth: Truth) -> None:
    manifest, file = truth.take()
    target = truth.outputs / "best" / f"favourite {truth.random.random()}.png"
    target.parent.mkdir(exist_ok=True)
    file.rename(target)
    truth.expect("moved-image", "outputs", manifest.path)


def damage_moved_and_stripped(truth: Truth) -> None:
    """Only its pixels and its name are left."""
    manifest, file = truth.take()
    target = truth.outputs / "posted" / file.name
    target.parent.mkdir(exist_ok=True)
    with Image.open(file) as image:
        image.save(target)
    file.unlink()
    truth.expect("moved-image", "outputs", manifest.path)


def damage_exchanged(truth: Truth) -> None:
    """Two images have each other's name now."""
    (one, first), (other, second) = truth.take(), truth.take()
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    truth.expect("moved-image", "outputs", one.path)
    truth.expect("moved-image", "outputs", other.path)


def damage_renumbered(truth: Truth) -> None:
    """Each has the next one's name, the last a new one."""
    taken = [truth.take() for _ in range(3)]
    files = [file for _, file in taken]
    for file, name in reversed(list(zip(files, [*files[1:], files[-1].with_name(f"{truth.random.random()}.png")]))):
        file.rename(name)
    for manifest, _ in taken:
        truth.expect("moved-image", "outputs", manifest.path)


def damage_modified(truth: Truth) -> None:
    manifest, file = truth.take()
    info = PngInfo()
    info.add_text("parameters", manifest.infotext or "")
    Image.new("RGB", (16, 16), (9, 9, 9)).save(file, pnginfo=info)
    _touch(file)
    truth.expect("modified-image", "outputs", manifest.path)


def damage_retagged(truth: Truth) -> None:
    manifest, file = truth.take()
    truth.write_picture(file, "a dog, of course\nSteps: 1, Sampler: DDIM, Seed: 5", manifest.actual_seed or 0)
    _touch(file)
    truth.expect("retagged-image", "outputs", manifest.path)


def damage_stripped(truth: Truth) -> None:
    manifest, file = truth.take()
    truth.write_picture(file, None, manifest.actual_seed or 0)
    _touch(file)
    truth.expect("stripped-image", "outputs", manifest.path)


def damage_orphaned(truth: Truth) -> None:
    folder = f"old/{truth.random.randrange(1 << 32)}"
    for number in range(3):
        truth.write_picture(truth.outputs / folder / f"{number}.png", "an old cat\nSteps: 3, Sampler: Euler, Seed: 9", number)
    truth.expect("orphaned-image", "outputs", folder, 3)


def damage_duplicated(truth: Truth) -> None:
    manifest, file = truth.take()
    for number in range(2):
        target = truth.outputs / "copies" / f"{number} {file.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, target)
    truth.expect("duplicated-image", "outputs", manifest.path, 2)


def damage_truncated(truth: Truth) -> None:
    manifest, file = truth.take()
    file.write_bytes(file.read_bytes()[:-100])
    _touch(file, -3600)
    truth.expect("unreadable-image", "outputs", manifest.path)


def damage_unrecorded_truncated(truth: Truth) -> None:
    file = truth.outputs / "broken" / f"{truth.random.random()}.png"
    truth.write_picture(file, None, 5)
    file.write_bytes(b"<html>404</html>")
    _touch(file, -3600)
    truth.expect("unreadable-image", "outputs", file.relative_to(truth.outputs).as_posix())


def damage_unlinked(truth: Truth) -> None:
    """As the older program wrote it: no schema, no run id."""
    manifest, _ = truth.take()
    path = truth.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    document = manifest.to_json()
    document = {key: value for key, value in document.items() if key not in ("schema", "run_id")}
    path.write_bytes(format_json({**document, "global_positive_terms": "kept"}))
    truth.expect("unlinked-manifest", "runs", path.relative_to(truth.layout.runs).as_posix())


def damage_run_id(truth: Truth) -> None:
    manifest, _ = truth.take()
    path = truth.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    path.write_bytes(format_json({**manifest.to_json(), "run_id": "20200101_000000_wrong"}))
    truth.expect("conflicting-run-id", "runs", path.relative_to(truth.layout.runs).as_posix())


def damage_folder_name(truth: Truth) -> None:
    manifest, _ = truth.take(whole_run=True)
    strange = truth.layout.runs / f"my best {manifest.run_id}"
    truth.layout.run_folder(manifest.run_id or "").rename(strange)
    truth.touched.add(strange)
    truth.expect("conflicting-run-id", "runs", f"my best {manifest.run_id}")


def damage_manifest(truth: Truth) -> None:
    manifest, _ = truth.take()
    path = truth.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    path.write_bytes(path.read_bytes()[:200])
    truth.expect("unreadable-manifest", "runs", path.relative_to(truth.layout.runs).as_posix())


def damage_newer(truth: Truth) -> None:
    manifest, _ = truth.take()
    path = truth.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    path.write_bytes(format_json({**manifest.to_json(), "schema": "sdpipe.manifest/2"}))
    truth.expect("newer-schema", "runs", path.relative_to(truth.layout.runs).as_posix())


def damage_no_run_file(truth: Truth) -> None:
    _on_run_file(truth, "missing-run-file", lambda path: path.unlink())


def damage_run_file(truth: Truth) -> None:
    _on_run_file(truth, "unreadable-run-file", lambda path: path.write_text("{"))


def damage_listing(truth: Truth) -> None:
    def forget_one(path: Path) -> None:
        run = truth.store.read_run(path.parent.name)
        run.stage_outputs = run.stage_outputs[1:]
        truth.store.write_run(run)

    _on_run_file(truth, "incomplete-run", forget_one)


def damage_unfinished(truth: Truth) -> None:
    def leave_running(path: Path) -> None:
        run = truth.store.read_run(path.parent.name)
        run.status, run.finished_at = "running", None
        run.process = ProcessMark(machine=process_mark().machine, pid=1 << 22, boot=process_mark().boot)
        truth.store.write_run(run)

    _on_run_file(truth, "unfinished-run", leave_running)


def _on_run_file(truth: Truth, code: str, damage: Callable[[Path], object]) -> None:
    manifest, _ = truth.take(whole_run=True)
    path = truth.layout.run_file(manifest.run_id or "")
    damage(path)
    truth.expect(code, "runs", path.relative_to(truth.layout.runs).as_posix())


def _touch(file: Path, seconds: int = 1) -> None:
    """As an editor leaves it, later than it was; or long ago: what is truncated and fresh is still being written."""
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + seconds * 1_000_000_000))


DAMAGES: tuple[Callable[[Truth], None], ...] = (
    damage_missing, damage_kept, damage_ambiguous, damage_moved, damage_moved_and_stripped, damage_exchanged,
    damage_renumbered, damage_modified, damage_retagged, damage_stripped,
    damage_orphaned, damage_duplicated, damage_truncated, damage_unrecorded_truncated, damage_unlinked, damage_run_id, damage_manifest,
    damage_newer, damage_no_run_file, damage_folder_name, damage_run_file, damage_listing, damage_unfinished,
)


def build_damaged(folder: Path) -> Truth:
    """Thirty runs with every damage once."""
    truth = Truth(folder)
    for number in range(30):
        truth.record(f"20260101_1200{number:02d}_cats", 5, kept=number % 3 == 0)
    truth.check()
    for damage in DAMAGES:
        damage(truth)
    return truth

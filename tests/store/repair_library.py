"""A small library to repair, plans for it, and a look at its whole tree."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.repair import RepairAnswer
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.undo import undo

RUN_ID = "20251225_143022_a"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
Tree = dict[str, tuple[bytes, int, int]]


def png(seed: int, text: str | None = None) -> bytes:
    """A picture of 64 x 64 noise, with its text before the pixels as hosts have it."""
    rows = b"".join(b"\0" + hashlib.sha512(f"{seed} {row}".encode()).digest() for row in range(64))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
    return _SIGNATURE + header + _text(text) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _text(text: str | None) -> bytes:
    return _chunk(b"tEXt", b"parameters\0" + text.encode("latin-1")) if text is not None else b""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def seen(path: Path) -> dict[str, Any]:
    """`expects` for a file as it is."""
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class RepairLibrary:
    """`top/runs` with one run of three images, `top/outputs` with them and some more."""

    def __init__(self, top: Path) -> None:
        self.top, self.outputs = top, top / "outputs"
        self.layout = find_layout(top / "runs")
        self.store = RunStore(self.layout)
        (self.outputs / "day").mkdir(parents=True)
        (top / "copies").mkdir()
        Library(self.layout).ensure_roots({"outputs": self.outputs, "copies": top / "copies"})
        self.run = self.layout.run_folder(RUN_ID)
        self.store.write_run(Run(run_id=RUN_ID, status="completed", label="a"))
        for number in range(1, 4):
            name = f"txt2img_{number:03d}"
            self.store.write_manifest(Manifest(run_id=RUN_ID, name=name, root="outputs", path=f"day/{number}.png"))
            self.write(f"day/{number}.png", png(number, f"a lighthouse {number}"))
        self.write("day/double.png", png(1, "a lighthouse 1"))
        self.write("day/broken.png", png(2)[:700])
        (top / "copies" / "2.png").write_bytes(png(2, "a lighthouse 2"))
        for number, path in enumerate(sorted(path for path in top.rglob("*") if path.is_file())):
            os.utime(path, ns=(10**18 + number, 10**18 + 7 * number + 1))
            path.chmod(0o640 if number % 2 else 0o604)

    def write(self, path: str, data: bytes) -> Path:
        (self.outputs / path).parent.mkdir(parents=True, exist_ok=True)
        (self.outputs / path).write_bytes(data)
        return self.outputs / path

    def manifest(self, number: int) -> Path:
        return self.run / "manifests" / f"txt2img_{number:03d}.json"

    def edit(self, path: Path, **changes: Any) -> dict[str, Any]:
        """An edit of a record as the planner writes it."""
        return {"file": path.relative_to(self.layout.runs).as_posix(), "expects": seen(path) if path.exists() else None, **changes}

    def operation(self, name: str, path: str | None = None, root: str | None = "outputs", **writes: Any) -> dict[str, Any]:
        file = self.layout.runs.parent / (root or "") / path if path is not None else None
        return {
            "id": name, "op": "test", "code": "test", "path": path, "root": root if path is not None else None, "run_id": RUN_ID,
            "name": "txt2img_001", "expects": seen(file) if file is not None and file.exists() else None, "writes": writes,
        }

    def plan(self, *operations: dict[str, Any], plan_id: str = "plan-1") -> dict[str, Any]:
        document = json.loads(self.layout.library_file.read_bytes())
        return {
            "schema": "sdpipe.plan/1", "plan_id": plan_id, "created_at": "2025-12-25T13:30:22.123Z", "library": document["id"],
            "operations": list(operations),
        }

    def mixed_plan(self) -> dict[str, Any]:
        """An operation of each kind, two of them on one record."""
        broken = {"root": "copies", "path": "2.png", **seen(self.top / "copies" / "2.png")}
        new_run = "20251226_080000_adopted"
        return self.plan(
            self.operation("double", "day/double.png", quarantine=True),
            self.operation("text", "day/1.png", infotext="a lighthouse 1, at night",
                           json=[self.edit(self.manifest(1), set={"infotext": "x"})]),
            self.operation("broken", "day/broken.png", restore_from=broken),
            self.operation("relink", "day/3.png", json=[
                self.edit(self.manifest(3), set={"path": "elsewhere/3.png"}),
                self.edit(self.run / "run_metadata.json", append={"stage_outputs": [{"name": "txt2img_003"}]}),
            ]),
            self.operation("relink-2", json=[
                self.edit(self.run / "run_metadata.json", set={"status": "abandoned"}, append={"stage_outputs": [{"name": "txt2img_002"}]}),
            ]),
            self.operation("rebuild", json=[self.edit(self.manifest(2), quarantine=True, document={"schema": "sdpipe.manifest/1"})]),
            self.operation("adopt", json=[
                self.edit(self.layout.runs / new_run / "run_metadata.json", document={"schema": "sdpipe.run/1", "run_id": new_run}),
                self.edit(self.layout.runs / new_run / "manifests" / "txt2img_001.json", document={"schema": "sdpipe.manifest/1"}),
            ]),
        )

    def short_plan(self) -> dict[str, Any]:
        """Without the operations that share a record, for what is done hundreds of times."""
        plan = self.mixed_plan()
        return {**plan, "operations": [one for one in plan["operations"] if not one["id"].startswith("relink")]}

    def apply(self, document: dict[str, Any], **options: Any) -> RepairAnswer:
        return apply_plan(self.layout, document, **options)

    def undo(self, which: str | None = None, **options: Any) -> RepairAnswer:
        return undo(self.layout, which, **options)

    def tree(self) -> Tree:
        """Every file outside `.sdpipe` with bytes, mode and mtime; folders are entries too."""
        found: Tree = {}
        for path in sorted(self.top.rglob("*")):
            if ".sdpipe" in path.parts:
                continue
            status = path.lstat()
            name = path.relative_to(self.top).as_posix()
            found[name] = (b"", 0, 0) if path.is_dir() else (path.read_bytes(), status.st_mode, status.st_mtime_ns)
        return found

    def contents(self) -> dict[str, bytes]:
        """As `tree`, without modes and times; the apply id in quarantine is always `ID`."""
        found = {}
        for name, (data, _, _) in self.tree().items():
            parts = name.split("/")
            if ".sdpipe-quarantine" in parts[:-1]:
                parts[parts.index(".sdpipe-quarantine") + 1] = "ID"
            found["/".join(parts)] = data
        return found

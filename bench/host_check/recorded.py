"""What SDPipe has written: the runs folder and the output folders, read as docs/formats.md describes them."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from host_check.host import Json
from host_check.pictures import IMAGE_SUFFIXES, pixel_digest

ENDS_WITHIN_SECONDS = 60.0


@dataclass
class RecordedRun:
    run_id: str
    folder: Path
    run: Json
    manifests: list[Json] = field(default_factory=list)
    json_bytes: int = 0

    def finals(self) -> list[Json]:
        """What was asked for, without grids, in order of saving."""
        return [m for m in self.manifests if m["role"] == "final" and m["stage"] != "grid"]

    def grids(self) -> list[Json]:
        return [m for m in self.manifests if m["stage"] == "grid"]

    def by_name(self) -> dict[str, Json]:
        return {m["name"]: m for m in self.manifests}


class Library:
    """`data_dir` is the WebUI's data path; the runs folder is the default one in it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.runs = self.data_dir / "runs"
        self.outputs = self.data_dir / "outputs"

    def run_ids(self) -> set[str]:
        return {path.parent.name for path in self.runs.glob("*/run_metadata.json")}

    def files(self) -> dict[Path, tuple[int, int]]:
        """Every file below the output folders with what tells that it was written again."""
        return {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in self.outputs.rglob("*") if p.is_file()}

    def wait_until_ended(self, known: set[str]) -> list[RecordedRun]:
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while True:
            time.sleep(3)
            runs = [self._read(run_id) for run_id in sorted(self.run_ids() - known)]
            if all(run.run["status"] != "running" for run in runs) or time.monotonic() > deadline:
                return runs

    def _read(self, run_id: str) -> RecordedRun:
        folder = self.runs / run_id
        data = (folder / "run_metadata.json").read_bytes()
        recorded = RecordedRun(run_id, folder, json.loads(data), json_bytes=len(data))
        for path in folder.glob("manifests/*.json"):
            data = path.read_bytes()
            recorded.manifests.append(json.loads(data))
            recorded.json_bytes += len(data)
        recorded.manifests.sort(key=lambda m: (m["timestamp"], int(re.findall(r"\d+$", m["name"])[0])))
        return recorded

    def resolve(self, root: str | None, path: str | None) -> Path | None:
        if path is None:
            return None
        if root is None:
            return Path(path)
        if root == "runs":
            return self.runs / path
        roots = json.loads((self.runs / "library.json").read_bytes())["roots"]
        return (self.runs / roots[root]["path"] / path).resolve() if root in roots else None

    def input_digest(self, sha256: str) -> str | None:
        """The pixels of a kept input; None where the file is not what its name says."""
        for base in (self.runs, self.runs.parent):
            path = base / "inputs" / sha256[:2] / f"{sha256}.png"
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                with Image.open(path) as image:
                    return pixel_digest(image)
        return None


def is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES

"""Throwing images away, as operations of a plan: each moves one image with all that belongs to it, and marks its record as lost.

Manifests and run files stay where they are: what was made, and what was made from it, remains known.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.operations.operation import Operation

CULL = "cull"
PLAN_PREFIX = "cull-"
"""How the id of a plan begins that throws away."""


@dataclass(frozen=True)
class ImageKey:
    """Which image: a recorded one by run and name, another by root and path; `run_id` alone: the record of a run without images."""

    run_id: str | None = None
    name: str | None = None
    root: str | None = None
    path: str | None = None

    def to_json(self) -> Json:
        if self.run_id is None:
            return {"root": self.root, "path": self.path}
        return {"run_id": self.run_id, "name": self.name}

    def __str__(self) -> str:
        return "/".join(part for part in (self.run_id, self.name) if part) if self.run_id is not None else f"{self.root}: {self.path}"


@dataclass(frozen=True)
class CulledFile:
    """A file that goes, as it was when somebody looked at it. `sha256` is what its record says, None without."""

    root: str | None
    path: str
    bytes: int
    mtime_ns: int
    inode: tuple[int, int]
    sha256: str | None = None


@dataclass(frozen=True)
class CullItem:
    """One image with what goes and what stays. `files` begin with the image itself; empty: nothing is there to be moved.

    `stays` are the places of copies that the Save button made, `children` images that were made from it and stay.
    """

    key: ImageKey
    files: tuple[CulledFile, ...]
    stays: tuple[str, ...] = ()
    children: tuple[ImageKey, ...] = ()

    @property
    def bytes(self) -> int:
        """What is moved; two names of one file count once."""
        return sum({file.inode: file.bytes for file in self.files}.values())

    def to_json(self) -> Json:
        files = [{"root": file.root, "path": file.path, "bytes": file.bytes} for file in self.files]
        children = [child.to_json() for child in self.children]
        return {**self.key.to_json(), "bytes": self.bytes, "files": files, "stays": list(self.stays), "children": children}

    @property
    def record_file(self) -> str | None:
        """The record that is marked as lost, from the runs folder on."""
        if self.key.run_id is None:
            return None
        return f"{self.key.run_id}/manifests/{self.key.name}.json" if self.key.name else f"{self.key.run_id}/run_metadata.json"


def build_cull(item: CullItem, contents: list[Json], record: Json | None, now: str) -> Operation:
    """`contents` are `bytes` and `sha256` of the item's files, `record` what its record file has of both."""
    writes: Json = {}
    first = item.files[0] if item.files else None
    if first is not None:
        writes["quarantine"] = True
    if len(item.files) > 1:
        rest = zip(item.files[1:], contents[1:])
        writes["quarantine_also"] = [{"root": file.root, "path": file.path, **content} for file, content in rest]
    if record is not None:
        writes["json"] = [{"file": item.record_file, "expects": record, "set": {"lost_at": now}}]
    place = (first.root, first.path) if first is not None else (None, None)
    return Operation(CULL, CULL, *place, item.key.run_id, item.key.name, contents[0] if contents else None, writes)

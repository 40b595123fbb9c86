"""One operation of a plan, and what must be looked up to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lib_sdpipe.reconcile.findings import Finding, Json

UNCHECKED: Json = {"bytes": None, "sha256": None}
"""Of a file that must be there, whatever it says."""


@dataclass(frozen=True)
class Document:
    """A JSON file of ours as it lies there: its path below the runs folder, its bytes by number and digest, and what it says."""

    file: str
    bytes: int
    sha256: str
    json: Json | None

    @property
    def expects(self) -> Json:
        return {"bytes": self.bytes, "sha256": self.sha256}


class Records(Protocol):
    """Reading, for the planner; each answers None where there is nothing to read."""

    def manifest(self, run_id: str, name: str) -> Document | None: ...

    def run(self, run_id: str) -> Document | None: ...

    def manifests(self, run_id: str) -> list[Json]:
        """The run's readable manifests in today's shape, by name."""

    def image(self, root: str | None, path: str) -> Json | None:
        """A file's `image` block, read now, and its infotext as `infotext`."""

    def content(self, root: str | None, path: str) -> Json | None:
        """`bytes` and `sha256` of any file, image or not."""

    def kept(self, run_id: str, name: str) -> str | None:
        """The file in the run folder that has this manifest's name, as `kept` says it."""

    def edited(self, root: str | None, path: str, infotext: str | None) -> Json | None:
        """`bytes` and `sha256` of the file with this infotext in it."""


@dataclass(frozen=True)
class Operation:
    """`root` and `path` are the file that must be as `expects` says (None: must not be there) and that may be written."""

    op: str
    code: str
    root: str | None
    path: str | None
    run_id: str | None
    name: str | None
    expects: Json | None
    writes: Json

    def to_json(self, number: int) -> Json:
        return {
            "id": f"op-{number:06d}", "op": self.op, "code": self.code, "path": self.path, "root": self.root, "run_id": self.run_id,
            "name": self.name, "expects": self.expects, "writes": self.writes,
        }


def operation_on(finding: Finding, op: str, expects: Json | None, writes: Json, place: Json | None = None) -> Operation:
    """About the finding's own file, or another `place`."""
    where = place or {"root": finding.root, "path": finding.path}
    return Operation(op, finding.code, where["root"], where["path"], finding.run_id, finding.name, expects, writes)


def set_fields(document: Document, **fields: object) -> Json:
    return {"file": document.file, "expects": document.expects, "set": fields}

"""What was found about one image, before anything is concluded from it. `resolve` reads this; who looks on the disk fills it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_sdpipe.manifest.history import JobRecord
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest, Run

@dataclass(frozen=True)
class FoundManifest:
    """A manifest that may be the image's, found `by` path, sha256, pixel_sha256 or name.

    `where` names its file; one file may be found in several ways. `error` says why it could not be read.
    """

    by: str
    where: str
    manifest: Manifest | None
    error: str | None = None


@dataclass(frozen=True)
class FoundRun:
    """A run file that may know of the image; `run` and `error` are both None where there is none."""

    run_id: str
    run: Run | None
    error: str | None = None


@dataclass(frozen=True)
class FoundHistory:
    """What the caller handed in: the record of this image, if it holds one; `problems` are lines that could not be read."""

    where: str
    record: JobRecord | None
    problems: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True)
class Evidence:
    """`root` and `path` say where the file is, as a manifest would. `image` is None where its pixels cannot be read.

    `texts`: those in the file, by PNG keyword, `exif:NAME`, or `stealth`. `beside`: the text file's of the same name.
    `problem`: why the file could not be read, or not all of it. `run_id`: the run folder that it lies in, where it does.
    """

    file: str
    exists: bool
    root: str | None = None
    path: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    beside: str | None = None
    image: ImageFacts | None = None
    problem: str | None = None
    run_id: str | None = None
    manifests: list[FoundManifest] = field(default_factory=list)
    runs: list[FoundRun] = field(default_factory=list)
    history: FoundHistory | None = None


@dataclass(frozen=True)
class Source:
    """One source after it was tried: `fields` are a manifest's, those that it knows. `identifies`: this very image, not its run alone."""

    source: str
    status: str
    error: str | None = None
    fields: Json = field(default_factory=dict)
    identifies: bool = False

    def to_json(self) -> Json:
        return {"source": self.source, "status": self.status, "error": self.error}

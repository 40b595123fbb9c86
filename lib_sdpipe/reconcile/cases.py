"""What a rule is shown: one run, one recorded picture, or files that nobody names; with what is needed to judge it.

Nothing here looks anything up. Whoever makes a case has read what it says was read: a digest that was not read is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_sdpipe.reconcile.findings import Json


@dataclass(frozen=True)
class ManifestState:
    """A manifest's file. `problem`: why it cannot be read; `is_newer`: since a later version wrote it; `is_blocked`: since the
    disk or its permissions refuse. `seconded_by`: what else says that it is of the run that it names, and not of its folder's:
    `image`, the Run ID in its image; `run`, that there is such a run.
    """

    file: str
    own_run_id: str | None
    problem: str | None = None
    is_newer: bool = False
    is_blocked: bool = False
    seconded_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCase:
    """One run folder. `file_run_id` is what its run file says of itself; `is_ours`: it has a schema, StableNew's have none.

    `listed` are the names in `stage_outputs`. `is_alive`: whether the process that made it is; None where that is not known.
    """

    run_id: str
    has_file: bool
    problem: str | None = None
    is_newer: bool = False
    is_blocked: bool = False
    is_ours: bool = True
    status: str | None = None
    file_run_id: str | None = None
    listed: tuple[str, ...] = ()
    manifests: tuple[ManifestState, ...] = ()
    process: Json | None = None
    is_alive: bool | None = None
    finished_at: str | None = None


@dataclass(frozen=True)
class FileState:
    """An image file as it is now. Digests are those of its bytes as they were read, None where they were not.

    `problem`: why it is no whole image, None for a readable one. `is_read`: its bytes were read for this. `undecodable`: why
    nobody can tell here what it shows, damaged or not. `is_named_oddly`: its name on the disk is not UTF-8, and `path` not quite it.
    """

    root: str | None
    path: str
    bytes: int
    format: str | None = None
    problem: str | None = None
    is_read: bool = False
    sha256: str | None = None
    pixel_sha256: str | None = None
    perceptual_hash: str | None = None
    decoder: str | None = None
    infotext: str | None = None
    run_id: str | None = None
    undecodable: str | None = None
    is_named_oddly: bool = False

    @property
    def place(self) -> Json:
        return {"root": self.root, "path": self.path}

    @property
    def content(self) -> Json:
        return {"bytes": self.bytes, "sha256": self.sha256, "pixel_sha256": self.pixel_sha256}


@dataclass(frozen=True)
class PictureCase:
    """A recorded picture whose file is not there or not as it was recorded; None for what its manifest does not say.

    `candidates` are files that nobody names and that have its content, `by` `file` or `pixels`. `copy` is a whole copy of
    what was recorded: the one kept in the run folder, or one made since. `has_same_stat`: the file has the recorded size, and
    its time is the same as when it was first looked at.
    """

    run_id: str
    name: str
    root: str | None
    path: str
    role: str | None
    format: str | None
    bytes: int | None
    sha256: str | None
    pixel_sha256: str | None
    perceptual_hash: str | None
    decoder: str | None
    infotext: str | None
    file: FileState | None
    candidates: tuple[FileState, ...] = ()
    by: str | None = None
    copy: FileState | None = None
    has_same_stat: bool = False

    @property
    def has_same_pixels(self) -> bool:
        """Whether the file shows what was recorded; decoders of lossy formats differ in the last bit, looks do not."""
        file = self.file
        if file is None or file.pixel_sha256 is None:
            return False
        if self.format == "PNG" or self.decoder == file.decoder:
            return file.pixel_sha256 == self.pixel_sha256
        return file.pixel_sha256 == self.pixel_sha256 or file.perceptual_hash == self.perceptual_hash

    @property
    def silently(self) -> Json:
        """Evidence that no program meant to change the file: the disk did, or somebody who set the time back."""
        return {"same_size_and_time": True} if self.has_same_stat else {}

    @property
    def recorded(self) -> Json:
        return {"bytes": self.bytes, "sha256": self.sha256, "pixel_sha256": self.pixel_sha256}


@dataclass(frozen=True)
class FolderCase:
    """A folder with images that no manifest names."""

    root: str | None
    path: str
    count: int
    bytes: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class CopiesCase:
    """Files of one content: the one to stay, and the others, on other inodes, that nobody names."""

    sha256: str
    original: FileState
    run_id: str | None
    name: str | None
    others: tuple[FileState, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class AwayCase:
    """A root, or a folder in it, that cannot be looked at; `recorded` manifests name files in it."""

    root: str | None
    path: str
    reason: str
    recorded: int

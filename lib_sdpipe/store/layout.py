"""Where everything lives (docs/formats.md). Names from outside are checked before they become paths."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.manifest.names import is_manifest_name, is_run_id
from lib_sdpipe.store.disk_thread import ask_briefly
from lib_sdpipe.store.machine import is_network_path

# Of what can be derived, in the runs folder.
PRIVATE_NAME = ".sdpipe"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATIENCE_SECONDS = 0.25


@dataclass(frozen=True)
class Layout:
    """The runs folder, and the folder for what can be derived (`private`), which is on a local disk."""

    runs: Path
    private: Path

    def run_folder(self, run_id: str) -> Path:
        if not is_run_id(run_id):
            raise UnknownNameError(f"{run_id!r} is not a run id: they look like 20251225_143022_my_label")
        return self.runs / run_id

    def run_file(self, run_id: str) -> Path:
        return self.run_folder(run_id) / "run_metadata.json"

    def marks_file(self, run_id: str) -> Path:
        return self.run_folder(run_id) / "marks.json"

    def manifests(self, run_id: str) -> Path:
        return self.run_folder(run_id) / "manifests"

    def manifest_file(self, run_id: str, name: str) -> Path:
        if not is_manifest_name(name):
            raise UnknownNameError(f"{name!r} is not a manifest name: they look like txt2img_001")
        return self.manifests(run_id) / f"{name}.json"

    def input_file(self, sha256: str) -> Path:
        return self.runs / "inputs" / _checked_digest(sha256)[:2] / f"{sha256}.png"

    def environment_file(self, sha256: str) -> Path:
        return self.runs / "environments" / f"{_checked_digest(sha256)}.json"

    @property
    def library_file(self) -> Path:
        return self.runs / "library.json"

    @property
    def searches_file(self) -> Path:
        return self.runs / "searches.json"

    @property
    def queue_file(self) -> Path:
        return self.runs / "queue.json"

    @property
    def recipes(self) -> Path:
        """Named chains, one file each."""
        return self.runs / "recipes"

    @property
    def packs(self) -> Path:
        """Prompt packs: `.txt`, `.tsv`, `.json`."""
        return self.runs / "packs"

    @property
    def index_file(self) -> Path:
        return self.private / "index.sqlite3"

    @property
    def index_places(self) -> list[Path]:
        """Where the index is, and where one can be made of a library that cannot be written."""
        return list(dict.fromkeys([self.index_file, self.apart / "index.sqlite3"]))

    @property
    def recording(self) -> Path:
        return self.private / "recording"

    @property
    def apart(self) -> Path:
        """Where this machine keeps what must be at hand when the runs folder is not: its recording log, what it knew of it."""
        return self.private if self.runs not in self.private.parents else _user_cache() / _key(self.runs)

    @property
    def recording_folders(self) -> list[Path]:
        """Where recording logs are written, best first, and looked for."""
        return list(dict.fromkeys([self.recording, self.apart / "recording"]))

    @property
    def journal(self) -> Path:
        """What repairs did, one file each; with it they can be undone."""
        return self.private / "journal"

    @property
    def thumbnails(self) -> Path:
        return self.private / "thumbnails"

    @property
    def locks(self) -> Path:
        return self.private / "locks"


@lru_cache(maxsize=64)
def find_layout(runs: Path, cache: Path | None = None) -> Layout:
    """The layout of a runs folder.

    Derived data goes to `cache` (a setting), else where SDPIPE_CACHE says, else beside the runs, or to the user's
    cache folder where the runs are on a network file system: locks and SQLite do not work there. Asked for at every
    press of Generate, it looks at the disk only the first time, and briefly: one that is asleep counts as far away.
    """
    runs = Path(os.path.abspath(runs))
    if cache is None and os.environ.get("SDPIPE_CACHE"):
        cache = Path(os.environ["SDPIPE_CACHE"])
    if cache is None and ask_briefly(lambda: is_network_path(runs), _PATIENCE_SECONDS, otherwise=True):
        cache = _user_cache()
    if cache is None:
        return Layout(runs, runs / PRIVATE_NAME)
    return Layout(runs, Path(os.path.abspath(cache)) / _key(runs))


def _key(runs: Path) -> str:
    return hashlib.sha256(str(runs).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _user_cache() -> Path:
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "sdpipe"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sdpipe"


def _checked_digest(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise UnknownNameError(f"{sha256!r} is not a sha256")
    return sha256

"""Run files, manifests, inputs and environments: written once, read tolerantly."""

from __future__ import annotations

import hashlib
import heapq
import os
from pathlib import Path
from typing import Any, Iterator

from lib_sdpipe.errors import NoLibraryError, RecordError, SdPipeError, UnknownNameError
from lib_sdpipe.manifest.codec import format_json, parse_json_object, parse_manifest, parse_run
from lib_sdpipe.manifest.names import is_manifest_file, is_run_id
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.store.atomic import sync_folder, write_atomic
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of, unreachable


class RunStore:
    """The runs of one library on disk. Errors name the file; OSError passes through."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._place = place_of(layout)

    def create_run_folder(self, run_id: str) -> bool:
        """Make the run's folder; False if another run has that id already. Raises UnreachableLibraryError."""
        self._place.ensure()
        try:
            self.layout.run_folder(run_id).mkdir()
        except FileExistsError:
            return False
        except OSError as fault:
            raise unreachable(self.layout, fault) from fault
        return True

    def write_run(self, run: Run) -> None:
        self._write(self.layout.run_file(run.run_id or ""), format_json(run.to_json()))
        sync_folder(self.layout.runs)  # the folder's own name: it was made without waiting for the disk

    def write_manifest(self, manifest: Manifest) -> None:
        path = self.layout.manifest_file(manifest.run_id or "", manifest.name or "")
        self._write(path, format_json(manifest.to_json()))

    def has_manifest(self, run_id: str, name: str) -> bool:
        return self.layout.manifest_file(run_id, name).exists()

    def write_environment(self, environment: dict[str, Any]) -> str:
        """Store an environment once per content; its sha256."""
        data = format_json(environment)
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.layout.environment_file(sha256).exists():
            self._write(self.layout.environment_file(sha256), data)
        return sha256

    def read_environment(self, sha256: str) -> dict[str, Any]:
        path = self.layout.environment_file(sha256)
        return parse_json_object(path.read_bytes(), str(path))

    def find_environment(self, run: Run) -> dict[str, Any] | None:
        """A run's own, as far as it is recorded and can be read."""
        try:
            return self.read_environment(run.environment) if run.environment else None
        except (SdPipeError, OSError):
            return None

    def write_input(self, sha256: str, data: bytes) -> None:
        """Store the bytes of an input picture once per content."""
        if not self.layout.input_file(sha256).exists():
            self._write(self.layout.input_file(sha256), data)

    def read_run(self, run_id: str) -> Run:
        """Raises UnknownNameError without that folder, RecordError for a run file that cannot be read."""
        path = self.layout.run_file(run_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError as fault:
            if not path.parent.is_dir():
                raise UnknownNameError(f"there is no run {run_id} in {self.layout.runs}; the list of runs says which there are") from fault
            raise RecordError(f"{path}: missing") from fault
        except OSError as fault:
            raise RecordError(f"{path}: {fault}") from fault
        return parse_run(data, str(path))

    def read_manifest(self, run_id: str, name: str) -> Manifest:
        """Raises UnknownNameError where there is none, RecordError for one that cannot be read."""
        path = self.layout.manifest_file(run_id, name)
        try:
            data = path.read_bytes()
        except FileNotFoundError as fault:
            raise UnknownNameError(f"run {run_id} has no manifest {name}") from fault
        return parse_manifest(data, str(path))

    def iter_run_ids(self) -> Iterator[str]:
        """Run ids, newest first; raises NoLibraryError where the runs folder cannot be listed."""
        yield from sorted((name for name in self._list() if is_run_id(name) and (self.layout.runs / name).is_dir()), reverse=True)

    def newest_run_ids(self, most: int) -> list[str]:
        """The newest names of run folders, as they are listed: quicker than `iter_run_ids`. Raises NoLibraryError."""
        return heapq.nlargest(most, filter(is_run_id, self._list()))

    def iter_manifests(self, run_id: str) -> Iterator[Manifest | RecordError]:
        """The run's manifests in the order of their names; a damaged one comes as the error that says so."""
        folder = self.layout.manifests(run_id)
        try:
            names = sorted(name for name in os.listdir(folder) if is_manifest_file(name))
        except FileNotFoundError:
            return
        except OSError as fault:
            yield RecordError(f"{folder}: cannot be listed ({fault.strerror})")
            return
        for name in names:
            path = folder / name
            try:
                yield parse_manifest(path.read_bytes(), str(path), path.stem)
            except RecordError as fault:
                yield fault
            except OSError as fault:
                yield RecordError(f"{path}: {fault}")

    def _list(self) -> list[str]:
        try:
            return os.listdir(self.layout.runs)
        except OSError as fault:
            raise NoLibraryError(f"{self.layout.runs}: not a readable runs folder ({fault.strerror}); name one with --runs DIR") from fault

    def _write(self, path: Path, data: bytes) -> None:
        self._place.ensure()
        write_atomic(path, data)

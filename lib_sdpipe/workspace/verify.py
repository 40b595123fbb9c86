"""`verify`: the images of one run, or one image file, read now and held against the records as they are on the disk now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import FoundManifest
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.cases import FileState, PictureCase
from lib_sdpipe.reconcile.verdict import judge_picture
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.read_run import place_of_image, read_run_rows
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.scan import scan_run
from lib_sdpipe.workspace.content import ChangingFileError, ContentReader

_CHANGING = "it is being changed just now"


@dataclass(frozen=True)
class Verdict:
    """What one image is. Run and name are None where nobody recorded it."""

    run_id: str | None
    name: str | None
    root: str | None
    path: str | None
    verdict: str
    evidence: Json

    def to_json(self) -> Json:
        return dict(vars(self))


class Verifier:
    """Asks no cache what a file or a record is; the index only says which record to look at."""

    def __init__(self, layout: Layout, library: Library) -> None:
        self._layout = layout
        self._library = library
        self._reader = ContentReader(library, None, lambda what, count: None)

    def verify_run(self, run_id: str) -> list[Verdict]:
        """Every image of a run that was saved, in the order of their names. Raises UnknownNameError."""
        verdicts = [self._verify(run_id, found, None) for found in self._manifests(run_id)]
        return [verdict for verdict in verdicts if verdict is not None]

    def verify_image(self, path: Path, index: Index) -> Verdict:
        """One file, where it is recorded; else as the recorded image that it is by its bytes or its pixels.

        Raises UnknownNameError where there is neither a file nor a record. Brings the index up to the records first.
        """
        Refresh(self._layout, self._library, index).look_at_runs(list(RunStore(self._layout).iter_run_ids()))
        root, place = self._library.locate(path)
        file = self._state(root, place)
        known = self._find(index, root, place, file)
        if known is not None:
            found = next((found for found in self._manifests(known[0]) if found.file == known[1]), None)
            verdict = self._verify(known[0], found, (root, place)) if found is not None else None
            if verdict is not None:
                return verdict
        if file is None:
            raise UnknownNameError(f"{path}: there is no such file, and no record names one")
        evidence = {"found": file.content} if file.problem is None else {"problem": file.problem}
        return Verdict(None, None, root, place, "unrecorded", evidence)

    def _manifests(self, run_id: str) -> list[FoundManifest]:
        scanned = scan_run(self._layout.runs, run_id) if is_run_id(run_id) else None
        if scanned is None or not self._layout.run_folder(run_id).is_dir():
            raise UnknownNameError(f"there is no run {run_id} in {self._layout.runs}; the list of runs says which there are")
        if scanned.problem is not None:
            raise UnknownNameError(f"{self._layout.run_folder(run_id)}: cannot be listed ({scanned.problem})")
        return read_run_rows(self._layout, scanned)[1]

    def _find(self, index: Index, root: str | None, path: str, file: FileState | None) -> tuple[str, str] | None:
        """(run id, manifest name) of the record to hold a file against."""
        folder, _, name = path.rpartition("/")
        claim = index.files.claim_of(root or "", folder, name)
        if claim is not None and claim[0] is not None and claim[1] != "beside":
            return index.pictures.name_of(claim[0])
        found = index.pictures.find_by_file(file.sha256) if file is not None and file.sha256 is not None else []
        if not found and file is not None and file.pixel_sha256 is not None:
            found = index.pictures.find_by_pixels(file.pixel_sha256)
        return (found[0].run_id, found[0].name) if found else None

    def _verify(self, run_id: str, found: FoundManifest, place: tuple[str | None, str] | None) -> Verdict | None:
        """None for an image that was never saved. `place` is another than the record says."""
        manifest = found.manifest
        if manifest is None:
            return Verdict(run_id, found.file, None, None, "not-comparable", {"problem": f"its record: {found.problem}"})
        recorded = place_of_image(manifest.get("root"), manifest.get("path"))
        if recorded is None and place is None:
            return None
        root, path = place or (manifest.get("root"), manifest["path"])
        try:
            verdict, evidence = judge_picture(_build_case(run_id, found.file, root, path, manifest, self._read(root, path)))
        except ChangingFileError:
            verdict, evidence = "unreadable", {"problem": _CHANGING}
        if verdict == "missing" and manifest.get("lost_at") is not None:
            evidence["lost_at"] = manifest["lost_at"]
        return Verdict(run_id, found.file, root, path, verdict, evidence)

    def _state(self, root: str | None, path: str) -> FileState | None:
        try:
            return self._read(root, path)
        except ChangingFileError:
            return FileState(root, path, 0, problem=_CHANGING)

    def _read(self, root: str | None, path: str) -> FileState | None:
        there = self._reader.find_at(root, path)
        return self._reader.read_state(there) if there is not None else None


def _build_case(run_id: str, name: str, root: str | None, path: str, manifest: Json, file: FileState | None) -> PictureCase:
    image = manifest.get("image") or {}
    return PictureCase(
        run_id, name, root, path, manifest.get("role"), image.get("format"), image.get("bytes"), image.get("sha256"),
        image.get("pixel_sha256"), image.get("perceptual_hash"), image.get("decoder"), manifest.get("infotext"), file,
    )

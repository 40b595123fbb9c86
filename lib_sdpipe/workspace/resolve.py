"""Everything there is about one image: in the file, beside it, in its run, in the index. Has it resolved; writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.head import read_head
from lib_sdpipe.images.read import UnreadableImageError, read_image
from lib_sdpipe.images.stealth import read_stealth_infotext
from lib_sdpipe.index.recorded import find_recorded
from lib_sdpipe.manifest.codec import parse_json_object, parse_manifest, parse_run
from lib_sdpipe.manifest.history import parse_history
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest
from lib_sdpipe.reconcile.evidence import Evidence, FoundHistory, FoundManifest, FoundRun
from lib_sdpipe.reconcile.resolve import resolve_image
from lib_sdpipe.reconcile.sources import Texts
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.store.runs import RunStore

# Bytes. The longest records are run files of StableNew, and histories of years.
_RECORD_LIMIT = 32 << 20
_HISTORY_LIMIT = 256 << 20
_TEXT_LIMIT = 1 << 20
# Folders above an image in which its run may be: StableNew's stage folders lie in the run, its packs in a session.
_FOLDERS_ABOVE = 3
# A field of these makes a JSON file beside an image a manifest.
_MANIFEST_FIELDS = {"stage", "run_id", "job_id"}


def resolve_image_file(
    layout: Layout | None, path: Path, history: Path | None = None, sees: Callable[[str], bool] = lambda run_id: True
) -> Json:
    """The document of `show IMAGE --json`. `layout` is None where there is no library: then what lies about the image is all.

    `history` is the caller's record of it; `sees` tells which runs of the library the caller may know of. Never fails for
    what is in the files: damage is part of the answer.
    """
    return _Lookup(layout, path, sees).resolve(history)


class _Lookup:
    """One image against one library."""

    def __init__(self, layout: Layout | None, path: Path, sees: Callable[[str], bool]) -> None:
        self._layout, self._sees = layout, sees
        self._path = Path(os.path.abspath(path))
        self._library = _open_library(layout)
        root, place = self._library.locate(self._path) if self._library else (None, self._path.as_posix())
        self._root, self._place = root, place

    def resolve(self, history: Path | None) -> Json:
        evidence = self._look_at_file()
        texts = Texts(evidence)
        folder = self._find_run_folder()
        run_ids = self._run_ids(texts, folder)
        manifests = list(self._iter_manifests(evidence, run_ids))
        run_ids += [found.manifest.run_id for found in manifests if found.manifest is not None and found.manifest.run_id]
        own = folder.name if folder is not None and is_run_id(folder.name) else None
        found = self._read_history(history, texts, manifests, run_ids) if history is not None else None
        runs = list(self._iter_runs(run_ids, folder))
        return resolve_image(replace(evidence, run_id=own, manifests=manifests, runs=runs, history=found))

    def _look_at_file(self) -> Evidence:
        name, place = self._path.name, {"root": self._root, "path": self._place}
        if not _is_file(self._path):
            return Evidence(name, False, problem=f"{self._path}: no such file", **place)
        texts: dict[str, str] = {}
        image, problem = None, None
        try:
            head = read_head(str(self._path))
            texts, problem = dict(head.texts), f"{self._path}: {head.problem}" if head.problem else None
            facts, picture = read_image(str(self._path))
            image = ImageFacts(**asdict(facts))
            hidden = None if head.infotext else read_stealth_infotext(picture)
            texts.update({"stealth": hidden} if hidden else {})
        except UnreadableImageError as fault:
            problem = str(fault)
        except OSError as fault:
            problem = f"{self._path}: cannot be read ({fault.strerror})"
        return Evidence(name, True, texts=texts, beside=_read_beside(self._path), image=image, problem=problem, **place)

    def _find_run_folder(self) -> Path | None:
        """The nearest folder above that holds a run; the image may lie in a stage folder of it."""
        above = self._path.parents[:_FOLDERS_ABOVE] if self._path.parents else ()
        return next((folder for folder in above if (folder / "run_metadata.json").exists() or (folder / "manifests").is_dir()), None)

    def _run_ids(self, texts: Texts, folder: Path | None) -> list[str]:
        claims = [texts.claims.get("run_id"), folder.name if folder is not None and self._is_ours(folder) else None]
        return [run_id for run_id in dict.fromkeys(claims) if run_id and is_run_id(run_id) and self._sees(run_id)]

    def _is_ours(self, folder: Path) -> bool:
        return self._layout is not None and folder.parent == self._layout.runs

    def _iter_manifests(self, evidence: Evidence, run_ids: list[str]) -> Iterator[FoundManifest]:
        yield from self._iter_beside()
        if self._layout is None:
            return
        image = evidence.image or ImageFacts()
        recorded = find_recorded(self._layout.index_file, self._root, self._place, image.sha256, image.pixel_sha256)
        # What a record calls itself is data: only what can be the name of a file there is looked for.
        named = [
            (by, row) for by, row in recorded
            if is_run_id(row.run_id) and not set(row.name) & set("/\\\0") and self._sees(row.run_id)
        ]
        known = [_read_manifest(by, self._layout.manifests(row.run_id) / f"{row.name}.json") for by, row in named]
        yield from known
        for run_id in run_ids:
            yield from self._iter_run(run_id, image, [found.where for found in known])

    def _iter_beside(self) -> Iterator[FoundManifest]:
        """By name: `manifests/<stem>.json` of the folders above, and JSON beside the image where it is a manifest."""
        for folder in self._path.parents[:_FOLDERS_ABOVE]:
            candidate = folder / "manifests" / f"{self._path.stem}.json"
            if _is_file(candidate):
                yield _read_manifest("name", candidate)
        for candidate in (self._path.with_name(f"{self._path.name}.json"), self._path.with_suffix(".json")):
            if _is_file(candidate) and _looks_like_a_manifest(candidate):
                yield _read_manifest("name", candidate)

    def _iter_run(self, run_id: str, image: ImageFacts, looked_at: list[str]) -> Iterator[FoundManifest]:
        """Of the run that the image's own text, or its folder, names: the manifests that have this file's place or picture.

        Where none has, those that cannot be read: one of them may be of this image.
        """
        assert self._layout is not None
        damaged: list[FoundManifest] = []
        is_known = False
        for found in RunStore(self._layout).iter_manifests(run_id):
            if isinstance(found, RecordError):
                if not str(found).startswith(tuple(f"{where}:" for where in looked_at)):
                    damaged.append(FoundManifest("name", str(found), None, str(found)))
            elif by := self._match(found, image):
                is_known = True
                yield FoundManifest(by, str(self._layout.manifests(run_id) / f"{found.name}.json"), found)
        if not is_known:
            yield from damaged

    def _match(self, manifest: Manifest, image: ImageFacts) -> str | None:
        recorded = manifest.image or ImageFacts()
        if (manifest.root, manifest.path) == (self._root, self._place) or self._root == RUNS_ROOT and manifest.kept == self._place:
            return "path"
        if recorded.sha256 is not None and recorded.sha256 == image.sha256:
            return "sha256"
        return "pixel_sha256" if recorded.pixel_sha256 is not None and recorded.pixel_sha256 == image.pixel_sha256 else None

    def _iter_runs(self, run_ids: list[str], folder: Path | None) -> Iterator[FoundRun]:
        files = [folder / "run_metadata.json"] if folder is not None else []
        if self._layout is not None:
            files += [self._layout.run_file(run_id) for run_id in run_ids if is_run_id(run_id) and self._sees(run_id)]
        for file in dict.fromkeys(files):
            try:
                yield FoundRun(file.parent.name, parse_run(_read_bounded(file, _RECORD_LIMIT), str(file)))
            except FileNotFoundError:
                yield FoundRun(file.parent.name, None)
            except (RecordError, OSError) as fault:
                yield FoundRun(file.parent.name, None, _say(file, fault))

    def _read_history(self, file: Path, texts: Texts, manifests: list[FoundManifest], run_ids: list[str]) -> FoundHistory:
        try:
            history = parse_history(_read_bounded(file, _HISTORY_LIMIT), str(file))
        except (RecordError, OSError) as fault:
            return FoundHistory(str(file), None, error=_say(file, fault))
        capsule = texts.capsule.manifest
        own = {texts.claims.get("job_id"), capsule.job_id if capsule else None} - {None}
        jobs = own or {found.manifest.job_id for found in manifests if found.manifest is not None}
        record = history.find({job for job in jobs if job}, set(run_ids), self._path.name)
        return FoundHistory(str(file), record, history.problems)


def _open_library(layout: Layout | None) -> Library | None:
    """The library's roots; a damaged library.json is no reason not to say what an image is."""
    if layout is None:
        return None
    library = Library.unread(layout)
    library.reload_tolerantly(None)
    return library


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for this disk, or one with a NUL in it
        return False


def _read_beside(path: Path) -> str | None:
    """The text file that a host writes beside an image."""
    try:
        with open(path.with_suffix(".txt"), "rb") as file:
            return file.read(_TEXT_LIMIT).decode("utf-8-sig", "replace").strip() or None
    except OSError:
        return None


def _read_bounded(path: Path, limit: int) -> bytes:
    """Raises OSError, or RecordError for a file that is larger than `limit` bytes."""
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise RecordError(f"{path}: larger than {limit >> 20} MB, which no record is")
    return data


def _read_manifest(by: str, path: Path) -> FoundManifest:
    try:
        return FoundManifest(by, str(path), parse_manifest(_read_bounded(path, _RECORD_LIMIT), str(path), path.stem))
    except (SdPipeError, OSError) as fault:
        return FoundManifest(by, str(path), None, _say(path, fault))


def _looks_like_a_manifest(path: Path) -> bool:
    try:
        return bool(_MANIFEST_FIELDS & set(parse_json_object(_read_bounded(path, _RECORD_LIMIT), str(path))))
    except (RecordError, OSError):
        return False


def _say(path: Path, fault: Exception) -> str:
    return f"{path}: cannot be read ({fault.strerror})" if isinstance(fault, OSError) and fault.strerror else str(fault)

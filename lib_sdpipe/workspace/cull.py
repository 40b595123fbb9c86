"""What would go to the bin: each chosen image with its files, what stays, and why another cannot go. It looks and changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lib_sdpipe.errors import RefusedError, SdPipeError
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.manifest.names import is_manifest_file, is_run_id
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.reconcile.cull import CulledFile, CullItem, ImageKey
from lib_sdpipe.reconcile.plan_document import RUNS_ROOT, is_confined
from lib_sdpipe.store.beside import find_beside
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.scan import IMAGE_SUFFIXES
from lib_sdpipe.workspace.workspace import Workspace

_MOST_CHILDREN = 20

Progress = Callable[[int, int], None]


@dataclass
class CullView:
    """`refused`: what was chosen and cannot go, with a sentence each. `runs` were chosen as a whole."""

    items: list[CullItem] = field(default_factory=list)
    refused: list[tuple[ImageKey, str]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """What is moved; two names of one file count once."""
        return sum({file.inode: file.bytes for item in self.items for file in item.files}.values())

    @property
    def count(self) -> int:
        """Images; the record of a run without any is none."""
        return sum(1 for item in self.items if item.key.run_id is None or item.key.name is not None)

    def to_json(self) -> Json:
        refused = [{**key.to_json(), "reason": reason} for key, reason in self.refused]
        return {"images": [item.to_json() for item in self.items], "failed": refused, "bytes": self.bytes}


def look_at_cull(
    workspace: Workspace, images: Iterable[ImageKey], runs: Iterable[str] = (), progress: Progress = lambda done, total: None,
) -> CullView:
    """Raises RecordError for a damaged library.json, LockedError or SdPipeError where the index cannot be used."""
    with open_index(workspace.layout.index_places) as index:
        return _Look(workspace, index).look(list(images), list(runs), progress)


class _Look:
    """One look. A file goes with the first image that names it."""

    def __init__(self, workspace: Workspace, index: Index) -> None:
        self._workspace, self._layout, self._library, self._index = workspace, workspace.layout, workspace.library(), index
        self._places = Places(self._layout, self._library)
        self._store = RunStore(self._layout)
        self._taken: set[tuple[str | None, str]] = set()
        self._wanted: set[ImageKey] = set()
        self._view = CullView()

    def look(self, images: list[ImageKey], runs: list[str], progress: Progress) -> CullView:
        keys = dict.fromkeys([*(self._as_recorded(key) for key in images), *self._keys_of_runs(runs)])
        self._wanted = set(keys)
        for number, key in enumerate(keys):
            progress(number, len(keys))
            try:
                self._view.items.append(self._look_at(key))
            except (SdPipeError, OSError, ValueError) as fault:
                self._view.refused.append((key, getattr(fault, "strerror", None) or str(fault)))
        return self._view

    def _keys_of_runs(self, run_ids: list[str]) -> Iterator[ImageKey]:
        """All images of whole runs that are not in the bin yet; of a run without manifests its own record."""
        for run_id in dict.fromkeys(run_ids):
            try:
                keys = self._keys_of_run(run_id)
            except (SdPipeError, OSError) as fault:
                self._view.refused.append((ImageKey(run_id), getattr(fault, "strerror", None) or str(fault)))
                continue
            self._view.runs.append(run_id)
            yield from keys

    def _keys_of_run(self, run_id: str) -> list[ImageKey]:
        self._workspace.check_sees(run_id)
        run = self._store.read_run(run_id)
        if run.status == "running":
            raise RefusedError("it is being recorded; wait until it has ended")
        folder = self._layout.manifests(run_id)
        names = sorted(name[:-5] for name in os.listdir(folder) if is_manifest_file(name)) if folder.is_dir() else []
        keys = [ImageKey(run_id, name) for name in names if not self._is_lost(run_id, name)]
        if not names and getattr(run, "lost_at", None) is None:
            return [ImageKey(run_id)]
        if not keys:
            raise RefusedError("all its images are in the bin or lost already")
        return keys

    def _is_lost(self, run_id: str, name: str) -> bool:
        try:
            return self._store.read_manifest(run_id, name).lost_at is not None
        except SdPipeError:
            return False  # the sentence about it comes when it is looked at

    def _as_recorded(self, key: ImageKey) -> ImageKey:
        """An image that was named by its place and has a manifest is that manifest's."""
        if key.run_id is not None or not key.path:
            return key
        claims = self._index.culling.claims_on(key.root, key.path)
        return next((ImageKey(run_id, name) for run_id, name, claim in claims if claim == "image"), key)

    def _look_at(self, key: ImageKey) -> CullItem:
        if key.run_id is None:
            return self._look_at_unrecorded(key)
        self._workspace.check_sees(key.run_id)
        if key.name is None:
            return CullItem(key, ())
        manifest = self._store.read_manifest(key.run_id, key.name)
        if manifest.lost_at is not None:
            raise RefusedError("it is in the bin, or marked as lost, already")
        files = self._files_of(key, manifest)
        culling = self._index.culling
        children = [ImageKey(*found) for found in culling.children_of(key.run_id, key.name, _MOST_CHILDREN)]
        copies = [path for path in culling.copies_of(key.run_id, key.name) if os.path.exists(path)]
        stays = [f"{root}: {path}" if root else path for root, path in map(self._library.locate, map(Path, copies))]
        staying = [child for child in children if child not in self._wanted and self._workspace.sees(child.run_id or "")]
        return CullItem(key, tuple(files), tuple(stays), tuple(staying))

    def _files_of(self, key: ImageKey, manifest: Manifest) -> list[CulledFile]:
        """The image, what lies beside it, and its copy in the run folder, as far as they are there."""
        root, path = self._place_of(key, manifest)
        own = self._take(root, path, key, manifest.image) if path is not None else None
        found = [own] if own is not None else []
        if own is not None and root is not None:
            found += self._companions(root, own.path, manifest.beside, key)
            _check_as_recorded(self._places.find(Place(root, own.path)), own, manifest)
        kept = self._take(RUNS_ROOT, manifest.kept, key, manifest.image) if manifest.kept else None
        return found + ([kept] if kept is not None else [])

    def _place_of(self, key: ImageKey, manifest: Manifest) -> tuple[str | None, str | None]:
        """An older program's manifest says where the image was for it; the index knows which file that means here."""
        known = self._index.culling.place_of(key.run_id or "", key.name or "") if manifest.root is None else None
        return known or (manifest.root, manifest.path)

    def _look_at_unrecorded(self, key: ImageKey) -> CullItem:
        root, path = key.root, key.path
        self._workspace.check_sees_all()
        if not root or not path or not path.lower().endswith(IMAGE_SUFFIXES):
            raise RefusedError("no image file in a root of this library")
        owner = next((claim for claim in self._index.culling.claims_on(root, path) if claim[2] in ("kept", "beside")), None)
        if owner is not None:
            raise RefusedError(f"it belongs to image {owner[0]}/{owner[1]}; choose that one")
        own = self._take(root, path, key)
        if own is None:
            raise RefusedError("it is not there any more")
        beside = find_beside(str(self._places.find(Place(root, path))), None, None)
        return CullItem(key, (own, *self._companions(root, path, beside, key)))

    def _companions(self, root: str, path: str, beside: Iterable[str], key: ImageKey) -> list[CulledFile]:
        """Files of these names, and the text of the same name unless another image has that name too."""
        folder, _, name = path.rpartition("/")
        stem = os.path.splitext(name)[0]
        names = [other for other in beside if other and other != name and "/" not in other and "\\" not in other]
        parent = self._places.find(Place(root, path)).parent
        text = f"{stem}.txt"
        is_shared = any((parent / other).exists() for suffix in IMAGE_SUFFIXES if (other := f"{stem}{suffix}") not in (name, *names))
        names = [other for other in names if other != text] + ([] if is_shared else [text])
        places = [f"{folder}/{other}" if folder else other for other in dict.fromkeys(names)]
        found = (self._take(root, place, key) for place in places if not self._is_image_of_another(root, place, key))
        return [file for file in found if file is not None]

    def _is_image_of_another(self, root: str | None, path: str, key: ImageKey) -> bool:
        claims = self._index.culling.claims_on(root, path)
        return any(claim == "image" and (run_id, name) != (key.run_id, key.name) for run_id, name, claim in claims)

    def _take(self, root: str | None, path: str, key: ImageKey, recorded: ImageFacts | None = None) -> CulledFile | None:
        """A file that goes; None where it is not there. Raises RefusedError for one that no repair may touch, or that is another's."""
        if root is not None and (not is_confined(path) or (root == RUNS_ROOT and not is_run_id(path.split("/")[0]))):
            raise RefusedError(f"{root}: {path}: lies where SDPipe moves nothing")
        place = self._places.find_writable(Place(root, path))
        self._places.check_recorded(Place(root, path), key.run_id, key.name)
        try:
            found = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise RefusedError(f"{path}: is no plain file")
        if self._is_image_of_another(root, path, key):
            raise RefusedError(f"{path}: is also another record's image; look at it in Repair first")
        if (root, path) in self._taken:
            return None
        self._taken.add((root, path))
        sha256 = recorded.sha256 if recorded is not None and recorded.bytes == found.st_size else None
        return CulledFile(root, path, found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino), sha256)


def _check_as_recorded(path: Path, file: CulledFile, manifest: Manifest) -> None:
    """Raises RefusedError where the file shows another picture than the page does. Of one that cannot be read nothing is known."""
    image = manifest.image
    if image is None or image.pixel_sha256 is None or image.bytes in (None, file.bytes):
        return
    from lib_sdpipe.images.read import read_image  # numpy and Pillow: only here

    try:
        facts, _ = read_image(str(path))
    except (OSError, SdPipeError):
        return
    is_comparable = image.format == "PNG" or facts.decoder == image.decoder
    if facts.pixel_sha256 != image.pixel_sha256 and is_comparable:
        raise RefusedError("its file shows another picture than the one that was recorded; look at it in Repair first")

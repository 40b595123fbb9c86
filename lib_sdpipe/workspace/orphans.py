"""Reading for adoption: the images that no manifest names, and what is recorded of others."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Iterator

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.head import Head, read_head
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.pictures import Recorded
from lib_sdpipe.index.suspects import FileRow
from lib_sdpipe.manifest.foreign import read_foreign
from lib_sdpipe.manifest.from_infotext import guess_stage
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.times import parse_utc
from lib_sdpipe.reconcile.adopt.found import FoundImage, build_settings
from lib_sdpipe.reconcile.adopt.parents import KnownImage
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.store.beside import find_beside
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

_LONGEST_TEXT = 1 << 20
# With a seed that so many images have, nothing is proved.
_MOST_OF_A_SEED = 20
_EXTRAS = ("postprocessing", "extras")


class OrphanRecords:
    """`reconcile.adopt.adoption.AdoptionRecords` of one library, after a check of it."""

    def __init__(self, layout: Layout, library: Library, index: Index) -> None:
        self._layout = layout
        self._library = library
        self._index = index
        self._store = RunStore(layout)

    def iter_orphans(self, findings: Iterable[Finding]) -> Iterator[FoundImage]:
        places = {(finding.root or "", finding.path or "") for finding in findings}
        for file in self._index.suspects.iter_unnamed(places):
            path = self._library.resolve(file.root, file.path)
            found = read_orphan(file, path) if path is not None else None
            if found is not None:
                yield found

    def run_ids(self) -> Iterable[str]:
        return self._store.iter_run_ids()

    def find_by_infotext(self, infotext: str) -> list[KnownImage]:
        return self._know(self._index.pictures.find_by_infotext(infotext))

    def find_by_seed(self, seed: int) -> list[KnownImage]:
        return self._know(self._index.pictures.find_all_by_seed(seed, _MOST_OF_A_SEED))

    def _know(self, found: list[Recorded]) -> list[KnownImage]:
        """Those that are images, and whose manifests can be read."""
        known = []
        for one in found:
            if one.role not in ("final", None) or one.stage in ("grid", "upscale"):
                continue
            try:
                manifest = self._store.read_manifest(one.run_id, one.name)
            except (SdPipeError, OSError):
                continue
            request = build_settings(parse_infotext(manifest.infotext or "")).request
            time = parse_utc(manifest.timestamp or "") or 0.0
            known.append(KnownImage(one.run_id, one.name, one.root, one.path, one.width, one.height, time, request))
        return known


def read_orphan(file: FileRow, path: Path) -> FoundImage | None:
    """None for a file that is gone by now, or cannot be read."""
    try:
        head = read_head(str(path), file.bytes)
    except OSError:
        return None
    infotext, extras = _split_texts(head)
    foreign = read_foreign(head.texts) if extras is None else None
    if infotext is not None and foreign is None and guess_stage(parse_infotext(infotext)) is None:
        infotext = None
    beside = find_beside(str(path), None, None)
    if infotext is None and extras is None and foreign is None:
        infotext = _read_beside(path, beside)
    is_known = file.sha256 is not None and not file.is_changed
    return FoundImage(
        file.root, file.folder, file.name, file.bytes, file.mtime_ns / 1e9, head.format, head.width, head.height, infotext, extras,
        foreign, file.run_id, *((file.sha256, file.pixel_sha256, file.perceptual_hash) if is_known else (None, None, None)),
        tuple(beside) if infotext is not None else (),
    )


def _split_texts(head: Head) -> tuple[str | None, str | None]:
    """(the image's own text or, of one from the Extras tab, its source's; what the Extras tab wrote)."""
    if any(name in head.texts for name in _EXTRAS):
        return head.infotext, next((head.texts[name] for name in _EXTRAS if head.texts.get(name)), "")
    if head.infotext is not None and head.infotext.startswith("Postprocess"):  # JPEG and WebP have one place for text
        return None, head.infotext
    return head.infotext, None


def _read_beside(path: Path, beside: list[str]) -> str | None:
    """The text file that the host writes beside an image where the user wants one."""
    name = f"{path.stem}.txt"
    if name not in beside:
        return None
    try:
        with open(path.parent / name, encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST_TEXT).rstrip("\n")
    except OSError:
        return None
    return text if guess_stage(parse_infotext(text)) is not None else None

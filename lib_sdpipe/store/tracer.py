"""Tracing one image file to what was recorded: the best evidence there is, and the candidates it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.read import PictureFacts, read_image, read_infotext
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.pictures import Recorded
from lib_sdpipe.manifest.infotext import Infotext, parse_infotext
from lib_sdpipe.reconcile.trace import Candidate, Trace, build_trace, read_ancestors, read_slot
from lib_sdpipe.store.evidence import compare_looks, compare_pixels, find_claimed, without_inputs
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

# Black pictures look alike: of thousands the nearest are enough to say that it is ambiguous.
_MOST_CANDIDATES = 32

Found = tuple[str, list[tuple[Recorded, "float | None"]]]


@dataclass(frozen=True)
class Tracer:
    """Reads the index, candidates' manifests, and candidates' files only to compare pixels."""

    index: Index
    store: RunStore
    library: Library

    def trace(self, path: Path) -> Trace:
        """Raises OSError, or UnreadableImageError for what is no image."""
        facts, picture = read_image(str(path))
        return self.trace_picture(path, facts, picture, read_infotext(picture))

    def trace_picture(self, path: Path, facts: PictureFacts, picture: Image.Image, text: str | None) -> Trace:
        """The same of a file that was read already."""
        infotext = parse_infotext(text) if text else Infotext()
        claimed = find_claimed(self.index.pictures, infotext.run_id, infotext.seed, picture.size)
        by, found = self._find(facts, picture, claimed, text)
        hints = {
            "path": self.index.pictures.find_by_path(*self.library.locate(path)), "run-id": claimed,
            "infotext": self.index.pictures.find_by_infotext(text) if text else [],
        }
        candidates = [self._candidate(recorded, distance, hints) for recorded, distance in found[:_MOST_CANDIDATES]]
        return build_trace(by, candidates, picture.size)

    def _find(self, facts: PictureFacts, picture: Image.Image, claimed: list[Recorded], text: str | None) -> Found:
        """The best evidence that names any image, and what it names, with distances."""
        pictures = self.index.pictures
        width, height = picture.size
        for by, same in (("file", pictures.find_by_file(facts.sha256 or "")), ("pixels", pictures.find_by_pixels(facts.pixel_sha256))):
            if same:  # an input picture that the host saved is named where nothing else has its pixels
                return by, [(recorded, 0) for recorded in without_inputs(same) or same]
        maybe = without_inputs(pictures.find_maybe_near(width, height, facts.perceptual_hash))
        if near := compare_pixels(self.library, picture, [*claimed, *maybe]):
            return "near-pixels", [(recorded, round(difference, 4)) for difference, recorded in near]
        scaled = pictures.find_scaled(width, height, facts.perceptual_hash)
        if claimed:
            steps = {each.recorded: each.steps for each in scaled if each.is_match}
            return "run-id", [(recorded, steps.get(recorded)) for recorded in claimed]
        made = [each for each in scaled if each.recorded.role != "init"]
        if alike := compare_looks(self.library, picture, made):
            return "perceptual", [(each.recorded, each.steps) for each in alike]
        return "infotext", [(recorded, None) for recorded in without_inputs(pictures.find_by_infotext(text) if text else [])]

    def _candidate(self, recorded: Recorded, distance: float | None, hints: dict[str, list[Recorded]]) -> Candidate:
        own = Candidate(
            recorded.run_id, recorded.name, recorded.root, recorded.path, recorded.width, recorded.height, recorded.role, distance,
            frozenset(hint for hint, named in hints.items() if recorded in named),
        )
        try:
            manifest = self.store.read_manifest(recorded.run_id, recorded.name)
        except (OSError, SdPipeError):
            return own  # gone or damaged since: it stands for itself
        return Candidate(**{**vars(own), "ancestors": read_ancestors(manifest), "slot": read_slot(manifest)})

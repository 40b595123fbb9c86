"""Which recorded image another was made from, by the best evidence (docs/how-it-works.md): pixels, near pixels, Run ID, looks."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import perceptual_hash, pixel_sha256
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.pictures import Recorded
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.facts import Claim
from lib_sdpipe.store.evidence import compare_pixels, find_claimed, without_inputs
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore


@dataclass(frozen=True)
class Lineage:
    """The parent's link as the manifest has it (None: not recorded), and the earlier stages that come with it."""

    parent: Json | None = None
    history: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class LineageFinder:
    """Looks parents up in the index; reads candidate files only to compare pixels."""

    index: Index
    store: RunStore
    library: Library

    def find(self, picture: Image.Image | None, claim: Claim | None) -> Lineage:
        """The lineage of an input picture. `claim` is what the text in it says; either may be missing."""
        digest = pixel_sha256(picture) if picture is not None else None
        found, by, claimed = self.identify(picture, digest, claim)
        if found is None:
            return Lineage()
        parent: Json = {"run_id": found.run_id, "name": found.name, "by": by, "pixel_sha256": digest}
        if claimed and found not in claimed:
            parent["also"] = [{"run_id": claimed[0].run_id, "name": claimed[0].name, "by": "run-id"}]
        return Lineage(parent, read_history(self.store, found.run_id, found.name))

    def identify(
        self, picture: Image.Image | None, digest: str | None, claim: Claim | None
    ) -> tuple[Recorded | None, str, list[Recorded]]:
        """(the recorded image this is, the best evidence for it, the images that the claim names, best first)."""
        size = picture.size if picture is not None else None
        claimed = find_claimed(self.index.pictures, claim.run_id, claim.seed, size) if claim is not None else []
        found, by = self._by_picture(picture, digest, claimed) if picture is not None and digest else (None, "")
        if found is None and claimed:
            found, by = claimed[0], "run-id"
        return found, by, claimed

    def _by_picture(self, picture: Image.Image, digest: str, claimed: list[Recorded]) -> tuple[Recorded | None, str]:
        same = without_inputs(self.index.pictures.find_by_pixels(digest))
        if same:
            return next((r for r in same if r in claimed), None) or _preferred(same), "pixels"
        looks = perceptual_hash(picture)
        maybe = without_inputs(self.index.pictures.find_maybe_near(picture.width, picture.height, looks))
        near = [(c not in claimed, difference, c) for difference, c in compare_pixels(self.library, picture, [*claimed, *maybe])]
        named = [c for c in claimed if c in maybe and not self._has_file(c)]
        best = min(near, key=lambda each: each[:2]) if near else None
        if best is not None and not (best[0] and named):  # what the text names, looks the same and cannot be compared goes first
            return best[2], "near-pixels"
        if claimed:
            return None, ""  # a Run ID outranks a mere likeness
        alike = without_inputs(self.index.pictures.find_alike(picture.width, picture.height, looks))
        lineages = {(r.run_id, r.actual_seed) for r in alike}
        return (_preferred(alike), "perceptual") if len(lineages) == 1 else (None, "")

    def _has_file(self, recorded: Recorded) -> bool:
        return any(self.library.iter_files(recorded.root, recorded.path, recorded.kept))


def read_history(store: RunStore, run_id: str, name: str) -> list[Json]:
    """The stages of an image, its own last; none where its manifest cannot be read."""
    try:
        manifest = store.read_manifest(run_id, name)
    except SdPipeError:
        return []
    own: Json = {
        "stage": manifest.stage, "role": manifest.role, "run_id": manifest.run_id, "name": manifest.name,
        "settings": manifest.config, "requested_seed": manifest.requested_seed, "actual_seed": manifest.actual_seed,
        "actual_subseed": manifest.actual_subseed, "duration_ms": manifest.stage_duration_ms,
        "pixel_sha256": manifest.image.pixel_sha256 if manifest.image else None,
    }
    return [*(entry.to_json() for entry in manifest.stage_history), own]


def _preferred(candidates: list[Recorded]) -> Recorded:
    """Final images before companions, then the newest run."""
    return max(candidates, key=lambda r: (r.role == "final", r.run_id, r.name))

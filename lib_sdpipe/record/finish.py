"""From a promise and the file that was written to the finished manifest."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import UnreadableImageError, build_facts, read_image, read_infotext
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.lineage import Lineage
from lib_sdpipe.record.open_run import OpenRun
from lib_sdpipe.record.privacy import without_prompts
from lib_sdpipe.store.beside import find_beside, remove_beside
from lib_sdpipe.store.keep import adopt_file, keep_copy
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.saved_file import FileStamp, read_stamp

log = logging.getLogger("sdpipe")

_FROM_PICTURES = ("img2img", "inpaint")


class Finisher:
    """Reads the written file back, adds what only it and the writer know, writes the manifest and its index row."""

    def __init__(self, store: RunStore, library: Library) -> None:
        self._store = store
        self._library = library
        self.index: Index | None = None

    def finish(self, opened: OpenRun, promise: Json, path: str | None, extras: Extras) -> Manifest | None:
        """None where the host only wrote a recorded input picture again. Raises OSError or sqlite3.Error."""
        draft = {"job_id": opened.run.get("job_id"), **promise["manifest"]}
        _add_lineage(draft, opened, promise)
        before = extras.pictures.get("before")
        if before is not None and draft["stage_history"]:
            draft["stage_history"][-1] = {**draft["stage_history"][-1], "pixel_sha256": pixel_sha256(before)}
        if path is not None:
            self._add_file(draft, opened, promise, path)
            if draft["image"] is None and "written" in extras.pictures:
                draft["image"] = _facts_of_written(extras.pictures["written"], path)
        elif "returned" in extras.pictures:
            draft["image"] = asdict(build_facts(extras.pictures["returned"], None))
        if not opened.options.get("prompts", True):  # the parent's history may have brought some
            draft = without_prompts({"manifest": draft})["manifest"]
        if draft["role"] == "init" and self._is_recorded(draft):
            return None
        manifest = _build_tolerantly(draft)
        self._store.write_manifest(manifest)
        if self.index is not None:
            self.index.pictures.add(manifest)
        return manifest

    def _add_file(self, draft: Json, opened: OpenRun, promise: Json, path: str) -> None:
        run_id, stage, name = promise["run_id"], draft["stage"], promise["name"]
        if promise.get("is_ours"):
            remove_beside(path)
            path = str(adopt_file(self._store.layout, run_id, stage, name, path))
        draft["root"], draft["path"] = self._locate(path, promise.get("folder"))
        draft["image"] = self._read_facts(path, FileStamp.from_json(promise.get("stamp")), draft.get("infotext"))
        if draft["image"] is None and read_stamp(path) is not None:
            draft["lost_at"] = format_utc(time.time())
        draft["beside"] = find_beside(path, promise.get("path"), promise.get("at"))
        if opened.options.get("keep_images") and draft["root"] != RUNS_ROOT:
            draft["kept"] = keep_copy(self._store.layout, run_id, stage, name, path)

    def _locate(self, path: str, folder: str | None) -> tuple[str | None, str]:
        """A file outside all roots makes the folder it was saved to a root: paths in records are no absolute ones."""
        root, inside = self._library.locate(Path(path))
        if root is None and folder:
            self._library.ensure_roots({os.path.basename(folder): Path(folder)})
            root, inside = self._library.locate(Path(path))
        return root, inside

    def _read_facts(self, path: str, stamp: FileStamp | None, infotext: str | None) -> Json | None:
        """None where the file is gone, damaged, or by now another image under the same name."""
        try:
            facts, picture = read_image(path)
        except (OSError, UnreadableImageError) as fault:
            log.warning("SDPipe: %s was saved but cannot be read back (%s); its manifest has no digests", path, fault)
            return None
        is_other = stamp is not None and read_stamp(path) != stamp and not path.startswith(str(self._store.layout.runs))
        # Another extension may have worked on the file meanwhile: it is still this image if it carries its text.
        if is_other and (infotext is None or read_infotext(picture) != infotext):
            log.warning("SDPipe: %s was overwritten at once; the first image's manifest says that it is lost", path)
            return None
        return asdict(facts)

    def _is_recorded(self, draft: Json) -> bool:
        """An input picture that the host saved before, under the same name and with the same bytes."""
        if self.index is None or not draft.get("image"):
            return False
        known = self.index.pictures.find_by_path(draft["root"], draft["path"])
        return any(recorded.sha256 == draft["image"]["sha256"] for recorded in known)


def _facts_of_written(picture: Image.Image, path: str) -> Json:
    """Of a file that was moved away or written over at once: what it showed, so that it can be found by that."""
    facts = asdict(build_facts(picture, None))
    if os.path.splitext(path)[1].lower() != ".png":
        facts["pixel_sha256"] = None  # a lossy file shows other pixels
    return facts


def _add_lineage(draft: Json, opened: OpenRun, promise: Json) -> None:
    """The parent, the history that comes with it, and references to the pictures the image was made from."""
    place = (promise.get("pass", 0), promise.get("input", 0))
    lineage = opened.lineages.get(place, Lineage()) if draft["stage"] != "grid" else Lineage()
    draft["parent"] = lineage.parent
    inputs = opened.inputs.get(place, {})
    own = draft.get("stage_history", [])
    if inputs:
        own = [
            {**entry, "settings": _with_inputs(entry["settings"], inputs)} if entry["stage"] in _FROM_PICTURES else entry for entry in own
        ]
    draft["stage_history"] = [*lineage.history, *own]
    if inputs and draft["stage"] in _FROM_PICTURES and draft["role"] == "final":
        draft["config"] = _with_inputs(draft["config"], inputs)
    elif inputs and draft["stage"] == "upscale":
        draft["config"] = {"image": inputs["picture"], **draft["config"]}


def _with_inputs(settings: Json, inputs: Json) -> Json:
    mask = {"mask": inputs["mask"]} if "mask" in inputs else {}
    return {**settings, "init_images": [inputs["picture"]], **mask}


def _build_tolerantly(draft: Json) -> Manifest:
    """A manifest without the fields that another extension has filled with something impossible."""
    try:
        return Manifest.parse_obj(draft)
    except ValidationError as fault:
        wrong = {str(problem["loc"][0]) for problem in fault.errors()}
        log.warning("SDPipe: %s/%s is recorded without %s: %s", draft.get("run_id"), draft.get("name"), ", ".join(sorted(wrong)), fault)
        return Manifest.parse_obj({key: value for key, value in draft.items() if key not in wrong})

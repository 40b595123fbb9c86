"""Does what the lines promise: run files, manifests, inputs, index rows. Runs on the writer thread and at recovery.

Live, a line comes with what cannot be written down: pictures, the environment. After a kill the same lines come from
the recording log alone, and whatever is on disk already stays as it is.
"""

from __future__ import annotations

import logging
from typing import Callable

from PIL import Image

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import UnreadableImageError, read_image
from lib_sdpipe.images.stealth import has_hidden_alpha
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Claim
from lib_sdpipe.record.finish import Finisher
from lib_sdpipe.record.inputs import InputKeeper
from lib_sdpipe.record.lineage import Lineage, LineageFinder, read_history
from lib_sdpipe.record.open_run import OpenRun, Place
from lib_sdpipe.store.keep import remove_kept_picture, write_kept_picture
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.saved_file import FileStamp, find_saved_file

log = logging.getLogger("sdpipe")


class Completion:
    """Handles lines in order. Raises OSError, sqlite3.Error or SdPipeError; the promise then stands in the log."""

    def __init__(self, store: RunStore, library: Library, remember: Callable[[Json], None] | None = None) -> None:
        self._store = store
        self._library = library
        self._finisher = Finisher(store, library)
        self._remember = remember
        self._open: dict[str, OpenRun] = {}

    @property
    def index(self) -> Index | None:
        return self._finisher.index

    @index.setter
    def index(self, index: Index | None) -> None:
        self._finisher.index = index

    def handle(self, line: Json, extras: Extras | None = None) -> None:
        """One line. An unknown kind is a later version's and is passed over."""
        extras = extras or Extras()
        handler = {
            "run": self._on_run, "pass": self._on_pass, "parent": self._on_parent, "image": self._on_image,
            "saved": self._on_saved, "picture": self._on_picture, "copy": self._on_copy, "drop": self._on_drop, "end": self._on_end,
        }.get(line.get("kind", ""))
        if handler is not None:
            handler(line, extras)

    def open_runs(self) -> list[str]:
        return list(self._open)

    def abandon(self, run_id: str, finished_at: str | None) -> None:
        """Close a run whose process is gone."""
        end: Json = {"status": "abandoned", "finished_at": finished_at, "process": None}
        self._on_end({"run_id": run_id, "run": end}, Extras())

    # --- one method a kind of line ---

    def _on_run(self, line: Json, extras: Extras) -> None:
        run_id = line["run_id"]
        keeper = InputKeeper(self._store, self._library, self.index, bool(line["options"].get("keep_inputs")))
        self._open[run_id] = opened = OpenRun(dict(line["run"]), line["options"], keeper, list(line["not_replayable"]))
        if not line["has_folder"]:
            self._store.create_run_folder(run_id)
        earlier = self._read_earlier(run_id)
        if earlier is not None:  # recovery: what the living process had worked out is better than the line
            opened.run.update(config=earlier.config, environment=earlier.environment)
            opened.not_replayable = [earlier.not_replayable_because] if earlier.not_replayable_because else []
            opened.outputs = list(earlier.stage_outputs) if line.get("goes_on") else []
        else:
            opened.run["config"] = keeper.place(line["run"]["config"], extras.pictures)
            opened.add_reasons(keeper.reasons)
            if extras.environment is not None:
                opened.run["environment"] = self._store.write_environment(extras.environment())
        self._write_run(opened)

    def _on_pass(self, line: Json, extras: Extras) -> None:
        """A picture that a pass was made from: whose it is, and where it can be found again."""
        opened = self._open.get(line["run_id"])
        place = (line["pass"], line["input"])
        if opened is None or place in opened.lineages:
            return
        picture = extras.pictures.get("parent")
        lineage = self._known_lineage(line["known"], picture) if "known" in line else self._find_lineage(line, picture)
        opened.inputs[place] = _place_inputs(opened, place, line, extras.pictures)
        opened.lineages[place] = lineage  # last: what raises is tried again
        self._set_parent(opened, lineage)
        if self._remember is not None:
            self._remember({
                "kind": "parent", "run_id": line["run_id"], "pass": line["pass"], "input": line["input"],
                "parent": lineage.parent, "history": lineage.history, "inputs": opened.inputs[place],
            })

    def _on_parent(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is not None:
            place = (line["pass"], line["input"])
            opened.lineages[place] = Lineage(line["parent"], line["history"])
            opened.inputs[place] = line["inputs"]
            self._set_parent(opened, opened.lineages[place])

    def _on_image(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is not None:
            opened.promises[line["name"]] = line

    def _on_saved(self, line: Json, extras: Extras) -> None:
        """The host has written the file (or returned the picture without writing it: path None)."""
        opened = self._open.get(line["run_id"])
        promise = opened.promises.get(line["name"]) if opened else None
        if opened is None or promise is None:
            return
        self._complete(opened, {**promise, "stamp": line.get("stamp"), "at": line.get("at")}, line["path"], extras)
        del opened.promises[line["name"]]

    def _on_picture(self, line: Json, extras: Extras) -> None:
        """A picture that only we keep: an intermediate stage. It lives in the run folder."""
        opened = self._open.get(line["run_id"])
        picture = extras.pictures.get("kept")
        if opened is None or picture is None:
            return
        manifest = line["manifest"]
        path = write_kept_picture(
            self._store.layout, line["run_id"], manifest["stage"], line["name"], picture, manifest.get("infotext"),
        )
        self._complete(opened, line, str(path), Extras())

    def _on_drop(self, line: Json, extras: Extras) -> None:
        """A picture in the run folder that is needed no more: the run is still open, and says that it was not written."""
        opened = self._open.get(line["run_id"])
        if opened is None:
            return
        manifest = self._store.read_manifest(line["run_id"], line["name"])
        remove_kept_picture(self._store.layout, manifest.path, manifest.root)
        manifest = manifest.copy(update={"path": None, "root": None})
        self._store.write_manifest(manifest)
        opened.outputs = [{**o, "path": None, "root": None} if o["name"] == manifest.name else o for o in opened.outputs]
        if self.index is not None:
            self.index.pictures.add(manifest)

    def _on_end(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is None:
            return
        fault = self._complete_what_is_left(opened)
        opened.run.update(line["run"])
        if opened.run["status"] == "abandoned":
            opened.run["images"] = {"planned": None, "returned": None, "saved": _count_saved(opened.outputs)}
        if fault is None or opened.run["status"] == "abandoned":
            self._write_run(opened)
            del self._open[line["run_id"]]
        if fault is not None:
            raise fault

    def _complete_what_is_left(self, opened: OpenRun) -> Exception | None:
        """Promises nobody has spoken of since: the process died, or an earlier try failed. The first fault, if any."""
        first_fault: Exception | None = None
        for name, promise in list(opened.promises.items()):
            try:
                path = _find_promised(promise)
                if path is not None or self._store.has_manifest(promise["run_id"], name):
                    self._complete(opened, promise, path, Extras())
                del opened.promises[name]
            except Exception as fault:  # one image's trouble must not cost the others their records; it is raised at the end
                first_fault = first_fault or fault
        return first_fault

    def _on_copy(self, line: Json, extras: Extras) -> None:
        """A copy made by the Save button. It is found again by looking, so nothing but the index needs to know."""
        try:
            facts, picture = read_image(line["path"])
        except (OSError, UnreadableImageError):
            return  # gone already
        if self.index is None:
            return
        claim = Claim(**line["claim"]) if line.get("claim") else None
        found, by, _ = LineageFinder(self.index, self._store, self._library).identify(picture, facts.pixel_sha256, claim)
        if found is not None:
            self.index.pictures.add_copy(line["path"], found.run_id, found.name, by)

    # --- parts ---

    def _find_lineage(self, line: Json, picture: Image.Image | None) -> Lineage:
        if self.index is None:
            return Lineage()
        claim = Claim(**line["claim"]) if line.get("claim") else None
        try:
            return LineageFinder(self.index, self._store, self._library).find(picture, claim)
        except Exception:  # a parent is evidence: whatever is wrong with it must not cost the image its record
            log.exception("SDPipe: the parent of an image of run %s could not be looked for", line["run_id"])
            return Lineage()

    def _known_lineage(self, parent: Json, picture: Image.Image | None) -> Lineage:
        """Of a pass of the pipeline: it took the picture from that image itself."""
        digest = pixel_sha256(picture) if picture is not None else None
        known = {"run_id": parent["run_id"], "name": parent["name"], "by": "pixels", "pixel_sha256": digest}
        return Lineage(known, read_history(self._store, parent["run_id"], parent["name"]))

    def _set_parent(self, opened: OpenRun, lineage: Lineage) -> None:
        """The run's parent is that of its first pass whose parent is known, and lies in another run."""
        parent = lineage.parent
        if opened.run.get("parent") is None and parent is not None and parent["run_id"] != opened.run["run_id"]:
            opened.run["parent"] = {"run_id": parent["run_id"], "name": parent["name"]}

    def _complete(self, opened: OpenRun, promise: Json, path: str | None, extras: Extras) -> None:
        manifest = self._read_finished(promise) or self._finisher.finish(opened, promise, path, extras)
        if manifest is not None:
            opened.outputs.append({
                "stage": manifest.stage, "name": manifest.name, "manifest": f"manifests/{manifest.name}.json",
                "path": manifest.path, "root": manifest.root, "role": manifest.role,
            })

    def _read_finished(self, promise: Json) -> Manifest | None:
        """A manifest is written once: after a kill, one that is there already stands."""
        if not self._store.has_manifest(promise["run_id"], promise["name"]):
            return None
        try:
            return self._store.read_manifest(promise["run_id"], promise["name"])
        except RecordError:
            return None

    def _read_earlier(self, run_id: str) -> Run | None:
        try:
            return self._store.read_run(run_id)
        except SdPipeError:
            return None

    def _write_run(self, opened: OpenRun) -> None:
        reasons = opened.not_replayable
        opened.run.update(
            stage_outputs=opened.outputs, replayable=not reasons, not_replayable_because="; ".join(reasons) or None,
        )
        self._store.write_run(Run.parse_obj(opened.run))


def _find_promised(promise: Json) -> str | None:
    if not promise.get("path"):
        return None
    return find_saved_file(promise["path"], FileStamp.from_json(promise.get("before")), promise.get("free"))


def _place_inputs(opened: OpenRun, place: Place, line: Json, pictures: dict[str, Image.Image]) -> Json:
    """References to a pass's input picture and mask. Later inputs of a pass share the first one's mask."""
    keep = line.get("keep", False)
    picture = pictures.get("parent")
    placed = opened.keeper.place_picture(picture, keep, line.get("known"))
    if placed is not None and picture is not None and has_hidden_alpha(picture):
        placed = {**placed, "alpha": "hidden"}
    found = {"picture": placed}
    mask = opened.keeper.place_picture(pictures["mask"], keep) if "mask" in pictures else opened.inputs.get((place[0], 0), {}).get("mask")
    return {**found, "mask": mask} if mask is not None else found


def _count_saved(outputs: list[Json]) -> int:
    return sum(1 for o in outputs if o["role"] == "final" and o["stage"] != "grid" and o["path"] is not None)

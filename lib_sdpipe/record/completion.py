"""Does what the lines promise: run files, manifests, inputs, index rows. Runs on the writer thread and at recovery.

Live, a line comes with what cannot be written down: pictures, the environment. After a kill the same lines come from
the recording log alone, and whatever is on disk already stays as it is.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import Callable

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import UnreadableImageError, build_facts, read_image
from lib_sdpipe.index.recorded import Index
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.inputs import InputKeeper
from lib_sdpipe.record.lineage import Lineage, LineageFinder
from lib_sdpipe.store.keep import adopt_file, keep_copy, write_kept_picture
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.saved_file import FileStamp, find_saved_file, read_stamp

log = logging.getLogger("sdpipe")


@dataclass
class _OpenRun:
    run: Json
    options: Json
    not_replayable: list[str]
    lineages: dict[tuple[int, int], Lineage] = field(default_factory=dict)
    promises: dict[str, Json] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)


class Completion:
    """Handles lines in order. Raises OSError, sqlite3.Error or SdPipeError; the promise then stands in the log."""

    def __init__(self, store: RunStore, library: Library, remember: Callable[[Json], None] | None = None) -> None:
        self._store = store
        self._library = library
        self.index: Index | None = None
        self._remember = remember
        self._open: dict[str, _OpenRun] = {}

    def handle(self, line: Json, extras: Extras | None = None) -> None:
        """One line. An unknown kind is a later version's and is passed over."""
        extras = extras or Extras()
        handler = {
            "run": self._on_run, "pass": self._on_pass, "parent": self._on_parent, "image": self._on_image,
            "saved": self._on_saved, "picture": self._on_picture, "end": self._on_end,
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
        opened = _OpenRun(dict(line["run"]), line["options"], list(line["not_replayable"]))
        self._open[run_id] = opened
        if not line["has_folder"]:
            self._store.create_run_folder(run_id)
        earlier = self._read_earlier(run_id)
        if earlier is not None:  # recovery: what the living process had worked out is better than the line
            opened.run.update(config=earlier.config, environment=earlier.environment)
            opened.not_replayable = [earlier.not_replayable_because] if earlier.not_replayable_because else []
        else:
            keeper = InputKeeper(self._store, self._library, self.index, bool(opened.options.get("keep_inputs")))
            opened.run["config"] = keeper.place(line["run"]["config"], extras.pictures)
            opened.not_replayable += [reason for reason in keeper.reasons if reason not in opened.not_replayable]
            if extras.environment is not None:
                opened.run["environment"] = self._store.write_environment(extras.environment())
        self._write_run(opened)

    def _on_pass(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        place = (line["pass"], line["input"])
        if opened is None or self.index is None or place in opened.lineages:
            return
        picture = extras.pictures.get(line["parent_picture"])
        try:
            lineage = LineageFinder(self.index, self._store, self._library).find(picture, line["parent_infotext"])
        except Exception:  # a parent is evidence: whatever is wrong with it must not cost the image its record
            log.exception("SDPipe: the parent of an image of run %s could not be looked for", line["run_id"])
            lineage = Lineage()
        opened.lineages[place] = lineage
        if lineage.parent is None:
            return
        if opened.run.get("parent") is None:
            opened.run["parent"] = {"run_id": lineage.parent["run_id"], "name": lineage.parent["name"]}
        if self._remember is not None:
            self._remember({
                "kind": "parent", "run_id": line["run_id"], "pass": line["pass"], "input": line["input"],
                "parent": lineage.parent, "history": lineage.history,
            })

    def _on_parent(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is not None:
            opened.lineages[(line["pass"], line["input"])] = Lineage(line["parent"], line["history"])
            opened.run["parent"] = {"run_id": line["parent"]["run_id"], "name": line["parent"]["name"]}

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
        self._complete(opened, {**promise, "stamp": line.get("stamp")}, line["path"], extras)
        del opened.promises[line["name"]]

    def _on_picture(self, line: Json, extras: Extras) -> None:
        """A picture that only we keep: an intermediate stage. It lives in the run folder."""
        opened = self._open.get(line["run_id"])
        picture = extras.pictures.get("kept")
        if opened is None or picture is None:
            return
        path = write_kept_picture(self._store.layout, line["run_id"], line["manifest"]["stage"], line["name"], picture)
        self._complete(opened, line, str(path), Extras())

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

    def _complete_what_is_left(self, opened: _OpenRun) -> Exception | None:
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

    # --- parts ---

    def _complete(self, opened: _OpenRun, promise: Json, path: str | None, extras: Extras) -> None:
        manifest = self._read_finished(promise) or self._build_manifest(opened, promise, path, extras)
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

    def _build_manifest(self, opened: _OpenRun, promise: Json, path: str | None, extras: Extras) -> Manifest:
        draft = {"job_id": opened.run.get("job_id"), **promise["manifest"]}
        place = (promise["pass"], promise.get("input", 0))
        lineage = opened.lineages.get(place, Lineage()) if draft["stage"] != "grid" else Lineage()
        draft["parent"] = lineage.parent
        draft["stage_history"] = [*lineage.history, *draft.get("stage_history", [])]
        before = extras.pictures.get("before")
        if before is not None and draft["stage_history"]:
            draft["stage_history"][-1] = {**draft["stage_history"][-1], "pixel_sha256": pixel_sha256(before)}
        if path is not None:
            if promise.get("is_ours"):
                path = str(adopt_file(self._store.layout, promise["run_id"], draft["stage"], promise["name"], path))
            draft["root"], draft["path"] = self._library.locate(path)
            draft["image"] = self._read_facts(path, FileStamp.from_json(promise.get("stamp")))
            if opened.options.get("keep_images") and draft["root"] != RUNS_ROOT:
                draft["kept"] = keep_copy(self._store.layout, promise["run_id"], draft["stage"], promise["name"], path)
        elif "returned" in extras.pictures:
            draft["image"] = asdict(build_facts(extras.pictures["returned"], None))
        manifest = _build_tolerantly(draft)
        self._store.write_manifest(manifest)
        if self.index is not None:
            self.index.add(manifest)
        return manifest

    def _read_facts(self, path: str, stamp: FileStamp | None) -> Json | None:
        """None where the file is gone, damaged, or by now another image under the same name."""
        try:
            facts = asdict(read_image(path)[0])
        except (OSError, UnreadableImageError) as fault:
            log.warning("SDPipe: %s was saved but cannot be read back (%s); its manifest has no digests", path, fault)
            return None
        if stamp is not None and read_stamp(path) != stamp and not path.startswith(str(self._store.layout.runs)):
            log.warning("SDPipe: %s was overwritten at once; the manifest of the first image has no digests", path)
            return None
        return facts

    def _read_earlier(self, run_id: str) -> Run | None:
        try:
            return self._store.read_run(run_id)
        except SdPipeError:
            return None

    def _write_run(self, opened: _OpenRun) -> None:
        reasons = opened.not_replayable
        opened.run.update(
            stage_outputs=opened.outputs, replayable=not reasons, not_replayable_because="; ".join(reasons) or None,
        )
        self._store.write_run(Run.parse_obj(opened.run))


def _find_promised(promise: Json) -> str | None:
    if not promise.get("path"):
        return None
    return find_saved_file(promise["path"], FileStamp.from_json(promise.get("before")), promise.get("free"))


def _build_tolerantly(draft: Json) -> Manifest:
    """A manifest without the fields that another extension has filled with something impossible."""
    try:
        return Manifest.parse_obj(draft)
    except ValidationError as fault:
        wrong = {str(problem["loc"][0]) for problem in fault.errors()}
        log.warning("SDPipe: %s/%s is recorded without %s: %s", draft.get("run_id"), draft.get("name"), ", ".join(sorted(wrong)), fault)
        return Manifest.parse_obj({key: value for key, value in draft.items() if key not in wrong})


def _count_saved(outputs: list[Json]) -> int:
    return sum(1 for o in outputs if o["role"] == "final" and o["stage"] != "grid" and o["path"] is not None)



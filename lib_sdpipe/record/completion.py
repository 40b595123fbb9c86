"""Does what the lines promise: run files, manifests, inputs, index rows. Runs on the writer thread and at recovery.

Live, a line comes with what cannot be written down: pictures, the environment. After a kill the same lines come from
the recording log alone, and whatever is on disk already stays as it is.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import Any, Callable

from PIL import Image

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.inputs import encode_input
from lib_sdpipe.images.read import UnreadableImageError, build_facts, read_image
from lib_sdpipe.index.recorded import Index
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.record.lineage import Lineage, LineageFinder
from lib_sdpipe.store.keep import keep_copy, write_kept_picture
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.saved_file import FileStamp, find_saved_file

log = logging.getLogger("sdpipe")


@dataclass
class Extras:
    """What travels beside a line on the living process's queue. `environment` is worked out on the writer thread."""

    pictures: dict[str, Image.Image] = field(default_factory=dict)
    environment: Callable[[], Json] | None = None


@dataclass
class _OpenRun:
    run: Json
    options: Json
    not_replayable: list[str]
    lineages: dict[int, Lineage] = field(default_factory=dict)
    promises: dict[str, Json] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)
    recorded_inputs: dict[str, Json] = field(default_factory=dict)


class Completion:
    """Handles lines in order. Raises OSError, sqlite3.Error or SdPipeError; the promise then stands in the log."""

    def __init__(self, store: RunStore, library: Library, index: Index | None, remember: Callable[[Json], None] | None = None) -> None:
        self._store = store
        self._library = library
        self._index = index
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
            opened.run["config"] = self._store_pictures(opened, line["run"]["config"], extras.pictures)
            if extras.environment is not None:
                opened.run["environment"] = self._store.write_environment(extras.environment())
        self._write_run(opened)

    def _on_pass(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is None or self._index is None or line["pass"] in opened.lineages:
            return
        picture = extras.pictures.get(line["parent_picture"] or "")
        lineage = LineageFinder(self._index, self._store, self._library).find(picture, line["parent_infotext"])
        opened.lineages[line["pass"]] = lineage
        if lineage.parent is None:
            return
        if opened.run.get("parent") is None:
            opened.run["parent"] = {"run_id": lineage.parent["run_id"], "name": lineage.parent["name"]}
        if self._remember is not None:
            self._remember({
                "kind": "parent", "run_id": line["run_id"], "pass": line["pass"],
                "parent": lineage.parent, "history": lineage.history,
            })

    def _on_parent(self, line: Json, extras: Extras) -> None:
        opened = self._open.get(line["run_id"])
        if opened is not None:
            opened.lineages[line["pass"]] = Lineage(line["parent"], line["history"])
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
        self._complete(opened, promise, line["path"], extras)
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
        for name, promise in list(opened.promises.items()):
            path = find_saved_file(promise["path"], FileStamp.from_json(promise.get("before"))) if promise.get("path") else None
            if path is not None or self._store.has_manifest(line["run_id"], name):
                self._complete(opened, promise, path, Extras())
            del opened.promises[name]
        opened.run.update(line["run"])
        if opened.run["status"] == "abandoned":
            opened.run["images"] = {"planned": None, "returned": None, "saved": _count_saved(opened.outputs)}
        self._write_run(opened)
        del self._open[line["run_id"]]

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
        lineage = opened.lineages.get(promise["pass"], Lineage()) if draft["stage"] != "grid" else Lineage()
        draft["parent"] = lineage.parent
        draft["stage_history"] = [*lineage.history, *draft.get("stage_history", [])]
        before = extras.pictures.get("before")
        if before is not None and draft["stage_history"]:
            draft["stage_history"][-1] = {**draft["stage_history"][-1], "pixel_sha256": pixel_sha256(before)}
        if path is not None:
            draft["root"], draft["path"] = self._library.locate(path)
            draft["image"] = self._read_facts(path)
            if opened.options.get("keep_images") and draft["root"] != RUNS_ROOT:
                draft["kept"] = keep_copy(self._store.layout, promise["run_id"], draft["stage"], promise["name"], path)
        elif "returned" in extras.pictures:
            draft["image"] = asdict(build_facts(extras.pictures["returned"], None))
        manifest = Manifest.parse_obj(draft)
        self._store.write_manifest(manifest)
        if self._index is not None:
            self._index.add(manifest)
        return manifest

    def _read_facts(self, path: str) -> Json | None:
        try:
            return asdict(read_image(path)[0])
        except (OSError, UnreadableImageError) as fault:
            log.warning("SDPipe: %s was saved but cannot be read back (%s); its manifest has no digests", path, fault)
            return None

    def _store_pictures(self, opened: _OpenRun, config: Any, pictures: dict[str, Image.Image]) -> Any:
        """The config with every picture replaced by where it can be found again."""
        if isinstance(config, dict):
            if set(config) == {"$picture"}:
                return self._store_picture(opened, config["$picture"], pictures)
            return {key: self._store_pictures(opened, value, pictures) for key, value in config.items()}
        if isinstance(config, list):
            return [self._store_pictures(opened, value, pictures) for value in config]
        return config

    def _store_picture(self, opened: _OpenRun, key: str, pictures: dict[str, Image.Image]) -> Json | None:
        if key in opened.recorded_inputs:
            return opened.recorded_inputs[key]
        stored = self._place_picture(opened, pictures.get(key))
        if stored is not None:
            opened.recorded_inputs[key] = stored
        return stored

    def _place_picture(self, opened: _OpenRun, picture: Image.Image | None) -> Json | None:
        if picture is None:
            _add_reason(opened, "an input picture was lost when the process ended")
            return None
        known = self._index.find_by_pixels(pixel_sha256(picture)) if self._index is not None else []
        if known:
            return {"$image": {"run_id": known[-1].run_id, "name": known[-1].name}}
        if not opened.options.get("keep_inputs"):
            _add_reason(opened, "input pictures were not kept")
            return None
        sha256, data = encode_input(picture)
        self._store.write_input(sha256, data)
        return {"$input": sha256}

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


def _add_reason(opened: _OpenRun, reason: str) -> None:
    if reason not in opened.not_replayable:
        opened.not_replayable.append(reason)


def _count_saved(outputs: list[Json]) -> int:
    return sum(1 for o in outputs if o["role"] == "final" and o["stage"] != "grid" and o["path"] is not None)



"""Reading for the planner: records and images as they are at this moment."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.edit import UnsupportedEditError, edit_infotext
from lib_sdpipe.images.read import open_regular, read_image, read_infotext
from lib_sdpipe.manifest.codec import parse_json_object
from lib_sdpipe.manifest.names import is_manifest_file
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.operations.operation import Document
from lib_sdpipe.store.scan import IMAGE_SUFFIXES
from lib_sdpipe.workspace.orphans import OrphanRecords

_CHUNK = 1 << 20


class PlanRecords(OrphanRecords):
    """`reconcile.plan.PlanLookups` of one library, after a check of it."""

    def manifest(self, run_id: str, name: str) -> Document | None:
        return self._document(f"{run_id}/manifests/{name}.json")

    def run(self, run_id: str) -> Document | None:
        return self._document(f"{run_id}/run_metadata.json")

    def manifests(self, run_id: str) -> list[Json]:
        folder = self._layout.manifests(run_id)
        files = sorted(file.name for file in folder.iterdir() if is_manifest_file(file.name)) if folder.is_dir() else []
        return [self._fields(run_id, file[: -len(".json")]) for file in files]

    def _fields(self, run_id: str, name: str) -> Json:
        """A manifest's; its file says which it is, and of one that cannot be read nothing else is known."""
        try:
            return {**self._store.read_manifest(run_id, name).to_json(), "name": name}
        except (OSError, SdPipeError):
            return {"name": name}

    def image(self, root: str | None, path: str) -> Json | None:
        file = self._library.resolve(root, path)
        try:
            if file is None:
                return None
            facts, image = read_image(str(file))
        except (OSError, SdPipeError):
            return None
        return {**asdict(facts), "infotext": read_infotext(image)}

    def content(self, root: str | None, path: str) -> Json | None:
        file = self._library.resolve(root, path)
        try:
            if file is None:
                return None
            with open_regular(str(file)) as opened:  # a device has no end
                digest, size = hashlib.sha256(), 0
                while data := opened.read(_CHUNK):
                    digest.update(data)
                    size += len(data)
        except OSError:
            return None
        return {"bytes": size, "sha256": digest.hexdigest()}

    def kept(self, run_id: str, name: str) -> str | None:
        inside = sorted(self._layout.run_folder(run_id).glob(f"*/{name}.*"))
        images = [file for file in inside if file.suffix.lower() in IMAGE_SUFFIXES]
        return images[0].relative_to(self._layout.runs).as_posix() if images else None

    def edited(self, root: str | None, path: str, infotext: str | None) -> Json | None:
        file = self._library.resolve(root, path)
        try:
            if file is None:
                return None
            with open_regular(str(file)) as opened:
                data = edit_infotext(opened.read(), infotext)
        except (OSError, UnsupportedEditError):
            return None
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def _document(self, file: str) -> Document | None:
        path: Path = self._layout.runs / file
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            json = parse_json_object(data, str(path))
        except RecordError:
            json = None
        return Document(file, len(data), hashlib.sha256(data).hexdigest(), json)

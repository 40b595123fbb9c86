"""A group as records: one run file, and a manifest for each of its files. What was concluded is listed in `inferred`."""

from __future__ import annotations

import re
from typing import Callable

from lib_sdpipe.manifest.from_infotext import build_from_infotext, guess_stage
from lib_sdpipe.manifest.infotext import parse_parameters
from lib_sdpipe.manifest.names import build_manifest_name
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.adopt.found import FoundImage
from lib_sdpipe.reconcile.adopt.grouping import Group
from lib_sdpipe.reconcile.findings import Json
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.rebuild import build_listed_fields

LABEL = "adopted"
NO_REQUEST = "adopted: what was asked is known only as far as the images' own texts tell"
# Of an image whose generator tells no stage.
_UNKNOWN_STAGE = "image"
_STAGE_FOLDER = re.compile(r"(?:^|/)(txt2img|img2img)-(?:images|grids)(?:/|$)")
_OF_SOURCE = ("prompt", "negative_prompt", "actual_seed", "actual_subseed", "model", "model_hash")
_BEFORE = ("before-highres-fix", "before-adetailer")
_CONCLUDED = ("run_id", "stage", "role", "timestamp", "parent", "members", "stage_history")
_EMPTY_MANIFEST, _EMPTY_RUN = Manifest().to_json(), Run().to_json()

FindParent = Callable[[FoundImage, "str | None", "FoundImage | None"], "Json | None"]


class GroupRecords:
    """The records of one group. `names` are its manifests', by file."""

    def __init__(self, group: Group, run_id: str, find_parent: FindParent) -> None:
        self.group, self.run_id = group, run_id
        self._find_parent = find_parent
        self._image_of = dict(group.companions)
        self._beside: dict[FoundImage, dict[str, FoundImage]] = {}
        for one, image in group.companions:
            if image is not None:
                self._beside.setdefault(image, {})[self.role_of(one)] = one
        self._stages = {one: self._find_stage(one) for one in group.files}
        numbers: dict[str, int] = {}
        self.names: dict[FoundImage, str] = {}
        for one in group.files:
            stage = self._stages[one] or _UNKNOWN_STAGE
            numbers[stage] = numbers.get(stage, 0) + 1
            self.names[one] = build_manifest_name(stage, numbers[stage])

    def build_operation(self) -> Operation:
        """Everything at once: the run is there whole, or not at all."""
        manifests = [self._build_manifest(one) for one in self.group.files]
        edits = [_new(f"{self.run_id}/run_metadata.json", self._build_run(manifests))]
        edits += [_new(f"{self.run_id}/manifests/{manifest['name']}.json", manifest) for manifest in manifests]
        first = self.group.files[0]
        expects = {"bytes": first.bytes, "sha256": None}
        return Operation("adopt", "orphaned-image", first.root, first.path, self.run_id, None, expects, {"json": edits})

    def role_of(self, one: FoundImage) -> str:
        if one not in self._image_of:
            return "final"
        if one.kind == "input":
            return "init"
        role = one.host_name.role or "final"
        # The prompt stands in many names: an ending in words alone makes no mask.
        is_lone_mask = role.startswith("mask") and self._image_of[one] is None and guess_stage(one.parsed) != "inpaint"
        return "final" if is_lone_mask else role

    def _find_stage(self, one: FoundImage) -> str | None:
        if one.kind == "extras":
            return "upscale"
        if one.kind == "grid":
            return "grid"
        image = self._image_of.get(one) or one
        if "before-adetailer" in self._beside.get(one, {}):
            return "adetailer"
        if image.infotext is None or image.foreign is not None:
            return None
        guessed, folder = guess_stage(image.parsed), _STAGE_FOLDER.search(f"{image.root}/{image.folder}")
        if folder is None or guessed == "inpaint":
            return guessed
        return folder.group(1)

    def _build_manifest(self, one: FoundImage) -> Json:
        fields = self._read_fields(one)
        inferred = set(_OF_SOURCE) & set(fields) if one.kind == "extras" else set[str]()
        if self.role_of(one) in ("before-adetailer", "preview"):
            inferred |= self._correct_seed(one, fields)
        source = self._beside.get(one, {}).get("init")
        stage, is_final = self._stages[one], self.role_of(one) == "final"
        parent = self._find_parent(one, stage, source) if is_final else None
        document = {
            **_EMPTY_MANIFEST, **fields, "name": self.names[one], "run_id": self.run_id, "stage": stage, "role": self.role_of(one),
            "timestamp": format_utc(one.mtime), "path": one.path, "root": one.root, "beside": list(one.beside),
            "image": _image_block(one), "parent": parent,
            "members": [self.names[image] for image in self.group.images] if one is self.group.grid else [],
            "stage_history": self._build_history(one, fields, parent) if is_final else [],
        }
        inferred |= {field for field in _CONCLUDED if document[field] not in (None, [])}
        document["inferred"] = sorted(inferred)
        if one.foreign is not None:
            document["generator"] = one.foreign.generator
        return document

    def _read_fields(self, one: FoundImage) -> Json:
        """The fields of a manifest that the file's own text tells."""
        if one.foreign is not None:
            return {**one.foreign.fields, "infotext": one.infotext}
        if one.kind == "input":
            return {"infotext": one.infotext}
        said = build_from_infotext(one.parsed, one.infotext) if one.infotext is not None else {}
        said.pop("run_id", None)
        if one.extras is None:
            return said
        of_source = {field: said[field] for field in _OF_SOURCE if field in said}
        return {**of_source, "config": parse_parameters(one.extras), "infotext": one.extras or None}

    def _correct_seed(self, one: FoundImage, fields: Json) -> set[str]:
        """ADetailer writes the first image's text into these: the seed is the image's."""
        image = self._image_of.get(one)
        if image is None or image.settings.seed in (None, fields.get("actual_seed")):
            return set()
        fields["actual_seed"] = image.settings.seed
        return {"actual_seed"}

    def _build_history(self, one: FoundImage, fields: Json, parent: Json | None) -> list[Json]:
        """What is known to have been before: the Extras tab's source, the pass before hires fix, what ADetailer painted over."""
        if one.kind == "extras":
            if one.infotext is None:
                return []
            said = build_from_infotext(one.parsed)
            where = {"run_id": parent["run_id"], "name": parent["name"]} if parent is not None else {"run_id": None, "name": None}
            return [_build_entry(guess_stage(one.parsed), "final", where, said)]
        companions = self._beside.get(one, {})
        stage = guess_stage(one.parsed) if one.infotext is not None else None
        return [
            _build_entry(stage, role, {"run_id": self.run_id, "name": self.names[companions[role]]}, fields)
            for role in _BEFORE if role in companions
        ]

    def _build_run(self, manifests: list[Json]) -> Json:
        times = [manifest["timestamp"] for manifest in manifests]
        document = {
            **_EMPTY_RUN, "run_id": self.run_id, "label": LABEL, "timestamp": times[0], "started_at": times[0], "finished_at": times[-1],
            "source": "adopted", "config": self._build_config(), "replayable": False, "not_replayable_because": NO_REQUEST,
            **build_listed_fields({}, manifests),
        }
        document["images"]["returned"] = None
        concluded = ("run_id", "label", "timestamp", "started_at", "finished_at", "config", "images", "stage_outputs")
        document["inferred"] = sorted(field for field in concluded if document[field])
        return document

    def _build_config(self) -> Json:
        """The request as far as the first image tells it."""
        first = self.group.images[0] if self.group.images else self.group.files[0]
        fields = self._read_fields(first)
        if first.kind == "extras":
            return {"endpoint": "extras", **fields["config"]}
        known = {
            "prompt": fields.get("prompt"), "negative_prompt": fields.get("negative_prompt"), "seed": fields.get("actual_seed"),
            "subseed": fields.get("actual_subseed"), "subseed_strength": fields.get("subseed_strength"),
        }
        known = {field: value for field, value in known.items() if value is not None}
        return {**known, **(fields.get("config") or {}), **(fields.get("hires") or {}), **(fields.get("refiner") or {})}


def _image_block(one: FoundImage) -> Json:
    """Digests where somebody has read the file; those of lossy pixels say nothing without their decoder."""
    of_pixels = one.sha256 is not None and one.format == "PNG"
    return {
        "width": one.width, "height": one.height, "format": one.format, "mode": None, "bytes": one.bytes, "sha256": one.sha256,
        "pixel_sha256": one.pixel_sha256 if of_pixels else None, "perceptual_hash": one.perceptual_hash if of_pixels else None,
        "decoder": None,
    }


def _build_entry(stage: str | None, role: str, where: Json, fields: Json) -> Json:
    return {
        "stage": stage, "role": role, **where, "settings": fields.get("config") or {}, "requested_seed": None,
        "actual_seed": fields.get("actual_seed"), "actual_subseed": fields.get("actual_subseed"), "duration_ms": None,
        "pixel_sha256": None,
    }


def _new(file: str, document: Json) -> Json:
    return {"file": file, "expects": None, "document": document}

"""The sources of one image, each tried for itself: damage in one is reported and hides no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.capsule import Capsule, read_capsule, unpack_texts
from lib_sdpipe.manifest.foreign import Foreign, read_foreign
from lib_sdpipe.manifest.from_infotext import build_from_infotext
from lib_sdpipe.manifest.history import file_name
from lib_sdpipe.manifest.infotext import Infotext, parse_infotext, parse_parameters
from lib_sdpipe.manifest.loose_json import list_of, without_unknown
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.manifest.upgrade import upgrade_manifest
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.reconcile.evidence import Evidence, FoundManifest, FoundRun, Source
from lib_sdpipe.reconcile.identity import (
    COMPARED, TELLING, describe_difference, find_differences, has_name, is_companion, is_one_lineage, shows_the_same,
)

# The Extras tab writes its own text here and leaves the source's `parameters` as they were.
_EXTRAS = ("postprocessing", "extras")


class Texts:
    """What the file itself says. `claims` is what it says of its run and job, with no record to prove it."""

    def __init__(self, evidence: Evidence) -> None:
        texts = unpack_texts(evidence.texts)
        self.is_empty = not any(text.strip() for text in (*texts.values(), evidence.beside or ""))
        self.capsule: Capsule = read_capsule(evidence.texts)
        self.foreign: Foreign | None = read_foreign(texts) if self.capsule.status == "missing" else None
        self.raw = next((text for name in ("parameters", "exif:UserComment", "stealth") if (text := _own(texts, name))), evidence.beside)
        self.infotext = parse_infotext(self.raw or "")
        self.extras = parse_parameters(next((texts[name] for name in _EXTRAS if texts.get(name)), _extras_of(self.raw)))
        self.claims = dict(self.capsule.claims)
        # The source's Run ID, in `parameters`, is evidence for the parent of what the Extras tab made.
        run_id = self.extras.get("Run ID") if self.extras else self.infotext.run_id
        if run_id:
            self.claims["run_id"] = run_id


def _own(texts: dict[str, str], name: str) -> str | None:
    text = texts.get(name) or ""
    return text if text.strip() and not text.startswith(("SNMETA:", "prompt:", "workflow:")) else None


def _extras_of(raw: str | None) -> str:
    """JPEG and WebP have one place for text: there the Extras tab's stands alone."""
    return raw if raw is not None and raw.startswith("Postprocess") else ""


def try_embedded(texts: Texts, evidence: Evidence) -> Source:
    capsule = texts.capsule
    if capsule.manifest is not None:
        fields = without_unknown(capsule.manifest.to_json())
        recorded = capsule.manifest.image
        shown = evidence.image
        sizes = (recorded.width, recorded.height, shown.width, shown.height) if recorded and shown else (None,)
        if None not in sizes and sizes[:2] != sizes[2:]:
            error = f"StableNew's section describes a picture of {sizes[0]}x{sizes[1]}, this one is {sizes[2]}x{sizes[3]}"
            return Source("embedded", "mismatch", error)
        return Source("embedded", "ok", None, fields, identifies=True)
    if capsule.status == "corrupt" or capsule.error:
        return Source("embedded", capsule.status, capsule.error, dict(texts.claims))
    if evidence.exists and evidence.problem and not evidence.texts:
        return Source("embedded", "corrupt", evidence.problem)
    if texts.claims:
        return Source("embedded", "ok", None, dict(texts.claims))  # a Run ID alone: it names the run, not the image
    return Source("embedded", "missing")


@dataclass(frozen=True)
class _Accepted:
    """`rank`: 0 the recorded file itself, 1 its bytes, 2 its pixels, 3 its path, 4 its name."""

    rank: int
    manifest: Manifest


def try_manifests(evidence: Evidence, own: Json) -> tuple[list[Source], list[Manifest]]:
    """(every manifest that was tried, best first; those of the best evidence that may be the image's). `own`: what its texts say."""
    refused: dict[str, Source] = {}
    accepted: dict[str, _Accepted] = {}
    for found in evidence.manifests:
        if found.manifest is None:
            refused[found.where] = Source("manifest", "corrupt", found.error)
            continue
        problem, differing = _judge(found, found.manifest, evidence, own)
        if problem is not None:
            known = {name: own[name] for name in differing}
            refused[found.where] = Source("manifest", "mismatch", f"{found.where}: {problem}", known)
            continue
        rank = _rank(found, found.manifest, evidence)
        if found.where not in accepted or rank < accepted[found.where].rank:
            accepted[found.where] = _Accepted(rank, found.manifest)
    best = _preferred(list(accepted.values()), own)
    tried = [Source("manifest", "ok", None, _fields_of(manifest, evidence), identifies=len(best) == 1) for manifest in best]
    tried += [source for where, source in refused.items() if where not in accepted]
    return tried or [Source("manifest", "missing")], best


def _judge(found: FoundManifest, manifest: Manifest, evidence: Evidence, own: Json) -> tuple[str | None, list[str]]:
    """(why this manifest is another picture's, or None; the fields that say so)."""
    same = shows_the_same(manifest, evidence.image)
    if same or is_companion(manifest, evidence.file):
        return None, []
    if same is False:
        return "is of another picture", []
    if found.by == "path":
        return None, []
    if not has_name(manifest, evidence.file):
        return "is of another file", []
    said = manifest.to_json()
    differing = find_differences(own, said, TELLING)
    if not differing:
        return None, []
    reasons = ", ".join(describe_difference(name, said[name], own[name]) for name in differing)
    return f"has this image's name and is another's: {reasons}", differing


def _rank(found: FoundManifest, manifest: Manifest, evidence: Evidence) -> int:
    if shows_the_same(manifest, evidence.image):
        is_file = manifest.image is not None and evidence.image is not None and manifest.image.sha256 == evidence.image.sha256
        return 0 if found.by == "path" else 1 if is_file else 2
    return 3 if found.by == "path" else 4


def _preferred(accepted: list[_Accepted], own: Json) -> list[Manifest]:
    """Those of the best evidence; where several have it, the one that the image's own text names, else the whole choice."""
    rank = min((each.rank for each in accepted), default=0)
    best = [each.manifest for each in accepted if each.rank == rank]
    for names in (("run_id",), ("run_id", "actual_seed")):
        best = [m for m in best if not find_differences(own, m.to_json(), names)] or best
    if len(best) > 1 and is_one_lineage(best):
        best = sorted(best, key=lambda m: (m.role == "final", m.timestamp or "", m.name or ""), reverse=True)[:1]
    return best


def _fields_of(manifest: Manifest, evidence: Evidence) -> Json:
    """An older manifest need not name its run: the folder does, unless it names one itself."""
    fields = without_unknown(manifest.to_json())
    if manifest.run_id is None and evidence.run_id is not None:
        fields.update(run_id=evidence.run_id, inferred=[*manifest.inferred, "run_id"])
    return fields


def try_runs(evidence: Evidence) -> list[Source]:
    tried = [_try_run(found, evidence) for found in evidence.runs if found.run is not None or found.error is not None]
    return sorted(tried, key=lambda source: source.status != "ok") or [Source("run-file", "missing")]


def _try_run(found: FoundRun, evidence: Evidence) -> Source:
    run = found.run
    if run is None:
        return Source("run-file", "corrupt", found.error)
    own = {"run_id": run.run_id or found.run_id, "job_id": run.job_id}
    output = _find_output(run, evidence)
    if output is None:
        job = f"; its job is {run.job_id}" if run.job_id else ""
        return Source("run-file", "mismatch", f"the run file of {found.run_id} does not name this image{job}")
    if run.schema_ is None:  # StableNew repeats the manifest there
        fields = upgrade_manifest(output)
    else:
        fields = {name: output.get(name) for name in ("stage", "name", "role", "path", "root")}
        asked = {name: run.config.get(name) for name in ("prompt", "negative_prompt")}
        fields.update(asked if run.images.planned == 1 else {}, config=run.config)
    try:
        known = Manifest.parse_obj(without_unknown({**fields, **without_unknown(own)})).to_json()
    except ValidationError:
        return Source("run-file", "corrupt", f"the run file of {found.run_id} says of this image what no manifest can hold")
    return Source("run-file", "ok", None, without_unknown({**known, "schema": None}), identifies=True)


def _find_output(run: Run, evidence: Evidence) -> Json | None:
    for output in run.stage_outputs:
        if not isinstance(output, dict):
            continue
        paths = [output.get("path"), *list_of(output.get("all_paths")), *list_of(output.get("output_paths"))]
        if run.schema_ is not None:
            if (output.get("root"), output.get("path")) == (evidence.root, evidence.path):
                return output
        elif evidence.file in (file_name(path) for path in paths if isinstance(path, str)):
            return output
    return None


def try_infotext(texts: Texts) -> Source:
    if texts.foreign is not None:
        return Source("infotext", "ok", None, {**texts.foreign.fields, "generator": texts.foreign.generator}, identifies=True)
    infotext: Infotext = texts.infotext
    if texts.extras:
        fields: Json = {"stage": "upscale", "config": dict(texts.extras), "run_id": texts.extras.get("Run ID"), "infotext": texts.raw}
        return Source("infotext", "ok", None, without_unknown(fields), identifies=True)
    if infotext.parameters:
        return Source("infotext", "ok", None, build_from_infotext(infotext, texts.raw), identifies=True)
    return Source("infotext", "missing", "its text has no generation parameters" if texts.raw else None)


def compare(sources: list[Source], infotext: str | None) -> list[str]:
    """Every field on which two of the sources disagree, and those that tell a record of the same name apart."""
    found: set[str] = set()
    for number, one in enumerate(sources):
        if one.status == "mismatch":
            found.update(one.fields)
        if one.status != "ok":
            continue
        for other in sources[number + 1:]:
            if other.status == "ok" and not _is_recorded(one, other, infotext):
                found.update(find_differences(one.fields, other.fields))
    return [name for name in COMPARED if name in found]


def _is_recorded(one: Source, other: Source, infotext: str | None) -> bool:
    """The text that the record itself holds, to the letter, is no second opinion."""
    recorded: Any = one.fields.get("infotext")
    return other.source == "infotext" and recorded is not None and recorded == infotext

"""What one image is, by everything that is known of it (docs/how-it-works.md, One image). A damaged source hides no other."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.manifest.loose_json import without_unknown
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest
from lib_sdpipe.reconcile.evidence import Evidence, FoundHistory, Source
from lib_sdpipe.reconcile.identity import COMPARED, find_differences, shows_the_same
from lib_sdpipe.reconcile.sources import Texts, compare, try_embedded, try_infotext, try_manifests, try_runs

STATUSES = ("ok", "missing-file", "no-metadata", "stripped", "corrupt", "foreign", "ambiguous")


def resolve_image(evidence: Evidence) -> Json:
    """The answer of `show IMAGE --json`: status, source, payload, reconciled_payload, conflicts, error, sources_tried."""
    texts = Texts(evidence)
    embedded, infotext = try_embedded(texts, evidence), try_infotext(texts)
    own = {**infotext.fields, **embedded.fields} if not texts.extras else dict(embedded.fields)
    manifests, best = try_manifests(evidence, own)
    runs = try_runs(evidence)
    sources = [embedded, *manifests, *runs, infotext]
    payload = _merge(sources, evidence, is_whole=len(best) < 2)
    status, error = _conclude(evidence, texts, sources, best)
    conflicts = compare([source for source in sources if source.identifies or source is embedded or source.status == "mismatch"], texts.raw)
    history = _try_history(evidence.history)
    reconciled, differing = _apply(evidence.history, payload)
    return {
        "status": status,
        "source": next((source.source for source in sources if source.identifies), "none") if status != "ambiguous" else "none",
        "payload": payload,
        "reconciled_payload": reconciled,
        "conflicts": [name for name in COMPARED if name in {*conflicts, *differing}],
        "error": error,
        "sources_tried": [source.to_json() for source in [*sources, *history]],
    }


def _merge(sources: list[Source], evidence: Evidence, is_whole: bool) -> Json:
    """The first source that identifies the image, and what it leaves open by those after it. Of several candidates, what all say."""
    answering = [source for source in sources if source.status == "ok" and (is_whole or source.source != "manifest")]
    known = [source.fields for source in sorted(answering, key=lambda source: not source.identifies)]
    if not is_whole:
        candidates = [source.fields for source in sources if source.source == "manifest" and source.status == "ok"]
        known.append({name: value for name, value in candidates[0].items() if all(other.get(name) == value for other in candidates)})
    # A section without its payload names the run still.
    known += [source.fields for source in sources if source.source == "embedded" and source.status in ("missing", "corrupt")]
    merged: Json = {}
    for fields in known:
        merged = {**without_unknown(fields), **merged}
    if "path" not in merged:
        merged.update(path=evidence.path, root=evidence.root)
    if evidence.image is not None:
        merged["image"] = {**evidence.image.to_json(), **without_unknown(merged.get("image") or {})}
    return Manifest.parse_obj({"image": None, **merged}).to_json()


def _conclude(evidence: Evidence, texts: Texts, sources: list[Source], best: list[Manifest]) -> tuple[str, str | None]:
    """(status, the sentence that explains it where it needs one)."""
    if not evidence.exists:
        return "missing-file", evidence.problem
    if len(best) > 1 and not sources[0].identifies:
        names = ", ".join(f"{manifest.run_id}/{manifest.name}" for manifest in best[:5])
        return "ambiguous", f"{len(best)} recorded images are this picture: {names}"
    first = next((source for source in sources if source.identifies), None)
    if first is None:
        damage = next((source.error for source in sources if source.status == "corrupt"), evidence.problem)
        return ("corrupt", damage) if damage else ("no-metadata", None)
    if first.source == "infotext" and texts.foreign is not None:
        return "foreign", evidence.problem
    if first.source == "manifest" and texts.is_empty and _is_stripped(best[0], evidence.image):
        return "stripped", evidence.problem
    return "ok", evidence.problem


def _is_stripped(manifest: Manifest, image: ImageFacts | None) -> bool:
    """The recorded pixels in other bytes: what is gone is the text."""
    recorded = manifest.image
    if recorded is None or image is None or recorded.sha256 is None or recorded.sha256 == image.sha256:
        return False
    return bool(shows_the_same(manifest, image))


def _try_history(history: FoundHistory | None) -> list[Source]:
    if history is None:
        return []
    problems = "; ".join(history.problems) or None
    if history.error is not None:
        return [Source("history", "corrupt", history.error)]
    if history.record is None:
        return [Source("history", "missing", "; ".join(filter(None, [f"{history.where}: no record of this image", problems])))]
    return [Source("history", "ok", problems)]


def _apply(history: FoundHistory | None, payload: Json) -> tuple[Json, list[str]]:
    """(the payload with the caller's record over it, the fields that this changes). Of a run file only the ids win: the rest is a run's."""
    record = history.record if history is not None else None
    if record is None:
        return dict(payload), []
    names = ("run_id", "job_id") if record.is_run else COMPARED
    winning = {name: record.fields[name] for name in names if name in record.fields}
    filling = {name: value for name, value in record.fields.items() if _is_open(payload.get(name))}
    return {**payload, **filling, **winning}, find_differences(payload, winning)


def _is_open(value: Any) -> bool:
    return value is None or value == {} or value == []

"""Findings as they are shown: by code, each with its facts and the pictures that tell it. Looks nothing up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.ui import words
from lib_sdpipe.ui.repair.words import CODE_WORDS, LEVELS, CodeWords
from lib_sdpipe.ui.words import Fact, Status

_MOST_NAMED = 6


@dataclass(frozen=True)
class Slot:
    """A picture to find: a file in a root."""

    label: str
    root: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class TextChange:
    """A text as it was recorded and as it is; None where there is none."""

    recorded: str | None
    found: str | None


@dataclass(frozen=True)
class FindingView:
    """`key` is the same for the same finding of the next check."""

    key: str
    title: str
    facts: list[Fact]
    slots: list[Slot]
    text: TextChange | None
    operations: list[str]
    is_left_out: bool
    adopts: Json | None = None


@dataclass(frozen=True)
class CodeView:
    """All findings of one code. `allowed`: of how many of them each operation is possible; `chosen` is None for none."""

    code: str
    words: CodeWords
    level: Status
    count: int
    findings: int
    allowed: dict[str, int]
    chosen: str | None
    planned: int
    left_out: int = 0
    page: int = 0
    rows: list[FindingView] = field(default_factory=list)


def build_key(finding: Json) -> str:
    """What a finding is known by, from one check to the next."""
    parts = [finding.get(name) for name in ("code", "root", "path", "run_id", "name")]
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()[:24]


def chosen_operation(code: str, choices: Mapping[str, str | None], allowed: Mapping[str, int]) -> str | None:
    """What will be planned for a code: what somebody chose, else what a plan takes by itself."""
    operation = choices[code] if code in choices else CODES[code].chosen
    return operation if operation in allowed else None


def present_finding(finding: Json, is_left_out: bool, hide: Callable[[str], str] = lambda text: text) -> FindingView:
    """`hide` takes out of a text what must not be shown: where folders are."""
    code, evidence = finding["code"], finding["evidence"]
    build = _FACTS.get(code)
    facts = build(finding, evidence) if build is not None else []
    problem = evidence.get("problem") or evidence.get("undecodable")
    if problem:
        facts.append(Fact("Why", hide(str(problem))))
    if evidence.get("same_size_and_time"):
        facts.append(Fact("Note", "Size and time are as recorded: no program meant to change it. Look after this disk."))
    if evidence.get("kept"):
        facts.append(Fact("Note", "This is the copy in the run's folder, not the image itself."))
    if finding["run_id"]:
        facts.append(Fact("Record", finding["name"] or "", ImageLink(run_id=finding["run_id"], name=finding["name"])))
    texts = evidence.get("infotext")
    adopts = {"root": finding["root"], "path": finding["path"]} if "adopt" in finding["operations"] else None
    return FindingView(
        build_key(finding), hide(format_place(finding["root"], finding["path"])), facts, _find_slots(finding, evidence),
        TextChange(texts.get("recorded"), texts.get("found")) if isinstance(texts, dict) else None,
        [operation for operation in finding["operations"] if operation != "adopt"], is_left_out, adopts,
    )


def build_code_view(
    code: str, count: int, findings: int, allowed: Mapping[str, int], choices: Mapping[str, str | None], left_out: int = 0
) -> CodeView:
    possible = {operation: allowed[operation] for operation in CODES[code].operations if operation in allowed and operation != "adopt"}
    chosen = chosen_operation(code, choices, possible)
    planned = possible[chosen] if chosen is not None else 0
    return CodeView(code, CODE_WORDS[code], LEVELS[CODES[code].level], count, findings, possible, chosen, planned, left_out)


def format_place(root: str | None, path: str | None) -> str:
    if root is None:
        return path or ""
    return f"{root} / {path}" if path else root


def _place(place: Json) -> str:
    return format_place(place.get("root"), place.get("path"))


def _sizes(evidence: Json) -> list[Fact]:
    recorded, found = evidence.get("recorded") or {}, evidence.get("found") or {}
    before, after = words.format_bytes(recorded.get("bytes")), words.format_bytes(found.get("bytes", evidence.get("bytes")))
    if before and after and before != after:
        return [Fact("Size", f"{before}, now {after}")]
    return [Fact("Size", after or before)] if after or before else []


def _changed(finding: Json, evidence: Json) -> list[Fact]:
    copy = [Fact("Copy", _place(evidence["copy"]))] if evidence.get("copy") else []
    return [*_sizes(evidence), *copy]


def _moved(finding: Json, evidence: Json) -> list[Fact]:
    by = "the same file, byte for byte" if evidence.get("by") == "file" else words.format_evidence(evidence.get("by"))
    return [Fact("Now at", _place(evidence["to"])), Fact("Known by", by), *_sizes(evidence)]


def _missing(finding: Json, evidence: Json) -> list[Fact]:
    candidates = evidence.get("candidates") or []
    found = _names([_place(place) for place in candidates])
    return [*_sizes(evidence), *([Fact("It may be", found)] if candidates else [])]


def _orphaned(finding: Json, evidence: Json) -> list[Fact]:
    size = words.format_bytes(evidence.get("bytes"))
    counted = ", ".join(part for part in (words.format_count(evidence.get("count", 0), "image"), size) if part)
    return [Fact("Holds", counted), Fact("Like", _names(evidence.get("examples") or []))]


def _duplicated(finding: Json, evidence: Json) -> list[Fact]:
    return [
        Fact("Stays", format_place(finding["root"], finding["path"])),
        Fact("Copies", _names([_place(other) for other in evidence.get("others") or []])),
        Fact("Size", words.format_bytes(evidence.get("bytes"))),
    ]


def _disagreeing(finding: Json, evidence: Json) -> list[Fact]:
    names = {"folder": "Folder", "run_file": "Run file", "manifest": "Record", "manifests": "Records", "seconded_by": "Borne out by"}
    return [Fact(label, words.format_value(evidence.get(name))) for name, label in names.items() if evidence.get(name)]


def _incomplete(finding: Json, evidence: Json) -> list[Fact]:
    return [
        Fact(label, _names(evidence.get(name) or []))
        for name, label in (("not_listed", "Not in its list"), ("without_manifest", "Without a record")) if evidence.get(name)
    ]


def _unfinished(finding: Json, evidence: Json) -> list[Fact]:
    process = evidence.get("process") or {}
    return [Fact("Made by", f"process {process.get('pid')} on {process.get('machine') or 'this computer'}")]


def _away(finding: Json, evidence: Json) -> list[Fact]:
    recorded = words.format_count(evidence.get("recorded", 0), "file")
    return [Fact("Why", words.format_value(evidence.get("reason"))), Fact("Recorded in it", recorded)]


def _no_run_file(finding: Json, evidence: Json) -> list[Fact]:
    return [Fact("Recorded", words.format_count(evidence.get("manifests", 0), "image"))]


_FACTS: dict[str, Callable[[Json, Json], list[Fact]]] = {
    "missing-image": _missing, "moved-image": _moved, "modified-image": _changed, "retagged-image": _changed, "stripped-image": _changed,
    "unreadable-image": _changed, "orphaned-image": _orphaned, "duplicated-image": _duplicated, "unlinked-manifest": _disagreeing,
    "conflicting-run-id": _disagreeing, "incomplete-run": _incomplete, "unfinished-run": _unfinished, "unavailable-root": _away,
    "missing-run-file": _no_run_file,
}


def _find_slots(finding: Json, evidence: Json) -> list[Slot]:
    code, root, path = finding["code"], finding["root"], finding["path"]
    now = [Slot("Now", root, path)]
    if code == "moved-image":
        return [Slot("Found", evidence["to"].get("root"), evidence["to"].get("path"))]
    if code == "missing-image":
        candidates = (evidence.get("candidates") or [])[:3]
        return [Slot("May be it", place.get("root"), place.get("path")) for place in candidates]
    if code in ("modified-image", "unreadable-image"):
        copy = evidence.get("copy")
        return [*now, *([Slot("Copy", copy.get("root"), copy.get("path"))] if copy else [])]
    if code in ("retagged-image", "stripped-image", "duplicated-image"):
        return now
    if code == "orphaned-image":
        folder = f"{path}/" if path and not _is_file(finding, evidence) else ""
        examples = [f"{folder}{name}" for name in evidence.get("examples") or []] if folder or not path else [path]
        return [Slot("", root, example) for example in examples]
    return []


def _is_file(finding: Json, evidence: Json) -> bool:
    """A finding of one image, as `check --only` lists them."""
    examples = evidence.get("examples") or []
    return evidence.get("count") == 1 and examples == [(finding["path"] or "").rpartition("/")[2]]


def _names(names: list[str]) -> str:
    shown = ", ".join(str(name) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown

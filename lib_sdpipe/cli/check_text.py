"""Findings as a person reads them: by code, with what can be done about each."""

from __future__ import annotations

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.reconcile.findings import CODES, ERROR, Finding
from lib_sdpipe.workspace.tally import OfCode, Tally

_MEANINGS = {
    "missing-image": "the image of a record is nowhere",
    "moved-image": "the image of a record is in another place",
    "modified-image": "the image shows something else than was recorded",
    "retagged-image": "the same picture with another text",
    "stripped-image": "the same picture, its text is gone",
    "orphaned-image": "images that no record names",
    "duplicated-image": "further copies of the same file",
    "unreadable-image": "truncated, or no image",
    "unlinked-manifest": "an older record that does not say its run",
    "conflicting-run-id": "folder, run file and manifest name different runs",
    "unreadable-manifest": "a record that cannot be read",
    "missing-run-file": "records without their run file",
    "unreadable-run-file": "a run file that cannot be read",
    "incomplete-run": "the run file lists other images than there are records",
    "unfinished-run": "a run that says it is running, and its process is gone",
    "newer-schema": "written by a later version: left alone",
    "unavailable-root": "offline: nothing in it is called missing",
}


def build_check_text(totals: dict[str, int], tally: Tally, read: dict[str, int], seconds: float, output: Output) -> list[str]:
    """`read` is what `check --json` says under that name."""
    looked = ", ".join(format_count(totals[what], what[:-1]) for what in ("images", "manifests", "runs"))
    lines = [f"{looked}, in {seconds:.1f} s", *_build_read_lines(read)]
    counts = tally.counts
    if not counts:
        return [*lines, output.paint("Everything fits.", "green")]
    for code in CODES:
        if code in tally.by_code:
            lines += ["", *_build_code_lines(code, tally.by_code[code], output)]
    planned = sum(counts[code] for code, known in CODES.items() if known.chosen and code in counts)
    if planned:
        lines += ["", f"{program_name()} plan -o plan.json   would mend {planned:,} of these, and changes records only"]
    return lines


def _build_read_lines(read: dict[str, int]) -> list[str]:
    if read.get("left"):
        return [f"{format_count(read['left'], 'image')} left to read: check --deep goes on there"]
    unread = read["of"] - read["images"]
    return [f"{format_count(unread, 'image')} judged by size and time, not read: check --deep reads every byte"] if unread else []


def _build_code_lines(code: str, found: OfCode, output: Output) -> list[str]:
    title = output.paint(f"{found.count:,} {code}", "red" if CODES[code].level == ERROR else "yellow")
    lines = [f"{title}   {_MEANINGS[code]}"]
    for finding in found.shown:
        lines.append(f"  {escape_text(_describe(finding))}")
    if found.findings > len(found.shown):
        lines.append(f"  ... and {found.findings - len(found.shown):,} more: check --only {code} --json lists them all")
    operations = sorted(found.operations)
    if operations and CODES[code].chosen not in operations:
        lines.append(f"  can be done: {', '.join(operations)}")
    return lines


def _describe(finding: Finding) -> str:
    evidence, place = finding.evidence, f"{finding.root}:{finding.path}" if finding.root else finding.path or ""
    if finding.code == "moved-image":
        to = evidence["to"]
        return f"{place} -> {to['root'] or ''}:{to['path']}"
    if finding.code == "orphaned-image":
        return f"{place or finding.root}: {format_count(evidence['count'], 'image')}"
    if finding.code == "duplicated-image":
        return f"{place}, also {', '.join(other['path'] for other in evidence['others'][:2])}"
    reason = evidence.get("problem") or evidence.get("reason") or evidence.get("undecodable")
    if evidence.get("same_size_and_time"):
        reason = f"{reason or 'other bytes'}, with the same size and time: no program meant to change it"
    return f"{place or finding.root}: {reason}" if reason else place

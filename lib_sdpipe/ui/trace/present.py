"""A traced picture as it is shown: by which evidence, how sure that is, what it is, and what has changed in it. Looks nothing up."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.index.children import Child
from lib_sdpipe.manifest.records import ImageLink, Manifest, Run
from lib_sdpipe.reconcile.differences import GONE, NEARLY, NEW, OTHER, SAME, UNKNOWN, Difference
from lib_sdpipe.reconcile.trace import Candidate, Match
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Fact, Status

_MOST_LINKS = 12

CERTAIN, ALMOST = "It is this image", "It is almost certainly this image"
LIKELY, POSSIBLE = "It is probably this image", "It may be this image"

# What was found by, how sure that is, and why.
_EVIDENCE = {
    "file": ("the same file, byte for byte", CERTAIN, "Nothing in it has changed since it was recorded."),
    "pixels": ("the same pixels", CERTAIN, "Every pixel is as it was recorded; the file around them is another."),
    "near-pixels": ("nearly the same pixels", ALMOST, "The same size, and no colour of any pixel is more than a shade off."),
    "run-id": (
        "the Run ID and the seed in its text", LIKELY, "Its text names this run; its pixels were changed since, or it was made from it."
    ),
    "perceptual": ("it looks the same", LIKELY, "Scaled, saved anew or slightly edited: the picture matches, its pixels do not."),
    "infotext": ("the same text in it", POSSIBLE, "Only its text was found again. Another picture may carry the same text."),
}
_SURE = {CERTAIN: "certain", ALMOST: "certain", LIKELY: "likely", POSSIBLE: "possible"}
_WHAT = {"bytes": "File", "size": "Size", "format": "Format", "pixels": "Pixels", "text": "Text"}
_VERDICTS = {
    SAME: Status("same", "✓", "As recorded"), NEARLY: Status("nearly", "≈", "Nearly as recorded"), OTHER: Status("other", "≠", "Changed"),
    GONE: Status("other", "−", "Removed"), NEW: Status("other", "+", "Added"), UNKNOWN: Status("unknown", "?", "Not known"),
}


@dataclass(frozen=True)
class Sureness:
    """`kind` is fit for a CSS class: `certain`, `likely`, `possible`, `none`."""

    kind: str
    word: str
    evidence: str
    reason: str


@dataclass(frozen=True)
class DifferenceRow:
    what: str
    verdict: Status
    recorded: str
    now: str


@dataclass(frozen=True)
class MatchView:
    """One recorded image that the picture is, or may be. `more` is of how many children not all are named."""

    link: ImageLink
    title: str
    facts: list[Fact]
    prompt: str
    parents: list[tuple[ImageLink, str]]
    stages: list[ImageLink]
    children: list[tuple[ImageLink, str]]
    more: int
    rows: list[DifferenceRow]
    texts: tuple[str, str] | None
    has_file: bool


def present_sureness(by: str | None, count: int, distance: float | None = None) -> Sureness:
    """`count` images fit equally well."""
    evidence, word, reason = _EVIDENCE.get(by or "", ("", "", ""))
    if not evidence:
        return Sureness("none", "Not found", "", "No recorded image has its bytes, its pixels, its Run ID, its looks or its text.")
    far = _describe_distance(by, distance)
    if count > 1:
        told = f"{count:,} recorded images fit equally well by this. Look at them side by side."
        return Sureness("possible", "It is one of these", evidence, told)
    return Sureness(_SURE[word], word, evidence + far, reason)


def present_match(
    match: Match, manifest: Manifest | None, run: Run | None, has_file: bool, children: list[Child], differences: list[Difference]
) -> MatchView:
    found = match.candidate
    shown = manifest or Manifest()
    rows = [_present_difference(difference) for difference in differences]
    text = next((one for one in differences if one.what == "text" and one.verdict not in (SAME, UNKNOWN)), None)
    texts = (str(text.recorded or ""), str(text.now or "")) if text is not None else None
    made_into = [(ImageLink(run_id=child.run_id, name=child.name), _describe_child(child)) for child in children[:_MOST_LINKS]]
    return MatchView(
        ImageLink(run_id=found.run_id, name=found.name), _title(found, shown), _facts(found, shown, run), shown.prompt or "",
        _parents(shown), [ImageLink(run_id=one.run_id, name=one.name) for one in match.also[:_MOST_LINKS]], made_into,
        max(0, len(children) - _MOST_LINKS), rows, texts, has_file,
    )


def _title(found: Candidate, manifest: Manifest) -> str:
    role = words.format_role(manifest.role or found.role)
    return ", ".join(part for part in (words.format_stage(manifest.stage) if manifest.stage else found.name, role) if part)


def _facts(found: Candidate, manifest: Manifest, run: Run | None) -> list[Fact]:
    place = f"{found.root} / {found.path}" if found.root and found.path else found.path or "not saved"
    size = f"{found.width} × {found.height}" if found.width and found.height else ""
    facts = [
        Fact("Run", "", ImageLink(run_id=found.run_id)),
        Fact("Label", run.label or "" if run is not None else ""),
        Fact("Made", words.format_moment(manifest.timestamp)),
        Fact("Recorded as", place),
        Fact("Size", size),
        Fact("Seed", words.format_value(manifest.actual_seed)),
        Fact("Model", words.format_value(manifest.model)),
        Fact("Sampler", words.format_value((manifest.config or {}).get("sampler_name"))),
    ]
    return [fact for fact in facts if fact.value or fact.link]


def _parents(manifest: Manifest) -> list[tuple[ImageLink, str]]:
    parents = []
    if manifest.parent is not None and manifest.parent.run_id and manifest.parent.name:
        link = ImageLink(run_id=manifest.parent.run_id, name=manifest.parent.name)
        parents.append((link, f"known by {words.format_evidence(manifest.parent.by)}" if manifest.parent.by else ""))
    for entry in manifest.stage_history[-_MOST_LINKS:]:
        if entry.name:
            parents.append((ImageLink(run_id=entry.run_id or manifest.run_id, name=entry.name), words.format_stage(entry.stage)))
    return parents


def _describe_child(child: Child) -> str:
    parts = (words.format_stage(child.stage) if child.stage else "", words.format_role(child.role))
    return ", ".join(part for part in parts if part)


def _present_difference(difference: Difference) -> DifferenceRow:
    show = words.format_bytes if difference.what == "bytes" else words.format_value
    recorded, now = show(difference.recorded), show(difference.now)  # type: ignore[arg-type, operator]
    if difference.what == "text":
        recorded, now = "" if not recorded else "with text", "" if not now else "with text"
    return DifferenceRow(_WHAT[difference.what], _VERDICTS[difference.verdict], recorded, now)


def _describe_distance(by: str | None, distance: float | None) -> str:
    if distance is None or by not in ("near-pixels", "perceptual"):
        return ""
    return f" ({distance:g} of 256 steps differ)" if by == "perceptual" else f" ({distance:g} of 255 apart on average)"

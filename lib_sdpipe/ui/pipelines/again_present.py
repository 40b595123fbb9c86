"""Making something again, as the page asks about it: what is asked of the host, what differs today, what can be changed. No HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.replay import EXACT, Replay, Wanted
from lib_sdpipe.ui import words
from lib_sdpipe.ui.pipelines.draft import read_fields
from lib_sdpipe.ui.pipelines.fields import LONGEST_FIELD, VARIED

BATCH, ALONE, STAGE, RUN = "batch", "alone", "stage", "run"
_MOST_COMPARED = 12
_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Asked:
    """What the page asks to make again. `back` are the fields that are to be set back, None for all that can be."""

    link: ImageLink
    what: str = RUN
    stage: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    back: tuple[str, ...] | None = None

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            stage=self.stage if self.what == STAGE else None, name=self.link.name if self.what in (BATCH, ALONE) else None,
            alone=self.what == ALONE, changes=self.changes[0],
        )

    @property
    def changes(self) -> tuple[Json, list[tuple[str, str]]]:
        """Values under the host API's names, and faults by field."""
        return read_fields(VARIED, self.texts)


@dataclass(frozen=True)
class DifferenceView:
    """One thing that is not as it was. `can_set_back`, and whether it will be."""

    field: str
    sentence: str
    then: str
    now: str
    is_blocking: bool
    can_set_back: bool
    is_set_back: bool


@dataclass(frozen=True)
class AgainView:
    """`refusal` says why it cannot be asked again; then there is nothing to press. `size` is what releasing would free."""

    asked: Asked
    title: str
    stages: list[str]
    placeholders: dict[str, str]
    refusal: str = ""
    told: list[str] = field(default_factory=list)
    is_exact: bool = True
    notes: list[str] = field(default_factory=list)
    differences: list[DifferenceView] | None = None
    compared: list[str] = field(default_factory=list)
    more: int = 0
    missing: int = 0
    size: str = ""
    faults: list[tuple[str, str]] = field(default_factory=list)
    has_conductor: bool = True


def read_asked(data: Json, link: ImageLink) -> Asked:
    """What the page sends; an image is made with its batch unless something else is said."""
    what, stage, texts, back = data.get("what"), data.get("stage"), data.get("texts"), data.get("back")
    known = (BATCH, ALONE, STAGE, RUN) if link.name else (STAGE, RUN)
    return Asked(
        link, what if what in known else known[0] if link.name else RUN, stage if isinstance(stage, str) else None,
        {str(name)[:100]: text[:LONGEST_FIELD] for name, text in list(texts.items())[:100] if isinstance(text, str)}
        if isinstance(texts, dict) else {},
        tuple(str(each)[:200] for each in back[:1000]) if isinstance(back, list) else None,
    )


def list_stages_of(manifests: Sequence[Manifest]) -> list[str]:
    """Of the run's final images, in their order."""
    found = [one.stage for one in manifests if one.role in (None, "final") and one.stage not in (None, "grid")]
    return [stage for stage in dict.fromkeys(found) if stage]


def present_replay(replay: Replay) -> tuple[list[str], list[str], int]:
    """What it makes, in short texts; the names of the images that are compared, and how many more."""
    told = [
        words.format_count(replay.planned, "image"),
        f"{words.format_count(len(replay.requests), 'request')} to the host" if len(replay.requests) > 1 else "",
        f"{words.format_count(len(replay.compare), 'image')} compared" if replay.compare else "nothing is compared",
    ]
    names = [one.of.name for one in replay.compare if one.of is not None and one.of.name]
    return [text for text in told if text], names[:_MOST_COMPARED], max(0, len(names) - _MOST_COMPARED)


def is_exact(replay: Replay) -> bool:
    return replay.exactness == EXACT


def present_differences(differences: Sequence[Any], back: tuple[str, ...] | None) -> list[DifferenceView]:
    """`back` as in `Asked`."""
    return [
        DifferenceView(
            one.field, one.sentence, _cut(words.format_value(one.then)), _cut(words.format_value(one.now)), one.is_blocking,
            one.can_set_back, one.can_set_back and (back is None or one.field in back),
        ) for one in differences
    ]


def list_recorded(run: Run, manifests: Sequence[Manifest], name: str | None) -> dict[str, str]:
    """What the fields that can be changed are now."""
    first = next((one for one in manifests if one.name == name), None) or next(iter(manifests), None)
    values: Json = {**(first.config if first is not None else {}), **{key: value for key, value in run.config.items() if key != "scripts"}}
    if first is not None:
        values.update(prompt=first.prompt, negative_prompt=first.negative_prompt, seed=first.actual_seed, sd_model_checkpoint=first.model)
    known = {one.name: values[one.name] for one in VARIED if isinstance(values.get(one.name), (str, int, float))}
    return {name: words.format_value(value)[:2_000] for name, value in known.items()}


def sum_bytes(replay: Replay, manifests: Sequence[Manifest]) -> int:
    """Of the files that could be set aside: the compared images'."""
    named = {one.of.name for one in replay.compare if one.of is not None}
    return sum(one.image.bytes or 0 for one in manifests if one.name in named and one.image is not None and one.lost_at is None)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"

"""Two runs beside each other: what was asked, where it ran, how long it took, and their pictures in pairs. No HTML here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib_sdpipe.manifest.compare_runs import (
    ImagePair, StageTimes, compare_configs, compare_environments, compare_models, pair_images, sum_times,
)
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.compare.present import LETTERS, Cell, PromptView, Row, Table, present_prompt, present_table
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace.comparison import MOST_MANIFESTS, ComparedRun
from lib_sdpipe.workspace.picked import Pick

MOST_PAIRS = 60


@dataclass(frozen=True)
class RunCard:
    letter: str
    run_id: str
    label: str
    status: Status
    facts: list[str]


@dataclass(frozen=True)
class PairedImage:
    """One of two images that belong together, as the page shows it."""

    pick: Pick
    title: str


@dataclass(frozen=True)
class Pair:
    one: PairedImage | None
    other: PairedImage | None


@dataclass(frozen=True)
class RunComparison:
    """`environment` is None where there is nothing to compare; then `environment_note` says why."""

    cards: list[RunCard]
    notes: list[str]
    prompts: list[PromptView]
    config: Table
    models: Table
    environment: Table | None
    environment_note: str
    times: list[Row]
    pairs: list[Pair]
    more_pairs: int


def present_runs(runs: Sequence[ComparedRun], readable: Callable[[str], str] = str) -> RunComparison:
    """`readable` makes a sentence that names files fit for the page."""
    pairs = pair_images(runs[0].manifests, runs[1].manifests)
    environment, note = _environment(runs)
    return RunComparison(
        [_card(LETTERS[number], run) for number, run in enumerate(runs)],
        [
            *(readable(problem) for run in runs for problem in run.problems),
            *(f"Of {run.run_id} the first {MOST_MANIFESTS} images are compared." for run in runs if run.is_cut),
        ],
        [present_prompt(name, [_text(run.run.config.get(key)) for run in runs]) for name, key in (
            ("Prompt", "prompt"), ("Negative prompt", "negative_prompt"),
        )],
        present_table(compare_configs([run.run for run in runs])),
        present_table(compare_models([run.run for run in runs])),
        environment, note,
        _times([sum_times(run.manifests) for run in runs], runs),
        [_pair(pair, runs) for pair in pairs[:MOST_PAIRS]],
        max(0, len(pairs) - MOST_PAIRS),
    )


def _card(letter: str, compared: ComparedRun) -> RunCard:
    run = compared.run
    started = run.started_at or run.timestamp
    facts = [
        words.format_moment(started), words.format_span(started, run.finished_at), words.count_images(run.images, run.status),
        words.list_stages([manifest.stage for manifest in compared.manifests]), words.format_source(run.source),
    ]
    return RunCard(
        letter, compared.run_id, run.label or words.format_label(compared.run_id), words.format_status(run.status),
        [fact for fact in facts if fact],
    )


def _text(value: object) -> str | None:
    """A request of several prompts has a list of them."""
    return value if isinstance(value, str) or value is None else words.format_value(value)


def _environment(runs: Sequence[ComparedRun]) -> tuple[Table | None, str]:
    unknown = [run.run_id for run in runs if run.environment is None]
    if unknown:
        return None, f"Nothing is known of the environment of {' and '.join(unknown)}."
    if runs[0].run.environment == runs[1].run.environment:
        return None, "Both ran in the same environment: the same WebUI, versions, device, extensions and options."
    return present_table(compare_environments([run.environment for run in runs])), ""


def _times(times: Sequence[dict[str, StageTimes]], runs: Sequence[ComparedRun]) -> list[Row]:
    """Per stage the median of an image, with how many there are; then the whole run."""
    rows = []
    for stage in dict.fromkeys(stage for found in times for stage in found):
        medians = [found[stage].median_ms if stage in found else None for found in times]
        rows.append(Row(f"{words.format_stage(stage)}, per image", _time_cells(medians, [
            _describe_times(found[stage]) if stage in found else "" for found in times
        ])))
    spans = [words.format_span(run.run.started_at or run.run.timestamp, run.run.finished_at) for run in runs]
    if any(spans):
        rows.append(Row("The whole run", [Cell(span) for span in spans]))
    return rows


def _describe_times(times: StageTimes) -> str:
    return f"{words.format_count(times.count, 'image')}, {words.format_duration(times.total_ms)} in all"


def _time_cells(medians: list[float | None], details: list[str]) -> list[Cell]:
    cells = []
    first = medians[0]
    for number, (milliseconds, detail) in enumerate(zip(medians, details)):
        text = " · ".join(part for part in (words.format_duration(milliseconds), detail) if part)
        change = ""
        if number and first and milliseconds:
            share = round((milliseconds / first - 1) * 100)
            change = f"{share:+d} %".replace("-", "−") if share else "±0 %"
        cells.append(Cell(text, False, change))
    return cells


def _pair(pair: ImagePair, runs: Sequence[ComparedRun]) -> Pair:
    return Pair(_paired(pair.one, runs[0].run_id), _paired(pair.other, runs[1].run_id))


def _paired(manifest: Manifest | None, run_id: str) -> PairedImage | None:
    if manifest is None or not manifest.name:
        return None
    parts = [manifest.name, words.format_role(manifest.role), f"seed {manifest.actual_seed}" if manifest.actual_seed is not None else ""]
    return PairedImage(Pick(run_id, manifest.name), " · ".join(part for part in parts if part))

"""Runs as rows and images as cards. No gradio and no HTML here: `markup` makes the page's text of these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lib_sdpipe.index.run_search import FoundRun, FoundRuns
from lib_sdpipe.index.search import Found, FoundPage
from lib_sdpipe.manifest.records import ImageCounts, Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace.browsing import address_of_file
from lib_sdpipe.workspace.page_address import build_picture_address, build_thumbnail_address
from lib_sdpipe.workspace.watch import Looking

# A prompt as a card's tooltip.
_LONGEST_HINT = 300
_NO_DATE = "Without a date"
T = TypeVar("T")
Days = list[tuple[str, list[T]]]


@dataclass(frozen=True)
class Thumbnail:
    """A picture that opens an image of a run."""

    name: str
    address: str


@dataclass(frozen=True)
class RunRow:
    """One line of the list of runs. `more` counts the images that have no thumbnail here."""

    run_id: str
    label: str
    status: Status
    facts: list[str]
    when: str
    moment: str
    thumbnails: list[Thumbnail]
    more: int
    error: str | None = None


@dataclass(frozen=True)
class Card:
    """One image. `link` is what opens it and what picks it; `badges` say what is not usual about it.

    `address` is that of its thumbnail, `full` that of the image, None where there is nothing to show.
    """

    link: Json
    title: str
    caption: str
    hint: str
    address: str | None
    badges: list[str]
    full: str | None = None


@dataclass(frozen=True)
class RunList:
    """A page of runs under the headings of their days."""

    total: str
    days: Days[RunRow]
    is_running: bool


@dataclass(frozen=True)
class ImageList:
    total: str
    days: Days[Card]


def present_runs(page: FoundRuns, now: datetime) -> RunList:
    rows = ((_started(run), run) for run in page.runs)
    days = _by_day(((moment, _row(run, moment, now)) for moment, run in rows), now)
    return RunList(_total(page.total, page.total_is_exact, "run"), days, any(run.status == "running" for run in page.runs))


def present_images(page: FoundPage, now: datetime) -> ImageList:
    cards = ((_moment(found.time), found) for found in page.images)
    return ImageList(
        _total(page.total, page.total_is_exact, "image"), _by_day(((moment, _card(found, moment)) for moment, found in cards), now),
    )


def present_looking(looking: Looking) -> str:
    """What the page is waiting for, in a sentence; empty at rest."""
    if looking.doing == "preparing":
        return "Preparing the search …"
    if looking.doing == "folders":
        return f"Looking at the folders: {words.format_count(looking.done, 'file')} …" if looking.done else "Looking at the folders …"
    if looking.doing == "images":
        count = f": {looking.done:,} of {looking.total or looking.done:,}" if looking.done else ""
        return f"Taking up new images{count} …"
    return ""


def _total(total: int, is_exact: bool, noun: str) -> str:
    return words.format_count(total, noun) if is_exact else f"more than {words.format_count(total, noun)}"


def _by_day(items: Iterable[tuple[datetime | None, T]], now: datetime) -> Days[T]:
    days: Days[T] = []
    for moment, item in items:
        day = words.format_day(moment, now) if moment else _NO_DATE
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(item)
    return days


def _row(run: FoundRun, moment: datetime | None, now: datetime) -> RunRow:
    shown = len(run.thumbnails)
    return RunRow(
        run_id=run.run_id,
        label=run.label or words.format_label(run.run_id),
        status=words.UNREADABLE if run.problem else words.format_status(run.status),
        facts=[text for text in (
            _count(run), words.list_stages(list(run.stages)), words.format_span(run.started_at, run.finished_at), _models(run.models),
            words.format_source(run.source),
        ) if text],
        when=words.format_when(moment, now) if moment else "",
        moment=words.format_moment(run.started_at) if run.started_at else "",
        thumbnails=[Thumbnail(name, build_thumbnail_address(run.run_id, name)) for name in run.thumbnails],
        more=max(0, (run.recorded if run.fitting is None else run.fitting) - shown) if shown else 0,
        error=run.problem,
    )


def _count(run: FoundRun) -> str:
    if run.status == "running" and run.returned is None:
        planned = f" of {run.planned:,}" if run.planned else ""
        return f"{run.recorded:,}{planned} so far"
    text = words.count_images(ImageCounts(planned=run.planned, returned=run.returned, saved=run.saved), run.status)
    text = text or words.format_count(run.recorded, "image")
    return f"{run.fitting:,} fit, {text}" if run.fitting is not None and run.fitting < run.recorded else text


def _models(models: list[str]) -> str:
    return "" if not models else models[0] if len(models) == 1 else f"{models[0]} and {len(models) - 1} more"


def _card(found: Found, moment: datetime | None) -> Card:
    size = f"{found.width}×{found.height}" if found.width and found.height else ""
    when = f"{moment:%H:%M}" if moment else ""
    name = found.name or (found.path or "").rpartition("/")[2]
    hint = [found.prompt or "", " · ".join(text for text in (name, size, found.model or "", _seed(found)) if text)]
    return Card(
        link={"run": found.run_id, "name": found.name} if found.run_id else {"root": found.root, "path": found.path},
        title=name,
        caption=" · ".join(text for text in (_liking(found), words.format_stage(found.stage) if found.stage else "", when) if text) or name,
        hint="\n".join(text[:_LONGEST_HINT] for text in hint if text),
        address=_address(found),
        badges=[text for text in (words.format_role(found.role), _absence(found)) if text],
        full=_full_address(found),
    )


def _liking(found: Found) -> str:
    stars = f"★{found.rating}" if found.rating else ""
    return f"{stars} ♥".strip() if found.is_favourite else stars


def _absence(found: Found) -> str:
    if found.run_id is None:
        return "no run"
    return "lost" if found.is_lost else "not saved" if found.is_unsaved else ""


def _address(found: Found) -> str | None:
    if found.run_id is not None and found.name is not None:
        return None if found.is_unsaved else build_thumbnail_address(found.run_id, found.name)
    return address_of_file(found)


def _full_address(found: Found) -> str | None:
    if found.run_id is not None and found.name is not None:
        return None if found.is_unsaved or found.is_lost else build_picture_address(found.run_id, found.name)
    return address_of_file(found, is_small=False)


def _seed(found: Found) -> str:
    return f"seed {found.actual_seed}" if found.actual_seed is not None else ""


def _started(run: FoundRun) -> datetime | None:
    """The recorded start; for a run file that cannot be read, the local time in its name."""
    moment = words.to_local(run.started_at)
    if moment is None:
        try:
            moment = datetime.strptime(run.run_id[: len("20251225_143022")], "%Y%m%d_%H%M%S")
        except ValueError:
            return None
    return moment


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds)
    except (OverflowError, OSError, ValueError):
        return None

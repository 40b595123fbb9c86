"""Checkpoints, samplers and the disk as lists of bars, the longest first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lib_sdpipe.index.statistics import Disk, Sums
from lib_sdpipe.manifest.records import ROLES, STAGES
from lib_sdpipe.ui import words
from lib_sdpipe.ui.statistics.queries import FINAL, UNRECORDED, ask_name, ask_roles, ask_stage, narrow
from lib_sdpipe.ui.statistics.view import BarList, Row

_MOST_ROWS = 12
_WAY, _COPIES, _BESIDE, _LOST, _GRIDS, _FINAL, _NO_RECORD, _DAMAGED = (
    "Saved on the way", "Copies in run folders", "Written beside images", "Recorded as lost", "Grids", "Final images",
    "Without a record", "Of manifests that cannot be read",
)
_MASKS_NAME = "Masks, previews and inputs"
_MASKS = ("mask", "mask-composite", "preview", "init")
_ON_THE_WAY = tuple(role for role in ROLES if role not in ("final", *_MASKS))


def present_names(title: str, field: str, sums: dict[str | None, Sums], query: str) -> BarList:
    """The most used ones; the rest in one sentence, those without a name in a row of their own."""
    named = sorted(((name, found) for name, found in sums.items() if name is not None), key=lambda item: (-item[1].images, item[0]))
    unknown = sums.get(None)
    most = max((found.images for found in sums.values()), default=1)
    rows = [
        Row(name, f"{found.images:,}", _describe_time(found), found.images / most, narrow(query, ask_name(field, name)))
        for name, found in named[:_MOST_ROWS]
    ]
    if unknown is not None:
        rows.append(Row("Not known", f"{unknown.images:,}", _describe_time(unknown), unknown.images / most, None, is_unknown=True))
    others = sum(found.images for _, found in named[_MOST_ROWS:])
    note = f"{words.format_count(len(named) - _MOST_ROWS, 'other')} made {words.format_count(others, 'image')} more." if others else ""
    return BarList(title, "Images", rows, note)


def present_stages(days: Iterable[tuple[str | None, Sums]], query: str) -> BarList:
    sums: dict[str | None, Sums] = {}
    for stage, found in days:
        sums[stage] = sums.get(stage, Sums()) + found
    most = max((found.images for found in sums.values()), default=1)
    rows = [
        Row(words.format_stage(stage) if stage else "Not known", f"{found.images:,}", _describe_time(found), found.images / most,
            narrow(query, ask_stage(stage)), is_unknown=stage is None)
        for stage, found in sorted(sums.items(), key=lambda item: -item[1].images)
    ]
    return BarList("By stage", "Images", rows)


def _describe_time(sums: Sums) -> str:
    """`2 min 5 s, 3.1 s each`; of those whose time is known."""
    timed = sums.images - sums.untimed
    if timed <= 0 or not sums.milliseconds:
        return ""
    return f"{words.format_duration(sums.milliseconds)}, {words.format_duration(sums.milliseconds / timed)} each"


def present_disk(disk: list[Disk], query: str) -> list[BarList]:
    """By what the files are, by stage, by root."""
    stages = [part for part in disk if part.claim is not None and part.stage is not None]
    return [
        _disk_list("Disk by kind of file", disk, _kind_of, {
            _NO_RECORD: narrow(query, UNRECORDED), _GRIDS: narrow(query, "stage:grid"),
            _FINAL: narrow(query, FINAL, "-stage:grid", "recorded:yes"),
            _WAY: narrow(query, ask_roles(_ON_THE_WAY)), _MASKS_NAME: narrow(query, ask_roles(_MASKS)),
        }),
        _disk_list(
            "Disk by stage", stages, lambda part: words.format_stage(part.stage),
            {words.format_stage(stage): narrow(query, ask_stage(stage)) for stage in STAGES},
        ),
        _disk_list("Disk by image root", disk, lambda part: part.root or "Outside the image roots", {}),
    ]


def _disk_list(title: str, disk: list[Disk], name: Callable[[Disk], str], queries: dict[str, str | None]) -> BarList:
    sums: dict[str, tuple[int, int]] = {}
    for part in disk:
        files, size = sums.get(name(part), (0, 0))
        sums[name(part)] = files + part.files, size + part.bytes
    most = max((size for _, size in sums.values()), default=1) or 1
    rows = [
        Row(label, words.format_bytes(size), words.format_count(files, "file"), size / most, queries.get(label))
        for label, (files, size) in sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    ]
    return BarList(title, "Room", rows)


def _kind_of(part: Disk) -> str:
    if part.claim is None:
        return _NO_RECORD
    if part.claim != "image":
        return {"kept": _COPIES, "beside": _BESIDE, "lost": _LOST}.get(part.claim, part.claim)
    if part.stage is None and part.role is None:
        return _DAMAGED
    if part.stage == "grid":
        return _GRIDS
    return _FINAL if part.role in (None, "final") else _MASKS_NAME if part.role in _MASKS else _WAY

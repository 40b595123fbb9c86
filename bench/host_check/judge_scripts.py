"""Grids and their members, pictures and their tiles, variants: what belongs together in one run."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product
from typing import Any

from host_check.faults import Faults
from host_check.host import Json
from host_check.job import Job
from host_check.recorded import RecordedRun

# Axis label: the key of a cell's infotext that shows it, where it is not the same.
TEXT_KEYS = {"CFG Scale": "CFG scale", "Var. seed": "Variation seed", "Denoising": "Denoising strength"}


def judge_members(job: Job, recorded: RecordedRun, faults: Faults) -> None:
    known = recorded.by_name()
    for manifest in recorded.manifests:
        name = f"{recorded.run_id}/{manifest['name']}"
        lost = [member for member in manifest["members"] if member not in known]
        faults.check("members exist", not lost and manifest["name"] not in manifest["members"], job, f"{name}: {lost}")
        if manifest["stage"] == "grid":
            faults.check("a grid has members", bool(manifest["members"]), job, name)
    if job.press is not None or job.must_fail:
        return
    if job.expected.is_made_of_tiles:
        _judge_tiles(job, recorded, known, faults)
    elif job.expected.variant == "xyz":
        _judge_plot_grids(job, recorded, known, faults)
    else:
        _judge_plain_grids(job, recorded, known, faults)


def _judge_plain_grids(job: Job, recorded: RecordedRun, known: dict[str, Json], faults: Faults) -> None:
    """All images, in order; returned masks may stand among them."""
    names = [m["name"] for m in recorded.finals()]
    loops, rounds = job.expected.loops
    if rounds > 1:
        names = names[loops - 1:: loops]
    for grid in recorded.grids():
        members = [n for n in grid["members"] if known.get(n, {}).get("role") == "final"]
        if job.expected.variant == "line" and members != names:  # the grid of one line's batch
            row = {str((known[n].get("variant") or {}).get("values")) for n in members}
            right = len(row) == 1 and len(members) == job.expected.per_cell
            faults.check("members", right, job, f"{recorded.run_id}/{grid['name']}: {members}")
        else:
            faults.equal("members", members, names, job, f"{recorded.run_id}/{grid['name']}")


def _judge_plot_grids(job: Job, recorded: RecordedRun, known: dict[str, Json], faults: Faults) -> None:
    """The whole plot has every cell, a sub grid the cells of one Z value; a cell's own grid its images."""
    names, each = {m["name"] for m in recorded.finals()}, job.expected.per_cell
    cells = len(names) // each
    plots = [g for g in recorded.grids() if each == 1 or _cells_of(g, known) != 1 or cells == 1]
    if not faults.check("members", bool(plots), job, f"{recorded.run_id}: no grid of the plot"):
        return
    whole = max(plots, key=lambda grid: len(grid["members"]))
    if each == 1:
        faults.equal("members", sorted(whole["members"]), sorted(names), job, f"{recorded.run_id}/{whole['name']}")
    else:
        faults.equal("members", _cells_of(whole, known), cells, job, f"{recorded.run_id}/{whole['name']}: cells in {whole['members']}")
    if len(job.expected.axes) == 3:
        label = job.expected.axes[2][0]
        for grid in plots:
            if grid is not whole and len(grid["members"]) < len(whole["members"]):
                values = {str(((known.get(n, {}).get("variant") or {}).get("values") or {}).get(label)) for n in grid["members"]}
                faults.check("members", len(values) == 1, job, f"{recorded.run_id}/{grid['name']}: {label} {values}")


def _cells_of(grid: Json, known: dict[str, Json]) -> int:
    """How many passes are in a grid; a member may be the grid of a cell's own batch."""
    rows = set()
    for name in grid["members"]:
        member = known.get(name, {})
        for inner in member["members"] if member.get("stage") == "grid" else [name]:
            rows.add((known.get(inner, {}).get("variant") or {}).get("row"))
    return len(rows)


def _judge_tiles(job: Job, recorded: RecordedRun, known: dict[str, Json], faults: Faults) -> None:
    """Every tile, never saved itself, is in exactly one picture."""
    pictures = [m for m in recorded.finals() if m["path"] is not None]
    members = Counter(member for picture in pictures for member in picture["members"])
    for picture in pictures:
        paths = {known[member]["path"] for member in picture["members"] if member in known}
        faults.equal("tiles", paths, {None}, job, f"{recorded.run_id}/{picture['name']}: paths of members")
    for grid in recorded.grids():
        faults.equal("members", grid["members"], [m["name"] for m in pictures], job, f"{recorded.run_id}/{grid['name']}")
    tiles = {m["name"] for m in recorded.finals() if m["path"] is None}
    faults.equal("tiles", dict(members), dict.fromkeys(tiles, 1), job, f"{recorded.run_id}: tiles and how often they are members")


def judge_variants(job: Job, recorded: RecordedRun, said: dict[str, dict[str, str]], faults: Faults) -> None:
    """`said`: by manifest name what the host reads from the file."""
    if job.press is not None or job.must_fail or job.expected.is_made_of_tiles:
        return
    cells = recorded.finals()
    if job.expected.variant is None:
        wrong = [m["name"] for m in cells if m.get("variant")]
        faults.check("no variant", not wrong, job, f"{recorded.run_id}: {wrong}")
        return
    rows: dict[Any, list[Any]] = defaultdict(list)
    for manifest in cells:
        variant, name = manifest.get("variant"), f"{recorded.run_id}/{manifest['name']}"
        if faults.check("variant", bool(variant) and isinstance(variant.get("values"), dict), job, f"{name}: {variant}"):
            rows[variant["row"]].append(variant["index"])
            _judge_values(job, manifest, variant["values"], said.get(manifest["name"], {}), faults, name)
    _judge_rows(job, recorded, rows, faults)
    if job.expected.variant == "xyz":
        _judge_product(job, recorded, cells, faults)


def _judge_rows(job: Job, recorded: RecordedRun, rows: dict[Any, list[Any]], faults: Faults) -> None:
    """Pass by pass and inside a pass numbered without gaps; each pass with as many images as it gives."""
    faults.check("variant row", _has_no_gaps(list(rows)), job, f"{recorded.run_id}: rows {list(rows)}")
    for row, places in rows.items():
        faults.check("variant index", _has_no_gaps(places), job, f"{recorded.run_id}: row {row}: {places}")
    if job.expected.variant != "prompt" and rows:
        counts = {len(places) for places in rows.values()}
        faults.equal("variant row", counts, {job.expected.per_cell}, job, f"{recorded.run_id}: images in a row")


def _has_no_gaps(numbers: list[Any]) -> bool:
    known = sorted(number for number in numbers if number is not None)
    return len(known) == len(numbers) and known == list(range(known[0], known[0] + len(known))) if known else not numbers


def _judge_product(job: Job, recorded: RecordedRun, cells: list[Json], faults: Faults) -> None:
    labels = [label for label, _ in job.expected.axes]
    wanted = Counter(tuple(map(str, values)) for values in product(*(values for _, values in job.expected.axes)))
    found = Counter(tuple(str(((m.get("variant") or {}).get("values") or {}).get(label)) for label in labels) for m in cells)
    each = {values: count * job.expected.per_cell for values, count in wanted.items()}
    faults.equal("variant values: the whole plot", dict(found), each, job, recorded.run_id)


def _judge_values(job: Job, manifest: Json, values: Json, said: dict[str, str], faults: Faults, name: str) -> None:
    kind = job.expected.variant
    if kind == "prompt":
        right = set(values) == {"prompt"} and str(values["prompt"]).strip() == manifest["prompt"].strip()
        faults.check("variant values", right, job, f"{name}: {values}, prompt {manifest['prompt']!r}")
    elif kind == "line":
        right = set(values) >= {"line", "prompt"} and "door" in str(values["prompt"])
        faults.check("variant values", right, job, f"{name}: {values}, prompt {manifest['prompt']!r}")
    elif kind == "loop":
        faults.check("variant values", set(values) == {"loop"}, job, f"{name}: {values}")
    elif said:
        for label, value in values.items():
            text = _shown(label, said)
            right = str(value) in text if label == "Prompt S/R" else _same(label, value, text, manifest, job)
            faults.check("variant values", right, job, f"{name}: {label} {value!r}, the infotext says {text!r}")


def _shown(label: str, said: dict[str, str]) -> str:
    if label == "Size":
        return f"{said.get('Size-1')}x{said.get('Size-2')}"
    key = {"Prompt S/R": "Prompt", "Checkpoint name": "Model"}.get(label, TEXT_KEYS.get(label, label))
    return str(said.get(key))


def _same(label: str, value: Any, text: str, manifest: Json, job: Job) -> bool:
    """Seeds of the second image of a cell count up from the cell's."""
    place = (manifest["batch"] or {}).get("index") or 0
    if label in ("Seed", "Var. seed") and text.isdigit():
        return int(text) - int(value) in (0, place)
    if label == "Checkpoint name":
        return str(value).startswith(text)
    try:
        return float(value) == float(text)
    except ValueError:
        return str(value) == text

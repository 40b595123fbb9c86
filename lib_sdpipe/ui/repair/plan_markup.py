"""HTML of plans before they are done, of what came of them, and of past repairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.html_text import dots, e, show_box, show_facts, show_hint, show_status
from lib_sdpipe.ui.repair.markup import do_button, show_pager, show_slots
from lib_sdpipe.ui.repair.present import Slot, format_place
from lib_sdpipe.ui.repair.present_plan import OperationView, Row
from lib_sdpipe.ui.repair.words import CODE_WORDS, OPERATION_WORDS
from lib_sdpipe.ui.words import Status

OPERATIONS_PER_PAGE = 6
PAST_PER_PAGE = 10
_MOST_REASONS = 20

Kind = tuple[str, str]
"""The code of findings and the operation that is done about them."""


@dataclass(frozen=True)
class PlanView:
    """A plan; `kind` is the one of its kinds of operations that is open. `undoes`: it is the way back of a past repair."""

    plan_id: str
    counts: dict[Kind, int]
    undoes: str | None
    notes: list[str]
    kind: Kind | None
    page: int
    rows: list[OperationView]


@dataclass(frozen=True)
class OutcomeView:
    """What a repair or its undoing did; `failed` are (where, why)."""

    is_undo: bool
    done: int
    skipped: int
    failed: list[tuple[str, str]]
    is_interrupted: bool
    apply_id: str | None
    seconds: float


@dataclass(frozen=True)
class PastView:
    """One past repair. `count` operations of it stand; `what` says what they are."""

    apply_id: str
    when: str
    state: Status
    count: int
    what: list[str]
    can_be_undone: bool


def describe_kind(kind: Kind, count: int) -> str:
    code, operation = kind
    known, about = OPERATION_WORDS.get(operation), CODE_WORDS.get(code)
    return f"{count:,} × {known.done if known else operation}" + (f" · {about.title}" if about else "")


def describe_deeds(counts: dict[Kind, int]) -> list[str]:
    """What a past repair did, by operation."""
    by_operation: Counter[str] = Counter()
    for (_, operation), count in counts.items():
        by_operation[operation] += count
    known = OPERATION_WORDS
    return [f"{count:,} × {known[op].done if op in known else op}" for op, count in by_operation.most_common()]


def show_plan_bar(planned: int, is_busy: bool, is_stale: bool) -> str:
    """Below the findings: the way to a plan."""
    if is_stale:
        text = "Something was repaired since this check: check again to see how things are."
    elif planned:
        text = f"Something would be done about {words.format_count(planned, 'finding')}."
    else:
        text = "Nothing is chosen yet. Choose above what is to be done."
    button = do_button("Show the plan", {"do": "plan"}, "sdpipe-button sdpipe-main-button", "plan", is_busy or not planned)
    calm = "<span>Nothing is done before you have seen it.</span>"
    return f'<div class="sdpipe-card sdpipe-plan-bar">{button}<span>{e(text)}</span>{calm}</div>'


def show_plan(plan: PlanView, pictures: dict[Slot, str | None], is_busy: bool) -> str:
    total = sum(plan.counts.values())
    title = "What will be taken back" if plan.undoes else "What will be done"
    if total == 0 and not plan.notes:
        hint = "There is nothing left to take back." if plan.undoes else "There is nothing to do: what was found may be gone by now."
        close = do_button("Close", {"do": "drop", "plan": plan.plan_id}, keep="drop")
        heading = f'<h3 class="sdpipe-title">{e(title)}</h3>'
        return f'<section class="sdpipe-card sdpipe-plan" aria-label="{e(title)}">{heading}{show_hint(hint)}{close}</section>'
    groups = "".join(_show_kind(plan, kind, count, pictures) for kind, count in plan.counts.items())
    return (
        f'<section class="sdpipe-card sdpipe-plan" aria-label="{e(title)}" data-sdpipe-plan="{e(plan.plan_id)}">'
        f'<h3 class="sdpipe-title">{e(title)}</h3>{"".join(f"<p>{e(note)}</p>" for note in plan.notes)}{groups}'
        f'<div class="sdpipe-doings">{_show_deeds(plan, total, is_busy)}</div></section>'
    )


def _show_deeds(plan: PlanView, total: int, is_busy: bool) -> str:
    count = words.format_count(total, "operation")
    main = "sdpipe-button sdpipe-main-button"
    close = do_button("Close without doing it", {"do": "drop", "plan": plan.plan_id}, keep="drop", is_off=is_busy)
    if plan.undoes:
        label = f"Take back {count}" if total else "Take it back"
        return do_button(label, {"do": "undo", "plan": plan.plan_id}, main, "undo", is_busy) + close
    if not total:
        return close
    apply = do_button(f"Do {count}", {"do": "apply", "plan": plan.plan_id}, main, "apply", is_busy)
    download = do_button("Download the plan", {"do": "download", "plan": plan.plan_id}, keep="download")
    return f'{apply}{download}{close}<span class="sdpipe-dot">It can be taken back afterwards.</span>'


def _show_kind(plan: PlanView, kind: Kind, count: int, pictures: dict[Slot, str | None]) -> str:
    is_open = plan.kind == kind
    data: Json = {"do": "kind", "plan": plan.plan_id, "code": kind[0], "operation": kind[1]}
    known = OPERATION_WORDS.get(kind[1])
    more = f' aria-expanded="{"true" if is_open else "false"}"'
    head = do_button(describe_kind(kind, count), data, "sdpipe-fold sdpipe-fold-small", f"kind-{kind[0]}-{kind[1]}", more=more)
    if not is_open:
        return head
    rows = "".join(_show_operation(row, pictures) for row in plan.rows)
    turned = {**data, "stay": True}
    pager = show_pager(turned, "page", plan.page, count, OPERATIONS_PER_PAGE, f"kind-page-{kind[0]}-{kind[1]}")
    meaning = f'<p class="sdpipe-meaning">{e(known.meaning)}</p>' if known else ""
    return f'{head}{meaning}<ol class="sdpipe-findings" start="{plan.page * OPERATIONS_PER_PAGE + 1}">{rows}</ol>{pager}'


def _show_operation(row: OperationView, pictures: dict[Slot, str | None]) -> str:
    deeds = "".join(f'<p class="sdpipe-deed">{e(deed)}</p>' for deed in row.deeds)
    tables = "".join(_show_rows(file, rows) for file, rows in row.rows)
    left = show_hint(f"And {row.left:,} more fields; the downloaded plan has them all.") if row.left else ""
    facts = show_facts(row.facts) if row.facts else ""
    return (
        f'<li>{show_slots(row.slots, pictures)}<div class="sdpipe-finding">'
        f'<strong class="sdpipe-whereabouts" dir="auto">{e(row.title)}</strong>'
        f"{facts}{deeds}{tables}{left}</div></li>"
    )


def _show_rows(file: str, rows: list[Row]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{e(row.what)}</th><td class="sdpipe-before" dir="auto">{e(row.before) if row.before is not None else ""}</td>'
        f'<td class="sdpipe-after" dir="auto">{e(row.after)}</td></tr>'
        for row in rows
    )
    head = '<thead><tr><th scope="col">Field</th><th scope="col">Now</th><th scope="col">Afterwards</th></tr></thead>'
    return f'<div class="sdpipe-difftable"><table><caption><code>{e(file)}</code></caption>{head}<tbody>{lines}</tbody></table></div>'


def show_outcome(outcome: OutcomeView, is_busy: bool) -> str:
    verb = "taken back" if outcome.is_undo else "done"
    counts = [f"{words.format_count(outcome.done, 'operation')} {verb}"]
    counts += [f"{outcome.skipped:,} not needed any more"] if outcome.skipped else []
    counts += [f"{len(outcome.failed):,} not done"] if outcome.failed else []
    sentences = ["It was stopped between two operations. Do the plan again and it goes on; undo takes back what was done."]
    stopped = show_box("warning", sentences if outcome.is_interrupted else [])
    reasons = "".join(f'<li><strong dir="auto">{e(where)}</strong> {e(why)}</li>' for where, why in outcome.failed[:_MOST_REASONS])
    more = f"<li>and {len(outcome.failed) - _MOST_REASONS:,} more</li>" if len(outcome.failed) > _MOST_REASONS else ""
    failed = f'<details open><summary>What was not done, and why</summary><ul class="sdpipe-reasons">{reasons}{more}</ul></details>'
    back = ""
    if outcome.apply_id and not outcome.is_undo:
        back = do_button("Undo …", {"do": "undo-preview", "apply": outcome.apply_id}, keep="outcome-undo", is_off=is_busy)
    kind = "sdpipe-partly" if outcome.failed or outcome.is_interrupted else "sdpipe-well"
    return (
        f'<section class="sdpipe-card sdpipe-outcome {kind}" aria-label="What was done" role="status"><div class="sdpipe-board-head">'
        f'{dots([*counts, words.format_duration(outcome.seconds * 1000)])}{back}</div>{stopped}{failed if outcome.failed else ""}</section>'
    )


def show_past(past: list[PastView], page: int, has_more: bool, is_busy: bool) -> str:
    """The list of past repairs, newest first."""
    if not past and page == 0:
        return ""
    rows = "".join(_show_past_row(one, is_busy) for one in past)
    pager = ""
    if page or has_more:
        newer = do_button("Newer", {"do": "past", "page": page - 1}, keep="past-newer", is_off=page <= 0)
        older = do_button("Older", {"do": "past", "page": page + 1}, keep="past-older", is_off=not has_more)
        pager = f'<nav class="sdpipe-turn" aria-label="Pages">{newer}{older}</nav>'
    return (
        '<section class="sdpipe-card" aria-label="Past repairs"><h3 class="sdpipe-title">Past repairs</h3>'
        f'<div class="sdpipe-past"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">State</th>'
        f'<th scope="col"><span class="sdpipe-unseen">Undo</span></th></tr></thead><tbody>{rows}</tbody></table></div>{pager}</section>'
    )


def _show_past_row(past: PastView, is_busy: bool) -> str:
    undo = ""
    if past.can_be_undone:
        undo = do_button("Undo …", {"do": "undo-preview", "apply": past.apply_id}, keep=f"undo-{past.apply_id}", is_off=is_busy)
    what = dots(past.what) or e(words.format_count(past.count, "operation"))
    return f'<tr><td title="{e(past.apply_id)}">{e(past.when)}</td><td>{what}</td><td>{show_status(past.state)}</td><td>{undo}</td></tr>'


def show_adoption_choices(takes_all: bool, limit: int | None, limits: tuple[int | None, ...], roots: list[str], is_busy: bool) -> str:
    """For images without a record: how many are adopted at once, and a way to adopt a whole root."""
    buttons = "".join(
        do_button(
            f"The oldest {number:,}" if number is not None else "All at once", {"do": "limit", "limit": number}, "sdpipe-chip",
            f"limit-{number}", is_busy, f' role="radio" aria-checked="{"true" if number == limit else "false"}"',
        )
        for number in limits
    )
    pressed = f' aria-pressed="{"true" if takes_all else "false"}"'
    all_too = do_button("Also images without any text", {"do": "takes-all"}, "sdpipe-chip", "takes-all", is_busy, pressed)
    whole = "".join(
        do_button(root, {"do": "adopt", "root": root, "path": ""}, keep=f"adopt-root-{root}", is_off=is_busy) for root in roots
    )
    return (
        f'<div class="sdpipe-adoption"><div class="sdpipe-options" role="radiogroup" aria-label="How many are adopted at once">{buttons}'
        f'</div>{all_too}<div class="sdpipe-whole"><span>Show what adopting makes of a whole folder:</span> {whole}</div></div>'
    )


def describe_failure(operation: Json | None, op_id: str) -> str:
    """Where an operation was to happen, for the list of those that were not done."""
    if operation is None:
        return op_id
    known = OPERATION_WORDS.get(str(operation.get("op")))
    place = format_place(operation.get("root"), operation.get("path")) or str(operation.get("run_id") or op_id)
    return f"{known.label if known else operation.get('op')}: {place}"

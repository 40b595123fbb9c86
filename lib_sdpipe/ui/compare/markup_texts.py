"""HTML of what is compared as text: prompts with their changes marked, tables of fields. Nothing is said by colour alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from lib_sdpipe.manifest.compare_prompts import PromptDifference, PromptStep
from lib_sdpipe.ui.compare.present import Cell, PromptView, Row, StageRow, Table
from lib_sdpipe.ui.html_text import e
from lib_sdpipe.ui.words import format_count

_SYNTAX = re.compile(r"\S+")
# Words of each kind for those who hear the page; the others see the marks.
_SPOKEN = {"added": "added:", "removed": "removed:", "moved-to": "moved here:", "moved-from": "moved away:"}
_ENDINGS = {"added": "end of added", "removed": "end of removed", "moved-to": "end of moved", "moved-from": "end of moved"}
_TAGS = {"added": "ins", "removed": "del", "moved-to": "ins", "moved-from": "del"}


def show_heading(letters: Sequence[str]) -> str:
    return "".join(f'<th scope="col"><span class="sdpipe-letter">{e(letter)}</span></th>' for letter in letters)


def show_table(table: Table, letters: Sequence[str], label: str, nothing: str = "Nothing differs.") -> str:
    """Differing rows first; equal ones are folded. Empty where there is nothing at all."""
    if not table.differing and not table.equal:
        return ""
    differing = _show_rows(table.differing, letters, f"{label}: what differs")
    parts = [differing if table.differing else f'<p class="sdpipe-same">{e(nothing)}</p>']
    if table.equal:
        equal = [Row(row.name, row.cells[:1]) for row in table.equal]
        parts.append(
            f'<details class="sdpipe-equal"><summary><span>Equal</span> <span>{len(equal):,}</span></summary>'
            f'{_show_rows(equal, [], f"{label}: what is equal")}</details>'
        )
    return "".join(parts)


def show_rows(rows: list[Row], letters: Sequence[str], label: str) -> str:
    return _show_rows(rows, letters, label)


def show_stages(stages: list[StageRow], letters: Sequence[str]) -> str:
    """A row a stage, a column an image; what differs from the first that went through it is marked."""
    rows = "".join(
        f'<tr><th scope="row">{e(stage.name)}</th>{"".join(_show_stage_cells(cells) for cells in stage.columns)}</tr>' for stage in stages
    )
    return _table(rows, letters, "Stages")


def show_prompt(prompt: PromptView, letters: Sequence[str]) -> str:
    """The first one's text, and what becomes of it in each of the others."""
    if not prompt.text and all(found is None for found in prompt.differences):
        return ""
    parts = []
    same = [letter for letter, found in zip(letters[1:], prompt.differences) if found is None]
    if same:
        everybody = len(same) == len(prompt.differences)
        which = "The same everywhere." if everybody else f"The same in {letters[0]} and {', '.join(same)}."
        parts.append(f'<p class="sdpipe-same">{e(which)}</p><div class="sdpipe-words" dir="auto">{e(prompt.text)}</div>')
    for letter, found in zip(letters[1:], prompt.differences):
        if found is not None:
            parts.append(
                f'<div class="sdpipe-changes"><p class="sdpipe-changes-head"><span class="sdpipe-letter">{e(letters[0])}</span>'
                f'<span aria-hidden="true">→</span><span class="sdpipe-unseen">to</span><span class="sdpipe-letter">{e(letter)}</span>'
                f'<span class="sdpipe-changes-count">{e(count_changes(found))}</span></p>'
                f'<div class="sdpipe-words" dir="auto" tabindex="0" role="group" aria-label="{e(prompt.name)}">{show_words(found)}</div>'
                "</div>"
            )
    return f'<h4>{e(prompt.name)}</h4>{"".join(parts)}'


def count_changes(difference: PromptDifference) -> str:
    """`2 words added, 1 removed, 1 weight changed, 1 moved`; commas and brackets are not counted."""
    counts = dict.fromkeys(("added", "removed", "weight", "moved-to"), 0)
    for step in difference.steps:
        token = step.new or step.old
        if step.kind in counts and token is not None and token.kind != "comma":
            counts[step.kind] += 1
    texts = [
        f"{format_count(counts['added'], 'word')} added" if counts["added"] else "",
        f"{format_count(counts['removed'], 'word')} removed" if counts["removed"] else "",
        f"{format_count(counts['weight'], 'weight')} changed" if counts["weight"] else "",
        f"{format_count(counts['moved-to'], 'word')} moved" if counts["moved-to"] else "",
        "of a very long prompt only the beginning is compared" if difference.is_cut else "",
    ]
    return ", ".join(text for text in texts if text) or "only commas differ"


def show_words(difference: PromptDifference) -> str:
    """The new prompt with what was removed standing in it."""
    parts = []
    for (kind, old, new), group in groupby(difference.steps, key=_group_key):
        steps = list(group)
        parts.append(_show_weighed(steps, old, new) if kind == "weight" else _show_group(kind, steps))
    return "".join(parts) + e(difference.tail)


def _group_key(step: PromptStep) -> tuple[str, str, str]:
    """Words whose weight changes alike stand together."""
    if step.kind == "weight" and step.old is not None and step.new is not None:
        return "weight", step.old.weight, step.new.weight
    return step.kind, "", ""


def _show_group(kind: str, steps: list[PromptStep]) -> str:
    if kind == "same":
        return "".join(e(step.new.before + step.new.text) for step in steps if step.new is not None)
    lead, text = _split_lead("".join(_iter_texts(steps)))
    spoken, ending = (f'<span class="sdpipe-unseen"> {word} </span>' for word in (_SPOKEN[kind], _ENDINGS[kind]))
    tag = _TAGS[kind]
    moved = ' class="sdpipe-moved"' if kind.startswith("moved") else ""
    return f"{e(lead)}<{tag}{moved}>{spoken}{e(text)}{ending}</{tag}>"


def _iter_texts(steps: list[PromptStep]) -> Iterator[str]:
    """Brackets of the old prompt would stand unbalanced in the new one: of what goes, a weight is said behind it."""
    for step in steps:
        if step.new is not None:
            yield step.new.before + step.new.text
        elif step.old is not None:
            is_weighed = step.old.kind == "word" and step.old.weight != "1"
            yield _SYNTAX.sub("", step.old.before) + step.old.text + (f" ×{step.old.weight}" if is_weighed else "")


def _show_weighed(steps: list[PromptStep], old: str, new: str) -> str:
    lead, text = _split_lead("".join(step.new.before + step.new.text for step in steps if step.new is not None))
    change = (
        f'<span class="sdpipe-weight-change"><span class="sdpipe-unseen">weight changed from</span> {e(old)}'
        f'<span aria-hidden="true"> → </span><span class="sdpipe-unseen">to</span> {e(new)}</span>'
    )
    return f'{e(lead)}<span class="sdpipe-weighed">{e(text)} {change}</span>'


def _split_lead(text: str) -> tuple[str, str]:
    """Blanks before a mark stand outside of it."""
    bare = text.lstrip()
    return text[:len(text) - len(bare)], bare


def _show_rows(rows: list[Row], letters: Sequence[str], label: str) -> str:
    shown = "".join(f'<tr><th scope="row">{e(row.name)}</th>{"".join(_show_cell(cell) for cell in row.cells)}</tr>' for row in rows)
    return _table(shown, letters, label)


def _table(rows: str, letters: Sequence[str], label: str) -> str:
    head = f'<thead><tr><td></td>{show_heading(letters)}</tr></thead>' if letters else ""
    return (
        f'<div class="sdpipe-table-frame" tabindex="0" role="group" aria-label="{e(label)}">'
        f'<table class="sdpipe-table">{head}<tbody>{rows}</tbody></table></div>'
    )


def _show_cell(cell: Cell) -> str:
    change = f' <span class="sdpipe-change">{e(cell.change)}</span>' if cell.change else ""
    if cell.words is not None:
        return f'<td class="sdpipe-differs">{_MARK}<span class="sdpipe-words-inline" dir="auto">{show_words(cell.words)}</span></td>'
    text = f'<span dir="auto">{e(cell.text)}</span>' if cell.text else _NOTHING
    return f'<td class="sdpipe-differs">{_MARK}{text}{change}</td>' if cell.differs else f"<td>{text}{change}</td>"


def _show_stage_cells(cells: list[Cell]) -> str:
    if not cells:
        return f"<td>{_NOTHING}</td>"
    shown = "".join(
        f'<li class="sdpipe-differs">{_MARK}{e(cell.text)}</li>' if cell.differs else f"<li>{e(cell.text)}</li>" for cell in cells
    )
    return f'<td><ul class="sdpipe-stage-facts">{shown}</ul></td>'


_MARK = '<span class="sdpipe-mark" aria-hidden="true">≠</span><span class="sdpipe-unseen">differs:</span> '
_NOTHING = '<span aria-hidden="true">–</span><span class="sdpipe-unseen">nothing</span>'

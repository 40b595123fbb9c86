"""HTML of what is compared as text: prompts with their changes marked, tables of fields. Nothing is said by colour alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from lib_sdpipe.manifest.compare_prompts import PromptDifference, PromptStep
from lib_sdpipe.manifest.prompt_words import PromptToken
from lib_sdpipe.ui.compare.present import Cell, PromptView, Row, StageRow, Table
from lib_sdpipe.ui.html_text import e
from lib_sdpipe.ui.words import format_count

_SYNTAX = re.compile(r"\S+")
# Up to the last bracket that closes: `:1.2)`.
_CLOSERS = re.compile(r"[^(\[]*[)\]]")
# Words of each kind for those who hear the page; the others see the marks.
_SPOKEN = {"added": "added:", "removed": "removed:", "moved-to": "moved here:", "moved-from": "moved away:"}
_ENDINGS = {"added": "end of added", "removed": "end of removed", "moved-to": "end of moved", "moved-from": "end of moved"}
_TAGS = {"added": "ins", "removed": "del", "moved-to": "ins", "moved-from": "del"}


def show_heading(letters: Sequence[str]) -> str:
    return "".join(f'<th scope="col"><span class="sdpipe-letter">{e(letter)}</span></th>' for letter in letters)


def show_table(table: Table, letters: Sequence[str], label: str, nothing: str = "Nothing differs.") -> str:
    """Differing rows first; the others are folded. Empty where there is nothing at all."""
    if not (table.differing or table.partial or table.equal):
        return ""
    differing = _show_rows(table.differing, letters, f"{label}: what differs")
    parts = [differing if table.differing else "" if table.partial else f'<p class="sdpipe-same">{e(nothing)}</p>']
    if table.partial:
        parts.append(_fold("Only some have these", table.partial, letters, f"{label}: what only some have"))
    if table.equal:
        parts.append(_fold("Equal", [Row(row.name, row.cells[:1]) for row in table.equal], [], f"{label}: what is equal"))
    return "".join(parts)


def _fold(title: str, rows: list[Row], letters: Sequence[str], label: str) -> str:
    summary = f'<summary><span>{e(title)}</span> <span class="sdpipe-where">{len(rows):,}</span></summary>'
    return f'<details class="sdpipe-equal">{summary}{_show_rows(rows, letters, label)}</details>'


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
    texts = _new_texts(difference)
    parts = []
    for (kind, old, new), group in groupby(zip(difference.steps, texts), key=lambda pair: _group_key(pair[0])):
        steps = list(group)
        written = "".join(text for _, text in steps)
        if kind == "same":
            parts.append(e(written))
        elif kind == "weight":
            parts.append(_show_weighed(written, old, new))
        else:
            parts.append(_show_mark(kind, written or _old_text([step.old for step, _ in steps if step.old is not None])))
    return "".join(parts) + e(_CLOSERS.sub("", difference.tail, count=1) if any(texts) else difference.tail)


def _new_texts(difference: PromptDifference) -> list[str]:
    """What each step writes of the new prompt, empty for what goes. Brackets that close after a word stand with it."""
    texts: list[str] = []
    last = None
    for step in difference.steps:
        before = step.new.before if step.new is not None else ""
        closers = _CLOSERS.match(before) if last is not None else None
        if closers is not None and last is not None:
            texts[last] += closers.group()
            before = before[closers.end():]
        texts.append(before + step.new.text if step.new is not None else "")
        last = len(texts) - 1 if step.new is not None else last
    closers = _CLOSERS.match(difference.tail)
    if closers is not None and last is not None:
        texts[last] += closers.group()
    return texts


def _group_key(step: PromptStep) -> tuple[str, str, str]:
    """Words whose weight changes alike stand together."""
    if step.kind == "weight" and step.old is not None and step.new is not None:
        return "weight", step.old.weight, step.new.weight
    return step.kind, "", ""


def _show_mark(kind: str, written: str) -> str:
    lead, text = _split_lead(written)
    spoken, ending = (f'<span class="sdpipe-unseen"> {word} </span>' for word in (_SPOKEN[kind], _ENDINGS[kind]))
    tag = _TAGS[kind]
    moved = ' class="sdpipe-moved"' if kind.startswith("moved") else ""
    return f"{e(lead)}<{tag}{moved}>{spoken}{e(text)}{ending}</{tag}>"


def _old_text(tokens: list[PromptToken]) -> str:
    """Brackets of the old prompt would stand unbalanced in the new one: of what goes, a weight is said behind it."""
    texts = []
    for weight, group in groupby(tokens, key=lambda token: token.weight if token.kind == "word" else "1"):
        texts += [_SYNTAX.sub("", token.before) + token.text for token in group]
        texts += [f" ×{weight}"] if weight != "1" else []
    return "".join(texts)


def _show_weighed(written: str, old: str, new: str) -> str:
    lead, text = _split_lead(written)
    change = (
        f'<span class="sdpipe-weight-change"><span class="sdpipe-unseen">weight changed from</span> {e(old)}'
        f' <span aria-hidden="true">→</span> <span class="sdpipe-unseen">to</span> {e(new)}</span>'
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
        f'<table class="sdpipe-compare-table">{head}<tbody>{rows}</tbody></table></div>'
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

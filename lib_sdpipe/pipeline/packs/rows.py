"""Rows of text files: `.txt` in blocks, `.tsv` in lines. StableNew's files are read as it reads them, bounded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from lib_sdpipe.errors import RecordError
from lib_sdpipe.pipeline.packs.pack import LARGEST_PACK, MOST_LINES, MOST_ROWS, Row
from lib_sdpipe.pipeline.stage_fields import LONGEST_PROMPT

_LINE_END = re.compile("\r\n|\r|\n")
_NEGATIVE = re.compile(r"neg:\s*", re.IGNORECASE)
# StableNew's way to name an embedding. The hosts take it for an unknown extra network and drop it: theirs is the bare name.
_WEIGHTED = re.compile(r"\([ \t]*<embedding:([^<>:]+)>[ \t]*:[ \t]*([-+]?[0-9.]{1,12})[ \t]*\)", re.IGNORECASE)
_EMBEDDING = re.compile(r"<embedding:([^<>:]+)(?::([-+]?[0-9.]{1,12}))?>", re.IGNORECASE)
_LORA = re.compile(r"<lora:[^<>]+>", re.IGNORECASE)
# What stands between tags on a line that has nothing else.
_BETWEEN = " \t,"

Numbered = tuple[int, str]
"""A line's number from 1, and its text without blanks at its ends."""


def decode_text(data: bytes, what: str) -> str:
    """The text of a file that a person wrote: UTF-8, or UTF-16 that says so. Raises RecordError."""
    if len(data) > LARGEST_PACK:
        raise RecordError(f"{what}: larger than {LARGEST_PACK >> 20} MB, which no prompt pack is")
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise RecordError(f"{what}: not readable as UTF-8 (byte {fault.start + 1}); save it as UTF-8 in your editor") from fault
    if "\0" in text:
        raise RecordError(f"{what}: holds bytes that no text has; save it as UTF-8 in your editor")
    if max(text.count("\n"), text.count("\r")) > MOST_LINES:
        raise RecordError(f"{what}: more than {MOST_LINES:,} lines; make several packs of it")
    return text


def parse_blocks(text: str, what: str, warnings: list[str]) -> tuple[Row, ...]:
    """Blocks between blank lines, each a row. `#` begins a comment, `neg:` the negative prompt. Raises RecordError."""
    rows = []
    for block in _iter_blocks(text):
        row = _parse_block(block)
        if not row.prompt:
            warnings.append(f"line {block[0][0]}: a block without a prompt, left out")
            continue
        rows.append(_checked(row, f"{what}, line {block[0][0]}"))
        _check_count(rows, what)
    return tuple(rows)


def parse_lines(text: str, what: str, warnings: list[str]) -> tuple[Row, ...]:
    """A row a line: prompt, a tab, negative prompt. Raises RecordError."""
    rows = []
    for number, line in _iter_lines(text):
        cells = [cell.strip() for cell in line.split("\t")]
        if not cells[0] or cells[0].startswith("#"):
            if not cells[0] and any(cells):
                warnings.append(f"line {number}: no prompt before its first tab, left out")
            continue
        if len(cells) > 2 and any(cells[2:]):
            warnings.append(f"line {number}: {len(cells)} columns; only the first two are read")
        negative = to_host_words(cells[1]) if len(cells) > 1 else ""
        rows.append(_checked(Row((to_host_words(cells[0]),), negative), f"{what}, line {number}"))
        _check_count(rows, what)
    return tuple(rows)


def to_host_words(text: str) -> str:
    """`<embedding:NAME>` as the hosts have it: NAME, or (NAME:1.2)."""
    text = _WEIGHTED.sub(lambda match: write_embedding(match[1], match[2]), text)
    return _EMBEDDING.sub(lambda match: write_embedding(match[1], match[2]), text)


def write_embedding(name: str, weight: str | None = None) -> str:
    name = name.strip()
    return f"({name}:{weight})" if weight is not None and weight not in ("1", "1.0") else name


def split_text(text: str) -> tuple[str, ...]:
    """The lines of a prompt, without blank ones."""
    return tuple(line for line in (line.strip() for line in _LINE_END.split(text)) if line)


def _iter_lines(text: str) -> Iterator[Numbered]:
    begin, number = 0, 1
    for match in _LINE_END.finditer(text):
        yield number, text[begin:match.start()].strip(" ")
        begin, number = match.end(), number + 1
    yield number, text[begin:].strip(" ")


def _iter_blocks(text: str) -> Iterator[list[Numbered]]:
    """Lines that belong together, comments taken out; a comment alone ends no block and makes none."""
    block: list[Numbered] = []
    for number, line in _iter_lines(text):
        line = line.strip()
        if line.startswith("#"):
            continue
        if line:
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _parse_block(block: Iterable[Numbered]) -> Row:
    lines: list[str] = []
    embeddings: list[str] = []
    negative_embeddings: list[str] = []
    loras: list[str] = []
    negatives: list[str] = []
    for _, line in block:
        if match := _NEGATIVE.match(line):
            rest = line[match.end():]
            tags = _take_alone(rest, _WEIGHTED, _EMBEDDING)
            if tags is not None:
                negative_embeddings += map(to_host_words, tags)
            elif rest:
                negatives.append(to_host_words(rest))
        elif (tags := _take_alone(line, _WEIGHTED, _EMBEDDING)) is not None:
            embeddings += map(to_host_words, tags)
        elif (tags := _take_alone(line, _LORA)) is not None:
            loras += tags
        else:
            lines.append(to_host_words(line))
    return Row(tuple(lines), ", ".join(negatives), tuple(embeddings), tuple(negative_embeddings), tuple(loras))


def _take_alone(line: str, *patterns: re.Pattern[str]) -> list[str] | None:
    """The tags of a line that has nothing else, in order; None for any other line."""
    found: list[tuple[int, str]] = []
    rest = line
    for pattern in patterns:
        found += [(match.start(), match[0]) for match in pattern.finditer(rest)]
        rest = pattern.sub(lambda match: " " * len(match[0]), rest)
    return [tag for _, tag in sorted(found)] if found and not rest.strip(_BETWEEN) else None


def _checked(row: Row, where: str) -> Row:
    for text in (row.prompt, row.negative_prompt):
        if len(text) > LONGEST_PROMPT:
            raise RecordError(f"{where}: a prompt of {len(text):,} characters; at most {LONGEST_PROMPT:,}")
    return row


def _check_count(rows: list[Row], what: str) -> None:
    if len(rows) > MOST_ROWS:
        raise RecordError(f"{what}: more than {MOST_ROWS:,} rows; make several packs of it")

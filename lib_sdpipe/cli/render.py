"""Values as terminal text. Whatever comes from a file is data: `escape_text` first, always.

Pure: the width of the terminal and the colours are arguments.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lib_sdpipe.manifest.times import parse_utc

_GAP = "  "
_CUT = "..."
# Format characters inside words of several scripts and of emoji; the rest of that class can reorder or hide text.
_HARMLESS_FORMAT = "\u200c\u200d"
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")


def escape_text(text: str) -> str:
    """`text` without anything a terminal obeys: control and format characters appear as escapes, on one line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape_character(character) for character in text)


def escape_lines(text: str) -> list[str]:
    """The lines of `text`, each escaped; tabs are blanks."""
    return [escape_text(line.replace("\t", " ").rstrip("\r")) for line in text.split("\n")]


def _escape_character(character: str) -> str:
    if character in _HARMLESS_FORMAT or unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell_width(text: str) -> int:
    """Columns a terminal gives to `text`: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut_text(text: str, width: int) -> str:
    """`text` in at most `width` columns, with dots where something was left out."""
    if cell_width(text) <= width:
        return text
    if width <= len(_CUT):
        return _CUT[:max(width, 0)]
    kept, used = "", len(_CUT)
    for character in text:
        used += _character_width(character)
        if used > width:
            break
        kept += character
    return kept + _CUT


def wrap_text(text: str, width: int | None) -> list[str]:
    """`text` in lines of at most `width` columns, broken at blanks where there are any."""
    if width is None:
        return [text]
    lines, line, used = [], "", 0
    for word in text.split(" "):
        for piece in _split_word(word, width):
            size = cell_width(piece)
            if line and used + 1 + size > width:
                lines.append(line)
                line, used = piece, size
            else:
                line, used = (f"{line} {piece}", used + 1 + size) if line else (piece, size)
    return [*lines, line]


def _split_word(word: str, width: int) -> list[str]:
    if cell_width(word) <= width:
        return [word]
    pieces, piece, used = [], "", 0
    for character in word:
        size = _character_width(character)
        if piece and used + size > width:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + size
    return [*pieces, piece]


def format_local(time: str | None) -> str:
    """A recorded time as this machine's clock shows it; a text that is no time stays as it is."""
    seconds = parse_seconds(time)
    try:
        return escape_text(time or "") if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return escape_text(time or "")


def parse_seconds(time: str | None) -> float | None:
    """Seconds since 1970; None for what is no time, also for years no clock of this platform has."""
    try:
        return parse_utc(time) if time else None
    except (ValueError, OverflowError, OSError):
        return None


def format_seconds(milliseconds: float | None) -> str:
    """`0.8 s`, `2 min 5 s`, empty where unknown."""
    if milliseconds is None or milliseconds < 0:
        return ""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


@dataclass(frozen=True)
class Column:
    """`least`: the width it may shrink to, None for never. `drop`: the highest leaves first when all have shrunk, 0 never."""

    title: str
    least: int | None = None
    drop: int = 0
    right: bool = False
    paint: Callable[[str], str] | None = None


def build_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int | None) -> list[str]:
    """A heading and aligned rows in `width` columns (None: as wide as it gets). Cells are escaped already."""
    lines = [[column.title for column in columns], *[list(row) for row in rows]]
    chosen = [number for number in range(len(columns)) if any(line[number] for line in lines[1:])]
    widths = {number: max(cell_width(line[number]) for line in lines) for number in chosen}
    if width is not None:
        _fit(columns, widths, width)
    shown = list(widths)
    return [_format_row(columns, line, widths, shown, is_heading=line is lines[0]) for line in lines]


def _fit(columns: Sequence[Column], widths: dict[int, int], width: int) -> None:
    """Narrow the widest columns that may shrink, then leave columns out, until the table fits or no more is allowed."""
    while (excess := sum(widths.values()) + len(_GAP) * (len(widths) - 1) - width) > 0:
        slack = {n: widths[n] - least for n in widths if (least := columns[n].least) is not None and widths[n] > least}
        if sum(slack.values()) >= excess:
            widest = max(slack, key=lambda n: slack[n])
            widths[widest] -= min(excess, slack[widest])
            continue
        droppable = [n for n in widths if columns[n].drop]
        if not droppable:
            for n, spare in slack.items():
                widths[n] -= spare
            return
        del widths[max(droppable, key=lambda n: columns[n].drop)]


def _format_row(columns: Sequence[Column], cells: list[str], widths: dict[int, int], shown: list[int], is_heading: bool) -> str:
    parts = []
    for number in shown:
        column, text = columns[number], cells[number]
        text = cut_text(text, widths[number]) if column.least is not None else text
        blanks = " " * (widths[number] - cell_width(text))
        text = blanks + text if column.right else text if number == shown[-1] else text + blanks
        parts.append(column.paint(text) if column.paint and not is_heading else text)
    return _GAP.join(parts).rstrip()


def build_fields(fields: Iterable[tuple[str, Sequence[str]]], width: int | None, indent: int = 0) -> list[str]:
    """`Title  text` with the texts aligned and wrapped; fields without text are left out. Texts are escaped already."""
    shown = [(title, list(texts)) for title, texts in fields if any(texts)]
    left = max((len(title) for title, _ in shown), default=0) + len(_GAP)
    room = None if width is None else max(width - indent - left, 20)
    lines: list[str] = []
    for title, texts in shown:
        wrapped = [line for text in texts for line in wrap_text(text, room)]
        heads = [title.ljust(left), *[" " * left] * (len(wrapped) - 1)]
        lines.extend((" " * indent + head + line).rstrip() for head, line in zip(heads, wrapped))
    return lines

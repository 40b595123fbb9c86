"""Days of this machine's calendar in SQL: SQLite's own `localtime` asks the system for every single row."""

from __future__ import annotations

from datetime import date, datetime

_DAY = 86_400
_STEP_DAYS = 7
# Before and after these the platform's clock knows no time zone, and no camera was there.
_FIRST, _LAST = 0, 4_102_444_800
_EPOCH = date(1970, 1, 1).toordinal()


def build_day_number(column: str, first: float, last: float) -> str:
    """An expression for the number of the local day since 1970 of a time in seconds; right from `first` to `last`."""
    offsets = _find_offsets(int(max(_FIRST, min(first, _LAST))), int(max(_FIRST, min(last, _LAST))))
    if len(offsets) == 1:
        return f"CAST(({column} + {offsets[0][1]}) / {_DAY} AS INTEGER)"
    cases = " ".join(f"WHEN {column} >= {start} THEN {offset}" for start, offset in offsets[:0:-1])
    return f"CAST(({column} + CASE {cases} ELSE {offsets[0][1]} END) / {_DAY} AS INTEGER)"


def day_of(number: int) -> date | None:
    """The day of a number; None where the calendar has none."""
    try:
        return date.fromordinal(_EPOCH + number)
    except (ValueError, OverflowError):
        return None


def _find_offsets(first: int, last: int) -> list[tuple[int, int]]:
    """(from when on, seconds that local time is ahead of UTC), oldest first."""
    found = [(first, _offset(first))]
    at = first
    while at < last:
        after = min(at + _STEP_DAYS * _DAY, last)
        offset = _offset(after)
        if offset != found[-1][1]:
            low, high = at, after  # the change lies behind `low`, and not behind `high`
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if _offset(middle) == offset else (middle, high)
            found.append((high, offset))
        at = after
    return found


def _offset(seconds: int) -> int:
    try:
        offset = datetime.fromtimestamp(seconds).astimezone().utcoffset()
    except (ValueError, OverflowError, OSError):
        return 0
    return int(offset.total_seconds()) if offset is not None else 0

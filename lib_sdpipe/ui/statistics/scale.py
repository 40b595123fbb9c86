"""Round numbers for axes. Pure."""

from __future__ import annotations

import math

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_TIME_STEPS = tuple(
    unit * number for unit, numbers in ((_SECOND, (1, 2, 5, 10, 15, 30)), (_MINUTE, (1, 2, 5, 10, 15, 30)), (_HOUR, (1, 2, 3, 6, 12)))
    for number in numbers
)


def round_ticks(most: float, wanted: int = 4, is_whole: bool = False) -> list[float]:
    """From 0 to the first round number that is `most` or more, in steps of 1, 2 or 5 times a power of ten."""
    if not most > 0 or not math.isfinite(most):
        return [0.0, 1.0]
    rough = most / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return _ticks(max(step, 1.0) if is_whole else step, most)


def round_time_ticks(most_ms: float, wanted: int = 4) -> list[float]:
    """The same for milliseconds: seconds, minutes and hours as clocks divide them."""
    rough = most_ms / wanted
    if rough < _SECOND:
        return round_ticks(most_ms, wanted)
    step = next((step for step in _TIME_STEPS if step >= rough), None)
    if step is None:
        return [tick * _DAY for tick in round_ticks(most_ms / _DAY, wanted)]
    return _ticks(float(step), most_ms)


def _ticks(step: float, most: float) -> list[float]:
    return [step * number for number in range(math.ceil(most / step * 0.999999) + 1)]

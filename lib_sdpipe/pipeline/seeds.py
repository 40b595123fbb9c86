"""Which seed the host gives to which image of a pass, and back (`process_images_inner` of the hosts). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A random one.
RANDOM = -1


def seeds_of(seed: int, subseed: int, subseed_strength: float, count: int) -> list[tuple[int, int]]:
    """Seed and variation seed of each image: with a variation strength only the latter counts up."""
    step = 0 if subseed_strength else 1
    return [(seed + place * step, subseed + place) for place in range(count)]


def request_seeds(known: Mapping[int, tuple[int | None, int | None]], subseed_strength: float, count: int) -> tuple[Any, Any]:
    """What to ask for so that image i of `count` gets the seeds known of it; None where nothing is known.

    Numbers where the known ones count up as the host counts. A script may have given others: then lists, which the host
    takes as they are, if all are known.
    """
    step = 0 if subseed_strength else 1
    seeds = {place: pair[0] for place, pair in known.items() if pair[0] is not None}
    subseeds = {place: pair[1] for place, pair in known.items() if pair[1] is not None}
    return _ask(seeds, step, count), _ask(subseeds, 1, count)


def is_random(seed: Any) -> bool:
    """Whether the host would draw a number (its `get_fixed_seed`)."""
    if isinstance(seed, str):
        try:
            seed = int(seed.strip())
        except ValueError:
            return True
    return seed is None or seed == RANDOM


def _ask(seeds: dict[int, int], step: int, count: int) -> Any:
    first = {seed - place * step for place, seed in seeds.items()}
    if len(first) == 1:
        (seed,) = first
        return seed if seed >= 0 else None
    return [seeds[place] for place in range(count)] if len(seeds) == count and first else None

"""Where torch's own random numbers stand, in three numbers.

The hosts encode the picture of an img2img pass with noise from torch's global generator (the VAE's `posterior.sample()`), and
nothing sets that before: it stands where the pass before has left it. So the same request gives other pixels here and there,
by 1, after another job. The generator is a Mersenne Twister seeded by the job before: its seed, how many blocks of 624
numbers were drawn since, and the place in the last one say all of it. Layout of the state: ATen/CPUGeneratorImpl.cpp.
"""

from __future__ import annotations

import struct
import sys
from typing import Any

import numpy as np

from lib_sdpipe.record.facts import Json

_BYTES = 5056
_HEAD = struct.Struct("<QiiQ")  # seed, left, seeded, next
_BLOCK = 624
# One pass draws a latent's numbers after it has seeded: 1024 x 1024 pixels are 105 blocks. Looking through more takes time.
_MOST_BLOCKS = 220


def read_rng_state() -> Json | None:
    """`seed`, `blocks` and `left` (in the block); None where there is no torch, or somebody has drawn far more."""
    torch: Any = sys.modules.get("torch")
    return describe_state(torch.get_rng_state().numpy().tobytes()) if torch is not None else None


def set_rng_state(state: Json | None, seed: int | None) -> None:
    """Put it where it was; where that is not known as if just seeded, so that what we make ourselves repeats."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    known = build_state(state) if state is not None else None
    if known is not None:
        torch.set_rng_state(torch.frombuffer(bytearray(known), dtype=torch.uint8))
    elif seed is not None and seed >= 0:
        torch.manual_seed(seed)


def describe_state(data: bytes) -> Json | None:
    """Three numbers for torch's 5,056 bytes; None where they do not say all of it."""
    if len(data) != _BYTES or any(data[_HEAD.size + 8 * _BLOCK:]):
        return None  # behind the numbers: a normal one that is held back
    seed, left, _, _ = _HEAD.unpack_from(data)
    numbers = np.frombuffer(data, np.uint64, _BLOCK, _HEAD.size)
    twister = np.random.RandomState(seed & 0xFFFFFFFF)
    for blocks in range(_MOST_BLOCKS + 1):
        if np.array_equal(twister.get_state(legacy=False)["state"]["key"], numbers):
            return {"seed": seed, "blocks": blocks, "left": left}
        twister.random_sample(_BLOCK // 2)
    return None


def build_state(state: Json) -> bytes | None:
    """The way back; None for what `describe_state` never says."""
    seed, blocks, left = (state.get(name) for name in ("seed", "blocks", "left"))
    if not all(isinstance(number, int) for number in (seed, blocks, left)):
        return None
    if not (0 <= seed < 1 << 64 and 0 <= blocks <= _MOST_BLOCKS and 1 <= left <= _BLOCK):
        return None
    twister = np.random.RandomState(seed & 0xFFFFFFFF)
    for _ in range(blocks):
        twister.random_sample(_BLOCK // 2)
    numbers = twister.get_state(legacy=False)["state"]["key"].astype("<u8").tobytes()
    head = _HEAD.pack(seed, left, 1, _BLOCK + 1 - left if blocks else 0)
    return head + numbers + bytes(_BYTES - len(head) - len(numbers))

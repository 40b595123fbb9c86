"""Perceptual hashes in their parts, and how far two may differ. Without numpy, which takes a while to load."""

from __future__ import annotations

from dataclasses import dataclass

# docs/formats.md: two pictures match at 32 differing steps or fewer and a mean colour difference of 1.0 or less.
MAX_DIFFERING_STEPS = 32
MAX_COLOUR_DIFFERENCE = 1.0
# Pixels within 2 of each other: tiles differ by 2 and a rounding, and steps near their threshold may flip.
NEAR_DIFFERING_STEPS = 96
NEAR_COLOUR_DIFFERENCE = 3.0
# A JPEG shifts a flat colour as a whole, past what matches: its files are compared to know.
MAYBE_COLOUR_DIFFERENCE = 3.0


@dataclass(frozen=True)
class Looks:
    """A perceptual hash in its parts."""

    steps: bytes
    colours: bytes

    @property
    def colour_sum(self) -> int:
        return sum(self.colours)


def split_hash(perceptual_hash: str | None) -> Looks | None:
    """None for what is no hash of this version."""
    parts = (perceptual_hash or "").split(":")
    if len(parts) != 3 or parts[0] != "1" or len(parts[1]) != 64 or len(parts[2]) != 96:
        return None
    try:
        return Looks(bytes.fromhex(parts[1]), bytes.fromhex(parts[2]))
    except ValueError:
        return None

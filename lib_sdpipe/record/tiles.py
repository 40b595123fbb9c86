"""Which unsaved pieces a script put together to which picture: SD upscale and the outpainting scripts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tile:
    """One image that a pass returned without saving it: its manifest's name, its pass, its place in the batch."""

    name: str
    pass_number: int
    index: int


def find_tiles(tiles: list[Tile], position: int, total: int) -> list[str]:
    """Names of the pieces of picture `position`, from 0, of the `total` that a script made of all of these.

    One picture is made of all. Where several are saved after all passes (outpainting mk2) each place of a batch grows
    into a picture of its own: pictures come batch by batch, and every batch had the same number of passes.
    """
    width = max((tile.index for tile in tiles), default=0) + 1
    if total <= 1 or total % width:
        return [tile.name for tile in tiles]
    passes = sorted({tile.pass_number for tile in tiles})
    batches = total // width
    if len(passes) % batches:
        return [tile.name for tile in tiles]
    each = len(passes) // batches
    batch, index = divmod(position, width)
    own = passes[batch * each:(batch + 1) * each]
    return [tile.name for tile in tiles if tile.pass_number in own and tile.index == index]

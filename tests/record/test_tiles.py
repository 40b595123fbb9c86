"""A picture put together by a script names the pieces it was made of."""

from __future__ import annotations

from lib_sdpipe.record.tiles import Tile, find_tiles


def test_one_picture_is_made_of_all_pieces() -> None:
    tiles = [Tile(f"img2img_{n:03d}", n // 2, n % 2) for n in range(4)]
    assert find_tiles(tiles, 0, 1) == [tile.name for tile in tiles]


def test_pictures_that_grew_side_by_side_have_each_their_own_pieces() -> None:
    """Outpainting mk2 with two directions, batch size 2, batch count 2: four passes of two, four pictures."""
    tiles = [Tile(f"p{number}i{index}", number, index) for number in range(4) for index in range(2)]
    assert [find_tiles(tiles, position, 4) for position in range(4)] == [
        ["p0i0", "p1i0"], ["p0i1", "p1i1"], ["p2i0", "p3i0"], ["p2i1", "p3i1"],
    ]


def test_pieces_that_do_not_divide_evenly_belong_to_all() -> None:
    tiles = [Tile("a", 0, 0), Tile("b", 1, 0), Tile("c", 2, 0)]
    assert find_tiles(tiles, 1, 2) == ["a", "b", "c"]
    assert find_tiles([], 0, 3) == []

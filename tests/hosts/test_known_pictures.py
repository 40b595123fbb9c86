"""Pictures are known by identity, and grids by the pictures in them."""

from __future__ import annotations

import gc

from PIL import Image

from lib_sdpipe.hosts.known_pictures import GridCalls, KnownPictures


def pictures(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (8, 8)) for _ in range(count)]


def known(cells: list[Image.Image]) -> KnownPictures:
    names = KnownPictures()
    for number, cell in enumerate(cells, 1):
        names.add(cell, f"txt2img_{number:03d}")
    return names


def test_a_picture_that_is_gone_lends_its_name_to_no_other() -> None:
    names = KnownPictures()
    picture = Image.new("RGB", (8, 8))
    names.add(picture, "txt2img_001")
    address = id(picture)
    del picture
    gc.collect()
    others = [Image.new("RGB", (8, 8)) for _ in range(100)]
    assert all(names.name_of(other) is None for other in others)
    assert address  # one of them may well live there now


def test_an_xyz_plot_saves_the_grid_of_grids_first_and_then_each() -> None:
    cells, first, second, all_of_them = pictures(4), *pictures(3)
    grids = GridCalls(known(cells))
    grids.add(cells[:2])
    grids.add(cells[2:])
    grids.add([first, second])
    assert grids.members_of(all_of_them) == ["txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004"]
    assert grids.members_of(first) == ["txt2img_001", "txt2img_002"]
    assert grids.members_of(second) == ["txt2img_003", "txt2img_004"]


def test_with_one_z_value_the_only_grid_saved_is_the_outer_one() -> None:
    cells, inner, outer = pictures(2), *pictures(2)
    grids = GridCalls(known(cells))
    grids.add(cells)
    grids.add([inner])
    assert grids.members_of(outer) == ["txt2img_001", "txt2img_002"]


def test_outpainting_draws_its_grid_before_it_saves_the_pictures_in_it() -> None:
    first, second, grid = pictures(3)
    names = KnownPictures()
    grids = GridCalls(names)
    grids.add([first, second])
    assert grids.members_of(first) is None and grids.place_in_last(first) == (0, 2)
    names.add(first, "inpaint_003")
    assert grids.members_of(second) is None and grids.place_in_last(second) == (1, 2)
    names.add(second, "inpaint_004")
    assert grids.members_of(grid) == ["inpaint_003", "inpaint_004"] and grids.place_in_last(grid) is None


def test_a_plot_lets_its_cells_go_before_it_saves_the_grid_of_them() -> None:
    cells, grid = pictures(2), pictures(1)[0]
    grids = GridCalls(known(cells))
    grids.add(cells)
    cells.clear()
    gc.collect()
    assert grids.members_of(grid) == ["txt2img_001", "txt2img_002"]


def test_without_a_drawn_grid_nothing_is_one() -> None:
    grids = GridCalls(KnownPictures())
    assert grids.members_of(pictures(1)[0]) is None

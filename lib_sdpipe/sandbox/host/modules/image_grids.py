"""Several pictures in one: grids with and without texts, and pictures cut into tiles and put together again."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from modules import script_callbacks, shared
from modules.shared import opts


def image_grid(imgs: list[Any], batch_size: int = 1, rows: int | None = None) -> Any:
    if rows is None:
        if opts.n_rows >= 0:
            rows = opts.n_rows or batch_size
        elif opts.grid_prevent_empty_spots:
            rows = next(x for x in range(math.isqrt(len(imgs)), 0, -1) if len(imgs) % x == 0)
        else:
            rows = round(math.sqrt(len(imgs)))
    rows = min(rows, len(imgs))
    params = script_callbacks.ImageGridLoopParams(imgs, math.ceil(len(imgs) / rows), rows)
    script_callbacks.image_grid_callback(params)
    w, h = max(x.width for x in imgs), max(x.height for x in imgs)
    mode = "RGBA" if shared.is_forge() else "RGB"
    colour = ImageColor.getcolor(opts.grid_background_color, mode)
    grid = Image.new(mode, (params.cols * w, params.rows * h), colour)
    for i, img in enumerate(params.imgs):
        grid.paste(img, (i % params.cols * w + (w - img.width) // 2, i // params.cols * h + (h - img.height) // 2))
    return grid


class GridAnnotation:
    def __init__(self, text: Any = "", is_active: bool = True) -> None:
        self.text, self.is_active = text, is_active


def draw_grid_annotations(im: Any, width: int, height: int, hor_texts: list[list[GridAnnotation]],
                          ver_texts: list[list[GridAnnotation]], margin: int = 0) -> Any:
    """A new RGB picture: the cells with texts above the columns and left of the rows."""
    cols, rows = im.width // width, im.height // height
    assert cols == len(hor_texts), f"bad number of horizontal texts: {len(hor_texts)}; must be {cols}"
    assert rows == len(ver_texts), f"bad number of vertical texts: {len(ver_texts)}; must be {rows}"
    fontsize = (width + height) // 25
    left = width * 3 // 4 if any(str(x.text) for texts in ver_texts for x in texts) else 0
    spacing = fontsize // 2
    lines = max(len([x for x in texts if str(x.text)]) for texts in hor_texts)
    top = lines * (round(fontsize * 0.8) + spacing) + spacing if lines else 0
    size = (im.width + left + margin * (cols - 1), im.height + top + margin * (rows - 1))
    result = Image.new("RGB", size, ImageColor.getcolor(opts.grid_background_color, "RGB"))
    for row in range(rows):
        for col in range(cols):
            cell = im.crop((width * col, height * row, width * (col + 1), height * (row + 1)))
            result.paste(cell, (left + (width + margin) * col, top + (height + margin) * row))
    drawing = ImageDraw.Draw(result)
    for col, texts in enumerate(hor_texts):
        _write(drawing, left + (width + margin) * col, spacing // 2, fontsize + spacing, texts)
    for row, texts in enumerate(ver_texts):
        _write(drawing, 0, top + (height + margin) * row + height // 2, fontsize + spacing, texts)
    return result


def _write(drawing: Any, x: int, y: int, line_height: int, texts: list[GridAnnotation]) -> None:
    for number, line in enumerate(texts):
        colour = opts.grid_text_active_color if line.is_active else opts.grid_text_inactive_color
        text = str(line.text).encode("ascii", "replace").decode()  # Pillow's own font knows no more
        drawing.text((x, y + number * line_height), text, fill=colour)


def draw_prompt_matrix(im: Any, width: int, height: int, all_prompts: list[str], margin: int = 0) -> Any:
    parts = all_prompts[1:]
    boundary = math.ceil(len(parts) / 2)

    def texts(some: list[str]) -> list[list[GridAnnotation]]:
        return [[GridAnnotation(x, is_active=pos & (1 << i) != 0) for i, x in enumerate(some)] for pos in range(1 << len(some))]

    return draw_grid_annotations(im, width, height, texts(parts[:boundary]), texts(parts[boundary:]), margin)


class Grid(NamedTuple):
    """`tiles` are rows: [y, height, [[x, width, picture], ...]]."""

    tiles: list[Any]
    tile_w: int
    tile_h: int
    image_w: int
    image_h: int
    overlap: int


def _places(length: int, tile: int, overlap: int) -> list[int]:
    count = math.ceil((length - overlap) / (tile - overlap))
    step = (length - tile) / (count - 1) if count > 1 else 0
    return [length - tile if int(i * step) + tile >= length else int(i * step) for i in range(count)]


def split_grid(image: Any, tile_w: int = 512, tile_h: int = 512, overlap: int = 64) -> Grid:
    tiles = [[y, tile_h, [[x, tile_w, image.crop((x, y, x + tile_w, y + tile_h))]
                          for x in _places(image.width, tile_w, overlap)]]
             for y in _places(image.height, tile_h, overlap)]
    return Grid(tiles, tile_w, tile_h, *image.size, overlap)


def combine_grid(grid: Grid) -> Any:
    """Put the tiles back, each over the one before with a soft edge as wide as the overlap."""
    result = Image.new("RGB", (grid.image_w, grid.image_h))
    for y, height, row in grid.tiles:
        for x, width, tile in row:
            across, down = (_ramp(size, grid.overlap if at else 0) for size, at in ((width, x), (height, y)))
            mask = (np.minimum(across[None, :], down[:, None]) * 255).astype(np.uint8)
            result.paste(tile, (x, y), mask=Image.fromarray(mask))
    return result


def _ramp(size: int, overlap: int) -> np.ndarray:
    return np.clip(np.arange(size, dtype=np.float32) / overlap, 0, 1) if overlap else np.ones(size, dtype=np.float32)

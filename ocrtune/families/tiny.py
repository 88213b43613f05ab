"""The embedded model: where its files lie, and how one line of text becomes tiles."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ocrtune.families.deepseek_ocr_model import PictureViews

FOLDER = Path(__file__).parents[1] / "assets" / "tiny"
VIEW_SIZE = (48, 384)  # height, width of a tile in pixels
STRIDE = 352  # pixels; the overlap shows letters whole that another tile's edge cuts
# How many tiles a line takes: those the model was trained with. It has no idea of seven.
TILE_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12)


def line_tiles(width: int, height: int) -> tuple[int, int]:
    """Return the scaled width of a line's picture in pixels, and how many tiles it takes."""
    tile_height, tile = VIEW_SIZE
    longest = tile + STRIDE * (TILE_COUNTS[-1] - 1)
    scaled = min(longest, max(1, round(width * tile_height / height)))
    needed = 1 + math.ceil(max(0, scaled - tile) / STRIDE)
    return scaled, next(count for count in TILE_COUNTS if count >= needed)


def lay_out_line(picture: Image.Image) -> PictureViews:
    """Return an RGB picture of one line as overlapping tiles from left to right.

    The picture is scaled to the tiles' height, keeping its shape; a line too long for all of
    TILE_COUNTS is squeezed. Behind the line the tiles are grey, which the network sees as 0.
    """
    height, tile = VIEW_SIZE
    width, tiles = line_tiles(*picture.size)
    canvas = torch.zeros(3, height, tile + STRIDE * (tiles - 1))
    resized = np.array(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    canvas[:, :, :width] = torch.from_numpy(resized / 127.5 - 1).permute(2, 0, 1)
    crops = canvas.unfold(2, tile, STRIDE).permute(2, 0, 1, 3).contiguous()
    return PictureViews(None, crops, (tiles, 1))

"""How DeepSeek-OCR v1 wants to see a picture: five layout presets.

Each preset couples what the authors call base size, image size and crop mode: never three knobs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ocrtune.families.deepseek_ocr_model import PictureViews

GREY = (127, 127, 127)


@dataclass(frozen=True, kw_only=True)
class LayoutPreset:
    """Sizes in pixels."""

    size: int  # side of the square global view
    padded: bool  # keep the picture's shape inside the square, else stretch it
    crop_size: int = 0  # side of the square crops; 0: the picture is not cut
    max_crops: int = 9


PRESETS = {
    "tiny": LayoutPreset(size=512, padded=False),
    "small": LayoutPreset(size=640, padded=False),
    "base": LayoutPreset(size=1024, padded=True),
    "large": LayoutPreset(size=1280, padded=True),
    "gundam": LayoutPreset(size=1024, padded=True, crop_size=640),
}


def lay_out_page(picture: Image.Image, preset: LayoutPreset) -> PictureViews:
    """Return the views of an RGB picture under one preset."""
    square = (preset.size, preset.size)
    if preset.padded:
        whole = ImageOps.pad(picture, square, Image.Resampling.BICUBIC, color=GREY)
    else:
        whole = picture.resize(square, Image.Resampling.BICUBIC)
    view = as_tensor(whole)
    side = preset.crop_size
    if not side or max(picture.size) <= side:
        return PictureViews(view, None)
    columns, rows = nearest_grid(*picture.size, side, preset.max_crops)
    sheet = picture.resize((columns * side, rows * side), Image.Resampling.BICUBIC)
    boxes = [
        (column * side, row * side, (column + 1) * side, (row + 1) * side)
        for row in range(rows)
        for column in range(columns)
    ]
    crops = torch.stack([as_tensor(sheet.crop(box)) for box in boxes])
    return PictureViews(view, crops, (columns, rows))


def nearest_grid(width: int, height: int, side: int, max_crops: int) -> tuple[int, int]:
    """Return the (columns, rows) of 2 to `max_crops` squares nearest to the picture's shape.

    Equally near grids, as 1 x 1, 2 x 2 and 3 x 3 would be, are told apart by size: the larger one
    is taken when the picture has more than half of its pixels.
    """
    grids = [
        (columns, rows)
        for columns in range(1, max_crops + 1)
        for rows in range(1, max_crops + 1)
        if 2 <= columns * rows <= max_crops
    ]
    best, smallest = (1, 1), float("inf")
    for columns, rows in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width / height - columns / rows)
        enough_pixels = 2 * width * height > columns * rows * side * side
        if distance < smallest or (distance == smallest and enough_pixels):
            best, smallest = (columns, rows), distance
    return best


def as_tensor(picture: Image.Image) -> Tensor:
    """Return an RGB picture as uint8 [3, height, width]; see `PictureViews`."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)

"""How DeepSeek-OCR v1 wants to see a picture: laid out under one of five presets."""

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ocrtune.families.deepseek_ocr_model import PictureViews
from ocrtune.families.page_layouts import LayoutPreset, crop_grid

GREY = (127, 127, 127)


def lay_out_page(picture: Image.Image, preset: LayoutPreset) -> PictureViews:
    """Return the views of an RGB picture under one preset."""
    square = (preset.size, preset.size)
    if preset.padded:
        whole = ImageOps.pad(picture, square, Image.Resampling.BICUBIC, color=GREY)
    else:
        whole = picture.resize(square, Image.Resampling.BICUBIC)
    view = as_tensor(whole)
    side = preset.crop_size
    columns, rows = crop_grid(*picture.size, preset)
    if not columns:
        return PictureViews(view, None)
    sheet = picture.resize((columns * side, rows * side), Image.Resampling.BICUBIC)
    boxes = [
        (column * side, row * side, (column + 1) * side, (row + 1) * side)
        for row in range(rows)
        for column in range(columns)
    ]
    crops = torch.stack([as_tensor(sheet.crop(box)) for box in boxes])
    return PictureViews(view, crops, (columns, rows))


def as_tensor(picture: Image.Image) -> Tensor:
    """Return an RGB picture as uint8 [3, height, width]; see `PictureViews`."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)

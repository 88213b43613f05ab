"""Small changes to a picture that leave its text as it is, so that few samples teach more."""

import random

import numpy as np
from PIL import Image, ImageFilter

SHIFT = 0.06  # of the height: how far a picture's edges may move in or out
STRETCH = 0.08  # how much wider or narrower a picture may become
CONTRAST = 0.25
BRIGHTNESS = 20  # grey levels
NOISE = 8.0  # standard deviation in grey levels
BLUR = 0.015  # of the height, the largest radius


def augment(picture: Image.Image, source: random.Random) -> Image.Image:
    """Return the picture shifted, stretched, blurred and toned a little, each at random."""
    picture = picture.convert("RGB")
    width, height = picture.size
    margin = SHIFT * height
    left, top, right, bottom = (source.uniform(-margin, margin) for _ in range(4))
    size = (max(1, round(width * source.uniform(1 - STRETCH, 1 + STRETCH))), height)
    # Beyond its edges the picture goes on as its border does: paper, not a black frame.
    edge = int(margin) + 1
    framed = Image.fromarray(
        np.pad(np.asarray(picture), ((edge, edge), (edge, edge), (0, 0)), "edge")
    )
    box = (edge + left, edge + top, edge + width + right, edge + height + bottom)
    moved = framed.resize(size, Image.Resampling.BICUBIC, box=box)
    if source.random() < 0.3:
        moved = moved.filter(ImageFilter.GaussianBlur(source.uniform(0, BLUR * height)))
    return change_tones(moved, source)


def change_tones(picture: Image.Image, source: random.Random) -> Image.Image:
    """Return the picture with another contrast and brightness, and some noise."""
    pixels = np.asarray(picture, np.float32)
    middle = pixels.mean()
    pixels = (pixels - middle) * (1 + source.uniform(-CONTRAST, CONTRAST)) + middle
    pixels += source.uniform(-BRIGHTNESS, BRIGHTNESS)
    if source.random() < 0.5:
        grain = np.random.default_rng(source.getrandbits(32))
        pixels += grain.normal(0, source.uniform(0, NOISE), pixels.shape[:2])[..., None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

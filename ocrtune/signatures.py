"""Signatures of pictures: close for copies that were saved again, far apart for other pictures."""

import numpy as np
from PIL import Image

# Wide cells would average the strokes of a line away, low ones the lines of a page.
COLUMNS, ROWS = 32, 8
SIGNATURE_BYTES = COLUMNS * ROWS // 8
FAINTEST = 4.0  # grey levels between the cells of a picture; fewer are noise and no signature


def signature(image: Image.Image, width: float = 0, height: float = 0) -> bytes:
    """Return 256 bits: in each cell, whether the picture grows brighter to the right.

    width, height: the part of the image that holds the picture, in its pixels; 0: all of it. A
    picture without contrast has no signature: empty.
    """
    grey = image if image.mode == "L" else image.convert("L")
    box = (0, 0, width or grey.width, height or grey.height)
    cells = np.asarray(grey.resize((COLUMNS + 1, ROWS), Image.Resampling.BILINEAR, box))
    if cells.std() < FAINTEST:
        return b""
    return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()

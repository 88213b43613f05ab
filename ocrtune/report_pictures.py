"""Pictures inside report.html: encoded as browsers show them, small enough for the page."""

import base64
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image, ImageOps

LARGEST_THUMBNAIL = 4_500  # bytes: with 1,000 of them the file stays under 8 MB
THUMBNAIL_SIDES = (700, 500, 350, 200, 100)  # pixels; the first one small enough is taken
TRIAL_SIDE = 350  # the one that is encoded first
SLACK = 1.5  # how much more than the trial promises is tried: larger pictures compress better
LARGEST_INLINE = 200_000  # bytes of a picture that is taken as it is
LONGEST_SIDE = 1600  # pixels of a picture that had to be made smaller
LARGEST_PNG = 250_000  # pixels: crisp for a line, too many bytes and seconds for a whole page
BROWSER_FORMATS = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}


def data_uris(pictures: Sequence[bytes], small: bool = False) -> list[str]:
    """Return the data URI of each picture, in their order; all cores encode."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda picture: data_uri(picture, small), pictures))


def data_uri(picture: bytes, small: bool = False) -> str:
    """Return an encoded image as a data URI that browsers show; empty if it is no image.

    small: as a thumbnail of at most LARGEST_THUMBNAIL bytes.
    """
    try:
        kind, encoded = _thumbnail(picture) if small else _displayable(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _displayable(picture: bytes) -> tuple[str, bytes]:
    """Return (kind, bytes) of the image: as it is if small and known to browsers, else re-coded."""
    with Image.open(BytesIO(picture)) as image:
        known = image.format in BROWSER_FORMATS and image.mode != "CMYK"
        if known and len(picture) <= LARGEST_INLINE:
            return BROWSER_FORMATS[image.format], picture
        small = _flatten(ImageOps.exif_transpose(image))
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    kind = "png" if small.width * small.height <= LARGEST_PNG else "jpeg"
    encoded = BytesIO()
    small.save(encoded, kind)
    return kind, encoded.getvalue()


def _thumbnail(picture: bytes) -> tuple[str, bytes]:
    """Return (kind, bytes) of the image, made smaller until it is a thumbnail."""
    with Image.open(BytesIO(picture)) as image:
        known = image.format in BROWSER_FORMATS and image.mode != "CMYK"
        if known and len(picture) <= LARGEST_THUMBNAIL:
            return BROWSER_FORMATS[image.format], picture
        largest = THUMBNAIL_SIDES[0]
        image.draft(None, (largest, largest))  # a JPEG is decoded no larger than needed
        small = _flatten(ImageOps.exif_transpose(image))
    # Bytes go about with the area: what one size takes tells which one to begin with.
    trial, encoded = _webp(small, TRIAL_SIDE), b""
    promised = SLACK * TRIAL_SIDE * math.sqrt(LARGEST_THUMBNAIL / len(trial))
    for side in THUMBNAIL_SIDES:
        if side <= promised or side == THUMBNAIL_SIDES[-1]:
            encoded = trial if side == TRIAL_SIDE else _webp(small, side)
            if len(encoded) <= LARGEST_THUMBNAIL:
                break
    return "webp", encoded


def _webp(image: Image.Image, side: int) -> bytes:
    """Return the image as WebP, no side longer than that."""
    small = image.copy()
    small.thumbnail((side, side), reducing_gap=2.0)
    stream = BytesIO()
    small.save(stream, "webp", quality=50, method=2)
    return stream.getvalue()


def _flatten(image: Image.Image) -> Image.Image:
    """Return the image in 8-bit grey or RGB, transparent parts white."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode.startswith("I"):  # 16-bit scans; Pillow's own conversion clips them to white
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")

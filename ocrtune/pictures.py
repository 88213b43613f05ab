"""Pictures as people have them, and as a dataset stores them."""

import contextlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ocrtune.archive import cause
from ocrtune.errors import DatasetError
from ocrtune.picture_bombs import TIFF_STARTS, bomb_reason, has_bad_exif
from ocrtune.remarks import Remark, remark
from ocrtune.signatures import QUARTER, signature

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM")
MIN_SIDE = 10  # pixels
MAX_PIXELS = 40_000_000  # an A4 page at 600 dpi has 35 million
LARGE_PIXELS = 4_000_000  # pictures above are decoded one at a time
HUGE_PIXELS = 16_000_000  # an A4 page at 400 dpi has 15 million
PHOTO_COLOURS = 256  # print on white has fewer, its smoothed edges included
LARGE = threading.Lock()
SUBFILE, OLD_SUBFILE = 254, 255  # TIFF tags that say what a picture is to the others in the file
SMALLER_OR_MASK = 0b101
OLD_SMALLER = 2
TURNS = {  # EXIF orientation: what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(DatasetError):
    """One picture cannot be used; the remark says why."""

    def __init__(self, reason: Remark) -> None:
        super().__init__(str(reason), "")
        self.reason = reason


@dataclass(frozen=True)
class Picture:
    """A sound picture: upright, 8 bits or fewer a channel, grey or RGB, PNG or JPEG."""

    data: bytes  # as to be stored
    pixels: tuple[int, int]  # width and height
    changes: tuple[str, ...] = ()  # what was done to it; empty when these are the original bytes
    frames: int = 1  # pictures in the file; only the first is used
    signature: bytes = b""  # close for copies, see `signatures`; empty without contrast


@dataclass(frozen=True)
class Page:
    """A page to cut lines from: upright, 8 bits or fewer a channel, grey or RGB."""

    image: Image.Image
    turn: int  # the EXIF orientation that it had; 1: it was upright
    frames: int = 1  # pictures in the file; only the first is used


def check_picture(data: bytes, frame: int = 0) -> Picture:
    """Return the picture as a dataset stores it; a PictureError says why it cannot be used.

    Upright JPEG and PNG files keep their bytes. Everything is decoded to its end.

    frame: which of several pictures in the file, from 0, see `page_frames`.
    """
    return opened(data, stored_form, frame)


def open_page(data: bytes) -> Page:
    """Return a decoded page to cut lines from; a PictureError says why it cannot be used."""
    return opened(data, page_form)


def is_huge(data: bytes) -> bool:
    """Whether a picture has so many pixels that only one such should be in memory."""
    try:
        with open_image(data) as image:
            return image.width * image.height > HUGE_PIXELS
    except Exception:  # whoever decodes it will say why not
        return False


def page_frames(data: bytes) -> tuple[int, ...]:
    """Return which pictures of a file are its pages, from 0, as `check_picture` takes them.

    Scanners put many pages into one TIFF, and programs put thumbnails and masks beside them, which
    are no pages. Of every other kind of file it is the first picture. Nothing is decoded. Where the
    file is damaged the last one leads to the damage, so that whoever opens it can tell.
    """
    if not data.startswith(TIFF_STARTS):
        return (0,)
    pages, frame = [], 0
    try:
        with open_image(data) as image:
            while True:
                image.seek(frame)
                tags = image.tag_v2
                is_smaller = tags.get(OLD_SUBFILE) == OLD_SMALLER
                if not (is_smaller or tags.get(SUBFILE, 0) & SMALLER_OR_MASK):
                    pages.append(frame)
                frame += 1
    except EOFError:  # after the last one
        pass
    except Exception:  # Pillow raises nearly anything on damaged bytes
        pages.append(frame)
    return tuple(pages) or (0,)


def opened(data: bytes, form: Callable[[Image.Image, bytes], Any], frame: int = 0) -> Any:
    """Return what `form` makes of the opened picture; a PictureError says why there is none."""
    if not data:
        raise PictureError(remark("picture_empty"))
    try:
        with open_image(data) as image:
            if frame:
                image.seek(frame)
            require_size(*image.size)
            with LARGE if image.width * image.height > LARGE_PIXELS else contextlib.nullcontext():
                return form(image, data)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        key = "picture_heic" if b"ftyphei" in data[:16] else "picture_foreign"
        raise PictureError(remark(key)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large() from error
    except Exception as error:  # Pillow raises nearly anything on damaged bytes
        raise PictureError(remark("picture_damaged", cause=cause(error))) from error


def open_image(data: bytes) -> Image.Image:
    """Return the picture, its header read; a PictureError when that alone would cost too much."""
    if reason := bomb_reason(data):
        raise PictureError(reason)
    return Image.open(io.BytesIO(data), formats=FORMATS)


def require_size(width: int, height: int) -> None:
    """Raise a PictureError for a picture too small to hold text or too large to decode."""
    if min(width, height) < MIN_SIDE:
        raise PictureError(remark("picture_small", width=width, height=height, least=MIN_SIDE))
    if width * height > MAX_PIXELS:
        raise too_large()


def too_large() -> PictureError:
    """Return the error for a picture with too many pixels."""
    return PictureError(remark("picture_large", most=MAX_PIXELS // 1_000_000))


def stored_form(image: Image.Image, data: bytes) -> Picture:
    """Return the opened picture, its original bytes where they will do."""
    is_jpeg = image.format in ("JPEG", "MPO")
    pixels = image.size
    if is_jpeg and image.mode in ("L", "RGB") and orientation(image) == 1:
        # decodes every byte but builds a quarter of the picture
        image.draft("L", (max(1, pixels[0] // QUARTER), max(1, pixels[1] // QUARTER)))
        image.load()
        scale = round(pixels[0] / image.width)
        return Picture(data, pixels, signature=signature(image, scale))
    image.load()
    frames = 1 if is_jpeg else count_frames(image, data)
    upright = image.transpose(TURNS[turn]) if (turn := orientation(image)) in TURNS else image
    plain, change = flatten(upright)
    changes = ["turned upright"] if upright is not image else []
    changes += [change] if change else []
    mark = signature(plain)
    if is_jpeg and not change:
        # the same tables lose next to nothing, while PNG would be several times as large
        data = encode(plain, "JPEG", qtables=image.quantization, subsampling="4:4:4")
        return Picture(data, plain.size, tuple(changes), frames, mark)
    if image.format != "PNG":
        changes.append(f"{image.format} to PNG")
    if not changes:
        return Picture(data, pixels, frames=frames, signature=mark)
    return Picture(encode(plain, "PNG"), plain.size, tuple(changes), frames, mark)


def page_form(image: Image.Image, data: bytes) -> Page:
    """Return the opened picture upright and flattened."""
    image.load()
    turn = orientation(image)
    upright = image.transpose(TURNS[turn]) if turn in TURNS else image
    return Page(flatten(upright)[0], turn, count_frames(image, data))


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; 1, upright, when there is none that can be read."""
    if any(has_bad_exif(image.info.get(name)) for name in ("exif", "Raw profile type exif")):
        raise PictureError(remark("picture_tags"))
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block does not make the picture unusable
        return 1


def count_frames(image: Image.Image, data: bytes) -> int:
    """Return how many pictures the opened file holds; 1 when the others cannot be read."""
    try:
        if image.format != "TIFF":
            return getattr(image, "n_frames", 1)
        with open_image(data) as other:  # one that looks for others forgets that it was turned
            return other.n_frames
    except Exception:  # the first frame is sound, and the only one used
        return 1


def flatten(image: Image.Image) -> tuple[Image.Image, str]:
    """Return the picture as black and white, grey or RGB, and what had to be done for it."""
    if image.has_transparency_data:
        mode = "L" if image.mode == "LA" else "RGB"
        clear = image.convert("LA" if mode == "L" else "RGBA")
        white = Image.new(mode, image.size, "white")
        white.paste(clear.convert(mode), mask=clear.getchannel("A"))
        return white, "transparency to white"
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        most = max(float(values.max()), 0.0)
        top = next((top for top in (1, 255, 4095, 65535) if most <= top), most)
        grey = np.clip(values * (255 / top), 0, 255).round().astype(np.uint8)
        return Image.fromarray(grey), "16 bits to 8"
    if image.mode not in ("1", "L", "RGB"):
        return image.convert("RGB"), f"{'palette' if image.mode == 'P' else image.mode} to RGB"
    return image, ""


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the pixels as a file of this kind, without the source's profile and notes."""
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def compact(image: Image.Image) -> bytes:
    """Return pixels as a file: JPEG for a colour photo or scan, whose grain PNG would keep.

    Knowing it by its many colours takes a hundredth of the time of making both.
    """
    if image.mode == "RGB" and image.getcolors(PHOTO_COLOURS) is None:
        return encode(image, "JPEG", quality=95, subsampling="4:4:4")
    return encode(image, "PNG")


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Let Pillow refuse bombs at once and keep its remarks on metadata to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield

"""Pictures that are being read, kept beside the job: as they were read, and small for lists."""

import io
from pathlib import Path

from PIL import Image

from ocrtune.errors import OcrtuneError
from ocrtune.pictures import PictureError, quiet_pillow
from ocrtune.remarks import remark

SMALL = (240, 120)  # pixels, in a list
LARGE = (1600, 1600)  # on which a page can be read
PLAIN_BYTES = 150_000  # of a picture that browsers are sent as it is
MOST_BYTES = 1 << 30  # of all pictures of one job


def name_of(number: int) -> str:
    """Return what the files of the picture of that number, from 1, are called."""
    return f"{number:04}"


class KeptPictures:
    """The folder that a worker fills; whoever shows the job looks into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bytes = 0

    def keep(self, number: int, data: bytes) -> None:
        """Write a sound picture and its smaller forms; a PictureError when there is no room."""
        self.bytes += len(data)
        if self.bytes > MOST_BYTES:
            raise PictureError(remark("read_too_much"))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name_of(number)).write_bytes(data)
        try:
            with quiet_pillow(), Image.open(io.BytesIO(data)) as image:
                is_large = len(data) > PLAIN_BYTES or image.width > LARGE[0]
                if is_large or image.height > LARGE[1]:
                    image.draft("RGB", LARGE)
                    image.thumbnail(LARGE)
                    save(image, self.folder / f"{name_of(number)}.large", 85)
                image.thumbnail(SMALL)
                save(image, self.folder / f"{name_of(number)}.small", 70)
        except OcrtuneError:
            raise
        except (ValueError, Image.DecompressionBombError):  # it is read, but not seen
            return


def save(image: Image.Image, path: Path, quality: int) -> None:
    """Write a JPEG."""
    image.convert("RGB").save(path, "JPEG", quality=quality)


def kept_picture(folder: Path, number: int) -> bytes:
    """Return the picture of that number as it was read; empty if it was not kept."""
    return bytes_at(folder / name_of(number))


def large_picture(folder: Path, number: int) -> bytes:
    """Return the picture of that number to be looked at; empty if it was not kept."""
    return bytes_at(folder / f"{name_of(number)}.large") or kept_picture(folder, number)


def small_picture(folder: Path, number: int) -> bytes:
    """Return the picture of that number for a list; empty if there is none."""
    return bytes_at(folder / f"{name_of(number)}.small")


def bytes_at(path: Path) -> bytes:
    """Return the bytes of a file; none if it is not there."""
    try:
        return path.read_bytes()
    except OSError:
        return b""

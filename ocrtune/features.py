"""Vision features, computed once per picture: valid as long as the vision towers do not change."""

import io
from collections.abc import Iterable, Sequence

import torch
from PIL import Image
from torch import Tensor

from ocrtune.errors import DatasetError, OcrtuneError
from ocrtune.events import Emit, Progress, silent
from ocrtune.families.deepseek_ocr_model import PictureViews
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel

LARGE_BYTES = 512 * 1024 * 1024  # features above this are kept in half precision
# Of all views that go through the vision towers together. A CPU is quickest while what lies between
# two layers stays small: larger blocks are given back to the system and cleared again each time.
PIXELS_AT_ONCE = {"cpu": 150_000, "cuda": 4_000_000}


def open_picture(data: bytes) -> Image.Image:
    """Return the decoded picture; a DatasetError if that cannot be done."""
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
        return picture
    except Exception as error:  # damaged files make Pillow's decoders raise nearly anything
        raise DatasetError("The picture cannot be decoded.", "Save it as PNG or JPEG.") from error


def lay_out(loaded: LoadedModel, data: bytes) -> PictureViews | Sight:
    """Return the views of an encoded picture; an OcrtuneError if it cannot be used."""
    return loaded.lay_out(open_picture(data))


def pixels(views: PictureViews) -> int:
    """Return how many pixels all views of a picture have."""
    parts = (views.global_view, views.crops)
    return sum(part.numel() // 3 for part in parts if part is not None)


def encode_views(loaded: LoadedModel, pictures: Iterable[PictureViews]) -> list[Tensor]:
    """Return the features of some pictures, a list of [image tokens, width], in their order.

    As many pictures go through the towers together as memory surely has room for.
    """
    features: list[Tensor] = []
    batch: list[PictureViews] = []
    most = PIXELS_AT_ONCE.get(loaded.device.type, PIXELS_AT_ONCE["cpu"])
    for views in pictures:
        if batch and sum(map(pixels, batch)) + pixels(views) > most:
            features += loaded.encode(batch)
            batch = []
        batch.append(views)
    return features + (loaded.encode(batch) if batch else [])


@torch.no_grad()
def encode_samples(
    loaded: LoadedModel,
    pictures: Sequence[tuple[str, bytes]],
    emit: Emit = silent,
    batch_size: int = 16,
) -> list[Tensor | None]:
    """Return the features of each (picture id, encoded picture), on the CPU.

    None stands for a picture that cannot be decoded: whoever reads it says why.
    """
    features: list[Tensor | None] = []
    kept_bytes = 0
    for start in range(0, len(pictures), batch_size):
        views: list[PictureViews | None] = []
        for _, data in pictures[start : start + batch_size]:
            try:
                views.append(lay_out(loaded, data))
            except OcrtuneError:
                views.append(None)
        encoded = iter(encode_views(loaded, [view for view in views if view is not None]))
        for view in views:
            feature = None if view is None else next(encoded).cpu()
            if feature is not None:
                if feature.dtype == torch.float32 and kept_bytes > LARGE_BYTES:
                    feature = feature.half()
                kept_bytes += feature.nbytes
            features.append(feature)
        emit(Progress("features", len(features), len(pictures)))
    return features

"""Vision features, computed once per picture: valid as long as the vision towers do not change."""

import hashlib
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch
from PIL import Image
from torch import Tensor

from ocrtune.errors import DatasetError, OcrtuneError
from ocrtune.events import Emit, Note, Progress, silent
from ocrtune.families.deepseek_ocr_model import PictureViews
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import VISION_TOWERS, trains_vision
from ocrtune.families.page_layouts import PRESETS, LayoutChoice, choose_layout
from ocrtune.feature_store import FeatureStore, most_bytes, picture_digest
from ocrtune.home import home_folder

FEATURES_VERSION = 1  # changes when the same picture and weights give other features
VISION_MARKS = ("model.image_newline", "model.view_seperator")  # learned, and part of features
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)  # the Exif entry, and its values for a turned picture
# Of all views that go through the vision towers together. A CPU is quickest while what lies between
# two layers stays small: larger blocks are given back to the system and cleared again each time.
PIXELS_AT_ONCE = {"cpu": 150_000, "cuda": 17_000_000}
PREPARING_THREADS, PREPARED_AHEAD = 8, 32


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


def prepare_ahead(loaded: LoadedModel, pictures: Iterable[bytes]) -> Iterator[PictureViews | None]:
    """Yield the views of encoded pictures in their order; None where there are none to be had.

    Beside a GPU, other threads prepare the next pictures meanwhile; a CPU has better to do.
    """
    if loaded.device.type == "cpu":
        yield from (lay_out_or_none(loaded, data) for data in pictures)
        return
    with ThreadPoolExecutor(PREPARING_THREADS) as pool:
        waiting: deque[Future] = deque()
        for data in pictures:
            waiting.append(pool.submit(lay_out_pinned, loaded, data))
            if len(waiting) > PREPARED_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def lay_out_or_none(loaded: LoadedModel, data: bytes) -> PictureViews | None:
    """Return the views of an encoded picture; None if it cannot be used."""
    try:
        return lay_out(loaded, data)
    except OcrtuneError:
        return None


def lay_out_pinned(loaded: LoadedModel, data: bytes) -> PictureViews | None:
    """Return the views of an encoded picture in memory that a GPU fetches by itself."""
    views = lay_out_or_none(loaded, data)
    if views is None:
        return None
    whole, crops = (
        None if part is None else part.pin_memory() for part in (views.global_view, views.crops)
    )
    return PictureViews(whole, crops, views.grid)


@torch.no_grad()
def encode_samples(
    loaded: LoadedModel,
    pictures: Sequence[tuple[str, bytes]],
    emit: Emit = silent,
    batch_size: int = 16,
) -> list[Tensor | None]:
    """Return the features of each (picture id, encoded picture), on the CPU.

    They are kept on disk, where later calls find them, and read from there when they are used.
    None stands for a picture that cannot be decoded: whoever reads it says why.
    """
    store = open_store(loaded)
    digests = [picture_digest(data) for _, data in pictures]
    found = {digest: store.find(digest) for digest in digests}
    new = {
        digest: data
        for digest, (_, data) in zip(digests, pictures, strict=True)
        if found[digest] is None
    }
    done = len(found) - len(new)
    ready = zip(new, prepare_ahead(loaded, new.values()), strict=True)
    before: dict[str, Tensor] = {}  # features that a GPU may still be busy with
    while views := dict(islice(ready, batch_size)):
        sound = {digest: view for digest, view in views.items() if view is not None}
        encoded = dict(zip(sound, encode_views(loaded, sound.values()), strict=True))
        for digest, feature in before.items():
            store.add(digest, feature)
        before = encoded
        done += len(views)
        emit(Progress("features", done * len(pictures) // len(found), len(pictures)))
    for digest, feature in before.items():
        store.add(digest, feature)
    store.seal()
    if store.trouble:
        emit(Note(f"The features are kept in memory only: {store.trouble}."))
    found |= {digest: store.find(digest) for digest in new}
    return [found[digest] for digest in digests]


def open_store(loaded: LoadedModel) -> FeatureStore:
    """Return what is kept of pictures as this model sees them.

    Nothing is kept for a model whose adapter changes vision: its features are no one else's.
    """
    dtype = loaded.network.lm_head.weight.dtype
    room = 0 if trains_vision(loaded) else most_bytes()
    return FeatureStore(home_folder() / "features" / features_key(loaded), dtype, room)


def features_key(loaded: LoadedModel) -> str:
    """Return a digest of everything that features depend on beside the picture."""
    contract = loaded.contract
    names = (contract.family, contract.base_model, contract.revision, contract.layout)
    dtype = str(loaded.network.lm_head.weight.dtype)
    text = json.dumps([FEATURES_VERSION, *names, dtype, vision_digest(loaded)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def vision_digest(loaded: LoadedModel) -> str:
    """Return a digest of both ends of every weight that makes features."""
    ends = []
    for name, weight in sorted(loaded.network.named_parameters()):
        if name.startswith((*VISION_TOWERS, *VISION_MARKS)):
            flat = weight.detach().flatten()
            ends += [flat[:4].float(), flat[-4:].float()]
    return hashlib.sha256(torch.cat(ends).cpu().numpy().tobytes()).hexdigest()


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height of an encoded picture as people see it; None if it is none."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            turned = picture.getexif().get(ORIENTATION, 1) in LYING
            return picture.size[::-1] if turned else picture.size
    except Exception:  # told when it is read: damaged files raise nearly anything
        return None


def settle_layout(
    loaded: LoadedModel, pictures: Sequence[bytes], texts: Sequence[str] = ()
) -> LayoutChoice | None:
    """Give the model the layout that suits some pictures and return why; None without a choice.

    texts: the ground truth of the same pictures, where it is known.
    """
    layouts = [name for name in loaded.family.layouts if name in PRESETS]
    if len(layouts) < 2 or not loaded.family.native:
        return None
    sized = [
        (size, text)
        for data, text in zip(pictures, texts or [""] * len(pictures), strict=True)
        if (size := picture_size(data))
    ]
    choice = choose_layout(
        [size for size, _ in sized], [text for _, text in sized], layouts, loaded.family.layout
    )
    loaded.use_layout(choice.layout)
    return choice

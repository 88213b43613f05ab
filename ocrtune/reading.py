"""Reading pictures: from encoded files to predictions, in batches that fit into memory."""

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ocrtune.config import ReadConfig
from ocrtune.dataset import check_picture
from ocrtune.decoding import decode, rows_at_once
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note, Progress, Read, silent
from ocrtune.families.deepseek_ocr_model import PictureViews
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import load_adapter, load_base
from ocrtune.features import encode_views, lay_out
from ocrtune.records import Prediction

BATCHES_TOGETHER = 4  # that take turns in the decoder, so that it seldom runs half empty
TOO_LARGE = "There is not enough memory for this picture. Save it smaller or end other programs."

Picture = tuple[str, bytes]  # picture id, encoded image file


@dataclass(frozen=True)
class Reading:
    """What became of one picture."""

    text: str = ""
    looped: bool = False
    failed: str = ""


def use_cores() -> None:
    """Let torch use the cores this process really has; a container shows it all of its host's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("utf-8").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no such file, or `max`: no limit
    torch.set_num_threads(max(1, cores))


def read_pictures(config: ReadConfig, emit: Emit = silent) -> list[Prediction]:
    """Return the predictions for picture files: of the base model first where `both` are asked."""
    use_cores()
    loaded = load_base(config.base, config.layout)
    sound, unusable = open_files(config.pictures)
    predictions = []

    def read(model: str) -> None:
        readings = {p.picture_id: p for p in read_samples(loaded, sound, emit=emit, model=model)}
        for name in config.pictures:
            prediction = readings.get(name) or Prediction(
                picture_id=name, text="", seconds=0.0, model=model, failed=unusable[name]
            )
            predictions.append(prediction)
            emit(Read(**asdict(prediction)))

    if not config.adapter:
        read(config.base)
        return predictions
    follow_adapter(loaded, config.adapter, emit)
    if config.both:
        with loaded.model.disable_adapter():
            read(config.base)
    read(f"{config.base} + {config.adapter}")
    return predictions


def open_files(names: Sequence[str]) -> tuple[list[Picture], dict[str, str]]:
    """Return the sound pictures among the named files, and why each of the others is none."""
    sound, unusable = [], {}
    for name in dict.fromkeys(names):
        try:
            sound.append((name, check_picture(Path(name).read_bytes()).data))
        except OSError as error:
            unusable[name] = f"It cannot be opened: {error.strerror}. Check the path."
        except OcrtuneError as error:
            unusable[name] = str(error)
    return sound, unusable


def follow_adapter(loaded: LoadedModel, folder: str, emit: Emit) -> None:
    """Put the adapter on the model and say in what its contract differs from the base model's."""
    for difference in load_adapter(loaded, Path(folder)):
        emit(Note(f"The adapter was trained under another contract, which is kept: {difference}."))


def read_samples(
    loaded: LoadedModel,
    pictures: Sequence[Picture],
    features: Sequence[Tensor | None] | None = None,
    batch_size: int = 0,
    emit: Emit = silent,
    model: str = "",
) -> list[Prediction]:
    """Return one prediction per picture, in their order; a failure is told in its own one.

    features: of each picture, where they were computed before; batch_size: answers to write
    together, 0 for what suits the model; model: the name to show.
    """
    loaded.model.eval()
    at_once = batch_size or rows_at_once(loaded)
    predictions: dict[int, Prediction] = {}
    together = at_once * (BATCHES_TOGETHER if loaded.keeps_features else 1)
    for batch in make_batches(pictures, features, together):
        started = time.perf_counter()
        known = [features[index] if features else None for index in batch]

        def tell(ended: int, before: int = len(predictions)) -> None:
            emit(Progress("read", before + ended, len(pictures)))

        readings = read_batch(loaded, [pictures[index][1] for index in batch], known, at_once, tell)
        seconds = (time.perf_counter() - started) / len(batch)
        for index, reading in zip(batch, readings, strict=True):
            predictions[index] = Prediction(
                picture_id=pictures[index][0],
                seconds=seconds,
                model=model or loaded.contract.base_model,
                **asdict(reading),
            )
        tell(len(batch))
    return [predictions[index] for index in range(len(pictures))]


def make_batches(
    pictures: Sequence[Picture], features: Sequence[Tensor | None] | None, batch_size: int
) -> Iterator[list[int]]:
    """Yield the indices of pictures that are read together: long ones first, then ever shorter."""
    if features:
        lengths = [0 if feature is None else len(feature) for feature in features]
    else:
        lengths = [elongation(data) for _, data in pictures]
    order = sorted(range(len(pictures)), key=lengths.__getitem__, reverse=True)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def elongation(data: bytes) -> float:
    """Return width by height, on which the number of tokens of a line depends; 0 if unknown."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.width / picture.height
    except Exception:  # told when it is read: damaged files raise nearly anything
        return 0.0


def read_batch(
    loaded: LoadedModel,
    pictures: Sequence[bytes],
    features: Sequence[Tensor | None],
    at_once: int,
    tell: Callable[[int], None],
) -> list[Reading]:
    """Return the readings of some pictures, read together, or in halves if memory is short.

    at_once: answers to write together; tell: is called with how many there are so far.
    """
    try:
        return read_together(loaded, pictures, features, at_once, tell)
    except (torch.OutOfMemoryError, MemoryError):
        if len(pictures) == 1:
            return [Reading(failed=TOO_LARGE)]
    half = len(pictures) // 2  # outside of the handler, which would keep the tensors alive
    fewer = max(1, min(at_once, len(pictures)) // 2)
    first = read_batch(loaded, pictures[:half], features[:half], fewer, tell)
    return first + read_batch(
        loaded, pictures[half:], features[half:], fewer, lambda ended: tell(half + ended)
    )


@torch.inference_mode()
def read_together(
    loaded: LoadedModel,
    pictures: Sequence[bytes],
    features: Sequence[Tensor | None],
    at_once: int,
    tell: Callable[[int], None],
) -> list[Reading]:
    """Return the readings of some pictures; `features` spare those that have them the vision."""
    readings: list[Reading] = [Reading()] * len(pictures)
    ready = {index: feature for index, feature in enumerate(features) if feature is not None}
    sound: list[int] = []

    def views() -> Iterator[PictureViews | Sight]:
        for index, picture in enumerate(pictures):
            if index not in ready:
                try:
                    view = lay_out(loaded, picture)
                except OcrtuneError as error:
                    readings[index] = Reading(failed=str(error))
                else:
                    sound.append(index)
                    yield view

    encoded = encode_views(loaded, views()) if loaded.keeps_features else list(views())
    ready.update(zip(sound, encoded, strict=True))
    ended = count(1)
    rows = decode(loaded, list(ready.values()), at_once, lambda: tell(next(ended)))
    for index, row in zip(ready, rows, strict=True):
        readings[index] = Reading(loaded.text_of(row.ids), row.looped)
    return readings

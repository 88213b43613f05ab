"""Reading pictures: from encoded files to predictions, in batches that fit into memory."""

import contextlib
import functools
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ocrtune.adapter_names import shown_name
from ocrtune.config import ReadConfig
from ocrtune.decoding import OTHER_ROWS_AT_ONCE, Row, decode, ignore, rows_at_once
from ocrtune.errors import ModelError, OcrtuneError
from ocrtune.events import Brought, Emit, Event, Note, Progress, Read, Saved, silent
from ocrtune.families.deepseek_ocr_model import PictureViews
from ocrtune.families.image_text import Sight
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import (
    DEFAULT,
    choose_prompt,
    has_contract,
    load_adapter,
    load_base,
    use_adapter,
)
from ocrtune.families.page_layouts import AUTO
from ocrtune.families.prompts import is_grounding
from ocrtune.features import encode_views, lay_out, settle_layout
from ocrtune.grounding import draw_boxes, labels_are_kinds, parse_places, upright_size
from ocrtune.kept_pictures import KeptPictures
from ocrtune.picture_sources import Found, Loaded, find_pictures, load_in_portions, told
from ocrtune.records import Box, OcrContract, Prediction
from ocrtune.remarks import remark
from ocrtune.shared_adapters import folder_of
from ocrtune.streaming import TORN, Stream

BATCHES_TOGETHER = 4  # that take turns in the decoder, so that it seldom runs half empty
PORTION_BYTES = 256 << 20  # of pictures that are in memory together
WATCHED = (1, 4)  # pictures of the first portions when somebody waits for them
LAYOUT_PICTURES = 64  # that are looked at to choose a layout
TOO_LARGE = "There is not enough memory for this picture. Save it smaller or end other programs."

KEPT = ", which is kept: "
PROMPT_DIFFERS = f"{KEPT}prompt:"  # nobody need hear of it who asks something else

Picture = tuple[str, bytes]  # picture id, encoded image file


@dataclass(frozen=True)
class Reading:
    """What became of one picture."""

    text: str = ""
    looped: bool = False
    failed: str = ""
    cut: bool = False
    boxes: tuple[Box, ...] = ()
    damaged_boxes: int = 0


def use_cores() -> None:
    """Let torch use the cores this process really has; a container shows it all of its host's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("utf-8").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no such file, or `max`: no limit
    torch.set_num_threads(max(1, cores))


@dataclass(frozen=True)
class Opened:
    """Models in memory that are ready to read: one base model, and the adapters on it."""

    loaded: LoadedModel
    names: dict[str, str]  # of the adapters, with their folders
    contract: OcrContract  # of the base model, as it came
    told: tuple[Note, ...]  # in what the adapters' contracts differ from that


def open_models(config: ReadConfig) -> Opened:
    """Return the models that a reading under these settings needs."""
    use_cores()
    loaded = load_base(config.base, config.layout)
    contract, names, told = loaded.contract, {}, []
    for number, folder in enumerate(config.all_adapters, start=1):
        name = DEFAULT if number == 1 else f"adapter{number}"
        follow_adapter(loaded, folder, told.append, name)
        names[name] = folder
    return Opened(loaded, names, contract, tuple(told))


def free_memory() -> None:
    """Give back to the system what models on the accelerator no longer use."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def read_pictures(
    config: ReadConfig, emit: Emit = silent, opened: Opened | None = None
) -> list[Prediction]:
    """Return the predictions for pictures: of the base model first where `both` are asked.

    Every adapter reads all pictures in turn, on the one base model that is loaded. Many pictures
    are read in portions, each by all models, and told as soon as they are read. opened: models
    that are loaded already.
    """
    opened = opened or open_models(config)
    found = find_pictures(config.pictures, config.pages, config.most)
    tell_found(config, found, emit)
    turns = turns_of(config, opened, found, emit)
    pictures = Pictures(config, found, len(turns), emit)
    predictions: list[list[Prediction]] = [[] for _ in turns]
    sizes = portion_sizes(opened.loaded, bool(config.kept))
    for portion in load_in_portions(found, sizes, PORTION_BYTES):
        portion = pictures.kept(portion)
        for read, turn in zip(predictions, turns, strict=True):
            with turn.begin():
                read += pictures.read(opened.loaded, portion, turn.model)
    return [prediction for read in predictions for prediction in read]


def tell_found(config: ReadConfig, found: Found, emit: Emit) -> None:
    """Say what will be read, and what will not."""
    for one in found.passed_by:
        emit(Note(str(one)))
    if config.kept:
        emit(Brought([given.picture_id for given in found.pictures], found.left_out))
    elif found.left_out:
        emit(Note(str(remark("read_left_out", most=config.most, count=found.left_out))))


def portion_sizes(loaded: LoadedModel, watched: bool) -> Iterator[int]:
    """Yield how many pictures are read together: many at once take the least time for all.

    watched: somebody waits for the first ones.
    """
    at_once = rows_at_once(loaded)
    if watched:
        yield from WATCHED
        at_once = min(at_once, OTHER_ROWS_AT_ONCE)
    elif loaded.keeps_features:
        at_once *= BATCHES_TOGETHER
    while True:
        yield at_once


@dataclass(frozen=True)
class Turn:
    """What has to hold while one of the models reads."""

    model: str  # the name to show
    begin: Callable[[], contextlib.AbstractContextManager]


def turns_of(config: ReadConfig, opened: Opened, found: Found, emit: Emit) -> list[Turn]:
    """Return the models that read, in their order, ready to begin."""
    loaded = opened.loaded
    if not opened.names:
        loaded.contract = opened.contract
        if config.layout == AUTO:
            choice = settle_layout(loaded, first_pictures(found))
            emit(Note(choice.reason() if choice else f"Layout `{loaded.contract.layout}`."))
        if config.prompt:
            choose_prompt(loaded, config.prompt)
        return [Turn(config.base, contextlib.nullcontext)]
    for note in opened.told:
        if not (config.prompt and PROMPT_DIFFERS in note.text):
            emit(note)
    told = set()

    def follow(name: str) -> None:
        use_adapter(loaded, name)
        if config.prompt:
            change_prompt(loaded, config.prompt, silent if name in told else emit)
            told.add(name)

    def alone(name: str) -> contextlib.AbstractContextManager:
        follow(name)  # the base model reads under the contract of the first adapter
        return loaded.model.disable_adapter()

    def tuned(name: str) -> contextlib.AbstractContextManager:
        follow(name)
        return contextlib.nullcontext()

    first = next(iter(opened.names))
    turns = [Turn(config.base, functools.partial(alone, first))] if config.both else []
    return turns + [
        Turn(f"{config.base} + {shown_name(folder)}", functools.partial(tuned, name))
        for name, folder in opened.names.items()
    ]


def first_pictures(found: Found) -> list[bytes]:
    """Return the sound ones among the first pictures, which stand for all."""
    first = Found(found.pictures[:LAYOUT_PICTURES])
    portions = load_in_portions(first, count(1), PORTION_BYTES)
    return [one.data for portion in portions for one in portion if not one.trouble]


class Pictures:
    """The pictures of one job, opened once and read by one model after another."""

    def __init__(self, config: ReadConfig, found: Found, models: int, emit: Emit) -> None:
        self.boxes = Path(config.boxes) if config.boxes else None
        self.keeper = KeptPictures(Path(config.kept)) if config.kept else None
        self.is_alone = len(found.pictures) == 1
        self.total = len(found.pictures) * models
        self.done = 0  # readings that are over
        self.drawn = 0
        self.emit = emit

    def kept(self, portion: list[Loaded]) -> list[Loaded]:
        """Return the portion, its pictures kept where that is wanted."""
        if self.keeper is None:
            return portion
        kept = []
        for one in portion:
            try:
                if not one.trouble:
                    self.keeper.keep(one.number, one.data)
            except OcrtuneError as error:
                one = replace(one, data=b"", trouble=error)
            kept.append(one)
        return kept

    def read(self, loaded: LoadedModel, portion: list[Loaded], model: str) -> list[Prediction]:
        """Return the predictions of one model, each told as soon as those of the portion exist."""
        sound = [(one.given.picture_id, one.data) for one in portion if not one.trouble]
        streamed = self.is_alone or self.keeper is not None
        found = read_samples(loaded, sound, emit=self.advance, model=model, streamed=streamed)
        readings = {prediction.picture_id: prediction for prediction in found}
        predictions = []
        for one in portion:
            name = one.given.picture_id
            prediction = readings.get(name) or unread(one, model)
            if prediction.boxes and self.boxes:
                prediction = self.draw(prediction, one.data)
                self.emit(Saved("boxes", prediction.drawn))
            predictions.append(prediction)
            self.emit(Read(**asdict(prediction)))
        self.done += len(portion)
        if len(sound) < len(portion):
            self.emit(Progress("read", self.done, self.total))
        return predictions

    def advance(self, event: Event) -> None:
        """Tell how far all the reading is, not only that of this portion."""
        if isinstance(event, Progress):
            event = replace(event, done=self.done + event.done, total=self.total)
        self.emit(event)

    def draw(self, prediction: Prediction, data: bytes) -> Prediction:
        """Write the picture with its boxes; return the prediction that says where it is."""
        self.drawn += 1
        path = self.boxes / f"{self.drawn:03}_{Path(prediction.picture_id).stem}.png"
        try:
            self.boxes.mkdir(parents=True, exist_ok=True)
            path.write_bytes(draw_boxes(data, prediction.boxes))
        except OSError as error:
            raise ModelError(
                f"The boxes cannot be written to `{path}`: {error.strerror or error}.",
                "Name another folder with `--boxes`.",
            ) from error
        return replace(prediction, drawn=str(path))


def unread(one: Loaded, model: str) -> Prediction:
    """Return the prediction for what is no picture: it says why."""
    failed, why = told(one.trouble)
    return Prediction(
        picture_id=one.given.picture_id, text="", seconds=0.0, model=model, failed=failed, why=why
    )


def follow_adapter(loaded: LoadedModel, folder: str, emit: Emit, name: str = DEFAULT) -> None:
    """Put the adapter on the model and say in what its contract differs from the base model's."""
    who = "The adapter" if name == DEFAULT else f"`{shown_name(folder)}`"
    path = folder_of(folder)
    differences = load_adapter(loaded, path, name)
    if not has_contract(path):
        emit(
            Note(
                f"{who} has no contract.json: another program made it. It reads under the usual "
                f"settings of `{loaded.contract.base_model}`."
            )
        )
    for difference in differences:
        emit(Note(f"{who} was trained under another contract{KEPT}{difference}."))


def change_prompt(loaded: LoadedModel, asked: str, emit: Emit) -> None:
    """Ask the adapter in use something else than it was trained with, and say so."""
    trained = loaded.contract.prompt
    choose_prompt(loaded, asked)
    if loaded.contract.prompt != trained:
        emit(
            Note(
                f"The prompt is {loaded.contract.prompt!r} because you asked for it; the adapter "
                f"was trained with {trained!r} and may read worse so."
            )
        )


def read_samples(
    loaded: LoadedModel,
    pictures: Sequence[Picture],
    features: Sequence[Tensor | None] | None = None,
    batch_size: int = 0,
    emit: Emit = silent,
    model: str = "",
    streamed: bool = False,
    look: Callable[[], None] = lambda: None,
) -> list[Prediction]:
    """Return one prediction per picture, in their order; a failure is told in its own one.

    features: of each picture, where they were computed before; batch_size: answers to write
    together, 0 for what suits the model; model: the name to show; streamed: tell the
    answer while it is written, if there is only one picture; look: is called with every token and
    may raise an error, which ends the reading.
    """
    loaded.model.eval()
    model = model or loaded.contract.base_model
    alone = streamed and len(pictures) == 1
    stream = Stream(loaded, pictures[0][0], model, emit) if alone else None

    def grow(row: Row) -> None:
        look()
        if stream:
            stream.grow(row)

    at_once = batch_size or rows_at_once(loaded)
    predictions: dict[int, Prediction] = {}
    together = at_once * (BATCHES_TOGETHER if loaded.keeps_features else 1)
    for batch in make_batches(pictures, features, together):
        started = time.perf_counter()
        known = [features[index] if features else None for index in batch]

        def tell(ended: int, before: int = len(predictions)) -> None:
            emit(Progress("read", before + ended, len(pictures)))

        encoded = [pictures[index][1] for index in batch]
        readings = read_batch(loaded, encoded, known, at_once, tell, grow)
        seconds = (time.perf_counter() - started) / len(batch)
        for index, reading in zip(batch, readings, strict=True):
            predictions[index] = Prediction(
                picture_id=pictures[index][0], seconds=seconds, model=model, **vars(reading)
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
    grow: Callable[[Row], None] = ignore,
) -> list[Reading]:
    """Return the readings of some pictures, read together, or in halves if memory is short.

    at_once: answers to write together; tell: is called with how many there are so far; grow: with
    each answer that has grown.
    """
    try:
        return read_together(loaded, pictures, features, at_once, tell, grow)
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
    grow: Callable[[Row], None] = ignore,
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
    rows = decode(loaded, list(ready.values()), at_once, lambda: tell(next(ended)), grow)
    for index, row in zip(ready, rows, strict=True):
        readings[index] = reading_of(loaded, row, pictures[index])
    return readings


def reading_of(loaded: LoadedModel, row: Row, picture: bytes) -> Reading:
    """Return what a finished answer says of an encoded picture."""
    grounding = is_grounding(loaded.contract.prompt)
    text = loaded.text_of(row.ids, marks=grounding)
    if row.cut or row.looped:  # the end may be in the midst of a character
        text = text.rstrip(TORN)
    reading = Reading(text, row.looped, cut=row.cut)
    if not grounding:
        return reading
    kinds = labels_are_kinds(loaded.contract.prompt)
    found = parse_places(text, *upright_size(picture), kinds)
    return replace(reading, text=found.text, boxes=found.boxes, damaged_boxes=found.damaged)

"""Reading pictures: the one decoder behind the page, the command line and every CER."""

import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from transformers import DynamicCache

from ocrtune.config import ReadConfig
from ocrtune.dataset import check_picture
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note, Progress, Read, silent
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import load_adapter, load_base
from ocrtune.features import encode_views, lay_out
from ocrtune.records import OcrContract, Prediction
from ocrtune.text import find_loop

BATCH_SIZE = 16
CHECK_EVERY = 32  # tokens between two looks for a loop
DROP_SHARE = 0.25  # of a batch's rows have ended when it pays to take them out
TOO_LARGE = "There is not enough memory for this picture. Save it smaller or end other programs."

Picture = tuple[str, bytes]  # picture id, encoded image file


@dataclass
class Row:
    """The answer to one picture while it is written."""

    ids: list[int] = field(default_factory=list)
    looped: bool = False
    ended: bool = False


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
    batch_size: int = BATCH_SIZE,
    emit: Emit = silent,
    model: str = "",
) -> list[Prediction]:
    """Return one prediction per picture, in their order; a failure is told in its own one.

    features: of each picture, where they were computed before; `model`: the name to show.
    """
    loaded.model.eval()
    predictions: dict[int, Prediction] = {}
    for batch in make_batches(pictures, features, batch_size):
        started = time.perf_counter()
        known = [features[index] if features else None for index in batch]
        readings = read_batch(loaded, [pictures[index][1] for index in batch], known)
        seconds = (time.perf_counter() - started) / len(batch)
        for index, reading in zip(batch, readings, strict=True):
            predictions[index] = Prediction(
                picture_id=pictures[index][0],
                seconds=seconds,
                model=model or loaded.contract.base_model,
                **asdict(reading),
            )
        emit(Progress("read", len(predictions), len(pictures)))
    return [predictions[index] for index in range(len(pictures))]


def make_batches(
    pictures: Sequence[Picture], features: Sequence[Tensor | None] | None, batch_size: int
) -> Iterator[list[int]]:
    """Yield the indices of pictures that are read together: about as long as each other."""
    if features:
        lengths = [0 if feature is None else len(feature) for feature in features]
    else:
        lengths = [elongation(data) for _, data in pictures]
    order = sorted(range(len(pictures)), key=lengths.__getitem__)
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
    loaded: LoadedModel, pictures: Sequence[bytes], features: Sequence[Tensor | None]
) -> list[Reading]:
    """Return the readings of some pictures, read together, or in halves if memory is short."""
    try:
        return read_together(loaded, pictures, features)
    except (torch.OutOfMemoryError, MemoryError):
        if len(pictures) == 1:
            return [Reading(failed=TOO_LARGE)]
    half = len(pictures) // 2  # outside of the handler, which would keep the tensors alive
    return [
        *read_batch(loaded, pictures[:half], features[:half]),
        *read_batch(loaded, pictures[half:], features[half:]),
    ]


@torch.inference_mode()
def read_together(
    loaded: LoadedModel, pictures: Sequence[bytes], features: Sequence[Tensor | None]
) -> list[Reading]:
    """Return the readings of some pictures; `features` spare those that have them the vision."""
    readings: list[Reading] = [Reading()] * len(pictures)
    ready = {index: feature for index, feature in enumerate(features) if feature is not None}
    views = {}
    for index in range(len(pictures)):
        if index not in ready:
            try:
                views[index] = lay_out(loaded, pictures[index])
            except OcrtuneError as error:
                readings[index] = Reading(failed=str(error))
    ready.update(zip(views, encode_views(loaded, list(views.values())), strict=True))
    rows = decode(loaded, list(ready.values()))
    for index, row in zip(ready, rows, strict=True):
        readings[index] = Reading(loaded.text_of(row.ids), row.looped)
    return readings


@torch.inference_mode()
def decode(loaded: LoadedModel, features: Sequence[Tensor]) -> list[Row]:
    """Return the answers to pictures, given as a list of [image tokens, width]; greedy.

    A loop of our own because `generate` spends more time per token than a small model does.
    """
    rows = [Row() for _ in features]
    if not rows:
        return rows
    contract, config = loaded.contract, loaded.network.config
    language, head = loaded.network.model.language_model, loaded.network.lm_head
    prompts = [loaded.prompt_ids(len(feature)) for feature in features]
    ids, mask = (part.to(loaded.device) for part in pad_left(prompts, config.pad_token_id))
    picture_features = torch.cat([feature.to(loaded.device) for feature in features])
    inputs = loaded.network.model.embed(ids, picture_features)
    positions = (mask.long().cumsum(-1) - 1).clamp(min=0)
    cache, active, attention = DynamicCache(config=config.text_config), rows, mask
    for _ in range(contract.max_new_tokens):
        hidden = language(
            inputs_embeds=inputs,
            attention_mask=attention,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        tokens = choose_tokens(head(hidden[:, -1]), active, contract)
        for row, token in zip(active, tokens, strict=True):
            extend(loaded, row, token)
        left = [index for index, row in enumerate(active) if not row.ended]
        if not left:
            break
        positions = positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        if len(left) <= (1 - DROP_SHARE) * len(active):
            chosen = torch.tensor(left, device=loaded.device)
            cache.batch_select_indices(chosen)
            mask, positions = mask[chosen], positions[chosen]
            active, tokens = [active[i] for i in left], [tokens[i] for i in left]
        attention = mask[:, None, None, :]  # ready-made: transformers need not build its own
        inputs = language.embed_tokens(torch.tensor(tokens, device=loaded.device)[:, None])
    for row in rows:
        row.looped = row.looped or find_loop(loaded.text_of(row.ids))
    return rows


def pad_left(prompts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Return int64 ids and a bool mask, both [prompts, longest], real tokens on the right."""
    longest = max(map(len, prompts))
    ids = [[padding] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[False] * (longest - len(prompt)) + [True] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def choose_tokens(logits: Tensor, rows: Sequence[Row], contract: OcrContract) -> list[int]:
    """Return the likeliest token of each row that does not bring back an n-gram.

    logits: [rows, vocabulary], changed in place.
    """
    tokens = logits.argmax(-1).tolist()
    for index, row in enumerate(rows):
        while brings_back(row.ids, tokens[index], contract.no_repeat_ngram, contract.ngram_window):
            logits[index, tokens[index]] = -torch.inf
            tokens[index] = int(logits[index].argmax())
    return tokens


def brings_back(ids: Sequence[int], token: int, ngram: int, window: int) -> bool:
    """Return whether `token` would end an n-gram found in the last `window` of `ids`."""
    if not ngram or len(ids) < ngram:
        return False
    recent = list(ids[-window:])
    if token not in recent:
        return False
    ending = [*ids[len(ids) - ngram + 1 :], token]
    return any(recent[start : start + ngram] == ending for start in range(len(recent) - ngram + 1))


def extend(loaded: LoadedModel, row: Row, token: int) -> None:
    """Add a token to a row that has not ended, and end it at the end token or in a loop."""
    if row.ended:
        return
    if token == loaded.network.config.eos_token_id:
        row.ended = True
        return
    row.ids.append(token)
    if len(row.ids) % CHECK_EVERY == 0 and find_loop(loaded.text_of(row.ids)):
        row.ended = row.looped = True

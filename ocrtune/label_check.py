"""Training lines read with a tuned model: what it reads otherwise may be wrong ground truth."""

import math
import random
import time
from collections.abc import Callable
from pathlib import Path

from ocrtune.config import SuspectsConfig
from ocrtune.decoding import length_cap
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, Note, Progress, Saved, silent
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import has_fixed_features, load_base
from ocrtune.features import encode_samples
from ocrtune.picture_store import digest_of
from ocrtune.reading import follow_adapter, read_samples, use_cores
from ocrtune.sample_index import SampleIndex
from ocrtune.suspects import Found, judge, write_suspects

LINES_AT_ONCE = 16  # training lines, between two looks at the clock


def never() -> bool:
    """Nobody asks to end."""
    return False


def check_labels(
    config: SuspectsConfig, emit: Emit = silent, stop_requested: Callable[[], bool] = never
) -> Found:
    """Return the training lines that the tuned model reads with errors, after writing them.

    Asked to stop, it ends after the lines in work; what was found so far is written.
    """
    use_cores()
    unchecked = [
        one
        for one in SampleIndex(config.data)
        if one.split == "train" and not one.is_excluded and not one.is_checked
    ]
    if not unchecked:
        raise DatasetError(
            f"The train split of `{config.data}` has no line that nobody has checked.",
            "There is nothing left to look for.",
        )
    loaded = load_base(config.base)
    follow_adapter(loaded, config.adapter, emit)
    most = config.lines or len(unchecked)
    found = find_suspects(
        config.data, loaded, config.adapter, most, emit, seed=config.seed, stop=stop_requested
    )
    if found.read < min(most, found.of):
        emit(Note(f"Stopped after {found.read} of {min(most, found.of)} lines."))
    folder = Path(config.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_suspects(folder, found)
    emit(Saved("suspects", config.output))
    return found


def find_suspects(
    data: str,
    loaded: LoadedModel,
    adapter: str,
    most: int,
    emit: Emit,
    seconds: float = math.inf,
    rate: float = 0.0,
    seed: int = 0,
    stop: Callable[[], bool] = never,
) -> Found:
    """Return training lines that the tuned model reads with errors, `most` of them being read.

    seconds: when it must be ready; rate: seconds that one line has taken so far. Lines that
    somebody has checked are left alone.
    """
    index = SampleIndex(data)
    open_ = [one for one in index if one.split == "train" and not one.is_excluded]
    open_ = [one for one in open_ if not one.is_checked]
    affordable = len(open_) if math.isinf(seconds) else int(seconds / max(rate, 1e-4))
    count = min(len(open_), most, max(1, affordable))
    chosen = random.Random(seed).sample(open_, count)
    loaded = loaded.capped(length_cap(loaded, [one.text for one in chosen]))
    lines, predictions = [], []
    started = time.perf_counter()
    for first in range(0, count, LINES_AT_ONCE):
        spent = time.perf_counter() - started
        if first and spent * (first + LINES_AT_ONCE) / first > seconds:
            break  # the next ones would not be ready in time
        if first and stop():
            break
        batch = chosen[first : first + LINES_AT_ONCE]
        pictures = list(index.pictures(batch).items())
        texts = {one.picture_id: one.text for one in batch}
        features = encode_samples(loaded, pictures) if has_fixed_features(loaded) else None
        predictions += read_samples(loaded, pictures, features, model=adapter)
        lines += [(name, digest_of(data).hex(), texts[name]) for name, data in pictures]
        emit(Progress("suspects", len(lines), count))
    return Found(len(lines), len(open_), tuple(judge(lines, predictions)))

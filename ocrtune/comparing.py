"""Base model against adapter: the same samples, prompt, layout and decoding for both."""

import random
import time
from pathlib import Path

from ocrtune.config import CompareConfig
from ocrtune.dataset_files import load_samples, split_path
from ocrtune.decoding import length_cap
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, Progress, Saved, silent
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import has_fixed_features, load_base
from ocrtune.features import encode_samples
from ocrtune.picture_store import digest_of
from ocrtune.reading import follow_adapter, read_samples, use_cores
from ocrtune.report import Comparison, build_comparison, write_report
from ocrtune.sample_index import SampleIndex
from ocrtune.suspects import Found, judge, suspects_path, write_suspects

LINES_AT_ONCE = 16  # training lines, between two looks at the clock


def compare_models(config: CompareConfig, emit: Emit = silent) -> Comparison:
    """Return the comparison on one split, after writing its report to the output folder.

    One model is loaded: the base model is read with the adapter switched off, under the contract
    the adapter was trained under. Answers may not be much longer than the longest right text; the
    comparison's contract holds that limit.
    """
    use_cores()
    samples = load_samples(config.data, config.split)
    if not samples:
        raise DatasetError(
            f"The {config.split} split of `{config.data}` is empty: nothing to compare.",
            "Build the dataset from at least 3 different pictures with text; 300 are a good start.",
        )
    loaded = load_base(config.base)
    follow_adapter(loaded, config.adapter, emit)
    # The same limit for both: a model in a loop would write to the contract's own, for minutes.
    uncapped = loaded
    loaded = loaded.capped(length_cap(loaded, [sample.text for sample in samples]))
    started = time.perf_counter()
    pictures = [(sample.picture_id, sample.picture) for sample in samples]
    # An adapter that leaves vision alone sees what the base model sees.
    features = encode_samples(loaded, pictures, emit) if has_fixed_features(loaded) else None

    def emit_part(start: int) -> Emit:
        def pass_on(event) -> None:
            emit(Progress("compare", start + event.done, 2 * len(pictures)))

        return pass_on

    with loaded.model.disable_adapter():
        base = read_samples(loaded, pictures, features, emit=emit_part(0), model=config.base)
    tuned = read_samples(
        loaded,
        pictures,
        features,
        emit=emit_part(len(pictures)),
        model=f"{config.base} + {config.adapter}",
    )
    seconds = time.perf_counter() - started
    comparison = build_comparison(
        loaded.contract, config.split, samples, base, tuned, config.draws, config.seed
    )
    write_report(comparison, dict(pictures), Path(config.output), config.language)
    suspects_path(Path(config.output)).unlink(missing_ok=True)  # of an earlier comparison
    has_train = split_path(config.data, "train").is_file()
    if config.suspects and config.split != "train" and has_train:
        rate = sum(prediction.seconds for prediction in tuned) / len(tuned)
        found = find_suspects(config, uncapped, seconds, rate, emit)
        write_suspects(Path(config.output), found)
    emit(Saved("report", config.output))
    return comparison


def find_suspects(
    config: CompareConfig, loaded: LoadedModel, seconds: float, rate: float, emit: Emit
) -> Found:
    """Return training lines that the tuned model reads with errors, read in at most `seconds`.

    rate: seconds that one line has taken so far. Lines that somebody has checked are left alone.
    """
    index = SampleIndex(config.data)
    open_ = [one for one in index if one.split == "train" and not one.is_excluded]
    open_ = [one for one in open_ if not one.is_checked]
    affordable = int(seconds / max(rate, 1e-4))
    count = min(len(open_), config.suspects, max(1, affordable))
    chosen = random.Random(config.seed).sample(open_, count)
    loaded = loaded.capped(length_cap(loaded, [one.text for one in chosen]))
    lines, predictions = [], []
    started = time.perf_counter()
    for first in range(0, count, LINES_AT_ONCE):
        spent = time.perf_counter() - started
        if first and spent * (first + LINES_AT_ONCE) / first > seconds:
            break  # the next ones would not be ready in time
        batch = chosen[first : first + LINES_AT_ONCE]
        pictures = list(index.pictures(batch).items())
        texts = {one.picture_id: one.text for one in batch}
        features = encode_samples(loaded, pictures) if has_fixed_features(loaded) else None
        predictions += read_samples(loaded, pictures, features, model=config.adapter)
        lines += [(name, digest_of(data).hex(), texts[name]) for name, data in pictures]
        emit(Progress("suspects", len(lines), count))
    return Found(len(lines), len(open_), tuple(judge(lines, predictions)))

"""Base model against adapter: the same samples, prompt, layout and decoding for both."""

from pathlib import Path

from ocrtune.config import CompareConfig
from ocrtune.dataset_files import load_samples
from ocrtune.decoding import length_cap
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, Progress, Saved, silent
from ocrtune.families.loading import has_fixed_features, load_base
from ocrtune.features import encode_samples
from ocrtune.reading import follow_adapter, read_samples, use_cores
from ocrtune.report import Comparison, build_comparison, write_report


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
    loaded = loaded.capped(length_cap(loaded, [sample.text for sample in samples]))
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
    comparison = build_comparison(
        loaded.contract, config.split, samples, base, tuned, config.draws, config.seed
    )
    write_report(comparison, dict(pictures), Path(config.output), config.language)
    emit(Saved("report", config.output))
    return comparison

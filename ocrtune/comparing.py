"""Base model against adapters: the same samples, prompt, layout and decoding for all of them."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ocrtune.adapter_names import shown_name
from ocrtune.checkpoints import read_unfinished
from ocrtune.conditions import Conditions
from ocrtune.config import CHECKPOINT, CompareConfig, TrainConfig
from ocrtune.dataset_files import load_samples, split_path
from ocrtune.decoding import length_cap
from ocrtune.errors import ConfigError, DatasetError
from ocrtune.events import Emit, Note, Progress, Saved, silent
from ocrtune.families.digests import weights_digest
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import (
    DEFAULT,
    DETAILS,
    adapter_layers,
    has_fixed_features,
    load_base,
    put_adapter,
    use_adapter,
)
from ocrtune.features import encode_samples
from ocrtune.label_check import find_suspects
from ocrtune.other_engines import OtherTexts, read_other_texts
from ocrtune.ranking import Contender, rank_models
from ocrtune.reading import follow_adapter, read_samples, use_cores
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report import Comparison, build_comparison, write_report
from ocrtune.sample_index import SampleIndex
from ocrtune.seen import Seen, describe_seen, find_seen, leave_out
from ocrtune.shared_adapters import folder_of, revision_of
from ocrtune.subsets import known_groups
from ocrtune.suspects import suspects_path, write_suspects


@dataclass(frozen=True)
class Source:
    """Weights that take part, on the one base model that is loaded."""

    adapter: str  # what peft calls them; empty for the base model
    name: str  # what people call them
    kind: str  # see `ranking.Contender`
    revision: str


def compare_models(config: CompareConfig, emit: Emit = silent) -> Comparison:
    """Return the comparison on one split, after writing its report to the output folder.

    One model is loaded: the base model is read with the adapters switched off, under the contract
    that the first one was trained under; every further one reads under its own. Answers may not be
    much longer than the longest right text; the comparison's contract holds that limit.
    """
    use_cores()
    samples, seen = choose_samples(config, emit)
    engines = read_engines(config, samples, emit)
    loaded, sources = load_sources(config, emit)
    refuse_equal_names([*(one.name for one in sources), *config.other_texts])
    started = time.perf_counter()
    contract, contenders = read_sources(loaded, sources, samples, config, emit)
    seconds = time.perf_counter() - started
    contenders += [
        Contender(name=one.name, kind="texts", predictions=one.predictions, revision=one.digest)
        for one in engines
    ]
    base, tuned = (one.predictions for one in contenders[:2])
    comparison = replace(
        build_comparison(
            contract,
            config.split,
            samples,
            base,
            tuned,
            config.draws,
            config.seed,
            known_groups(config.data, [sample.picture_id for sample in samples]),
        ),
        ranking=rank_models(samples, contenders, contract.profile, config.draws, config.seed),
        conditions=Conditions(
            base_revision=contract.revision,
            adapter_revision=sources[1].revision,
            adapter_steps=trained_steps(folder_of(config.adapter)),
            seen=seen,
        ),
    )
    pictures = {sample.picture_id: sample.picture for sample in samples}
    write_report(comparison, pictures, Path(config.output), config.language, emit)
    suspects_path(Path(config.output)).unlink(missing_ok=True)  # of an earlier comparison
    has_train = split_path(config.data, "train").is_file()
    if config.suspects and config.split != "train" and has_train:
        use_adapter(loaded, DEFAULT)
        rate = sum(prediction.seconds for prediction in tuned) / len(tuned)
        found = find_suspects(
            config.data,
            loaded,
            shown_name(config.adapter),
            config.suspects,
            emit,
            seconds=seconds,
            rate=rate,
            seed=config.seed,
        )
        write_suspects(Path(config.output), found)
    emit(Saved("report", config.output))
    return comparison


def choose_samples(config: CompareConfig, emit: Emit) -> tuple[list[Sample], Seen]:
    """Return what is read, and what of the split the train split holds too."""
    samples = load_samples(config.data, config.split)
    if not samples:
        raise DatasetError(
            f"The {config.split} split of `{config.data}` is empty: nothing to compare.",
            "Build the dataset from at least 3 different pictures with text; 300 are a good start.",
        )
    found = find_seen(config.data, config.split, samples, emit)
    seen = replace(found, left_out=config.leave_out_seen)
    if told := describe_seen(seen, config.split):
        emit(Note(told))
    return leave_out(samples, seen), seen


def read_engines(config: CompareConfig, samples: Sequence[Sample], emit: Emit) -> list[OtherTexts]:
    """Return what other engines read of the samples; what they lack is told."""
    if not config.texts:
        return []
    asked = [sample.picture_id for sample in samples]
    others = SampleIndex(config.data).columns.ids
    engines = []
    for name, path in config.other_texts.items():
        one = read_other_texts(name, Path(path), asked, others)
        if one.missing:
            words = f"`{name}` has no text for {one.missing} of {len(asked)} pictures"
            emit(Note(f"{words}; they count as failed."))
        engines.append(one)
    return engines


def load_sources(config: CompareConfig, emit: Emit) -> tuple[LoadedModel, list[Source]]:
    """Return the base model with all adapters on it, and what they are: the base model first."""
    loaded = load_base(config.base)
    sources = [Source("", config.base, "base", loaded.contract.revision)]
    names = config.names or (*map(shown_name, config.all_adapters), *config.all_checkpoints)
    called = iter(names)
    for number, folder in enumerate(config.all_adapters, start=1):
        name = DEFAULT if number == 1 else f"adapter{number}"
        follow_adapter(loaded, folder, emit, name)
        revision = revision_of(folder) or weights_digest(Path(folder))
        sources.append(Source(name, next(called), "adapter", revision))
    for number, folder in enumerate(config.all_checkpoints, start=1):
        name = f"checkpoint{number}"
        step = put_checkpoint(loaded, Path(folder), name)
        revision = weights_digest((Path(folder) / CHECKPOINT).parent)
        sources.append(Source(name, f"{next(called)} (step {step})", "checkpoint", revision))
    return loaded, sources


def put_checkpoint(loaded: LoadedModel, run: Path, name: str) -> int:
    """Put the weights of an unfinished run on the model as an adapter, and return their step."""
    found = read_unfinished(run)
    config = TrainConfig.load(run / "config.json")
    put_adapter(
        loaded,
        found.contract,
        lambda: (adapter_layers(loaded, config, run / "adapter"), found.weights),
        f"checkpoint of `{run}`",
        name,
    )
    return found.step


def refuse_equal_names(names: Sequence[str]) -> None:
    """Raise a ConfigError if two of those that take part have one name."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"Two of them are called `{twice}`.", "Give the texts another name.")


def read_sources(
    loaded: LoadedModel,
    sources: Sequence[Source],
    samples: Sequence[Sample],
    config: CompareConfig,
    emit: Emit,
) -> tuple[OcrContract, list[Contender]]:
    """Return the contract of the comparison, and what each of the sources read under it.

    A later adapter reads under the contract it was trained under; the differences are its notes.
    """
    reader = Reader(loaded, samples, len(sources), emit)
    use_adapter(loaded, DEFAULT)
    contract, contenders = reader.contract(), []
    for source in sources:
        if source.kind == "base":
            with loaded.model.disable_adapter():
                predictions = reader.read(config.base)
        else:
            use_adapter(loaded, source.adapter)
            predictions = reader.read(f"{config.base} + {source.name}")
        contenders.append(
            Contender(
                name=source.name,
                kind=source.kind,
                predictions=predictions,
                revision=source.revision,
                notes=tuple(contract.differences(reader.contract())),
            )
        )
    return contract, contenders


class Reader:
    """Reads the same pictures with one adapter after another."""

    def __init__(
        self,
        loaded: LoadedModel,
        samples: Sequence[Sample],
        models: int,
        emit: Emit,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """models: how many there will be; look: is called with every token, and may raise."""
        self.look = look
        self.loaded = loaded
        self.texts = [sample.text for sample in samples]
        self.pictures = [(sample.picture_id, sample.picture) for sample in samples]
        self.total = models * len(samples)
        self.done = 0
        self.emit = emit
        self.features: dict[str, Sequence[Tensor | None]] = {}  # by layout

    def capped(self) -> LoadedModel:
        """Return the model with the adapter in use, whose answers end soon after the right ones.

        The same limit for all: a model in a loop would write to the contract's own, for minutes.
        """
        return self.loaded.capped(length_cap(self.loaded, self.texts))

    def contract(self) -> OcrContract:
        """Return what the pictures are read under with the adapter in use."""
        return self.capped().contract

    def read(self, model: str) -> list[Prediction]:
        """Return what the adapter in use reads; adapters that leave vision alone share features."""
        loaded, features = self.capped(), None
        if has_fixed_features(loaded):
            layout = loaded.contract.layout
            if layout not in self.features:
                self.features[layout] = encode_samples(loaded, self.pictures, self.emit)
            features = self.features[layout]

        def pass_on(event) -> None:
            self.emit(Progress("compare", self.done + event.done, self.total))

        predictions = read_samples(
            loaded, self.pictures, features, emit=pass_on, model=model, look=self.look
        )
        self.done += len(self.pictures)
        return predictions


def trained_steps(folder: Path) -> int | None:
    """Return after how many steps an adapter's weights were kept; None if it does not say so."""
    try:
        step = json.loads((folder / DETAILS).read_text("utf-8")).get("kept_step")
    except (OSError, ValueError, AttributeError):
        return None
    return step if isinstance(step, int) else None

"""What a run learns from: samples as token ids, their order, and what has to be left out."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocrtune.config import TrainConfig
from ocrtune.errors import ModelError, TrainingError
from ocrtune.events import Emit, Note
from ocrtune.families.loaded import LoadedModel
from ocrtune.records import Sample

WINDOW_BATCHES = 4  # samples of so many batches are ordered by length before they are divided
LISTED_CHARACTERS = 20


@dataclass(frozen=True, kw_only=True)
class Example:
    """One sample of the train split, ready to be learned."""

    picture_id: str
    picture: bytes
    completion: list[int]  # token ids of the text and its end


def choose_samples(samples: Sequence[Sample], config: TrainConfig) -> list[Sample]:
    """Return the samples that are read at each measurement, always the same ones."""
    count = min(len(samples), config.validation_samples)
    chosen = random.Random(config.seed).sample(range(len(samples)), count)
    return [samples[index] for index in sorted(chosen)]


def draw_allowed(samples: Sequence[Sample], most: int, seed: int) -> list[Sample]:
    """Return at most so many of the samples, always the same ones, in their order; 0: all."""
    if not most or len(samples) <= most:
        return list(samples)
    chosen = random.Random(seed).sample(range(len(samples)), most)
    return [samples[index] for index in sorted(chosen)]


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A split after everything that cannot be learned was set aside."""

    examples: list[Example]
    samples: int  # looked at
    left_out: list[str]  # a sentence on each sample that is none of the examples
    unknown: Counter[str]  # characters that the model cannot write, with how often they occur

    def notes(self, model: str) -> list[str]:
        """Return what people should know of it, in sentences."""
        told = []
        if self.unknown:
            told.append(
                f"`{model}` cannot write {describe_characters(self.unknown)}. The rest is learned."
            )
        if self.left_out:
            count = f"{len(self.left_out)} of {self.samples} samples are left out."
            told.append(f"{count} {self.left_out[0]}")
        return told


def make_examples(loaded: LoadedModel, samples: Sequence[Sample], emit: Emit) -> list[Example]:
    """Return what can be learned, and tell what cannot; a TrainingError if that is everything."""
    return examine_samples(loaded, samples, emit).examples


def examine_samples(loaded: LoadedModel, samples: Sequence[Sample], emit: Emit) -> Examined:
    """Return what can be learned and what cannot, and tell it; a TrainingError if nothing can."""
    name, longest = loaded.contract.base_model, loaded.contract.max_new_tokens
    examples, unknown, left_out, known = [], Counter(), [], 0
    for sample in samples:
        odd = loaded.unknown_characters(sample.text)
        unknown.update(character for character in sample.text if character in odd)
        try:
            completion = loaded.completion_ids(sample.text)
        except ModelError as error:
            left_out.append(f"`{sample.picture_id}`: {error}")
            continue
        if len(completion) > longest:
            left_out.append(
                f"`{sample.picture_id}`: its text takes {len(completion)} tokens, and `{name}` "
                f"writes at most {longest} for one picture. Cut the picture in parts."
            )
            continue
        known += len(set(sample.text) - odd)
        examples.append(
            Example(picture_id=sample.picture_id, picture=sample.picture, completion=completion)
        )
    examined = Examined(examples=examples, samples=len(samples), left_out=left_out, unknown=unknown)
    for words in examined.notes(name):
        emit(Note(words))
    if not known:
        raise TrainingError(
            f"None of the {len(samples)} samples of the train split has a text to learn.",
            "Add ground truth that the model can write, and build the dataset again.",
        )
    return examined


def describe_characters(counts: Counter[str]) -> str:
    """Return the characters with how often each occurs, the most frequent first."""
    shown = ", ".join(f"{c} ({n}x)" for c, n in counts.most_common(LISTED_CHARACTERS))
    more = len(counts) - LISTED_CHARACTERS
    noun = "character" if len(counts) == 1 else "characters"
    told = f"{len(counts)} {noun} of the ground truth: {shown}"
    return f"{told}, {more} more" if more > 0 else told


def batch_order(lengths: Sequence[int], batch_size: int, seed: int) -> Iterator[list[int]]:
    """Yield the indices of each step's samples, without end; each epoch has every sample once.

    Samples of similar length stand together, which spares padding.
    """
    source = random.Random(seed)
    window = WINDOW_BATCHES * batch_size
    while True:
        order = list(range(len(lengths)))
        source.shuffle(order)
        batches = []
        for start in range(0, len(order), window):
            near = sorted(order[start : start + window], key=lengths.__getitem__)
            batches += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
        source.shuffle(batches)
        yield from batches

"""The CER of a run on its validation sample, and which weights it makes worth keeping."""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ocrtune.events import Emit, Evaluated, SampleRead
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import adapter_weights, has_fixed_features
from ocrtune.features import encode_samples
from ocrtune.metrics import pool, score_pairs
from ocrtune.reading import read_samples
from ocrtune.records import Sample

SHOWN_SAMPLES = 3


class Validation:
    """Reads the same samples at every measurement and remembers the best weights."""

    def __init__(self, loaded: LoadedModel, samples: Sequence[Sample], emit: Emit) -> None:
        self.loaded = loaded
        self.samples = samples
        self.emit = emit
        self.pictures = [(sample.picture_id, sample.picture) for sample in samples]
        self.features: list[Tensor | None] = []
        self.cers: dict[int, float | None] = {}  # by step; 0 is the base model
        self.seconds = 0.0  # of all measurements together
        self.best_step = 0  # 0: nothing was measured but the base model
        self.best_weights: dict[str, Tensor] = {}
        if has_fixed_features(loaded):
            self.features = encode_samples(loaded, self.pictures)

    def measure(self, step: int) -> bool:
        """Read the samples, tell their CER, and return whether these weights are the best so far.

        The base model does not count, and of equals the later weights are better. Where no CER can
        be had, for want of samples or of text in them, the latest weights are the best.
        """
        started = time.perf_counter()
        predictions = read_samples(self.loaded, self.pictures, self.features)
        pairs = [(s.text, p.text) for s, p in zip(self.samples, predictions, strict=True)]
        cer = pool(score_pairs(pairs)).cer
        self.cers[step] = cer
        self.emit(Evaluated(step, cer, len(pairs)))
        for sample, prediction in list(zip(self.samples, predictions, strict=True))[:SHOWN_SAMPLES]:
            self.emit(SampleRead(step, sample.picture_id, sample.text, prediction.text))
        tuned = [rate for at, rate in self.cers.items() if at > 0]
        is_best = step > 0 and (cer is None or cer == min(tuned))
        if is_best:
            self.best_step = step
            weights = adapter_weights(self.loaded).items()
            self.best_weights = {key: tensor.detach().clone() for key, tensor in weights}
        self.seconds += time.perf_counter() - started
        return is_best

    @torch.no_grad()
    def restore_best(self) -> None:
        """Put the best weights back on the model."""
        for key, tensor in adapter_weights(self.loaded).items():
            tensor.copy_(self.best_weights[key])

"""The CER of a run on its validation sample, and which weights it makes worth keeping."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from ocrtune.decoding import length_cap
from ocrtune.errors import TrainingError
from ocrtune.events import Emit, Evaluated, SampleRead
from ocrtune.families.loaded import LoadedModel
from ocrtune.families.loading import adapter_weights, has_fixed_features
from ocrtune.features import encode_samples
from ocrtune.metrics import pool, score_pairs
from ocrtune.ranks import ALONE, Ranks
from ocrtune.reading import read_samples
from ocrtune.records import Prediction, Sample

SHOWN_SAMPLES = 3
LOOK_SECONDS = 0.3  # between two looks for a wish to stop


class MeasuringStoppedError(TrainingError):
    """Somebody asked to stop before all samples were read; nothing was measured."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


class Validation:
    """Reads the same samples at every measurement and remembers the best weights."""

    def __init__(
        self,
        loaded: LoadedModel,
        samples: Sequence[Sample],
        emit: Emit,
        in_full: Callable[[], AbstractContextManager] = nullcontext,
        ranks: Ranks = ALONE,
    ) -> None:
        """in_full: lets the model hold its weights in fp32 while they are copied; ranks: who reads
        a share of the samples each."""
        self.mine = slice(ranks.index, None, ranks.count)
        self.ranks = ranks
        self.in_full = in_full
        self.loaded = loaded
        self.samples = samples
        self.emit = emit
        self.pictures = [(sample.picture_id, sample.picture) for sample in samples]
        self.longest = length_cap(loaded, [sample.text for sample in samples])  # tokens
        self.features: list[Tensor | None] = []
        self.features_seconds = 0.0  # that computing them took
        self.cers: dict[int, float | None] = {}  # by step; 0 is the base model
        self.seconds = 0.0  # of all measurements together
        self.best_step = 0  # 0: nothing was measured but the base model
        self.best_weights: dict[str, Tensor] = {}
        if has_fixed_features(loaded):
            started = time.perf_counter()
            self.features = encode_samples(loaded, self.pictures[self.mine])
            self.features_seconds = time.perf_counter() - started

    def measure(self, step: int, stop_requested: Callable[[], bool] = never) -> bool:
        """Read the samples, tell their CER, and return whether these weights are the best so far.

        The base model does not count, and of equals the later weights are better. Where no CER can
        be had, for want of samples or of text in them, the latest weights are the best.
        A MeasuringStoppedError when asked to stop before that.
        """
        started = time.perf_counter()
        predictions = self.read(stop_requested)
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
            with self.in_full():
                weights = adapter_weights(self.loaded).items()
                self.best_weights = {key: tensor.detach().clone() for key, tensor in weights}
        self.seconds += time.perf_counter() - started
        return is_best

    def stale(self) -> int:
        """Return how many measurements there have been since the best CER of the run."""
        return measured_since_best([rate for at, rate in sorted(self.cers.items()) if at > 0])

    def read(self, stop_requested: Callable[[], bool]) -> list[Prediction]:
        """Return the readings of all samples, each process having read its share."""
        looked = 0.0

        def look() -> None:
            nonlocal looked
            now = time.monotonic()
            if now - looked < LOOK_SECONDS:
                return
            looked = now
            if stop_requested():
                raise MeasuringStoppedError("Stopped while the CER was measured.", "")

        reader = self.loaded.capped(self.longest)
        mine = read_samples(reader, self.pictures[self.mine], self.features, look=look)
        predictions: list = [None] * len(self.pictures)
        for index, share in enumerate(self.ranks.gather(mine)):
            predictions[index :: self.ranks.count] = share
        return predictions

    @torch.no_grad()
    def restore_best(self) -> None:
        """Put the best weights back on the model."""
        with self.in_full():
            for key, tensor in adapter_weights(self.loaded).items():
                tensor.copy_(self.best_weights[key])

    def state(self) -> dict:
        """Return what was measured and which weights were best, for `restore`."""
        return {
            "cers": self.cers,
            "seconds": self.seconds,
            "best_step": self.best_step,
            "best_weights": self.best_weights,
        }

    def restore(self, state: dict) -> None:
        """Know what a validation on the same samples knew when it gave `state`."""
        self.cers = state["cers"]
        self.seconds = state["seconds"]
        self.best_step = state["best_step"]
        self.best_weights = {
            key: tensor.to(self.loaded.device) for key, tensor in state["best_weights"].items()
        }


def measured_since_best(cers: Sequence[float | None]) -> int:
    """Return how many of the last measurements were not better than all before; None is no CER."""
    best, since = math.inf, 0
    for cer in cers:
        if cer is not None:
            best, since = (cer, 0) if cer < best else (best, since + 1)
    return since

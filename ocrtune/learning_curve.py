"""The points of a learning curve and what they say: plain values, no model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from ocrtune.learning_words import VERDICTS
from ocrtune.metrics import CharScore, Difference, compare_scores
from ocrtune.power_law import FEW_LINES, Forecast, draw_cers, forecast, interval
from ocrtune.records import OcrContract
from ocrtune.report_page import percent

VERSION = 1  # of the values; names keep their meaning within one


@dataclass(frozen=True, kw_only=True)
class Point:
    """One share of the train split, and what the model tuned on it misreads."""

    fraction: float
    samples: int  # that were learned from
    steps: int
    passes: float  # over these samples
    kept_step: int  # whose weights were the best
    revision: str  # digest of the adapter's weights
    errors: tuple[int, ...]  # on each test line


@dataclass(frozen=True, kw_only=True)
class Curve:
    """All points there are so far, fewest samples first."""

    data: str
    split: str
    contract: OcrContract
    lengths: tuple[int, ...]  # reference characters of each test line
    base: tuple[int, ...]  # the base model's errors on each
    points: tuple[Point, ...]
    finished: bool  # no share is still to come
    same_steps: bool  # else: as many passes over the samples
    seen: int  # test lines that the whole train split holds too
    draws: int
    seed: int

    @property
    def characters(self) -> int:
        """Reference characters of all test lines."""
        return sum(self.lengths)

    def cer(self, errors: Sequence[int]) -> float | None:
        """Return the pooled CER of errors on the test lines."""
        return sum(errors) / self.characters if self.characters else None

    def forecast(self) -> Forecast:
        """Return what more samples would bring."""
        return forecast(
            [point.samples for point in self.points],
            [point.errors for point in self.points],
            self.lengths,
            self.draws,
            self.seed,
        )


def curve_values(curve: Curve) -> dict:
    """Return everything about the curve as plain JSON values."""
    told = curve.forecast() if curve.characters else Forecast(kind="nothing")
    rows = [curve.base, *(point.errors for point in curve.points)]
    spans = [(None, None)] * len(rows)
    if curve.characters:
        drawn = draw_cers(np.asarray(rows), np.asarray(curve.lengths), curve.draws, curve.seed)
        spans = [interval(column) for column in drawn.T]
    figures = [
        {"cer": curve.cer(row), "low": low, "high": high, "errors": sum(row)}
        for row, (low, high) in zip(rows, spans, strict=True)
    ]
    return {
        "version": VERSION,
        "data": curve.data,
        "split": curve.split,
        "lines": len(curve.lengths),
        "reference_characters": curve.characters,
        "few_lines": len(curve.lengths) < FEW_LINES,
        "seen": curve.seen,
        "contract": asdict(curve.contract),
        "contract_digest": curve.contract.digest(),
        "finished": curve.finished,
        "same_steps": curve.same_steps,
        "base": figures[0],
        "points": [
            {**about(point), **figure}
            for point, figure in zip(curve.points, figures[1:], strict=True)
        ],
        "changes": [
            {
                "from": before.samples,
                "to": after.samples,
                **asdict(difference := change(curve, before, after)),
                "decided": is_decided(difference),
            }
            for before, after in pairwise(curve.points)
        ],
        "forecast": asdict(told),
        "verdict": {language: verdict(curve, told, language) for language in VERDICTS},
    }


def about(point: Point) -> dict:
    """Return a point's values without those of each line."""
    values = asdict(point)
    del values["errors"]
    return values


def change(curve: Curve, before: Point, after: Point) -> Difference:
    """Return the difference of two points; below zero the later one is better."""
    scores = [
        [
            CharScore(errors, length)
            for errors, length in zip(one.errors, curve.lengths, strict=True)
        ]
        for one in (before, after)
    ]
    return compare_scores(*scores, curve.draws, curve.seed)


def is_decided(difference: Difference) -> bool:
    """Return whether the 95 % interval leaves zero out."""
    return difference.low is not None and not difference.low <= 0 <= difference.high


def verdict(curve: Curve, told: Forecast, language: str) -> str:
    """Return a sentence on what more samples would bring."""
    sentences = VERDICTS[language]
    lines = len(curve.lengths)
    facts: Mapping[str, object] = {
        "samples": told.samples,
        "now": percent(curve.cer(curve.points[-1].errors) if curve.points else None),
        "cer": percent(told.cer),
        "low": percent(told.low),
        "high": percent(told.high),
        "few": sentences["few"].format(lines=lines) if told.few_lines else "",
    }
    return sentences[told.kind].format(**facts)

"""Whether a difference between two models could be chance: the paired bootstrap over lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocrtune.errors import MetricsError
from ocrtune.scores import Counts, Scores

FEW_LINES = 30  # below, a bootstrap interval is too narrow to be trusted
FEWEST_DRAWS = 100
DRAWN_AT_ONCE = 2_000_000  # counts in memory at a time: 16 MB
DRAWS, SEED = 10_000, 0
OWN_DRAWS = 2_000  # of an interval that is looked at and decides nothing


@dataclass(frozen=True)
class Difference:
    """Tuned model minus base model on the same lines; below zero the tuned one is better."""

    cer: float | None  # difference of the pooled CERs, a fraction
    low: float | None  # 95 % interval
    high: float | None
    better: int  # lines with fewer errors than before
    worse: int
    tied: int
    few_lines: bool  # too few lines for the interval to be more than a hint


def paired_bootstrap(
    base: Sequence[int] | np.ndarray,
    tuned: Sequence[int] | np.ndarray,
    lengths: Sequence[int] | np.ndarray,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[float, float]:
    """Return the 95 % interval of the pooled CER difference, tuned minus base, as fractions.

    base, tuned: errors of each line; lengths: reference characters of each line. Each draw takes
    as many lines as there are, with replacement, and both models keep the same lines, so that hard
    lines do not blur the difference (Bisani & Ney, "Bootstrap estimates for confidence intervals
    in ASR performance evaluation", ICASSP 2004).
    """
    change, lengths = np.subtract(tuned, base), np.asarray(lengths)
    if draws < FEWEST_DRAWS:
        raise MetricsError(f"{draws} draws make no interval.", f"Use {FEWEST_DRAWS} or more.")
    if not lengths.sum():
        raise MetricsError("No line has a reference.", "Compare on lines with ground truth.")
    # Lines of equal change and length are interchangeable: drawing how often each such group
    # comes up, and not which line, gives the same distribution from far fewer numbers.
    groups, sizes = np.unique(np.stack([change, lengths]), axis=1, return_counts=True)
    generator = np.random.default_rng(seed)
    at_once = max(1, DRAWN_AT_ONCE // len(sizes))
    differences = []
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        counts = generator.multinomial(len(lengths), sizes / len(lengths), size=size)
        changes, characters = (counts @ groups.T).T
        drawn = characters > 0  # a draw of empty references alone has no CER
        differences.append(changes[drawn] / characters[drawn])
    low, high = np.percentile(np.concatenate(differences), [2.5, 97.5])
    return float(low), float(high)


def own_interval(scores: Scores, draws: int = DRAWS, seed: int = SEED) -> dict[str, float | None]:
    """Return the 95 % interval of one model's pooled CER as `low` and `high`; None without one.

    It takes OWN_DRAWS at most: two models' intervals may overlap and their difference be decided.
    """
    counts = Counts.of(scores)
    low, high = None, None
    if counts.reference_length.sum():
        nothing = np.zeros_like(counts.errors)
        lengths, draws = counts.reference_length, min(draws, OWN_DRAWS)
        low, high = paired_bootstrap(nothing, counts.errors, lengths, draws, seed)
    return {"low": low, "high": high}


def compare_scores(base: Scores, tuned: Scores, draws: int = DRAWS, seed: int = SEED) -> Difference:
    """Return the difference between two models that read the same lines in the same order."""
    before, after = Counts.of(base), Counts.of(tuned)
    if not np.array_equal(before.reference_length, after.reference_length):
        raise MetricsError(
            "The two models were not scored on the same references.",
            "Read the same pictures with both and score them under the same profile.",
        )
    lengths, old, new = before.reference_length, before.errors, after.errors
    characters = int(lengths.sum())
    low, high = paired_bootstrap(old, new, lengths, draws, seed) if characters else (None, None)
    better, worse = int((new < old).sum()), int((new > old).sum())
    return Difference(
        cer=(int(new.sum()) - int(old.sum())) / characters if characters else None,
        low=low,
        high=high,
        better=better,
        worse=worse,
        tied=len(lengths) - better - worse,
        few_lines=len(lengths) < FEW_LINES,
    )

"""What more training samples would bring: a power law through measured CERs, with its doubt.

CER falls with the number of samples n about as floor + scale * n ** -slope (Hestness et al., "Deep
Learning Scaling is Predictable, Empirically", arXiv:1712.00409). The doubt is that of the test
lines: they are drawn anew many times, the same lines for every point, and each draw is fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocrtune.errors import MetricsError

FEWEST_POINTS = 3  # through two of them goes every law
FLOOR_POINTS = 4  # from so many on, the CER that no data can beat is fitted too
FLOORS = np.linspace(0, 0.98, 25)  # tried, as shares of the lowest CER
FEW_LINES = 30  # below, an interval over test lines is no more than a hint
TIMES = 2  # the samples there are: further out nobody should trust a curve of a few points
ROUNDING = 1e-9  # what is nearer to zero is zero
DRAWN_AT_ONCE = 2_000_000  # counts in memory at a time: 16 MB


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is to be expected of more training samples, or why that cannot be said.

    kind: `gain`: the CER falls; `flat`: it is not decided that it falls; `rising`: it rises from
    one point to a larger one, which is training's own luck; `few_points`; `perfect`: there are no
    errors left. Only the first two come with numbers.
    """

    kind: str
    samples: int = 0  # that the numbers are about
    cer: float | None = None  # expected there, a fraction
    low: float | None = None  # 95 % interval
    high: float | None = None
    change: float | None = None  # to the CER with all samples of today; below zero is better
    change_low: float | None = None
    change_high: float | None = None
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    floor: float | None = None  # the CER that the law comes down to; None: not fitted
    few_lines: bool = False


@dataclass(frozen=True)
class Laws:
    """Many fitted laws, one for each row of CERs."""

    scale: np.ndarray
    slope: np.ndarray
    floor: np.ndarray

    def at(self, samples: float) -> np.ndarray:
        """Return the CER of each law with so many training samples."""
        return self.floor + self.scale * samples**-self.slope


def draw_cers(
    errors: np.ndarray, lengths: np.ndarray, draws: int = 2_000, seed: int = 0
) -> np.ndarray:
    """Return the pooled CERs on test lines drawn with replacement: float [draws, points].

    errors: int [points, lines]; lengths: reference characters of each line. All points keep the
    same lines in a draw; draws of lines without any reference are left out.
    """
    lengths = np.asarray(lengths)
    if not lengths.sum():
        raise MetricsError("No line has a reference.", "Measure on lines with ground truth.")
    groups, sizes = np.unique(np.vstack([errors, lengths]), axis=1, return_counts=True)
    generator = np.random.default_rng(seed)
    at_once, drawn = max(1, DRAWN_AT_ONCE // len(sizes)), []
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        counts = generator.multinomial(len(lengths), sizes / len(lengths), size=size)
        sums = counts @ groups.T
        sums = sums[sums[:, -1] > 0]
        drawn.append(sums[:, :-1] / sums[:, -1:])
    return np.concatenate(drawn)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of the values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def fit_laws(samples: Sequence[int], cers: np.ndarray) -> Laws:
    """Return the law of each row of CERs, float [rows, points], all above zero.

    Least squares of the logarithms, so that each point counts in proportion to its CER. With
    FLOOR_POINTS points, the floor under which the rest fits best is found among FLOORS.
    """
    sizes = np.log(np.asarray(samples, float))
    shares = FLOORS if len(set(samples)) >= FLOOR_POINTS else FLOORS[:1]
    floors = cers.min(axis=1)[:, None] * shares  # [rows, floors]
    rest = np.log(cers[:, None, :] - floors[:, :, None])  # [rows, floors, points]
    centred = sizes - sizes.mean()
    slopes = (rest * centred).sum(axis=2) / (centred**2).sum()
    heights = rest.mean(axis=2) - slopes * sizes.mean()
    fitted = floors[:, :, None] + np.exp(heights[:, :, None] + slopes[:, :, None] * sizes)
    misfit = (np.log(fitted / cers[:, None, :]) ** 2).sum(axis=2)
    rows, best = np.arange(len(cers)), misfit.argmin(axis=1)
    return Laws(np.exp(heights[rows, best]), -slopes[rows, best], floors[rows, best])


def forecast(
    samples: Sequence[int],
    errors: Sequence[Sequence[int]],
    lengths: Sequence[int],
    draws: int = 2_000,
    seed: int = 0,
) -> Forecast:
    """Return what TIMES the samples would bring; points in the order of their samples.

    samples: of each point; errors: of each point on each test line; lengths: reference characters.
    """
    few = len(lengths) < FEW_LINES
    if len(set(samples)) < FEWEST_POINTS:
        return Forecast(kind="few_points", few_lines=few)
    table = np.asarray(errors)
    totals = table.sum(axis=1)
    if not totals[-1]:
        return Forecast(kind="perfect", few_lines=few)
    least = 0.5 / sum(lengths)  # half an error, where a draw has none: a logarithm needs it
    drawn = np.maximum(draw_cers(table, np.asarray(lengths), draws, seed), least)
    steps = np.diff(drawn, axis=1)
    if (np.percentile(steps, 2.5, axis=0) > 0).any():
        return Forecast(kind="rising", few_lines=few)
    measured = np.maximum(totals[None, :] / sum(lengths), least)
    law, laws = fit_laws(samples, measured), fit_laws(samples, drawn)
    more = TIMES * samples[-1]
    expected, spread = float(law.at(more)[0]), laws.at(more)
    slope_low, slope_high = interval(laws.slope)
    change_low, change_high = interval(spread - drawn[:, -1])
    low, high = interval(spread)
    return Forecast(
        kind="gain" if slope_low > ROUNDING and change_high < -ROUNDING else "flat",
        samples=more,
        cer=expected,
        low=low,
        high=high,
        change=expected - float(measured[0, -1]),
        change_low=change_low,
        change_high=change_high,
        slope=float(law.slope[0]),
        slope_low=slope_low,
        slope_high=slope_high,
        floor=float(law.floor[0]) if len(set(samples)) >= FLOOR_POINTS else None,
        few_lines=few,
    )

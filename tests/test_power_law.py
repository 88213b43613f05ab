"""What more samples would bring: exact on exact laws, honest where nothing can be said."""

import numpy as np
import pytest

from ocrtune.errors import MetricsError
from ocrtune.power_law import draw_cers, fit_laws, forecast, interval


@pytest.mark.parametrize(
    ("samples", "scale", "slope", "floor"),
    [
        ((100, 200, 400), 2.0, 0.5, 0.0),
        ((50, 400, 800), 0.3, 0.1, 0.0),
        ((100, 200, 400), 0.2, -0.2, 0.0),  # it rises
        ((100, 200, 400, 800, 1600), 2.0, 0.7, 0.0),
    ],
)
def test_points_on_a_law_give_it_back(samples, scale, slope, floor):
    cers = np.array([[floor + scale * n**-slope for n in samples]])
    law = fit_laws(samples, cers)
    assert law.scale[0] == pytest.approx(scale)
    assert law.slope[0] == pytest.approx(slope)
    assert law.at(4 * samples[-1])[0] == pytest.approx(scale * (4 * samples[-1]) ** -slope)


def test_a_floor_is_found_from_four_points_on():
    samples = (50, 100, 200, 400, 800)
    cers = np.array([[0.1 + 1.5 * n**-0.8 for n in samples]])
    law = fit_laws(samples, cers)
    assert law.floor[0] == pytest.approx(0.1, abs=0.01)
    assert law.at(1600)[0] == pytest.approx(0.1 + 1.5 * 1600**-0.8, rel=0.02)
    assert fit_laws(samples[-3:], cers[:, -3:]).floor[0] == 0


def lines_with(rates, lines=200, length=50, seed=1):
    """Return errors [points, lines] drawn around these rates; hard lines are hard for all."""
    source = np.random.default_rng(seed)
    hard = source.gamma(4, 0.25, lines)
    chances = np.clip(np.outer(rates, hard), 0, 1)
    return source.binomial(length, chances).tolist(), [length] * lines


def test_a_falling_curve_says_what_twice_the_samples_would_bring():
    samples = (100, 200, 400)
    told = forecast(samples, *lines_with([2 * n**-0.5 for n in samples]))
    assert (told.kind, told.samples, told.floor, told.few_lines) == ("gain", 800, None, False)
    assert told.low < told.cer < told.high < 0.1
    assert told.low < 2 * 800**-0.5 < told.high
    assert told.change_low < told.change < told.change_high < 0
    assert told.slope == pytest.approx(0.5, abs=0.1)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    samples = (100, 200, 400)
    truth, rates = 800**-0.4, [n**-0.4 for n in samples]
    held = 0
    for seed in range(200):
        told = forecast(samples, *lines_with(rates, lines=80, seed=seed), draws=400)
        held += told.low <= truth <= told.high
    assert 0.88 <= held / 200 <= 0.99


@pytest.mark.parametrize(
    ("samples", "rates", "kind"),
    [
        ((100, 200), (0.2, 0.1), "few_points"),
        ((100, 100, 200), (0.2, 0.2, 0.1), "few_points"),  # two shares with the same samples
        ((100, 200, 400), (0.2, 0.1, 0.0), "perfect"),
        ((100, 200, 400), (0.2, 0.2, 0.2), "flat"),
        ((100, 200, 400), (0.2, 0.3, 0.1), "rising"),
    ],
)
def test_what_cannot_be_said_is_not_said(samples, rates, kind):
    told = forecast(samples, *lines_with(rates))
    assert told.kind == kind
    if kind != "flat":
        assert (told.cer, told.change, told.slope) == (None, None, None)
    else:
        assert told.slope_low <= 0 or told.change_high >= 0


def test_few_lines_are_called_few():
    assert forecast((1, 2, 3), *lines_with((0.5, 0.3, 0.2), lines=10)).few_lines


def test_draws_keep_the_lines_of_all_points_together():
    """The second point always has one error more on every line, whatever lines are drawn."""
    errors = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    drawn = draw_cers(errors, np.array([10, 10, 10, 10]), draws=300)
    assert drawn.shape == (300, 2)
    assert drawn[:, 1] - drawn[:, 0] == pytest.approx(np.full(300, 0.1))
    low, high = interval(drawn[:, 0])
    assert 0 <= low < 0.15 < high <= 0.3
    with pytest.raises(MetricsError, match="No line has a reference"):
        draw_cers(errors, np.zeros(4, int))


def test_a_draw_without_errors_needs_no_logarithm_of_zero():
    errors = [[3] + [0] * 39, [2] + [0] * 39, [1] + [0] * 39]
    told = forecast((10, 20, 40), errors, [10] * 40)
    assert told.kind == "flat"
    assert np.isfinite([told.cer, told.low, told.high]).all()

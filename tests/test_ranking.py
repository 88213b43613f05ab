"""More than two models on the same lines: places, pairs, and what is decided."""

import json

import pytest

from ocrtune.console import ranking_lines
from ocrtune.errors import MetricsError
from ocrtune.metrics import paired_bootstrap
from ocrtune.ranking import Contender, places, rank_models, ranking_values
from ocrtune.records import Prediction, Sample

LINES = 40
SAMPLES = [Sample(picture_id=str(n), picture=b"", text="a" * 10) for n in range(LINES)]


def contender(name, wrong, **more):
    """One that reads `wrong(n)` of the 10 characters of line n wrongly."""
    predictions = [
        Prediction(
            picture_id=str(n), text="b" * wrong(n) + "a" * (10 - wrong(n)), seconds=0, model=""
        )
        for n in range(LINES)
    ]
    return Contender(name=name, kind="texts", predictions=predictions[::-1], **more)


def test_contenders_are_ranked_and_what_is_undecided_shares_places():
    """Alternating lines: `even` and `odd` err equally often, on other lines."""
    contenders = [
        contender("bad", lambda n: 5),
        contender("even", lambda n: 2 * (n % 2 == 0)),
        contender("odd", lambda n: 2 * (n % 2 == 1)),
        contender("good", lambda n: 0),
    ]
    ranking = rank_models(SAMPLES, contenders, draws=500)
    assert [one.name for one in ranking.models] == ["good", "even", "odd", "bad"]
    assert [one.summary.cer for one in ranking.models] == [0, 0.1, 0.1, 0.5]
    assert [places(one) for one in ranking.models] == ["1", "2-3", "2-3", "4"]
    decided = {(pair.first, pair.second): pair.is_decided for pair in ranking.pairs}
    assert len(decided) == 6
    assert [pair for pair, is_decided in decided.items() if not is_decided] == [("even", "odd")]
    assert ranking.decided_by_chance == pytest.approx(0.3)
    values = ranking_values(ranking)
    assert json.loads(json.dumps(values)) == values, "plain JSON"
    assert values["models"][1]["worst_place"] == 3


def test_the_interval_of_a_pair_is_that_of_a_comparison_of_the_two():
    one, other = contender("one", lambda n: n % 3), contender("other", lambda n: n % 5)
    [pair] = rank_models(SAMPLES, [one, other], draws=500, seed=3).pairs
    errors = [[n % 5 for n in range(LINES)], [n % 3 for n in range(LINES)]]
    assert (pair.first, pair.second) == ("one", "other")
    low, high = paired_bootstrap(*errors, [10] * LINES, draws=500, seed=3)
    assert (pair.difference.low, pair.difference.high) == (low, high)


def test_a_failed_reading_counts_as_empty():
    lost = [
        Prediction(picture_id=str(n), text="aaaa", seconds=0, model="", failed="lost" * (n == 0))
        for n in range(2)
    ]
    ranking = rank_models(
        SAMPLES[:2], [Contender(name="x", kind="texts", predictions=lost)], draws=500
    )
    assert ranking.models[0].summary.errors == 16
    assert ranking.models[0].summary.failed == 1
    assert (ranking.pairs, places(ranking.models[0])) == ((), "1")


def test_without_ground_truth_nothing_is_decided():
    empty = [Sample(picture_id=str(n), picture=b"", text="") for n in range(LINES)]
    ranking = rank_models(empty, [contender("a", lambda n: 0), contender("b", lambda n: 1)])
    assert [places(one) for one in ranking.models] == ["1-2", "1-2"]
    assert "–" in "\n".join(ranking_lines(ranking))


def test_readings_of_other_pictures_are_refused():
    with pytest.raises(MetricsError, match="`x` did not read the pictures"):
        rank_models(SAMPLES[:2], [contender("x", lambda n: 0)])


def test_the_table_on_the_terminal_says_what_is_undecided():
    contenders = [
        contender("one", lambda n: 2 * (n % 2)),
        contender("two", lambda n: 2 - 2 * (n % 2)),
    ]
    contenders.append(contender("three", lambda n: 4, notes=("layout: 'a' here, 'b' there",)))
    lines = ranking_lines(rank_models(SAMPLES, contenders, draws=500))
    assert lines[1].startswith("1-2    one")
    assert lines[1].endswith("undecided")
    assert "-30.0 (" in lines[2]
    assert "undecided" not in lines[2]
    assert lines[4].startswith("2 of 3 pairs are decided")
    assert lines[5] == "three was read under its own layout: 'a' here, 'b' there."

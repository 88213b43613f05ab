"""Counts, pooled figures, intervals and confusions, against numbers worked out by hand."""

import json
import random
import time
import tracemalloc
from pathlib import Path

import jiwer
import numpy as np
import pytest

from ocrtune.bootstrap import own_interval
from ocrtune.errors import MetricsError
from ocrtune.metrics import (
    CharScore,
    Confusion,
    compare_scores,
    confusions,
    errors_by_class,
    marked_difference,
    paired_bootstrap,
    pool,
    require_same_ids,
    score_pair,
    score_pairs,
    summarise,
)
from ocrtune.text import PROFILES, normalise

PLACES = [folder / "shared" / "cer" / "cases.jsonl" for folder in Path(__file__).resolve().parents]
CASES = next((path for path in PLACES if path.exists()), None)


def test_every_shared_case_is_counted_exactly():
    if CASES is None:
        pytest.skip("shared/cer/cases.jsonl IS MISSING: nothing shows that the counts are exact")
    cases = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    assert len(cases) >= 20
    for case in cases:
        assert set(case["expected"]) == set(PROFILES)
        for profile, expected in case["expected"].items():
            score = score_pair(case["reference"], case["hypothesis"], profile)
            found = {"errors": score.errors, "reference_length": score.reference_length}
            assert found == expected, (case["id"], profile)


@pytest.mark.parametrize(
    ("profile", "reference", "hypothesis", "expected"),
    [  # errors, reference length, substitutions, deletions, insertions
        ("strict", "kitten", "sitting", (3, 6, 2, 0, 1)),
        ("strict", "M\u00fcller", "Mu\u0308ller", (0, 6, 0, 0, 0)),  # equal after NFC
        ("raw", "M\u00fcller", "Mu\u0308ller", (2, 6, 1, 0, 1)),
        ("strict", "", "noise", (5, 0, 0, 0, 5)),  # text read from an empty page
        ("strict", "noise", "", (5, 5, 0, 5, 0)),
        ("strict", "", "", (0, 0, 0, 0, 0)),
        ("strict", "第一行\n第二行", "第一行第二行", (1, 7, 0, 1, 0)),
        ("no-space", "第一行\n第二行", "第一行第二行", (0, 6, 0, 0, 0)),
        ("grapheme", "q\u0307a", "qa", (1, 2, 1, 0, 0)),
        ("strict", "q\u0307a", "qa", (1, 3, 0, 1, 0)),
        ("lenient", "Straße!", "STRASSE", (0, 7, 0, 0, 0)),
        ("strict", "東京", "东京都", (2, 2, 1, 0, 1)),
    ],
)
def test_score_pair(profile, reference, hypothesis, expected):
    assert score_pair(reference, hypothesis, profile) == CharScore(*expected)


def test_raw_counts_agree_with_jiwer():
    generator = random.Random(7)
    for _ in range(300):
        reference = "".join(generator.choices("abc 的是é\u0301", k=generator.randint(1, 30))) + "x"
        hypothesis = "".join(c for c in reference[::-1] if generator.random() > 0.4)
        score = score_pair(reference, hypothesis, "raw")
        assert score.cer == pytest.approx(jiwer.cer(reference, hypothesis), abs=1e-12)
        assert score.errors == score.substitutions + score.deletions + score.insertions


def test_scores_pool_by_addition():
    total = pool(score_pairs([("a" * 10, "a" * 10), ("ab", "xy"), ("", "zzz")]))
    assert total == CharScore(5, 12, 2, 0, 3)
    assert total.cer == 5 / 12
    assert total.bounded_cer == 5 / 15
    assert CharScore().cer is None
    assert CharScore().bounded_cer is None


def test_summary_by_hand():
    pairs = [
        ("abcde", "abcde"),  # exact
        ("abcd", "abcx"),  # 25 %
        ("ab", "abababab"),  # 6 insertions: 300 %, marked as a loop
        ("abcdefgh", ""),  # a failed reading: 100 %
        ("", "xx"),  # no reference: 2 insertions that pool
        ("", ""),
    ]
    looped = [False, False, True, False, False, False]
    failed = [False, False, False, True, False, False]
    summary = summarise(score_pairs(pairs), looped=looped, failed=failed)
    assert (summary.lines, summary.errors, summary.reference_characters) == (6, 17, 19)
    assert (summary.substitutions, summary.deletions, summary.insertions) == (1, 8, 8)
    assert summary.cer == 17 / 19
    assert summary.bounded_cer == 17 / 27
    assert summary.exact_lines == 2  # an empty page read as empty is right
    assert summary.median_line_cer == pytest.approx((0.25 + 1) / 2)
    assert summary.mean_line_cer == pytest.approx((0 + 0.25 + 3 + 1) / 4)
    assert summary.lines_over_100 == 1
    assert summary.empty_references == 2
    assert (summary.failed, summary.looped) == (1, 1)
    assert summary.cer_without_loops == 11 / 17


def test_summary_without_any_reference_has_no_rates():
    summary = summarise(score_pairs([("", "abc")]))
    assert summary.errors == 3
    assert summary.cer is summary.median_line_cer is summary.mean_line_cer is None
    assert summarise([]).cer is None


def test_bootstrap_of_equal_lines_is_a_point():
    low, high = paired_bootstrap([4] * 50, [1] * 50, [10] * 50)
    assert low == high == pytest.approx(-0.3)


def test_bootstrap_resamples_lines_together():
    # Both models share the hard lines; the difference is one error in ten characters on each.
    hard = np.tile([0, 9], 40)
    low, high = paired_bootstrap(hard + 1, hard, np.full(80, 10))
    assert low == high == pytest.approx(-0.1)


def test_bootstrap_interval_has_the_width_theory_gives():
    # 400 lines of 10 characters, half of them better by 2 errors: the mean change of a line is
    # -1 with deviation 1, so 1.96 standard errors are 1.96 / sqrt(400) / 10 = 0.0098.
    base, tuned = np.full(400, 2), np.tile([0, 2], 200)
    low, high = paired_bootstrap(base, tuned, np.full(400, 10))
    assert low == pytest.approx(-0.1098, abs=0.0007)
    assert high == pytest.approx(-0.0902, abs=0.0007)


def test_bootstrap_weighs_lines_by_their_length():
    # Plain draw of line numbers as a second, slower way to the same interval.
    generator = np.random.default_rng(5)
    lengths = generator.integers(0, 60, 40)
    base, tuned = generator.integers(0, 9, 40), generator.integers(0, 7, 40)
    drawn = generator.integers(0, 40, (20_000, 40))
    plain = (tuned - base)[drawn].sum(1) / lengths[drawn].sum(1)
    expected = np.percentile(plain, [2.5, 97.5])
    assert paired_bootstrap(base, tuned, lengths) == pytest.approx(expected, abs=0.004)


def test_bootstrap_repeats_with_its_seed():
    generator = np.random.default_rng(1)
    base, tuned, lengths = generator.integers(0, 9, (3, 60)) + [[0], [0], [5]]
    first = paired_bootstrap(base, tuned, lengths, seed=1)
    assert first == paired_bootstrap(base, tuned, lengths, seed=1)
    assert first != paired_bootstrap(base, tuned, lengths, seed=2)


def test_bootstrap_of_many_different_lines_stays_small():
    lines = 3_000  # no two alike: the case that needs most memory
    tracemalloc.start()
    paired_bootstrap([0] * lines, list(range(lines)), [lines] * lines, draws=2_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize(
    ("lengths", "draws", "message"), [([0, 0], 1000, "reference"), ([5, 5], 10, "10 draws")]
)
def test_bootstrap_refuses_what_has_no_interval(lengths, draws, message):
    with pytest.raises(MetricsError, match=message):
        paired_bootstrap([1, 2], [1, 1], lengths, draws)


def test_compare_scores_counts_lines_and_warns_of_few():
    base = [CharScore(4, 10), CharScore(1, 10), CharScore(2, 10), CharScore(3, 0)]
    tuned = [CharScore(1, 10), CharScore(2, 10), CharScore(2, 10), CharScore(0, 0)]
    difference = compare_scores(base, tuned)
    assert difference.cer == pytest.approx((5 - 10) / 30)
    assert (difference.better, difference.worse, difference.tied) == (2, 1, 1)
    assert difference.low <= difference.cer <= difference.high
    assert difference.few_lines
    assert not compare_scores(base[:1] * 30, tuned[:1] * 30).few_lines


def test_compare_scores_without_references_has_no_interval():
    difference = compare_scores([CharScore(3)], [CharScore(0)])
    assert (difference.cer, difference.low, difference.high) == (None, None, None)
    assert difference.better == 1


def test_compare_scores_refuses_other_references():
    with pytest.raises(MetricsError, match="same references"):
        compare_scores([CharScore(1, 5)], [CharScore(1, 6)])


@pytest.mark.parametrize(
    ("expected", "found", "message"),
    [
        (["a", "b"], ["a"], "1 missing, 0 foreign .`b` was not read"),
        (["a"], ["a", "c"], "0 missing, 1 foreign .`c` is not in"),
        (["a"], ["a", "a"], "`a` occurs more than once in the base model"),
        (["a", "a"], ["a"], "more than once in the dataset"),
    ],
)
def test_different_pictures_are_refused(expected, found, message):
    with pytest.raises(MetricsError, match=message):
        require_same_ids(expected, found, "the base model")


def test_same_pictures_may_come_in_any_order():
    require_same_ids(["a", "b"], ["b", "a"], "the base model")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("北京", "北京", [("北京", "equal")]),
        ("abcd", "abXd", [("ab", "equal"), ("X", "wrong"), ("d", "equal")]),
        ("abcd", "ad", [("a", "equal"), ("bc", "missing"), ("d", "equal")]),
        ("ad", "abcd", [("a", "equal"), ("bc", "extra"), ("d", "equal")]),
        ("q\u0307a", "qa", [("q", "wrong"), ("a", "equal")]),  # no accent on its own
        ("", "", []),
        ("ab", "", [("ab", "missing")]),
    ],
)
def test_marked_difference(reference, hypothesis, expected):
    assert marked_difference(reference, hypothesis) == expected


def test_marked_difference_holds_the_whole_hypothesis():
    generator = random.Random(3)
    for _ in range(100):
        first, second = ("".join(generator.choices("ab c\u0301", k=12)) for _ in range(2))
        kept = "".join(text for text, kind in marked_difference(first, second) if kind != "missing")
        assert kept == normalise(second)


def test_confusions_are_counted_and_shared():
    pairs = [("ſein", "fein"), ("daſs", "dafs"), ("ab", "a"), ("a", "a b")]
    assert confusions(pairs) == [
        Confusion("ſ", "f", 2, 2 / 5),
        Confusion("", " ", 1, 1 / 5),
        Confusion("", "b", 1, 1 / 5),
        Confusion("b", "", 1, 1 / 5),
    ]
    assert confusions([("a", "a")]) == []


def test_confusions_of_clusters_keep_their_marks():
    assert confusions([("q\u0307a", "qa")], "grapheme") == [Confusion("q\u0307", "q", 1, 1.0)]


def test_errors_by_class():
    pairs = [("北京 12", "北东12x"), ("东,", "东.")]
    # 京 wrong, space missing, x extra; comma wrong
    rows = {row.name: (row.reference_characters, row.errors) for row in errors_by_class(pairs)}
    assert rows == {
        "han": (3, 1),
        "latin": (0, 1),
        "digit": (2, 0),
        "punctuation": (1, 1),
        "space": (1, 1),
    }
    assert {row.name: row.cer for row in errors_by_class(pairs)}["latin"] is None


def test_scoring_is_fast():
    generator = random.Random(0)
    lines = ["".join(generator.choices("的一是不了人我在有他abc ", k=40)) for _ in range(20_000)]
    started = time.process_time()
    score_pairs((line, line[:10] + "X" + line[12:]) for line in lines)
    assert time.process_time() - started < 2  # 100,000 in under ten seconds on a slow machine


def test_a_models_own_interval_holds_its_rate_and_needs_references():
    scores = [CharScore(errors, 10) for errors in (0, 1, 2, 3, 9) * 8]
    found = own_interval(scores)
    assert found["low"] < 0.3 < found["high"]
    assert found == own_interval(scores)  # the same draws
    assert own_interval([CharScore(3, 0)]) == {"low": None, "high": None}

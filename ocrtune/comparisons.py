"""Base model against tuned model on the same samples: everything that is counted, as one value."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ocrtune.alignment import uncollected
from ocrtune.bootstrap import DRAWS, SEED, Difference, compare_scores
from ocrtune.conditions import Conditions
from ocrtune.counting import Counted, count_readings
from ocrtune.errors import MetricsError
from ocrtune.grouping import find_groups
from ocrtune.metrics import Summary, require_same_ids, summarise
from ocrtune.ranking import Ranking
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.scores import CharScore, Counts
from ocrtune.text import PROFILES, find_loop

WORDS, NUMBERS = "words", "numbers"  # beside the profiles, what has a difference


@dataclass(frozen=True, kw_only=True)
class Line:
    """One picture as both models read it; texts as they were, scores under the contract."""

    picture_id: str
    reference: str
    base: str
    tuned: str
    base_score: CharScore
    tuned_score: CharScore
    base_looped: bool
    tuned_looped: bool
    base_failed: str  # why there is no text; empty when there is one
    tuned_failed: str
    base_cut: bool = False  # it was ended at the longest length that the contract allows
    tuned_cut: bool = False
    group: str = ""  # the page, folder or document it is from; see `grouping.find_groups`
    numbers: int = 0  # in the reference
    base_numbers: int = 0  # of those, read exactly
    tuned_numbers: int = 0


@dataclass(frozen=True)
class ProfileScores:
    """Both models' figures under one normalisation profile, and their difference."""

    profile: str
    base: Summary
    tuned: Summary
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class WordScores:
    """Both models' errors in words, over the lines that have words; see `word_counts`."""

    lines: int
    reference_words: int
    base_errors: int
    tuned_errors: int
    difference: Difference  # of the word error rates


@dataclass(frozen=True, kw_only=True)
class NumberScores:
    """How many numbers both models read exactly; see `number_tokens`."""

    tokens: int  # in the references
    kinds: dict[str, dict[str, tuple[int, int, int]]]  # by model and kind: `NumberCounts.by_kind`
    difference: Difference  # of the shares that were not read exactly


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Base model against tuned model, on the same samples under the same contract."""

    contract: OcrContract
    split: str
    base_model: str  # as shown to people
    tuned_model: str
    lines: tuple[Line, ...]  # in the order of the samples
    base: Summary
    tuned: Summary
    difference: Difference
    profiles: tuple[ProfileScores, ...]
    words: WordScores | None  # None where no line has words
    numbers: NumberScores
    group_by: str  # what the lines' groups are: `page`, `folder`, `document`, or nothing
    draws: int
    seed: int
    counted: Counted = field(repr=False, compare=False)  # of the base and the tuned model
    ranking: Ranking | None = None  # of these two and of all others that were compared
    conditions: Conditions | None = None  # where more is known of them than the contract


@dataclass(frozen=True)
class _Readings:
    """One model's readings in the order of the samples; a failed one has no text."""

    model: str
    texts: list[str]
    looped: list[bool]
    failed: list[str]
    cut: list[bool]


@uncollected()
def build_comparison(
    contract: OcrContract,
    split: str,
    samples: Sequence[Sample],
    base: Sequence[Prediction],
    tuned: Sequence[Prediction],
    draws: int = DRAWS,
    seed: int = SEED,
    groups: tuple[str, Sequence[str]] = ("", ()),
) -> Comparison:
    """Return the comparison of two models' predictions, one by each for every sample.

    groups: what they are, and that of each sample; without several they are found by the names.
    """
    if not samples:
        raise MetricsError(
            f"The {split} split holds no sample.", "Compare on another split or add pictures."
        )
    before = _order_readings(samples, base, "the base model")
    after = _order_readings(samples, tuned, "the tuned model")
    counted = count_readings(
        [sample.text for sample in samples], [before.texts, after.texts], contract.profile
    )
    differences = _differences(counted, draws, seed)
    profiles = tuple(
        ProfileScores(
            profile,
            _summarise(before, counted.readings[0].profiles[profile]),
            _summarise(after, counted.readings[1].profiles[profile]),
            differences[profile],
        )
        for profile in PROFILES
    )
    headline = next(row for row in profiles if row.profile == contract.profile)
    group_by, members = groups
    if len(set(members)) < 2:
        group_by, members = find_groups([sample.picture_id for sample in samples])
    return Comparison(
        contract=contract,
        split=split,
        base_model=before.model,
        tuned_model=after.model,
        lines=tuple(_build_lines(samples, before, after, counted, contract.profile, members)),
        base=headline.base,
        tuned=headline.tuned,
        difference=headline.difference,
        profiles=profiles,
        words=_word_scores(counted, differences[WORDS]),
        numbers=_number_scores(counted, differences[NUMBERS]),
        group_by=group_by,
        draws=draws,
        seed=seed,
        counted=counted,
    )


def _order_readings(
    samples: Sequence[Sample], predictions: Sequence[Prediction], name: str
) -> _Readings:
    require_same_ids(
        [sample.picture_id for sample in samples],
        [prediction.picture_id for prediction in predictions],
        name,
    )
    by_id = {prediction.picture_id: prediction for prediction in predictions}
    ordered = [by_id[sample.picture_id] for sample in samples]
    texts = ["" if prediction.failed else prediction.text for prediction in ordered]
    return _Readings(
        model=ordered[0].model,
        texts=texts,
        looped=[
            bool(text) and (prediction.looped or find_loop(text))
            for prediction, text in zip(ordered, texts, strict=True)
        ],
        failed=[prediction.failed for prediction in ordered],
        cut=[prediction.cut for prediction in ordered],
    )


def _summarise(readings: _Readings, counts: Counts) -> Summary:
    failed = [bool(reason) for reason in readings.failed]
    return summarise(counts, looped=readings.looped, failed=failed, cut=readings.cut)


def _differences(counted: Counted, draws: int, seed: int) -> dict[str, Difference]:
    """Return the difference under each profile, in words, and in numbers not read exactly.

    Profiles that count the same have the same interval, which is then found once.
    """
    base, tuned = counted.readings
    words = counted.words[counted.with_words]
    sides = {name: (base.profiles[name], tuned.profiles[name]) for name in base.profiles}
    sides[WORDS] = tuple(
        Counts.of_errors(words, one.word_errors[counted.with_words]) for one in (base, tuned)
    )
    sides[NUMBERS] = tuple(
        Counts.of_errors(one.numbers.tokens, one.numbers.tokens - one.numbers.exact)
        for one in (base, tuned)
    )
    keys = {name: pair[0].same_as() + pair[1].same_as() for name, pair in sides.items()}
    first = {key: name for name, key in reversed(keys.items())}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # drawing needs no lock
        found = dict(
            zip(
                first,
                pool.map(lambda name: compare_scores(*sides[name], draws, seed), first.values()),
                strict=True,
            )
        )
    return {name: found[key] for name, key in keys.items()}


def _word_scores(counted: Counted, difference: Difference) -> WordScores | None:
    base, tuned = (int(one.word_errors[counted.with_words].sum()) for one in counted.readings)
    words = int(counted.words[counted.with_words].sum())
    if not words:
        return None
    return WordScores(
        lines=int(counted.with_words.sum()),
        reference_words=words,
        base_errors=base,
        tuned_errors=tuned,
        difference=difference,
    )


def _number_scores(counted: Counted, difference: Difference) -> NumberScores:
    base, tuned = (one.numbers for one in counted.readings)
    return NumberScores(
        tokens=int(base.tokens.sum()),
        kinds={"base": base.by_kind, "tuned": tuned.by_kind},
        difference=difference,
    )


def _build_lines(
    samples: Sequence[Sample],
    base: _Readings,
    tuned: _Readings,
    counted: Counted,
    profile: str,
    groups: Sequence[str],
) -> Iterator[Line]:
    before, after = counted.readings
    columns = zip(
        samples,
        before.profiles[profile].scores(),
        after.profiles[profile].scores(),
        groups,
        *(
            numbers.tolist()
            for numbers in (before.numbers.tokens, before.numbers.exact, after.numbers.exact)
        ),
        strict=True,
    )
    for index, (sample, base_score, tuned_score, group, *numbers) in enumerate(columns):
        yield Line(
            picture_id=sample.picture_id,
            reference=sample.text,
            base=base.texts[index],
            tuned=tuned.texts[index],
            base_score=base_score,
            tuned_score=tuned_score,
            base_looped=base.looped[index],
            tuned_looped=tuned.looped[index],
            base_failed=base.failed[index],
            tuned_failed=tuned.failed[index],
            base_cut=base.cut[index],
            tuned_cut=tuned.cut[index],
            group=group,
            numbers=numbers[0],
            base_numbers=numbers[1],
            tuned_numbers=numbers[2],
        )

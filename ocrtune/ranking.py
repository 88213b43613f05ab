"""Any number of models on the same lines: ranked by pooled CER, each pair with its interval."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from ocrtune.bootstrap import own_interval
from ocrtune.metrics import (
    CharScore,
    Difference,
    Summary,
    compare_scores,
    require_same_ids,
    score_pairs,
    summarise,
)
from ocrtune.records import Prediction, Sample
from ocrtune.text import find_loop

CHANCE = 0.05  # of a 95 % interval to exclude zero where there is no difference


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One model, or another engine, with its reading of every sample."""

    name: str
    kind: str  # `base`, `adapter`, `checkpoint` or `texts`
    predictions: Sequence[Prediction]
    revision: str = ""  # digest of its weights or texts
    notes: tuple[str, ...] = ()  # in what it was read otherwise than the first adapter


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One contender and its place."""

    name: str
    kind: str
    revision: str
    notes: tuple[str, ...]
    summary: Summary
    low: float | None  # 95 % interval of its own pooled CER; None without references
    high: float | None
    best_place: int  # one more than there are contenders that are decidedly better; 1 is the best
    worst_place: int  # with all of them before it that are not decidedly worse


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two contenders on the same lines."""

    first: str  # the one with the better place
    second: str
    difference: Difference  # first minus second; below zero the first one is better

    @property
    def is_decided(self) -> bool:
        """Whether the 95 % interval of their difference leaves zero out."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and not low <= 0 <= high


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """All contenders, the best first, and all pairs of them in that order."""

    profile: str
    lines: int
    draws: int
    seed: int
    models: tuple[Ranked, ...]
    pairs: tuple[Pair, ...]

    @property
    def decided_by_chance(self) -> float:
        """How many pairs would look decided if all contenders were equally good."""
        return CHANCE * len(self.pairs)


def rank_models(
    samples: Sequence[Sample],
    contenders: Sequence[Contender],
    profile: str = "strict",
    draws: int = 10_000,
    seed: int = 0,
) -> Ranking:
    """Return the contenders ranked by their pooled CER on the samples; of equals the first wins.

    Each has one prediction for every sample, and a name of its own.
    """
    scores = {one.name: score(samples, one, profile) for one in contenders}
    summaries = {one.name: summary(samples, one, scores[one.name]) for one in contenders}

    def rate(one: Contender) -> float:
        cer = summaries[one.name].cer
        return float("inf") if cer is None else cer

    ordered = sorted(contenders, key=rate)
    pairs = tuple(
        Pair(
            first=one.name,
            second=other.name,
            difference=compare_scores(scores[other.name], scores[one.name], draws, seed),
        )
        for one, other in combinations(ordered, 2)
    )
    decided = [pair for pair in pairs if pair.is_decided]
    return Ranking(
        profile=profile,
        lines=len(samples),
        draws=draws,
        seed=seed,
        models=tuple(
            Ranked(
                name=one.name,
                kind=one.kind,
                revision=one.revision,
                notes=one.notes,
                summary=summaries[one.name],
                **own_interval(scores[one.name], draws, seed),
                best_place=1 + sum(pair.second == one.name for pair in decided),
                worst_place=len(ordered) - sum(pair.first == one.name for pair in decided),
            )
            for one in ordered
        ),
        pairs=pairs,
    )


def in_order(samples: Sequence[Sample], contender: Contender) -> list[Prediction]:
    """Return the predictions in the order of the samples; other pictures are refused."""
    require_same_ids(
        [sample.picture_id for sample in samples],
        [one.picture_id for one in contender.predictions],
        f"`{contender.name}`",
    )
    by_id = {one.picture_id: one for one in contender.predictions}
    return [by_id[sample.picture_id] for sample in samples]


def score(samples: Sequence[Sample], contender: Contender, profile: str) -> list[CharScore]:
    """Return the counted errors of each sample; a failed reading is an empty text."""
    ordered = in_order(samples, contender)
    pairs = [(s.text, "" if p.failed else p.text) for s, p in zip(samples, ordered, strict=True)]
    return score_pairs(pairs, profile)


def summary(
    samples: Sequence[Sample], contender: Contender, scores: Sequence[CharScore]
) -> Summary:
    """Return the figures of one contender."""
    ordered = in_order(samples, contender)
    return summarise(
        scores,
        looped=[bool(p.text) and not p.failed and is_loop(p) for p in ordered],
        failed=[bool(p.failed) for p in ordered],
        cut=[p.cut for p in ordered],
    )


def is_loop(prediction: Prediction) -> bool:
    """Return whether a reading repeats itself, by its decoder's word or by its looks."""
    return prediction.looped or bool(find_loop(prediction.text))


def places(one: Ranked) -> str:
    """Return a contender's place in words: `1`, or `1-3` where that is not decided."""
    if one.best_place == one.worst_place:
        return str(one.best_place)
    return f"{one.best_place}-{one.worst_place}"


def ranking_values(ranking: Ranking) -> dict:
    """Return everything about the ranking as plain JSON values."""
    return {
        **asdict(ranking),
        "decided_by_chance": round(ranking.decided_by_chance, 2),
        "models": [{**asdict(one), "notes": list(one.notes)} for one in ranking.models],
        "pairs": [{**asdict(pair), "decided": pair.is_decided} for pair in ranking.pairs],
    }

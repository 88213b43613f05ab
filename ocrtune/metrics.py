"""Counting what a model misread: counts that add, pooled CER, paired bootstrap, confusions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from statistics import fmean, median

import numpy as np
from rapidfuzz.distance import Levenshtein

from ocrtune.errors import MetricsError
from ocrtune.text import CHARACTER_CLASSES, character_class, normalise, units

FEW_LINES = 30  # below, a bootstrap interval is too narrow to be trusted
FEWEST_DRAWS = 100
DRAWN_AT_ONCE = 2_000_000  # counts in memory at a time: 16 MB

Pair = tuple[str, str]  # reference, hypothesis


@dataclass(frozen=True)
class CharScore:
    """Counted character errors of one line or, added up, of many."""

    errors: int = 0
    reference_length: int = 0  # units of the profile
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: "CharScore") -> "CharScore":
        return CharScore(
            self.errors + other.errors,
            self.reference_length + other.reference_length,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def cer(self) -> float | None:
        """Errors per reference character: 0 is perfect, may exceed 1, None without reference."""
        return self.errors / self.reference_length if self.reference_length else None

    @property
    def bounded_cer(self) -> float | None:
        """Errors per character of the alignment, (I+S+D)/(I+S+D+C): never over 1."""
        aligned = self.reference_length + self.insertions
        return self.errors / aligned if aligned else None


@dataclass(frozen=True)
class Summary:
    """What one model did on a set of lines; rates are fractions, None where undefined."""

    lines: int
    errors: int
    reference_characters: int
    cer: float | None  # pooled: errors of all lines per character of all references
    substitutions: int
    deletions: int
    insertions: int
    bounded_cer: float | None
    exact_lines: int
    median_line_cer: float | None  # over the lines with a reference, as the mean
    mean_line_cer: float | None
    lines_over_100: int  # lines with more errors than reference characters
    empty_references: int
    failed: int  # no prediction was made; counted as empty text
    looped: int
    cer_without_loops: float | None  # pooled over the lines that did not loop
    cut: int = 0  # readings that were ended at the longest length allowed


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


@dataclass(frozen=True)
class Confusion:
    """One way to misread: `reference` empty is an insertion, `hypothesis` empty a deletion."""

    reference: str
    hypothesis: str
    count: int
    share: float  # of all errors


@dataclass(frozen=True)
class ClassErrors:
    """The errors in one class of characters, see `text.character_class`."""

    name: str
    reference_characters: int
    errors: int  # insertions go to the class of the inserted character

    @property
    def cer(self) -> float | None:
        return self.errors / self.reference_characters if self.reference_characters else None


def score_pair(reference: str, hypothesis: str, profile: str = "strict") -> CharScore:
    """Return the counted errors of a hypothesis, both texts normalised under `profile`."""
    wanted, found = _comparable(reference, profile), _comparable(hypothesis, profile)
    if wanted == found:
        return CharScore(reference_length=len(wanted))
    kinds = Counter(edit.tag for edit in Levenshtein.editops(wanted, found))
    return CharScore(
        errors=kinds.total(),
        reference_length=len(wanted),
        substitutions=kinds["replace"],
        deletions=kinds["delete"],
        insertions=kinds["insert"],
    )


def score_pairs(pairs: Iterable[Pair], profile: str = "strict") -> list[CharScore]:
    """Return the score of each (reference, hypothesis) pair, in order."""
    return [score_pair(reference, hypothesis, profile) for reference, hypothesis in pairs]


def _comparable(text: str, profile: str) -> Sequence[str]:
    # A string is its own list of code points, and rapidfuzz is faster on strings.
    return units(text, profile) if profile == "grapheme" else normalise(text, profile)


def pool(scores: Iterable[CharScore]) -> CharScore:
    """Return the sum of the scores; its `cer` is the pooled CER."""
    return sum(scores, CharScore())


def summarise(
    scores: Sequence[CharScore],
    *,
    looped: Sequence[bool] = (),
    failed: Sequence[bool] = (),
    cut: Sequence[bool] = (),
) -> Summary:
    """Return the figures of one model; the others say it of each line, or are empty."""
    looped = looped or [False] * len(scores)
    total = pool(scores)
    kept = pool(score for score, loop in zip(scores, looped, strict=True) if not loop)
    rates = [score.cer for score in scores if score.cer is not None]
    return Summary(
        lines=len(scores),
        errors=total.errors,
        reference_characters=total.reference_length,
        cer=total.cer,
        substitutions=total.substitutions,
        deletions=total.deletions,
        insertions=total.insertions,
        bounded_cer=total.bounded_cer,
        exact_lines=sum(score.errors == 0 for score in scores),
        median_line_cer=median(rates) if rates else None,
        mean_line_cer=fmean(rates) if rates else None,
        lines_over_100=sum(rate > 1 for rate in rates),
        empty_references=len(scores) - len(rates),
        failed=sum(failed),
        looped=sum(looped),
        cer_without_loops=kept.cer,
        cut=sum(cut),
    )


def paired_bootstrap(
    base: Sequence[int] | np.ndarray,
    tuned: Sequence[int] | np.ndarray,
    lengths: Sequence[int] | np.ndarray,
    draws: int = 10_000,
    seed: int = 0,
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


def compare_scores(
    base: Sequence[CharScore], tuned: Sequence[CharScore], draws: int = 10_000, seed: int = 0
) -> Difference:
    """Return the difference between two models that read the same lines in the same order."""
    lengths = [score.reference_length for score in base]
    if lengths != [score.reference_length for score in tuned]:
        raise MetricsError(
            "The two models were not scored on the same references.",
            "Read the same pictures with both and score them under the same profile.",
        )
    before, after = [score.errors for score in base], [score.errors for score in tuned]
    characters = sum(lengths)
    low, high = (
        paired_bootstrap(before, after, lengths, draws, seed) if characters else (None, None)
    )
    better = sum(new < old for old, new in zip(before, after, strict=True))
    worse = sum(new > old for old, new in zip(before, after, strict=True))
    return Difference(
        cer=(sum(after) - sum(before)) / characters if characters else None,
        low=low,
        high=high,
        better=better,
        worse=worse,
        tied=len(lengths) - better - worse,
        few_lines=len(lengths) < FEW_LINES,
    )


def require_same_ids(expected: Sequence[str], found: Sequence[str], name: str) -> None:
    """Refuse readings by `name` that are not exactly one for each expected picture id."""
    for ids, owner in ((expected, "the dataset"), (found, name)):
        twice = [picture_id for picture_id, count in Counter(ids).items() if count > 1]
        if twice:
            raise MetricsError(
                f"`{twice[0]}` occurs more than once in {owner}.", "Give each picture its own id."
            )
    missing, foreign = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing or foreign:
        odd = f"`{missing[0]}` was not read" if missing else f"`{foreign[0]}` is not in the dataset"
        raise MetricsError(
            f"{name[:1].upper()}{name[1:]} did not read the pictures of the dataset: "
            f"{len(missing)} missing, {len(foreign)} foreign ({odd}).",
            "Read the whole split again and compare then.",
        )


def marked_difference(reference: str, hypothesis: str) -> list[tuple[str, str]]:
    """Return the hypothesis in pieces (text, kind), with what it lacks put in.

    Kinds: `equal`, `extra` (not in the reference), `wrong` (stands for something else; the
    hypothesis' text) and `missing` (the reference's text). Both texts are taken as the grapheme
    profile has them, so that no piece ever begins with an accent.
    """
    wanted, found = units(reference, "grapheme"), units(hypothesis, "grapheme")
    pieces = []
    for step in Levenshtein.opcodes(wanted, found):
        if step.tag == "delete":
            pieces.append(("".join(wanted[step.src_start : step.src_end]), "missing"))
        else:
            kind = {"equal": "equal", "insert": "extra", "replace": "wrong"}[step.tag]
            pieces.append(("".join(found[step.dest_start : step.dest_end]), kind))
    return pieces


def _edits(pairs: Iterable[Pair], profile: str) -> Iterable[Pair]:
    """Yield each misread unit as (reference, hypothesis), one of them empty where nothing is."""
    for reference, hypothesis in pairs:
        wanted, found = _comparable(reference, profile), _comparable(hypothesis, profile)
        for edit in Levenshtein.editops(wanted, found):
            yield (
                "" if edit.tag == "insert" else wanted[edit.src_pos],
                "" if edit.tag == "delete" else found[edit.dest_pos],
            )


def confusions(pairs: Iterable[Pair], profile: str = "strict") -> list[Confusion]:
    """Return how units were misread, most frequent first, each with its share of all errors."""
    counts = Counter(_edits(pairs, profile))
    total = counts.total()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(wanted, found, count, count / total) for (wanted, found), count in ordered]


def errors_by_class(pairs: Sequence[Pair], profile: str = "strict") -> list[ClassErrors]:
    """Return the errors in each class of characters that occurs, in a fixed order."""
    texts = (_comparable(reference, profile) for reference, _ in pairs)
    characters = _count_classes(Counter(chain.from_iterable(texts)))
    errors = _count_classes(Counter(wanted or found for wanted, found in _edits(pairs, profile)))
    return [
        ClassErrors(name, characters[name], errors[name])
        for name in CHARACTER_CLASSES
        if characters[name] or errors[name]
    ]


def _count_classes(counts: Counter[str]) -> Counter[str]:
    names = (repeat(character_class(unit), count) for unit, count in counts.items())
    return Counter(chain.from_iterable(names))

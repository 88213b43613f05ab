"""Counting what a model misread: counts that add, pooled CER, paired bootstrap, confusions.

The names of the modules behind it can be had from here: scores, intervals, alignments.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from rapidfuzz.distance import Levenshtein

from ocrtune.alignment import align
from ocrtune.bootstrap import FEW_LINES, Difference, compare_scores, paired_bootstrap
from ocrtune.counting import count_errors, count_readings
from ocrtune.errors import MetricsError
from ocrtune.misreadings import Misreadings
from ocrtune.scores import CharScore, Counts, Scores
from ocrtune.text import CHARACTER_CLASSES, character_class, units

__all__ = [
    "FEW_LINES",
    "CharScore",
    "ClassErrors",
    "Confusion",
    "Counts",
    "Difference",
    "Summary",
    "align_pair",
    "class_errors",
    "compare_scores",
    "confusions",
    "count_errors",
    "errors_by_class",
    "marked_difference",
    "paired_bootstrap",
    "pool",
    "ranked_confusions",
    "require_same_ids",
    "score_pair",
    "score_pairs",
    "summarise",
]

Pair = tuple[str, str]  # reference, hypothesis


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
    return score_pairs([(reference, hypothesis)], profile)[0]


def score_pairs(pairs: Iterable[Pair], profile: str = "strict") -> list[CharScore]:
    """Return the score of each (reference, hypothesis) pair, in order."""
    return count_errors(*_columns(pairs), profile).scores()


def align_pair(reference: str, hypothesis: str, profile: str = "strict") -> list[Pair]:
    """Return each unit of both texts beside its counterpart; an empty string where it has none."""
    return align(units(reference, profile), units(hypothesis, profile))


def pool(scores: Iterable[CharScore] | Counts) -> CharScore:
    """Return the sum of the scores; its `cer` is the pooled CER."""
    return scores.total() if isinstance(scores, Counts) else sum(scores, CharScore())


def summarise(
    scores: Scores,
    *,
    looped: Sequence[bool] = (),
    failed: Sequence[bool] = (),
    cut: Sequence[bool] = (),
) -> Summary:
    """Return the figures of one model; the others say it of each line, or are empty."""
    counts = Counts.of(scores)
    loops = np.asarray(looped, bool) if len(looped) else np.zeros(len(counts), bool)
    if len(loops) != len(counts):
        raise ValueError(f"{len(loops)} lines are said to loop or not, {len(counts)} have a score")
    total, kept = counts.total(), counts.only(~loops).total()
    with_reference = counts.reference_length > 0
    errors, lengths = counts.errors[with_reference], counts.reference_length[with_reference]
    rates = errors / lengths
    return Summary(
        lines=len(counts),
        errors=total.errors,
        reference_characters=total.reference_length,
        cer=total.cer,
        substitutions=total.substitutions,
        deletions=total.deletions,
        insertions=total.insertions,
        bounded_cer=total.bounded_cer,
        exact_lines=int((counts.errors == 0).sum()),
        median_line_cer=float(np.median(rates)) if len(rates) else None,
        mean_line_cer=fmean(rates.tolist()) if len(rates) else None,
        lines_over_100=int((errors > lengths).sum()),
        empty_references=len(counts) - len(rates),
        failed=sum(failed),
        looped=int(loops.sum()),
        cer_without_loops=kept.cer,
        cut=sum(cut),
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


def confusions(pairs: Iterable[Pair], profile: str = "strict") -> list[Confusion]:
    """Return how units were misread, most frequent first, each with its share of all errors."""
    references, hypotheses = _columns(pairs)
    counted = count_readings(references, [hypotheses], profile, ())
    return ranked_confusions(counted.readings[0].confusions)


def ranked_confusions(found: Misreadings, most: int | None = None) -> list[Confusion]:
    """Return the commonest misreadings, most frequent first; all without a number."""
    total = found.total
    return [
        Confusion(wanted, read, count, count / total)
        for (wanted, read), count in found.ranked(most)
    ]


def errors_by_class(pairs: Sequence[Pair], profile: str = "strict") -> list[ClassErrors]:
    """Return the errors in each class of characters that occurs, in a fixed order."""
    references, hypotheses = _columns(pairs)
    counted = count_readings(references, [hypotheses], profile, ())
    rows = class_errors(counted.units, counted.readings[0].confusions, character_class)
    return sorted(rows, key=lambda row: CHARACTER_CLASSES.index(row.name))


def class_errors(
    units: Counter[str], found: Misreadings, class_of: Callable[[str], str]
) -> list[ClassErrors]:
    """Return the errors in each class of units; units: those of the right texts.

    An error goes to the class of the right unit; an insertion to that of the inserted one.
    """
    characters: Counter[str] = Counter()
    for unit, count in units.items():
        characters[class_of(unit)] += count
    errors = found.by_class(class_of)
    names = dict.fromkeys([*characters, *errors])
    return [ClassErrors(name, characters[name], errors.get(name, 0)) for name in names]


def _columns(pairs: Iterable[Pair]) -> tuple[list[str], list[str]]:
    rows = list(pairs)
    return [reference for reference, _ in rows], [hypothesis for _, hypothesis in rows]

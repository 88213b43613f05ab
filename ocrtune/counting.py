"""Counting errors in many lines at once: every profile, words and numbers, in one pass.

Lines are taken in portions, so that memory does not grow with them; what several profiles leave
equal is aligned once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ocrtune.alignment import (
    count_edits,
    count_kinds,
    differing,
    edit_keys,
    find_edits,
    uncollected,
)
from ocrtune.code_points import CODE_POINTS, as_codes, lengths
from ocrtune.misreadings import Misreadings, Tally
from ocrtune.number_tokens import NumberCounts, count_numbers, numbers_of_all
from ocrtune.scores import Counts
from ocrtune.text import PROFILES, require_profile
from ocrtune.unit_strings import Codebook, encode_clusters, profile_texts
from ocrtune.word_counts import count_word_errors, count_words, has_words, spacing

PORTION_LINES, PORTION_CHARS = 8_192, 400_000  # at a time, whichever comes first


@dataclass(frozen=True, eq=False)
class ReadingCounts:
    """Everything that is counted in one model's readings."""

    profiles: dict[str, Counts]
    confusions: Misreadings  # under the headline profile
    word_errors: np.ndarray  # of each line, also of those without words
    numbers: NumberCounts


@dataclass(frozen=True, eq=False)
class Counted:
    """The readings of several models of the same lines."""

    units: Counter[str]  # of all right texts, under the headline profile
    words: np.ndarray  # in each right text
    with_words: np.ndarray  # whether each line has words; see `word_counts`
    readings: tuple[ReadingCounts, ...]  # in the order of the models


def count_readings(
    references: Sequence[str],
    readings: Sequence[Sequence[str]],
    headline: str = "strict",
    profiles: Iterable[str] = PROFILES,
) -> Counted:
    """Return what is counted in the texts of several models, one by each for every reference."""
    profiles = tuple(dict.fromkeys((headline, *profiles)))
    for profile in profiles:
        require_profile(profile)
    pass_ = _Pass(headline, profiles, [_Collected() for _ in readings])
    for part in portions(references, *readings):
        with uncollected():
            pass_.take(references[part], [texts[part] for texts in readings])
    return pass_.finish()


def count_errors(
    references: Sequence[str], hypotheses: Sequence[str], profile: str = "strict"
) -> Counts:
    """Return the counted errors of each hypothesis under one profile."""
    require_profile(profile)
    parts = []
    for part in portions(references, hypotheses):
        book = Codebook()
        with uncollected():
            wanted = counted_texts(references[part], profile, book)
            found = counted_texts(hypotheses[part], profile, book)
            parts.append(Counts.made(lengths(wanted), count_edits(wanted, found)))
    return Counts.joined(parts)


def counted_texts(texts: Sequence[str], profile: str, book: Codebook) -> list[str]:
    """Return the texts as a profile counts them, with one code point for each unit."""
    normalised = profile_texts(texts, [profile])[profile]
    return encode_clusters(normalised, book) if profile == "grapheme" else normalised


def portions(*texts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of so few lines that all texts of theirs fit into memory, edits included."""
    ends = np.cumsum(sum(lengths(one) for one in texts))
    start, taken = 0, 0
    while start < len(ends):
        within = int(np.searchsorted(ends, taken + PORTION_CHARS, "right"))
        stop = max(start + 1, min(within, start + PORTION_LINES))
        yield slice(start, stop)
        start, taken = stop, int(ends[stop - 1])


@dataclass
class _Collected:
    """What has been counted so far in one model's readings."""

    profiles: dict[str, list[Counts]] = field(default_factory=dict)
    keys: Tally = field(default_factory=Tally)
    word_errors: list[np.ndarray] = field(default_factory=list)
    numbers: list[NumberCounts] = field(default_factory=list)


@dataclass
class _Pass:
    """One pass over all lines, portion by portion."""

    headline: str
    profiles: Sequence[str]
    models: list[_Collected]
    book: Codebook = field(default_factory=Codebook)
    units: Tally = field(default_factory=Tally)
    spacing: list[np.ndarray] = field(default_factory=list)
    words: list[np.ndarray] = field(default_factory=list)

    def take(self, references: Sequence[str], readings: Sequence[Sequence[str]]) -> None:
        """Count a portion of the lines."""
        wanted = self._texts(references)
        self.units.add(as_codes(wanted[self.headline]).astype(np.int64))
        self.spacing.append(spacing(wanted["strict"]))
        self.words.append(count_words(wanted["strict"]))
        numbers = numbers_of_all(wanted["strict"])
        for model, texts in zip(self.models, readings, strict=True):
            found = self._texts(texts)
            self._count(model, wanted, found)
            model.word_errors.append(count_word_errors(wanted["strict"], found["strict"]))
            model.numbers.append(count_numbers(wanted["strict"], numbers, found["strict"]))

    def _texts(self, texts: Sequence[str]) -> dict[str, list[str]]:
        made = profile_texts(texts, self.profiles)
        if "grapheme" in made:
            made["grapheme"] = encode_clusters(made["grapheme"], self.book)
        return made

    def _count(
        self, model: _Collected, wanted: dict[str, list[str]], found: dict[str, list[str]]
    ) -> None:
        right, read = wanted[self.headline], found[self.headline]
        edits = find_edits(right, read)
        model.keys.add(edit_keys(edits, right, read))
        known = count_kinds(edits.line, edits.kind, len(right))
        for profile in self.profiles:
            mine, theirs = wanted[profile], found[profile]
            kinds = known.copy()
            if profile != self.headline:
                rows = np.union1d(differing(mine, right), differing(theirs, read))
                lines = rows.tolist()
                kinds[rows] = count_edits(
                    [mine[row] for row in lines], [theirs[row] for row in lines]
                )
            model.profiles.setdefault(profile, []).append(Counts.made(lengths(mine), kinds))

    def finish(self) -> Counted:
        """Return the counts of all portions together."""
        units = (numbers.tolist() for numbers in self.units.counts())
        return Counted(
            units=Counter(
                {self._names.unit(code): count for code, count in zip(*units, strict=True)}
            ),
            words=_joined_numbers(self.words),
            with_words=has_words(_joined_numbers(self.spacing)),
            readings=tuple(self._joined(one) for one in self.models),
        )

    @property
    def _names(self) -> Codebook:
        """What the units of the headline profile are called; only clusters have other names."""
        return self.book if self.headline == "grapheme" else Codebook(CODE_POINTS)

    def _joined(self, model: _Collected) -> ReadingCounts:
        return ReadingCounts(
            profiles={name: Counts.joined(model.profiles.get(name, [])) for name in self.profiles},
            confusions=Misreadings(*model.keys.counts(), self._names),
            word_errors=_joined_numbers(model.word_errors),
            numbers=NumberCounts.joined(model.numbers),
        )


def _joined_numbers(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *parts])

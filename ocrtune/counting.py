"""Counting errors in many lines at once: every profile, words and numbers, in one pass.

Lines are taken in portions, so that memory does not grow with them; what several profiles leave
equal is aligned once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ocrtune.alignment import KEY, NOTHING, count_edits, count_kinds, edit_keys, find_edits
from ocrtune.code_points import as_codes, lengths
from ocrtune.number_tokens import NumberCounts, count_numbers
from ocrtune.scores import Counts
from ocrtune.text import PROFILES, require_profile
from ocrtune.unit_strings import Codebook, encode_clusters, profile_texts
from ocrtune.word_counts import count_word_edits, count_words, has_words, spacing

PORTION_LINES, PORTION_CHARS = 8_192, 400_000  # at a time, whichever comes first


@dataclass(frozen=True, eq=False)
class ReadingCounts:
    """Everything that is counted in one model's readings."""

    profiles: dict[str, Counts]
    confusions: Counter[tuple[str, str]]  # under the headline profile; see `metrics.Confusion`
    words: Counts  # of the lines that have words; a unit is a word
    numbers: NumberCounts


@dataclass(frozen=True, eq=False)
class Counted:
    """The readings of several models of the same lines."""

    units: Counter[str]  # of all right texts, under the headline profile
    with_words: np.ndarray  # whether each line has words
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
    start = size = 0
    for row, line in enumerate(zip(*texts, strict=True)):
        length = sum(map(len, line))
        if row > start and (row - start == PORTION_LINES or size + length > PORTION_CHARS):
            yield slice(start, row)
            start, size = row, 0
        size += length
    if start < len(texts[0]):
        yield slice(start, len(texts[0]))


@dataclass
class _Tally:
    """Numbers, and how often each of them has come."""

    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, numbers: np.ndarray) -> None:
        self.parts.append(np.unique(numbers, return_counts=True))

    def counts(self) -> dict[int, int]:
        if not self.parts:
            return {}
        numbers, counts = map(np.concatenate, zip(*self.parts, strict=True))
        distinct, places = np.unique(numbers, return_inverse=True)
        totals = np.zeros(len(distinct), np.int64)
        np.add.at(totals, places, counts)
        return dict(zip(distinct.tolist(), totals.tolist(), strict=True))


@dataclass
class _Collected:
    """What has been counted so far in one model's readings."""

    profiles: dict[str, list[Counts]] = field(default_factory=dict)
    keys: _Tally = field(default_factory=_Tally)
    words: list[Counts] = field(default_factory=list)
    numbers: list[NumberCounts] = field(default_factory=list)


@dataclass
class _Pass:
    """One pass over all lines, portion by portion."""

    headline: str
    profiles: Sequence[str]
    models: list[_Collected]
    book: Codebook = field(default_factory=Codebook)
    units: _Tally = field(default_factory=_Tally)
    spacing: list[np.ndarray] = field(default_factory=list)

    def take(self, references: Sequence[str], readings: Sequence[Sequence[str]]) -> None:
        """Count a portion of the lines."""
        wanted = self._texts(references)
        self.units.add(as_codes(wanted[self.headline]).astype(np.int64))
        self.spacing.append(spacing(wanted["strict"]))
        words = count_words(wanted["strict"])
        for model, texts in zip(self.models, readings, strict=True):
            found = self._texts(texts)
            self._count(model, wanted, found)
            edits = count_word_edits(wanted["strict"], found["strict"])
            model.words.append(Counts.made(words, edits))
            model.numbers.append(count_numbers(wanted["strict"], found["strict"]))

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
                texts = enumerate(zip(mine, right, theirs, read, strict=True))
                other = [row for row, (a, b, c, d) in texts if a != b or c != d]
                if other:
                    kinds[other] = count_edits(
                        [mine[row] for row in other], [theirs[row] for row in other]
                    )
            model.profiles.setdefault(profile, []).append(Counts.made(lengths(mine), kinds))

    def finish(self) -> Counted:
        """Return the counts of all portions together."""
        with_words = has_words(np.concatenate([np.zeros(0, np.int64), *self.spacing]))
        units = Counter({self._unit(code): n for code, n in self.units.counts().items()})
        return Counted(
            units, with_words, tuple(self._joined(one, with_words) for one in self.models)
        )

    def _joined(self, model: _Collected, with_words: np.ndarray) -> ReadingCounts:
        confusions = {
            (self._unit(key // KEY), self._unit(key % KEY)): count
            for key, count in model.keys.counts().items()
        }
        return ReadingCounts(
            profiles={name: Counts.joined(model.profiles.get(name, [])) for name in self.profiles},
            confusions=Counter(confusions),
            words=Counts.joined(model.words).only(with_words),
            numbers=NumberCounts.joined(model.numbers),
        )

    def _unit(self, code: int) -> str:
        return "" if code == NOTHING else self.book.unit(code)

"""How units were misread, and how often: counted as numbers, spelled only where they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ocrtune.alignment import KEY, NOTHING
from ocrtune.unit_strings import Codebook


@dataclass(frozen=True, eq=False)
class Misreadings:
    """Each way in which a model misread a unit, with its count, in the order of the units."""

    keys: np.ndarray  # see `alignment.edit_keys`; each once, ascending
    counts: np.ndarray
    book: Codebook  # what the units are called

    @property
    def total(self) -> int:
        """How many errors there are."""
        return int(self.counts.sum())

    def way(self, key: int) -> tuple[str, str]:
        """Return the right and the read unit; an empty string where there is none."""
        return self._unit(key // KEY), self._unit(key % KEY)

    def ranked(self, most: int | None = None) -> list[tuple[tuple[str, str], int]]:
        """Return the ways with their counts, most frequent first."""
        order = np.argsort(-self.counts, kind="stable")[:most]
        pairs = zip(self.keys[order].tolist(), self.counts[order].tolist(), strict=True)
        return [(self.way(key), count) for key, count in pairs]

    def counts_of(self, keys: np.ndarray) -> np.ndarray:
        """Return how often each of some ways occurs; keys: ascending, all of ours among them."""
        counts = np.zeros(len(keys), np.int64)
        counts[np.searchsorted(keys, self.keys)] = self.counts
        return counts

    def by_class(self, class_of: Callable[[str], str]) -> dict[str, int]:
        """Return the errors by class of the right unit, or of the one that was inserted."""
        right, read = self.keys // KEY, self.keys % KEY
        codes, places = np.unique(np.where(right == NOTHING, read, right), return_inverse=True)
        sums = np.zeros(len(codes), np.int64)
        np.add.at(sums, places, self.counts)
        classes: dict[str, int] = {}
        for code, count in zip(codes.tolist(), sums.tolist(), strict=True):
            name = class_of(self._unit(code))
            classes[name] = classes.get(name, 0) + count
        return classes

    def _unit(self, code: int) -> str:
        return "" if code == NOTHING else self.book.unit(code - 1)


@dataclass
class Tally:
    """Numbers as they come in portions, and how often each of them came."""

    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, numbers: np.ndarray) -> None:
        """Count a portion."""
        self.parts.append(np.unique(numbers, return_counts=True))

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, each once and ascending, and their counts."""
        none = np.zeros(0, np.int64)
        numbers = np.concatenate([none, *(part for part, _ in self.parts)])
        distinct, places = np.unique(numbers, return_inverse=True)
        totals = np.zeros(len(distinct), np.int64)
        np.add.at(totals, places, np.concatenate([none, *(counts for _, counts in self.parts)]))
        return distinct, totals

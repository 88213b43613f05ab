"""Counted errors as values: of one line, added up, or of many lines as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocrtune.alignment import DELETION, INSERTION, SUBSTITUTION


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


@dataclass(frozen=True, eq=False)
class Counts:
    """The scores of many lines under one profile; int64 arrays with one number a line."""

    reference_length: np.ndarray
    substitutions: np.ndarray
    deletions: np.ndarray
    insertions: np.ndarray

    def __len__(self) -> int:
        return len(self.reference_length)

    @property
    def errors(self) -> np.ndarray:
        return self.substitutions + self.deletions + self.insertions

    @classmethod
    def of(cls, scores: "Scores") -> "Counts":
        """Return the counts of scored lines; counts stay what they are."""
        if isinstance(scores, Counts):
            return scores
        rows = [
            (
                one.reference_length,
                # a score may have been made of its errors alone
                one.errors - one.deletions - one.insertions,
                one.deletions,
                one.insertions,
            )
            for one in scores
        ]
        return cls(*np.array(rows, np.int64).reshape(-1, 4).T)

    @classmethod
    def made(cls, reference_length: np.ndarray, kinds: np.ndarray) -> "Counts":
        """Return the counts from the number of each kind of error, int64 [lines, KINDS]."""
        return cls(
            reference_length, kinds[:, SUBSTITUTION], kinds[:, DELETION], kinds[:, INSERTION]
        )

    @classmethod
    def of_errors(cls, reference_length: np.ndarray, errors: np.ndarray) -> "Counts":
        """Return counts of errors whose kinds are not told apart."""
        none = np.zeros_like(errors)
        return cls(reference_length, errors, none, none)

    def same_as(self) -> bytes:
        """Return bytes that are equal where errors and lengths of all lines are."""
        return self.reference_length.tobytes() + self.errors.tobytes()

    @classmethod
    def joined(cls, parts: Sequence["Counts"]) -> "Counts":
        """Return the counts of several portions of lines, one after the other."""
        names = ("reference_length", "substitutions", "deletions", "insertions")
        empty = [np.zeros(0, np.int64)]
        return cls(
            *(np.concatenate(empty + [getattr(one, name) for one in parts]) for name in names)
        )

    def only(self, lines: np.ndarray) -> "Counts":
        """Return the counts of some of the lines: their numbers, or a mask."""
        return Counts(
            self.reference_length[lines],
            self.substitutions[lines],
            self.deletions[lines],
            self.insertions[lines],
        )

    def scores(self) -> list[CharScore]:
        """Return the score of each line."""
        columns = (self.errors, self.reference_length, self.substitutions)
        columns += (self.deletions, self.insertions)
        return [CharScore(*row) for row in zip(*(one.tolist() for one in columns), strict=True)]

    def total(self) -> CharScore:
        """Return the sum of the scores; its `cer` is the pooled CER."""
        substitutions, deletions, insertions = (
            int(one.sum()) for one in (self.substitutions, self.deletions, self.insertions)
        )
        errors = substitutions + deletions + insertions
        length = int(self.reference_length.sum())
        return CharScore(errors, length, substitutions, deletions, insertions)


Scores = Sequence[CharScore] | Counts

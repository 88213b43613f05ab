"""Where texts differ: the fewest edits between right texts and read ones, many lines at a time.

Where several alignments are equally short, rapidfuzz's choice is taken, as jiwer does: errors are
the same in each of them, but their division into substitutions, deletions and insertions is not.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter, methodcaller, ne

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from ocrtune.code_points import as_codes, lengths

SUBSTITUTION, DELETION, INSERTION = range(3)
KIND_OF = {"replace": SUBSTITUTION, "delete": DELETION, "insert": INSERTION}
KINDS = len(KIND_OF)
NOTHING = 0  # where the other side has no counterpart; a code point is one more than it is
Units = str | Sequence[str]  # of one line; a string has one code point for each
KEY = 1 << 21  # more than there are code points


@dataclass(frozen=True, eq=False)
class Edits:
    """The errors of many lines, line by line; every array has one number for each error."""

    line: np.ndarray
    kind: np.ndarray  # SUBSTITUTION, DELETION or INSERTION
    source: np.ndarray  # place in the right text; for an insertion what it stands before
    target: np.ndarray  # place in the read text; for a deletion what it is missing before


def find_edits(wanted: Sequence[str], found: Sequence[str]) -> Edits:
    """Return the errors of each read text, both as strings with one code point a unit."""
    lines, steps = _steps(wanted, found)
    return Edits(
        line=lines,
        kind=_kinds(steps),
        source=np.fromiter(map(itemgetter(1), steps), np.int64, len(steps)),
        target=np.fromiter(map(itemgetter(2), steps), np.int64, len(steps)),
    )


def count_edits(wanted: Sequence[str], found: Sequence[str]) -> np.ndarray:
    """Return substitutions, deletions and insertions of each line, int64 [lines, KINDS]."""
    errors = count_errors_only(wanted, found)
    surplus = lengths(found) - lengths(wanted)
    # What goes beyond the surplus is substituted, or missing here and inserted there: of a single
    # such error it is known which, of several the alignment tells.
    kinds = np.zeros((len(wanted), KINDS), np.int64)
    kinds[:, SUBSTITUTION] = errors - np.abs(surplus)
    kinds[:, DELETION] = np.maximum(-surplus, 0)
    kinds[:, INSERTION] = np.maximum(surplus, 0)
    open_ = np.flatnonzero(kinds[:, SUBSTITUTION] > 1)
    rows = open_.tolist()
    line, steps = _steps([wanted[row] for row in rows], [found[row] for row in rows])
    kinds[open_] = count_kinds(line, _kinds(steps), len(rows))
    return kinds


def count_errors_only(wanted: Sequence[Units], found: Sequence[Units]) -> np.ndarray:
    """Return the errors of each line, int64: the edits in the shortest alignment."""
    return cpdist(
        wanted, found, scorer=Levenshtein.distance, dtype=np.int64, workers=os.cpu_count() or 1
    )


def count_kinds(line: np.ndarray, kind: np.ndarray, lines: int) -> np.ndarray:
    """Return how many errors of each kind each line has, int64 [lines, KINDS]."""
    return np.bincount(line * KINDS + kind, minlength=lines * KINDS).reshape(lines, KINDS)


def edit_keys(edits: Edits, wanted: Sequence[str], found: Sequence[str]) -> np.ndarray:
    """Return each error as one number: right unit times KEY plus read unit, see NOTHING."""
    right = _units_at(wanted, edits.line, edits.source, edits.kind != INSERTION)
    read = _units_at(found, edits.line, edits.target, edits.kind != DELETION)
    return right * KEY + read


def align(wanted: Sequence[str], found: Sequence[str]) -> list[tuple[str, str]]:
    """Return two rows of units, each with its counterpart; an empty string where there is none."""
    pairs, source, target = [], 0, 0
    for edit in Levenshtein.editops(wanted, found):
        while source < edit.src_pos:  # what stands before the next error is equal
            pairs.append((wanted[source], found[target]))
            source, target = source + 1, target + 1
        right = "" if edit.tag == "insert" else wanted[source]
        read = "" if edit.tag == "delete" else found[target]
        pairs.append((right, read))
        source, target = source + bool(right), target + bool(read)
    return pairs + list(zip(wanted[source:], found[target:], strict=True))


def differing(wanted: Sequence[str], found: Sequence[str]) -> np.ndarray:
    """Return the numbers of the lines whose two texts are not equal."""
    return np.flatnonzero(np.fromiter(map(ne, wanted, found), bool, len(wanted)))


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through a million short-lived tuples, repeatedly."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _steps(
    wanted: Sequence[str], found: Sequence[str]
) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    """Return the line of each edit, and the edits as (kind, source, target)."""
    rows = differing(wanted, found).tolist()
    edits = [Levenshtein.editops(wanted[row], found[row]) for row in rows]
    counts = np.fromiter(map(len, edits), np.int64, len(edits))
    steps = list(chain.from_iterable(map(methodcaller("as_list"), edits)))
    return np.repeat(np.array(rows, np.int64), counts), steps


def _kinds(steps: Sequence[tuple[str, int, int]]) -> np.ndarray:
    return np.fromiter(map(KIND_OF.__getitem__, map(itemgetter(0), steps)), np.int64, len(steps))


def _units_at(
    texts: Sequence[str], line: np.ndarray, place: np.ndarray, exists: np.ndarray
) -> np.ndarray:
    sizes = lengths(texts)
    starts = np.cumsum(sizes) - sizes
    units = np.full(len(line), NOTHING, np.int64)
    units[exists] = as_codes(texts)[starts[line[exists]] + place[exists]].astype(np.int64) + 1
    return units

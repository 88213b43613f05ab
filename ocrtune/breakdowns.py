"""Why a model reads better or worse: errors by characters, scripts, lengths and documents."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ocrtune.comparisons import Comparison
from ocrtune.metrics import class_errors
from ocrtune.scores import Counts
from ocrtune.text import name_character

MODELS = ("base", "tuned")
LISTED_CONFUSIONS = 100  # the rest are mostly unique
LISTED_CHANGES = 20
LISTED_GROUPS = 200
# The fewest reference characters of the lines in each bucket of lengths.
LENGTH_EDGES = (0, 1, 6, 11, 21, 41, 81, 161, 321)

Row = dict[str, Any]


def confusion_tables(comparison: Comparison) -> dict[str, list[Row]]:
    """Return how both models misread units: the commonest ways, and what tuning changed.

    confusion_table: by both counts together; errors_gone: those that became fewer, the largest
    decrease first; errors_left: what the tuned model still does; errors_added: what became more.
    """
    base, tuned = (one.confusions for one in comparison.counted.readings)
    keys = np.union1d(base.keys, tuned.keys)
    before, after = base.counts_of(keys), tuned.counts_of(keys)

    def rows(rank: np.ndarray, most: int) -> list[Row]:
        order = np.argsort(-rank, kind="stable")[:most]
        return [
            _confusion_row(base.way(key), counts, (base.total, tuned.total))
            for key, *counts in zip(
                *(one[order].tolist() for one in (keys, before, after)), strict=True
            )
            if rank[np.searchsorted(keys, key)] > 0
        ]

    return {
        "confusion_table": rows(before + after, LISTED_CONFUSIONS),
        "errors_gone": rows(before - after, LISTED_CHANGES),
        "errors_left": rows(after, LISTED_CHANGES),
        "errors_added": rows(after - before, LISTED_CHANGES),
    }


def _confusion_row(way: tuple[str, str], counts: Sequence[int], totals: Sequence[int]) -> Row:
    (wanted, found), (before, after), (all_before, all_after) = way, counts, totals
    return {
        "reference": wanted,
        "hypothesis": found,
        "reference_shown": name_character(wanted) if wanted else "",
        "hypothesis_shown": name_character(found) if found else "",
        "base": before,
        "tuned": after,
        "base_share": before / all_before if all_before else None,
        "tuned_share": after / all_after if all_after else None,
    }


def class_rows(comparison: Comparison, class_of: Callable[[str], str]) -> list[Row]:
    """Return the errors of both models in each class of units, the largest class first."""
    counted = comparison.counted
    found = [
        {row.name: row for row in class_errors(counted.units, one.confusions, class_of)}
        for one in counted.readings
    ]
    sizes = {
        name: rows[name].reference_characters for rows in found for name in rows
    }  # the same for both models
    return [
        {
            "name": name,
            "reference_characters": sizes[name],
            **{
                model: _rate(rows[name].errors if name in rows else 0, sizes[name])
                for model, rows in zip(MODELS, found, strict=True)
            },
        }
        for name in sorted(sizes, key=lambda name: (-sizes[name], name))
    ]


def length_rows(comparison: Comparison) -> list[Row]:
    """Return the errors of both models on lines of about equal length, the shortest first."""
    lengths = _headline(comparison)[0].reference_length
    places = np.searchsorted(LENGTH_EDGES, lengths, "right") - 1
    ends = (*LENGTH_EDGES[1:], None)
    rows = _line_rows(comparison, places, len(LENGTH_EDGES))
    return [
        {"shortest": first, "longest": end and end - 1, **row}
        for first, end, row in zip(LENGTH_EDGES, ends, rows, strict=True)
        if row["lines"]
    ]


def group_rows(comparison: Comparison) -> dict[str, Any]:
    """Return the errors of both models in each document, those with most errors left first.

    by: what the groups are, see `grouping.find_groups`; groups: how many there are.
    """
    if not comparison.group_by:
        return {"by": "", "groups": 0, "rows": []}
    names = [line.group for line in comparison.lines]
    known = {name: place for place, name in enumerate(dict.fromkeys(names))}
    places = np.array([known[name] for name in names], np.int64)
    rows = [
        {"name": name, **row}
        for name, row in zip(known, _line_rows(comparison, places, len(known)), strict=True)
    ]
    rows.sort(key=lambda row: (-row["tuned"]["errors"], -row["base"]["errors"], row["name"]))
    return {"by": comparison.group_by, "groups": len(known), "rows": rows[:LISTED_GROUPS]}


def _line_rows(comparison: Comparison, places: np.ndarray, count: int) -> Iterator[Row]:
    """Yield the figures of the lines at each place, in the order of the places."""
    counts = _headline(comparison)
    lines = np.bincount(places, minlength=count).tolist()
    characters = _sums(counts[0].reference_length, places, count)
    errors = [_sums(one.errors, places, count) for one in counts]
    for place in range(count):
        yield {
            "lines": lines[place],
            "reference_characters": characters[place],
            **{
                model: _rate(sums[place], characters[place])
                for model, sums in zip(MODELS, errors, strict=True)
            },
        }


def _headline(comparison: Comparison) -> list[Counts]:
    profile = comparison.contract.profile
    return [one.profiles[profile] for one in comparison.counted.readings]


def _sums(numbers: np.ndarray, places: np.ndarray, count: int) -> list[int]:
    sums = np.zeros(count, np.int64)
    np.add.at(sums, places, numbers)
    return sums.tolist()


def _rate(errors: int, characters: int) -> Row:
    return {"errors": errors, "cer": errors / characters if characters else None}

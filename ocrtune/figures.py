"""Figures on a dataset: how long its texts and how large its pictures are, and its characters."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ocrtune.text import is_right_to_left

# Where the bins of histograms begin; each ends where the next one begins, the last one never.
CHARS = (0, 1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
WIDTHS = (10, 50, 100, 200, 300, 400, 600, 800, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000)
HEIGHTS = (10, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256, 512, 1_024, 2_048, 4_096)
PIXELS = (100, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
PIXELS += (2_000_000, 5_000_000, 10_000_000, 20_000_000)
MOST_CHARACTERS = 5_000  # that the inventory lists, the most frequent ones
MOST_RARE = 1_000  # characters that the other lists hold


def describe_samples(
    texts: Sequence[str],
    pixels: Sequence[tuple[int, int]],
    splits: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    """Return the report's histograms, its inventory of characters and what follows from it.

    pixels: width and height of each picture; splits: the rows of each.
    """
    counts = {split: count_characters(texts[row] for row in rows) for split, rows in splits.items()}
    inventory: Counter[str] = Counter()
    for part in counts.values():
        inventory.update(part)
    return {
        "histograms": histograms(texts, pixels),
        "inventory": dict(by_frequency(inventory)[:MOST_CHARACTERS]),
        "once": sorted(one for one, count in inventory.items() if count == 1)[:MOST_RARE],
        "once_total": sum(count == 1 for count in inventory.values()),
        "unseen": unseen(counts["train"], counts["test"]),
        "right_to_left": count_right_to_left(texts, inventory),
    }


def count_characters(texts: Iterable[str]) -> Counter[str]:
    """Return how often each character occurs in the texts."""
    characters: Counter[str] = Counter()
    for text in texts:
        characters.update(text)
    return characters


def by_frequency(characters: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return characters with their counts, the most frequent first, equals in Unicode's order."""
    return sorted(characters.items(), key=lambda pair: (-pair[1], pair[0]))


def unseen(train: Mapping[str, int], test: Mapping[str, int]) -> dict[str, int]:
    """Return the characters of the test split that the train split never shows, with counts.

    White space is none of them: no picture shows it.
    """
    new = {one: count for one, count in test.items() if one not in train and not one.isspace()}
    return dict(by_frequency(new)[:MOST_RARE])


def count_right_to_left(texts: Sequence[str], inventory: Iterable[str]) -> int:
    """Return how many texts run from right to left; only such characters make one look."""
    if not any(unicodedata.bidirectional(one) in ("R", "AL") for one in inventory):
        return 0
    return sum(map(is_right_to_left, texts))


def histograms(
    texts: Sequence[str], pixels: Sequence[tuple[int, int]]
) -> dict[str, dict[str, list[int]]]:
    """Return the histograms of `chars` a text and of `width`, `height` and `pixels` a picture."""
    sizes = np.array(pixels, np.int64).reshape(-1, 2)
    return {
        "chars": histogram([len(text) for text in texts], CHARS),
        "width": histogram(sizes[:, 0], WIDTHS),
        "height": histogram(sizes[:, 1], HEIGHTS),
        "pixels": histogram(sizes.prod(axis=1), PIXELS),
    }


def histogram(values: Sequence[int] | np.ndarray, edges: Sequence[int]) -> dict[str, list[int]]:
    """Return how many values are in each bin: `counts`, as many as `edges`, where bins begin.

    What is smaller than the first edge counts for the first bin.
    """
    bins = np.searchsorted(edges, values, side="right") - 1
    counts = np.bincount(np.maximum(bins, 0), minlength=len(edges))
    return {"edges": list(edges), "counts": counts.tolist()}

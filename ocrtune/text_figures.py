"""Figures on the texts and pictures of a dataset: lengths, sizes, characters, scripts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ocrtune.ground_truth import clip
from ocrtune.records import SPLITS
from ocrtune.text import is_right_to_left
from ocrtune.text_checks import Inventory

BINS = 12  # of a histogram, at most
TAIL = 99  # per cent of the values lie in evenly wide bins; the last bin takes the rest
STEPS = (1, 2, 5)  # bins are so wide, or ten, a hundred … times as wide
LISTED = 5_000  # characters
SHOWN_TEXTS = 10  # of those that several pictures share


def describe_texts(texts: Sequence[str], inventory: Inventory) -> dict[str, Any]:
    """Return the report's figures on the texts."""
    lengths = [len(text) for text in texts]
    return {
        "samples": len(texts),
        "shortest": min(lengths),
        "longest": max(lengths),
        "mean": round(sum(lengths) / len(lengths), 2),
        "characters": len(inventory.counts),
        "scripts": inventory.scripts(),
        "inventory": dict(by_count(inventory.counts)[:LISTED]),
        "rare": sorted(one for one, count in inventory.counts.items() if count == 1)[:LISTED],
        "right_to_left": right_to_left_share(texts, inventory),
        "same_texts": same_texts(texts),
    }


def histograms(texts: Sequence[str], sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return the histograms of text lengths (characters) and picture sizes (pixels)."""
    return {
        "characters": histogram([len(text) for text in texts]),
        "width": histogram([width for width, _ in sizes]),
        "height": histogram([height for _, height in sizes]),
    }


def histogram(values: Sequence[int]) -> dict[str, list[int]]:
    """Return how many values lie in each bin, from one edge up to below the next.

    The bins are equally wide, except the last one if a few values are much larger than the others.
    The last edge is the largest value, and belongs to its bin; of equal values one more.
    """
    numbers = np.asarray(values)
    low, high = int(numbers.min()), int(numbers.max())
    usual = int(np.percentile(numbers, TAIL, method="lower"))
    size = bin_width(usual - low)
    first = low - low % size
    edges = list(range(first, max(usual, first + 1), size))
    if high > edges[-1] + size:
        edges.append(edges[-1] + size)
    edges.append(max(high, edges[-1] + 1))
    counts, _ = np.histogram(numbers, bins=edges)
    return {"edges": edges, "counts": counts.tolist()}


def bin_width(span: int) -> int:
    """Return the smallest round width with which BINS bins cover so many values."""
    power = 1
    while True:
        for step in STEPS:
            if step * power * (BINS - 1) >= span + 1:
                return step * power
        power *= 10


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return characters with their counts, the most frequent first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def right_to_left_share(texts: Sequence[str], inventory: Inventory) -> float:
    """Return the share of texts that run from right to left."""
    letters = inventory.having(lambda one: unicodedata.bidirectional(one) in ("R", "AL"))
    if not letters:
        return 0.0
    pattern = re.compile("[" + "".join(map(re.escape, sorted(letters))) + "]")
    count = sum(bool(pattern.search(text)) and is_right_to_left(text) for text in texts)
    return round(count / len(texts), 4)


def same_texts(texts: Sequence[str]) -> dict[str, Any]:
    """Return how many texts stand on several pictures, on how many, and the most frequent ones."""
    shared = [(text, count) for text, count in Counter(texts).items() if count > 1]
    shared.sort(key=lambda pair: -pair[1])
    return {
        "texts": len(shared),
        "pictures": sum(count for _, count in shared),
        "most": [{"text": clip(text), "count": count} for text, count in shared[:SHOWN_TEXTS]],
    }


def unseen_characters(texts: Sequence[str], splits: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Return the characters of test that train never shows, and how often test does."""
    train, test = (
        Inventory.of([texts[row] for row in splits[split]]) for split in ("train", "test")
    )
    unseen = {one: n for one, n in test.counts.items() if one not in train.counts}
    return dict(by_count(unseen)[:LISTED])


def known_texts(texts: Sequence[str], splits: Mapping[str, Sequence[int]]) -> int:
    """Return how many texts of test are texts of train, too."""
    train = {texts[row] for row in splits["train"]}
    return sum(texts[row] in train for row in splits["test"])


def split_numbers(count: int, splits: Mapping[str, Sequence[int]]) -> list[int]:
    """Return the number of the split in SPLITS of each of `count` rows; -1 without one."""
    numbers = [-1] * count
    for number, split in enumerate(SPLITS):
        for row in splits[split]:
            numbers[row] = number
    return numbers

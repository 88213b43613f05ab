"""Which rows of a table are taken when not all of them are wanted."""

import random
from collections.abc import Mapping, Sequence

SPREAD = 16  # places of a table that random rows come from, at least


def spread_rows(groups: Sequence[int], wanted: int, seed: int) -> dict[int, int]:
    """Return how many rows to take from the beginning of which row groups, drawn at random.

    They come from SPREAD places at least, where there are so many; only what is taken is read.
    """
    order = list(range(len(groups)))
    random.Random(seed).shuffle(order)
    share = -(-wanted // SPREAD)
    taken: dict[int, int] = {}
    left = wanted
    for most in (share, wanted):
        for group in order:
            count = min(groups[group], most) - taken.get(group, 0)
            count = max(0, min(count, left))
            if count:
                taken[group] = taken.get(group, 0) + count
                left -= count
    return dict(sorted(taken.items()))


def first_rows(groups: Sequence[int], wanted: int) -> dict[int, int]:
    """Return how many rows to take of which row groups, from the first one on."""
    taken = {}
    for group, rows in enumerate(groups):
        if count := min(rows, wanted):
            taken[group] = count
            wanted -= count
    return taken


def share_rows(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Return how many of the wanted rows each split gives, in proportion to its size."""
    total = sum(sizes.values()) or 1
    shares = {name: max(1, wanted * size // total) for name, size in sizes.items() if size}
    largest = max(shares, key=shares.__getitem__, default="")
    if largest:
        shares[largest] = max(1, shares[largest] + wanted - sum(shares.values()))
    return shares

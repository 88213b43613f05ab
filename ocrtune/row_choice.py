"""Which rows of a table are taken when not all of them are wanted."""

import random
from collections.abc import Mapping, Sequence

SPREAD = 16  # places of a table that random rows come from, where reading them is cheap enough
OVERREAD = 3  # times the wanted rows lie in those places, at most: a place may be read whole


def spread_rows(groups: Sequence[int], wanted: int, seed: int) -> dict[int, int]:
    """Return how many rows to take from the beginning of which row groups, drawn at random.

    Rows that lie together are fetched together, so a few places stand for the whole table.
    """
    order = [group for group, rows in enumerate(groups) if rows]
    random.Random(seed).shuffle(order)
    mean = sum(groups) / max(1, len(order))
    places = max(1, min(SPREAD, int(OVERREAD * wanted / max(1, mean))))
    share = -(-wanted // places)
    taken: dict[int, int] = {}
    left = wanted
    for most in (share, wanted):
        for group in order:
            count = min(groups[group] - taken.get(group, 0), most, left)
            if count > 0:
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

"""Which sample goes into which split."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ocrtune.config import BuildConfig
from ocrtune.records import SPLITS


def split_sizes(count: int, config: BuildConfig) -> dict[str, int]:
    """Return how many of `count` samples each split gets: at least one, the odd one to test."""
    train = max(1, min(int(count * config.train_fraction + 1e-9), count - 2))
    rest = count - train
    share = config.validation_fraction / (1 - config.train_fraction)
    validation = max(1, min(int(rest * share + 1e-9), rest - 1))
    return {"train": train, "validation": validation, "test": rest - validation}


def split_samples(digests: Sequence[bytes], config: BuildConfig) -> dict[str, list[int]]:
    """Return the rows of each split; rows with equal digests always share one.

    Repeated pictures are placed first, the most frequent where there is most room. The others
    are drawn as by scikit-learn's `train_test_split`, called twice with this seed.
    """
    rows_of = defaultdict(list)
    for row, digest in enumerate(digests):
        rows_of[digest].append(row)
    repeated = sorted((rows for rows in rows_of.values() if len(rows) > 1), key=len, reverse=True)
    lone = [rows[0] for rows in rows_of.values() if len(rows) == 1]
    room = split_sizes(len(digests), config)
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    left = len(rows_of)  # different pictures still to be placed
    for rows in repeated:
        empty = [split for split in SPLITS if not splits[split]]
        split = max(empty if left <= len(empty) else SPLITS, key=room.__getitem__)
        splits[split] += rows
        room[split] -= len(rows)
        left -= 1
    held_out = max(0, room["validation"]) + max(0, room["test"])
    for index in draw(len(lone), min(held_out, len(lone)), config.seed):
        order = ("test", "validation", "train")
        empty = [split for split in order if not splits[split]]
        choices = empty if left <= len(empty) else [split for split in order if room[split] > 0]
        splits[choices[0]].append(lone[index])
        room[choices[0]] -= 1
        left -= 1
    return {split: sorted(rows) for split, rows in splits.items()}


def draw(count: int, held_out: int, seed: int) -> list[int]:
    """Return 0 to `count` - 1 in random order, the test rows first, then validation, then train.

    These are the draws of `train_test_split(train_size=0.8)` and of a second one on its rest,
    without the two seconds and 120 MB that importing scikit-learn costs.
    """
    first = np.random.RandomState(seed % 2**32).permutation(count)
    second = np.random.RandomState(seed % 2**32).permutation(held_out)
    return [*first[:held_out][second].tolist(), *first[held_out:].tolist()]

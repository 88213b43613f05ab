"""Which sample goes into which split; what belongs together never crosses."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from ocrtune.config import BuildConfig
from ocrtune.ground_truth import Entry
from ocrtune.records import SPLITS
from ocrtune.remarks import Remark, remark

HELD_OUT = ("test", "validation")  # filled in this order
LEAKS_SHOWN = 5  # pictures that a remark names
FAR_OFF = 0.1  # of the samples, between the train split's size and what was asked for


def split_sizes(count: int, config: BuildConfig) -> dict[str, int]:
    """Return how many of `count` samples each split gets.

    From three on each gets at least one, and the odd one goes to test; fewer are all learned from.
    """
    if count < len(SPLITS):
        return {"train": count, "validation": 0, "test": 0}
    train = max(1, min(int(count * config.train_fraction + 1e-9), count - 2))
    rest = count - train
    share = config.validation_fraction / (1 - config.train_fraction)
    validation = max(1, min(int(rest * share + 1e-9), rest - 1))
    return {"train": train, "validation": validation, "test": rest - validation}


def split_samples(
    digests: Sequence[bytes],
    config: BuildConfig,
    groups: Sequence[str] = (),
    fixed: Mapping[int, str] | None = None,
) -> dict[str, list[int]]:
    """Return the rows of each split; identical pictures and members of a group share one.

    digests: of the pictures; groups: of each row, or none; rows with an empty one stand alone.
    fixed: the split of rows that have theirs already. They keep it even where that tears a group;
    others of the group follow. The free ones fill up what the splits of the whole lack.
    """
    fixed = fixed or {}
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    free = []
    for rows in clusters(digests, groups):
        homes = {fixed[row] for row in rows if row in fixed}
        if not homes:
            free.append(rows)
        for row in rows if homes else ():
            # what was seen in training is no test: of several homes the first one takes in others
            home = fixed.get(row) or next(split for split in SPLITS if split in homes)
            splits[home].append(row)
    sizes = split_sizes(len(digests), config)
    room = {split: sizes[split] - len(splits[split]) for split in SPLITS}
    place = place_groups if groups else place_pictures
    for split, found in place(free, room, config.seed, splits).items():
        splits[split] += found
    return {split: sorted(rows) for split, rows in splits.items()}


def clusters(digests: Sequence[bytes], groups: Sequence[str]) -> list[list[int]]:
    """Return the rows that belong together, in the order of their first ones."""
    parent = list(range(len(digests)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[object, int] = {}
    for row, digest in enumerate(digests):
        keys: list[object] = [digest]
        if groups and groups[row]:
            keys.append((groups[row],))
        for key in keys:
            one, other = root(row), root(first.setdefault(key, row))
            parent[max(one, other)] = min(one, other)
    members = defaultdict(list)
    for row in range(len(digests)):
        members[root(row)].append(row)
    return list(members.values())


def place_pictures(
    free: Sequence[list[int]],
    room: Mapping[str, int],
    seed: int,
    taken: Mapping[str, Sequence[int]],
) -> dict[str, list[int]]:
    """Return the rows that each split gets of clusters of identical pictures.

    Repeated pictures are placed first, the most frequent where there is most room. The others
    are drawn as by scikit-learn's `train_test_split`, called twice with this seed.
    taken: the rows that each split has already.
    """
    room = dict(room)
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    repeated = sorted((rows for rows in free if len(rows) > 1), key=len, reverse=True)
    lone = [rows[0] for rows in free if len(rows) == 1]
    left = len(free)  # different pictures still to be placed

    def candidates(order: Sequence[str], roomy: Sequence[str]) -> Sequence[str]:
        empty = [one for one in order if not splits[one] and not taken[one]]
        if left <= len(empty) and len(free) + sum(map(len, taken.values())) >= len(SPLITS):
            return empty
        return roomy

    for rows in repeated:
        split = max(candidates(SPLITS, SPLITS), key=room.__getitem__)
        splits[split] += rows
        room[split] -= len(rows)
        left -= 1
    held_out = sum(max(0, room[split]) for split in HELD_OUT)
    order = (*HELD_OUT, "train")
    for index in draw(len(lone), min(held_out, len(lone)), seed):
        roomy = [split for split in order if room[split] > 0] or ["train"]
        split = candidates(order, roomy)[0]
        splits[split].append(lone[index])
        room[split] -= 1
        left -= 1
    return splits


def place_groups(
    free: Sequence[list[int]],
    room: Mapping[str, int],
    seed: int,
    taken: Mapping[str, Sequence[int]],
) -> dict[str, list[int]]:
    """Return the rows that each split gets of whole groups, near to the room there is.

    In an order drawn with this seed each group that still fits goes to test, then to validation,
    and the others to train. A split that would stay empty gets the smallest group there is, test
    before validation, as long as one is left to learn from.
    """
    order = np.random.RandomState(seed % 2**32).permutation(len(free)).tolist()
    waiting = [free[index] for index in order]
    splits: dict[str, list[int]] = {split: [] for split in SPLITS}
    for later, split in (("validation", "test"), ("", "validation")):
        space, kept = room[split], []
        wanting = [one for one in (later, "train") if one and not taken[one] and room[one] > 0]
        for number, rows in enumerate(waiting):
            spare = len(kept) + len(waiting) - number - len(wanting)
            if len(rows) <= space and spare > 0:
                splits[split] += rows
                space -= len(rows)
            else:
                kept.append(rows)
        waiting = kept
    for split in HELD_OUT:
        spare = len(waiting) - (not taken["train"])
        if not splits[split] and not taken[split] and room[split] > 0 and spare > 0:
            smallest = min(waiting, key=len)
            waiting.remove(smallest)
            splits[split] += smallest
    splits["train"] = [row for rows in waiting for row in rows]
    return splits


def draw(count: int, held_out: int, seed: int) -> list[int]:
    """Return 0 to `count` - 1 in random order, the test rows first, then validation, then train.

    These are the draws of `train_test_split(train_size=0.8)` and of a second one on its rest,
    without the two seconds and 120 MB that importing scikit-learn costs.
    """
    first = np.random.RandomState(seed % 2**32).permutation(count)
    second = np.random.RandomState(seed % 2**32).permutation(held_out)
    return [*first[:held_out][second].tolist(), *first[held_out:].tolist()]


def own_splits(
    entries: Sequence[Entry],
    digests: Sequence[bytes],
    config: BuildConfig,
    groups: Sequence[str] = (),
) -> dict[int, str]:
    """Return the split of each row where their own files decide it, nothing where they do not.

    Their validation and test splits stay exactly as they are. One that they lack is drawn from what
    they have for training, in the same share as from a whole set; so is what is in none of them.
    """
    missing = lacking(entries)
    if missing is None:
        return {}
    own = {row: entry.split for row, entry in enumerate(entries) if entry.split in HELD_OUT}
    rest = [row for row in range(len(entries)) if row not in own]
    if not missing:
        return own | dict.fromkeys(rest, "train")
    members = [groups[row] for row in rest] if groups else ()
    for split, found in split_samples([digests[row] for row in rest], config, members).items():
        for place in found:
            own[rest[place]] = split if split in missing else "train"
    return own


def lacking(entries: Sequence[Entry]) -> list[str] | None:
    """Return which of validation and test the own splits of entries lack; None: they have none."""
    named = {entry.split for entry in entries}
    if not named & set(HELD_OUT) or not named & {"", "train"}:
        return None
    return [split for split in HELD_OUT if split not in named]


def split_remarks(
    splits: Mapping[str, Sequence[int]],
    digests: Sequence[bytes],
    groups: Sequence[str],
    names: Sequence[str],
    config: BuildConfig,
) -> list[Remark]:
    """Return what people should know about a split: what crosses it, and what it lacks.

    names: the picture ids of the rows.
    """
    told = []
    home = {row: split for split, rows in splits.items() for row in rows}
    leaking = in_several((digests[row], split) for row, split in home.items())
    crossing = [names[row] for row in sorted(home) if digests[row] in leaking]
    if crossing:
        told.append(remark("split_leak", count=len(crossing), names=crossing[:LEAKS_SHOWN]))
    if groups:
        count = len({group for group in groups if group})
        told.append(remark("split_groups", count=count, by=config.group_by))
        torn = in_several((groups[row], split) for row, split in home.items())
        members = dict.fromkeys(groups[row] for row in home)  # in their order
        crossed = [group for group in members if group and group in torn]
        if crossed:
            told.append(remark("split_torn", count=len(crossed), names=crossed[:LEAKS_SHOWN]))
        wanted = split_sizes(len(home), config)["train"]
        if abs(len(splits["train"]) - wanted) > FAR_OFF * len(home):
            shares = [f"{round(100 * len(splits[split]) / len(home))} %" for split in SPLITS]
            told.append(remark("split_far_off", shares="/".join(shares)))
    if len(home) and not splits["test"]:
        told.append(remark("split_no_test"))
    if len(home) and not splits["validation"]:
        told.append(remark("split_no_validation"))
    return told


def in_several(pairs: Iterable[tuple[Hashable, object]]) -> set[Hashable]:
    """Return the keys that come with more than one value; a set for each would take 20 MB."""
    first: dict[Hashable, object] = {}
    return {key for key, value in pairs if first.setdefault(key, value) != value}


def own_remarks(entries: Sequence[Entry]) -> list[Remark]:
    """Return what people should know about the splits that their own files name."""
    missing = lacking(entries)
    return [remark("split_from_train", missing=missing)] if missing else []

"""Splits that ground truth brings along: folders and files called train, val, test."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ocrtune.columns import SPLIT_WORDS
from ocrtune.content import fold
from ocrtune.ground_truth import Entry, GroundTruth
from ocrtune.records import SPLITS
from ocrtune.remarks import Remark, remark

WORDS = SPLIT_WORDS | {
    "trainset": "train",
    "valset": "validation",
    "testset": "test",
    "训练集": "train",
    "验证集": "validation",
    "测试集": "test",
}
FOLDER_WORDS = re.compile(r"[\s_.\-]+")


def split_word(word: str) -> str:
    """Return the split that a word means, or an empty string."""
    return WORDS.get(fold(word.strip()), "")


def split_of(path: str) -> str:
    """Return the split that a path names: its file before its folders, the last word first."""
    for segment in reversed(path.split("/")):
        for word in reversed(FOLDER_WORDS.split(segment)):
            if split := split_word(word):
                return split
    return ""


def own_splits(paths: Iterable[str]) -> dict[str, str]:
    """Return the split of each path that names one, if train and another one are among them."""
    splits = {path: split for path in set(paths) if (split := split_of(path))}
    named = set(splits.values())
    return splits if "train" in named and len(named) > 1 else {}


def with_own_splits(truth: GroundTruth) -> GroundTruth:
    """Return the ground truth with the splits that its columns, files or folders name."""
    entries = truth.entries
    if not any(entry.split for entry in entries):
        by_file = own_splits(entry.file for entry in entries)
        by_folder = {} if by_file else own_splits(folder_of(entry.name) for entry in entries)
        if not by_file and not by_folder:
            return truth
        entries = [fill(entry, by_file, by_folder) for entry in entries]
    return replace(truth, entries=entries, remarks=(*truth.remarks, split_remark(entries)))


def folder_of(name: str) -> str:
    """Return the folder of a picture; a file called `test.png` is in no split by itself."""
    return name.rpartition("/")[0]


def fill(entry: Entry, by_file: dict[str, str], by_folder: dict[str, str]) -> Entry:
    """Return the entry with the split of its file, else of its picture's folder."""
    split = by_file.get(entry.file) or by_folder.get(folder_of(entry.name), "")
    return replace(entry, split=split) if split else entry


def split_remark(entries: Sequence[Entry]) -> Remark:
    """Return the remark that says how many entries brought which split along."""
    counts = Counter(entry.split for entry in entries)
    shown = [f"{split} {counts[split]}" for split in SPLITS if counts[split]]
    return remark("own_splits", splits=shown, others=counts[""])

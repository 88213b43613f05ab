"""Samples of another split that the train split holds too: what was learned there is no test."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ocrtune.config import LEAVE_OUT_SEEN
from ocrtune.dataset_files import split_path
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, Progress, silent
from ocrtune.near_duplicates import near_duplicates
from ocrtune.picture_store import digest_of
from ocrtune.pictures import PictureError, check_picture, quiet_pillow
from ocrtune.records import Sample
from ocrtune.sample_index import SampleIndex
from ocrtune.text import normalise

KINDS = ("picture", "near_picture", "text")  # the strongest first; a sample counts as one of them
LEAVE_OUT = dict(zip(LEAVE_OUT_SEEN, ((), KINDS[:2], KINDS), strict=True))
READ_AT_ONCE = 256  # pictures of the train split in memory
LISTED = 1_000  # samples that a report names


@dataclass(frozen=True)
class SeenSample:
    """A sample that the train split holds too."""

    picture_id: str
    kind: str  # one of KINDS
    train_id: str  # of the train split's sample


@dataclass(frozen=True)
class Seen:
    """What a split has in common with the train split."""

    train_samples: int  # 0: there was nothing to look at
    samples: tuple[SeenSample, ...] = ()  # in the order of the split
    left_out: str = "no"  # which of them were not read, a key of LEAVE_OUT

    def ids(self, what: str = "all") -> set[str]:
        """Return the picture ids of the samples that `what`, a key of LEAVE_OUT, stands for."""
        return {one.picture_id for one in self.samples if one.kind in LEAVE_OUT[what]}

    def counts(self) -> dict[str, int]:
        """Return how many samples there are of each kind."""
        return {kind: sum(one.kind == kind for one in self.samples) for kind in KINDS}


@dataclass(frozen=True)
class Mark:
    """What a picture with its text is recognised by."""

    picture_id: str
    digest: bytes
    signature: bytes
    size: tuple[int, int]
    text: str  # as the strict profile compares it


def find_seen(prefix: str, split: str, samples: Sequence[Sample], emit: Emit = silent) -> Seen:
    """Return which samples of a split the train split of the same dataset holds too.

    By the same picture, byte for byte or nearly, or by the same text alone.
    """
    if split == "train" or not split_path(prefix, "train").is_file():
        return Seen(0)
    index = SampleIndex(prefix)
    learned = [one for one in index if one.split == "train" and not one.is_excluded]
    with quiet_pillow(), ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1))) as pool:
        ours = list(pool.map(mark, samples))
        theirs: list[Mark] = []
        for start in range(0, len(learned), READ_AT_ONCE):
            batch = learned[start : start + READ_AT_ONCE]
            pictures = index.pictures(batch)
            theirs += pool.map(
                mark,
                [
                    Sample(
                        picture_id=one.picture_id, picture=pictures[one.picture_id], text=one.text
                    )
                    for one in batch
                ],
            )
            emit(Progress("seen", len(theirs), len(learned)))
    return Seen(len(learned), tuple(match(ours, theirs)))


def mark(sample: Sample) -> Mark:
    """Return what a sample is recognised by; a damaged picture has no signature."""
    try:
        picture = check_picture(sample.picture)
        found, size = picture.signature, picture.pixels
    except PictureError:
        found, size = b"", (1, 1)
    digest, text = digest_of(sample.picture), normalise(sample.text, "strict")
    return Mark(sample.picture_id, digest, found, size, text)


def match(ours: Sequence[Mark], theirs: Sequence[Mark]) -> Iterator[SeenSample]:
    """Yield those of ours that are among theirs, each with the strongest reason."""
    both = [*ours, *theirs]
    pairs = near_duplicates(
        [one.signature for one in both],
        [one.size for one in both],
        [one.text for one in both],
        [0] * len(ours) + [1] * len(theirs),
    )
    near: dict[int, str] = {}
    for pair in pairs:  # the closest first
        one, other = sorted(pair.rows)
        near.setdefault(one, both[other].picture_id)
    pictures = {one.digest: one.picture_id for one in reversed(theirs)}
    texts = {one.text: one.picture_id for one in reversed(theirs) if one.text}
    for row, one in enumerate(ours):
        found = (pictures.get(one.digest), near.get(row), texts.get(one.text))
        for kind, train_id in zip(KINDS, found, strict=True):
            if train_id is not None:
                yield SeenSample(one.picture_id, kind, train_id)
                break


def leave_out(samples: Sequence[Sample], seen: Seen) -> list[Sample]:
    """Return the samples that may be read; a DatasetError if none is left."""
    without = seen.ids(seen.left_out)
    kept = [sample for sample in samples if sample.picture_id not in without]
    if not kept:
        raise DatasetError(
            f"All {len(samples)} samples occur in the train split too: none is left to compare on.",
            "Compare without `--leave-out-seen`, or with `--leave-out-seen pictures`, which keeps "
            "lines of which only the text is known; or build the dataset from more pictures.",
        )
    return kept


def seen_values(seen: Seen) -> dict:
    """Return what a report says of them, JSON-ready; the samples listed are the first ones."""
    return {
        "train_samples": seen.train_samples,
        "samples": len(seen.samples),
        **seen.counts(),
        "left_out": seen.left_out,
        "lines_left_out": len(seen.ids(seen.left_out)),
        "listed": [vars(one) for one in seen.samples[:LISTED]],
    }


def describe_seen(seen: Seen, split: str) -> str:
    """Return a sentence on what the train split holds of this one; empty if that is nothing."""
    if not seen.samples:
        return ""
    counts = seen.counts()
    words = {
        "picture": "by the same picture",
        "near_picture": "by nearly the same picture",
        "text": "by the same text in another picture",
    }
    parts = ", ".join(f"{counts[kind]} {words[kind]}" for kind in KINDS if counts[kind])
    count = len(seen.samples)
    told = (
        f"{count} {split} {'sample occurs' if count == 1 else 'samples occur'} in the train split "
        f"too: {parts}."
    )
    if seen.left_out == "no":
        return f"{told} They are read all the same; `--leave-out-seen` leaves them out."
    return f"{told} {len(seen.ids(seen.left_out))} of them are left out."

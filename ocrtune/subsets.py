"""Shares of a train split, of which the smaller is always within the larger."""

import math
import random
from collections.abc import Sequence

from ocrtune.picture_store import digest_of
from ocrtune.records import Sample
from ocrtune.splits import clusters


def share_of(samples: Sequence[Sample], fraction: float, seed: int) -> list[Sample]:
    """Return about this share of the samples, in their order, and at least one.

    Identical pictures come together, so that a larger share really shows more of them.
    """
    if fraction >= 1:
        return list(samples)
    digests = [digest_of(sample.picture) for sample in samples]
    return [samples[row] for row in share_rows(digests, fraction, seed)]


def share_rows(
    digests: Sequence[bytes], fraction: float, seed: int, groups: Sequence[str] = ()
) -> list[int]:
    """Return the rows of a share, ascending; rows of one digest or group come together.

    They are drawn once for all shares, so that a smaller one is within a larger one of this seed.
    A share may exceed its fraction by the rest of its last group.
    """
    together = clusters(digests, groups)
    random.Random(seed).shuffle(together)
    wanted = max(1, math.ceil(fraction * len(digests) - 1e-9))
    rows: list[int] = []
    for members in together:
        if len(rows) >= wanted:
            break
        rows += members
    return sorted(rows)

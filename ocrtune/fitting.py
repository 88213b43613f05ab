"""How many samples go through a model together while it learns: an estimate, then a correction.

Plain arithmetic over sizes; nothing here needs the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Values that a layer keeps for the way back, for each value of its width and of its feed-forward
# part. DeepSeek-OCR kept 2.6 MB a token without checkpointing (facts: 14.0 GiB with 6.7 of weights
# for eight samples of 323 tokens), which is what these come to.
KEPT_OF_WIDTH = 40
KEPT_OF_ACTIVE = 8
LOGIT_COPIES_BYTES = 8  # of one score: it in fp32, and its gradient
LEARNED_BYTES = 8  # of one learned weight: its two moments in fp32, which come with the first step
USABLE = 0.92  # of the free memory; allocators leave gaps


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """The sizes of a text model that decide what a token costs while it learns."""

    width: int  # values a token has between two layers
    layers: int
    active: int  # values inside the feed-forward part of a layer: all experts that a token visits
    vocabulary: int
    value_bytes: int  # of one activation: 2 or 4
    learned: int  # trainable weights


@dataclass(frozen=True)
class Fit:
    """How a batch goes through the model."""

    micro_batch: int  # samples that go through together
    checkpointing: bool  # compute the layers twice instead of remembering them
    bytes: int = 0  # estimated need beside the weights themselves

    @property
    def way(self) -> tuple[int, bool]:
        """What the batch's way is, whatever it needs."""
        return self.micro_batch, self.checkpointing


def needed_bytes(
    shape: ModelShape,
    samples: Sequence[tuple[int, int]],
    micro_batch: int,
    checkpointing: bool,
    correction: float = 1.0,
) -> int:
    """Return the memory for the most demanding samples, beside the weights themselves.

    samples: (tokens in all, supervised tokens) of each; shorter rows are padded to the longest.
    correction: how much more the activations were found to take than is estimated here.
    """
    tokens = micro_batch * max(total for total, _ in samples)
    supervised = sum(sorted((count for _, count in samples), reverse=True)[:micro_batch])
    layer = KEPT_OF_WIDTH * shape.width + KEPT_OF_ACTIVE * shape.active
    values = layer + shape.layers * shape.width if checkpointing else shape.layers * layer
    activations = tokens * values * shape.value_bytes
    logits = supervised * shape.vocabulary * (shape.value_bytes + LOGIT_COPIES_BYTES)
    return int(correction * (activations + logits)) + shape.learned * LEARNED_BYTES


def choose_fit(
    free_bytes: int,
    samples: Sequence[tuple[int, int]],
    shape: ModelShape,
    batch_size: int,
    micro_batch: int = 0,
    checkpointing: str = "auto",
    correction: float = 1.0,
) -> Fit:
    """Return the quickest way to learn from a batch within the free memory, or the smallest one.

    micro_batch: a number of samples that is wished for, 0: as many as fit; checkpointing: `yes`,
    `no` or `auto`. Computing twice costs a third more time: half a batch at a time is better than
    that, a quarter is not. For `samples` and `correction` see `needed_bytes`.
    """
    rows = [micro_batch] if micro_batch else halvings(batch_size)
    remembering = [] if checkpointing == "yes" else rows if checkpointing == "no" else rows[:2]
    ways = [(count, False) for count in remembering]
    ways += [(count, True) for count in rows if checkpointing != "no"]
    fits = [
        Fit(count, twice, needed_bytes(shape, samples, count, twice, correction))
        for count, twice in ways
    ]
    room = USABLE * free_bytes
    return next((fit for fit in fits if fit.bytes <= room), fits[-1])


def halvings(count: int) -> list[int]:
    """Return the count, its half, and so on down to 1."""
    found = [count]
    while found[-1] > 1:
        found.append(-(-found[-1] // 2))
    return found

"""Pictures that are copies of each other, saved again, scaled or cut by a pixel, across splits.

Neither every picture is compared with every other one nor every text: those that agree in a part
of their signature or of their text are laid side by side, and only neighbours are compared.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from rapidfuzz import fuzz

from ocrtune.signatures import SIGNATURE_BYTES

# How many bits of 256 may differ, and what share of those that are set in either: margins set none.
CLOSE, CLOSE_SHARE = 8, 0.1  # the same picture, if the digits of the texts agree
ALIKE, ALIKE_SHARE = 40, 0.2  # if the texts are alike, too
EQUAL, EQUAL_SHARE = 60, 0.4  # if the texts are equal
SHAPE = 0.13  # by how much the proportions of a copy may differ
TEXT_RATIO = 80.0  # of 100, of texts that are alike
WINDOW = 64  # neighbours that a picture is compared with
MOST_PAIRS = 50_000  # that one key may bring; of ten thousand equal forms, no more are counted
HEAD = 8  # letters at either end of a text that lay it beside others
SHORT = 12  # letters, below which only the whole text does
BANDS = SIGNATURE_BYTES // 2  # of 16 bits each
DIGITS = re.compile(r"\d")
NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class NearDuplicate:
    """Two samples of different splits with nearly the same picture."""

    rows: tuple[int, int]
    distance: int  # bits that differ


def near_duplicates(
    signatures: Sequence[bytes],
    sizes: Sequence[tuple[int, int]],
    texts: Sequence[str],
    split_of: Sequence[int],
) -> list[NearDuplicate]:
    """Return the pairs of different splits that show the same picture, closest first.

    signatures: of `signatures.signature`, empty ones are left out; split_of: a number for each row.
    """
    rows = [row for row, value in enumerate(signatures) if value]
    if len(rows) < 2:
        return []
    bits = np.frombuffer(b"".join(signatures[row] for row in rows), np.uint8)
    bits = bits.reshape(-1, SIGNATURE_BYTES)
    shapes = np.log([sizes[row][0] / sizes[row][1] for row in rows])
    splits = np.array([split_of[row] for row in rows])
    plain = [NOISE.sub("", texts[row]).casefold() for row in rows]
    pairs = np.empty((4, 0), np.int64)
    for keys in chain(signature_keys(bits), text_keys(plain)):
        more = close_pairs(bits, shapes, splits, keys)
        pairs = each_once(np.concatenate([pairs, more], axis=1), len(rows))
    found = [
        NearDuplicate((rows[one], rows[other]), distance)
        for one, other, distance, either in pairs.T.tolist()
        if is_copy(plain[one], plain[other], distance, either)
    ]
    return sorted(found, key=lambda pair: (pair.distance, pair.rows))


def each_once(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return the pairs of `count` samples without repetitions, in their order: int64 [4, pairs]."""
    _, places = np.unique(pairs[0] * count + pairs[1], return_index=True)
    return pairs[:, places]


def is_copy(one: str, other: str, distance: int, either: int) -> bool:
    """Return whether two pictures are one, by their texts, without spaces and punctuation.

    distance: bits in which their signatures differ; either: bits that are set in one of them.
    """
    if one == other or not distance:
        return True
    if DIGITS.findall(one) != DIGITS.findall(other):  # forms and tables differ in one number only
        return False
    if distance <= min(CLOSE, CLOSE_SHARE * either):
        return True
    alike = distance <= min(ALIKE, ALIKE_SHARE * either)
    return alike and fuzz.ratio(one, other) >= TEXT_RATIO


def signature_keys(bits: np.ndarray) -> Iterator[np.ndarray]:
    """Yield 16 bits of each signature, other ones each time; two close ones agree in some.

    bits: uint8 [rows, SIGNATURE_BYTES]. Bits of one place in the picture are spread over the keys:
    most pictures agree in their margins.
    """
    spread = np.random.RandomState(0).permutation(SIGNATURE_BYTES * 8)
    for start in range(BANDS):
        places = spread[start::BANDS]
        taken = (bits[:, places // 8] >> (7 - places % 8).astype(np.uint8)) & 1
        packed = np.ascontiguousarray(np.packbits(taken, axis=1))
        yield packed.view(np.uint16)[:, 0].astype(np.int64)


def text_keys(plain: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield a number for each text, equal for equal texts, then for equal beginnings and ends.

    A text that is too short for it has a number below 0.
    """

    def numbered(parts: Sequence[str]) -> np.ndarray:
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(part, len(numbers)) if part else -1 for part in parts], np.int64
        )

    yield numbered(plain)
    yield numbered([text[:HEAD] if len(text) >= SHORT else "" for text in plain])
    yield numbered([text[-HEAD:] if len(text) >= SHORT else "" for text in plain])


def close_pairs(
    bits: np.ndarray, shapes: np.ndarray, splits: np.ndarray, keys: np.ndarray
) -> np.ndarray:
    """Return the pairs with an equal key that may be one picture: int64 [4, pairs].

    The first two rows are numbers of samples, the smaller one first; then the bits that differ, and
    those that are set in either.
    """
    order = np.lexsort((shapes, keys))
    order = order[keys[order] >= 0]
    sorted_keys = keys[order]
    found = [np.empty((4, 0), np.int64)]
    for step in range(1, min(WINDOW, len(order))):
        equal = np.flatnonzero(sorted_keys[step:] == sorted_keys[:-step])
        if not equal.size:
            break
        one, other = order[equal], order[equal + step]
        wanted = (splits[one] != splits[other]) & (np.abs(shapes[one] - shapes[other]) <= SHAPE)
        one, other = one[wanted], other[wanted]
        distance = count_bits(bits[one] ^ bits[other])
        either = count_bits(bits[one] | bits[other])
        close = distance <= np.minimum(EQUAL, EQUAL_SHARE * either)
        two = np.minimum(one, other), np.maximum(one, other)
        found.append(np.stack([*two, distance, either])[:, close])
        if sum(part.shape[1] for part in found) >= MOST_PAIRS:
            break
    return np.concatenate(found, axis=1)


def count_bits(bits: np.ndarray) -> np.ndarray:
    """Return how many bits are set in each row; int64 [rows]."""
    return np.bitwise_count(np.ascontiguousarray(bits).view(np.uint64)).sum(axis=1, dtype=np.int64)

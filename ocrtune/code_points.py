"""Many texts as one array of code points: a question about a character is asked once for all."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

CODE_POINTS = 0x110000  # all there are


def as_codes(texts: Sequence[str]) -> np.ndarray:
    """Return the code points of all texts, one text after the other, as uint32."""
    encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
    return np.frombuffer(encoded, np.uint32)


def as_text(codes: np.ndarray) -> str:
    """Return the text of an array of code points."""
    return codes.astype(np.uint32).tobytes().decode("utf-32-le", "surrogatepass")


def lengths(texts: Sequence[str]) -> np.ndarray:
    """Return how many code points each text has."""
    return np.fromiter(map(len, texts), np.int64, len(texts))


def distinct(codes: np.ndarray) -> np.ndarray:
    """Return the code points that occur, in ascending order."""
    occurs = np.zeros(CODE_POINTS, bool)
    occurs[codes] = True
    return np.flatnonzero(occurs)


def which(codes: np.ndarray, asked: Callable[[str], object]) -> np.ndarray:
    """Return for each code point whether `asked` is true of its character."""
    known, answers = _answers(asked)
    news = distinct(codes[~known[codes]])
    answers[news] = [bool(asked(chr(code))) for code in news.tolist()]
    known[news] = True
    return answers[codes]


@lru_cache(maxsize=16)
def _answers(asked: Callable[[str], object]) -> tuple[np.ndarray, np.ndarray]:
    """Return for which code points it has been asked, and what came out; filled as they come."""
    return np.zeros(CODE_POINTS, bool), np.zeros(CODE_POINTS, bool)


def count_in_each(marks: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return how many of the marks are set in each text; sizes: code points of each."""
    ends = np.cumsum(sizes)
    sums = np.concatenate([[0], np.cumsum(marks, dtype=np.int64)])
    return sums[ends] - sums[ends - sizes]

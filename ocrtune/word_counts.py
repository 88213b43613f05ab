"""Words read wrongly, where a text has words.

A word is what stands between spaces, punctuation included, as in jiwer's and most other WERs. Lines
mostly in scripts that set no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese, Tibetan …)
have none; lines without any letter, such as `12.50`, go with the majority of the others.
"""

from collections.abc import Sequence

import numpy as np
import regex

from ocrtune.alignment import count_errors_only, differing
from ocrtune.code_points import as_codes, count_in_each, lengths, which

LETTER = regex.compile(r"\p{L}")
UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Javanese}\p{Balinese}]"
)
LETTERLESS, SPACED, WITHOUT_SPACES = range(3)


def spacing(texts: Sequence[str]) -> np.ndarray:
    """Return LETTERLESS, SPACED or WITHOUT_SPACES for each text."""
    codes, sizes = as_codes(texts), lengths(texts)
    letters = count_in_each(which(codes, LETTER.match), sizes)
    unspaced = count_in_each(which(codes, _is_unspaced_letter), sizes)
    kinds = np.where(2 * unspaced >= letters, WITHOUT_SPACES, SPACED)
    kinds[letters == 0] = LETTERLESS
    return kinds


def has_words(kinds: np.ndarray) -> np.ndarray:
    """Return which lines have words, by their `spacing`."""
    spaced = kinds == SPACED
    if spaced.sum() >= (kinds == WITHOUT_SPACES).sum():
        return spaced | (kinds == LETTERLESS)
    return spaced


def count_words(texts: Sequence[str]) -> np.ndarray:
    """Return how many words each normalised text has."""
    spaces = count_in_each(as_codes(texts) == ord(" "), lengths(texts))
    return np.where(lengths(texts) > 0, spaces + 1, 0)


def count_word_errors(wanted: Sequence[str], found: Sequence[str]) -> np.ndarray:
    """Return how many words of each line are wrong, missing or too many."""
    rows = differing(wanted, found)
    errors = np.zeros(len(wanted), np.int64)
    errors[rows] = 1  # of a single word, or none, on both sides
    several = [row for row in rows.tolist() if " " in wanted[row] or " " in found[row]]
    right = [wanted[row].split() for row in several]
    read = [found[row].split() for row in several]
    errors[several] = count_errors_only(right, read)
    return errors


def _is_unspaced_letter(character: str) -> bool:
    return bool(LETTER.match(character) and UNSPACED.match(character))

"""Texts as strings with one code point for each unit that is counted: character, cluster or word.

The alignment only asks whether two units are equal. As strings they are compared ten times faster
than as lists.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from ocrtune.code_points import CODE_POINTS, as_codes, as_text, count_in_each, lengths, which
from ocrtune.errors import MetricsError
from ocrtune.text import BYTE_ORDER_MARK, CLUSTER, JOINING, LENIENT_NOISE, normalise

ABOVE_TEXTS = 0x40000  # no character stands from here to the private planes
BETWEEN = "\0"  # two texts that are looked through together


class Codebook(dict[str, str]):
    """A code point for each unit that needs one; single characters below `first` stand for
    themselves.
    """

    def __init__(self, first: int = ABOVE_TEXTS) -> None:
        super().__init__()
        self.first = first
        self.units: list[str] = []  # by their code point, counted from `first`

    def __missing__(self, unit: str) -> str:
        if len(unit) == 1 and ord(unit) < self.first:
            code = unit
        else:
            if self.first + len(self.units) >= CODE_POINTS:
                raise MetricsError(
                    f"The texts hold more than {len(self.units):,} different units.",
                    "Compare fewer lines at a time.",
                )
            code = chr(self.first + len(self.units))
            self.units.append(unit)
        self[unit] = code
        return code

    def encode(self, units: Iterable[str]) -> str:
        """Return the units as a string with one code point for each."""
        return "".join(map(self.__getitem__, units))

    def unit(self, code: int) -> str:
        """Return the unit that a code point stands for."""
        return chr(code) if code < self.first else self.units[code - self.first]


def encode_clusters(texts: Sequence[str], book: Codebook) -> list[str]:
    """Return normalised texts with one code point for each grapheme cluster (UAX 29)."""
    codes = as_codes(texts)
    marks = which(codes, JOINING.match) | (codes >= book.first)
    coded = list(texts)
    for row in count_in_each(marks, lengths(texts)).nonzero()[0]:
        coded[row] = book.encode(CLUSTER.findall(texts[row]))
    return coded


def normalise_all(texts: Sequence[str], profile: str = "strict") -> list[str]:
    """Return what `text.normalise` returns for each text, many times faster."""
    if profile == "lenient":
        return _lenient(texts)
    if profile == "raw":
        return [text.strip() for text in texts]
    if profile == "no-space":
        return [text.replace(" ", "") for text in normalise_all(texts)]
    if profile in ("strict", "grapheme"):
        has_mark = BYTE_ORDER_MARK in "".join(texts)
        plain = [text.replace(BYTE_ORDER_MARK, "") for text in texts] if has_mark else texts
        return [" ".join(unicodedata.normalize("NFC", text).split()) for text in plain]
    return [normalise(text, profile) for text in texts]


def _lenient(texts: Sequence[str]) -> list[str]:
    joined = BETWEEN.join([unicodedata.normalize("NFKC", text) for text in texts]).casefold()
    if joined.count(BETWEEN) != len(texts) - 1:  # none at all, or one of them holds that character
        return [normalise(text, "lenient") for text in texts]
    codes = as_codes([joined])
    return as_text(codes[~which(codes, LENIENT_NOISE.match)]).split(BETWEEN)


def profile_texts(texts: Sequence[str], profiles: Iterable[str]) -> dict[str, list[str]]:
    """Return the texts normalised under each profile, the strict ones always among them."""
    strict = normalise_all(texts)
    made = {"strict": strict}
    for profile in profiles:
        if profile == "no-space":  # what strict leaves of white space are single spaces
            made[profile] = [text.replace(" ", "") for text in strict]
        elif profile == "grapheme":
            made[profile] = strict
        elif profile != "strict":
            made[profile] = normalise_all(texts, profile)
    return made

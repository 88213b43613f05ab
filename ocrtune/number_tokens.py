"""Numbers in a text: amounts, dates, times, phone numbers, and which of them were read exactly.

A token runs from its first digit to its last one, with what joins them: `1.234,50`, `2026-11-23`,
`2026年11月23`, `12:30`, `+49 30 1234567`, `１２．５０`, `۱۲٫۵`. Decimal digits of every script
count. Signs and currencies do not belong to it. A comma joins thousands and decimals, but no lists;
a space joins thousands and the parts of a phone number or a date.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

from ocrtune.code_points import as_codes, count_in_each, lengths, which

NUMBER_KINDS = ("date", "time", "phone", "amount", "number")

# What is printed otherwise beside other digits, one character for one.
SAME_SIGNS = dict(zip("．，：／－–‑（）＋٫٬’٪％", ".,:/---()+.,'%%", strict=True))

# Where tokens are looked for: from a digit to a digit, with all that may join them.
JOINERS = "-. ,:/'()·年년月월日일号號" + "".join(SAME_SIGNS)
RUN = re.compile(rf"[+(＋（]?\d(?:[{JOINERS}\d]*\d)?")
PLAIN_DIGITS = 9  # at most, of a run that can only be a number; 10 may be a phone number
TOKEN = re.compile(
    r"""
    (?P<date>
        \d{2,4}\ ?[年년]\ ?\d{1,2}\ ?[月월](?:\ ?\d{1,2}(?=\ ?[日号號일]))?
      | \d{1,2}\ ?[月월]\ ?\d{1,2}(?=\ ?[日号號일])
      | (?:\d{4}(?P<s>[-./])\d{1,2}(?P=s)\d{1,2} | \d{1,2}(?P<t>[-./])\d{1,2}(?P=t)(?:\d{4}|\d{2}))
        (?!\d|[-./]\d)
      | \d{1,2}\.\ \d{1,2}\.\ (?:\d{4}|\d{2})(?!\d)
    )
  | (?P<time>\d{1,2}:\d{2}(?::\d{2})?(?![:.]?\d))
  | (?P<phone>(?=[+(]?(?:[-\ ./()]{0,2}\d){7})(?:
        \+\d{1,3}(?:[-\ ./]?\(\d{1,4}\))?(?:[-\ ./]?\d{2,})+
      | \(\d{2,5}\)\ ?\d{2,}(?:[-\ ./]\d{2,})*
      | 0\d{1,4}[-\ /]\d{2,}(?:[-\ ]\d{2,})*
      | \d{3}[-.\ ]\d{3,4}[-.\ ]\d{4}(?!\d)
      | (?:1[3-9]\d{9}|0\d{9,10}|400\d{7})(?!\d|[.,]\d)
    ))
  | (?P<amount>(?<!\d,)(?:
        \d{1,3}(?:(?P<g>[,.'\ ])\d{3})(?:(?P=g)\d{3})*(?!\d)(?:[.,]\d{1,4}(?![.,]?\d))?(?!,?\d)
      | \d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?(?!\d)
      | \d+(?:\.\d+|,\d{1,3})(?![.,:/-]?\d)
    ))
  | (?P<number>\d+(?:[.:/·-]\d+)*)
    """,
    re.VERBOSE | re.ASCII,
)
CURRENCY = r"(?:[$€£¥₹₽₩₺₪฿%‰元円원﷼]|(?:EUR|USD|GBP|CHF|CNY|RMB|JPY|INR|RUB|IRR|DM|Rs|Fr|kr|zł)\b)"
CURRENCY_AFTER = re.compile(rf"\ ?(?:[,.][-–—]+)?\ ?{CURRENCY}")
CURRENCY_BEFORE = re.compile(
    r"(?:[$€£¥₹₽₩₺₪฿]|\b(?:EUR|USD|GBP|CHF|CNY|RMB|JPY|INR|Rs|Fr)\.?)\ ?-?$"
)
BEFORE_CHARS = 6  # that are looked at for a currency


class Folded(dict[int, int]):
    """Digits of every script as ASCII digits, and their signs alike; filled as they come."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        value = unicodedata.decimal(character, None)
        folded = SAME_SIGNS.get(character, character) if value is None else str(value)
        self[code] = ord(folded)
        return self[code]


FOLDED = Folded()


class NumberToken(NamedTuple):
    """One number in a text."""

    text: str  # as it is written
    kind: str  # one of NUMBER_KINDS
    start: int  # place of its first character in the text
    end: int  # behind its last one


@dataclass(frozen=True, eq=False)
class NumberCounts:
    """The numbers in many lines, and how many of them one model read; one number a line."""

    tokens: np.ndarray  # in the right text
    exact: np.ndarray  # of those, read character by character as they are
    same_value: np.ndarray  # read exactly, or only in the digits or signs of another script
    by_kind: dict[str, tuple[int, int, int]]  # tokens, exact, same value

    @classmethod
    def joined(cls, parts: Sequence["NumberCounts"]) -> "NumberCounts":
        """Return the counts of several portions of lines, one after the other."""
        arrays = (
            np.concatenate([np.zeros(0, np.int64), *(getattr(one, name) for one in parts)])
            for name in ("tokens", "exact", "same_value")
        )
        sums = {
            kind: tuple(
                sum(one.by_kind.get(kind, (0, 0, 0))[place] for one in parts) for place in range(3)
            )
            for kind in NUMBER_KINDS
        }
        return cls(*arrays, {kind: counts for kind, counts in sums.items() if any(counts)})


def find_numbers(text: str) -> list[NumberToken]:
    """Return the numbers in a text, in their order; no two overlap."""
    return _find(text, fold(text))


def fold(text: str) -> str:
    """Return the text, as long as it is, with its numbers in ASCII digits and signs."""
    return text if text.isascii() else text.translate(FOLDED)


def numbers_of_all(texts: Sequence[str]) -> dict[int, list[NumberToken]]:
    """Return the numbers of each text that has some, by its row."""
    codes, sizes = as_codes(texts), lengths(texts)
    has_digit = count_in_each(which(codes, str.isdecimal), sizes) > 0
    is_folded = count_in_each(which(codes, is_foldable), sizes) > 0
    rows = zip(np.flatnonzero(has_digit).tolist(), is_folded[has_digit].tolist(), strict=True)
    return {
        row: _find(texts[row], fold(texts[row]) if folds else texts[row]) for row, folds in rows
    }


def is_foldable(character: str) -> bool:
    """Return whether a character is a digit or sign that `fold` changes."""
    return FOLDED[ord(character)] != ord(character)


def _find(text: str, folded: str) -> list[NumberToken]:
    return [NumberToken(text[start:end], kind, start, end) for kind, start, end in _tokens(folded)]


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of each number in a folded text."""
    for run in RUN.finditer(text):
        start, end = run.span()
        if end - start <= PLAIN_DIGITS and run.group().isdecimal():
            yield _kind("number", text, start, end), start, end
            continue
        for found in TOKEN.finditer(text, start):
            if found.start() >= end:
                break
            kind = found.lastgroup or "number"
            yield _kind(kind, text, found.start(), found.end()), found.start(), found.end()


def _kind(kind: str, text: str, start: int, end: int) -> str:
    """Return the kind of a token; a plain number beside a currency is an amount."""
    if kind != "number" or len(text) == end - start:
        return kind
    before = CURRENCY_BEFORE.search(text, max(0, start - BEFORE_CHARS), start)
    return "amount" if before or CURRENCY_AFTER.match(text, end) else "number"


def count_numbers(
    references: Sequence[str],
    numbers: Mapping[int, Sequence[NumberToken]],
    hypotheses: Sequence[str],
) -> NumberCounts:
    """Return the numbers in normalised right texts, and which of them were read exactly.

    numbers: those of the references, see `numbers_of_all`. All are read where both texts have the
    same numbers in the same order. Elsewhere the texts are aligned with each number as one unit:
    it is read exactly where the same number stands opposite it, and not because its digits occur
    somewhere in the line.
    """
    tokens, exact, same_value = (np.zeros(len(references), np.int64) for _ in range(3))
    kinds: dict[str, list[int]] = {}
    for row, right in numbers.items():
        alike, valued = _read_both_ways(references[row], right, hypotheses[row])
        tokens[row], exact[row], same_value[row] = len(right), sum(alike), sum(valued)
        for one, is_exact, is_valued in zip(right, alike, valued, strict=True):
            counts = kinds.setdefault(one.kind, [0, 0, 0])
            counts[0] += 1
            counts[1] += is_exact
            counts[2] += is_valued
    by_kind = {kind: tuple(kinds[kind]) for kind in NUMBER_KINDS if kind in kinds}
    return NumberCounts(tokens, exact, same_value, by_kind)


def _read_both_ways(
    reference: str, right: Sequence[NumberToken], hypothesis: str
) -> tuple[list[bool], list[bool]]:
    """Return for each number whether it was read as it is written, and whether its value was."""
    # Texts that are alike in all that could belong to a number need no second look.
    if reference == hypothesis or RUN.findall(reference) == RUN.findall(hypothesis):
        return [True] * len(right), [True] * len(right)
    read = find_numbers(hypothesis)
    written = [one.text for one in right], [one.text for one in read]
    alike = _read_alike(reference, right, hypothesis, read, *written)
    values = [fold(one) for one in written[0]], [fold(one) for one in written[1]]
    if values == written:
        return alike, alike
    valued = _read_alike(reference, right, hypothesis, read, *values)
    # as written is of the same value, even where the two alignments differ
    return alike, [one or other for one, other in zip(alike, valued, strict=True)]


def _read_alike(
    reference: str,
    right: Sequence[NumberToken],
    hypothesis: str,
    read: Sequence[NumberToken],
    mine: Sequence[str],
    theirs: Sequence[str],
) -> list[bool]:
    """Return for each number of the right text whether the read text has it in its place.

    mine, theirs: how the numbers of both texts are spelled.
    """
    if mine == theirs:
        return [True] * len(right)
    if not set(mine) & set(theirs):
        return [False] * len(right)
    wanted, places = _with_numbers(reference, right, mine)
    found, _ = _with_numbers(hypothesis, read, theirs)
    edits = Levenshtein.editops(wanted, found).as_list()
    missed = {place for kind, place, _ in edits if kind != "insert"}
    return [place not in missed for place in places]


def _with_numbers(
    text: str, numbers: Sequence[NumberToken], spelled: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Return characters and whole numbers of a text, and the places of the numbers among them.

    No number is taken for a character: every digit belongs to a number.
    """
    units: list[str] = []
    places = []
    end = 0
    for one, written in zip(numbers, spelled, strict=True):
        units += text[end : one.start]
        places.append(len(units))
        units.append(written)
        end = one.end
    units += text[end:]
    return units, places

"""Numbers in a text: amounts, dates, times, phone numbers, and which of them were read exactly.

A token runs from its first digit to its last one, with what joins them: `1.234,50`, `2026-11-23`,
`2026年11月23`, `12:30`, `+49 30 1234567`, `１２．５０`, `۱۲٫۵`. Decimal digits of every script
count. Signs and currencies do not belong to it. A comma joins thousands and decimals, but no lists;
a space joins thousands and the parts of a phone number or a date.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from ocrtune.code_points import as_codes, count_in_each, lengths, which
from ocrtune.unit_strings import BETWEEN, Codebook

NUMBER_KINDS = ("date", "time", "phone", "amount", "number")

# What is printed otherwise beside other digits, one character for one.
SAME_SIGNS = dict(zip("．，：／－–‑（）＋٫٬’٪％", ".,:/---()+.,'%%", strict=True))

# Where tokens are looked for: from a digit to a digit, with all that may join them.
RUN = re.compile(r"[+(]?\d(?:[-\d .,:/'()·년年월月일日号號]*\d)?", re.ASCII)
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


@dataclass(frozen=True, slots=True)
class NumberToken:
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
    found: np.ndarray  # in the text that was read
    by_kind: dict[str, tuple[int, int, int]]  # tokens, exact, same value

    @classmethod
    def joined(cls, parts: Sequence["NumberCounts"]) -> "NumberCounts":
        """Return the counts of several portions of lines, one after the other."""
        arrays = (
            np.concatenate([np.zeros(0, np.int64), *(getattr(one, name) for one in parts)])
            for name in ("tokens", "exact", "same_value", "found")
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
    folded = text if text.isascii() else text.translate(FOLDED)
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


def count_numbers(references: Sequence[str], hypotheses: Sequence[str]) -> NumberCounts:
    """Return the numbers in normalised right texts, and which of them were read exactly.

    All are where both texts have the same numbers in the same order. Elsewhere the texts are
    aligned with each number as one unit: it is read exactly where the same number stands opposite
    it, and not because its digits occur somewhere in the line.
    """
    lines = len(references)
    tokens, exact, same_value, found = (np.zeros(lines, np.int64) for _ in range(4))
    kinds: dict[str, list[int]] = {}
    for row in np.flatnonzero(_hold_digits(references) | _hold_digits(hypotheses)).tolist():
        reference, hypothesis = references[row], hypotheses[row]
        right = find_numbers(reference)
        is_same = reference == hypothesis
        read = right if is_same else find_numbers(hypothesis)
        tokens[row], found[row] = len(right), len(read)
        if not right:
            continue
        alike = _read_alike(reference, right, hypothesis, read, _written)
        valued = alike
        if not all(alike) and not (reference.isascii() and hypothesis.isascii()):
            # as written is of the same value, even where the two alignments differ
            valued = _read_alike(reference, right, hypothesis, read, _value)
            valued = [one or other for one, other in zip(alike, valued, strict=True)]
        exact[row], same_value[row] = sum(alike), sum(valued)
        for one, is_exact, is_valued in zip(right, alike, valued, strict=True):
            counts = kinds.setdefault(one.kind, [0, 0, 0])
            counts[0] += 1
            counts[1] += is_exact
            counts[2] += is_valued
    return NumberCounts(
        tokens=tokens,
        exact=exact,
        same_value=same_value,
        found=found,
        by_kind={kind: tuple(kinds[kind]) for kind in NUMBER_KINDS if kind in kinds},
    )


def _hold_digits(texts: Sequence[str]) -> np.ndarray:
    return count_in_each(which(as_codes(texts), str.isdecimal), lengths(texts)) > 0


def _written(token: NumberToken) -> str:
    return token.text


def _value(token: NumberToken) -> str:
    return token.text.translate(FOLDED)


def _read_alike(
    reference: str,
    right: Sequence[NumberToken],
    hypothesis: str,
    read: Sequence[NumberToken],
    spell: Callable[[NumberToken], str],
) -> list[bool]:
    """Return for each number of the right text whether the read text has it in its place."""
    if [spell(one) for one in right] == [spell(one) for one in read]:
        return [True] * len(right)
    book = Codebook()
    wanted, places = _encode(reference, right, book, spell)
    found, _ = _encode(hypothesis, read, book, spell)
    edits = Levenshtein.editops(wanted, found)
    missed = {place for kind, place, _ in edits.as_list() if kind != "insert"}
    return [place not in missed for place in places]


def _encode(
    text: str,
    numbers: Sequence[NumberToken],
    book: Codebook,
    spell: Callable[[NumberToken], str],
) -> tuple[str, list[int]]:
    """Return the text with one code point for each number, and where those stand."""
    parts, places, end, length = [], [], 0, 0
    for one in numbers:
        between = _below(text[end : one.start], book)
        places.append(length + len(between))
        # no other unit begins so, not even a digit that stands alone
        parts += [between, book[BETWEEN + spell(one)]]
        length += len(between) + 1
        end = one.end
    return "".join([*parts, _below(text[end:], book)]), places


def _below(text: str, book: Codebook) -> str:
    """Return a text without the code points that the book gives to numbers."""
    is_free = not text or text.isascii() or max(text) < chr(book.first)
    return text if is_free else book.encode(text)

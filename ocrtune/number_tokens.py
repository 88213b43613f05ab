"""Numbers in a text: amounts, dates, times, phone numbers, and which of them were read exactly.

A token runs from its first digit to its last one, with what joins them: `1.234,50`, `2026-11-23`,
`2026年11月23`, `12:30`, `+49 30 1234567`, `１２．５０`, `۱۲٫۵`. Decimal digits of every script
count. Signs and currencies do not belong to it. A comma joins thousands and decimals, but no lists;
a space joins thousands and the parts of a phone number or a date.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ocrtune.alignment import INSERTION, Edits, find_edits
from ocrtune.code_points import as_codes, count_in_each, lengths, which
from ocrtune.unit_strings import BETWEEN, Codebook

NUMBER_KINDS = ("date", "time", "phone", "amount", "number")

# What is printed otherwise beside other digits, one character for one.
SAME_SIGNS = dict(zip("．，：／－–‑（）＋٫٬’٪％", ".,:/---()+.,'%%", strict=True))

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

    @property
    def value(self) -> str:
        """The token in ASCII digits and signs."""
        return self.text.translate(FOLDED)


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
    folded = text.translate(FOLDED)
    return [
        NumberToken(
            text[found.start() : found.end()], _kind(found, folded), found.start(), found.end()
        )
        for found in TOKEN.finditer(folded)
    ]


def _kind(found: re.Match, text: str) -> str:
    kind = found.lastgroup or "number"
    if kind != "number":
        return kind
    before = text[max(0, found.start() - BEFORE_CHARS) : found.start()]
    has_currency = CURRENCY_AFTER.match(text, found.end()) or CURRENCY_BEFORE.search(before)
    return "amount" if has_currency else "number"


def with_numbers(texts: Sequence[str]) -> np.ndarray:
    """Return for each text whether it holds a digit."""
    return count_in_each(which(as_codes(texts), str.isdecimal), lengths(texts)) > 0


def count_numbers(references: Sequence[str], hypotheses: Sequence[str]) -> NumberCounts:
    """Return the numbers in normalised right texts, and which of them were read exactly.

    In the alignment a whole number is one unit: it is read exactly where the same number stands
    opposite it, and not because its digits occur somewhere in the line.
    """
    lines = len(references)
    tokens, exact, same_value, found = (np.zeros(lines, np.int64) for _ in range(4))
    kinds: dict[str, Counter[str]] = {name: Counter() for name in ("tokens", "exact", "value")}
    rows, wanted, read = [], [], []  # of the lines that are not read exactly as a whole
    has_number = with_numbers(references) | with_numbers(hypotheses)
    for row in np.flatnonzero(has_number).tolist():
        right = find_numbers(references[row])
        tokens[row] = len(right)
        kinds["tokens"].update(one.kind for one in right)
        if references[row] == hypotheses[row]:
            exact[row] = same_value[row] = found[row] = len(right)
            kinds["exact"].update(one.kind for one in right)
            kinds["value"].update(one.kind for one in right)
            continue
        theirs = find_numbers(hypotheses[row])
        found[row] = len(theirs)
        if right:
            rows.append(row)
            wanted.append((references[row], right))
            read.append((hypotheses[row], theirs))
    written = _read_alike(wanted, read, lambda one: one.text)
    valued = _read_alike(wanted, read, lambda one: one.value)
    for row, (_, right), alike, worth in zip(rows, wanted, written, valued, strict=True):
        exact[row] = sum(alike)
        # as written is of the same value, even where the two alignments differ
        either = [one or other for one, other in zip(alike, worth, strict=True)]
        same_value[row] = sum(either)
        kinds["exact"].update(one.kind for one, hit in zip(right, alike, strict=True) if hit)
        kinds["value"].update(one.kind for one, hit in zip(right, either, strict=True) if hit)
    return NumberCounts(
        tokens=tokens,
        exact=exact,
        same_value=same_value,
        found=found,
        by_kind={
            kind: (kinds["tokens"][kind], kinds["exact"][kind], kinds["value"][kind])
            for kind in NUMBER_KINDS
            if kinds["tokens"][kind]
        },
    )


Written = tuple[str, list[NumberToken]]  # a text with its numbers


def _read_alike(
    wanted: Sequence[Written], read: Sequence[Written], spell: Callable[[NumberToken], str]
) -> list[list[bool]]:
    """Return for each number of each right text whether the read text has it in its place."""
    book = Codebook()
    coded = [_encode(*one, book, spell) for one in wanted]
    others = [_encode(*one, book, spell)[0] for one in read]
    wrong = set(_missed(find_edits([text for text, _ in coded], others)))
    return [
        [(row, place) not in wrong for place in places] for row, (_, places) in enumerate(coded)
    ]


def _missed(edits: Edits) -> Iterator[tuple[int, int]]:
    """Yield line and place of each unit that was not read."""
    lost = edits.kind != INSERTION
    yield from zip(edits.line[lost].tolist(), edits.source[lost].tolist(), strict=True)


def _encode(
    text: str,
    numbers: Sequence[NumberToken],
    book: Codebook,
    spell: Callable[[NumberToken], str],
) -> tuple[str, list[int]]:
    """Return the text with one code point for each number, and where those stand."""
    parts, places, end, length = [], [], 0, 0
    for one in numbers:
        between = book.encode(text[end : one.start])
        places.append(length + len(between))
        # no other unit begins so, not even a number of one digit
        parts += [between, book[f"{BETWEEN}{spell(one)}"]]
        length += len(between) + 1
        end = one.end
    parts.append(book.encode(text[end:]))
    return "".join(parts), places

"""Drawings before they are SVG or PNG: bars, strokes, dots and words in plain units."""

import unicodedata
from dataclasses import dataclass

from ocrtune.text import name_character

WIDE = "WF"  # East Asian widths that take two columns
JOINERS = "\u200c\u200d"  # unseen, but parts of words in some scripts


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A filled rectangle."""

    kind: str  # what it stands for, which gives it its colour
    x: float
    y: float
    width: float
    height: float
    title: str = ""  # shown where people point


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line through points."""

    kind: str
    points: tuple[tuple[float, float], ...]
    is_dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A circle, filled or with the page inside."""

    kind: str
    x: float
    y: float
    radius: float
    is_hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class Words:
    """A text on its baseline."""

    x: float
    y: float
    text: str
    align: str = "start"  # of `x`: start, middle or end
    is_soft: bool = False
    is_name: bool = False  # somebody's own, in any script
    title: str = ""  # the whole text, where it had to be shortened


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One chart: its shapes, in the order in which they cover each other."""

    name: str  # of its file
    title: str
    width: float  # units; about pixels on a phone
    height: float
    shapes: tuple[Bar | Stroke | Dot | Words, ...]
    key: tuple[tuple[str, str], ...] = ()  # kinds and what they are called
    note: str = ""  # said below


def whisker(low: float, high: float, y: float, kind: str) -> list[Stroke]:
    """Return the lines of an interval across a bar; its ends stand out."""
    ends = [((at, y - 5), (at, y + 5)) for at in (low, high)]
    lines = [((low, y), (high, y)), *ends]
    return [Stroke(kind=kind, points=line) for line in lines]


def readable(name: str) -> str:
    """Return a name on one line in which controls and unseen characters are named."""
    return "".join(" " if one.isspace() else _seen(one) for one in name)


def _seen(character: str) -> str:
    hidden = unicodedata.category(character)[0] == "C" and character not in JOINERS
    return name_character(character) if hidden else character


def columns(text: str) -> int:
    """Return how wide a text is, in Latin letters; Han characters are twice as wide."""
    marks = sum(unicodedata.category(one)[0] == "M" for one in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(one) in WIDE for one in text)


def shortened(name: str, longest: int) -> str:
    """Return the end of a name that is too wide, where paths differ."""
    if columns(name) <= longest:
        return name
    while columns(name) >= longest:
        name = name[1:]
    return f"…{name}"

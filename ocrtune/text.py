"""Text before it is counted: normalisation profiles, units, kinds of characters, loops."""

import unicodedata
from functools import lru_cache
from itertools import pairwise

import regex

from ocrtune.errors import MetricsError, did_you_mean

PROFILES: tuple[str, ...] = ("strict", "raw", "grapheme", "no-space", "lenient")

BYTE_ORDER_MARK = "\ufeff"
ZERO_WIDTH_JOINER = "\u200d"

HAN = regex.compile(r"\p{Script=Han}")
LATIN = regex.compile(r"\p{Script=Latin}")
ARABIC = regex.compile(r"\p{Script_Extensions=Arabic}")  # with its vowel marks and tatweel
LENIENT_NOISE = regex.compile(r"[\p{P}\p{S}\p{Z}\p{Cf}\s]+")
CLUSTER = regex.compile(r"\X")
MANY_FLAGS = regex.compile(r"(?:\p{RI}{2}){50}(?=\p{RI})")
# Without any of these, and no line break in it, every code point is a cluster of its own.
JOINING = regex.compile(
    r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=RI}"
    r"\p{GCB=L}\p{GCB=V}\p{GCB=T}\u1cf5\u1cf6\U00011a3a]"  # these three: before a consonant
)
# What never begins a cluster, and what joins Indic consonants to one.
FOLLOWING = regex.compile(r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]")
CONSONANT = regex.compile(r"\p{InCB=Consonant}")
LINKER = regex.compile(r"\p{InCB=Linker}")
LINKED_OVER = regex.compile(r"\p{InCB=Extend}")
# What clusters have further rules for: flags, families of emoji, Hangul by letters, controls.
UNUSUAL = regex.compile(
    r"[\p{GCB=Prepend}\p{GCB=RI}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=CN}\p{GCB=CR}\p{GCB=LF}"
    r"\p{ExtPict}\u1cf5\u1cf6\U00011a3a]"
)
# All letters that run from right to left stand in these blocks; most texts have none of them.
MAYBE_RIGHT_TO_LEFT = regex.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

SCRIPTS = (
    *("Latin", "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Arabic", "Hebrew", "Cyrillic"),
    *("Greek", "Armenian", "Georgian", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya"),
    *("Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar"),
    *("Khmer", "Ethiopic", "Mongolian", "Syriac"),
)
SCRIPT_PATTERNS = {name.lower(): regex.compile(rf"\p{{Script={name}}}") for name in SCRIPTS}
SHARED = regex.compile(r"[\p{Common}\p{Inherited}]")
COMMON = "common"  # digits, punctuation, spaces: what scripts share

CHARACTER_CLASSES = ("han", "latin", "arabic", "digit", "punctuation", "space", "other")

LONGEST_LOOP_UNIT = 30  # characters
SIGNS_LOOP = 200  # characters of repeated signs that are a loop: see `_loop_length`
FEWEST_REPETITIONS = 10  # of letters that are a loop
CELL_MARKS = frozenset("|<\t\n")


def require_profile(profile: str) -> None:
    """Refuse a profile that does not exist."""
    if profile not in PROFILES:
        known = f"Choose one of: {', '.join(PROFILES)}."
        raise MetricsError(
            f"No normalisation profile is called `{profile}`.",
            " ".join(filter(None, (did_you_mean(profile, PROFILES), known))),
        )


def normalise(text: str, profile: str = "strict") -> str:
    """Return the text as `profile` counts it.

    strict and grapheme: NFC, no byte order mark, every run of whitespace (line breaks included)
    one space, no space at the ends. raw: only the ends are stripped. no-space: NFC without any
    whitespace. lenient: NFKC and casefolded, without punctuation, symbols, separators and format
    characters.
    """
    require_profile(profile)
    if profile == "raw":
        return text.strip()
    if profile == "lenient":
        return LENIENT_NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", text.replace(BYTE_ORDER_MARK, ""))
    return ("" if profile == "no-space" else " ").join(text.split())


def units(text: str, profile: str = "strict") -> list[str]:
    """Return what `profile` counts in the text: code points, or grapheme clusters (UAX 29)."""
    text = normalise(text, profile)
    return find_clusters(text) if profile == "grapheme" else list(text)


def find_clusters(text: str) -> list[str]:
    """Return the grapheme clusters of a text.

    A long row of flags is taken in portions of whole ones: to pair the last two letters of it, the
    pattern goes back to the first one, each time.
    """
    ends = [found.end() for found in MANY_FLAGS.finditer(text)]
    parts = (text[start:end] for start, end in pairwise([0, *ends, len(text)]))
    return [cluster for part in parts for cluster in CLUSTER.findall(part)]


def character_class(character: str) -> str:
    """Return which of CHARACTER_CLASSES a character belongs to; a cluster goes by its first.

    Symbols count as punctuation: readers and OCR models confuse `•` with `·`, `=` with `-`.
    """
    first = character[:1]
    kind = unicodedata.category(first)[0] if first else ""
    if first.isspace():
        return "space"
    if HAN.match(first):  # before the kinds: 〇 is a number and ⽤ a symbol to Unicode
        return "han"
    if kind == "N":
        return "digit"
    if kind and kind in "PS":
        return "punctuation"
    if LATIN.match(first):
        return "latin"
    return "arabic" if ARABIC.match(first) else "other"


@lru_cache(maxsize=65_536)
def script_of(character: str) -> str:
    """Return the script of a character in small letters; a cluster goes by its first.

    What several scripts share is COMMON, a script not among SCRIPTS `other`.
    """
    first = character[:1]
    for name, pattern in SCRIPT_PATTERNS.items():
        if pattern.match(first):
            return name
    return COMMON if SHARED.match(first) else "other"


def name_character(character: str) -> str:
    """Return the character if people can see it, else with its code points as U+XXXX.

    Combining marks sit on a dotted circle: alone they would land on their neighbour.
    """
    codes = " ".join(f"U+{ord(point):04X}" for point in character)
    if not character or all(unicodedata.category(point)[0] in "ZC" for point in character):
        return codes
    if unicodedata.category(character[0])[0] == "M":
        return f"\u25cc{character} {codes}"
    unseen = any(unicodedata.category(point)[0] == "C" for point in character)
    return f"{character} {codes}" if unseen else character


def is_right_to_left(text: str) -> bool:
    """Return whether most letters run from right to left.

    The majority and not the first letter decides: `PDF` may begin a Persian line.
    """
    if not MAYBE_RIGHT_TO_LEFT.search(text):
        return False
    kinds = [unicodedata.bidirectional(character) for character in text]
    return kinds.count("R") + kinds.count("AL") > kinds.count("L")


def needs_graphemes(text: str) -> bool:
    """Return whether code points and what people call characters differ in the text.

    They do when NFC leaves combining marks, joiners (ZWJ) or variation selectors, which are
    marks too.
    """
    marks = (_has_marks(unicodedata.normalize("NFC", character)) for character in set(text))
    if text.isascii() or not any(marks):
        return False
    return _has_marks(unicodedata.normalize("NFC", text))  # with a neighbour it may be one letter


def _has_marks(text: str) -> bool:
    return any(
        character == ZERO_WIDTH_JOINER or unicodedata.category(character)[0] == "M"
        for character in set(text)
    )


def find_loop(text: str) -> bool:
    """Return whether the text ends in one unit repeated so often that nobody would write it.

    A unit is 1 to LONGEST_LOOP_UNIT characters; the last one may be cut. How often is too often
    depends on the unit, see `_loop_length`.
    """
    text = text.rstrip()
    for period in range(1, _longest_period(len(text)) + 1):
        if text[-1] == text[-1 - period]:
            run = _repeating_tail(text, period)
            if run >= _loop_length(text[-period:]):
                return True
    return False


def _longest_period(length: int) -> int:
    """Return the characters of the longest unit that can loop in a text, by `_loop_length`.

    It only spares a search: 0 for a text that is too short for any loop.
    """
    if length >= SIGNS_LOOP:
        return LONGEST_LOOP_UNIT
    if length < 5 * FEWEST_REPETITIONS:  # short words at most, 20 times; one letter 32 times
        return length // 20 if length >= 40 else int(length >= 32)
    return length // FEWEST_REPETITIONS


def _repeating_tail(text: str, period: int) -> int:
    """Return the length of the longest ending in which each character recurs after `period`."""
    start = len(text) - 1
    while start >= period and text[start] == text[start - period]:
        start -= 1
    return len(text) - 1 - start + period


def _loop_length(unit: str) -> int:
    """Return from how many characters on repetitions of the unit are a loop.

    - No letter in it: rules, dot leaders, zeros, empty cells. A ruled line on wide paper has 132
      characters, so 200.
    - Letters and a cell mark: columns that say `n/a |` or one word a line. A filled page of
      a narrow table has some 25 rows, so 30 repetitions.
    - One letter: laughter and screams (哈哈哈) fill the better part of a line, 20 to 25, so 32.
    - Short words: `la la la` and `ha ha ha` stay under 20 repetitions in print.
    - Anything longer: refrains come back less than 10 times without a word between them.
    """
    if not any(character.isalpha() for character in unit):
        return SIGNS_LOOP
    if not CELL_MARKS.isdisjoint(unit):
        return 30 * len(unit)
    if len(unit) == 1:
        return 32
    return (20 if len(unit) <= 4 else FEWEST_REPETITIONS) * len(unit)

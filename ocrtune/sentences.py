"""English sentences of ocrtune in another language, found by what they say.

Workers write finished English sentences into events, notes and reports. The tables beside this
module hold the templates they were made from, `{0}` for each value, with their Chinese. A sentence
is looked up by the constant parts of its template; values that are sentences or phrases of ours
are translated too. What is not found stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain

from ocrtune import (
    sentences_zh_data,
    sentences_zh_families,
    sentences_zh_hub,
    sentences_zh_models,
    sentences_zh_results,
)
from ocrtune.hub_words import WORDS
from ocrtune.remark_words import WORDS as REMARKS

TABLES = (
    sentences_zh_data,
    sentences_zh_families,
    sentences_zh_hub,
    sentences_zh_models,
    sentences_zh_results,
)
NAME = re.compile(r"\{([a-z_]+)\}")
VALUE = re.compile(r"\{(\d+)\}")
BOUNDARY = re.compile(r"(?<=[.?!…:])\s+|\n+")
SIGNS = {", ": "，", " and ": "和", " or ": "或"}
LIST = re.compile(f"({'|'.join(SIGNS)})")
MOST_CHARACTERS = 4000  # of a text that is looked up; longer ones are logs, not sentences
MOST_PARTS = 12  # sentences of a text that are looked up one by one
DEPTH = 3  # sentences within sentences
PREFIX = 6  # characters
MOST_FITS = 4  # templates that are tried for one sentence, the longest ones
WORDY = 6  # constant characters from which a template speaks for itself


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence of ours: its constant parts around the values, and its words elsewhere."""

    parts: tuple[str, ...]  # one more than there are values
    order: tuple[int, ...]  # the numbers of the values between them
    there: str  # in the other language, for `str.format`

    @property
    def weight(self) -> int:
        """Return how much of a sentence the template fixes, in characters."""
        return sum(map(len, self.parts))

    def values(self, words: str) -> list[str] | None:
        """Return what stands at the places of the values, in their order; None if it differs.

        Each part is taken at its first place: this finds a fit wherever there is one, in one pass.
        """
        first, last = self.parts[0], self.parts[-1]
        if not words.startswith(first) or not words.endswith(last):
            return None
        if len(self.parts) == 1:
            return [] if words == first else None
        found, at, end = [], len(first), len(words) - len(last)
        for part in self.parts[1:-1]:
            place = words.find(part, at, end)
            if place < 0:
                return None
            found.append(words[at:place])
            at = place + len(part)
        return [*found, words[at:end]] if at <= end else None


def translate(language: str, words: str) -> str:
    """Return an English text of ours in a language; what no table knows stays as it is."""
    if language != "zh" or not words or len(words) > MOST_CHARACTERS:
        return words
    return best(words, DEPTH)[1]


@lru_cache(maxsize=4096)
def best(words: str, depth: int) -> tuple[int, str]:
    """Return the translation that knows most of a text, and how much: characters of our templates.

    The text is cut between its sentences in every way, few sentences at most.
    """
    inner = words.strip()
    found = [known for known in (listed(inner, depth), one(inner, depth)) if known]
    whole = max(found, default=None, key=lambda known: known[0])
    cuts = [0, *(place.end() for place in BOUNDARY.finditer(inner)), len(inner)]
    if len(cuts) > 2:
        cuts = [*cuts[:MOST_PARTS], len(inner)] if len(cuts) > MOST_PARTS else cuts
        ways: list[tuple[int, str]] = [(0, "")]
        for number, end in enumerate(cuts[1:], start=1):
            options = []
            for start_number in reversed(range(number)):  # many short ones before a long one
                piece = inner[cuts[start_number] : end]
                known = one(piece.strip(), depth)
                score, there = known or (0, piece)
                before, said = ways[start_number]
                options.append((before + score, join(said, there)))
            ways.append(max(options, key=lambda way: way[0]))
        if whole is None or ways[-1][0] >= whole[0]:
            whole = ways[-1] if ways[-1][0] else None
    if whole is None:
        return 0, words
    lead, trail = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    # Chinese sentences stand without a space between them.
    return whole[0], ("\n" if "\n" in lead else "") + whole[1] + trail


def listed(words: str, depth: int) -> tuple[int, str] | None:
    """Return the translation of phrases that stand in a list; None unless all are known."""
    pieces = LIST.split(words) if depth < DEPTH else []
    if not 2 <= len(pieces[::2]) <= MOST_PARTS:
        return None
    known = [one(piece, depth) for piece in pieces[::2]]
    if not all(known):
        return None
    signs = [*(SIGNS[sign] for sign in pieces[1::2]), ""]
    told = "".join(there + sign for (_, there), sign in zip(known, signs, strict=True))
    return sum(score for score, _ in known) + sum(map(len, pieces[1::2])), told


def join(before: str, there: str) -> str:
    """Return two texts behind each other, with a space unless Chinese ends the first one."""
    return before + there if not before or before[-1] in "。？！：；…\n " else f"{before} {there}"


@lru_cache(maxsize=4096)
def one(words: str, depth: int) -> tuple[int, str] | None:
    """Return the translation of one sentence or phrase of ours, with its score; None without."""
    fitting = [
        (template, values)
        for template in candidates(words)
        if (values := template.values(words)) is not None
    ]
    fitting.sort(key=lambda fit: -fit[0].weight)
    options = []
    for template, values in fitting[:MOST_FITS]:
        score, told, known = template.weight, [], True
        for number, value in enumerate(values):
            is_name = template.parts[number].endswith("`")
            more, there = (0, value) if is_name or depth == 0 else best(value, depth - 1)
            known = known and (more > 0 or " " not in value.replace(", ", ","))
            score += more
            told.append(there)
        if template.weight >= WORDY or known:
            options.append((score, template, told))
    if not options:
        return None
    score, template, told = max(options, key=lambda option: option[0])
    return score, filled(template.there, dict(zip(template.order, told, strict=True)))


def filled(there: str, told: Mapping[int, str]) -> str:
    """Return Chinese words with the values put in.

    Between Chinese and Latin letters stands a space, between Chinese ones none.
    """
    pieces = VALUE.split(there)
    pieces[::2] = [piece.replace("{{", "{").replace("}}", "}") for piece in pieces[::2]]
    pieces[1::2] = [told[int(number)] for number in pieces[1::2]]
    words = ""
    for part in pieces:
        before, after = words.rstrip(" "), part.lstrip(" ")
        if before and after and is_chinese(before[-1]) and is_chinese(after[0]):
            words = before + after
        elif words == before and part == after and meets_latin(before[-1:], after[:1]):
            words += " " + part
        else:
            words += part
    return words


def meets_latin(before: str, after: str) -> bool:
    """Return whether one is a Chinese character and the other a Latin letter or a digit."""
    if "\u4e00" <= before <= "\u9fff":
        return after.isascii() and (after.isalnum() or after == "`")
    is_latin = before.isascii() and (before.isalnum() or before == "`")
    return is_latin and "\u4e00" <= after <= "\u9fff"


def is_chinese(character: str) -> bool:
    """Return whether a character is a Chinese one or a sign that stands among them."""
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def candidates(words: str) -> Iterator[Template]:
    """Yield the templates that may fit, by the characters that they begin with."""
    found = index()
    return chain.from_iterable(found.get(words[:length], ()) for length in range(PREFIX + 1))


@cache
def index() -> dict[str, tuple[Template, ...]]:
    """Return all templates by the characters that they begin with, up to the first value."""
    found: dict[str, list[Template]] = {}
    for english, there in entries().items():
        made = compiled(english.strip(), there.strip())
        if made.weight:
            found.setdefault(made.parts[0][:PREFIX], []).append(made)
    return {key: tuple(templates) for key, templates in found.items()}


def entries() -> Mapping[str, str]:
    """Return all templates with their Chinese; those of tables that hold both languages, too."""
    tables = (table for module in TABLES for table in (module.SENTENCES, module.PHRASES))
    own = {english: there for table in tables for english, there in table.items()}
    hub = [(words[number], there[number]) for words, there in WORDS.values() for number in (0, 1)]
    return dict(numbered(*pair) for pair in [*hub, *REMARKS.values()]) | own


def numbered(english: str, there: str) -> tuple[str, str]:
    """Return words with names in braces as a template and its Chinese."""
    names = list(dict.fromkeys(NAME.findall(english)))
    places = {name: number for number, name in enumerate(names)}
    if len(names) != len(NAME.findall(english)) or set(NAME.findall(there)) - set(names):
        return "", ""
    return tuple(
        NAME.sub(lambda name: f"{{{places[name[1]]}}}", words) for words in (english, there)
    )


def compiled(english: str, there: str) -> Template:
    """Return the template of an entry."""
    pieces = VALUE.split(english)
    parts = tuple(part.replace("{{", "{").replace("}}", "}") for part in pieces[::2])
    return Template(parts, tuple(map(int, pieces[1::2])), there)

"""Lines that training never sees, for evaluation: prose from other sources than its word lists.

Handbooks, manual pages, sayings and poems as Debian packages them (`SOURCES` says which); none of
them gives more than half of a language's lines.
"""

import gzip
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

from ocrtune.pretrain.words import listed

SHARED = Path("/usr/share")
FORTUNES = SHARED / "games" / "fortunes"
MANUALS = SHARED / "man"
# Left out: drawings, and what a report should not quote.
UNSUITABLE = {"ascii-art", "asciiart", "art", "drugs", "ethnic", "men-women", "politics", "zippy"}
LONGEST = 100  # characters of a line
TYPICAL = {"zh": 2.75, "en": 3.8, "de": 3.8}  # logarithms of lengths, before sentences end
HAN = re.compile("[\u4e00-\u9fff]")
WIDE = "\u2018-\u201d\u2026\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e"
CODE_PAGES = {"zh": ("cp1252", "gb2312"), "en": ("cp1252",), "de": ("cp1252",)}
SPACE_IN_CHINESE = re.compile(rf"(?<=[{WIDE}]) (?=[{WIDE}])")
CLOSING = "，。、；：？！）》〉】」』～％”’…·,.;:?!)"  # no line begins with these
WORD = re.compile(r"[A-Za-z0-9_-]+")
COLOURS = re.compile(r"\x1b\[[0-9;]*m|.\x08")
COMMON = {  # words that tell a paragraph's language
    "en": frozenset(listed("the of and to is that for you with be are this it as or can not by")),
    "de": frozenset(listed("der die das und zu den ist nicht von mit sie ein eine werden auf für")),
}
BLOCKS = frozenset(listed("p div li dd dt td th h1 h2 h3 h4 h5 br"))
UNREAD = frozenset(listed("pre script style head"))


@dataclass(frozen=True)
class Source:
    """Where paragraphs of one language come from."""

    package: str  # of Debian
    share: float  # of the language's lines
    paragraphs: Callable[[], Iterator[str]]


class Paragraphs(HTMLParser):
    """Collects the paragraphs of a page of HTML, without programs and listings."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.unread = 0  # how many elements that are not read stand open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.unread += tag in UNREAD
        if tag in BLOCKS or tag in UNREAD:
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS or tag in UNREAD:
            self.flush()
        self.unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self.unread:
            self.open.append(data)

    def flush(self) -> None:
        """End the paragraph."""
        text = " ".join("".join(self.open).split()).rstrip("¶")
        self.open.clear()
        if text:
            self.found.append(text)


def pages(folder: str, pattern: str) -> Callable[[], Iterator[str]]:
    """Return a reader of the paragraphs of HTML pages."""

    def read() -> Iterator[str]:
        for path in sorted((SHARED / folder).glob(pattern)):
            parser = Paragraphs()
            parser.feed(path.read_text("utf-8", "replace"))
            parser.flush()
            yield from parser.found

    return read


def manuals(pattern: str, every: int = 1) -> Callable[[], Iterator[str]]:
    """Return a reader of manual pages."""

    def read() -> Iterator[str]:
        for path in sorted(MANUALS.glob(pattern))[::every]:
            yield from manual_lines(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))

    return read


def manual_lines(page: str) -> Iterator[str]:
    """Yield the plain lines of a manual page, without its markup."""
    for line in page.splitlines():
        if line[:1] in ".'" or "\t" in line:
            continue
        text = re.sub(r"\\f(\[\w*\]|\(..|.)|\\[&/,|^%]|\\s[+-]?\d", "", line)
        text = text.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "")
        if "\\" not in text:
            yield text


def fortunes(folder: str = "", names: str = "") -> Callable[[], Iterator[str]]:
    """Return a reader of sayings; one of seven keeps the line that names its author."""

    def read() -> Iterator[str]:
        for path in sorted((FORTUNES / folder).glob("*")):
            if not path.is_file() or path.suffix or path.name in UNSUITABLE:
                continue
            if names and path.name not in names.split():
                continue
            for number, saying in enumerate(path.read_text("utf-8", "replace").split("\n%\n")):
                body, dashes, author = COLOURS.sub("", saying).partition("\n\t\t--")
                yield body + dashes + author if number % 7 == 0 else body

    return read


def poems_and_sayings() -> Iterator[str]:
    """Yield the lines of Chinese poems and the paragraphs of Chinese sayings."""
    for poem in fortunes(names="tang300 song100")():
        yield from poem.splitlines()
    for saying in fortunes(names="chinese")():
        yield from saying.split("\n\n")


SOURCES: dict[str, tuple[Source, ...]] = {
    "zh": (
        Source("debian-handbook", 0.36, pages("doc/debian-handbook/html/zh-CN", "*.html")),
        Source("debian-reference-zh-cn", 0.26, pages("debian-reference", "*.zh-cn.html")),
        Source("manpages-zh", 0.16, manuals("zh_CN/*/*.gz")),
        Source("debian-faq-zh-cn", 0.08, pages("doc/debian/FAQ/zh-cn", "*.html")),
        Source("fortunes-zh", 0.14, poems_and_sayings),
    ),
    "en": (
        Source("fortunes", 0.44, fortunes()),
        Source("debian-handbook", 0.26, pages("doc/debian-handbook/html/en-US", "*.html")),
        Source("debian-reference-en", 0.16, pages("debian-reference", "*.en.html")),
        Source("developers-reference", 0.14, pages("developers-reference", "*.html")),
    ),
    "de": (
        Source("fortunes-de", 0.4, fortunes("de")),
        Source("debian-handbook", 0.26, pages("doc/debian-handbook/html/de-DE", "*.html")),
        Source("debian-reference-de", 0.12, pages("debian-reference", "*.de.html")),
        Source("manpages-de", 0.1, manuals("de/man1/*.gz", every=4)),
        Source("developers-reference-de", 0.12, pages("developers-reference/de", "*.html")),
    ),
}


def evaluation_lines(
    language: str, count: int, seed: int = 1, shortest: int = 2, typical: float | None = None
) -> list[str]:
    """Return different lines of running text of one language (`zh`, `en` or `de`), mixed.

    shortest: characters; typical: the logarithm of the median length, evenly spread if None.
    """
    chooser = random.Random(f"{language} {seed}")
    lines: list[str] = []
    for source in SOURCES[language]:
        paragraphs = [p for p in sound_paragraphs(language, source) if len(p) >= shortest]
        wanted = len(lines) + round(source.share * count)
        known = dict.fromkeys(lines)
        for _ in range(200 * count):
            if len(known) == wanted:
                break
            cut = cut_line(chooser.choice(paragraphs), typical, chooser, shortest)
            if len(cut) >= shortest and (language != "zh" or HAN.search(cut)):
                known[cut] = None
        lines = list(known)
    chooser.shuffle(lines)
    return lines[:count]


@cache
def sound_paragraphs(language: str, source: Source) -> tuple[str, ...]:
    """Return the paragraphs of a source that are prose of the language, without odd spacing."""
    spaced = (" ".join(text.split()) for text in source.paragraphs())
    found = {text for text in (SPACE_IN_CHINESE.sub("", s) for s in spaced)}
    return tuple(sorted(text for text in found if is_prose(text, language)))


def is_prose(text: str, language: str) -> bool:
    """Return whether the text is running text of the language, in its usual characters.

    Which characters the model knows plays no part: rare ones come as often as they do in print.
    """
    if not all(is_usual(character, language) for character in text):
        return False
    if language == "zh":
        return len(text) > 5 and len(HAN.findall(text)) > 0.5 * len(text)
    words = text.casefold().split()
    english, german = (sum(word in COMMON[name] for word in words) for name in ("en", "de"))
    mine, others = (english, german) if language == "en" else (german, english)
    letters = sum(c.isalpha() or c == " " for c in text)
    return len(text) > 30 and letters > 0.8 * len(text) and mine > others


@cache
def is_usual(character: str, language: str) -> bool:
    """Return whether a character can be written in a code page of the language."""
    for page in CODE_PAGES[language]:
        try:
            return bool(character.encode(page))
        except UnicodeEncodeError:
            continue
    return False


def cut_line(
    sentence: str, typical: float | None, chooser: random.Random, shortest: int = 2
) -> str:
    """Return a piece of the sentence, whole words of Latin ones, as a line break would leave it."""
    length = chooser.uniform(shortest, LONGEST)
    if typical is not None:
        length = chooser.lognormvariate(typical, 0.6)
    length = min(LONGEST, max(shortest, round(length)))
    if HAN.search(sentence):
        start = chooser.randint(0, max(0, len(sentence) - length))
        return without_torn_words(sentence, start, start + length).lstrip(CLOSING).strip()
    words = sentence.split()
    left = accumulate(len(word) + 1 for word in reversed(words))
    latest = sum(size - 1 < shortest for size in left)  # words that would be too few
    start = chooser.randrange(max(1, len(words) - latest))
    ends = accumulate(len(word) + 1 for word in words[start:])
    count = max(1, sum(end - 1 <= length for end in ends))
    return " ".join(words[start : start + count])[:LONGEST]


def without_torn_words(sentence: str, start: int, end: int) -> str:
    """Return sentence[start:end] without the parts of Latin words that the cut leaves."""
    piece = sentence[start:end]
    if WORD.match(sentence[start - 1 : start]):
        piece = piece[WORD.match(piece).end() :] if WORD.match(piece) else piece
    if WORD.match(sentence[end : end + 1]):
        piece = re.sub(r"[A-Za-z0-9_-]+$", "", piece)
    return piece


def missing_packages() -> list[str]:
    """Return the Debian packages of `SOURCES` that are not installed."""
    return [
        source.package
        for language, sources in SOURCES.items()
        for source in sources
        if not sound_paragraphs(language, source)
    ]

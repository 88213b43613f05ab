"""Lines that training never sees, for evaluation: from other sources than its word lists.

They come from the manual pages of manpages-zh and manpages-de and the sayings of fortunes and
fortunes-de.
"""

import gzip
import random
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from ocrtune.families.alphabet import HAN, INDEX
from ocrtune.pretrain.texts import MAX_LENGTH

FORTUNES = Path("/usr/share/games/fortunes")
MANUALS = Path("/usr/share/man")
HAN_SET = frozenset(HAN)


def evaluation_lines(count: int, seed: int = 1) -> list[str]:
    """Return lines that training never sees, a third each Chinese, English and German, mixed."""
    chooser = random.Random(seed)
    lines = []
    for language, share in (
        ("zh", count - 2 * (count // 3)),
        ("en", count // 3),
        ("de", count // 3),
    ):
        sentences = sorted(set(SOURCES[language]()))
        typical = 2.6 if language == "zh" else 3.5
        cuts = (cut_line(chooser.choice(sentences), typical, chooser) for _ in range(20 * share))
        lines += list(dict.fromkeys(cut for cut in cuts if len(cut) > 1))[:share]
    chooser.shuffle(lines)
    return lines


def cut_line(sentence: str, typical: float, chooser: random.Random) -> str:
    """Return a piece of the sentence, whole words of Latin ones, as a line break would leave it."""
    length = min(MAX_LENGTH, max(2, round(chooser.lognormvariate(typical, 0.6))))
    if not HAN_SET.isdisjoint(sentence):
        start = chooser.randint(0, max(0, len(sentence) - length))
        return sentence[start : start + length].strip()
    words = sentence.split()
    start = chooser.randrange(len(words))
    ends = accumulate(len(word) + 1 for word in words[start:])
    count = max(1, sum(end - 1 <= length for end in ends))
    return " ".join(words[start : start + count])[:MAX_LENGTH]


def chinese_sentences() -> Iterator[str]:
    """Yield sentences of the Chinese manual pages."""
    for path in sorted((MANUALS / "zh_CN").rglob("*.gz")):
        for line in manual_lines(path):
            if sum(c in HAN_SET for c in line) > len(line) * 0.6 and len(line) > 5:
                yield line


def english_sentences() -> Iterator[str]:
    """Yield the sayings of fortunes."""
    yield from sayings(path for path in sorted(FORTUNES.iterdir()) if path.suffix == "")


def german_sentences() -> Iterator[str]:
    """Yield the sayings of fortunes-de and paragraphs of the German manual pages."""
    yield from sayings(path for path in sorted((FORTUNES / "de").iterdir()) if path.suffix == "")
    for path in sorted((MANUALS / "de" / "man1").glob("*.gz"))[::4]:
        yield from (line for line in manual_lines(path) if len(line) > 40)


SOURCES = {"zh": chinese_sentences, "en": english_sentences, "de": german_sentences}


def manual_lines(path: Path) -> Iterator[str]:
    """Yield the plain text lines of a manual page that the alphabet can write."""
    for line in gzip.decompress(path.read_bytes()).decode("utf-8", "replace").splitlines():
        if line[:1] in ".'" or "\t" in line:
            continue
        text = re.sub(r"\\f(\[\w*\]|\(..|.)|\\[&/,|^%]|\\s[+-]?\d", "", line)
        text = text.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "")
        if "\\" not in text and all(c in INDEX for c in text):
            yield " ".join(text.split())


def sayings(paths: Iterator[Path]) -> Iterator[str]:
    """Yield the paragraphs of fortune files, each as one line."""
    for path in paths:
        if not path.is_file():
            continue
        for saying in path.read_text("utf-8", "replace").split("\n%\n"):
            text = " ".join(saying.split())
            if len(text) > 30 and all(c in INDEX for c in text):
                yield text

"""Which encoding from before Unicode explains some bytes best: the one that makes them cheapest.

Each candidate says how many bits its usual writers need for each character, from its frequency;
the tables of these encodings are ordered by it, so a range of codes is enough to tell the usual
characters from the rare ones. What is odd costs many bits: a rare character, a broken one, a word
that mixes scripts or continues in capitals.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

SAMPLE_BYTES = 16_384  # of lines with other bytes than ASCII: more change no verdict
LOOKED_AT_BYTES = 1 << 20
ASCII_BITS = 4.5
BROKEN_BITS = 40.0  # nobody writes half a character, but files are cut
SPACED_BITS = 1.5  # of a space between characters, in scripts that have none
TOUCHING_BITS = 3.0  # of a Latin letter directly beside a Chinese character
OFTEN_BITS = 6.5
FAMILIAR_BITS = 13.0
HANZI = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那"
HANZI += "得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看"
HANZI += "定天分还进好小部其些主样理心她本前开但因只从想实"
TRADITIONAL = "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那"
TRADITIONAL += "得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看"
TRADITIONAL += "定天分還進好小部其些主樣理心她本前開但因只從想實"
HANGUL = "이다는의에가을한고지를은로사기하도리인어나대자시아정서부그수으해있전장라일게"


@dataclass(frozen=True)
class DoubleByte:
    """An encoding that writes a character of its script in two bytes."""

    name: str
    bits: float  # that it costs to be this encoding at all: the rarer among our visitors, the more
    often: str  # the most frequent characters
    classes: Mapping[str, tuple[bytes, float]]  # of the others: their codes, bits of each one
    spaced: bool = False  # whether its script parts words by spaces
    familiar: Callable[[], Collection[bytes]] = tuple  # returns more characters well known

    def pattern(self) -> re.Pattern[bytes]:
        """Return what finds the next character, the group being its class."""
        often = b"|".join(re.escape(one.encode(self.name)) for one in self.often)
        groups = [b"(?P<often>%s)" % often] if often else []
        groups += [b"(?P<%s>%s)" % (k.encode(), codes) for k, (codes, _) in self.classes.items()]
        return re.compile(b"|".join([*groups, rb"(?P<broken>[\x80-\xff])"]))

    def cost(self, data: bytes) -> float:
        """Return the bits that the data take as text in this encoding."""
        bits = {name: one for name, (_, one) in self.classes.items()}
        bits |= {"often": OFTEN_BITS, "broken": BROKEN_BITS}
        familiar = self.familiar()
        total, used, end = self.bits, 0, 0
        for found in self.pattern().finditer(data):
            total += FAMILIAR_BITS if found[0] in familiar else bits[found.lastgroup]
            used += found.end() - found.start()
            before, after = data[end : found.start()], data[found.end() : found.end() + 1]
            end = found.end()
            total += TOUCHING_BITS * (before[-1:].isalpha() + after.isalpha())
            if not self.spaced and before == b" ":
                total += SPACED_BITS
        return total + ASCII_BITS * (len(data) - used)


@dataclass(frozen=True)
class SingleByte:
    """An encoding that writes a letter in one byte."""

    name: str
    bits: float
    letters: str  # the usual ones, small and capital
    is_latin: bool = True  # whether its letters stand in words beside those of ASCII

    def cost(self, data: bytes) -> float:
        """Return the bits that the data take as text in this encoding."""
        text = data.decode(self.name, "replace")
        total = self.bits + ASCII_BITS * sum(character < "\x80" for character in text)
        total += sum(map(self.word_cost, re.findall(r"[^\W\d_]+", text)))
        return total + sum(
            map(sign_cost, re.findall(r"[^\x00-\x7f]", re.sub(r"[^\W\d_]", "", text)))
        )

    def word_cost(self, word: str) -> float:
        """Return the bits of the word's letters beyond ASCII."""
        if word.isascii():
            return 0.0
        plain = sum(letter < "\x80" for letter in word)
        total = 6.0 if self.is_latin and not plain and len(word) > 1 else 0.0
        total += 8.0 * plain if not self.is_latin else 0.0
        before = ""
        for letter in word:
            if letter > "\x7f":
                total += self.letter_cost(before, letter)
            elif before > "\x7f" and before.islower() and before != "ß" and letter.isupper():
                total += 10.0
            before = letter
        return total

    def letter_cost(self, before: str, letter: str) -> float:
        """Return the bits of a letter after another one (empty: it begins its word)."""
        bits = 4.5 if letter in self.letters else 9.0
        if letter.isupper():
            bits += 10.0 if before.islower() else 1.0 if before else 2.0
        if self.is_latin and before > "\x7f":
            bits += 2.0 if before.isupper() == letter.isupper() else 3.0
        return bits


def sign_cost(sign: str) -> float:
    """Return the bits of a character beyond ASCII that is no letter."""
    if sign == "\ufffd" or sign < "\xa0":
        return 20.0
    return 8.0 if sign in "„“”‚‘’–—…€§°«»©®·¿¡№" else 13.0


@cache
def usual_in_taiwan() -> frozenset[bytes]:
    """Return the traditional characters that every reader knows, as GB18030 writes them."""
    known = b"".join(bytes((row, at)) for row in range(0xA4, 0xC6) for at in range(0xA1, 0xFF))
    known += b"".join(bytes((row, at)) for row in range(0xA4, 0xC6) for at in range(0x40, 0x7F))
    codes = (one.encode("gb18030") for one in known.decode("big5", "ignore"))
    return frozenset(code for code in codes if not 0xB0 <= code[0] <= 0xD7 or code[1] < 0xA1)


GB18030 = DoubleByte(
    "gb18030",
    0.0,
    HANZI,
    {
        "usual": (rb"[\xb0-\xd7][\xa1-\xfe]", 10.0),
        "mark": (rb"[\xa1\xa3][\xa1-\xfe]", 7.0),
        "number": (rb"\xa2[\xa1-\xfe]", 12.0),
        "rare": (rb"[\xd8-\xf7][\xa1-\xfe]", 17.0),
        "sign": (rb"[\xa4-\xa9][\xa1-\xfe]|[\xa8\xa9][\x40-\x7e\x80-\xa0]", 18.0),
        "large": (rb"[\x81-\xa0][\x40-\x7e\x80-\xfe]|[\xaa-\xfe][\x40-\x7e\x80-\xa0]", 20.0),
        "long": (rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]", 24.0),
        "private": (rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", 30.0),
    },
    familiar=usual_in_taiwan,
)
BIG5 = DoubleByte(
    "big5",
    8.0,
    TRADITIONAL,
    {
        "usual": (rb"[\xa4-\xc5][\x40-\x7e\xa1-\xfe]|\xc6[\x40-\x7e]", 10.0),
        "mark": (rb"\xa1[\x40-\x7e\xa1-\xfe]", 7.5),
        "sign": (rb"[\xa2\xa3][\x40-\x7e\xa1-\xfe]", 16.0),
        "rare": (rb"[\xc9-\xf9][\x40-\x7e\xa1-\xfe]", 18.0),
    },
)
SHIFT_JIS = DoubleByte(
    "cp932",
    8.0,
    "",
    {
        "hiragana": (rb"\x82[\x9f-\xf1]", 6.0),
        "katakana": (rb"\x83[\x40-\x7e\x80-\x96]", 7.5),
        "mark": (rb"\x81[\x40-\x7e\x80-\xac]", 7.5),
        "wide": (rb"\x82[\x4f-\x9a]", 9.0),
        "usual": (rb"[\x88-\x97][\x40-\x7e\x80-\xfc]|\x98[\x40-\x72]", 10.0),
        "rare": (rb"[\x98-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]", 17.0),
        "half": (rb"[\xa1-\xdf]", 12.0),
    },
)
EUC_KR = DoubleByte(
    "cp949",
    10.0,
    HANGUL,
    {
        "usual": (rb"[\xb0-\xc8][\xa1-\xfe]", 9.5),
        "sign": (rb"[\xa1-\xac][\xa1-\xfe]", 14.0),
        "hanja": (rb"[\xca-\xfd][\xa1-\xfe]", 16.0),
        "rare": (rb"[\x81-\xc6][\x41-\x5a\x61-\x7a\x81-\xfe]", 20.0),
    },
    spaced=True,
)
LATIN = "äöüßÄÖÜéèêëàâçîïôùûœñáíóúãõåæøìòÉÈÀÇÑÅÆØÁÍÓÚÊÂ"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
CP1252 = SingleByte("cp1252", 0.0, LATIN)
CP437 = SingleByte("cp437", 8.0, "äöüßÄÖÜéèêëàâçîïôùûñáíóúåæìòÉÇÑÅÆ")
CP1251 = SingleByte("cp1251", 14.0, CYRILLIC + CYRILLIC.upper() + "ёіїєЁ", is_latin=False)
CANDIDATES = (GB18030, CP1252, BIG5, SHIFT_JIS, EUC_KR, CP1251, CP437)


def guess_old_encoding(data: bytes) -> str:
    """Return Python's word for the likeliest encoding of data that are not Unicode."""
    lines = [line.strip() for line in data[:LOOKED_AT_BYTES].splitlines() if not line.isascii()]
    sample, size = [], 0
    for line in lines:
        sample.append(line[:SAMPLE_BYTES])
        size += len(sample[-1])
        if size > SAMPLE_BYTES:
            break
    text = b"\n".join(sample) + b"\n"
    return min(CANDIDATES, key=lambda candidate: candidate.cost(text)).name

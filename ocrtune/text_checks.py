"""Texts that are probably not what a person reads on the picture.

The characters of the whole dataset are looked at first, once each; texts are searched only for
those that proved suspicious. Of ten thousand ordinary texts none is searched.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ocrtune.lookalikes import PLAIN_KANA, PLAIN_LETTERS

Finding = tuple[int, str, dict[str, Any]]  # row of the text, key of its remark, values
Check = Callable[[Sequence[str], "Inventory"], Iterator[Finding]]

NAMED = 5  # characters of one text that a warning names
TOGETHER = 256  # texts
CUT = 80  # characters of a text or a word that a warning repeats
CONVENTION = 0.2  # share of the texts from which an odd space is their habit
MIXED = ("latin", "cyrillic", "greek")  # scripts whose letters look alike
WIDTH_GAP = 0xFEE0  # between a full-width character and its ASCII form
JOINERS = "\u200c\u200d"
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
JOINED_SCRIPTS = ("ARABIC", "SYRIAC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA")
JOINED_SCRIPTS += ("TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MONGOLIAN")
SPECIAL = re.compile(
    r"<\|[^|<>]{1,40}\|>|<image>|<img>|<(?:unk|pad|s|/s|bos|eos)>|\[/?INST\]", re.I
)
MARKUP = re.compile(
    r"</?(?:br|p|b|i|u|em|strong|span|div|font|sup|sub|a|img)(?:\s[^<>]*)?/?>", re.I
)
ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{1,2}uml|szlig);", re.I
)
FILE_NAME = re.compile(
    r"\S(?:.*\S)?\.(?:png|jpe?g|tiff?|bmp|gif|webp|jp2|pdf|txt|xml|json|csv|docx?)", re.I
)
BROKEN_CHINESE = re.compile("锟斤拷|烫烫烫烫|屯屯屯屯|锘縷|[锛銆鈥鐨鏄](?=[^\\x00-\\x7f])")
SURE_LEADS = frozenset("ÂÃâï")
MISREAD_LEADS = SURE_LEADS | frozenset("ÄÅÎÏÐÑãäåæçèé")
TAILS = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # second bytes of UTF-8, read as Windows-1252
MISREAD = re.compile(f"[ÂÃÄÅÎÏÐÑ][{TAILS}]|[âã-éï][{TAILS}][{TAILS}]")
WORD = re.compile(r"[^\W\d_]+")
FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ]")
HALF_WIDTH = re.compile("[0-9A-Za-z]")


@lru_cache(maxsize=65_536)
def script(character: str) -> str:
    """Return the script of a letter by its Unicode name; `digits` or `other` for the rest."""
    if character.isdecimal():
        return "digits"
    name = unicodedata.name(character, "") if character.isalpha() else ""
    return name.split()[0].removesuffix("-COMPATIBILITY").lower() if name else "other"


@dataclass(frozen=True)
class Inventory:
    """The characters of all texts together."""

    counts: Mapping[str, int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Inventory":
        """Return the inventory of some texts."""
        counts: Counter[str] = Counter()
        for start in range(0, len(texts), TOGETHER):  # counted together they take half the time
            counts.update("".join(texts[start : start + TOGETHER]))
        return cls(counts)

    def having(self, wanted: Callable[[str], bool]) -> set[str]:
        """Return the characters of which that is true."""
        return {character for character in self.counts if wanted(character)}

    def scripts(self) -> dict[str, int]:
        """Return how many characters belong to each script, the most frequent first."""
        scripts: Counter[str] = Counter()
        for character, count in self.counts.items():
            scripts[script(character)] += count
        return dict(sorted(scripts.items(), key=lambda pair: (-pair[1], pair[0])))


def suspicious_texts(texts: Sequence[str], inventory: Inventory) -> list[Finding]:
    """Return what is suspicious about the texts, text by text, in the order of CHECKS."""
    found = [finding for check in CHECKS for finding in check(texts, inventory)]
    return sorted(found, key=lambda finding: finding[0])


def holding(texts: Sequence[str], characters: set[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the row of each text with some of the characters, and which, in their order in it."""
    if not characters:
        return
    pattern = re.compile("[" + "".join(map(re.escape, sorted(characters))) + "]")
    for row, text in enumerate(texts):
        if pattern.search(text):
            yield row, list(dict.fromkeys(pattern.findall(text)))


def call(character: str) -> str:
    """Return how a warning names a character: the sign if there is one to see, and its code."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    shown = f"{character} " if character.isprintable() and not character.isspace() else ""
    return f"{shown}{code} {name}".rstrip()


def call_all(characters: Sequence[str]) -> list[str]:
    """Return the names of the first characters."""
    return [call(character) for character in characters[:NAMED]]


def controls(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find characters that nobody can see or print: controls and private use."""

    def is_control(character: str) -> bool:
        return unicodedata.category(character) == "Cc" and character not in "\n\t"

    for row, found in holding(texts, inventory.having(is_control)):
        yield row, "text_control", {"characters": call_all(found)}
    odd = inventory.having(lambda one: unicodedata.category(one) in ("Co", "Cn", "Cs"))
    for row, found in holding(texts, odd):
        yield row, "text_private", {"characters": call_all(found)}


def invisible(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find characters without a width, except joiners where a script needs them."""
    kinds = inventory.having(lambda one: unicodedata.category(one) == "Cf")
    for row, found in holding(texts, kinds - BIDI):
        found = [one for one in found if one not in JOINERS or idle_joiner(texts[row], one)]
        if found:
            yield row, "text_invisible", {"characters": call_all(found)}
    for row, found in holding(texts, kinds & BIDI):
        yield row, "text_bidi", {"characters": call_all(found)}


def idle_joiner(text: str, joiner: str) -> bool:
    """Return whether a joiner stands where it shapes nothing."""
    before = [text[place - 1] for place, one in enumerate(text) if one == joiner and place]
    return text.startswith(joiner) or any(
        unicodedata.category(one) not in ("So", "Sk", "Mn", "Mc")
        and not unicodedata.name(one, "").startswith(JOINED_SCRIPTS)
        and one != "\ufe0f"
        for one in before
    )


def replacements(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find the signs that stand for a character which was lost."""
    for row, found in holding(texts, {"\ufffd", "\ufffc"} & inventory.counts.keys()):
        yield row, "text_replacement", {"characters": call_all(found)}


def literals(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find markup and the special words of models, which are on no picture."""
    for row, text in enumerate(texts) if inventory.counts.keys() & {"<", "["} else ():
        if ("<" in text or "[" in text) and (found := SPECIAL.search(text)):
            yield row, "text_special", {"found": found[0][:CUT]}
    for row, text in enumerate(texts) if inventory.counts.keys() & {"<", "&"} else ():
        if "<" in text or "&" in text:
            found = MARKUP.search(text) or ENTITY.search(text)
            if found:
                yield row, "text_markup", {"found": found[0][:CUT]}


def file_names(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find texts that are the name of a file."""
    for row, text in enumerate(texts) if "." in inventory.counts else ():
        if "." in text[-6:] and FILE_NAME.fullmatch(text):
            yield row, "text_file_name", {"text": text[:CUT]}


def spaces(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find spaces that no reader can see."""
    blanks = inventory.having(str.isspace)
    if not blanks:
        return
    for row, text in enumerate(texts):
        if text != text.strip():
            yield row, "text_edge_spaces", {}
        if "  " in text:
            yield row, "text_double_spaces", {}
    for row, found in holding(texts, blanks & {"\t", "\v", "\f"}):
        yield row, "text_tab", {"count": sum(texts[row].count(one) for one in found)}
    odd = [*holding(texts, blanks - set(" \n\t\v\f\r\u3000"))]
    if len(odd) <= CONVENTION * len(texts):  # more are a habit: French sets them before `!`
        for row, found in odd:
            yield row, "text_odd_spaces", {"characters": call_all(found)}


def mixed_scripts(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find words of letters from two scripts, and words in letters that only look like ours."""
    letters = {name: inventory.having(lambda one, n=name: script(one) == n) for name in MIXED}
    if sum(map(bool, letters.values())) < 2:
        return
    totals = {name: sum(inventory.counts[one] for one in letters[name]) for name in MIXED}
    usual = max(MIXED, key=totals.__getitem__)
    for row, _ in holding(texts, set().union(*(letters[name] for name in MIXED if name != usual))):
        foreign = [word for word in WORD.findall(texts[row]) if is_foreign(word, usual, texts[row])]
        if foreign:
            odd = [one for one in foreign[0] if script(one) != main_script(foreign[0], usual)]
            key = "text_mixed_scripts" if is_mixed(foreign[0]) else "text_lookalike_word"
            named = call_all(list(dict.fromkeys(odd or foreign[0])))
            yield row, key, {"word": foreign[0][:CUT], "characters": named}


def is_mixed(word: str) -> bool:
    """Return whether a word mixes scripts whose letters can be taken for each other.

    Greek letters are also signs (kΩ, Δx): those that look like a Latin letter are not.
    """
    scripts = {script(one) for one in word} & set(MIXED)
    if scripts != {"latin", "greek"}:
        return len(scripts) > 1
    return len(word) > 2 and any(one in PLAIN_LETTERS for one in word if script(one) == "greek")


def is_foreign(word: str, usual: str, text: str) -> bool:
    """Return whether a word is mixed, or only looks like one of the usual script."""
    if is_mixed(word):
        return True
    name = script(word[0])
    if usual != "latin" or name == "latin" or not all(one in PLAIN_LETTERS for one in word):
        return False
    own = [one for one in text if script(one) == name]
    return all(one in PLAIN_LETTERS for one in own) and any(script(one) == usual for one in text)


def main_script(word: str, usual: str) -> str:
    """Return the script of most letters of a word; of equals the usual one."""
    scripts = Counter(script(one) for one in word)
    return max(sorted(scripts), key=lambda name: (scripts[name], name == usual))


def lookalikes(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find signs with the looks of a common character but another code: ⼀ for 一, ﬁ for fi."""

    def has_plain_form(character: str) -> bool:
        code = ord(character)
        return (
            0x2E80 <= code <= 0x2FD5  # radicals
            or 0xF900 <= code <= 0xFAFF
            or 0x2F800 <= code <= 0x2FA1F
            or 0xFB00 <= code <= 0xFB06  # ligatures
            or 0x1D400 <= code <= 0x1D7FF  # mathematical letters
            or character in "\u212a\u212b\u2126"  # Kelvin, Angstrom, Ohm
        ) and unicodedata.normalize("NFKC", character) != character

    for row, found in holding(texts, inventory.having(has_plain_form)):
        plain = [unicodedata.normalize("NFKC", one) for one in found]
        yield row, "text_lookalikes", {"characters": call_all(found), "plain": plain[:NAMED]}
    kana = inventory.having(lambda one: script(one) in ("katakana", "hiragana"))
    han = inventory.having(lambda one: script(one) == "cjk")
    rare = sum(inventory.counts[one] for one in kana)
    if kana and rare <= 0.01 * sum(inventory.counts[one] for one in han):
        for row, found in holding(texts, kana & PLAIN_KANA.keys()):
            if {one for one in texts[row] if script(one) in ("katakana", "hiragana")} <= {*found}:
                plain = [PLAIN_KANA[one] for one in found]
                yield row, "text_lookalikes", {"characters": call_all(found), "plain": plain}


def normal_forms(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find the texts that compose their accents otherwise than most texts of the set."""
    marks = inventory.having(lambda one: unicodedata.category(one) == "Mn")
    if not marks:
        return
    apart = {row for row, _ in holding(texts, marks) if composed(texts[row]) != texts[row]}

    def is_composed(character: str) -> bool:
        parts = unicodedata.normalize("NFD", character)
        return len(parts) > 1 and unicodedata.category(parts[1]) == "Mn"

    whole = {row: found for row, found in holding(texts, inventory.having(is_composed))}
    if not apart or not whole:
        return
    rows = apart if len(apart) <= len(whole) else whole.keys()
    key = "text_decomposed" if len(apart) <= len(whole) else "text_composed"
    for row in sorted(rows):
        yield row, key, {}


def composed(text: str) -> str:
    """Return the text in Unicode's composed form."""
    return unicodedata.normalize("NFC", text)


def widths(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find digits and letters of the width, full or half, that is the rarer one in the set."""
    full = inventory.having(lambda one: bool(FULL_WIDTH.match(one)))
    half = inventory.having(lambda one: bool(HALF_WIDTH.match(one)))
    # only characters that the set writes in both ways
    both = {one for one in full if chr(ord(one) - WIDTH_GAP) in half}
    kinds = (both, {chr(ord(one) - WIDTH_GAP) for one in both})
    if not both:
        return
    counts = [sum(inventory.counts[one] for one in kind) for kind in kinds]
    key = "text_full_width" if counts[0] <= counts[1] else "text_half_width"
    for row, found in holding(texts, kinds[key == "text_half_width"]):
        yield row, key, {"characters": found[:NAMED]}


def mojibake(texts: Sequence[str], inventory: Inventory) -> Iterator[Finding]:
    """Find texts that were read in a wrong encoding, with what they were."""
    if inventory.counts.keys() & MISREAD_LEADS:
        for row, text in enumerate(texts):
            if not text.isascii() and (found := misread_latin(text)):
                yield row, "text_mojibake", {"found": found[0], "meant": found[1]}
    if inventory.counts.keys() & set("锟烫屯锘锛銆鈥鐨鏄"):
        for row, text in enumerate(texts):
            if (found := BROKEN_CHINESE.search(text)) and is_misread_chinese(text, found[0]):
                yield row, "text_misread", {"found": text[:CUT]}


def misread_latin(text: str) -> tuple[str, str] | None:
    """Return the first piece that is UTF-8 read as Windows-1252 or Latin-1, and what it was.

    `Ã¼` and `â€™` are no text of any language; `Ñ…` or `é…»` may be one, twice hardly.
    """
    found = MISREAD.findall(text)
    if len(found) < 2 and not any(piece[0] in SURE_LEADS for piece in found):
        return None
    for piece in found:
        try:
            return piece[:CUT], as_bytes(piece).decode("utf-8")[:CUT]
        except UnicodeDecodeError:
            continue
    return None


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text read as Windows-1252, or as Latin-1 where that has no sign."""
    return b"".join(
        one.encode("latin-1") if ord(one) < 0x100 else one.encode("cp1252") for one in text
    )


def is_misread_chinese(text: str, sign: str) -> bool:
    """Return whether a text is UTF-8 read as GBK, by a sign for it and by its bytes."""
    if len(sign) > 1:  # what a damaged file leaves behind
        return True
    foreign = sum(not one.isascii() for one in text)
    recovered = text.encode("gb18030", "ignore").decode("utf-8", "ignore")
    # three characters become two; other Chinese text becomes next to nothing
    return sum(ord(one) >= 0x2000 for one in recovered) >= 0.4 * foreign


CHECKS: tuple[Check, ...] = (
    controls,
    invisible,
    replacements,
    literals,
    file_names,
    spaces,
    mixed_scripts,
    lookalikes,
    normal_forms,
    widths,
    mojibake,
)

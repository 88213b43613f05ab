"""What pretraining writes: lines of Chinese, English, German, other accents, numbers and codes."""

import random
import re
import string
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path

import numpy

from ocrtune.alphabet import CJK_PUNCTUATION, HAN, INDEX, RING_E
from ocrtune.pretrain.words import (
    ACCENTED,
    CITIES,
    COMMON_ENGLISH,
    COMMON_GERMAN,
    FIELDS,
    UNITS,
    Words,
    load_words,
)

MAX_LENGTH = 104


class TextSampler:
    """Writes one line after another; equal seeds write equal lines."""

    def __init__(self, words: Words, seed: int) -> None:
        self.words = words
        self.random = random.Random(seed)
        self.kinds: dict[Callable[[], str], float] = {
            self.chinese: 0.24,
            self.rare_chinese: 0.11,
            self.form: 0.06,
            self.signs: 0.02,
            self.mixed: 0.10,
            self.english: 0.16,
            self.german: 0.12,
            self.old_german: 0.11,
            self.accented: 0.03,
            self.code: 0.05,
        }
        self.cumulative = list(accumulate(self.kinds.values()))
        self.writers = list(self.kinds)

    def line(self) -> str:
        """Return one line of 1 to MAX_LENGTH characters of the alphabet."""
        while True:
            writer = self.random.choices(self.writers, cum_weights=self.cumulative)[0]
            text = "".join([character for character in writer() if character in INDEX])
            text = " ".join(text[:MAX_LENGTH].split())
            if text:
                return text

    def length(self, typical: float) -> int:
        """Return how long a line should be: around `typical`, with a tail to MAX_LENGTH."""
        if self.random.random() < 0.1:
            return self.random.randint(3, MAX_LENGTH)
        return min(MAX_LENGTH, max(1, round(self.random.lognormvariate(typical, 0.62))))

    def chinese(self) -> str:
        """Return a window of words and punctuation."""
        count = self.length(2.6)
        words = self.random.choices(
            self.words.han, cum_weights=self.words.han_weights, k=count * 2 // 3 + 2
        )
        spare = self.random.random()
        marks = "，，，，。。、；：？！" if spare > 0.2 else ",,,..;:?!"
        # Some typists part words, or marks from words: spaces are text like any other.
        apart = self.random.uniform(0.15, 1) if self.random.random() < 0.15 else 0.0
        parts = []
        for word in words:
            parts.append(word)
            if apart and self.random.random() < apart:
                parts.append(" ")
            dice = self.random.random()
            if dice < 0.11:
                parts.append(self.random.choice(marks))
            elif dice < 0.135:
                parts.append(self.quoted(self.random.choice(words)))
            elif dice < 0.155:
                parts.append(self.number())
            elif dice < 0.16:
                parts.append(self.random.choice(BREAKS))
        text = "".join(parts)
        start = self.random.randint(0, 3) if self.random.random() < 0.4 else 0
        text = text[start : start + count]
        if self.random.random() < 0.3:
            text = text[:-1] + self.random.choice("。。。，！？；：")
        return text

    def quoted(self, word: str) -> str:
        """Return the word in Chinese quotation marks or brackets."""
        opening, closing = self.random.choice(
            ("“”", "“”", "《》", "（）", "（）", "「」", "『』", "【】", "〈〉", "‘’")
            + ("()", "()", '""', "''", "[]")  # as a keyboard set to English types them
        )
        before, behind = self.random.choices(("", " "), (3, 1), k=2)
        return f"{before}{opening}{word}{closing}{behind}"

    def rare_chinese(self) -> str:
        """Return characters drawn evenly, so that the rare ones are learnt too."""
        text = "".join(self.random.choices(HAN, k=self.length(2.2)))
        if self.random.random() < 0.3:
            place = self.random.randrange(len(text))
            text = text[:place] + self.random.choice(CJK_PUNCTUATION) + text[place:]
        return text

    def number(self) -> str:
        """Return a number in one of the usual shapes."""
        dice, value = self.random.random(), self.random.randint(0, 10 ** self.random.randint(1, 6))
        if dice < 0.45:
            return str(value)
        if dice < 0.6:
            return f"{value / 100:.2f}"
        if dice < 0.75:
            return f"{value:,}"
        if dice < 0.85:
            return f"{value % 100}%"
        return f"{value % 10}.{self.random.randint(0, 99)}"

    def form(self) -> str:
        """Return what invoices and forms say: dates, amounts, addresses, telephone numbers."""
        pick, number = self.random.choice, self.random.randint
        year, month, day = number(1950, 2035), number(1, 12), number(1, 31)
        amount = number(1, 10 ** number(2, 8)) / 100
        digits = "".join(self.random.choices(string.digits, k=number(5, 18)))
        word = self.random.choices(self.words.han, cum_weights=self.words.han_weights, k=3)
        value = pick(
            (
                f"{year}年{month}月{day}日",
                f"{year}-{month:02}-{day:02}",
                f"{year}/{month}/{day} {number(0, 23):02}:{number(0, 59):02}",
                "".join("〇一二三四五六七八九"[int(d)] for d in str(year)) + "年",
                f"￥{amount:,.2f}",
                f"¥{amount:.2f}",
                f"{amount:,.2f}元",
                f"1{pick('3578')}{number(0, 9)}{number(0, 99999999):08}",
                f"0{number(10, 999)}-{number(10000000, 99999999)}",
                digits,
                f"{pick(string.ascii_uppercase)}{pick(string.ascii_uppercase)}{digits[:10]}",
                f"{pick(CITIES)}{word[0]}区{word[1]}路{number(1, 999)}号{number(1, 30)}栋",
                f"{number(1, 999)}{pick(UNITS)}",
                "".join(word),
                f"第{number(1, 400)}{pick('章节页条回期')}",
            )
        )
        dice = self.random.random()
        if dice < 0.5:
            return f"{pick(FIELDS)}{pick(('：', '：', ': ', ':', ' ', ''))}{value}"
        if dice < 0.65:
            return f"{value}{pick(('，', ' ', '、'))}{word[0]}{number(1, 99)}{pick(UNITS)}"
        return value

    def mixed(self) -> str:
        """Return Chinese with Latin words and numbers in it."""
        parts = []
        size, goal = 0, self.length(2.6)
        gap = " " if self.random.random() < 0.5 else ""
        while size < goal:
            dice = self.random.random()
            if dice < 0.3:
                word = self.random.choice(self.words.english)
                word = (
                    self.random.choice((word, word.upper(), word.title())) if dice < 0.2 else word
                )
                part = gap + word + gap
            elif dice < 0.45:
                part = gap + self.number() + gap
            elif dice < 0.5:
                part = self.token()
            elif dice < 0.57:
                part = self.notation()
            else:
                part = self.chinese()[: self.random.randint(2, 9)]
            parts.append(part)
            size += len(part)
        return "".join(parts)[:goal]

    def notation(self) -> str:
        """Return what manuals write: a name with brackets, an option, an alternative."""
        pick, number = self.random.choice, self.random.randint
        word, other = pick(self.words.english).lower(), pick(self.words.english).lower()
        return pick(
            (
                f"{word}({number(1, 9)})",
                f"{word}[{number(0, 9)}]",
                f"{word}()",
                f"({word})",
                f"[{word}]",
                f"<{word}>",
                f"{{{word}|{other}}}",
                f"--{word}",
                f"-{pick(string.ascii_letters)}",
                f"--{word}={other}",
                f"{word}/{other}",
                f'"{word}"',
                f"'{word}'",
                f"{word}={number(0, 999)}",
                f"{word.upper()}_{other.upper()}",
                f"（{word.upper()}）",
                pick(string.ascii_uppercase) + pick(string.ascii_uppercase),
            )
        )

    def signs(self) -> str:
        """Return Chinese with the signs of forms, lists and papers."""
        pick, number = self.random.choice, self.random.randint
        text = self.chinese()[: number(2, 14)]
        circled, roman = "①②③④⑤⑥⑦⑧⑨⑩", pick("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ")
        return pick(
            (
                "".join(f"{c}{self.chinese()[: number(1, 5)]}" for c in circled[: number(1, 9)]),
                f"{pick(circled)}{text}",
                f"□{text[:2]} {pick('□■√')}{text[2:4]}",
                f"{pick('○●□■△▲☆★√→←↑↓')}{pick(('', ' '))}{text}",
                f"{text}{pick('→←↑↓≈≠≤≥')}{self.number()}",
                f"{number(-20, 40)}℃{pick('～~-–')}{number(0, 100)}℃",
                f"{pick('≤≥≈<>')}{self.number()}{pick(UNITS)}",
                f"〔{number(1950, 2035)}〕{number(1, 300)}号{text}",
                f"{roman}{pick(('.', '、', ' ', '级', '型'))}{text}",
                f"{pick('☆★') * number(1, 5)}{text}",
            )
        )

    def english(self) -> str:
        """Return English words with capitals and punctuation."""
        return self.latin(self.words.english, COMMON_ENGLISH, ("“”", "‘’", '""', "''", "()"))

    def german(self) -> str:
        """Return German words with capitals and punctuation."""
        return self.latin(self.words.german, COMMON_GERMAN, ("„“", "„“", "‚‘", "»«", '""', "()"))

    def old_german(self) -> str:
        """Return German in an older spelling, with the long s.

        Blackletter has one capital for I and J, and prints before 1800 a small e for the umlaut.
        """
        text = " ".join(self.age(word) for word in self.german().split(" "))
        dice = self.random.random
        if dice() < 0.85:
            text = text.replace("I", "J")
        if dice() < 0.35:
            text = text.translate(RINGED)
        if dice() < 0.12:
            text = text.replace("-", "⸗")
        if dice() < 0.12:
            text = text.replace(",", " /")
        if dice() < 0.04:
            text = re.sub(r"(?<=[bdhopvwy])r", "ꝛ", text)
        return text

    def age(self, word: str) -> str:
        """Return the word with ſ wherever an s does not end it, sometimes with th and ey."""
        if self.random.random() < 0.12:
            word = re.sub(r"^([Tt])(?=[aeiou])", r"\1h", word)
        if self.random.random() < 0.1:
            word = word.replace("ei", "ey", 1)
        return re.sub(r"s(?=[a-zäöüßſ])", "ſ", word)

    def accented(self) -> str:
        """Return words of other Western European languages, or English words given accents."""
        other = self.random.choices(self.words.english, k=20)
        table = str.maketrans(
            {c: self.random.choice(m) for c, m in zip("aeioucns", VARIANTS, strict=True)}
        )
        text = self.latin(
            ACCENTED + [word.translate(table) for word in other], ACCENTED, ("«»", "“”", "‹›")
        )
        if self.random.random() < 0.25:
            text = self.random.choice("¿¡") + text + self.random.choice("?!")
        return text

    def latin(self, words: list[str], common: list[str], quotes: tuple[str, ...]) -> str:
        """Return a line of words with spaces, sentence marks, quotation marks and numbers."""
        goal, size, parts = self.length(3.5), 0, []
        pick, dice = self.random.choice, self.random.random
        upper = dice() < 0.05
        capital = dice() < 0.5
        while size < goal:
            word = pick(common) if dice() < 0.42 else pick(words)
            chance = dice()
            if capital:
                word = word[:1].upper() + word[1:]
                capital = False
            if chance < 0.09:
                word += ","
            elif chance < 0.13:
                word += pick(".....!?;:")
                capital = word[-1] in ".!?"
            elif chance < 0.155:
                opening, closing = pick(quotes)
                word = f"{opening}{word}{closing}"
            elif chance < 0.175:
                word = f"{word}-{pick(words)}"
            elif chance < 0.21:
                word = self.number()
            elif chance < 0.23:
                word = pick(DASHES)
            elif chance < 0.24:
                word = pick(("&", "§ 12", "Nr.", "u.", "S.", "vgl.", "No.", "z. B.", "d. h."))
            elif chance < 0.25:
                word = pick(("€", "£", "$")) + self.number()
            elif chance < 0.258:
                word += pick("²³°¹†*‡•©®™½¼¾ªº±×÷·№µ")
            elif chance < 0.278:
                word += pick(ENDINGS)
                capital = dice() < 0.5
            elif chance < 0.298:
                word += pick(CONTRACTIONS)
            elif chance < 0.308:
                word = self.notation()
            parts.append(word)
            size += len(word) + 1
        text = " ".join(parts)
        if upper:
            text = text.upper()
        if len(text) > goal and dice() < 0.1:
            return text[: max(1, goal - 1)] + "-"
        return text if len(parts) < 2 or dice() < 0.3 else text[: len(text) - len(parts[-1]) - 1]

    def token(self) -> str:
        """Return an e-mail address, an address on the web, a code."""
        pick, number = self.random.choice, self.random.randint
        word, other = pick(self.words.english).lower(), pick(self.words.english).lower()
        letters = "".join(
            self.random.choices(string.ascii_letters + string.digits, k=number(3, 12))
        )
        signs = "".join(self.random.choices(string.punctuation, k=number(1, 4)))
        return pick(
            (
                f"{word}.{other}{number(0, 99)}@{word}.{pick(('com', 'cn', 'de', 'org'))}",
                f"www.{word}.{pick(('com', 'cn', 'de', 'net'))}/{other}",
                f"https://{word}.org/{other}?id={number(1, 9999)}",
                letters,
                letters.upper() + "-" + str(number(0, 9999)),
                f"{word}_{other}({signs})",
                f"[{number(1, 99)}]{signs}{word}",
                f"#{letters}",
                f"{word}.{pick(('pdf', 'txt', 'py', 'jpg'))}",
            )
        )

    def code(self) -> str:
        """Return digits, codes, or a few of them."""
        dice = self.random.random()
        if dice < 0.3:
            return "".join(self.random.choices(string.digits, k=self.length(2.1)))
        if dice < 0.5:
            return " ".join(self.number() for _ in range(self.random.randint(1, 8)))
        return " ".join(self.token() for _ in range(self.random.randint(1, 2)))


BREAKS = ("……", "——", "。。。", "！！", "～", "·", "啊啊", " -- ", " --", "--", "-", " - ", "...")
DASHES = ("–", "—", "--", "--", "---", "-", "…", "...", "...", "....", "!!!", "...)", "…“")
ENDINGS = (
    '."', '".', ',"', '",', '!"', '?"', '"?', ".”", "”.", ".“", "“,", ").", "),", ".)", "!)", "?!",
    "!!", "!!!", "??", "].", "':", ".'", "';", '".)', "...", "…", ":-)", " )", " !", " ?", ' "',
)  # fmt: skip
CONTRACTIONS = ("'s", "n't", "'re", "'ll", "'d", "'ve", "'", "'n", "’s", "n’t", "’ll", "’re", "’")
RINGED = {ord(c): base + RING_E for c, base in zip("äöüÄÖÜ", "aouAOU", strict=True)}
VARIANTS = ("áàâãäåæ", "éèêëé", "íìîï", "óòôõöøœ", "úùûü", "çc", "ñn", "šs")


@dataclass(frozen=True)
class Pool:
    """Many lines, packed.

    ids: uint16 [lines, MAX_LENGTH], alphabet indices; lengths: int16 [lines].
    """

    ids: numpy.ndarray
    lengths: numpy.ndarray


def build_pool(words: Path, count: int, seed: int, workers: int = 2) -> Pool:
    """Write `count` lines with the word lists in `words`, spread over processes.

    The lines depend on the seed and on the number of workers.
    """
    parts = max(1, min(workers * 4, count // 1000))
    shares = [count // parts + (part < count % parts) for part in range(parts)]
    jobs = [(words, share, seed * 1009 + part) for part, share in enumerate(shares)]
    if workers < 2 or parts < 2:
        written = [write_share(job) for job in jobs]
    else:
        # Forked: a spawned worker would import torch again just to write text.
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as executor:
            written = list(executor.map(write_share, jobs))
    ids, lengths = (numpy.concatenate(arrays) for arrays in zip(*written, strict=True))
    return Pool(ids, lengths)


def write_share(job: tuple[Path, int, int]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Write one share of a pool: its ids and lengths."""
    folder, count, seed = job
    writer = TextSampler(load_words(folder), seed)
    ids = numpy.zeros((count, MAX_LENGTH), numpy.uint16)
    lengths = numpy.zeros(count, numpy.int16)
    for row in range(count):
        text = writer.line()
        ids[row, : len(text)] = [INDEX[character] for character in text]
        lengths[row] = len(text)
    return ids, lengths

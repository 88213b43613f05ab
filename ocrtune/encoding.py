"""From bytes to text: which encoding a file is in, as marked, as named by its owner, or guessed."""

import codecs
import re
from encodings.aliases import aliases

from ocrtune.errors import ArchiveError, ConfigError, did_you_mean
from ocrtune.old_encodings import guess_old_encoding

MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
ENCODING_HELP = "Name its encoding with `--encoding`, for example gb18030, big5 or cp1252."
DOUBLE = re.compile(  # a character of GB18030 each; a high byte that begins none stands alone
    rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff]"
)
USUAL = re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]\Z")  # punctuation, the 3,755 usual hanzi
SCRIPTS = (  # what UTF-8 writes in two bytes a letter, and people write alone
    re.compile("[\u00a0-\u024f]+\\Z"),
    re.compile("[\u0370-\u03ff\u00a0-\u00bf]+\\Z"),
    re.compile("[\u0400-\u045f\u00a0-\u00bf]+\\Z"),
    re.compile("[\u0590-\u05ff]+\\Z"),
    re.compile("[\u0600-\u06ff]+\\Z"),
)
FEW = 40  # characters that may be another encoding's by chance


def decode(data: bytes, encoding: str = "") -> tuple[str, str]:
    """Return the text of `data` and its encoding: as named, as marked, else as its bytes suggest.

    Broken bytes become U+FFFD, so that a few of them cost a few lines and not the whole file. An
    ArchiveError where most would be broken; a ConfigError where nobody knows `encoding`.
    """
    if encoding:
        known = known_encoding(encoding)
        return decode_as(data, known).removeprefix("\ufeff"), known
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return decode_as(data[len(mark) :], encoding), encoding
    encoding = guess_encoding(data)
    return decode_as(data, encoding), encoding


def is_guessed(data: bytes, encoding: str) -> bool:
    """Whether nothing in the data says that they are in this encoding."""
    return encoding != "utf-8" and not any(data.startswith(mark) for mark, _ in MARKS)


def known_encoding(name: str) -> str:
    """Return Python's word for an encoding of texts; a ConfigError where it has none."""
    try:
        info = codecs.lookup(name.strip())
        b"a".decode(info.name)  # `hex` and `zip` are codecs too, but not of texts
    except (LookupError, ValueError) as error:
        words = sorted({*aliases, *aliases.values(), "utf-8", "utf-16"})
        near = did_you_mean(name.strip().lower().replace(" ", "-"), words)
        raise ConfigError(
            f"There is no encoding `{name}`.", near or "Use for example utf-8, gb18030 or cp1252."
        ) from error
    return "gb18030" if info.name in ("gb2312", "gbk") else info.name  # which holds both


def decode_as(data: bytes, encoding: str) -> str:
    """Return `data` decoded; an ArchiveError when what comes out is no text."""
    text = data.decode(encoding, "replace")
    if "\0" in text or 5 * text.count("\ufffd") > len(text):
        raise ArchiveError(
            f"The content file is not a text in {encoding}.",
            "Save it as plain text in UTF-8, or name its encoding with `--encoding`.",
        )
    return text


def guess_encoding(data: bytes) -> str:
    """Return the encoding that explains the data best; an ArchiveError where none is likely."""
    if b"\0" in data:
        little = data[1::2].count(0) >= data[::2].count(0)  # a Latin letter's empty half
        few = 50 * data.count(0) < len(data)  # UTF-16 has them in every path and space
        return "utf-8" if few else "utf-16-le" if little else "utf-16-be"
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    if not broken:
        return "gb18030" if sound <= FEW and is_chance(text, data) else "utf-8"
    if 20 * broken <= sound or 3 * broken <= len(re.findall("[\u0800-\ufffc]", text)):
        return "utf-8"  # three bytes that fit by chance are rare
    return guess_old_encoding(data)


def is_chance(text: str, data: bytes) -> bool:
    """Whether a few characters are valid UTF-8 by chance, and usual Chinese in GB18030."""
    letters = "".join(character for character in text if character > "\x7f")
    if not letters or max(letters) >= "\u0800" or any(one.match(letters) for one in SCRIPTS):
        return False
    return all(USUAL.match(pair) for pair in DOUBLE.findall(data))


def split_lines(text: str) -> list[str]:
    """Return the lines without the white space and byte order marks around them."""
    return [line.strip().strip("\ufeff").strip() for line in re.split("\r\n|\n|\r", text)]

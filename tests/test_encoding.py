import codecs

import pytest

from ocrtune.encoding import decode, is_guessed
from ocrtune.errors import ArchiveError, ConfigError

SHORT = {  # one to three lines, as small tries have them
    "gb18030": (
        "1.jpg 好\n",
        "1.jpg 一\n",  # its two bytes are valid UTF-8, for a letter of Abkhaz
        "1.jpg 联通\n",
        "1.jpg 麒麟饕餮\n",  # no usual character among them
        "img/1.jpg 第3页, 共12页\n",
        "1.jpg 國語與漢字\n2.jpg 臺灣鐵路\n",  # traditional characters lie outside of GB2312
        "page.jpg Kapitel 章\n",
        "1.jpg 價格：€ 12\n",
    ),
    "cp1252": (
        "1.jpg Müller\n",
        "1.jpg Größe\n",
        "1.jpg Æsøy, Ålesund\n",
        "1.jpg à l’été\n",
        "1.jpg “Übermäßig” – Ä Ö Ü\n",
        "1.jpg naïve œuvre\n2.jpg España, año\n",
        "1.jpg 12 € für 3 m²\n",
        "1.jpg Süß-öde Bäche\n",
    ),
    "utf-8": (
        "1.jpg һ плюс\n",
        "1.jpg ё\n",
        "1.jpg Größe\n",
        "1.jpg ∑\n",
        "1.jpg אב\n",
        "1.jpg λόγος\n",
    ),
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(encoding, text) for encoding, texts in SHORT.items() for text in texts]
)
def test_short_files_are_told_apart(encoding, text):
    assert decode(text.encode(encoding)) == (text, encoding)


def test_a_broken_byte_in_a_short_utf8_file_does_not_make_it_chinese_of_another_kind():
    data = "1.jpg 谁也不讨厌谁".encode()[:-1] + "\n2.jpg 好\n".encode()
    text, encoding = decode(data)
    assert encoding == "utf-8"
    assert text == "1.jpg 谁也不讨厌\ufffd\n2.jpg 好\n"


@pytest.mark.parametrize(
    ("text", "written", "named", "known"),
    [
        ("1.jpg Größe", "cp1252", "windows-1252", "cp1252"),
        ("1.jpg 繁體中文", "big5", "Big5", "big5"),
        ("1.jpg ひらがな", "shift_jis", "shift-jis", "shift_jis"),
        ("1.jpg привет", "cp1251", "cp1251", "cp1251"),
        ("1.jpg 好€", "gb18030", "gbk", "gb18030"),  # what people call GBK holds more
        ("1.jpg 好", "utf-8-sig", "utf-8", "utf-8"),
    ],
)
def test_the_encoding_can_be_named(text, written, named, known):
    assert decode(text.encode(written), named) == (text, known)


@pytest.mark.parametrize("name", ["utf-9x", "hex", "zip", "gb-18031", "\0", "x" * 500])
def test_an_unknown_encoding_is_explained(name):
    with pytest.raises(ConfigError, match="There is no encoding"):
        decode(b"1.jpg a", name)


def test_a_mistyped_encoding_gets_an_offer():
    with pytest.raises(ConfigError, match="Did you mean `gb18030`"):
        decode(b"1.jpg a", "gb18300")


def test_a_text_in_another_encoding_than_named_is_refused():
    with pytest.raises(ArchiveError, match="not a text in utf-8"):
        decode("1.jpg 剧情跌宕起伏，好".encode("gb18030"), "utf-8")


def test_only_what_the_bytes_do_not_say_is_guessed():
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        data = "1.jpg 好\n2.jpg a".encode(encoding)
        assert not is_guessed(data, decode(data)[1])
    for data in ("1.jpg 好好".encode("gb18030"), "1.jpg 好".encode("utf-16-be")):
        assert is_guessed(data, decode(data)[1])
    assert codecs.BOM_UTF8.decode() not in decode(codecs.BOM_UTF8 + b"a")[0]

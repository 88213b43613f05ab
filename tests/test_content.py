import codecs
import time
import unicodedata

import pytest

from ocrtune.content import decode, parse
from ocrtune.errors import ArchiveError

ARTICLE = """\
/Users/charlesqin/Desktop/img/1.jpg 剧情跌宕起伏
/Users/charlesqin/Desktop/img/2.jpg 好的特效嘛也算是良心了
/Users/charlesqin/Desktop/img/3.jpg 。。。,剧情逻辑有点不通啊啊
/Users/charlesqin/Desktop/img/4.jpg 以看不了太烧脑的悬疑片
/Users/charlesqin/Desktop/img/5.jpg ;这颗行星上存在
/Users/charlesqin/Desktop/img/6.jpg 磁场不加外磁场时原子在两个
/Users/charlesqin/Desktop/img/7.jpg 过外放的听歌确实比较不错第一
/Users/charlesqin/Desktop/img/8.jpg 快的,书也很整洁,但是我发现在
/Users/charlesqin/Desktop/img/9.jpg 为空间上的排列有利于科学研究
/Users/charlesqin/Desktop/img/10.jpg 谁也不讨厌谁
"""
GERMAN = "1.jpg Für die schöne Müllerin\n2.jpg „Ach!“ — façade, œuvre\n"
CHINESE = "1.jpg 剧情跌宕起伏，好\n2.jpg 谁也不讨厌谁\n"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (CHINESE.encode(), CHINESE, "utf-8"),
        (codecs.BOM_UTF8 + CHINESE.encode(), CHINESE, "utf-8-sig"),
        (CHINESE.encode("gb18030"), CHINESE, "gb18030"),
        (CHINESE.encode("utf-16"), CHINESE, "utf-16-le"),
        (codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"), CHINESE, "utf-16-be"),
        (CHINESE.encode("utf-16-be"), CHINESE, "utf-16-be"),  # without a mark
        (CHINESE.encode("utf-32"), CHINESE, "utf-32-le"),
        (GERMAN.encode("cp1252"), GERMAN, "cp1252"),  # is valid GB18030 too, and nonsense in it
        (b"", "", "utf-8"),
    ],
)
def test_decode_finds_the_encoding(data, text, encoding):
    assert decode(data) == (text, encoding)


def test_one_broken_byte_does_not_change_the_encoding_of_the_others():
    cut = "11.jpg 谁也不".encode()[:-1]
    text, encoding = decode(cut + b"\n" + ARTICLE.encode())
    assert encoding == "utf-8"
    assert text.count("\ufffd") == 1
    parsed = parse(text, ["11.jpg", "9.jpg", "10.jpg"])
    assert [entry.name for entry in parsed.entries] == ["9.jpg", "10.jpg"]
    assert "U+FFFD" in str(parsed.rejects[0].reason)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(40), b"1.jpg a\0b" + 99 * b"c"])
def test_decode_refuses_what_is_no_text(data):
    with pytest.raises(ArchiveError, match="not a text"):
        decode(data)


@pytest.mark.parametrize("folder", ["", "img/", "my pictures/img/"])
def test_the_articles_ten_lines_find_their_pictures(folder):
    parsed = parse(ARTICLE, [f"{folder}{number}.jpg" for number in range(1, 11)])
    assert parsed.rejects == ()
    assert [entry.name for entry in parsed.entries] == [f"{folder}{n}.jpg" for n in range(1, 11)]
    assert parsed.entries[2].text == "。。。,剧情逻辑有点不通啊啊"
    assert parsed.entries[4].text == ";这颗行星上存在"
    assert parsed.matches == {"tail": 10}


@pytest.mark.parametrize(
    ("line", "names", "name", "text"),
    [
        ("1.jpg a b", ["1.jpg"], "1.jpg", "a b"),
        ("  1.jpg\t a b  ", ["1.jpg"], "1.jpg", "a b"),
        ("1.jpg\u3000文", ["1.jpg"], "1.jpg", "文"),  # the space of a Chinese keyboard
        ("\ufeff1.jpg a", ["1.jpg"], "1.jpg", "a"),  # files glued together keep their marks
        ("./img//1.jpg a", ["img/1.jpg"], "img/1.jpg", "a"),
        ("img\\1.jpg a\\b", ["img/1.jpg"], "img/1.jpg", "a\\b"),
        (r"C:\My Scans\img\1.jpg a", ["img/1.jpg"], "img/1.jpg", "a"),
        ("IMG/1.JPG a", ["img/1.jpg"], "img/1.jpg", "a"),
        ("1.JPG a", ["1.jpg", "1.JPG"], "1.JPG", "a"),
        ("x/1.JPG a", ["a/1.jpg", "b/1.JPG"], "b/1.JPG", "a"),  # the same case is nearer
        ("Mu\u0308ller.jpg a", ["M\u00fcller.jpg"], "M\u00fcller.jpg", "a"),
        ("가.jpg a", [unicodedata.normalize("NFD", "가.jpg")], "\u1100\u1161.jpg", "a"),
        ("my page 1.jpg a b", ["my page 1.jpg"], "my page 1.jpg", "a b"),
        ("a b/my page.jpg t", ["page.jpg", "a b/my page.jpg"], "a b/my page.jpg", "t"),
        ("my.jpg page.jpg t", ["my.jpg", "my.jpg page.jpg"], "my.jpg page.jpg", "t"),
        ('"my page.jpg" "quoted" text', ["my page.jpg"], "my page.jpg", '"quoted" text'),
        ("'1.jpg' a", ["1.jpg"], "1.jpg", "a"),
        ("`img/1.jpg` a", ["img/1.jpg"], "img/1.jpg", "a"),
        (
            "/x/a/1.jpg see b/2.jpg for more",
            ["a/1.jpg", "b/2.jpg"],
            "a/1.jpg",
            "see b/2.jpg for more",
        ),
        ("/x/1.jpg as in /y/2.jpg here", ["1.jpg", "2.jpg"], "1.jpg", "as in /y/2.jpg here"),
        ("1.jpg 2.jpg 3.jpg", ["1.jpg", "2.jpg", "3.jpg"], "1.jpg", "2.jpg 3.jpg"),
        ("/x/b/1.jpg t", ["a/1.jpg", "b/1.jpg"], "b/1.jpg", "t"),  # the longest tail decides
        ("#1.jpg t", ["#1.jpg"], "#1.jpg", "t"),  # a picture, not a comment
        ("#1.jpg t", ["img/#1.jpg"], "img/#1.jpg", "t"),
        ("page t", ["page"], "page", "t"),  # a picture needs no suffix
    ],
)
def test_a_line_finds_its_picture(line, names, name, text):
    parsed = parse(line, names)
    assert [(entry.name, entry.text) for entry in parsed.entries] == [(name, text)]
    assert parsed.rejects == ()


def test_paths_are_relative_to_the_folder_of_the_content_file():
    names = ["a/1.jpg", "b/1.jpg", "c/1.jpg"]
    assert parse("1.jpg t", names, folder="b").entries[0].name == "b/1.jpg"
    assert parse("../c/1.jpg t", names, folder="b").entries[0].name == "c/1.jpg"
    assert parse("1.jpg t", names).entries == ()


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_does(ending):
    lines = ["# heading", "", "1.jpg a\x85b", "# 2.jpg commented out", "   ", "#2.jpg too", "3.jpg"]
    parsed = parse(ending.join(lines), ["1.jpg", "2.jpg", "3.jpg"])
    assert [(entry.line_number, entry.text) for entry in parsed.entries] == [(3, "a\x85b")]
    assert [(one.line_number, str(one.reason)) for one in parsed.rejects] == [
        (7, "There is no text after the path.")
    ]


@pytest.mark.parametrize(
    ("line", "reason", "nearest"),
    [
        ("img/scan_02.jpg t", "There is no picture `img/scan_02.jpg`.", "scan_01.jpg"),
        ("/x/Scan_01.jpeg t", "There is no picture `/x/Scan_01.jpeg`.", "scan_01.jpg"),
        ("my lost page.png some text", "There is no picture `my lost page.png`.", ""),
        ("'my lost page.png' text", "There is no picture `my lost page.png`.", ""),
        ("just words", "does not begin with the path of a picture", ""),
        ("/x/same.jpg t", "`/x/same.jpg` fits 2 pictures: `a/same.jpg`, `b/same.jpg`.", ""),
        ("scan_01.jpg", "There is no text after the path.", ""),
        ("scan_01.jpg \ufffd", "unreadable character", ""),
    ],
)
def test_a_rejected_line_says_why(line, reason, nearest):
    parsed = parse(line, ["scan_01.jpg", "a/same.jpg", "b/same.jpg"])
    assert parsed.entries == ()
    (rejected,) = parsed.rejects
    assert reason in str(rejected.reason)
    assert (rejected.line_number, rejected.original, rejected.nearest) == (1, line, nearest)


@pytest.mark.parametrize(
    ("lines", "kept", "reasons"),
    [
        (["1.jpg a", "1.jpg a"], [(1, "a")], {2: "same picture with the same text"}),
        (["1.jpg a", "./1.jpg b"], [(1, "a")], {2: "Line 1 has another text"}),
        # the exact path wins although it comes later: line 1 means a picture that is not there
        (["train/1.jpg a", "1.jpg b"], [(2, "b")], {1: "the only one with this name, `1.jpg`"}),
        (["train/1.jpg b", "1.jpg b"], [(2, "b")], {1: "belongs to line 2"}),
        # neither is exact: the file name alone would be wrong at least once
        (["/x/1.jpg a", "/y/1.jpg b"], [], {1: "lines 1, 2", 2: "fit only `1.jpg`"}),
        (["/x/1.jpg a", "/x/1.jpg b"], [(1, "a")], {2: "Line 1 has another text"}),
    ],
)
def test_two_lines_for_one_picture(lines, kept, reasons):
    parsed = parse("\n".join(lines), ["1.jpg"])
    assert [(entry.line_number, entry.text) for entry in parsed.entries] == kept
    assert [one.line_number for one in parsed.rejects] == list(reasons)
    for one in parsed.rejects:
        assert reasons[one.line_number] in str(one.reason)
        assert one.nearest == "1.jpg"


def test_locate_answers_for_paths_beyond_the_names():
    def locate(path):
        return "/disk/my scans/1.jpg" if path == "/disk/my scans/1.jpg" else None

    parsed = parse("/disk/my scans/1.jpg a b\n/disk/2.jpg c", ["x.jpg"], locate=locate)
    assert [(one.name, one.text) for one in parsed.entries] == [("/disk/my scans/1.jpg", "a b")]
    assert [one.line_number for one in parsed.rejects] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "1.jpg " * 100_000,
        "a/1.jpg " * 100_000,
        "x " * 300_000,
        "/" * 300_000,
        '"' * 300_000,
        "a/" * 2_000 + "1.jpg t",
    ],
)
def test_absurd_lines_cost_little(line):
    started = time.process_time()
    parse(line, ["1.jpg", "a/1.jpg", "b"])
    assert time.process_time() - started < 2


def test_many_missing_pictures_cost_little():
    names = [f"img/{number:05d}.jpg" for number in range(3_000)]
    text = "".join(f"lost/page_{number}.jpg text\n" for number in range(3_000))
    started = time.process_time()
    parsed = parse(text, names)
    assert len(parsed.rejects) == 3_000
    assert time.process_time() - started < 3

"""What counts as the same text, what one character is, and when a reading loops."""

import unicodedata

import pytest

from ocrtune.errors import MetricsError
from ocrtune.text import (
    PROFILES,
    character_class,
    find_loop,
    is_right_to_left,
    name_character,
    needs_graphemes,
    normalise,
    units,
)


@pytest.mark.parametrize(
    ("profile", "text", "expected"),
    [
        ("strict", "\ufeff Mu\u0308ller\r\n\r\nund\u00a0 \u3000Sohn\t", "M\u00fcller und Sohn"),
        ("strict", "x² ﬁ ｱ ſ", "x² ﬁ ｱ ſ"),  # compatibility forms stay what they are
        ("strict", "a\u200bb", "a\u200bb"),  # zero-width space is no whitespace
        ("raw", " Mu\u0308ller\r\nund  Sohn\n", "Mu\u0308ller\r\nund  Sohn"),
        ("no-space", "你 好\n世\u3000界 ", "你好世界"),
        ("lenient", "Ｓtraße, ﬁn — «x²» €5!\n", "strassefinx25"),
        ("lenient", "a\u200c\u00adb", "ab"),  # format characters: joiner, soft hyphen
        ("strict", " \n\t", ""),
    ],
)
def test_normalise(profile, text, expected):
    assert normalise(text, profile) == expected


@pytest.mark.parametrize("profile", PROFILES)
def test_normalising_twice_changes_nothing(profile):
    once = normalise("\ufeff Q\u0307a\u0301 ﬁ\r\n北 京 ١٢ «İ»", profile)
    assert normalise(once, profile) == once


def test_unknown_profile_is_refused_with_the_nearest_name():
    with pytest.raises(MetricsError, match="Did you mean `strict`"):
        normalise("a", "stict")


@pytest.mark.parametrize(
    ("text", "code_points", "clusters"),
    [
        ("q\u0307a", 3, 2),  # no composed form exists
        ("e\u0301", 1, 1),  # NFC composes
        ("👩\u200d👩\u200d👧", 5, 1),
        ("🇩🇪", 2, 1),
        ("❤\ufe0f!", 3, 2),
        ("क्षि", 4, 1),
        ("中文", 2, 2),
    ],
)
def test_units_are_code_points_or_clusters(text, code_points, clusters):
    assert len(units(text, "strict")) == code_points
    assert len(units(text, "grapheme")) == clusters
    assert "".join(units(text, "grapheme")) == normalise(text)


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("一々〇⽤𠀀", "han"),
        ("aſßÉﬁ", "latin"),
        ("كی\u064bـ", "arabic"),
        ("1۱１²", "digit"),
        (".。،=€•…", "punctuation"),
        (" \n\u3000\u00a0", "space"),
        ("アяω\u0301\u200d", "other"),
    ],
)
def test_character_class(characters, expected):
    assert {character: character_class(character) for character in characters} == dict.fromkeys(
        characters, expected
    )


def test_class_of_a_cluster_is_that_of_its_first_character():
    assert character_class("q\u0307") == "latin"
    assert character_class("") == "other"


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("a", "a"),
        (" ", "U+0020"),
        ("\u00a0", "U+00A0"),
        ("\u200d", "U+200D"),
        ("\u0307", "\u25cc\u0307 U+0307"),
        ("ی\u200c", "ی\u200c U+06CC U+200C"),  # a letter with something unseen
        ("", ""),
    ],
)
def test_name_character_makes_the_unseen_visible(character, shown):
    assert name_character(character) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سلام دنیا", True),
        ("שלום", True),
        ("PDF فایل را باز کنید", True),  # the first letter is not the majority
        ("The word سلام means hello", False),
        ("12.5 %", False),
        ("", False),
    ],
)
def test_is_right_to_left(text, expected):
    assert is_right_to_left(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q\u0307", True),
        ("👩\u200d👧", True),
        ("❤\ufe0f", True),
        ("กิน", True),
        ("cafe\u0301", False),  # composed by NFC
        ("中文 and ASCII", False),
        ("می\u200cخواهم", False),  # the non-joiner surprises nobody
    ],
)
def test_needs_graphemes(text, expected):
    assert needs_graphemes(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "合计" + "0" * 998,
        "\n".join("e" * 36),  # one letter a line
        "好的" + "的" * 40,
        "The ship " + "sailed " * 12 + "sail",  # the last unit cut by the token limit
        "磁场不加外磁场时原子在两个" * 11 + "磁场不",
        "la " * 25,
        "." * 300,
        "| --- " * 50,
        "<td>a</td>" * 40,
        "see " + "\\frac{a}{b} + " * 15 + "\n\n",
    ],
)
def test_find_loop_in_what_nobody_would_write(text):
    assert find_loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "……",
        "------",
        "000000",
        "哈哈哈哈",
        "哈" * 25,
        "ha " * 15,
        "Chapter 1 " + "." * 120 + " 17",
        "Signature " + "_" * 130,
        "=" * 132,  # a rule over the widest printer paper
        "| --- " * 12 + "|",
        "| a | n/a |\n" * 20,
        "0.00 " * 30,
        "<table>" + "<tr><td></td><td></td></tr>" * 12 + "</table>",
        "是 | 否 | " * 12,
        "Buffalo buffalo Buffalo buffalo buffalo buffalo Buffalo buffalo",
        "na na na nananana, nananana, hey Jude",
        "的" * 200 + "。一句正常的话结束了。",  # it did not end in the loop
        "abc" * 5,
    ],
)
def test_find_loop_leaves_honest_text_alone(text):
    assert not find_loop(text)


def test_no_loop_is_missed_by_what_spares_the_search():
    # Each unit repeated exactly as often as makes a loop, and once less.
    for unit, fewest in (("a", 32), ("ab", 20), ("abcd", 20), ("abcde", 10), ("a" * 29 + "b", 10)):
        assert find_loop(unit * fewest)
        assert not find_loop(unit * (fewest - 1))
    assert find_loop("-" * 200)
    assert not find_loop("-" * 199)
    assert find_loop(("." * 29 + "-") * 7)  # 210 signs in 7 repetitions


def test_letters_from_right_to_left_stand_where_they_are_looked_for():
    letters = [chr(code) for code in range(0x110000)]
    strong = [one for one in letters if unicodedata.bidirectional(one) in ("R", "AL")]
    assert len(strong) > 1_000
    assert all(is_right_to_left(one) for one in strong)

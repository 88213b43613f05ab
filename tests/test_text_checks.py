"""Suspicious texts: each kind is found in a hand-made case, and ordinary texts are left alone."""

import pytest

from ocrtune.advice_words import KIND_WORDS, WARNING_WORDS
from ocrtune.pair_checks import contradictions, unfitting_texts
from ocrtune.remarks import say_remark
from ocrtune.text_checks import Inventory, suspicious_texts

LATIN = ["Über den Wolken", "plain words", "Café 12 kΩ at Δx", "»MENÜ« and «été…» !"]
HAN = ["这是一个很长的中文句子没有别的字", "中文（测试）：第１章", "联通公司 2024"]


def findings(text: str, others: list[str]) -> list[tuple[str, dict]]:
    """Return what is found in a text among others."""
    texts = [*others, text]
    found = suspicious_texts(texts, Inventory.of(texts))
    return [(key, values) for row, key, values in found if row == len(others)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a bell \x07", "text_control"),
        ("a \ue000 of one font", "text_private"),
        ("zero\u200bwidth", "text_invisible"),
        ("soft\u00adhyphen", "text_invisible"),
        ("a\u200db", "text_invisible"),  # joins nothing between Latin letters
        ("\u202eabc", "text_bidi"),
        ("lost \ufffd", "text_replacement"),
        ("read <image> this", "text_special"),
        ("<|im_end|>", "text_special"),
        ("one<br>two", "text_markup"),
        ("AT&amp;T", "text_markup"),
        ("scans/img_001.PNG", "text_file_name"),
        (" lead", "text_edge_spaces"),
        ("two  spaces", "text_double_spaces"),
        ("a\tb", "text_tab"),
        ("10\u00a0km", "text_odd_spaces"),
        ("раypal", "text_mixed_scripts"),
        ("А rose", "text_lookalike_word"),  # a Cyrillic A
        ("\u2f00 line", "text_lookalikes"),  # the radical of 一
        ("\ufb01ne", "text_lookalikes"),
        ("Mu\u0308ller", "text_decomposed"),
        ("１２ Uhr", "text_full_width"),
        ("Ã¼ber", "text_mojibake"),
        ("itâ€™s", "text_mojibake"),
        ("锟斤拷锟斤拷", "text_misread"),
    ],
)
def test_a_suspicious_text_is_found_and_said_in_both_languages(text, key):
    found = findings(text, LATIN * 5)
    assert [one for one, _ in found] == [key]
    for language in ("en", "zh"):
        words = say_remark(language, key, found[0][1])
        assert "{" not in words
        assert words != key


def test_chinese_in_a_wrong_encoding_is_found():
    broken = "这是测试的文字，很好。".encode().decode("gbk", "ignore")
    assert [key for key, _ in findings(broken, HAN)] == ["text_misread"]


@pytest.mark.parametrize(
    "text", [*LATIN, *HAN, "می‌خواهم بروم", "क्‍ष", "👩‍👩‍👧", "[1] a < b & c", "Ende."]
)
def test_an_ordinary_text_is_left_alone(text):
    assert findings(text, [text, "and others"]) == []


def test_a_warning_names_the_character_and_what_it_stands_for():
    assert findings("раypal", LATIN)[0][1] == {
        "word": "раypal",
        "characters": ["р U+0440 CYRILLIC SMALL LETTER ER", "а U+0430 CYRILLIC SMALL LETTER A"],
    }
    assert findings("Ã¼ber", LATIN)[0][1] == {"found": "Ã¼", "meant": "ü"}


def test_the_rarer_form_is_the_odd_one():
    apart = ["Mu\u0308ller", "Scho\u0308n", "Ku\u0308he"]
    assert findings("Müller", apart) == [("text_composed", {})]
    assert findings("第 1 章", ["第１１１１章"])[0][0] == "text_half_width"
    assert findings("Mu\u0308ller", ["plain"]) == []  # nothing is composed: no mixture


def test_spaces_that_most_texts_hold_are_a_habit():
    assert findings("Oui\u00a0!", ["Non\u00a0!"] * 5) == []


def test_a_text_that_does_not_fit_its_picture_is_found():
    texts = ["about twenty letters", "exactly as many here"] * 20
    sizes = [(400, 40)] * 40
    texts[3], texts[7] = "x", "far too many letters for a picture of this size " * 4
    found = [(row, key) for row, key, _ in unfitting_texts(texts, sizes)]
    assert found == [(3, "text_short"), (7, "text_long")]
    assert unfitting_texts(texts[:10], sizes[:10]) == []  # too few to tell what is usual
    assert unfitting_texts([], []) == []


def test_one_picture_with_two_texts_is_found():
    groups = [
        {"pictures": ["a", "b", "c"], "one_text": False},
        {"pictures": ["d"], "one_text": True},
    ]
    found = contradictions({"a": "x", "b": "y", "c": "x", "d": "z"}, groups)
    assert [(one, values["other"]) for one, _, values in found] == [
        ("a", "b"),
        ("b", "a"),
        ("c", "b"),
    ]


def test_every_kind_of_warning_has_a_name():
    assert {f"kind_{key}" for key in WARNING_WORDS} == set(KIND_WORDS)

"""What a word is, and which lines have some."""

import pytest

from ocrtune.word_counts import count_word_errors, count_words, has_words, spacing


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["two words", "한국어 문장", "سلام دنیا", "Привет мир"], [True] * 4),
        (["你好世界", "こんにちは", "ภาษาไทย", "ខ្មែរ"], [False] * 4),
        (["iPhone 15 发布会今天举行在北京", "Beijing (北京) is large"], [False, True]),
        (["12.50", "total due"], [True, True]),  # a line of digits goes with the others
        (["12.50", "合计金额"], [False, False]),
        (["12.50", ""], [True, True]),
        ([], []),
    ],
)
def test_lines_with_words(texts, expected):
    assert has_words(spacing(texts)).tolist() == expected


def test_words_stand_between_spaces():
    assert count_words(["", "a", "a b, c"]).tolist() == [0, 1, 3]
    errors = count_word_errors(["a b c", "a b", "x", ""], ["a x c d", "a b", "", "y z"])
    assert errors.tolist() == [2, 0, 1, 2]

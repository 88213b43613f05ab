"""Numbers as people write them: where a token begins and ends, and when it was read exactly."""

import pytest

from ocrtune.number_tokens import count_numbers, find_numbers, numbers_of_all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Total 1.234,50 €", [("1.234,50", "amount")]),
        ("1'234.50 / 10 000 / 1,00,000", [("1'234.50", "amount"), ("10 000", "amount"),
                                          ("1,00,000", "amount")]),
        ("$ 5, 7 %, CHF 50.-", [("5", "amount"), ("7", "amount"), ("50", "amount")]),
        ("am 23.11.2026 um 12:30", [("23.11.2026", "date"), ("12:30", "time")]),
        ("2026-11-23, 23. 11. 2026", [("2026-11-23", "date"), ("23. 11. 2026", "date")]),
        ("2026年11月23日", [("2026年11月23", "date")]),
        ("+49 (0)30 1234-567", [("+49 (0)30 1234-567", "phone")]),
        ("(555) 123-4567", [("(555) 123-4567", "phone")]),
        ("手机13812345678", [("13812345678", "phone")]),
        ("共１２，３４５．６０元", [("１２，３４５．６０", "amount")]),
        ("۱۲٫۵ و ۱۴۰۲/۰۸/۱۵", [("۱۲٫۵", "amount"), ("۱۴۰۲/۰۸/۱۵", "date")]),
        ("1,2,3 und 2019, 2020", [("1", "number"), ("2", "number"), ("3", "number"),
                                  ("2019", "number"), ("2020", "number")]),
        ("A4, §12.3.1, 7/2019", [("4", "number"), ("12.3.1", "number"), ("7/2019", "number")]),
        ("x², ①, 十二, no digits", []),  # no decimal digits
    ],
)  # fmt: skip
def test_tokens(text, expected):
    found = find_numbers(text)
    assert [(one.text, one.kind) for one in found] == expected
    assert all(text[one.start : one.end] == one.text for one in found)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "tokens", "exact", "same_value"),
    [
        ("Total 12.50", "Tofal 12.50", 1, 1, 1),
        ("Total 12.50", "Total 12,50", 1, 0, 0),
        ("Total 12", "Total 123", 1, 0, 0),  # contained, not read
        ("Total 12", "Total 1 2", 1, 0, 0),
        ("Total 12 Tax 7", "Total 7 Tax 12", 2, 0, 0),  # both occur, each in the other's place
        ("a 12 b 13", "a 12 12 b 13", 2, 2, 2),  # an extra one takes nothing from the others
        ("a 12 b 13", "b 13", 2, 1, 1),
        ("１２元", "12元", 1, 0, 1),
        ("۱۲٫۵", "12.5", 1, 0, 1),
        ("no number", "7", 0, 0, 0),
        ("7", "", 1, 0, 0),
        ("2026-11-23 12:30", "2026-11-23 12:80", 2, 1, 1),
    ],
)
def test_numbers_read_exactly(reference, hypothesis, tokens, exact, same_value):
    counts = count_numbers([reference], numbers_of_all([reference]), [hypothesis])
    found = (counts.tokens[0], counts.exact[0], counts.same_value[0])
    assert found == (tokens, exact, same_value)
    sums = [sum(row[place] for row in counts.by_kind.values()) for place in range(3)]
    assert sums == [tokens, exact, same_value]

"""Layouts of pages: the authors' token counts, and a choice that people can follow."""

import json
from pathlib import Path

import pytest

from ocrtune.families.page_layouts import (
    PRESETS,
    choose_layout,
    image_tokens,
    is_legible,
    letter_height,
    text_units,
    useful_tokens,
)

PARITY = Path(__file__).parents[2] / "shared" / "parity" / "expected_images.json"
HAN = "剧情跌宕起伏好的特效"
A4 = (1240, 1754)


@pytest.mark.skipif(not PARITY.exists(), reason="the authors' figures are not here")
def test_token_counts_are_the_authors():
    rows = json.loads(PARITY.read_text("utf-8"))
    assert len(rows) >= 8
    for row in rows:
        for layout in PRESETS:
            assert image_tokens(row["width"], row["height"], layout) == row[layout]["image_tokens"]


@pytest.mark.parametrize(
    ("width", "layout", "tokens"),
    [(640, "base", 273), (640, "gundam", 273), (641, "gundam", 1183), (640, "tiny", 73)],
)
def test_one_pixel_can_cost_a_thousand_tokens(width, layout, tokens):
    assert image_tokens(width, 48, layout) == tokens


def test_padding_shows_nothing():
    assert useful_tokens(640, 48, "base") == pytest.approx(256 * 48 / 640)
    assert useful_tokens(640, 48, "tiny") == 64
    assert useful_tokens(*A4, "gundam") == pytest.approx(6 * 100 + 256 * 1240 / 1754)


def test_letters_are_as_high_as_there_is_room():
    assert text_units("ab 中文\n") == 0.5 * 3 + 2
    assert letter_height(640, 48) == pytest.approx(0.6 * 48)
    assert letter_height(640, 48, "x") == pytest.approx(48 / 1.25), "one letter fills the height"
    # 60 letters on 640 pixels: half as wide as high, they are 640 / 30 high at most
    assert letter_height(640, 48, 60 * "x") == pytest.approx(22, abs=1)
    assert letter_height(640, 48, "x\nx\nx") == pytest.approx(48 / 1.25 / 3)
    assert letter_height(*A4, "a few words") == letter_height(*A4) == pytest.approx(1754 / 70)
    assert letter_height(*A4, 5000 * "中") < 15


@pytest.mark.parametrize(
    ("size", "text", "layout"),
    [
        ((640, 48), "", "base"),  # tiny would stretch it 13 times
        ((641, 48), "", "base"),  # gundam would cut it in nine
        ((320, 96), HAN, "tiny"),
        ((640, 192), 520 * "x", "small"),  # letters too narrow for 512 pixels
        ((1600, 60), 110 * "x", "base"),
        ((300, 200), "", "tiny"),  # enlarged, so nothing is lost
        (A4, "", "base"),
        (A4, "a few words", "base"),  # they may be small all the same
        (A4, 200 * HAN, "base"),
        (A4, 270 * HAN, "large"),  # more than ten text tokens for a token of base
        (A4, 400 * HAN, "gundam"),
    ],
)
def test_the_cheapest_legible_layout_is_chosen(size, text, layout):
    choice = choose_layout([size] * 3, [text] * 3)
    assert choice.layout == layout, choice.reason()
    assert is_legible(*size, layout, text)


def test_nearly_all_pictures_count():
    lines, page = [(320, 96)] * 39, A4
    assert choose_layout([*lines, page]).layout == "tiny"  # 97 % are lines
    assert choose_layout([*lines[:9], page]).layout == "base"


def test_text_too_dense_for_all_is_told():
    choice = choose_layout([A4], [10_000 * "中"])
    assert choice.layout == "gundam"
    assert "100 % stays too small or too dense" in choice.reason()


def test_the_reason_names_what_was_weighed():
    reason = choose_layout([(640, 48), (641, 48), (641, 48)]).reason()
    for words in ("`base`", "3 pictures of about 641 x 48", "273 image tokens"):
        assert words in reason
    assert "too small, dense or stretched in `tiny` with 73" in reason
    assert "too small, dense or stretched in `tiny` with 73" in choose_layout([A4]).reason()


def test_without_sizes_the_default_stays():
    choice = choose_layout([], layouts=("tiny", "base"), default="base")
    assert choice.layout == "base"
    assert "no picture's size" in choice.reason()

"""Near-duplicates: copies across splits are found, other pictures and the same split are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from ocrtune.near_duplicates import near_duplicates
from ocrtune.pictures import Picture, check_picture

FONT = ImageFont.load_default(30)
WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def line(seed: int) -> tuple[Image.Image, str]:
    """Return a picture of a line of random words, and its text."""
    words = " ".join(np.random.RandomState(seed).choice(WORDS, 6))
    image = Image.new("L", (int(FONT.getlength(words)) + 20, 44), 230)
    ImageDraw.Draw(image).text((10, 4), words, fill=30, font=FONT)
    return image, words


def stored(image: Image.Image, kind: str = "JPEG", quality: int = 85) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return check_picture(buffer.getvalue())


def pairs(samples: list[tuple[Picture, str, int]]) -> list[tuple[int, int]]:
    """Return the rows of the pairs found among (picture, text, split)."""
    found = near_duplicates(
        [picture.signature for picture, _, _ in samples],
        [picture.pixels for picture, _, _ in samples],
        [text for _, text, _ in samples],
        [split for _, _, split in samples],
    )
    return [pair.rows for pair in found]


COPIES = {
    "saved again": lambda image: stored(image, quality=50),
    "as PNG": lambda image: stored(image, "PNG"),
    "scaled": lambda image: stored(image.resize((image.width * 9 // 10, image.height * 9 // 10))),
    "brighter": lambda image: stored(ImageEnhance.Brightness(image).enhance(1.1)),
    "cut by a pixel": lambda image: stored(image.crop((1, 1, image.width - 1, image.height - 1))),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_in_another_split_is_found_and_nothing_else(name):
    originals = [(stored(image), text, 0) for image, text in map(line, range(40))]
    copies = [(COPIES[name](image), text, 1) for image, text in map(line, range(0, 40, 4))]
    found = pairs([*originals, *copies])
    assert set(found) == {(4 * number, 40 + number) for number in range(10)}


def test_copies_in_one_split_are_no_leak():
    image, text = line(1)
    assert pairs([(stored(image), text, 0), (stored(image, quality=50), text, 0)]) == []


def test_the_same_picture_is_found_with_another_text():
    image, text = line(1)
    assert pairs([(stored(image), text, 0), (stored(image, quality=84), "other", 2)]) == [(0, 1)]


def test_forms_that_differ_in_a_number_are_no_copies():
    def form(number: str) -> tuple[Picture, str]:
        image = Image.new("L", (500, 44), 230)
        ImageDraw.Draw(image).text((10, 4), f"Invoice No. {number}", fill=30, font=FONT)
        return stored(image), f"Invoice No. {number}"

    assert pairs([(*form("2024"), 0), (*form("2025"), 1), (*form("2031"), 2)]) == []


def test_pictures_without_contrast_are_left_out():
    blank = stored(Image.new("L", (300, 40), 255))
    assert blank.signature == b""
    assert pairs([(blank, "a", 0), (blank, "a", 1)]) == []
    assert pairs([]) == []


def test_a_small_or_black_and_white_picture_has_a_signature():
    image, _ = line(2)
    assert len(stored(image.convert("1"), "PNG").signature) == 32
    assert len(stored(image.convert("RGB").resize((40, 12)), "PNG").signature) == 32

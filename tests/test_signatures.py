"""Signatures: copies of a picture are found by them, other lines are not, and in little time."""

import io
import random
import time

import numpy as np
import pytest
from line_samples import draw_line, some_texts
from PIL import Image, ImageEnhance

from ocrtune.near_duplicates import near_duplicates
from ocrtune.pictures import check_picture
from ocrtune.signatures import SIGNATURE_BYTES

TEXTS = some_texts(60)
LINES = [Image.open(io.BytesIO(draw_line(text))).convert("L") for text in TEXTS]


def encoded(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scaled(image, by):
    return image.resize((round(image.width * by), round(image.height * by)), 3)


def found_among(pictures, texts, split_of):
    """Return the pairs of rows that are near duplicates."""
    checked = [check_picture(data) for data in pictures]
    pairs = near_duplicates(
        [one.signature for one in checked], [one.pixels for one in checked], texts, split_of
    )
    return {pair.rows for pair in pairs}


@pytest.mark.parametrize(
    "change",
    [
        lambda image: encoded(image, quality=40),
        lambda image: encoded(image, "PNG"),
        lambda image: encoded(image.convert("RGB"), quality=80),
        lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.8), quality=85),
        lambda image: encoded(ImageEnhance.Contrast(image).enhance(0.7), quality=85),
        lambda image: encoded(scaled(image, 0.9), quality=85),
        lambda image: encoded(scaled(image, 1.5), quality=85),
    ],
    ids=["quality 40", "png", "colour", "darker", "paler", "smaller", "larger"],
)
def test_copies_are_found_and_nothing_else(change):
    pictures = [encoded(line, quality=95) for line in LINES] + [change(line) for line in LINES]
    count = len(LINES)
    found = found_among(pictures, TEXTS * 2, [0] * count + [1] * count)
    right = {(row, row + count) for row in range(count)}
    assert len(found & right) >= 0.9 * count
    assert found <= right


def test_a_picture_cut_by_a_pixel_is_mostly_found():
    cut = [line.crop((1, 1, line.width - 1, line.height - 1)) for line in LINES]
    pictures = [encoded(line, quality=95) for line in [*LINES, *cut]]
    count = len(LINES)
    found = found_among(pictures, TEXTS * 2, [0] * count + [1] * count)
    assert len(found & {(row, row + count) for row in range(count)}) >= 0.7 * count


def test_only_pairs_of_different_splits_are_told():
    pictures = [encoded(LINES[0], quality=quality) for quality in (95, 80, 60)]
    assert found_among(pictures, [TEXTS[0]] * 3, [0, 0, 2]) == {(0, 2), (1, 2)}


def test_blank_pictures_and_missing_signatures_are_near_to_nothing():
    blank = [encoded(Image.new("L", (300, 40), grey)) for grey in (255, 254, 250)]
    assert found_among(blank, ["same"] * 3, [0, 1, 2]) == set()
    nothing = near_duplicates([b""] * 3, [(300, 40)] * 3, ["same"] * 3, [0, 1, 2])
    assert nothing == near_duplicates([], [], [], []) == []


def test_other_proportions_are_another_picture():
    signature = check_picture(encoded(LINES[0])).signature
    sizes = [(400, 40), (600, 40)]
    assert near_duplicates([signature] * 2, sizes, ["same"] * 2, [0, 1]) == []
    assert len(near_duplicates([signature] * 2, [(400, 40)] * 2, ["same"] * 2, [0, 1])) == 1


@pytest.mark.parametrize("alike", [False, True], ids=["all different", "all the same"])
def test_many_pictures_are_compared_in_little_time(alike):
    count = 5_000
    values = np.random.RandomState(1).bytes(SIGNATURE_BYTES * count)
    signatures = [
        values[:SIGNATURE_BYTES] if alike else values[row : row + SIGNATURE_BYTES]
        for row in range(0, SIGNATURE_BYTES * count, SIGNATURE_BYTES)
    ]
    texts = [f"text {random.Random(row).random()}" for row in range(count)]
    started = time.process_time()
    pairs = near_duplicates(
        signatures, [(400, 40)] * count, texts, [row % 3 for row in range(count)]
    )
    assert time.process_time() - started < 8
    assert bool(pairs) == alike

"""Augmented pictures stay readable: paper at the edges, about the same size, never the same."""

import random

import numpy as np
from PIL import Image, ImageDraw

from ocrtune.augmenting import augment


def line(width=300, height=48):
    picture = Image.new("RGB", (width, height), (240, 230, 210))
    ImageDraw.Draw(picture).text((20, 8), "line of text", fill=(30, 30, 30), font_size=26)
    return picture


def test_pictures_change_a_little_and_differently_each_time():
    picture = line()
    changed = [augment(picture, random.Random(seed)) for seed in range(40)]
    assert {one.mode for one in changed} == {"RGB"}
    assert {one.height for one in changed} == {48}
    assert all(276 <= one.width <= 324 for one in changed), "8 % wider or narrower"
    assert len({one.tobytes() for one in changed}) == 40
    for one in changed:
        pixels = np.asarray(one, np.float32)
        assert pixels[:, -8:].mean() > 150, "paper, not a black frame, beyond the edge"
        assert pixels.min() < 140, "the ink is still there"


def test_the_same_source_gives_the_same_picture():
    first, second = (augment(line(), random.Random(3)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_tiny_and_grey_pictures_survive():
    for picture in (Image.new("L", (10, 10), 200), Image.new("1", (400, 11), 1)):
        for seed in range(10):
            assert min(augment(picture, random.Random(seed)).size) >= 9

"""Lines cut out of pages: straightened boxes, colours of the paper, files that stay small."""

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocrtune.crops import cut_line
from ocrtune.pictures import PictureError, compact

PAPER, NAVY, RED = (240, 235, 220), (0, 0, 128), (200, 0, 0)


def decoded(picture):
    """Return the pixels of a cut line."""
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB")).astype(int)


def leaning_bar(degrees, width=400, height=300, length=200, thickness=30):
    """Return a page with a navy bar whose left tenth is red, and the bar's corners."""
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    angle = math.radians(degrees)
    across = np.array([math.cos(angle), math.sin(angle)])
    down = np.array([-math.sin(angle), math.cos(angle)])
    middle = np.array([width / 2, height / 2])

    def corner(x, y):
        return tuple(middle + x * across + y * down)

    half, tall = length / 2, thickness / 2
    whole = [corner(-half, -tall), corner(half, -tall), corner(half, tall), corner(-half, tall)]
    start = [corner(-half, -tall), corner(-half * 0.8, -tall)]
    start += [corner(-half * 0.8, tall), corner(-half, tall)]
    draw.polygon(whole, fill=NAVY)
    draw.polygon(start, fill=RED)
    return image, " ".join(f"{round(x)},{round(y)}" for x, y in whole)


@pytest.mark.parametrize("degrees", [3, -12, 30, 90, 180, -90])
def test_a_leaning_box_is_straightened_in_the_direction_of_its_text(degrees):
    page, outline = leaning_bar(degrees)
    line = decoded(cut_line(page, outline, (), "1"))
    height, width = line.shape[:2]
    assert abs(width - 208) <= 3
    assert abs(height - 38) <= 3
    assert np.abs(line[8:-8, 30:-10] - NAVY).max() <= 15
    assert np.abs(line[8:-8, 8:18] - RED).max() <= 15  # where the text begins
    assert np.abs(line[0, 40:] - PAPER).max() <= 15


def test_a_straight_box_is_cut_pixel_for_pixel():
    page = Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 90), np.uint8))
    line = decoded(cut_line(page, "20,20 60,20 60,40 20,40", (), "1"))
    assert (line[:, :, 0] == np.asarray(page)[16:44, 16:64]).all()


def test_corners_that_cross_are_cut_as_a_polygon():
    page = Image.new("L", (600, 400), 200)
    assert cut_line(page, "10,10 590,390 590,10 10,391", (), "1").pixels <= page.size


def test_a_box_at_the_edge_is_cut_off_there():
    page = Image.new("L", (100, 50), 200)
    assert cut_line(page, "-10,30 60,30 60,60 -10,60", (), "1").pixels == (65, 25)
    with pytest.raises(PictureError, match="Line `7` lies outside"):
        cut_line(page, "-60,30 20,30 20,60 -60,60", (), "7")


def test_a_polygon_keeps_the_paper_of_its_page():
    page, _ = leaning_bar(0)
    line = decoded(cut_line(page, "150,100 250,100 250,165 150,165 145,120", (), "1"))
    assert tuple(line[-1, 0]) in (PAPER, NAVY)


def test_colour_photos_become_jpeg_and_everything_else_png():
    noise = np.random.default_rng(1).normal(0, 6, (60, 600, 3))
    photo = Image.fromarray(np.clip(noise + 180, 0, 255).astype(np.uint8))
    assert compact(photo).startswith(b"\xff\xd8")
    assert compact(photo.convert("L")).startswith(b"\x89PNG")
    assert compact(Image.new("RGB", (600, 60), PAPER)).startswith(b"\x89PNG")

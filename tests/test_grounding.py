"""Places that a model writes: read strictly, turned into pixels, drawn; nothing is evaluated."""

import io

import pytest
from PIL import Image

from ocrtune.grounding import draw_boxes, parse_places, upright_size, whole_places
from ocrtune.records import Box


def place(label: str, corners: str) -> str:
    return f"<|ref|>{label}<|/ref|><|det|>{corners}<|/det|>"


def box(label, x1, y1, x2, y2):
    return Box(label=label, x1=x1, y1=y1, x2=x2, y2=y2)


def test_coordinates_are_parts_of_999_of_the_pictures_own_sides():
    """Nothing is known of padding: a wide picture's boxes are scaled by each side alone."""
    raw = place("a", "[[0, 0, 999, 999]]") + place("b", "[[333, 111, 666, 555]]")
    found = parse_places(raw, 1998, 99)
    assert found.boxes == (box("a", 0, 0, 1997, 98), box("b", 666, 11, 1332, 55))
    assert found.damaged == 0


@pytest.mark.parametrize(
    ("raw", "kinds", "text"),
    [
        (place("Total", "[[1, 2, 3, 4]]") + place("12", "[[5, 5, 6, 6]]"), False, "Total\n12"),
        (place("a", "[[1,2,3,4]]") + "\n" + place("b", "[[1,2,3,4]]"), False, "a\nb"),
        ("see " + place("a", "[[1,2,3,4]]") + " there", False, "see a there"),
        (
            place("title", "[[1,2,3,4]]") + "\n# Name\n\n" + place("text", "[[1,2,3,4]]") + "\nIt",
            True,
            "# Name\n\nIt",
        ),
        ("no place at all [[1, 2, 3, 4]]", True, "no place at all [[1, 2, 3, 4]]"),
        ("", False, ""),
    ],
)
def test_the_text_is_free_of_marks(raw, kinds, text):
    assert parse_places(raw, 100, 100, kinds).text == text


def test_one_label_may_stand_in_several_places():
    found = parse_places(place("x", "[[0, 0, 99, 99], [100, 0, 199, 99]]"), 999, 999)
    assert found.boxes == (box("x", 0, 0, 99, 99), box("x", 100, 0, 199, 99))
    assert parse_places(place("x", "[1, 2, 3, 4]"), 999, 999).boxes == (box("x", 1, 2, 3, 4),)


@pytest.mark.parametrize(
    "corners",
    [
        "",
        "[]",
        "[[]]",
        "[[1, 2, 3]]",
        "[[1, 2, 3, 1000]]",
        "[[-1, 2, 3, 4]]",
        "[[3, 2, 1, 4]]",  # the right side left of the left one
        "[[1, 2, 3, 4.5]]",
        "[[true, 2, 3, 4]]",
        '[["1", 2, 3, 4]]',
        "[[1, 2, 3, 4], [1]]",
        "{}",
        "__import__('os').system('true')",
        "[" * 5000,
        "[[1, 2, 3, " + "9" * 5000 + "]]",
    ],
    ids=lambda text: text[:20],
)
def test_a_damaged_place_becomes_text_and_is_counted(corners):
    found = parse_places(place("a", corners) + place("b", "[[1, 2, 3, 4]]"), 999, 999)
    assert found.boxes == (box("b", 1, 2, 3, 4),)
    assert found.damaged == 1
    assert found.text == f"a{corners}\nb"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<|ref|>cut off", "cut off"),
        ("<|ref|>a<|/ref|><|det|>[[1, 2", "a[[1, 2"),
        ("<|det|>[[1, 2, 3, 4]]<|/det|>", "[[1, 2, 3, 4]]"),
        ("<|/ref|>x<|/det|>", "x"),
    ],
)
def test_loose_marks_are_taken_out(raw, text):
    found = parse_places(raw, 100, 100)
    assert (found.text, found.boxes) == (text, ())
    assert found.damaged == raw.startswith(("<|ref|>", "<|det|>"))


def test_a_place_inside_a_label_does_not_swallow_the_next_one():
    found = parse_places("<|ref|>a" + place("b", "[[1, 2, 3, 4]]"), 999, 999)
    assert found.boxes == (box("b", 1, 2, 3, 4),)
    assert (found.text, found.damaged) == ("a\nb", 1)


def test_an_unfinished_place_waits():
    whole = place("a", "[[1,2,3,4]]")
    assert whole_places(whole + "\n<|ref|>b<|/ref|><|det|>[[1") == whole + "\n"
    assert whole_places(whole + " end") == whole + " end"


def picture_of(width: int, height: int, orientation: int = 0) -> bytes:
    picture, stream = Image.new("RGB", (width, height), "white"), io.BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(stream, "JPEG", exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize(("orientation", "size"), [(0, (60, 40)), (3, (60, 40)), (6, (40, 60))])
def test_boxes_are_drawn_on_the_upright_picture(orientation, size):
    data = picture_of(60, 40, orientation)
    assert upright_size(data) == size
    boxes = parse_places(place("表", "[[100, 500, 900, 900]]"), *size).boxes
    drawn = Image.open(io.BytesIO(draw_boxes(data, boxes)))
    assert (drawn.format, drawn.size) == ("PNG", size)
    [found] = boxes
    for corner in ((found.x1, found.y2), (found.x2, found.y2), (found.x2, found.y1)):
        assert drawn.getpixel(corner) == (214, 39, 40)
    middle = (found.x1 + found.x2) // 2, (found.y1 + found.y2) // 2
    assert min(drawn.getpixel(middle)) > 245

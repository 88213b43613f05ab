"""Where on the picture a text stands: what a grounding prompt is answered with, read and drawn.

The model writes `<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>`, in parts of 999 of the
picture's own width and height, however the picture was laid out: padding is no part of the frame.
"""

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from ocrtune.records import Box

FRAME = 999  # the coordinate of the right and of the lower edge
TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
ORIENTATION = 0x0112  # the EXIF tag
PLACE = re.compile(r"<\|ref\|>((?:(?!<\|).)*)<\|/ref\|>\s*<\|det\|>((?:(?!<\|).)*)<\|/det\|>", re.S)
MARK = re.compile(r"<\|/?(?:ref|det)\|>")
LONGEST_LABEL = 24  # characters written on the picture
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")


@dataclass(frozen=True, kw_only=True)
class Grounded:
    """An answer with places in it, taken apart."""

    text: str  # without the marks
    boxes: tuple[Box, ...]  # in the order written
    damaged: int = 0  # places that could not be understood; their words are in the text


def labels_are_kinds(prompt: str) -> bool:
    """Return whether a prompt is answered with kinds of blocks (`title`), not words, as labels.

    To markdown the text stands behind each place; in all other answers the label is the text.
    """
    return "markdown" in prompt.lower()


def parse_places(raw: str, width: int, height: int, kinds: bool = False) -> Grounded:
    """Return the text and the boxes of an answer; damaged places become text and are counted.

    width, height: of the upright picture, in pixels; kinds: see `labels_are_kinds`.
    """
    text, boxes, damaged, end = "", [], 0, 0
    for place in PLACE.finditer(raw):
        text, lost = add_words(text, raw[end : place.start()])
        damaged += lost
        end = place.end()
        label, corners = place[1].strip(), parse_corners(place[2])
        if corners is None:
            damaged += 1
            text = on_new_line(text) + place[1] + place[2]
            continue
        boxes += [box_of(label, corner, width, height) for corner in corners]
        if kinds:
            end += raw.startswith("\n", end)  # the block begins on the next line
        else:
            text = on_new_line(text) + label
    text, lost = add_words(text, raw[end:])
    return Grounded(text=text, boxes=tuple(boxes), damaged=damaged + lost)


def on_new_line(text: str) -> str:
    """Return the text with a line break unless it ends in whitespace: places are apart."""
    return text if not text or text[-1].isspace() else text + "\n"


def add_words(text: str, between: str) -> tuple[str, int]:
    """Return the text with what stands between two places, and how many broken ones are there."""
    return text + MARK.sub("", between), max(between.count("<|ref|>"), between.count("<|det|>"))


def parse_corners(written: str) -> list[list[int]] | None:
    """Return the corners [x1, y1, x2, y2] of each box, 0 to FRAME; None if any cannot be right."""
    try:
        listed = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(listed, list) or not listed:
        return None
    corners = listed if isinstance(listed[0], list) else [listed]
    return corners if all(map(is_box, corners)) else None


def is_box(corner: object) -> bool:
    """Return whether these are four whole numbers within the frame, the smaller ones first."""
    if not isinstance(corner, list) or len(corner) != 4:
        return False
    if not all(type(number) is int and 0 <= number <= FRAME for number in corner):
        return False
    return corner[0] <= corner[2] and corner[1] <= corner[3]


def box_of(label: str, corner: Sequence[int], width: int, height: int) -> Box:
    """Return the box in pixels."""
    x1, y1, x2, y2 = (
        number * size // FRAME for number, size in zip(corner, (width, height) * 2, strict=True)
    )
    return Box(label=label, x1=x1, y1=y1, x2=min(x2, width - 1), y2=min(y2, height - 1))


def whole_places(raw: str) -> str:
    """Return an unfinished answer up to a place that is still being written."""
    begun = raw.rfind("<|ref|>")
    return raw[:begun] if begun > raw.rfind("<|/det|>") else raw


def upright_size(data: bytes) -> tuple[int, int]:
    """Return width and height, in pixels, of an encoded picture as people see it."""
    with Image.open(io.BytesIO(data)) as picture:
        turned = picture.getexif().get(ORIENTATION) in TURNED
        return (picture.height, picture.width) if turned else picture.size


def draw_boxes(data: bytes, boxes: Iterable[Box]) -> bytes:
    """Return a PNG of an encoded picture, upright, with the boxes and what they are on it.

    A short label is written, of another one the number of its box: Pillow has Latin letters only.
    """
    with Image.open(io.BytesIO(data)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    pen = ImageDraw.Draw(picture)
    size = max(picture.size)
    thick, letters = max(1, size // 500), max(10, size // 60)
    colours: dict[str, str] = {}  # by label
    for number, box in enumerate(boxes, start=1):
        colour = colours.setdefault(box.label, COLOURS[len(colours) % len(COLOURS)])
        pen.rectangle((box.x1, box.y1, box.x2, box.y2), outline=colour, width=thick)
        short = box.label.isascii() and box.label.isprintable() and len(box.label) <= LONGEST_LABEL
        label = box.label if short and box.label else str(number)
        place = (box.x1, max(0, box.y1 - letters - 2))
        pen.rectangle(pen.textbbox(place, label, font_size=letters), fill="white")
        pen.text(place, label, fill=colour, font_size=letters)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()

"""A drawing as PNG: shapes drawn twice as large and made smaller, then words on top."""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from ocrtune.report_drawings import Bar, Dot, Drawing, Stroke, Words
from ocrtune.report_fonts import BUILT_IN, font_for, font_of, plain

SCALE = 3  # pixels a unit: sharp on paper and on every screen
SMOOTH = 2  # times as large the shapes are drawn, for edges without steps
DPI = 96 * SCALE
MARGIN, TEXT, LINE = 14, 13, 20  # units: around everything, of letters, from line to line
KEY_SIDE = 10  # units of the square before a name of the key
DASH, GAP = 5, 4  # units
# Behind what a line may end: a word, or a Han character with the closing signs after it.
PIECE = re.compile(r"[\u2e80-\uffff][，。；：）、]*|[^\s\u2e80-\uffff]+\s*|\s+")

PAPER, INK, SOFT = "#ffffff", "#1d2330", "#667085"
COLOURS = {  # as `report_style.DRAWN` on paper
    "base": "#b45309",
    "tuned": "#1d6fd1",
    "more": "#6b8f71",
    "band": "#f7e7d6",
    "whisker": INK,
    "faint": "#838c9d",
    "rule": "#d9dee7",
    "substitutions": "#7c55bd",
    "deletions": "#1f7a6f",
    "insertions": "#b83a74",
}
THIN = {"rule": 1.0, "whisker": 1.5, "faint": 1.5}  # units; other strokes have 2


def draw(drawing: Drawing) -> bytes:
    """Return the drawing with its title, key and note as PNG; the same bytes for the same one."""
    pen = Pen(drawing)
    for shape in drawing.shapes:
        pen.shape(shape)
    pen.smooth()
    for shape in drawing.shapes:
        if isinstance(shape, Words):
            pen.words(shape)
    pen.text_around()
    stream = BytesIO()
    pen.image.save(stream, "PNG", compress_level=9, dpi=(DPI, DPI))
    return stream.getvalue()


class Pen:
    """Draws one drawing; places are in units from the corner of its shapes."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        texts = [drawing.title, drawing.note, *(name for _, name in drawing.key)]
        texts += [one.text for one in drawing.shapes if isinstance(one, Words) and not one.is_name]
        found = font_for(texts)
        self.font = BUILT_IN if found is None else found
        self.title = self.wrapped(drawing.title)
        self.note = self.wrapped(drawing.note)
        self.top = MARGIN + LINE * len(self.title) + 6
        self.key = self.top + drawing.height + 6  # where the key and the note begin
        below = LINE * (bool(drawing.key) + len(self.note)) + (6 if drawing.key else 0)
        width, height = drawing.width + 2 * MARGIN, self.key + below + MARGIN
        self.times = SCALE * SMOOTH
        size = (round(width * SCALE) * SMOOTH, round(height * SCALE) * SMOOTH)
        self.image = Image.new("RGB", size, PAPER)
        self.brush = ImageDraw.Draw(self.image)

    def wrapped(self, text: str) -> list[str]:
        """Return a text in lines that are no wider than the drawing."""
        font = font_of(self.shown(text), TEXT * SCALE, self.font)
        lines: list[str] = []
        for word in PIECE.findall(self.shown(text)):
            longer = lines[-1] + word if lines else word
            if lines and font and font.getlength(longer.rstrip()) <= self.drawing.width * SCALE:
                lines[-1] = longer
            else:
                lines.append(word.lstrip())
        return [line.rstrip() for line in lines]

    def shown(self, text: str) -> str:
        """Return the text with signs that the font has."""
        return plain(text) if self.font == BUILT_IN else text

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return the pixel of a place among the shapes."""
        return round((MARGIN + x) * self.times), round((self.top + y) * self.times)

    def shape(self, shape: Bar | Stroke | Dot | Words) -> None:
        """Draw what is not words."""
        match shape:
            case Bar():
                left, top = self.at(shape.x, shape.y)
                right, bottom = self.at(shape.x + shape.width, shape.y + shape.height)
                ends = (left, top, max(left, right - 1), max(top, bottom - 1))
                self.brush.rectangle(ends, fill=COLOURS[shape.kind])
            case Stroke():
                wide = round(THIN.get(shape.kind, 2.0) * self.times)
                lines = dashes(shape.points) if shape.is_dashed else [shape.points]
                for line in lines:
                    places = [self.at(x, y) for x, y in line]
                    self.brush.line(places, fill=COLOURS[shape.kind], width=wide, joint="curve")
            case Dot():
                middle, radius = self.at(shape.x, shape.y), shape.radius * self.times
                colour = COLOURS[shape.kind]
                filled = PAPER if shape.is_hollow else colour
                self.brush.circle(middle, radius, filled, colour, 2 * self.times)

    def smooth(self) -> None:
        """Make the shapes as large as the picture will be; from now on there are only words."""
        self.image = self.image.reduce(SMOOTH)
        self.brush = ImageDraw.Draw(self.image)
        self.times = SCALE

    def words(self, words: Words) -> None:
        """Write words at their place; without any font for them nothing."""
        text = self.shown(words.text)
        if font := font_of(text, TEXT * SCALE, self.font):
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[words.align]
            colour = SOFT if words.is_soft else INK
            self.brush.text(self.at(words.x, words.y), text, colour, font, anchor)

    def text_around(self) -> None:
        """Write the title above, and the key and the note below."""
        for number, line in enumerate(self.title):
            self.words(Words(x=0, y=MARGIN + LINE * number + 12 - self.top, text=line))
        y, x = self.key - self.top, 0.0
        for kind, name in self.drawing.key:
            corner, other = self.at(x, y + 5), self.at(x + KEY_SIDE, y + 5 + KEY_SIDE)
            self.brush.rectangle((*corner, other[0] - 1, other[1] - 1), fill=COLOURS[kind])
            self.words(Words(x=x + KEY_SIDE + 5, y=y + 15, text=name, is_soft=True))
            font = font_of(self.shown(name), TEXT * SCALE, self.font)
            x += KEY_SIDE + 5 + 16 + (font.getlength(self.shown(name)) / SCALE if font else 0)
        y += LINE + 6 if self.drawing.key else 0
        for number, line in enumerate(self.note):
            self.words(Words(x=0, y=y + LINE * number + 15, text=line, is_soft=True))


def dashes(points: Sequence[tuple[float, float]]) -> Iterator[tuple[tuple[float, float], ...]]:
    """Yield the dashes of a straight line from its first to its last point."""
    (x, y), (to_x, to_y) = points[0], points[-1]
    long = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    at = 0.0
    while at < long:
        end = min(at + DASH, long)
        yield tuple((x + (to_x - x) * s / long, y + (to_y - y) * s / long) for s in (at, end))
        at += DASH + GAP

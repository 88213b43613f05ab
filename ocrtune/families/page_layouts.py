"""Layouts of pages: what a picture costs in tokens, how legible its text stays, which preset suits.

Plain arithmetic over sizes in pixels; nothing here needs the network.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

AUTO = "auto"  # instead of a preset's name: the data decide
PIXELS_A_TOKEN = 64  # side of the square that one image token stands for
# A letter's height, and a Han character's width, below which strokes run together. DeepSeek-OCR
# reads A4 pages in `base`, where 10-point type is about 12 pixels high.
LEGIBLE_PIXELS = 12.0
# The DeepSeek-OCR paper (arXiv:2510.18234) measured 97 % precision up to ten text tokens for one
# image token, falling to 60 % at twenty. Padding counts for nothing there.
MOST_COMPRESSION = 10.0
# How much more a picture may grow in one direction than in the other. The published layouts stretch
# pages and photographs, which are never far from square; what a line stretched thirteen times looks
# like to the real model was never tried.
MOST_STRETCH = 4.0
LEGIBLE_SHARE = 0.95  # of the pictures, from which a preset is good enough
LINE_SHAPE = 4.0  # a picture so many times wider than high is taken for one line of text
LINES_A_PAGE = 70  # of a page whose text is not known: a dense one
PITCH = 1.25  # from line to line, in letter heights
FILLED = 0.6  # share of a picture that is covered by its lines of text
TOKENS_A_UNIT = 0.8  # text tokens for a letter height of line; what a Han character takes


@dataclass(frozen=True, kw_only=True)
class LayoutPreset:
    """Sizes in pixels: what the authors call base size, image size and crop mode, coupled."""

    size: int  # side of the square global view
    padded: bool  # keep the picture's shape inside the square, else stretch it
    crop_size: int = 0  # side of the square crops; 0: the picture is not cut
    max_crops: int = 9


PRESETS = {
    "tiny": LayoutPreset(size=512, padded=False),
    "small": LayoutPreset(size=640, padded=False),
    "base": LayoutPreset(size=1024, padded=True),
    "large": LayoutPreset(size=1280, padded=True),
    "gundam": LayoutPreset(size=1024, padded=True, crop_size=640),
}


def nearest_grid(width: int, height: int, side: int, max_crops: int) -> tuple[int, int]:
    """Return the (columns, rows) of 2 to `max_crops` squares nearest to the picture's shape.

    Equally near grids, as 1 x 1, 2 x 2 and 3 x 3 would be, are told apart by size: the larger one
    is taken when the picture has more than half of its pixels.
    """
    grids = [
        (columns, rows)
        for columns in range(1, max_crops + 1)
        for rows in range(1, max_crops + 1)
        if 2 <= columns * rows <= max_crops
    ]
    best, smallest = (1, 1), float("inf")
    for columns, rows in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width / height - columns / rows)
        enough_pixels = 2 * width * height > columns * rows * side * side
        if distance < smallest or (distance == smallest and enough_pixels):
            best, smallest = (columns, rows), distance
    return best


def crop_grid(width: int, height: int, preset: LayoutPreset) -> tuple[int, int]:
    """Return the (columns, rows) of a picture's crops; (0, 0) when it is not cut."""
    if not preset.crop_size or max(width, height) <= preset.crop_size:
        return 0, 0
    return nearest_grid(width, height, preset.crop_size, preset.max_crops)


def image_tokens(width: int, height: int, layout: str) -> int:
    """Return how many tokens a picture takes: a newline ends each row, a separator the picture."""
    preset = PRESETS[layout]
    side = math.ceil(preset.size / PIXELS_A_TOKEN)
    columns, rows = crop_grid(width, height, preset)
    part = math.ceil(preset.crop_size / PIXELS_A_TOKEN)
    return side * (side + 1) + 1 + rows * part * (columns * part + 1)


def scales(width: int, height: int, layout: str) -> tuple[float, float]:
    """Return how much wider and higher a picture becomes in the sharpest view of it."""
    preset = PRESETS[layout]
    columns, rows = crop_grid(width, height, preset)
    if columns:
        return columns * preset.crop_size / width, rows * preset.crop_size / height
    if preset.padded:
        return preset.size / max(width, height), preset.size / max(width, height)
    return preset.size / width, preset.size / height


def useful_tokens(width: int, height: int, layout: str) -> float:
    """Return how many image tokens show the picture, and not padding or the end of a row."""
    preset = PRESETS[layout]
    columns, rows = crop_grid(width, height, preset)
    shown = min(width, height) / max(width, height) if preset.padded else 1.0
    crops = columns * rows * (preset.crop_size / PIXELS_A_TOKEN) ** 2
    return crops + shown * (preset.size / PIXELS_A_TOKEN) ** 2


def text_units(text: str) -> float:
    """Return how long a text is in letter heights: a Han character is one, a Latin letter half."""
    return sum(
        1.0 if unicodedata.east_asian_width(character) in "WF" else 0.5
        for character in text
        if not character.isspace() or character == " "
    )


def letter_height(width: int, height: int, text: str = "") -> float:
    """Return about how many pixels high the smallest letters of a picture are, rather too few.

    A wide picture is one line, whose letters are as large as it has room for. Any other one may be
    a dense page, in which people can read every letter; how much of it is text makes its letters
    smaller, never larger: a few words on a large picture need not be large.
    """
    is_line = width >= LINE_SHAPE * height
    letter = FILLED * height if is_line else max(LEGIBLE_PIXELS, max(width, height) / LINES_A_PAGE)
    if units := text_units(text):
        room = math.sqrt(FILLED * width * height / (PITCH * units))
        letter = min(height / PITCH, room) if is_line else min(letter, room)
    lines = max(1, sum(bool(line.strip()) for line in text.splitlines()))
    return min(letter, height / (PITCH * lines))


def is_legible(width: int, height: int, layout: str, text: str = "") -> bool:
    """Return whether the text of a picture can still be read under a preset.

    Its letters must keep LEGIBLE_PIXELS in both directions, or all that they had: `tiny` squeezes
    a line of 640 x 48 to 512 pixels of width while it grows to ten times its height, and the width
    decides; an A4 page in `tiny` has letters of seven pixels. A picture may not be stretched out of
    any shape. Where the text is known, it must not be denser than the model can unpack.
    """
    letter = letter_height(width, height, text)
    across, down = scales(width, height, layout)
    if max(across, down) > MOST_STRETCH * min(across, down):
        return False
    if TOKENS_A_UNIT * text_units(text) > MOST_COMPRESSION * useful_tokens(width, height, layout):
        return False
    return min(across, down) * letter >= min(LEGIBLE_PIXELS, letter)


@dataclass(frozen=True, kw_only=True)
class LayoutChoice:
    """The preset that suits some pictures, and what speaks for it."""

    layout: str
    tokens: dict[str, float]  # image tokens a picture, mean, by preset
    legible: dict[str, float]  # share of the pictures whose text stays legible, by preset
    pictures: int  # that were looked at
    size: tuple[int, int]  # width and height of the middle one, in pixels

    def reason(self) -> str:
        """Return a sentence for people on what was chosen and why."""
        if not self.pictures:
            return f"Layout `{self.layout}`, the usual one: no picture's size could be read."
        width, height = self.size
        words = (
            f"Layout `{self.layout}`, chosen for {self.pictures} pictures of about "
            f"{width} x {height} pixels: {self.tokens[self.layout]:.0f} image tokens a picture"
        )
        if self.legible[self.layout] < LEGIBLE_SHARE:
            share = round(100 * (1 - self.legible[self.layout]))
            return (
                f"{words}. The text of {share} % stays too small or too dense even so: cut those "
                "pictures in parts."
            )
        others = {name: count for name, count in self.tokens.items() if name != self.layout}
        cheaper = {n: count for n, count in others.items() if count < self.tokens[self.layout]}
        dearer = {n: count for n, count in others.items() if n not in cheaper}
        words += ", the text stays legible"
        if dearer:
            words += f" ({counted(dearer)} would be no clearer to the model)"
        if cheaper:
            words += f"; too small, dense or stretched in {counted(cheaper)}"
        return words + "."


def counted(tokens: dict[str, float]) -> str:
    """Return presets with their tokens as a list for people."""
    return ", ".join(f"`{name}` with {count:.0f}" for name, count in tokens.items())


def choose_layout(
    sizes: Sequence[tuple[int, int]],
    texts: Sequence[str] = (),
    layouts: Sequence[str] = tuple(PRESETS),
    default: str = "base",
) -> LayoutChoice:
    """Return the cheapest of some presets under which nearly all pictures stay legible.

    sizes: (width, height) in pixels; texts: the ground truth of the same pictures, where it is
    known. Where no preset is good enough, the one that keeps most pictures legible is taken, of
    equals the one with the most tokens. Without any picture it is the default.
    """
    if not sizes:
        return LayoutChoice(layout=default, tokens={}, legible={}, pictures=0, size=(0, 0))
    pairs = list(zip(sizes, texts or [""] * len(sizes), strict=True))
    tokens = {name: fmean(image_tokens(*size, name) for size in sizes) for name in layouts}
    legible = {
        name: fmean(is_legible(*size, name, text) for size, text in pairs) for name in layouts
    }
    good = [name for name in layouts if legible[name] >= LEGIBLE_SHARE]
    if good:
        best = min(good, key=tokens.__getitem__)
    else:
        best = max(layouts, key=lambda name: (legible[name], tokens[name]))
    return LayoutChoice(
        layout=best,
        tokens=tokens,
        legible=legible,
        pictures=len(sizes),
        size=(round(median(w for w, _ in sizes)), round(median(h for _, h in sizes))),
    )

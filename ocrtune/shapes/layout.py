"""A page with its lines, as PAGE XML and ALTO both describe it."""

import re
from dataclasses import dataclass, field
from statistics import median

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PLAIN = re.compile(r"\d{1,5},\d{1,5}(?: \d{1,5},\d{1,5})+")
MOST_POINTS = 2_000  # of one outline; more are no line of text
Points = list[tuple[float, float]]


@dataclass(kw_only=True, slots=True)
class Line:
    """One line of text on a page."""

    id: str
    text: str
    outline: str = ""  # polygon: `x,y x,y …`; empty: unknown
    baseline: str = ""  # the same, where the polygon has to be made of it
    line_number: int = 0  # of the file


@dataclass(kw_only=True)
class PageLayout:
    """One page of a layout file; numbers are in the file's own unit."""

    pictures: list[str]  # what its picture may be called, the surest first
    size: tuple[int, int] | tuple[()] = ()  # width and height, where the file says it
    lines: list[Line] = field(default_factory=list)  # in reading order
    unit: str = "pixel"
    bare: list[Line] = field(default_factory=list)  # regions with a text and without lines


def parse_points(text: str) -> Points:
    """Return the points of `x,y x,y` or `x y x y`; none when they are no outline."""
    if len(text) > 40 * MOST_POINTS:
        return []
    numbers = [float(number) for number in NUMBER.findall(text)]
    points = list(zip(numbers[::2], numbers[1::2], strict=False))
    return points[:MOST_POINTS]


def kept_outline(text: str) -> str:
    """Return the outline that a file writes just as an Entry keeps it, else an empty string."""
    several = 4 < text.count(",") < MOST_POINTS
    return text if several and PLAIN.fullmatch(text) else ""


def outline_of(points: Points) -> str:
    """Return the points as an Entry keeps them, repeated ones once; empty for fewer than three.

    Four corners begin at the upper left and run clockwise, so that they can be straightened.
    """
    rounded = [(round(x), round(y)) for x, y in points]
    rounded = [one for i, one in enumerate(rounded) if i == 0 or one != rounded[i - 1]]
    if len(rounded) > 1 and rounded[0] == rounded[-1]:
        rounded.pop()
    if len(rounded) == 4:
        rounded = from_upper_left(rounded)
    return " ".join(f"{x},{y}" for x, y in rounded) if len(rounded) > 2 else ""


def from_upper_left(corners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return four corners clockwise from the upper left one."""
    following = corners[1:] + corners[:1]
    area = sum(x * b - a * y for (x, y), (a, b) in zip(corners, following, strict=True))
    turned = corners if area > 0 else corners[::-1]  # y grows downwards
    first = min(range(4), key=lambda i: sum(turned[i]))
    return turned[first:] + turned[:first]


def box_outline(x: float, y: float, width: float, height: float) -> str:
    """Return the outline of a box."""
    return outline_of([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def outline_around(outlines: list[str]) -> str:
    """Return the box around several outlines."""
    points = [point for outline in outlines for point in parse_points(outline)]
    if not points:
        return ""
    xs, ys = zip(*points, strict=True)
    return box_outline(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def add_bands(page: PageLayout) -> None:
    """Give lines that have only a baseline the band around it that the other lines suggest."""
    bare = [line for line in page.lines if not line.outline and line.baseline]
    if not bare:
        return
    heights = [y for line in page.lines for y in baseline_heights(line)]
    steps = [b - a for a, b in zip(heights, heights[1:], strict=False) if b - a > 0]
    step = median(steps) if steps else (page.size[1] / 40 if page.size else 60)
    for line in bare:
        points = parse_points(line.baseline)
        upper = [(x, y - 0.75 * step) for x, y in points]
        lower = [(x, y + 0.25 * step) for x, y in points]
        line.outline = outline_of([*upper, *reversed(lower)])


def baseline_heights(line: Line) -> list[float]:
    """Return the mean height of a line's baseline, in a list that is empty without one."""
    points = parse_points(line.baseline)
    return [sum(y for _, y in points) / len(points)] if points else []

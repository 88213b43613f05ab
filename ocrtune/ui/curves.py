"""The curves of a run while it learns, as SVG: a single point can be seen, too."""

import math
from collections.abc import Sequence

from ocrtune.report_charts_svg import svg
from ocrtune.report_drawings import Bar, Dot, Drawing, Stroke, Words
from ocrtune.ui.words import say

WIDTH, HEIGHT = 440, 220  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 40  # margins for what stands at the axes
TICKS = 4  # of the height, about
DOTTED = 15  # points that are drawn one by one
MOST = 400  # points of a stroke: more cannot be told apart

Point = tuple[int, float]  # step and value


def curve(points: Sequence[Point], column: str, total: int, language: str) -> str:
    """Return the curve of a column, as wide as the whole run; empty without a point.

    It stands on zero: a fall looks as large as it is.
    """
    if not points:
        return ""
    last = max(total, points[-1][0], 1)
    unit = tick_unit(max(value for _, value in points))
    top = unit * max(1, math.ceil(max(value for _, value in points) / unit - 1e-9))
    places = [
        (LEFT + step / last * (WIDTH - LEFT - RIGHT), height_of(value, top))
        for step, value in thinned(points)
    ]
    shapes: list[Bar | Stroke | Dot | Words] = [*rules(unit, top), *steps_axis(last, language)]
    if len(places) > 1:
        shapes.append(Stroke(kind="tuned", points=tuple(places)))
    shown = places if len(places) <= DOTTED else places[-1:]
    shapes += [Dot(kind="tuned", x=x, y=y, radius=4) for x, y in shown]
    step, value = points[-1]
    title = say(language, f"curve_{column}", step=step, value=figure(value))
    drawing = Drawing(name=column, title=title, width=WIDTH, height=HEIGHT, shapes=tuple(shapes))
    return f'<div class="ot-drawn">{svg(drawing)}</div>'


def thinned(points: Sequence[Point]) -> list[Point]:
    """Return so many points that each can be seen, the last one always among them."""
    every = math.ceil(len(points) / MOST)
    return [*points[: len(points) - 1 : every], points[-1]]


def tick_unit(highest: float) -> float:
    """Return a round distance between the lines of a height."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest / TICKS))
    return next(power * step for step in (1, 2, 5, 10) if highest / (power * step) <= TICKS)


def height_of(value: float, top: float) -> float:
    """Return the y of a value."""
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def rules(unit: float, top: float) -> list[Stroke | Words]:
    """Return the lines across, with their values."""
    shapes: list[Stroke | Words] = []
    for number in range(round(top / unit) + 1):
        y = height_of(number * unit, top)
        shapes.append(Stroke(kind="rule", points=((LEFT, y), (WIDTH - RIGHT, y))))
        words = f"{number * unit:g}"
        shapes.append(Words(x=LEFT - 8, y=y + 4, text=words, align="end", is_soft=True))
    return shapes


def steps_axis(last: int, language: str) -> list[Words]:
    """Return the first and the last step below the curve, and what they are."""
    y = HEIGHT - BOTTOM + 18
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        Words(x=LEFT, y=y, text="0", align="middle", is_soft=True),
        Words(x=middle, y=y, text=say(language, "chart_step"), align="middle", is_soft=True),
        Words(x=WIDTH - RIGHT, y=y, text=f"{last:,}", align="end", is_soft=True),
    ]


def figure(value: float) -> str:
    """Return a value as it is read aloud."""
    return f"{value:.3g}"

"""The learning curve as a drawing: CER by training samples, on a scale of doublings."""

import math
from collections.abc import Mapping

from ocrtune.bootstrap import FEW_LINES
from ocrtune.report_drawings import Bar, Dot, Drawing, Stroke, Words
from ocrtune.report_figures import percent

WIDTH, HEIGHT = 440, 300  # units of the drawing: its words can be read on a phone
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 20, 52  # margins for what stands at the axes
INSET = 20  # from the margins to the first and the last point
TICKS = 5  # of the CER, about

Shapes = list[Bar | Stroke | Dot | Words]


def drawing(values: Mapping, words: Mapping[str, str]) -> Drawing | None:
    """Return the chart of a curve's values (see `learning_curve`); None where there is none."""
    found = [point for point in values["points"] if point["cer"] is not None]
    if not found:
        return None
    shown = [*found, *expected(values)]
    scale = Scale(shown, values["base"])
    kind = "faint" if values["few_lines"] else "tuned"
    shapes: Shapes = [*rules(scale), *base_line(values, scale, words)]
    if len(found) > 1:
        places = tuple((scale.across(p["samples"]), scale.down(p["cer"])) for p in found)
        shapes.append(Stroke(kind="tuned", points=places))
    if len(shown) > len(found):
        places = tuple((scale.across(p["samples"]), scale.down(p["cer"])) for p in shown[-2:])
        shapes.append(Stroke(kind="tuned", points=places, is_dashed=True))
    for number, point in enumerate(shown):
        x = scale.across(point["samples"])
        ends = ((x, scale.down(point["low"])), (x, scale.down(point["high"])))
        shapes.append(Stroke(kind=kind, points=ends))
        hollow = number >= len(found)
        y = scale.down(point["cer"])
        shapes.append(Dot(kind="tuned", x=x, y=y, radius=5, is_hollow=hollow))
        count = f"{point['samples']:,}"
        shapes.append(Words(x=x, y=HEIGHT - BOTTOM + 20, text=count, align="middle", is_soft=True))
    middle = (LEFT + WIDTH - RIGHT) / 2
    shapes.append(
        Words(x=middle, y=HEIGHT - 10, text=words["samples"], align="middle", is_soft=True)
    )
    few = words["few_lines"].format(few=FEW_LINES) if values["few_lines"] else ""
    return Drawing(
        name="learn",
        title=words["chart"],
        width=WIDTH,
        height=HEIGHT,
        shapes=tuple(shapes),
        note=few,
    )


def expected(values: Mapping) -> list[Mapping]:
    """Return the forecast as a point, if it has numbers and the curve goes on to it."""
    told = values["forecast"]
    return [told] if told["cer"] is not None else []


class Scale:
    """Where numbers of samples and CERs lie in the drawing."""

    def __init__(self, shown: list[Mapping], base: Mapping) -> None:
        """shown: all points, from few samples to many."""
        rates = [base["cer"], base["high"], *(point["high"] for point in shown)]
        self.highest = max(rate or 0 for rate in rates) or 0.01
        self.first, self.last = (math.log2(shown[place]["samples"]) for place in (0, -1))

    def across(self, samples: int) -> float:
        """Return the x of a number of samples."""
        wide = self.last - self.first
        share = (math.log2(samples) - self.first) / wide if wide > 0 else 0.5
        return LEFT + INSET + share * (WIDTH - LEFT - RIGHT - 2 * INSET)

    def down(self, cer: float) -> float:
        """Return the y of a CER."""
        return HEIGHT - BOTTOM - cer / self.highest * (HEIGHT - TOP - BOTTOM)


def rules(scale: Scale) -> Shapes:
    """Return a line at each round CER, with its number."""
    step = tick(scale.highest)
    shapes: Shapes = []
    for number in range(int(scale.highest / step) + 1):
        y = scale.down(number * step)
        shapes.append(Stroke(kind="rule", points=((LEFT, y), (WIDTH - RIGHT, y))))
        told = percent(number * step)
        shapes.append(Words(x=LEFT - 8, y=y + 4, text=told, align="end", is_soft=True))
    return shapes


def base_line(values: Mapping, scale: Scale, words: Mapping[str, str]) -> Shapes:
    """Return the base model's CER across the whole drawing, over the band of its interval."""
    base, band = values["base"], []
    if base["low"] is not None and base["high"] is not None:
        high, low = scale.down(base["high"]), scale.down(base["low"])
        wide = WIDTH - LEFT - RIGHT
        band = [Bar(kind="band", x=LEFT, y=high, width=wide, height=low - high)]
    y = scale.down(base["cer"])
    line = Stroke(kind="base", points=((LEFT, y), (WIDTH - RIGHT, y)), is_dashed=True)
    name = Words(x=WIDTH - RIGHT - 4, y=y - 6, text=words["base"], align="end", is_soft=True)
    return [*band, line, name]


def tick(highest: float) -> float:
    """Return a round distance of about TICKS lines up to the highest CER."""
    rough = highest / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)

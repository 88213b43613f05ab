"""What the embedded model should reach, beside what a bench measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ocrtune.bench.lines import TUNED
from ocrtune.report_page import percent

TINY, TINY_TUNED, PEER = "tiny", "tiny, tuned", "Tesseract"
LINES_PER_SECOND = 15


@dataclass(frozen=True)
class Goal:
    """A figure that should not be above `most`; None is one that was not measured."""

    name: str
    most: float
    measured: float | None
    spell: Callable[[float], str]

    @property
    def verdict(self) -> str:
        """Whether it was reached, in words."""
        if self.measured is None:
            return "not measured"
        return "reached" if self.measured <= self.most else "**missed**"


def find_goals(figures: dict) -> Iterator[Goal]:
    """Yield every goal with what was measured."""
    yield from reading_goals(figures)
    yield from fraktur_goals(figures)
    yield from speed_goals(figures)
    size = figures["weights"]
    yield Goal("weights", 24, size["bytes"] / 1e6, "{:.1f} MB".format)
    yield Goal("largest shard of the weights", 10, size["largest_file"] / 1e6, "{:.1f} MB".format)


def reading_goals(figures: dict) -> Iterator[Goal]:
    """Yield the goals on print, and on lines that loop or run away."""
    yield Goal("CER, printed", 0.02, cer(figures, "printed"), percent)
    yield Goal("CER, printed Chinese", 0.03, cer(figures, "printed", "zh"), percent)
    yield Goal("CER, printed English", 0.015, cer(figures, "printed", "en"), percent)
    yield Goal("CER, printed German", 0.015, cer(figures, "printed", "de"), percent)
    rival = cer(figures, "printed", "zh", PEER)
    if rival is not None:
        chinese = cer(figures, "printed", "zh")
        yield Goal("CER, printed Chinese, of Tesseract", rival, chinese, percent)
    short, long = cer(figures, "printed", "short"), cer(figures, "long")
    ratio = long / short if short and long is not None else None
    yield Goal("CER of long lines by that of short ones", 1.5, ratio, "{:.2f}".format)
    yield Goal("CER, degraded", 0.08, cer(figures, "degraded"), percent)
    everywhere = [groups(figures, name)["all"]["readers"][TINY] for name in figures["sets"]]
    lines = sum(values["lines"] for values in everywhere)
    with_text = lines - sum(values["empty_references"] for values in everywhere)
    looped = sum(values["looped"] for values in everywhere) / lines
    over = sum(values["lines_over_100"] for values in everywhere) / with_text
    yield Goal("lines that loop, all sets", 0.005, looped, percent)
    yield Goal("lines over 100 % CER, all sets", 0.02, over, percent)


def fraktur_goals(figures: dict) -> Iterator[Goal]:
    """Yield the goals on real scans after a fine-tune."""
    tuned = cer(figures, TUNED, "all", TINY_TUNED)
    yield Goal("CER, Fraktur, tuned: floor", 0.12, tuned, percent)
    yield Goal("CER, Fraktur, tuned: aim", 0.05, tuned, percent)
    for name, rate in rates(figures, TUNED).items():
        if name.startswith(PEER):
            yield Goal(f"CER, Fraktur, tuned, of {name}", rate, tuned, percent)
    seconds = (figures["adapter"] or {}).get("seconds")
    yield Goal("fine-tune on Fraktur", 600, seconds, "{:.0f} s".format)


def speed_goals(figures: dict) -> Iterator[Goal]:
    """Yield the goals of speed and memory."""
    reading, training = figures["speed"] or ({}, {})
    rate = reading.get("lines_per_second")
    line = 1000 / rate if rate else None
    yield Goal("loading", 2, reading.get("load_seconds"), "{:.1f} s".format)
    yield Goal("a line in batches", 1000 / LINES_PER_SECOND, line, "{:.0f} ms".format)
    yield Goal("one line", 0.2, reading.get("line_seconds"), "{:.2f} s".format)
    yield Goal("60 training steps", 60, training.get("sixty_steps_seconds"), "{:.0f} s".format)
    yield Goal("memory of training", 3072, training.get("peak_megabytes"), "{:,.0f} MiB".format)


def groups(figures: dict, name: str) -> dict[str, dict]:
    """Return a set's groups of lines; none if it was not read."""
    return figures["sets"].get(name, {}).get("groups", {})


def rates(figures: dict, set_name: str, name: str = "all") -> dict[str, float]:
    """Return every reader's CER on a group of lines."""
    readers = groups(figures, set_name).get(name, {}).get("readers", {})
    return {reader: values["cer"] for reader, values in readers.items()}


def cer(figures: dict, set_name: str, name: str = "all", reader: str = TINY) -> float | None:
    """Return a reader's CER on a group of lines; None if it was not measured."""
    return rates(figures, set_name, name).get(reader)

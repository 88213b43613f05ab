"""The charts of a report as drawings: rates with intervals, kinds of errors, lengths."""

from collections.abc import Mapping, Sequence

import numpy as np

from ocrtune.bootstrap import DRAWS, FEW_LINES, SEED, own_interval
from ocrtune.report_drawings import (
    Bar,
    Drawing,
    Stroke,
    Words,
    columns,
    readable,
    shortened,
    whisker,
)
from ocrtune.report_figures import percent
from ocrtune.scores import Counts

MODELS = ("base", "tuned")
WIDTH, ROW, LEFT, RIGHT = 360, 26, 82, 66  # units of the drawing, about pixels on a phone
ERRORS = ("substitutions", "deletions", "insertions")
LONGEST_NAME = 10  # columns that fit left of a bar
LONGEST_LINE = 42  # columns that fit above one

Shapes = list[Bar | Stroke | Words]


def drawings(values: Mapping, words: Mapping[str, str]) -> list[Drawing]:
    """Return the charts of a report's values that have something to show."""
    found = (rates(values, words), composition(values, words), lengths(values, words))
    return [one for one in found if one]


def rates(values: Mapping, words: Mapping[str, str]) -> Drawing | None:
    """Return a bar of the pooled CER for each model with its 95 % interval; None without a CER."""
    rows = [
        (words[model], model, values[model]["cer"], interval(values, model)) for model in MODELS
    ]
    rows += [(one["name"], "more", one["summary"]["cer"], known(one)) for one in further(values)]
    rows = [row for row in rows if row[2] is not None]
    if not rows:
        return None
    most = max(max(rate, span[1] if span else 0) for _, _, rate, span in rows) or 1
    few = values["difference"]["few_lines"]
    above = any(columns(readable(name)) > LONGEST_NAME for name, *_ in rows)
    shapes: Shapes = []
    top = 0
    for name, kind, rate, span in rows:
        if above:
            shapes.append(label(top, name, LONGEST_LINE, is_name=True))
            top += ROW - 6
        left = 0 if above else LEFT
        shapes += named_bar(top, "" if above else name, kind, rate / most, percent(rate), left)
        if span:
            ends = [left + (WIDTH - left - RIGHT) * end / most for end in span]
            shapes += whisker(ends[0], ends[1], top + 13, "faint" if few else "whisker")
        top += ROW + (4 if above else 0)
    note = words["grey_whiskers"].format(few=FEW_LINES) if few else ""
    return Drawing(
        name="chart_cer",
        title=words["chart_rates"],
        width=WIDTH,
        height=top,
        shapes=tuple(shapes),
        note=note,
    )


def interval(values: Mapping, model: str) -> tuple[float, float] | None:
    """Return the 95 % interval of one model's pooled CER; None without references."""
    if "intervals" in values:
        return known(values["intervals"][model])
    # A report written before intervals were is drawn from its lines.
    lines = values["worst"]
    names = ("reference_characters", f"{model}_errors")
    lengths_, errors = (np.array([line[name] for line in lines], np.int64) for name in names)
    made_by = values.get("bootstrap", {})
    draws, seed = made_by.get("draws", DRAWS), made_by.get("seed", SEED)
    return known(own_interval(Counts.of_errors(lengths_, errors), draws, seed))


def known(one: Mapping) -> tuple[float, float] | None:
    """Return the ends of an interval; None where it has none."""
    low, high = one.get("low"), one.get("high")
    return None if low is None or high is None else (low, high)


def further(values: Mapping) -> list[Mapping]:
    """Return the models of the ranking beside the two that the report compares."""
    ranking, models = values.get("ranking"), values["models"]
    # A ranking names an adapter alone, the comparison with its base model before it.
    ours = {*models.values(), models["tuned"].removeprefix(f"{models['base']} + ")}
    return [one for one in ranking["models"] if one["name"] not in ours] if ranking else []


def composition(values: Mapping, words: Mapping[str, str]) -> Drawing | None:
    """Return how many substitutions, deletions and insertions each model's errors are."""
    most = max(values[model]["errors"] for model in MODELS)
    if not most:
        return None
    shapes: Shapes = []
    for number, model in enumerate(MODELS):
        top, start = ROW * number, float(LEFT)
        shapes += named_bar(top, words[model], model, 0, f"{values[model]['errors']:,}")
        for kind in ERRORS:
            wide = (WIDTH - LEFT - RIGHT) * values[model][kind] / most
            title = f"{words[kind]}: {values[model][kind]:,}"
            shapes.append(Bar(kind=kind, x=start, y=top + 5, width=wide, height=16, title=title))
            start += wide
    return Drawing(
        name="chart_errors",
        title=words["chart_errors"],
        width=WIDTH,
        height=ROW * len(MODELS),
        shapes=tuple(shapes),
        key=tuple((kind, words[kind]) for kind in ERRORS),
    )


def lengths(values: Mapping, words: Mapping[str, str]) -> Drawing | None:
    """Return both models' CER by the length of the reference, one pair of bars per bucket."""
    buckets = [one for one in values.get("lengths", ()) if one["base"]["cer"] is not None]
    most = max((one[model]["cer"] for one in buckets for model in MODELS), default=0)
    if not most:
        return None
    shapes: Shapes = []
    top = 0
    for one in buckets:
        shapes.append(label(top, bucket_name(one, words), LONGEST_LINE, is_soft=True))
        top += ROW - 5
        for model in MODELS:
            rate = one[model]["cer"]
            shapes += named_bar(top, words[model], model, rate / most, percent(rate))
            top += ROW - 4
        top += 6
    return Drawing(
        name="chart_lengths",
        title=words["chart_lengths"],
        width=WIDTH,
        height=top,
        shapes=tuple(shapes),
    )


def bucket_name(bucket: Mapping, words: Mapping[str, str]) -> str:
    """Return from how many to how many characters a bucket goes, and how many lines it has."""
    longest, count = bucket["longest"], bucket["lines"]
    span = f"{bucket['shortest']}+" if longest is None else f"{bucket['shortest']}–{longest}"
    lines = words["one_line" if count == 1 else "many_lines"].format(count=f"{count:,}")
    return words["characters"].format(span=span, lines=lines)


def label(
    top: float, name: str, longest: int, is_soft: bool = False, is_name: bool = False
) -> Words:
    """Return a name at the left of a row, its end alone where it is too long."""
    shown = readable(name)
    short = shortened(shown, longest)
    title = name if short != name else ""
    return Words(x=0, y=top + 17, text=short, title=title, is_soft=is_soft, is_name=is_name)


def named_bar(
    top: float, name: str, kind: str, share: float, number: str, left: float = LEFT
) -> Sequence[Bar | Words]:
    """Return a bar with its name before and its number behind; share: of the longest bar."""
    wide = (WIDTH - left - RIGHT) * share
    named = [label(top, name, LONGEST_NAME, is_name=True)] if name else []
    filled = [Bar(kind=kind, x=left, y=top + 5, width=wide, height=16)] if wide else []
    return [*named, *filled, Words(x=WIDTH, y=top + 17, text=number, align="end")]

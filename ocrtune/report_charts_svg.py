"""The charts of report.html as inline SVG: rates with intervals, kinds of errors, lengths."""

from collections.abc import Mapping, Sequence
from html import escape

from ocrtune.bootstrap import paired_bootstrap
from ocrtune.report_figures import percent

MODELS = ("base", "tuned")
WIDTH, ROW, LEFT, RIGHT = 360, 26, 78, 62  # units of the drawing, about pixels on a phone
ERRORS = ("substitutions", "deletions", "insertions")
LONGEST_NAME = 12  # characters that fit left of a bar


def charts(values: Mapping, words: Mapping[str, str]) -> str:
    """Return all charts of a report's values as HTML."""
    return rates(values, words) + composition(values, words) + lengths(values, words)


def rates(values: Mapping, words: Mapping[str, str]) -> str:
    """Return a bar of the pooled CER for each model; base and tuned with their 95 % interval."""
    rows = [
        (words[model], model, values[model]["cer"], interval(values, model)) for model in MODELS
    ]
    rows += [(one["name"], "more", one["summary"]["cer"], None) for one in further(values)]
    most = max((span[1] if span else rate or 0) for _, _, rate, span in rows) or 1
    drawn = []
    for number, (name, kind, rate, span) in enumerate(rows):
        top = ROW * number
        drawn.append(named_bar(top, name, kind, (rate or 0) / most, percent(rate)))
        if span:
            drawn.append(whisker(top, span[0] / most, span[1] / most))
    return figure(words["chart_rates"], len(rows), drawn)


def interval(values: Mapping, model: str) -> tuple[float, float] | None:
    """Return the 95 % interval of one model's pooled CER by the bootstrap over its lines."""
    errors = [line[f"{model}_errors"] for line in values["worst"]]
    characters = [line["reference_characters"] for line in values["worst"]]
    if not sum(characters):
        return None
    return paired_bootstrap([0] * len(errors), errors, characters)


def further(values: Mapping) -> list[Mapping]:
    """Return the models of the ranking beside the two that the report compares."""
    ranking = values.get("ranking")
    ours = set(values["models"].values())
    return [one for one in ranking["models"] if one["name"] not in ours] if ranking else []


def composition(values: Mapping, words: Mapping[str, str]) -> str:
    """Return how many substitutions, deletions and insertions each model's errors are."""
    most = max(values[model]["errors"] for model in MODELS)
    if not most:
        return ""
    drawn = []
    for number, model in enumerate(MODELS):
        top, start = ROW * number, 0.0
        drawn.append(named_bar(top, words[model], model, 0, f"{values[model]['errors']:,}"))
        for kind in ERRORS:
            share = values[model][kind] / most
            drawn.append(bar(top, kind, start, share, f"{words[kind]}: {values[model][kind]:,}"))
            start += share
    key = "".join(f'<span class="key {kind}">{escape(words[kind])}</span> ' for kind in ERRORS)
    return figure(words["chart_errors"], len(MODELS), drawn, f"<p>{key}</p>")


def lengths(values: Mapping, words: Mapping[str, str]) -> str:
    """Return both models' CER by the length of the reference, one pair of bars per bucket."""
    buckets = [one for one in values.get("lengths", ()) if one["base"]["cer"] is not None]
    most = max((one[model]["cer"] for one in buckets for model in MODELS), default=0)
    if not most:
        return ""
    drawn, row = [], 0
    for one in buckets:
        for model in MODELS:
            name = length_name(one) if model == "base" else f"n = {one['lines']:,}"
            rate = one[model]["cer"]
            drawn.append(named_bar(ROW * row, name, model, rate / most, percent(rate)))
            row += 1
    key = "".join(f'<span class="key {model}">{words[model]}</span> ' for model in MODELS)
    return figure(words["chart_lengths"], row, drawn, f"<p>{key}</p>")


def length_name(bucket: Mapping) -> str:
    """Return from how many to how many characters a bucket goes."""
    longest = bucket["longest"]
    return f"{bucket['shortest']}–{longest}" if longest is not None else f"{bucket['shortest']}+"


def named_bar(top: int, name: str, kind: str, share: float, number: str) -> str:
    """Return a bar with its name before and its number behind; share: of the longest bar."""
    short = name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"
    return (
        f'<text x="0" y="{top + 17}"><title>{escape(name)}</title>{escape(short)}</text>'
        f"{bar(top, kind, 0, share, '')}"
        f'<text x="{WIDTH}" y="{top + 17}" text-anchor="end">{number}</text>'
    )


def bar(top: int, kind: str, start: float, share: float, title: str) -> str:
    """Return a rectangle; start and share are fractions of the longest bar."""
    room = WIDTH - LEFT - RIGHT
    told = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect class="{kind}" x="{LEFT + room * start:.1f}" y="{top + 5}" '
        f'width="{room * share:.1f}" height="16">{told}</rect>'
    )


def whisker(top: int, low: float, high: float) -> str:
    """Return the line of an interval across a bar."""
    room, middle = WIDTH - LEFT - RIGHT, top + 13
    left, right = (f"{LEFT + room * end:.1f}" for end in (low, high))
    return (
        f'<path class="whisker" d="M{left} {middle}H{right}M{left} {middle - 5}v10'
        f'M{right} {middle - 5}v10"/>'
    )


def figure(title: str, rows: int, drawn: Sequence[str], below: str = "") -> str:
    """Return a drawing of so many rows under its title."""
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg role="img" '
        f'aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {ROW * rows}">{"".join(drawn)}</svg>'
        f"{below}</figure>"
    )

"""The page of a learning curve: one HTML file with the curve as SVG, which needs no network."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from ocrtune.learning_words import WORDS
from ocrtune.report_page import percent, points

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 20, 52  # margins for what stands at the axes
TICKS = 5  # of the CER, about

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2330; --soft: #667085; --rule: #d9dee7;
  --base: #b45309; --tuned: #1d6fd1 }
@media (prefers-color-scheme: dark) { :root { --page: #14171d; --ink: #e7eaf0; --soft: #98a2b3;
  --rule: #343b48; --base: #f0a04b; --tuned: #6fb1ff } }
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } .verdict { font-size: 1.15rem } .soft { color: var(--soft) }
svg { width: 100%; height: auto } text { fill: var(--soft); font-size: 13px }
.rule { stroke: var(--rule) } .base { stroke: var(--base) } .tuned { stroke: var(--tuned) }
.tuned.dot { fill: var(--tuned) } .hollow { fill: var(--page) } .dashed { stroke-dasharray: 5 4 }
path, line { fill: none; stroke-width: 2 } .rule { stroke-width: 1 }
table { border-collapse: collapse } .wide { overflow-x: auto }
td, th { border-bottom: 1px solid var(--rule); padding: .2rem .8rem .2rem 0; text-align: end;
  font-variant-numeric: tabular-nums; white-space: nowrap }
th { color: var(--soft); font-weight: normal }
"""


def render_curve(values: Mapping, language: str = "en") -> str:
    """Return the page of a curve's values (see `learning_curve.curve_values`)."""
    words = WORDS[language]
    measured = words["measured"].format(
        lines=f"{values['lines']:,}", split=values["split"], data=values["data"]
    )
    told = [measured]
    if values["seen"]:
        told.append(words["seen"].format(seen=values["seen"]))
    told += unseen(values, words)
    told += [words["same_steps" if values["same_steps"] else "same_epochs"], words["doubt"]]
    unfinished = "" if values["finished"] else f"<p>{escape(words['unfinished'])}</p>"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(words['title'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(words['title'])}</h1>\n"
        f'<p class="verdict">{escape(values["verdict"][language])}</p>\n{unfinished}'
        f"{chart(values, words)}\n{table(values, words)}\n"
        f'<p class="soft">{escape(" ".join(told))}</p>\n</body>\n</html>\n'
    )


def unseen(values: Mapping, words: Mapping[str, str]) -> list[str]:
    """Return a sentence on the largest share, if there were too few steps to see all of it."""
    last = values["points"][-1]
    return [words["unseen"].format(samples=f"{last['samples']:,}")] if last["passes"] < 1 else []


def expected(values: Mapping) -> list[Mapping]:
    """Return the forecast as a point, if it has numbers and the curve goes on to it."""
    told = values["forecast"]
    return [told] if told["cer"] is not None else []


def chart(values: Mapping, words: Mapping[str, str]) -> str:
    """Return the curve as SVG, samples on a scale of doublings; empty where there is none."""
    found = [point for point in values["points"] if point["cer"] is not None]
    if not found:
        return ""
    shown = [*found, *expected(values)]
    base = values["base"]["cer"]
    highest = max([base, *(point["high"] for point in shown)]) or 0.01
    first, last = (math.log2(shown[place]["samples"]) for place in (0, -1))
    step = tick(highest)

    def across(samples: int) -> float:
        share = (math.log2(samples) - first) / (last - first) if last > first else 0.5
        return LEFT + 20 + share * (WIDTH - LEFT - RIGHT - 40)

    def down(cer: float) -> float:
        return HEIGHT - BOTTOM - cer / highest * (HEIGHT - TOP - BOTTOM)

    def path(ends: Sequence[Mapping], kind: str) -> str:
        places = " L".join(f"{across(p['samples']):.1f} {down(p['cer']):.1f}" for p in ends)
        return f'<path class="{kind}" d="M{places}"/>'

    parts = []
    for number in range(int(highest / step) + 1):
        y = down(number * step)
        parts.append(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{percent(number * step)}</text>"
        )
    y = down(base)
    parts.append(
        f'<line class="base dashed" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{y - 6:.1f}" text-anchor="end">'
        f"{escape(words['base'])}</text>"
    )
    if len(found) > 1:
        parts.append(path(found, "tuned"))
    if len(shown) > len(found):
        parts.append(path(shown[-2:], "tuned dashed"))
    for place, point in enumerate(shown):
        x, kind = across(point["samples"]), "dot" if place < len(found) else "hollow"
        parts.append(
            f'<line class="tuned" x1="{x:.1f}" x2="{x:.1f}" y1="{down(point["low"]):.1f}" '
            f'y2="{down(point["high"]):.1f}"/><circle class="tuned {kind}" cx="{x:.1f}" '
            f'cy="{down(point["cer"]):.1f}" r="5" stroke-width="2"/>'
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{point['samples']:,}</text>"
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">'
        f"{escape(words['samples'])}</text>"
    )
    opening = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="'
    return f'{opening}{escape(words["title"])}">{"".join(parts)}</svg>'


def tick(highest: float) -> float:
    """Return a round distance of about TICKS lines up to the highest CER."""
    rough = highest / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)


def table(values: Mapping, words: Mapping[str, str]) -> str:
    """Return the points as an HTML table."""
    names = ("share", "samples", "steps", "passes", "cer", "interval", "change")
    head = "".join(f"<th>{escape(words[name])}</th>" for name in names)
    rows = [[escape(cell) for cell in row] for row in table_rows(values, words)]
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def table_rows(values: Mapping, words: Mapping[str, str]) -> list[list[str]]:
    """Return the cells of all points, with the base model first and what is expected last."""

    def span(one: Mapping) -> str:
        return f"{percent(one['low'])} – {percent(one['high'])}"

    base = values["base"]
    rows = [[words["base"], "0", "", "", percent(base["cer"]), span(base), ""]]
    for number, point in enumerate(values["points"]):
        told = ""
        if number:
            found = values["changes"][number - 1]
            told = f"{points(found['cer'])} ({points(found['low'])} … {points(found['high'])})"
            told += "" if found["decided"] else f" {words['undecided']}"
        rows.append(
            [f"{point['fraction']:g}", f"{point['samples']:,}", str(point["steps"])]
            + [f"{point['passes']:.1f}", percent(point["cer"]), span(point), told]
        )
    rows += [
        [words["forecast"], f"{one['samples']:,}", "", "", percent(one["cer"]), span(one), ""]
        for one in expected(values)
    ]
    return rows


def curve_lines(values: Mapping) -> list[str]:
    """Return the curve as the lines of a table for a terminal, and what it says."""
    words = WORDS["en"]
    names = ("share", "samples", "steps", "passes", "cer", "interval", "change")
    rows = [[words[name] for name in names], *table_rows(values, words)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(names))]
    lines = [
        "  ".join(
            cell.ljust(wide) if place in (0, 6) else cell.rjust(wide)
            for place, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    unfinished = [] if values["finished"] else [words["unfinished"]]
    return [*lines, *unfinished, *unseen(values, words), values["verdict"]["en"]]

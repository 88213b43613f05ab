"""The page of a learning curve: one HTML file with the curve as SVG, which needs no network."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from ocrtune.learning_chart import drawing, expected
from ocrtune.learning_words import WORDS
from ocrtune.report_charts_png import can_draw, other_language, save
from ocrtune.report_charts_svg import figure
from ocrtune.report_figures import percent, points
from ocrtune.report_style import DRAWN, PALETTE

STYLE = f"""{PALETTE}{DRAWN}
body {{ background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }}
h1 {{ font-size: 1.4rem }} .verdict {{ font-size: 1.15rem }} .soft {{ color: var(--soft) }}
figure {{ margin: 1rem 0; max-width: 36rem }}
table {{ border-collapse: collapse }} .wide {{ overflow-x: auto }}
td, th {{ border-bottom: 1px solid var(--rule); padding: .2rem .8rem .2rem 0; text-align: end;
  font-variant-numeric: tabular-nums; white-space: nowrap }}
th {{ color: var(--soft); font-weight: normal }}
td:first-child, th:first-child {{ text-align: start }}
@media print {{ .wide {{ overflow: visible }} td, th {{ white-space: normal }} }}
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


def chart(values: Mapping, words: Mapping[str, str]) -> str:
    """Return the curve as HTML; empty where there is none."""
    drawn = drawing(values, words)
    return figure(drawn) if drawn else ""


def write_chart(values: Mapping, folder: Path, language: str = "en") -> list[str]:
    """Write the curve as a PNG file, learn.png; return what is otherwise than asked for.

    In English where no font here has the language's letters.
    """
    words, notes = WORDS[language], []
    if not can_draw(words, ("chart", "samples", "base", "few_lines")):
        words, notes = WORDS["en"], [other_language(language)]
    (folder / "learn.png").unlink(missing_ok=True)  # of an earlier curve
    drawn = drawing(values, words)
    save([drawn] if drawn else [], folder)
    return notes


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

"""The report's tables that break both models' errors down: by way, script, document, number."""

from collections.abc import Mapping, Sequence
from html import escape

from ocrtune.report_figures import percent, points, section, span, table

SHOWN_WAYS = 30  # of misreading
SHOWN_GROUPS = 50

RATES = ("cer", "median_line_cer", "mean_line_cer", "cer_without_loops", "bounded_cer")
ROWS = (
    *("cer", "errors", "reference_characters", "substitutions", "deletions", "insertions"),
    *("lines", "exact_lines", "median_line_cer", "mean_line_cer", "lines_over_100"),
    *("looped", "cer_without_loops", "cut", "failed", "empty_references", "bounded_cer"),
)


def breakdowns(values: Mapping, words: Mapping[str, str]) -> str:
    """Return the tables of a report's values that have something to show, as HTML."""
    parts = breakdown_parts(values, words)
    return "".join(section(name, html, words) for name, html in parts if html)


def breakdown_parts(values: Mapping, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the tables as (key of the title, HTML); those with nothing to show are empty."""
    return [
        ("read_numbers", numbers(values, words)),
        ("confusion_table", ways(values.get("confusion_table", ())[:SHOWN_WAYS], words)),
        ("errors_gone", ways(values.get("errors_gone", ()), words)),
        ("errors_left", ways(values.get("errors_left", ()), words)),
        ("errors_added", ways(values.get("errors_added", ()), words)),
        ("scripts", rates(values.get("scripts", ()), words)),
        ("groups", rates(values.get("groups", {}).get("rows", ())[:SHOWN_GROUPS], words)),
    ]


def word_row(values: Mapping, words: Mapping[str, str]) -> list[list[str]]:
    """Return the row of the word error rate, none where no line has words."""
    found = values.get("words")
    if not found:
        return []
    return [[escape(words["wer"]), *(percent(found[m]["wer"]) for m in ("base", "tuned"))]]


def numbers(values: Mapping, words: Mapping[str, str]) -> str:
    """Return how many amounts, dates and other numbers were read exactly; empty without any."""
    found = values.get("numbers")
    if not found or not found["tokens"]:
        return ""
    listed = [(words["all_numbers"], found)]
    listed += [(words[f"kind_{kind}"], one) for kind, one in found["kinds"].items()]
    rows = [
        [f"{escape(name)} ({one['tokens']:,})"]
        + [f"{percent(one[m]['share'])} ({one[m]['exact']:,})" for m in ("base", "tuned")]
        for name, one in listed
    ]
    difference = words["numbers_difference"].format(
        **{name: points(found["difference"][name]) for name in ("share", "low", "high")}
    )
    shown = table(["", words["base"], words["tuned"]], rows)
    return f'{shown}<p class="soft">{escape(difference)}</p>'


def ways(rows: Sequence[Mapping], words: Mapping[str, str]) -> str:
    """Return ways of misreading with both models' counts and shares; empty without any."""
    if not rows:
        return ""

    def show(text: str) -> str:
        return f"<bdi>{escape(text or words['nothing'])}</bdi>"

    cells = [
        [f"{show(row['reference_shown'])} → {show(row['hypothesis_shown'])}"]
        + [f"{row[model]:,} ({percent(row[f'{model}_share'])})" for model in ("base", "tuned")]
        for row in rows
    ]
    return table([words["way"], words["base"], words["tuned"]], cells)


def rates(rows: Sequence[Mapping], words: Mapping[str, str]) -> str:
    """Return both models' CER in each script or document; empty without any."""
    cells = [
        [f"<bdi>{escape(words.get('script_' + row['name'], row['name']))}</bdi>"]
        + [f"{row['reference_characters']:,}"]
        + [f"{percent(row[m]['cer'])} ({row[m]['errors']:,})" for m in ("base", "tuned")]
        for row in rows
    ]
    head = ["", words["reference_characters"], words["base"], words["tuned"]]
    return table([escape(name) for name in head], cells) if cells else ""


def profiles(values: Mapping, words: Mapping[str, str]) -> str:
    """Return both CERs under each profile, and the interval of their difference."""
    rows = [
        [f"<bdi>{profile}</bdi>", *(percent(scores[m]["cer"]) for m in ("base", "tuned"))]
        + [span(scores["difference"])]
        for profile, scores in values["profiles"].items()
        if profile != "grapheme" or values["needs_graphemes"]
    ]
    head = [words["profile"], words["base"], words["tuned"], words["points_interval"]]
    return table(head, rows)


def figures(values: Mapping, words: Mapping[str, str]) -> str:
    """Return both models' figures under the contract's profile, and their word error rates."""

    def cell(model: str, name: str) -> str:
        value = values[model][name]
        return percent(value) if name in RATES else f"{value:,}"

    rows = [[escape(words[name]), cell("base", name), cell("tuned", name)] for name in ROWS]
    rows += word_row(values, words)
    return table(["", words["base"], words["tuned"]], rows)


def classes(values: Mapping, words: Mapping[str, str]) -> str:
    """Return both models' CER by class of characters."""

    def cell(row: Mapping | None) -> str:
        return f"{percent(row['cer'])} ({row['errors']:,})" if row else "–"

    base = {row["name"]: row for row in values["classes"]["base"]}
    tuned = {row["name"]: row for row in values["classes"]["tuned"]}
    rows = [
        [escape(words[name]), cell(base.get(name)), cell(tuned.get(name))]
        for name in {**base, **tuned}
    ]
    return table([words["class"], f"{words['base']} CER (n)", f"{words['tuned']} CER (n)"], rows)

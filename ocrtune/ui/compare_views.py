"""What the Compare tab shows of a comparison: the same charts and tables as its report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ocrtune.report_charts_svg import charts
from ocrtune.report_conditions import conditions
from ocrtune.report_figures import percent
from ocrtune.report_ranking import ranking
from ocrtune.report_tables import breakdown_parts, classes, figures, profiles
from ocrtune.report_words import WORDS
from ocrtune.ui.looks import Look, trouble, waiting
from ocrtune.ui.report_views import folded
from ocrtune.ui.views import escape, notice, text, tiles
from ocrtune.ui.words_en import ENGLISH

OFFERED = (".png", ".csv")  # beside the page, its lines and its numbers
NAMED = ("report.html", "report.json", "lines.csv")  # have a button each


def ready(run: Look, counts: Mapping[str, int], language: str, first: str = "") -> str:
    """Return what would be compared, or what is still missing; first: what has to come before."""
    if first:
        return first
    if run.active:
        return notice(text(language, "compare_run_busy"), "busy")
    if not counts.get("test"):
        return notice(text(language, "compare_no_test"), "bad")
    return notice(text(language, "compare_ready", test=counts["test"]), "good")


def pending(comparison: Look, language: str) -> str:
    """Return how far a comparison is that has no report yet."""
    if not comparison.job:
        return notice(text(language, "compare_none"))
    if comparison.active:
        return waiting(comparison, language, text(language, "compare_working"))
    return trouble(comparison, language) or notice(text(language, "stopped"))


def result(report: Mapping, language: str) -> str:
    """Return the verdict, the charts, how many lines changed, and all tables of a report."""
    words = WORDS[language]
    return (
        f'<p class="ot-verdict">{escape(report["verdict"][language])}</p>'
        f'<p class="ot-hint">{text(language, "cer_explained")}</p>'
        f'<p class="ot-hint">{models_words(report, words)}</p>'
        + counts(report, language)
        + '<div class="ot-report">'
        + f'<div class="ot-drawings">{charts(report, words)}</div>'
        + headed(ranking(report, words))
        + "".join(table_fold(name, html, words) for name, html in tables(report, words) if html)
        + "</div>"
    )


def models_words(report: Mapping, words: Mapping[str, str]) -> str:
    """Return which models were compared, on what, as HTML."""
    models = report["models"]
    return " · ".join(
        f"{escape(words[name])}: <bdi>{escape(told)}</bdi>"
        for name, told in (
            ("base", models["base"]),
            ("tuned", models["tuned"]),
            ("split", report["split"]),
            ("lines", f"{report['lines']:,}"),
        )
    )


def counts(report: Mapping, language: str) -> str:
    """Return both error rates, how many lines became better or worse, and how many are exact."""
    difference = report["difference"]
    rates = [
        (percent(report[model]["cer"]), text(language, f"cer_{model}"))
        for model in ("base", "tuned")
    ]
    changed = [(f"{difference[key]:,}", text(language, key)) for key in ("better", "worse", "tied")]
    exact = [(f"{report['tuned']['exact_lines']:,}", text(language, "exact_tuned"))]
    return tiles(rates + changed + exact)


def tables(report: Mapping, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the tables of a report as (key of the title, HTML); those of nothing are empty."""
    return [
        ("numbers", figures(report, words)),
        *breakdown_parts(report, words),
        ("classes", classes(report, words)),
        ("profiles", profiles(report, words)),
        ("contract", conditions(report, words)),
    ]


def table_fold(name: str, html: str, words: Mapping[str, str]) -> str:
    """Return a table that opens on a click; what is too wide scrolls by itself."""
    return folded(escape(words[name]), f'<div class="ot-wide" tabindex="0">{html}</div>')


def headed(html: str) -> str:
    """Return sections of the report with headings of the rank that they have on the page."""
    return (
        html.replace("<h2>", "<h4>")
        .replace("</h2>", "</h4>")
        .replace('<div class="wide">', '<div class="ot-wide" tabindex="0">')
    )


def other_files(folder: Path) -> list[str]:
    """Return the names of further files that a comparison has left, charts first."""
    found = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    known = [one for one in found if one.endswith(OFFERED) and one not in NAMED]
    return sorted(known, key=lambda one: (not one.endswith(".png"), one))


def files_html(names: Sequence[str], language: str) -> str:
    """Return a button for each of these files; empty without any."""
    if not names:
        return ""
    buttons = "".join(
        f'<button type="button" class="ot-small" data-ot-into="ot-report-file" '
        f'data-ot-open="{escape(name)}">{file_words(name, language)}</button>'
        for name in names
    )
    return f'<div class="ot-files">{buttons}</div>'


def file_words(name: str, language: str) -> str:
    """Return what a file of a report is called, as HTML: a chart by its own title."""
    key = f"file_{name.partition('.')[0]}"
    return text(language, key) if key in ENGLISH else f"<bdi>{escape(name)}</bdi>"

"""The HTML face of a report: one file that needs no network, for a phone or a wide screen."""

from collections.abc import Mapping
from html import escape

from ocrtune.report_charts import drawings
from ocrtune.report_charts_svg import charts
from ocrtune.report_conditions import conditions
from ocrtune.report_figures import percent, points, section
from ocrtune.report_filter import controls
from ocrtune.report_lines import legend, line_card
from ocrtune.report_pictures import data_uris
from ocrtune.report_ranking import ranking
from ocrtune.report_style import document
from ocrtune.report_tables import breakdowns, classes, figures, profiles
from ocrtune.report_words import WORDS
from ocrtune.sentences import translate

__all__ = ["SHOWN_LINES", "percent", "points", "render_page"]

SHOWN_LINES = 1_000  # the file stays small enough to mail; lines.csv has them all
WHOLE_PICTURES = 200  # lines; with more of them, their pictures become thumbnails


def render_page(values: Mapping, pictures: Mapping[str, bytes], language: str = "en") -> str:
    """Return the HTML of a report's values (see `report.report_values`), pictures by id inside."""
    words, small = WORDS[language], values["lines"] > WHOLE_PICTURES
    shown = values["worst"][:SHOWN_LINES]
    sources = data_uris([pictures.get(line["picture_id"], b"") for line in shown], small)
    parts = [
        f"<h1>{escape(words['title'])}</h1>",
        f'<p class="verdict">{escape(values["verdict"][language])}</p>',
        charts(values, words),
        _interval_sentence(values, words),
        f'<p class="soft">{_models(values, words)}</p>',
        f"<h2>{words['worst']}</h2>",
        legend(SHOWN_LINES, values["lines"], words),
        controls(words),
        *(line_card(line, source, words) for line, source in zip(shown, sources, strict=True)),
        section("numbers", figures(values, words), words),
        ranking(values, words),
        section("profiles", profiles(values, words), words),
        section("classes", classes(values, words), words),
        breakdowns(values, words),
        section("contract", conditions(values, words), words),
        f'<p class="soft">{escape(_beside(values, words))}</p>',
    ]
    return document(words["title"], "\n".join(parts), language)


def _beside(values: Mapping, words: Mapping[str, str]) -> str:
    """Return which files are written beside the page."""
    charts = [f"{one.name}.png" for one in drawings(values, words)]
    return words["beside"].format(files=", ".join(["report.json", "lines.csv", *charts]))


def _interval_sentence(values: Mapping, words: Mapping[str, str]) -> str:
    difference = values["difference"]
    if difference["cer"] is None:
        return ""  # the verdict has said why
    sentence = words["interval"].format(
        **{name: points(difference[name]) for name in ("cer", "low", "high")}
    )
    if not difference["few_lines"]:
        return f"<p>{escape(sentence)}</p>"
    return f'<p class="soft">{escape(sentence)} {escape(words["few_lines"])}</p>'


def _models(values: Mapping, words: Mapping[str, str]) -> str:
    models = values["models"]
    return (
        f"{words['base']}: <bdi>{escape(models['base'])}</bdi> · "
        f"{words['tuned']}: <bdi>{escape(models['tuned'])}</bdi> · "
        f"{words['split']}: {escape(translate(words['code'], values['split']))} · "
        f"{words['lines']}: {values['lines']:,}"
    )

"""The page of a report: charts and tables of everything that is counted, in both languages."""

import os
import re
from html import escape
from io import BytesIO

import pytest
from PIL import Image
from test_report import Page
from test_report_schema import full_report

from ocrtune.report_charts import interval, known
from ocrtune.report_conditions import conditions
from ocrtune.report_figures import path_name, rate_span, span
from ocrtune.report_filter import line_kinds
from ocrtune.report_page import render_page
from ocrtune.report_ranking import ranking
from ocrtune.report_words import WORDS
from ocrtune.text import SCRIPTS


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_full_report_shows_its_charts_and_tables(language):
    values = full_report()
    page = Page(render_page(values, {}, language))
    words = WORDS[language]
    assert not page.open  # every tag is closed
    assert len(page.all("svg")) == 3
    faint = [path for path in page.all("path") if path["class"] == "stroke faint"]
    assert len(faint) == 3 * 3  # few lines: of all three models, a line with two ends each
    assert len([bar for bar in page.all("rect") if bar["class"] == "more"]) == 1  # a third model
    for name in ("confusion_table", "errors_gone", "scripts", "groups", "read_numbers", "ranking"):
        assert words[name] in page.texts
    assert words["script_latin"] in page.texts
    assert words["wer"] in page.texts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_pair_stands_in_the_page_with_its_interval(language):
    values = full_report()
    html = ranking(values, WORDS[language])
    for pair in values["ranking"]["pairs"]:
        assert f"<bdi>{pair['first']}</bdi> – <bdi>{pair['second']}</bdi>" in html
        assert span(pair["difference"]) in html
    for one in values["ranking"]["models"]:
        assert rate_span(one) in html
    values["ranking"]["models"].pop()  # two alone are the comparison itself
    assert ranking(values, WORDS[language]) == ""


def test_the_folders_of_a_path_stay_in_order_in_any_script():
    html = path_name("فارسی/3.png")  # in one piece, the digit would run to the left of its folder
    assert html == '<bdi dir="ltr">فارسی</bdi>/<bdi dir="ltr">3.png</bdi>'
    assert path_name("<b>") == '<bdi dir="ltr">&lt;b&gt;</bdi>'


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_names_all_conditions(language):
    values, words = full_report(), WORDS[language]
    html = re.sub("</?bdi>", "", conditions(values, words))
    for told in (
        *values["contract"].values(),
        values["contract_digest"],
        *values["models"].values(),
    ):
        assert f"<td>{told}</td>" in html
    assert f"<th>{words['adapter_steps']}</th><td>10</td>" in html
    assert f"<th>{escape(words['base_revision'])}</th><td>abc</td>" in html
    assert f"<th>{escape(words['adapter_revision'])}</th><td>def</td>" in html
    assert {f"contract_{name}" for name in (*values["contract"], "digest")} <= set(words)
    values["conditions"]["adapter_steps"] = None
    assert words["not_known"] in conditions(values, words)
    assert conditions({**values, "conditions": None}, words).count("<tr>") == 13


def test_both_languages_have_the_same_words():
    assert set(WORDS["en"]) == set(WORDS["zh"])


def test_a_rate_lies_within_its_interval():
    values = full_report()
    low, high = interval(values, "base")
    assert low <= values["base"]["cer"] <= high


def test_a_report_without_ground_truth_has_no_interval():
    values = full_report()
    del values["intervals"]  # as in a report of before they were
    assert interval(values, "base") == known(full_report()["intervals"]["base"])
    values["worst"] = [line for line in values["worst"] if not line["reference_characters"]]
    assert interval(values, "base") is None


def test_every_script_has_a_name():
    assert all(f"script_{name.lower()}" in WORDS["zh"] for name in [*SCRIPTS, "common", "other"])


def test_a_line_is_found_by_what_happened_to_it():
    line = full_report()["worst"][0]
    line |= {"base_errors": 1, "tuned_errors": 9, "tuned_cer": 1.5, "base_cer": 0.1}
    line |= {"tuned_looped": True, "base_failed": "out of memory"}
    assert line_kinds(line) == "worse loops over failed"
    line |= {"tuned_errors": 0, "tuned_cer": 0, "tuned_looped": False, "base_failed": ""}
    assert line_kinds(line) == "better"


def test_a_thousand_lines_with_their_pictures_stay_under_8_megabytes():
    stream = BytesIO()
    Image.frombytes("L", (900, 60), os.urandom(54_000)).save(stream, "PNG")  # the worst there is
    values = full_report()
    values["worst"] = values["worst"][:1] * 1_000
    values["lines"] = 1_000
    name = values["worst"][0]["picture_id"]
    html = render_page(values, {name: stream.getvalue()}, "en")
    assert html.count("<img src") == html.count("<article") == 1_000
    assert len(html.encode()) < 8_000_000

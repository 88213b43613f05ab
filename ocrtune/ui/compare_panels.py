"""What the panels of the Compare tab show, beside the training lines to check."""

import gradio as gr

from ocrtune.errors import OcrtuneError
from ocrtune.keeping import Kept
from ocrtune.report_figures import percent
from ocrtune.sample_index import IndexedSample, SampleIndex
from ocrtune.ui.compare_actions import comparable, run_name
from ocrtune.ui.compare_lines import (
    fixable,
    kinds,
    lines_html,
    matching_lines,
    next_loop,
    page_lines,
    settled,
)
from ocrtune.ui.compare_reports import report_of
from ocrtune.ui.compare_views import files_html, other_files, pending, ready, result
from ocrtune.ui.edit_actions import data_of
from ocrtune.ui.gallery import LINES, View
from ocrtune.ui.guide import before_comparing, run_counts
from ocrtune.ui.looks import Looks, remarks, see
from ocrtune.ui.own_views import ago
from ocrtune.ui.parts import variant
from ocrtune.ui.train_views import measurements
from ocrtune.ui.views import notice, sentence, text
from ocrtune.ui.words import said, say


def show_compare(looks: Looks, language: str) -> list:
    """Return what is compared, the button, the result, the downloads, and further files."""
    run, comparison = looks["run"], looks["comparison"]
    splits = run_counts(run)
    first = before_comparing(looks, language)
    button = gr.Button(
        interactive=(any(splits.values()) or looks["dataset"].usable) and not comparison.active,
        variant=variant(not comparison.usable and "ot-primary" not in first),
    )
    above = [ready(run, splits, language, first), button]
    if not comparison.usable:
        return [*above, pending(comparison, language), gr.Row(visible=False), ""]
    files = files_html(other_files(comparison.report), language)
    try:
        told = remarks(comparison.job.events(), language)
        shown = result(report_of(comparison), language) + told
    except OcrtuneError as error:  # the files can be fetched all the same
        problem = said(error, language)[0].replace(f"{comparison.report}/", "")
        again = text(language, "compare_again")
        shown = notice(f"{sentence(problem)} {again}", "bad")
    return [*above, shown, gr.Row(visible=True), files]


def show_more(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the visitor's further runs that can be compared with the one on the page."""
    if not view or not view.more:
        return [gr.skip()]
    found = comparable(looks.home, looks["run"], looks.session)
    return [gr.Dropdown(choices=[(run_words(kept, language), kept.id) for kept in found])]


def run_words(kept: Kept, language: str) -> str:
    """Return what tells a run from others, in plain text: its name in a report, steps and CER."""
    one = see(kept.job, kept.status)
    facts = [run_name(kept.status.created, language), ago(kept.status.created, language)]
    if one.total:
        facts.append(say(language, "mine_steps", step=one.step, total=one.total))
    measured = measurements(one.job.events())
    if len(measured) > 1:
        after = min(event.cer for event in measured[1:])
        values = {"before": percent(measured[0].cer), "after": percent(after)}
        facts.append(say(language, "mine_cer", **values))
    if not one.usable:
        facts.append(say(language, f"state_{one.state}"))
    return " · ".join(facts)


def show_lines(looks: Looks, language: str, view: View | None = None) -> list:
    """Return whether there are lines, their kinds, a page of them, and the ways to others."""
    comparison, view = looks["comparison"], view or View()
    try:
        report = report_of(comparison) if comparison.usable else None
    except OcrtuneError:  # said above, in the place of the result
        report = None
    if report is None:
        gone = gr.Button(visible=False)
        return [gr.Column(visible=False), gr.skip(), "", gone, gone, gone]
    view = settled(report, view)
    numbers = matching_lines(report, view)
    pictures, ours = pictures_of(page_lines(report, numbers, view), looks)
    return [
        gr.Column(visible=True),
        gr.Dropdown(choices=kinds(report, language), value=view.lines),
        lines_html(report, numbers, view, pictures, ours, language),
        gr.Button(visible=view.line_page > 0),
        gr.Button(visible=(view.line_page + 1) * LINES < len(numbers)),
        gr.Button(visible=next_loop(report, view) is not None),
    ]


def pictures_of(
    lines: list[dict], looks: Looks
) -> tuple[dict[str, bytes], dict[str, IndexedSample]]:
    """Return the lines' pictures, and those samples of the visitor's dataset that are the lines.

    A dataset that was deleted has no pictures any more; the texts stand in the report.
    """
    names = [line["picture_id"] for line in lines]
    read = read_named(data_of(looks["comparison"]), names)
    pictures = {one.picture_id: data for one, data in read}
    dataset = looks["dataset"]
    if not dataset.usable:
        return pictures, {}
    theirs = read_named(str(dataset.dataset), names)
    known = {one.picture_id: data for one, data in theirs}
    return pictures, fixable(lines, pictures, known, [one for one, _ in theirs])


def read_named(prefix: str, names: list[str]) -> list[tuple[IndexedSample, bytes]]:
    """Return the samples of a dataset with these names, and their pictures; none without it."""
    try:
        index = SampleIndex(prefix)
        found = [one for one in map(index.find, names) if one]
        pictures = index.pictures(found)
    except OcrtuneError:
        return []
    return [(one, pictures[one.picture_id]) for one in found]

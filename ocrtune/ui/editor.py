"""The card on which one sample is repaired, and what the panels put on it."""

import gradio as gr

from ocrtune.dataset_files import read_build_report
from ocrtune.edits import LONGEST_TEXT
from ocrtune.metrics import marked_difference
from ocrtune.report_page import percent
from ocrtune.sample_index import SampleIndex
from ocrtune.suspects import Suspect, load_suspects
from ocrtune.ui.corrections import LEAST, corrected
from ocrtune.ui.edit_actions import repaired
from ocrtune.ui.gallery import (
    PAGE,
    View,
    card_of,
    edits_words,
    filters,
    has_edits,
    matching,
    page_of,
    suspects_of,
)
from ocrtune.ui.looks import Look
from ocrtune.ui.readings import correctable
from ocrtune.ui.views import escape, legend, marked, notice, picture, text, user_text
from ocrtune.ui.words import label, say

PICKED = "(_, ...rest) => [window.ocrtune.picked, ...rest]"
LISTED = 30  # suspects that are shown at once


def text_box(key: str, name: str) -> gr.Textbox:
    """Return the box in which a text is corrected; each paragraph runs in its own direction."""
    return gr.Textbox(
        label=label(key),
        lines=2,
        max_lines=12,
        max_length=LONGEST_TEXT,
        elem_id=name,
        elem_classes="ot-edit",
        html_attributes=gr.InputHTMLAttributes(spellcheck=False, autocapitalize="off"),
    )


def pick_button(name: str) -> tuple[gr.Button, gr.Textbox]:
    """Return what the page's script clicks when a sample is picked, and where its id comes from."""
    return gr.Button(visible="hidden", elem_id=name), gr.Textbox(visible=False)


def show_gallery(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return how a rebuild goes on, the filters, a page of the gallery, and the card."""
    dataset, view = looks["dataset"], view or View()
    has_earlier = dataset.usable
    rebuild = [
        gr.Checkbox(visible=has_edits(dataset)),
        gr.Button(visible=has_earlier),
    ]
    if not dataset.usable:
        empty = notice(text(language, "gallery_none"))
        hidden = gr.Button(visible=False)
        closed = [gr.Column(visible=False), "", gr.skip(), gr.skip()]
        kinds = gr.Dropdown()
        return [*rebuild, gr.Column(visible=False), kinds, "", empty, hidden, hidden, *closed]
    report = read_build_report(dataset.dataset)
    suspects = suspects_of(looks["comparison"])
    index = SampleIndex(dataset.dataset)
    numbers = matching(index, view, report, suspects)
    kinds = filters(report, suspects, language)
    known = [value for _, value in kinds]
    opened = index.find(view.open) if view.open else None
    card = [gr.Column(visible=False), "", gr.skip(), gr.skip()]
    if opened:
        html = card_of(opened, index.picture(opened), report, suspects, language)
        exclude = "include_button" if opened.is_excluded else "exclude_button"
        check = "uncheck_button" if opened.is_checked else "check_sample_button"
        card = [
            gr.Column(visible=True),
            html,
            gr.Button(value=say(language, exclude)),
            gr.Button(value=say(language, check)),
        ]
    return [
        *rebuild,
        gr.Column(visible=True),
        gr.Dropdown(choices=kinds, value=view.show if view.show in known else "all"),
        edits_words(dataset.dataset, language),
        page_of(index, numbers, view, language),
        gr.Button(visible=view.page > 0),
        gr.Button(visible=(view.page + 1) * PAGE < len(numbers)),
        *card,
    ]


def show_text(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return the text of the sample on the card."""
    dataset = looks["dataset"]
    if not view or not view.open or not dataset.usable:
        return [gr.skip()]
    opened = SampleIndex(dataset.dataset).find(view.open)
    return [gr.Textbox(value=opened.text) if opened else gr.skip()]


def open_suspects(looks: dict[str, Look]) -> tuple[SampleIndex | None, list[Suspect]]:
    """Return the dataset, and the training lines of it that nobody has decided on yet."""
    comparison = looks["comparison"]
    if not comparison.usable:
        return None, []
    found = load_suspects(comparison.report).suspects
    if not found:
        return None, []
    index = SampleIndex(repaired(looks["dataset"], comparison))
    left = []
    for one in found:
        sample = index.find(one.picture_id)
        if sample is None or sample.is_checked or sample.is_excluded:
            continue
        if sample.text == one.reference:
            left.append(one)
    return index, left


def chosen_suspect(left: list[Suspect], view: View | None) -> Suspect | None:
    """Return the training line on the card: the one that was clicked, or the worst."""
    named = [one for one in left if view and one.picture_id == view.suspect]
    return next(iter(named or left), None)


def show_suspects(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return whether there are training lines to check, the card of one, and the others."""
    comparison = looks["comparison"]
    index, left = open_suspects(looks)
    one = chosen_suspect(left, view)
    if not comparison.usable:
        return [gr.Column(visible=False), gr.Column(visible=False), "", "", ""]
    found = load_suspects(comparison.report)
    if one is None:
        key = "suspects_done" if found.suspects else "suspects_none"
        words = notice(text(language, key, read=found.read)) if found.read else ""
        return [gr.Column(visible=found.read > 0), gr.Column(visible=False), words, "", ""]
    words = text(language, "suspects_found", count=len(left), read=found.read, of=found.of)
    marks = marked(one.hypothesis, marked_difference(one.reference, one.hypothesis))
    card = (
        f'<div class="ot-large">{picture(index.picture(index.find(one.picture_id)), "")}</div>'
        f'<div class="ot-worst"><table><tr class="ot-right"><th>{text(language, "ground_truth")}'
        f"</th><td>{user_text(one.reference)}</td></tr><tr><th>{text(language, 'tuned_reads')}</th>"
        f"<td>{marks} <small>{percent(one.cer)}</small></td></tr></table></div>"
        f'<p class="ot-hint"><code>{escape(one.picture_id)}</code></p>{legend(language)}'
    )
    others = "".join(
        f'<li><button type="button" data-ot-into="ot-picked-suspect" '
        f'data-ot-open="{escape(other.picture_id)}"'
        f"{' aria-current=true' if other is one else ''}>{user_text(other.reference)} "
        f"<small>{percent(other.cer)}</small></button></li>"
        for other in left[:LISTED]
    )
    listed = f'<ol class="ot-suspects">{others}</ol>'
    return [gr.Column(visible=True), gr.Column(visible=True), notice(words), card, listed]


def show_suspect_text(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return the ground truth of the training line on the card, and which one it is."""
    _, left = open_suspects(looks)
    one = chosen_suspect(left, view)
    if one is None:
        return [gr.skip(), gr.Textbox(value="")]
    return [gr.Textbox(value=one.reference), gr.Textbox(value=one.picture_id)]


def show_keep(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return whether a reading can be corrected, what comes of it, and the buttons."""
    reading, dataset = looks["reading"], looks["dataset"]
    found = correctable(reading, view or View())
    count = len(corrected(reading.job.folder)) if reading.job else 0
    hint, button = "keep_hint", "keep_button"
    if not dataset.usable:
        hint, button = "keep_no_dataset" if count < LEAST else "keep_enough", "keep_later_button"
    words = text(language, hint, count=count, least=LEAST)
    return [
        gr.Column(visible=found is not None),
        f'<p class="ot-hint">{words}</p>',
        gr.Button(value=say(language, button)),
        gr.Button(visible=not dataset.usable and count >= LEAST, interactive=not dataset.active),
    ]


def look_at_kept(looks: dict[str, Look], view: View) -> list:
    """Return what differs when another reading can be corrected, or more of them were."""
    job = looks["reading"].job
    found = correctable(looks["reading"], view)
    count = len(corrected(job.folder)) if job else 0
    return [job.id if job else "", found and found[0], count]


def look_at_correctable(looks: dict[str, Look], view: View) -> list:
    """Return what differs when another reading can be corrected: not while one is."""
    return look_at_kept(looks, view)[:2]


def show_keep_text(looks: dict[str, Look], language: str, view: View | None = None) -> list:
    """Return what the tuned model has read, to be corrected; nothing was kept yet."""
    found = correctable(looks["reading"], view or View())
    return [gr.Textbox(value=found[1]), ""] if found else [gr.skip(), ""]

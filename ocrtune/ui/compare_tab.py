"""The Compare tab."""

import gradio as gr

from ocrtune.ui.actions import Actions
from ocrtune.ui.compare_actions import CompareActions
from ocrtune.ui.compare_part import lines_part, more_part
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.editor import PICKED, pick_button, text_box
from ocrtune.ui.gallery_part import TO_CARD, GalleryPart
from ocrtune.ui.parts import Shared, TabParts, card, section, step, tab_named
from ocrtune.ui.terms import terms_part
from ocrtune.ui.words import label

FETCHED = "() => window.ocrtune.download()"


def compare_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Compare tab; return what it shows and which clicks change it."""
    compare = CompareActions(actions)
    with tab_named("compare") as tab:
        with card():
            step("compare_step_1")
            terms = {"compare_1": terms_part("compare_1")}
            ready = gr.HTML(padding=False, elem_id="ot-compare-ready")
            more = more_part(compare, shared)
        with card():
            step("compare_step_2")
            start = gr.Button(label("compare_button"), variant="primary", elem_id="ot-compare")
        with card():
            step("compare_step_3")
            terms["compare_3"] = terms_part("compare_3")
            result = gr.HTML(padding=False, elem_id="ot-compare-result")
            with gr.Row(visible=False, elem_classes="ot-buttons") as downloads:
                page = gr.Button(label("download_html"), variant="primary")
                lines = gr.Button(label("download_csv"))
                numbers = gr.Button(label("download_json"))
            files = gr.HTML(padding=False, elem_id="ot-report-files")
            pick, picked = pick_button("ot-report-file")
            file = gr.DownloadButton(visible="hidden", elem_id="ot-download")
            browser = lines_part(compare, shared)
            suspects = suspects_part(EditActions(actions), compare, shared)
    private = shared.private
    fetched = [
        page.click(compare.fetch_page, shared.inputs, file, **private),
        lines.click(compare.fetch_lines, shared.inputs, file, **private),
        numbers.click(compare.fetch_numbers, shared.inputs, file, **private),
        pick.click(compare.fetch_other, [picked, *shared.inputs], file, js=PICKED, **private),
    ]
    for click in fetched:
        click.success(None, None, None, js=FETCHED)
    compared = start.click(
        compare.compare, [*more.inputs, *shared.inputs], shared.session, **private
    )
    outputs = [ready, start, result, downloads, files]
    outputs += [*more.outputs, *browser.outputs, *suspects.outputs]
    changes = [compared, *more.changes, *browser.changes, *suspects.changes]
    return TabParts(tab, outputs, changes, terms)


def suspects_part(edits: EditActions, compare: CompareActions, shared: Shared) -> GalleryPart:
    """Lay out the training lines to check first; return what it shows and which clicks change it.

    The id of the line on the card stands in a hidden box, so that a decision is on what was seen.
    """
    with gr.Column(visible=False, elem_id="ot-suspects", elem_classes="ot-part") as whole:
        section("compare_step_4")
        pick, picked = pick_button("ot-picked-suspect")
        named = gr.Textbox(visible=False)
        found = gr.HTML(padding=False, elem_id="ot-suspects-found")
        with gr.Column(visible=False, elem_id="ot-suspect-card", elem_classes="ot-card-box") as one:
            card = gr.HTML(padding=False)
            words = text_box("text_now", "ot-edit-suspect")
            with gr.Row(elem_classes="ot-buttons"):
                accept = gr.Button(label("accept_button"), elem_id="ot-accept")
                save = gr.Button(label("save_button"), elem_id="ot-save-suspect")
                check = gr.Button(label("right_button"), elem_id="ot-check-suspect")
                exclude = gr.Button(label("exclude_button"), elem_id="ot-exclude-suspect")
                there = gr.Button(label("to_dataset_button"), elem_id="ot-suspect-there")
        others = gr.HTML(padding=False)
    inputs, view, private = [named, shared.view, *shared.inputs], shared.view, shared.private
    opened = there.click(compare.correct_line, inputs, [view, shared.tabs], **private)
    changes = [
        pick.click(edits.pick_suspect, [picked, *inputs[1:]], view, js=PICKED, **private),
        accept.click(edits.accept, inputs, view, **private),
        save.click(edits.save_suspect, [words, *inputs], view, **private),
        words.submit(edits.save_suspect, [words, *inputs], view, **private),
        check.click(edits.check_suspect, inputs, view, **private),
        exclude.click(edits.exclude_suspect, inputs, view, **private),
        opened,
    ]
    opened.success(None, None, None, js=TO_CARD)
    return GalleryPart([whole, one, found, card, others, words, named], changes)

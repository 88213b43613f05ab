"""The Compare tab."""

import gradio as gr

from ocrtune.ui.actions import Actions
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.editor import PICKED, pick_button, text_box
from ocrtune.ui.gallery_part import GalleryPart
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.words import label

FETCHED = "() => window.ocrtune.download()"


def compare_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Compare tab; return what it shows and which clicks change it."""
    with tab_named("compare") as tab:
        with card():
            step("compare_step_1")
            ready = gr.HTML(padding=False)
        with card():
            step("compare_step_2")
            compare = gr.Button(label("compare_button"), variant="primary", elem_id="ot-compare")
        with card():
            step("compare_step_3")
            result = gr.HTML(padding=False, elem_id="ot-compare-result")
            with gr.Row(visible=False) as downloads:
                page = gr.Button(label("download_html"))
                lines = gr.Button(label("download_csv"))
                numbers = gr.Button(label("download_json"))
            worst = gr.HTML(padding=False)
            file = gr.DownloadButton(visible="hidden", elem_id="ot-download")
        suspects = suspects_part(EditActions(actions), shared)
    for button, fetch in (
        (page, actions.fetch_page),
        (lines, actions.fetch_lines),
        (numbers, actions.fetch_numbers),
    ):
        click = button.click(fetch, shared.inputs, file, **shared.private)
        click.success(None, None, None, js=FETCHED)
    changes = [compare.click(actions.compare, shared.inputs, shared.session, **shared.private)]
    outputs = [ready, compare, result, downloads, worst, *suspects.outputs]
    return TabParts(tab, outputs, [*changes, *suspects.changes])


def suspects_part(edits: EditActions, shared: Shared) -> GalleryPart:
    """Lay out the training lines to check first; return what it shows and which clicks change it.

    The id of the line on the card stands in a hidden box, so that a decision is on what was seen.
    """
    with gr.Column(visible=False, elem_classes="ot-step-card") as whole:
        step("compare_step_4")
        pick, picked = pick_button("ot-picked-suspect")
        named = gr.Textbox(visible=False)
        found = gr.HTML(padding=False, elem_id="ot-suspects-found")
        with gr.Column(visible=False, elem_id="ot-suspect-card", elem_classes="ot-card-box") as one:
            card = gr.HTML(padding=False)
            words = text_box("text_now", "ot-edit-suspect")
            with gr.Row(elem_classes="ot-buttons"):
                accept = gr.Button(label("accept_button"), variant="primary", elem_id="ot-accept")
                save = gr.Button(label("save_button"), elem_id="ot-save-suspect")
                check = gr.Button(label("right_button"), elem_id="ot-check-suspect")
                exclude = gr.Button(label("exclude_button"), elem_id="ot-exclude-suspect")
        others = gr.HTML(padding=False)
    inputs, view, private = [named, shared.view, *shared.inputs], shared.view, shared.private
    changes = [
        pick.click(edits.pick_suspect, [picked, *inputs[1:]], view, js=PICKED, **private),
        accept.click(edits.accept, inputs, view, **private),
        save.click(edits.save_suspect, [words, *inputs], view, **private),
        words.submit(edits.save_suspect, [words, *inputs], view, **private),
        check.click(edits.check_suspect, inputs, view, **private),
        exclude.click(edits.exclude_suspect, inputs, view, **private),
    ]
    return GalleryPart([whole, one, found, card, others, words, named], changes)

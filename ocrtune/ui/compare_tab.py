"""The Compare tab."""

import gradio as gr

from ocrtune.ui.actions import Actions
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
    for button, fetch in (
        (page, actions.fetch_page),
        (lines, actions.fetch_lines),
        (numbers, actions.fetch_numbers),
    ):
        click = button.click(fetch, shared.inputs, file, **shared.private)
        click.success(None, None, None, js=FETCHED)
    changes = [compare.click(actions.compare, shared.inputs, shared.session, **shared.private)]
    return TabParts(tab, [ready, compare, result, downloads, worst], changes)

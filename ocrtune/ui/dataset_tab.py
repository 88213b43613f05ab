"""The Dataset tab."""

import gradio as gr

from ocrtune.ui.actions import Actions
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.gallery_part import gallery_part
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.words import label


def dataset_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Dataset tab; return what it shows and which clicks change it."""
    with tab_named("dataset") as tab:
        with card():
            step("dataset_step_1")
            with gr.Row(elem_classes="ot-even"):
                with gr.Column():
                    gr.Markdown(label("sample_hint"), elem_classes="ot-hint")
                    sample = gr.Button(
                        label("sample_button"), variant="primary", elem_id="ot-sample"
                    )
                    with gr.Accordion(label("content_example_title"), open=False):
                        gr.Markdown(label("content_example"))
                with gr.Column():
                    archive = gr.File(
                        label=label("archive"),
                        file_types=[".zip"],
                        height=140,
                        elem_classes="ot-drop ot-archive",
                    )
                    content = gr.File(
                        label=label("content"),
                        file_types=[".md", ".txt"],
                        height=140,
                        elem_classes="ot-drop ot-content",
                    )
                    carry = gr.Checkbox(True, label=label("carry_edits"), visible=False)
                    build = gr.Button(label("build_button"), elem_id="ot-build")
                    extend = gr.Button(label("extend_button"), visible=False, elem_id="ot-extend")
        with card():
            step("dataset_step_2")
            report = gr.HTML(padding=False, elem_id="ot-dataset-report")
            proceed = gr.Button(label("dataset_next"), variant="primary", visible=False)
        with card():
            step("dataset_step_3")
            looking = gallery_part(EditActions(actions), shared)
    changes = [
        sample.click(actions.load_sample, shared.inputs, shared.session, **shared.private),
        build.click(
            actions.build,
            [archive, content, carry, *shared.inputs],
            shared.session,
            **shared.private,
        ),
        extend.click(
            actions.extend, [archive, content, *shared.inputs], shared.session, **shared.private
        ),
        *looking.changes,
    ]
    proceed.click(actions.go_to_train, None, shared.tabs, **shared.private)
    return TabParts(tab, [report, sample, proceed, carry, extend, *looking.outputs], changes)

"""The Dataset tab."""

import gradio as gr
from gradio.components import Component

from ocrtune.config import HUB_ROWS
from ocrtune.ui.actions import (
    ARCHIVES,
    CONTENTS,
    GROUPINGS,
    HUB_NAMES,
    HUB_ORDERS,
    MOST_HUB_ROWS,
    Actions,
)
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.gallery_part import gallery_part
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.share_actions import ShareActions
from ocrtune.ui.share_part import share_part
from ocrtune.ui.terms import terms_part
from ocrtune.ui.words import label

FETCHED = "() => window.ocrtune.download('#ot-dataset-file')"
HUB_EXAMPLE = "priyank-m/chinese_text_recognition"
ENCODINGS = ("utf-8", "utf-16", "gb18030", "big5", "shift_jis", "cp1251", "cp1252", "koi8-r")


def dataset_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Dataset tab; return what it shows and which clicks change it."""
    with tab_named("dataset") as tab:
        with card("ot-bring"):
            step("dataset_step_1")
            terms = {"dataset_1": terms_part("dataset_1")}
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
                        file_types=list(ARCHIVES),
                        height=140,
                        elem_classes="ot-drop ot-archive",
                    )
                    content = gr.File(
                        label=label("content"),
                        file_types=list(CONTENTS),
                        height=140,
                        elem_classes="ot-drop ot-content",
                    )
                    carry = gr.Checkbox(True, label=label("carry_edits"), visible=False)
                    build = gr.Button(label("build_button"), elem_id="ot-build")
                    extend = gr.Button(label("extend_button"), visible=False, elem_id="ot-extend")
            settings = settings_fold()
            hub = hub_fold()
        with card():
            step("dataset_step_2")
            terms["dataset_2"] = terms_part("dataset_2")
            report = gr.HTML(padding=False, elem_id="ot-dataset-report")
            choice = gr.Radio(
                [], label=label("ask_choices"), visible=False, elem_classes="ot-stack ot-choices"
            )
            answer = gr.Button(
                label("ask_button"), variant="primary", visible=False, elem_id="ot-answer"
            )
            stop = gr.Button(label("stop_button"), visible=False, elem_id="ot-stop-build")
            with gr.Row(visible=False) as downloads:
                told = gr.Button(label("download_report"), size="sm")
                table = gr.Button(label("download_rejects"), size="sm")
            file = gr.DownloadButton(visible="hidden", elem_id="ot-dataset-file")
            kept = gr.HTML(padding=False, elem_id="ot-dataset-kept")
            proceed = gr.Button(label("dataset_next"), variant="primary", visible=False)
            sharing = share_part(ShareActions(actions), shared)
        with card():
            step("dataset_step_3")
            looking = gallery_part(EditActions(actions), shared)
    changes = [
        archive.change(
            EditActions(actions).note_archive,
            [archive, shared.view, *shared.inputs],
            shared.view,
            preprocess=False,  # nobody looks into it yet
            **shared.private,
        ),
        sample.click(actions.load_sample, shared.inputs, shared.session, **shared.private),
        build.click(
            actions.build,
            [archive, content, carry, *settings, *shared.inputs],
            shared.session,
            **shared.private,
        ),
        extend.click(
            actions.extend,
            [archive, content, settings[1], *shared.inputs],
            shared.session,
            **shared.private,
        ),
        hub[-1].click(
            actions.build_from_hub,
            [*hub[:-1], settings[0], *shared.inputs],
            shared.session,
            **shared.private,
        ),
        answer.click(actions.answer, [choice, *shared.inputs], shared.session, **shared.private),
        stop.click(actions.stop_build, shared.inputs, shared.session, **shared.private),
        *looking.changes,
        *sharing.changes,
    ]
    for button, fetch in (
        (told, actions.fetch_build_report),
        (table, actions.fetch_rejects),
    ):
        click = button.click(fetch, shared.inputs, file, **shared.private)
        click.success(None, None, None, js=FETCHED)
    proceed.click(actions.go_to_train, None, shared.tabs, **shared.private)
    asking = [choice, answer, stop, downloads, build]
    outputs = [
        report,
        sample,
        proceed,
        *asking,
        carry,
        extend,
        *looking.outputs,
        kept,
        *sharing.outputs,
    ]
    return TabParts(tab, outputs, changes, terms)


def settings_fold() -> list[Component]:
    """Lay out what a build may be told; return what is kept together, and the encoding."""
    with (
        gr.Accordion(label("build_settings"), open=False, elem_id="ot-build-settings"),
        gr.Row(elem_classes="ot-knobs"),
    ):
        group_by = gr.Dropdown(
            [(label(f"group_{name or 'none'}"), name) for name in GROUPINGS],
            value=GROUPINGS[0],
            label=label("group_by"),
            info=label("group_by_info"),
            allow_custom_value=True,
            elem_id="ot-group-by",
        )
        encoding = gr.Dropdown(
            [(label("hub_auto"), ""), *ENCODINGS],
            value="",
            label=label("encoding"),
            info=label("encoding_info"),
            allow_custom_value=True,
            elem_id="ot-encoding",
        )
    return [group_by, encoding]


def hub_fold() -> list[Component]:
    """Lay out how to take rows of a Hub dataset; return the fields, and the button last."""
    with gr.Accordion(label("hub_title"), open=False, elem_id="ot-hub"):
        gr.Markdown(label("hub_hint"), elem_classes="ot-hint")
        with gr.Row(elem_classes="ot-knobs"):
            repo_id = gr.Textbox(
                label=label("hub_id"),
                placeholder=HUB_EXAMPLE,
                max_length=200,
                elem_id="ot-hub-id",
            )
            rows = gr.Number(
                value=HUB_ROWS,
                minimum=1,
                maximum=MOST_HUB_ROWS,
                step=1,
                label=label("hub_rows"),
                elem_id="ot-hub-rows",
            )
            order = gr.Radio(
                [(label(f"hub_{one}"), one) for one in HUB_ORDERS],
                value=HUB_ORDERS[0],
                label=label("hub_order"),
            )
        with gr.Row(elem_classes="ot-knobs"):
            names = [
                gr.Textbox(
                    label=label(f"hub_{name}"), placeholder=label("hub_auto"), max_length=200
                )
                for name in HUB_NAMES
            ]
        button = gr.Button(label("hub_button"), elem_id="ot-hub-build")
    return [repo_id, rows, order, *names, button]

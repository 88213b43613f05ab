"""Parts of the Try OCR tab: where pictures come from, the table of several, and what is kept."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.ui.actions import Actions
from ocrtune.ui.editor import PICKED, pick_button, text_box
from ocrtune.ui.parts import Shared
from ocrtune.ui.readings import SHOWN
from ocrtune.ui.try_actions import TryActions
from ocrtune.ui.words import label

TO_CARD = "() => window.ocrtune.show('#ot-reading-card')"
FETCHED = "() => window.ocrtune.download('#ot-try-download')"
LONGEST_PAGES = 100  # characters


@dataclass(frozen=True)
class GivenPart:
    """What is to be read."""

    picture: gr.Image
    files: gr.File
    pages: gr.Textbox
    outputs: list[Component]  # the buttons that take a picture: of the dataset, of the sample


def given_part(actions: Actions, shared: Shared, reference: gr.State) -> GivenPart:
    """Lay out the box for one picture and, beside it, the one for several files.

    reference: where the right text of the picture is remembered, if it is known.
    """
    trying, private = TryActions(actions), shared.private
    with gr.Row(elem_classes="ot-even"):
        picture = gr.Image(
            label=label("picture"),
            placeholder=label("picture_drop"),
            sources=["upload", "clipboard", "webcam"],
            type="filepath",
            image_mode=None,
            height=260,
            elem_classes="ot-input-picture",
        )
        with gr.Column():
            files = gr.File(
                label=label("several"),
                file_count="multiple",
                file_types=["image", ".zip", ".pdf"],
                height=170,
                elem_id="ot-several",
                elem_classes="ot-drop ot-several",
            )
            pages = gr.Textbox(
                label=label("pages"),
                placeholder=label("pages_hint"),
                max_length=LONGEST_PAGES,
                elem_id="ot-pages",
                elem_classes="ot-filters",
            )
    with gr.Row(elem_classes="ot-buttons"):
        take = gr.Button(label("take_button"), elem_id="ot-take", visible=False)
        sample = gr.Button(label("take_sample_button"), elem_id="ot-take-sample")
    picture.input(
        trying.bring_one,
        [picture, shared.language],
        [reference, files, picture],
        preprocess=False,  # only the worker looks into pictures
        **private,
    )
    files.upload(trying.bring_several, None, [picture, reference], **private)
    take.click(actions.take_picture, shared.inputs, [picture, reference], **private)
    sample.click(trying.take_sample_picture, shared.inputs, [picture, reference], **private)
    gr.on([take.click, sample.click], trying.forget_files, None, files, **private)
    return GivenPart(picture, files, pages, [take, sample])


@dataclass(frozen=True)
class OutcomePart:
    """What came of a reading."""

    outputs: list[Component]  # in the order in which the panels fill them
    changes: list


def readings_part(trying: TryActions, shared: Shared) -> OutcomePart:
    """Lay out the table of several pictures, the downloads, and the card of the one opened."""
    pick, picked = pick_button("ot-reading-open")
    stop = gr.Button(label("stop_reading"), visible=False, elem_id="ot-read-stop")
    with gr.Column(visible=False, elem_id="ot-readings-part") as several:
        show = gr.Radio(
            [(label(f"readings_{one}"), one) for one in SHOWN],
            value=SHOWN[0],
            label=label("filter_show"),
            elem_id="ot-readings-show",
        )
        listed = gr.HTML(padding=False, elem_id="ot-readings-table")
    with gr.Row(visible=False, elem_classes="ot-buttons") as downloads:
        table = gr.Button(label("download_readings_csv"), elem_id="ot-readings-csv")
        texts = gr.Button(label("download_readings_txt"), elem_id="ot-readings-txt")
        zipped = gr.Button(label("download_readings_zip"), elem_id="ot-readings-zip")
    file = gr.DownloadButton(visible="hidden", elem_id="ot-try-download")
    with gr.Column(visible=False, elem_id="ot-reading-card", elem_classes="ot-card-box") as card:
        opened = gr.HTML(padding=False)
        with gr.Row(elem_classes="ot-buttons"):
            further = gr.Button(label("next_button"), elem_id="ot-reading-next")
            close = gr.Button(label("close_button"), elem_id="ot-reading-close")
    inputs, view, private = [shared.view, *shared.inputs], shared.view, shared.private
    fetched = [
        table.click(trying.fetch_readings_table, shared.inputs, file, **private),
        texts.click(trying.fetch_readings_text, shared.inputs, file, **private),
        zipped.click(trying.fetch_readings_zip, shared.inputs, file, **private),
    ]
    for click in fetched:
        click.success(None, None, None, js=FETCHED)
    looked = [
        pick.click(trying.open_reading, [picked, *inputs], view, js=PICKED, **private),
        further.click(trying.next_reading, inputs, view, **private),
    ]
    for click in looked:
        click.success(None, None, None, js=TO_CARD)
    changes = [
        *looked,
        close.click(trying.close_reading, inputs, view, **private),
        show.input(trying.narrow_readings, [show, *inputs], view, **private),
        stop.click(trying.stop_reading, shared.inputs, shared.session, **private),
    ]
    outputs = [several, listed, stop, downloads, zipped, card, opened, further]
    return OutcomePart(outputs, changes)


def keep_part(trying: TryActions, shared: Shared) -> OutcomePart:
    """Lay out where a reading is corrected and kept."""
    with gr.Column(visible=False, elem_id="ot-keep", elem_classes="ot-card-box") as keep:
        hint = gr.HTML(padding=False)
        right = text_box("keep_text", "ot-keep-text")
        with gr.Row(elem_classes="ot-buttons"):
            add = gr.Button(label("keep_button"), elem_id="ot-keep-button")
            start = gr.Button(label("keep_start"), visible=False, elem_id="ot-keep-start")
        outcome = gr.HTML(padding=False, elem_id="ot-kept")
    inputs, private = [shared.view, *shared.inputs], shared.private
    changes = [
        add.click(trying.keep_reading, [right, *inputs], outcome, **private),
        start.click(trying.start_dataset, shared.inputs, shared.session, **private),
    ]
    return OutcomePart([keep, hint, add, start, right, outcome], changes)

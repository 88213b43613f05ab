"""The third step of the Dataset tab: filters, pages of samples, and a card to repair one."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.records import SPLITS
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.editor import PICKED, pick_button, text_box
from ocrtune.ui.gallery import LONGEST_SEARCH, STATES
from ocrtune.ui.parts import Shared
from ocrtune.ui.words import label

TO_CARD = "() => window.ocrtune.show('#ot-card')"


@dataclass(frozen=True)
class GalleryPart:
    """What the page needs to know of it."""

    outputs: list[Component]  # in the order in which `watching` fills them
    changes: list


def gallery_part(edits: EditActions, shared: Shared) -> GalleryPart:
    """Lay out the gallery; return what it shows and which clicks change it."""
    pick, picked = pick_button("ot-picked")
    with gr.Column(visible=False, elem_id="ot-tools") as tools:
        gr.Markdown(label("gallery_hint"), elem_classes="ot-hint")
        with gr.Row(elem_classes="ot-filters"):
            split = gr.Dropdown(
                [(label("split_all"), ""), *((label(f"split_{one}"), one) for one in SPLITS)],
                value="",
                label=label("filter_split"),
                elem_id="ot-filter-split",
            )
            show = gr.Dropdown(
                [(label("show_all"), STATES[0])],
                value=STATES[0],
                label=label("filter_show"),
                elem_id="ot-filter-show",
            )
            search = gr.Textbox(
                label=label("filter_search"), max_length=LONGEST_SEARCH, elem_id="ot-search"
            )
    summary = gr.HTML(padding=False, elem_id="ot-edits")
    with gr.Column(visible=False, elem_id="ot-card", elem_classes="ot-card-box") as card:
        facts = gr.HTML(padding=False)
        words = text_box("text_now", "ot-edit")
        with gr.Row(elem_classes="ot-buttons"):
            save = gr.Button(label("save_button"), elem_id="ot-save")
            check = gr.Button(label("check_sample_button"), elem_id="ot-mark")
            exclude = gr.Button(label("exclude_button"), elem_id="ot-exclude")
            further = gr.Button(label("next_button"), elem_id="ot-next")
            close = gr.Button(label("close_button"), elem_id="ot-close")
    gallery = gr.HTML(padding=False, elem_id="ot-gallery")
    with gr.Row(elem_classes="ot-buttons"):
        back = gr.Button(label("page_back"), visible=False, elem_id="ot-back")
        on = gr.Button(label("page_on"), visible=False, elem_id="ot-on")
    inputs, view, private = [shared.view, *shared.inputs], shared.view, shared.private
    latest = private | {"trigger_mode": "always_last"}
    filters = [split, show, search]
    opened = pick.click(edits.open, [picked, *inputs], view, js=PICKED, **private)
    changes = [
        split.input(edits.narrow, [*filters, *inputs], view, **private),
        show.input(edits.narrow, [*filters, *inputs], view, **private),
        search.change(edits.narrow, [*filters, *inputs], view, **latest),
        opened,
        save.click(edits.save, [words, *inputs], view, **private),
        words.submit(edits.save, [words, *inputs], view, **private),
        check.click(edits.check, inputs, view, **private),
        exclude.click(edits.exclude, inputs, view, **private),
        further.click(edits.go_on, inputs, view, **private),
        close.click(edits.close, inputs, view, **private),
        back.click(edits.turn_back, inputs, view, **private),
        on.click(edits.turn_on, inputs, view, **private),
    ]
    opened.success(None, None, None, js=TO_CARD)
    shown = [tools, show, summary, gallery, back, on, card, facts, exclude, check, words]
    return GalleryPart(shown, changes)

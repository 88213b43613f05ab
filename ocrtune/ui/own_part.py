"""What the Fine-tune tab has beside the run: its link, its log, and the visitor's own jobs."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.ui.editor import PICKED, pick_button
from ocrtune.ui.own_actions import OwnActions
from ocrtune.ui.parts import Shared
from ocrtune.ui.words import label

FETCHED = "() => window.ocrtune.download('#ot-log-file')"
TO_QUESTION = "() => window.ocrtune.show('#ot-mine-ask')"


@dataclass(frozen=True)
class OwnPart:
    """What the page needs to know of a part."""

    outputs: list[Component]  # in the order in which `watching` fills them
    changes: list


def log_part(own: OwnActions, shared: Shared) -> OwnPart:
    """Lay out the log of the run, which is looked at only while it is open."""
    inputs, private = [shared.view, *shared.inputs], shared.private
    with gr.Accordion(label("log_title"), open=False, elem_id="ot-log") as fold:
        words = gr.HTML(padding=False)
        fetch = gr.Button(label("log_download"), size="sm", elem_id="ot-log-fetch")
        file = gr.DownloadButton(visible="hidden", elem_id="ot-log-file")
    fetched = fetch.click(own.fetch_log, shared.inputs, file, **private)
    fetched.success(None, None, None, js=FETCHED)
    changes = [
        fold.expand(own.open_log, inputs, shared.view, **private),
        fold.collapse(own.close_log, inputs, shared.view, **private),
    ]
    return OwnPart([words, fetch], changes)


def mine_part(own: OwnActions, shared: Shared) -> OwnPart:
    """Lay out the list of the visitor's own runs and datasets, and the question before a delete."""
    with gr.Accordion(label("mine_title"), open=False, elem_id="ot-mine") as fold:
        with gr.Column(visible=False, elem_id="ot-mine-ask") as asking:
            question = gr.HTML(padding=False)
            with gr.Row(elem_classes="ot-buttons"):
                delete = gr.Button(label("delete_yes"), variant="stop", elem_id="ot-delete")
                spare = gr.Button(label("delete_no"), elem_id="ot-spare")
        listed = gr.HTML(padding=False, elem_id="ot-mine-list")
        everything = gr.Button(
            label("delete_everything"), size="sm", visible=False, elem_id="ot-delete-all"
        )
        (pick_open, opened), (pick_resume, resumed), (pick_delete, deleted) = (
            pick_button(f"ot-mine-{name}") for name in ("open", "resume", "delete")
        )
    view, session, private = shared.view, shared.session, shared.private
    inputs = [view, *shared.inputs]
    asked = [
        pick_delete.click(own.ask, [deleted, *inputs], view, js=PICKED, **private),
        everything.click(own.ask_for_all, inputs, view, **private),
    ]
    changes = [
        fold.expand(own.open_mine, inputs, view, **private),
        fold.collapse(own.close_mine, inputs, view, **private),
        pick_open.click(
            own.open, [opened, *inputs], [session, view, shared.tabs], js=PICKED, **private
        ),
        pick_resume.click(own.resume, [resumed, *inputs], [session, view], js=PICKED, **private),
        *asked,
        spare.click(own.spare, inputs, view, **private),
        delete.click(own.delete, inputs, [session, view], **private),
    ]
    for event in asked:
        event.success(None, None, None, js=TO_QUESTION)
    return OwnPart([listed, asking, question, everything], changes)

"""The part of the Dataset tab that shares the dataset on the Hub."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.licenses import LICENSES, USUAL_LICENSES
from ocrtune.ui.parts import Shared
from ocrtune.ui.share_actions import SEEN_BY, ShareActions
from ocrtune.ui.words import label

MORE_LICENSES = [name for name in LICENSES if name not in USUAL_LICENSES]


@dataclass(frozen=True)
class SharePart:
    """What the page needs to know of it."""

    outputs: list[Component]  # in the order in which `watching` fills them
    changes: list


def share_part(share: ShareActions, shared: Shared) -> SharePart:
    """Lay out where the dataset goes and who sees it; hidden where nobody can sign in."""
    fold = gr.Accordion(
        label("share_title"), open=False, visible=share.offered, elem_id="ot-share-dataset"
    )
    with fold:
        gr.Markdown(label("share_hint"), elem_classes="ot-hint")
        missing = gr.HTML(padding=False, visible=False, elem_id="ot-share-gate")
        with gr.Column(visible=False) as fields:
            with gr.Row(elem_classes="ot-knobs"):
                owner = gr.Dropdown(
                    [(label("share_own"), "")],
                    value="",
                    label=label("share_owner"),
                    elem_id="ot-share-owner",
                )
                name = gr.Textbox(
                    label=label("share_name"),
                    placeholder="my-lines",
                    max_length=200,
                    elem_id="ot-share-name",
                )
                license_ = gr.Dropdown(
                    [(label("share_license_none"), ""), *USUAL_LICENSES, *MORE_LICENSES],
                    value="",
                    label=label("share_license"),
                    elem_id="ot-share-license",
                )
            seen_by = gr.Radio(
                [(label(f"share_{one}"), one) for one in SEEN_BY],
                value=SEEN_BY[0],
                label=label("share_seen_by"),
                elem_classes="ot-stack",
                elem_id="ot-share-seen-by",
            )
            consent = gr.Checkbox(
                value=False,
                visible=False,
                label=label("share_consent"),
                info=label("share_consent_info"),
                elem_id="ot-share-consent",
            )
            where = gr.HTML(padding=False, elem_id="ot-share-where")
            with gr.Row(elem_classes="ot-buttons"):
                push = gr.Button(label("share_button"), elem_id="ot-share-push")
                stop = gr.Button(label("stop_button"), visible=False, elem_id="ot-share-stop")
    result = gr.HTML(padding=False, elem_id="ot-share-result")
    private, session = shared.private, shared.session
    asked = {
        "fn": share.preview,
        "inputs": [owner, name, seen_by, shared.language],
        "outputs": [where, consent],
        **private,
        "trigger_mode": "always_last",
    }
    opened = fold.expand(share.open_sharing, shared.inputs, [missing, fields, owner], **private)
    opened.success(**asked)
    for event in (owner.input, name.input, seen_by.input):
        event(**asked)
    given = [owner, name, seen_by, license_, consent, *shared.inputs]
    changes = [
        push.click(share.share, given, session, **private),
        stop.click(share.stop_sharing, shared.inputs, session, **private),
    ]
    return SharePart([result, push, stop], changes)

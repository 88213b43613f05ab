"""Parts of the page about adapters on the Hub: the choice of one, and the push of one's own."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.ui.actions import Actions
from ocrtune.ui.parts import Shared
from ocrtune.ui.shared_actions import MOST_SHARED, PRIVATE, PUBLIC, SharedActions
from ocrtune.ui.words import label

LICENSES = ("mit", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc0-1.0", "other")


def adapter_part(actions: Actions, shared: Shared, name: str, many: bool = False) -> gr.Dropdown:
    """Lay out where an adapter of the Hub is pasted or picked; returns the box.

    name: of the part, by which its words and its elements are found.
    """
    with gr.Column(elem_id=f"ot-shared-{name}", elem_classes="ot-shared"):
        box = gr.Dropdown(
            [],
            value=[] if many else None,
            multiselect=many,
            max_choices=MOST_SHARED if many else None,
            allow_custom_value=True,
            label=label(f"shared_{name}"),
            info=label("shared_info"),
            elem_id=f"ot-shared-{name}-box",
        )
        find = gr.Button(label("shared_find"), size="sm", elem_id=f"ot-shared-{name}-find")
        said = gr.HTML(padding=False, elem_classes="ot-hint")
    find.click(SharedActions(actions).search, shared.inputs, [box, said], **shared.private)
    return box


@dataclass(frozen=True)
class PushPart:
    """What the page needs to know of it."""

    outputs: list[Component]  # in the order in which the panel fills them
    changes: list


def push_part(actions: Actions, shared: Shared) -> PushPart:
    """Lay out the push of the finished run; shown once there is one, if anybody can sign in."""
    sharing = SharedActions(actions)
    with gr.Column(visible=False, elem_id="ot-push") as whole:
        with gr.Accordion(label("push_title"), open=False, elem_id="ot-push-fold"):
            gr.Markdown(label("push_hint"), elem_classes="ot-hint")
            with gr.Row(elem_classes="ot-even"):
                repo = gr.Textbox(
                    label=label("push_repo"),
                    info=label("push_repo_info"),
                    placeholder="name/my-ocr-adapter",
                    max_length=200,
                    elem_id="ot-push-repo",
                )
                dataset = gr.Textbox(
                    label=label("push_dataset"),
                    info=label("push_dataset_info"),
                    placeholder="name/my-dataset",
                    max_length=200,
                    elem_id="ot-push-dataset",
                )
            with gr.Row(elem_classes="ot-even"):
                seen_by = gr.Radio(
                    [(label("push_private"), PRIVATE), (label("push_public"), PUBLIC)],
                    value=PRIVATE,
                    label=label("push_visibility"),
                    elem_id="ot-push-visibility",
                )
                terms = gr.Dropdown(
                    [(label("push_no_license"), ""), *((name, name) for name in LICENSES)],
                    value="",
                    label=label("push_license"),
                    elem_id="ot-push-license",
                )
            consent = gr.Checkbox(
                value=False,
                label=label("push_examples"),
                info=label("push_examples_info"),
                elem_id="ot-push-examples",
            )
            goal = gr.HTML(padding=False, elem_id="ot-push-goal", elem_classes="ot-hint")
            button = gr.Button(label("push_button"), elem_id="ot-push-button")
        result = gr.HTML(padding=False, elem_id="ot-push-result")
    told = [repo, seen_by, *shared.inputs]
    latest = shared.private | {"trigger_mode": "always_last"}
    repo.change(sharing.describe, told, goal, **latest)
    seen_by.input(sharing.describe, told, goal, **latest)
    pushed = button.click(
        sharing.push,
        [repo, seen_by, consent, terms, dataset, *shared.inputs],
        shared.session,
        **shared.private,
    )
    return PushPart([whole, button, result], [pushed])

"""The Try OCR tab."""

import gradio as gr

from ocrtune.ui.actions import LONGEST_WORDS, PROMPTS, Actions
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.editor import text_box
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.shared_actions import SharedActions
from ocrtune.ui.shared_part import adapter_part
from ocrtune.ui.terms import terms_part
from ocrtune.ui.words import label


def try_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Try OCR tab; return what it shows and which clicks change it."""
    with tab_named("try") as tab:
        reference = gr.State("")  # the right text, when the picture came from the dataset
        with card():
            step("try_step_1")
            picture = gr.Image(
                label=label("picture"),
                placeholder=label("picture_drop"),
                sources=["upload", "clipboard", "webcam"],
                type="filepath",
                image_mode=None,
                height=260,
                elem_classes="ot-input-picture",
            )
            take = gr.Button(label("take_button"), elem_id="ot-take")
        with card():
            step("try_step_2")
            terms = {"try_2": terms_part("try_2")}
            models = gr.HTML(padding=False, elem_id="ot-try-models")
            prompt = gr.Radio(
                [(label(f"prompt_{name}"), name) for name in PROMPTS],
                value=PROMPTS[0],
                label=label("prompt"),
                visible=False,
                elem_classes="ot-stack",
                elem_id="ot-prompt",
            )
            words = gr.Textbox(
                label=label("prompt_words"),
                placeholder=label("prompt_words_hint"),
                max_length=LONGEST_WORDS,
                visible=False,
                elem_id="ot-words",
            )
            adapter = adapter_part(actions, shared, "try")
            read = gr.Button(label("read_button"), variant="primary", elem_id="ot-read")
        with card():
            step("try_step_3")
            result = gr.HTML(padding=False, elem_id="ot-try-result")
            with gr.Column(visible=False, elem_id="ot-keep", elem_classes="ot-card-box") as keep:
                hint = gr.HTML(padding=False)
                right = text_box("keep_text", "ot-keep-text")
                add = gr.Button(label("keep_button"), elem_id="ot-keep-button")
                outcome = gr.HTML(padding=False, elem_id="ot-kept")
            following = gr.HTML(padding=False, elem_id="ot-try-next")
    prompt.input(actions.ask_for_words, prompt, words, **shared.private)
    picture.input(actions.forget_reference, None, reference, **shared.private)
    take.click(actions.take_picture, shared.inputs, [picture, reference], **shared.private)
    changes = [
        read.click(
            SharedActions(actions).read,
            [picture, reference, prompt, words, adapter, *shared.inputs],
            shared.session,
            preprocess=False,  # only the worker looks into the picture
            **shared.private,
        ),
        add.click(
            EditActions(actions).keep_reading, [right, *shared.inputs], outcome, **shared.private
        ),
    ]
    outputs = [models, prompt, read, take, result, following, keep, hint, add, right, outcome]
    return TabParts(tab, outputs, changes, terms)

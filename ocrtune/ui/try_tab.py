"""The Try OCR tab."""

import gradio as gr

from ocrtune.ui.actions import LONGEST_WORDS, PROMPTS, Actions
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.shared_part import adapter_part
from ocrtune.ui.terms import terms_part
from ocrtune.ui.try_actions import TryActions
from ocrtune.ui.try_part import given_part, keep_part, readings_part
from ocrtune.ui.words import label


def try_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Try OCR tab; return what it shows and which clicks change it."""
    trying = TryActions(actions)
    with tab_named("try") as tab:
        reference = gr.State("")  # the right text, where that of the picture is known
        with card():
            step("try_step_1")
            given = given_part(actions, shared, reference)
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
            with gr.Accordion(label("shared_try_fold"), open=False, elem_id="ot-shared-try-fold"):
                adapter = adapter_part(actions, shared, "try")
            read = gr.Button(label("read_button"), variant="primary", elem_id="ot-read")
        with card():
            step("try_step_3")
            result = gr.HTML(padding=False, elem_id="ot-try-result")
            several = readings_part(trying, shared)
            kept = keep_part(trying, shared)
            following = gr.HTML(padding=False, elem_id="ot-try-next")
    prompt.input(actions.ask_for_words, prompt, words, **shared.private)
    asked = [given.picture, reference, prompt, words, adapter, given.files, given.pages]
    changes = [
        read.click(
            trying.read,
            [*asked, *shared.inputs],
            [shared.session, shared.view],
            preprocess=False,  # only the worker looks into pictures
            **shared.private,
        ),
        *several.changes,
        *kept.changes,
    ]
    outputs = [models, prompt, read, *given.outputs, result]
    outputs += [*several.outputs, following, *kept.outputs]
    return TabParts(tab, outputs, changes, terms)

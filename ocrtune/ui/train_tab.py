"""The Fine-tune tab."""

import gradio as gr

from ocrtune.config import BASES, PRESETS, USUAL_PRESET
from ocrtune.families import FAMILIES
from ocrtune.ui.actions import Actions
from ocrtune.ui.copies import Copies
from ocrtune.ui.copy_part import copy_part
from ocrtune.ui.doctor_part import doctor_part
from ocrtune.ui.elsewhere import Elsewhere
from ocrtune.ui.elsewhere_part import elsewhere_part
from ocrtune.ui.knobs import lay_out_knobs
from ocrtune.ui.own_actions import OwnActions
from ocrtune.ui.own_part import log_part, mine_part
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.shared_actions import SharedActions
from ocrtune.ui.shared_part import adapter_part, push_part
from ocrtune.ui.terms import terms_part
from ocrtune.ui.words import label

EXAMPLE = "deepseek-ai/DeepSeek-OCR"  # of a base model on the Hub


def train_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Fine-tune tab; return what it shows and which clicks change it."""
    own, sharing = OwnActions(actions), SharedActions(actions)
    with tab_named("train") as tab:
        with card():
            step("train_step_1")
            terms = {"train_1": terms_part("train_1")}
            dataset = gr.HTML(padding=False, elem_id="ot-train-dataset")
            gr.Markdown(label("base_model"), elem_classes="ot-group")
            named = gr.Markdown(label(f"base_{BASES[0]}"), elem_id="ot-base-named")
            with gr.Accordion(label("base_others"), open=False, elem_id="ot-bases"):
                base = gr.Radio(
                    [(label(f"base_{name}"), name) for name in BASES],
                    value=BASES[0],
                    label=label("base_model"),
                    show_label=False,
                    elem_classes="ot-stack",
                )
                device = gr.HTML(padding=False)
            preset = gr.Radio(
                [(label(f"preset_{name}"), name) for name in PRESETS],
                value=USUAL_PRESET,
                label=label("preset"),
                elem_classes="ot-stack",
            )
            recipe = gr.Markdown(label("recipe_tiny_standard"), elem_classes="ot-hint")
            limits = gr.HTML(padding=False)
            with gr.Accordion(label("advanced"), open=False, elem_id="ot-advanced"):
                terms["train_advanced"] = terms_part("train_advanced")
                other = gr.Textbox(
                    label=label("other_base"),
                    info=label("other_base_info"),
                    placeholder=EXAMPLE,
                    max_length=200,
                    elem_id="ot-other-base",
                )
                settings = lay_out_knobs(FAMILIES[BASES[0]])
                copies = Copies(actions.home, actions.account, actions.lent)
                copied = copy_part(copies, shared)
                begun = adapter_part(actions, shared, "start")
        with card():
            step("train_step_2")
            elsewhere = Elsewhere(actions)
            place = elsewhere_part(elsewhere)
            with gr.Row(elem_classes="ot-buttons"):
                start = gr.Button(label("start_button"), variant="primary", elem_id="ot-start")
                check = gr.Button(label("check_button"), elem_id="ot-check")
                stop = gr.Button(label("stop_button"), visible=False, elem_id="ot-stop")
                resume = gr.Button(label("resume_button"), visible=False, elem_id="ot-resume")
            progress = gr.HTML(padding=False, elem_id="ot-train-progress")
            proceed = gr.Button(label("train_next_try"), variant="primary", visible=False)
            preflight = gr.HTML(padding=False, elem_id="ot-preflight")
            share = gr.HTML(padding=False, elem_id="ot-share")
            kept = gr.HTML(padding=False, elem_id="ot-run-kept")
        with card():
            step("train_step_3")
            terms["train_3"] = terms_part("train_3")
            with gr.Row(visible=False, elem_classes="ot-even") as curves:
                loss = curve("loss")
                cer = curve("cer")
            readings = gr.HTML(padding=False, elem_id="ot-readings")
            log = log_part(own, shared)
        push = push_part(actions, shared)
        mine = mine_part(own, shared)
        doctor = doctor_part(actions, shared)
    base.input(actions.name_base, base, named, **shared.private)
    choosing = {
        "fn": actions.choose,
        "inputs": [base, other, preset, shared.understood, *shared.inputs],
        "outputs": [shared.understood, recipe, *settings],
        **shared.private,
        "trigger_mode": "always_last",  # of two quick clicks the second one counts
    }
    events = (base.input, preset.input, other.submit, other.blur)
    chosen = [event(**choosing).then for event in events]
    place.follow(elsewhere, shared, [base, other, *settings], *chosen)
    changes = [
        start.click(
            elsewhere.start,
            [*place.inputs(shared), begun, base, other, *settings, *shared.inputs],
            shared.session,
            **shared.private,
        ),
        check.click(
            sharing.check,
            [base, other, *settings, begun, *shared.inputs],
            shared.session,
            **shared.private,
        ),
        stop.click(actions.stop, shared.inputs, shared.session, **shared.private),
        resume.click(
            elsewhere.resume,
            [*place.inputs(shared), *shared.inputs],
            shared.session,
            **shared.private,
        ),
        *log.changes,
        *mine.changes,
        *push.changes,
        *doctor.changes,
    ]
    copied.follow(copies, shared, changes[0], changes[3])
    place.take_consent(elsewhere, shared, changes[0], changes[3])
    changes += copied.changes
    proceed.click(actions.go_to_try, None, shared.tabs, **shared.private)
    outputs = [dataset, device, start, stop, resume, progress, proceed, curves, loss, cer, readings]
    outputs += [limits, check, preflight, share, kept, *log.outputs, *mine.outputs, *push.outputs]
    outputs += doctor.outputs
    return TabParts(tab, outputs, changes, terms)


def curve(column: str) -> gr.HTML:
    """Lay out what a curve means, and the curve of that column below it."""
    with gr.Column(elem_classes="ot-curve"):
        gr.Markdown(label(f"chart_{column}"), elem_classes="ot-hint")
        return gr.HTML(padding=False, elem_id=f"ot-curve-{column}")

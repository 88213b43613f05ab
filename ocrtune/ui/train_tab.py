"""The Fine-tune tab."""

import gradio as gr

from ocrtune.config import BASES
from ocrtune.ui.actions import LIMITS, PRESETS, Actions
from ocrtune.ui.parts import Shared, TabParts, card, step, tab_named
from ocrtune.ui.words import label


def train_tab(actions: Actions, shared: Shared) -> TabParts:
    """Lay out the Fine-tune tab; return what it shows and which clicks change it."""
    with tab_named("train") as tab:
        with card():
            step("train_step_1")
            dataset = gr.HTML(padding=False)
            base = gr.Radio(
                [(label(f"base_{name}"), name) for name in BASES],
                value=BASES[0],
                label=label("base"),
                elem_classes="ot-stack",
            )
            device = gr.HTML(padding=False)
            preset = gr.Radio(
                [(label(f"preset_{name}"), steps) for name, steps in PRESETS.items()],
                value=PRESETS["standard"],
                label=label("preset"),
                elem_classes="ot-stack",
            )
            settings = advanced()
        with card():
            step("train_step_2")
            with gr.Row():
                start = gr.Button(label("start_button"), variant="primary", elem_id="ot-start")
                check = gr.Button(label("check_button"), elem_id="ot-check")
                stop = gr.Button(label("stop_button"), interactive=False, elem_id="ot-stop")
            preflight = gr.HTML(padding=False, elem_id="ot-preflight")
            progress = gr.HTML(padding=False, elem_id="ot-train-progress")
            proceed = gr.Button(label("train_next_compare"), variant="primary", visible=False)
        with card():
            step("train_step_3")
            with gr.Row(visible=False, elem_classes="ot-even") as curves:
                loss = curve("loss")
                cer = curve("cer")
            readings = gr.HTML(padding=False, elem_id="ot-readings")
    preset.input(None, preset, settings[0], js="(steps) => steps", **shared.private)
    changes = [
        start.click(
            actions.start, [base, *settings, *shared.inputs], shared.session, **shared.private
        ),
        check.click(
            actions.check, [base, *settings, *shared.inputs], shared.session, **shared.private
        ),
        stop.click(actions.stop, shared.inputs, shared.session, **shared.private),
    ]
    proceed.click(actions.go_to_compare, None, shared.tabs, **shared.private)
    outputs = [dataset, device, start, stop, progress, proceed, curves, loss, cer, readings]
    outputs += [check, preflight]
    return TabParts(tab, outputs, changes)


def advanced() -> list[gr.Slider | gr.Number]:
    """Return the folded settings in the order of LIMITS."""
    start = {"steps": PRESETS["standard"], "rank": 16, "learning_rate": 0, "batch_size": 8}
    with gr.Accordion(label("advanced"), open=False):
        return [
            gr.Number(
                value=start[name],
                label=label(name),
                info=label(f"{name}_info"),
                minimum=low,
                maximum=high,
                step="any" if name == "learning_rate" else 1,
            )
            for name, (low, high) in LIMITS.items()
        ]


def curve(column: str) -> gr.LinePlot:
    """Lay out what a curve means, and the curve of that column below it."""
    with gr.Column(elem_classes="ot-curve"):
        gr.Markdown(label(f"chart_{column}"), elem_classes="ot-hint")
        return gr.LinePlot(
            x="step",
            y=column,
            height=250,
            show_label=False,
            buttons=[],
        )

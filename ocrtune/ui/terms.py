"""The terms of the field, each explained in one line in the card where it is met first.

An explanation opens by click, touch or keyboard: it is an ordinary `details` element.
"""

from collections.abc import Sequence

import gradio as gr

from ocrtune.ui.looks import Looks
from ocrtune.ui.views import text

# Which terms are explained in which card, in the order in which they are met. What a setting of a
# run means stands beside the setting itself.
CARDS: dict[str, tuple[str, ...]] = {
    "dataset_1": ("ground_truth",),
    "dataset_2": ("sample", "split"),
    "train_1": ("sample", "base_model", "preset", "step", "adapter"),
    "train_advanced": ("cer",),
    "train_3": ("loss", "cer"),
    "try_2": ("base_model", "tuned_model", "adapter"),
    "compare_1": ("base_model", "tuned_model", "split", "adapter"),
    "compare_3": ("cer", "interval", "ground_truth"),
}


def terms_part(name: str) -> gr.HTML:
    """Lay out the explanations of a card."""
    return gr.HTML(padding=False, elem_id=f"ot-terms-{name}")


def show_terms(looks: Looks, language: str) -> list:
    """Return the explanations of all cards."""
    return [explained(terms, language) for terms in CARDS.values()]


def explained(terms: Sequence[str], language: str) -> str:
    """Return terms that open their explanation, as HTML."""
    shown = "".join(
        f'<details class="ot-term"><summary>{text(language, f"term_{name}")}</summary>'
        f"<p>{text(language, f'term_{name}_means')}</p></details>"
        for name in terms
    )
    return f'<div class="ot-terms">{shown}</div>'

"""The part of the Fine-tune tab that is about copies on the Hub."""

from dataclasses import dataclass

import gradio as gr

from ocrtune.ui.copies import Copies
from ocrtune.ui.parts import Shared
from ocrtune.ui.words import label


@dataclass(frozen=True)
class CopyPart:
    """What the tab needs to know of it."""

    consent: gr.Checkbox
    changes: list  # clicks after which there is something new to show

    def follow(self, copies: Copies, shared: Shared, *clicks: gr.events.Dependency) -> None:
        """Let the copies begin after a run was started or resumed by one of these clicks."""
        for click in clicks:
            click.success(copies.begin, [self.consent, *shared.inputs], None, **shared.private)


def copy_part(copies: Copies, shared: Shared) -> CopyPart:
    """Lay out the consent, and the way back from a copy; hidden where nobody can sign in."""
    with gr.Column(visible=copies.offered):
        gr.Markdown(label("group_copies"), elem_classes="ot-group")
        consent = gr.Checkbox(
            value=False,
            label=label("copy_consent"),
            info=label("copy_consent_info"),
            elem_id="ot-copy-consent",
        )
        address = gr.Textbox(
            label=label("copy_address"),
            info=label("copy_address_info"),
            placeholder="hf://me/ocrtune-runs/run-20261123-1a2b3c4d",
            max_length=200,
            elem_id="ot-copy-address",
        )
        bring = gr.Button(label("copy_bring"), size="sm", elem_id="ot-copy-bring")
    consent.input(copies.begin, [consent, *shared.inputs], None, **shared.private)
    brought = bring.click(copies.bring, [address, *shared.inputs], shared.session, **shared.private)
    return CopyPart(consent, [brought])

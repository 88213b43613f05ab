"""The part of the Fine-tune tab that says where a run happens, and what that costs."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ocrtune.ui.elsewhere import HERE, Elsewhere
from ocrtune.ui.parts import Shared
from ocrtune.ui.words import label


@dataclass(frozen=True)
class ElsewherePart:
    """What the tab needs to know of it."""

    where: gr.Dropdown
    cost: gr.HTML
    consent: gr.Checkbox

    def inputs(self, shared: Shared) -> list[Component]:
        """What starting and resuming need to know of it."""
        return [self.where, self.consent, shared.terms]

    def take_consent(
        self, elsewhere: Elsewhere, shared: Shared, *clicks: gr.events.Dependency
    ) -> None:
        """Untick the box after one of these clicks has started a run."""
        for click in clicks:
            click.success(elsewhere.take_consent, None, self.consent, **shared.private)

    def follow(
        self, elsewhere: Elsewhere, shared: Shared, settings: list[Component], *events: object
    ) -> None:
        """Show what a run costs whenever one of these events may have changed that."""
        told = {
            "fn": elsewhere.describe,
            "inputs": [self.where, shared.terms, *settings, *shared.inputs],
            "outputs": [self.cost, self.consent, shared.terms],
            **shared.private,
            "trigger_mode": "always_last",
        }
        for event in (self.where.input, self.consent.input, *events):
            event(**told)


def elsewhere_part(elsewhere: Elsewhere) -> ElsewherePart:
    """Lay out the choice of a machine; hidden where nobody can sign in to pay for one."""
    with gr.Accordion(
        label("remote_title"), open=False, visible=elsewhere.offered, elem_id="ot-elsewhere"
    ):
        where = gr.Dropdown(
            [(label("remote_here"), HERE), *elsewhere.choices()],
            value=HERE,
            label=label("remote_where"),
            info=label("remote_where_info"),
            filterable=False,
            elem_id="ot-where",
        )
        cost = gr.HTML(padding=False, elem_id="ot-remote-cost")
        consent = gr.Checkbox(
            value=False,
            label=label("remote_consent"),
            info=label("remote_consent_info"),
            visible=False,
            elem_id="ot-remote-consent",
        )
    return ElsewherePart(where, cost, consent)

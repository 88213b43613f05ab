"""What all tabs are made of."""

from dataclasses import dataclass, field

import gradio as gr
from gradio.components import Component

from ocrtune.ui.words import label


@dataclass(frozen=True)
class Shared:
    """Widgets that belong to the page as a whole."""

    session: gr.BrowserState  # the ids of the visitor's jobs
    language: gr.Radio
    tabs: gr.Tabs
    # A state inside tabs breaks their bar, so all of them lie outside.
    view: gr.State  # what the visitor looks at: in the gallery, of the log, of their own jobs
    understood: gr.State  # which choice of base model and preset the settings follow
    terms: gr.State  # what the visitor was told of the cost of a machine of the Hub
    # A click is no public endpoint, shows no spinner of its own and cannot be doubled.
    private: dict = field(
        default_factory=lambda: {
            "api_visibility": "private",
            "show_progress": "hidden",
            "trigger_mode": "once",
        }
    )

    @property
    def inputs(self) -> list[Component]:
        """What every action gets after its own inputs."""
        return [self.session, self.language]


@dataclass(frozen=True)
class TabParts:
    """What the page needs to know of a tab."""

    tab: gr.Tab
    outputs: list[Component]  # in the order in which `watching` fills them
    changes: list  # clicks after which there is something new to show
    terms: dict[str, Component] = field(default_factory=dict)  # explained, by card


def tab_named(name: str) -> gr.Tab:
    """Return the tab of that name; the browser remembers which one was open last."""
    tab = gr.Tab(label(f"tab_{name}"), id=name, elem_classes="ot-tab")
    tab.select(None, None, None, js=f"() => window.ocrtune.remember('{name}')")
    return tab


def variant(next_step: bool) -> str:
    """Return the look of a button: only the next sensible step stands out."""
    return "primary" if next_step else "secondary"


def card(name: str | None = None) -> gr.Column:
    """Return the frame of one numbered step."""
    return gr.Column(elem_classes="ot-step-card", elem_id=name)


def section(key: str) -> gr.Markdown:
    """Return the heading of a part within a step."""
    return gr.Markdown(label(key), elem_classes="ot-section")


def step(key: str) -> gr.Markdown:
    """Return the heading of one step; the style sheet numbers it."""
    return gr.Markdown(label(key), elem_classes="ot-step")

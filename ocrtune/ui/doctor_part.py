"""The part of the Fine-tune tab that is about this machine: what it can do, and getting another."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component
from gradio.utils import get_space

from ocrtune.checkup_words import found_and_fix, state_of, summary, title_of
from ocrtune.config import DoctorConfig
from ocrtune.events import Checked, Event
from ocrtune.hub_pages import hub_page
from ocrtune.sentences import translate
from ocrtune.space_prices import PRICES, PRICES_DATE
from ocrtune.ui.actions import Actions, shown
from ocrtune.ui.looks import Look, Looks, clean, look, trouble, waiting
from ocrtune.ui.parts import Shared
from ocrtune.ui.views import escape, notice, sentence, text
from ocrtune.ui.words import label, say

OFFERED = "t4-small"  # the smallest machine that DeepSeek-OCR fits on
KINDS = {"ok": "good", "warning": "quiet", "problem": "bad"}  # of boxes


@dataclass(frozen=True)
class DoctorPart:
    """What the tab needs to know of it."""

    outputs: list[Component]  # in the order in which `watching` fills them
    changes: list


@dataclass(frozen=True)
class DoctorActions:
    """What its button does."""

    actions: Actions

    @shown
    def examine(self, session: object, language: str) -> dict:
        """Check this machine, and the account of who asks."""
        home, account = self.actions.home, self.actions.account
        if look(home, session, "doctor").active:
            return clean(session)
        token = account() if account else ""
        config = DoctorConfig(anonymous=not token)  # whose machine it is, is nobody's business

        def settle(folder: object) -> DoctorConfig:
            return config

        return clean(session) | {
            "doctor": self.actions.launch_once("doctor", settle, session, token)
        }


def doctor_part(actions: Actions, shared: Shared) -> DoctorPart:
    """Lay out the checkup."""
    with gr.Accordion(label("machine_title"), open=False, elem_id="ot-machine"):
        gr.Markdown(label("machine_hint"), elem_classes="ot-hint")
        button = gr.Button(label("machine_button"), size="sm", elem_id="ot-examine")
        found = gr.HTML(padding=False, elem_id="ot-checkup")
    doctor = DoctorActions(actions)
    click = button.click(doctor.examine, shared.inputs, shared.session, **shared.private)
    return DoctorPart([button, found], [click])


def show_doctor(looks: Looks, language: str) -> list:
    """Return the button, and what was found so far."""
    seen = looks["doctor"]
    events = seen.job.events() if seen.job else []
    return [gr.Button(interactive=not seen.active), checkup(seen, events, language)]


def checkup(seen: Look, events: list[Event], language: str) -> str:
    """Return what was found as a table, and what it says together."""
    if not seen.job:
        return ""
    found = [event for event in events if isinstance(event, Checked)]
    rows = "".join(row(one, language) for one in found)
    table = f'<table class="ot-checkup">{rows}</table>' if rows else ""
    if seen.active:
        return waiting(seen, language, text(language, "machine_working")) + table
    states = [one.state for one in found]
    worst = next((state for state in ("problem", "warning") if state in states), "ok")
    told = notice(escape(summary(states, language)), KINDS[worst]) if found else ""
    return (trouble(seen, language) or told) + table


def row(one: Checked, language: str) -> str:
    """Return one finding as a row."""
    try:
        title, state = title_of(one.check, language), state_of(one.state, language)
        values = {name: translate(language, value) for name, value in one.values.items()}
        found, fix = found_and_fix(one.words, values, language)
    except (KeyError, IndexError):  # of another version of ocrtune
        return ""
    more = f"<small>{sentence(fix)}</small>" if fix else ""
    return (
        f'<tr class="ot-{escape(one.state)}"><td>{escape(state)}</td><th>{escape(title)}</th>'
        f"<td>{sentence(found)}{more}</td></tr>"
    )


def duplicate_words(language: str) -> str:
    """Return the way to a Space of one's own, with what it costs; empty where this is no Space."""
    space = get_space()
    if not space:
        return ""
    link = f"{hub_page(space, 'space')}?duplicate=true"
    rate = f"{PRICES[OFFERED]:.2f}"
    costs = text(language, "duplicate_costs", machine=OFFERED, rate=rate, date=PRICES_DATE)
    return (
        f'<p class="ot-duplicate"><a href="{escape(link)}" target="_blank" rel="noopener">'
        f'{text(language, "duplicate")}</a></p><p class="ot-hint">{costs}</p>'
    )


def no_gpu_words(language: str) -> str:
    """Return what works without a GPU, and where one is to be had."""
    where = "gpu_none_space" if get_space() else "gpu_none_here"
    words = f"{text(language, 'gpu_none')} {sentence(say(language, where))}"
    return f'<p class="ot-hint">{words}</p>'

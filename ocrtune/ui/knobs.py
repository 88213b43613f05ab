"""The settings of a run as the page offers them: every one, in groups, within sensible limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import gradio as gr
from gradio.components import Component

from ocrtune.config import CHOICES, TrainConfig
from ocrtune.families import ModelFamily
from ocrtune.ui.words import Refused, label, say

DEFAULTS = {field.name: field.default for field in fields(TrainConfig)}


@dataclass(frozen=True)
class Knob:
    """One setting: a number within limits, one of a few words, or yes and no."""

    name: str  # of a field of TrainConfig
    low: float = 0
    high: float = 0

    @property
    def choices(self) -> tuple[str, ...]:
        """The words it may be; those in BY_FAMILY depend on the base model."""
        return CHOICES.get(self.name, ())

    @property
    def kind(self) -> type:
        return type(DEFAULTS[self.name])


GROUPS = {
    "length": (Knob("steps", 1, 5000), Knob("epochs", 0, 1000)),
    "memory": (
        Knob("batch_size", 1, 64),
        Knob("micro_batch", 0, 64),
        Knob("checkpointing"),
        Knob("optimizer"),
    ),
    "size": (Knob("lora_rank", 1, 128), Knob("lora_alpha", 1, 256), Knob("lora_dropout", 0, 0.5)),
    "adapted": (Knob("lora_vision"), Knob("lora_experts")),
    "pictures": (Knob("layout"), Knob("prompt"), Knob("augment")),
    "rate": (
        Knob("learning_rate", 0, 0.1),
        Knob("schedule"),
        Knob("warmup_steps", 0, 1000),
        Knob("weight_decay", 0, 1),
    ),
    "measuring": (
        Knob("evaluate_every", 0, 5000),
        Knob("validation_samples", 0, 1000),
        Knob("checkpoint_every", 0, 5000),
        Knob("early_stop", 0, 100),
    ),
    "engine": (Knob("engine"), Knob("compile"), Knob("seed", 0, 2**31 - 1)),
}
KNOBS = tuple(knob for knobs in GROUPS.values() for knob in knobs)
# Where the run reads and writes is the page's business; the base model has a choice of its own, as
# has the adapter to begin with, and a share of the samples is what a learning curve asks for.
ELSEWHERE = ("data", "output", "base", "fraction", "start_from")
BY_FAMILY = {"layout": "layouts", "prompt": "prompts"}  # which fact of a family has their words
NO_TRAINING = ("locate",)  # a prompt with a blank, to be filled for each picture


def is_usable(knob: Knob, family: ModelFamily | None) -> bool:
    """Return whether a setting changes anything for that kind of model; None: nobody knows it."""
    if knob.name == "lora_experts":
        return family is None or bool(family.lora_experts)
    if knob.name == "layout":
        return family is not None and len(family.layouts) > 1
    if knob.name == "prompt":
        return family is not None and bool(family.prompts)
    return True


def words_of(knob: Knob, family: ModelFamily | None) -> tuple[str, ...]:
    """Return the words that a setting may be; the first one leaves the choice to ocrtune."""
    if knob.name not in BY_FAMILY:
        return knob.choices
    known = getattr(family, BY_FAMILY[knob.name]) if family else ()
    first = DEFAULTS[knob.name]
    return (first, *(name for name in known if name not in (first, *NO_TRAINING)))


def listed(knob: Knob, family: ModelFamily | None) -> list[tuple[object, str]]:
    """Return the choices as a widget takes them; names stay names in every language."""
    first, *others = words_of(knob, family)
    if knob.name == "layout":
        return [(label("choice_auto"), first), *((name, name) for name in others)]
    if knob.name == "prompt":
        names = [(label(f"prompt_{name}"), name) for name in others]
        return [(label("choice_auto"), first), *names]
    names = {word: label(f"choice_{word}") for word in ("auto", "yes", "no")}
    names |= {word: label(f"choice_{word}") for word in CHOICES["schedule"]}
    return [(names.get(word, word), word) for word in (first, *others)]


def lay_out_knobs(family: ModelFamily) -> list[Component]:
    """Lay out all settings in their groups; return the widgets in the order of KNOBS."""
    widgets = []
    for group, knobs in GROUPS.items():
        gr.Markdown(label(f"group_{group}"), elem_classes="ot-group")
        with gr.Row(elem_classes="ot-knobs"):
            widgets += [make_widget(knob, family) for knob in knobs]
    return widgets


def make_widget(knob: Knob, family: ModelFamily) -> Component:
    """Return the widget of one setting."""
    shared = {
        "value": DEFAULTS[knob.name],
        "label": label(knob.name),
        "info": label(f"{knob.name}_info"),
        "visible": is_usable(knob, family),
        "elem_id": f"ot-knob-{knob.name}",
    }
    if knob.kind is bool:
        return gr.Checkbox(**shared)
    if knob.kind is str:
        return gr.Radio(listed(knob, family), **shared)
    step = 1 if knob.kind is int else "any"
    return gr.Number(minimum=knob.low, maximum=knob.high, step=step, **shared)


def turn_knobs(settings: dict, family: ModelFamily | None, other_base: bool) -> list[dict]:
    """Return what changes in the widgets when a preset or another base model is chosen.

    settings: the preset's; what it does not name stays as the visitor left it.
    """
    changes = []
    for knob in KNOBS:
        more: dict = {"visible": is_usable(knob, family)}
        if knob.name in settings:
            more["value"] = settings[knob.name]
        if knob.name in BY_FAMILY and other_base:
            more |= {"choices": listed(knob, family), "value": DEFAULTS[knob.name]}
        changes.append(gr.update(**more))
    return changes


def read_knobs(values: Sequence[object], family: ModelFamily | None, language: str) -> dict:
    """Return the settings that a browser sent, in the order of KNOBS, or refuse them in words.

    What means nothing to that kind of model keeps its default.
    """
    if len(values) != len(KNOBS):
        raise Refused("machine_trouble", why=f"{len(values)} settings")
    return {
        knob.name: read_knob(knob, value, family, language)
        for knob, value in zip(KNOBS, values, strict=True)
        if is_usable(knob, family)
    }


def read_knob(
    knob: Knob, value: object, family: ModelFamily | None, language: str
) -> int | float | str | bool:
    """Return one setting in the type of its field."""
    name = say(language, knob.name)
    if knob.kind is str:
        words = words_of(knob, family)
        if not isinstance(value, str) or value not in words:
            raise Refused("bad_choice", name=name)
        return value
    if knob.kind is bool:
        if not isinstance(value, bool):
            raise Refused("bad_choice", name=name)
        return value
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not knob.low <= value <= knob.high:
        raise Refused("bad_number", name=name, low=knob.low, high=knob.high)
    return knob.kind(value)

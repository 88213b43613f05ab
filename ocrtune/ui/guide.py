"""The guide bar: where the visitor is, and one button that does the next sensible thing.

It follows from the jobs alone, as everything on the page does. The button's work is told to the
page's script as a list of acts: open a tab, press a button, wait for something, show something.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from ocrtune.dataset_files import read_build_report
from ocrtune.events import Step
from ocrtune.ui.actions import SAMPLE, trained
from ocrtune.ui.gallery import View
from ocrtune.ui.looks import Look, Looks, question, stage_words
from ocrtune.ui.views import bar, duration, escape, notice, text

Acts = Sequence[Sequence[str]]
PICTURE = ".ot-input-picture img"
COMPARE_TAB: Acts = (("tab", "compare"), ("show", "#ot-compare"))
TRY_TAB: Acts = (("tab", "try"), ("show", "#ot-try-result"))
ACTS: dict[str, Acts] = {
    "sample": (("tab", "dataset"), ("click", "#ot-sample"), ("show", "#ot-dataset-report")),
    "build": (("tab", "dataset"), ("click", "#ot-build"), ("show", "#ot-dataset-report")),
    "own": (("tab", "dataset"), ("show", "#ot-bring")),
    "answer": (("tab", "dataset"), ("show", "#ot-dataset-report")),
    "start": (("tab", "train"), ("click", "#ot-start"), ("show", "#ot-train-progress")),
    "resume": (("tab", "train"), ("click", "#ot-resume"), ("show", "#ot-train-progress")),
    "try": (
        ("tab", "try"),
        ("click", "#ot-take", PICTURE),  # unless there is a picture already
        ("await", PICTURE),
        ("click", "#ot-read"),
        ("show", "#ot-try-result"),
    ),
    "compare": (("tab", "compare"), ("click", "#ot-compare"), ("show", "#ot-compare-result")),
    "lines": (("tab", "compare"), ("show", "#ot-lines")),
    "train_tab": (("tab", "train"), ("show", "#ot-start")),
}
PLACES = {  # where each kind of job is followed
    "dataset": (("tab", "dataset"), ("show", "#ot-dataset-report")),
    "run": (("tab", "train"), ("show", "#ot-train-progress")),
    "reading": TRY_TAB,
    "comparison": (("tab", "compare"), ("show", "#ot-compare-result")),
}
TABS_OF = {"dataset": "dataset", "run": "train", "reading": "try", "comparison": "compare"}


@dataclass(frozen=True)
class Next:
    """One thing to do next."""

    here: str  # the key of the sentence on where the visitor is
    button: str  # the key of the words on the button
    acts: Acts
    values: dict[str, object] = field(default_factory=dict)  # for the sentence
    busy: Look | None = None  # what is under way


def show_guide(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the guide bar."""
    return [guide_html(next_step(looks, language, view), done_tabs(looks), language)]


def is_brought(looks: Looks, view: View | None) -> bool:
    """Return whether the visitor has chosen a zip that waits to be built."""
    dataset = looks["dataset"]
    chosen = view is not None and view.brought == dataset.id
    return chosen and not dataset.active and question(dataset) is None


def next_step(looks: Looks, language: str, view: View | None = None) -> Next:
    """Return what is sensible to do next."""
    for name in TABS_OF:
        if looks[name].active:
            return under_way(name, looks[name], language)
    dataset, run = looks["dataset"], looks["run"]
    if is_brought(looks, view):
        return Next("guide_brought", "build_button", ACTS["build"])
    if question(dataset):
        return Next("guide_question", "guide_answer", ACTS["answer"])
    if dataset.job and not dataset.usable:
        return wrong("dataset")
    if is_older(run, dataset):
        return Next("guide_built", "guide_start", ACTS["start"], {"samples": samples_of(dataset)})
    if not run.job:
        return Next("guide_empty", "sample_button", ACTS["sample"])
    if not run.usable:
        resume = Next("guide_interrupted", "guide_resume", ACTS["resume"])
        return resume if run.resumable else wrong("run")
    return after_learning(looks)


def after_learning(looks: Looks) -> Next:
    """Return what is next once a model has learned."""
    run, reading, comparison = looks["run"], looks["reading"], looks["comparison"]
    if comparison.usable:
        return after_comparing(looks["dataset"])
    if comparison.job:
        return wrong("comparison")
    if not reading.job:
        acts = ACTS["try"] if looks["dataset"].usable else TRY_TAB
        return Next("guide_learned", "guide_try", acts)
    if not (unseen := run_counts(run).get("test")):
        return Next("guide_no_test", "guide_own_button", ACTS["own"])
    here = "guide_read" if reading.usable else "guide_unread"
    return Next(here, "guide_compare", ACTS["compare"], {"test": unseen})


def after_comparing(dataset: Look) -> Next:
    """Return what is next with the proof at hand: pictures of one's own, or better texts."""
    if not dataset.usable or read_build_report(dataset.dataset)["source"] == SAMPLE.name:
        return Next("guide_done_sample", "guide_own_button", ACTS["own"])
    return Next("guide_done", "guide_lines", ACTS["lines"])


def under_way(name: str, seen: Look, language: str) -> Next:
    """Return that there is nothing to do but watch."""
    here, values = f"guide_{name}_busy", {}
    if seen.state == "queued":
        here = "guide_queued"
    elif name == "run" and seen.state == "running":
        steps = [event for event in seen.job.events() if isinstance(event, Step)]
        if steps:
            left = duration(steps[-1].seconds_left, language)
            values = {"step": steps[-1].step, "total": steps[-1].total, "time": left}
            here = "guide_learning"
    return Next(here, "guide_watch", PLACES[name], values, seen)


def wrong(name: str) -> Next:
    """Return that something went wrong, and where it is told why."""
    return Next(f"guide_{name}_wrong", "guide_why", PLACES[name])


def is_older(run: Look, dataset: Look) -> bool:
    """Return whether there is a dataset from which the run has not learned."""
    if not dataset.usable:
        return False
    return not run.job or trained(run).data != str(dataset.dataset)


def run_counts(run: Look) -> dict[str, int]:
    """Return how many samples each split has that a run was made with."""
    return read_build_report(Path(trained(run).data))["splits"] if run.usable else {}


def samples_of(dataset: Look) -> int:
    return read_build_report(dataset.dataset)["samples"]


def done_tabs(looks: Looks) -> list[str]:
    """Return the tabs on which everything is done; the style sheet ticks them off."""
    old = is_older(looks["run"], looks["dataset"])
    kept = ("dataset",) if old else tuple(TABS_OF)
    return [TABS_OF[name] for name in kept if looks[name].usable and not looks[name].active]


def guide_html(step: Next, done: Sequence[str], language: str) -> str:
    """Return the guide bar as HTML."""
    here = text(language, step.here, **step.values)
    progress = ""
    if step.busy:
        stage = "" if step.values else escape(stage_words(step.busy, language))
        progress = f"<small>{stage}</small>" * bool(stage) + bar(step.busy.step, step.busy.total)
    live = "" if step.busy else ' role="status"'  # a screen reader is not told every step
    return (
        f'<div class="ot-guide" role="region" aria-label="{text(language, "guide_region")}" '
        f'data-ot-done="{" ".join(done)}">'
        f"<div{live}><p>{here}</p>{progress}</div>"
        f"{act_button(step.button, step.acts, language, primary=not step.busy)}</div>"
    )


def act_button(key: str, acts: Acts, language: str, primary: bool = True) -> str:
    """Return a button of our own whose click the page's script turns into acts."""
    look = "ot-act ot-primary" if primary else "ot-act"
    told = escape(json.dumps(acts))
    return (
        f'<button type="button" class="{look}" data-ot-acts="{told}">{text(language, key)}</button>'
    )


def offer(here: str, key: str, acts: Acts, language: str) -> str:
    """Return why a tab is still empty, and the button that does what has to come first."""
    return notice(f"<p>{text(language, here)}</p>{act_button(key, acts, language)}")


def before_reading(looks: Looks, language: str) -> str:
    """Return which models would read, or what has to come first for both to read."""
    if looks["run"].usable:
        return notice(text(language, "try_ready"), "good")
    if looks["run"].active:
        return notice(text(language, "try_run_busy"), "busy")
    return first_of_all(looks, "try_empty", "try_no_adapter", language)


def first_of_all(looks: Looks, empty: str, built: str, language: str) -> str:
    """Return the way to a tuned model: the sample first, or a run on the dataset."""
    if looks["dataset"].active:
        return notice(text(language, "train_dataset_building"), "busy")
    if not looks["dataset"].usable:
        return offer(empty, "sample_button", ACTS["sample"], language)
    return offer(built, "to_train_button", ACTS["train_tab"], language)


def reading_is_next(looks: Looks) -> bool:
    """Return whether reading is what the Try OCR tab is there for now."""
    run, reading = looks["run"], looks["reading"]
    if reading.active or run.active or looks["dataset"].active:
        return True
    return run.usable and not reading.usable


def show_after_reading(looks: Looks, language: str) -> list:
    """Return what is next on the Try OCR tab once something was read."""
    run, reading, comparison = looks["run"], looks["reading"], looks["comparison"]
    if not (run.usable and reading.usable) or looks["dataset"].active:
        return [""]
    if comparison.usable:
        return [offer("try_compared", "to_compare_button", PLACES["comparison"], language)]
    return [offer("try_next_compare", "to_compare_button", COMPARE_TAB, language)]


def before_comparing(looks: Looks, language: str) -> str:
    """Return what has to come before a comparison; empty if nothing does."""
    run = looks["run"]
    if run.active or run.usable:
        return ""
    return first_of_all(looks, "compare_empty", "compare_no_run", language)


def guide_part() -> gr.HTML:
    """Lay out the guide bar; it stays at the bottom of the window."""
    return gr.HTML(padding=False, elem_id="ot-guide")

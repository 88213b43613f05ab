"""What the page shows: everything visible follows from the visitor's jobs, on every look anew.

One function fills all four tabs. It is called after a click, on a timer while a job is under
way, and when the page is opened again; a tab in which nothing is new is left alone.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from ocrtune.dataset_files import read_build_report
from ocrtune.errors import OcrtuneError
from ocrtune.keeping import mark_used, survey
from ocrtune.limits import NO_LIMITS, Limits
from ocrtune.sample_index import IndexedSample, SampleIndex
from ocrtune.ui import (
    compare_panels,
    dataset_views,
    doctor_part,
    editor,
    guide,
    own_views,
    preflight_views,
    readings,
    report_views,
    shared_views,
    train_views,
)
from ocrtune.ui.actions import offered_prompts
from ocrtune.ui.curves import curve
from ocrtune.ui.gallery import View, edits_moment
from ocrtune.ui.looks import (
    COMMANDS,
    Look,
    Looks,
    belongings,
    clean,
    look,
    look_at_all,
    question,
)
from ocrtune.ui.pace import Pace
from ocrtune.ui.parts import variant
from ocrtune.ui.share_views import show_shared
from ocrtune.ui.terms import CARDS, show_terms
from ocrtune.ui.views import notice, sentence
from ocrtune.ui.visitors import VISITOR, new_visitor
from ocrtune.ui.words import language_of, said, say

TABS = ("dataset", "train", "try", "compare")
NVIDIA = Path("/dev/nvidiactl")


def show_dataset(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the report, the sample button, the way on, what is asked, the downloads, the build."""
    dataset = looks["dataset"]
    build = guide.is_brought(looks, view)
    first = not dataset.usable and question(dataset) is None and not build
    sample = gr.Button(interactive=not dataset.active, variant=variant(first))
    proceed = gr.Button(visible=dataset.usable, variant=variant(not build))
    asking = [*asked_widgets(dataset, language), gr.Row(visible=dataset.usable)]
    asking.append(gr.Button(interactive=not dataset.active, variant=variant(build)))
    if not dataset.usable:
        return [dataset_views.pending(dataset, language), sample, proceed, *asking]
    report = read_build_report(dataset.dataset)
    return [report_views.report(report, language), sample, proceed, *asking]


def asked_widgets(dataset: Look, language: str) -> list:
    """Return the answers that a build asks for, their button, and the one that stops a build."""
    asked = question(dataset)
    offered = dataset_views.choices(asked, language)
    first = offered[0][1] if offered else None
    return [
        gr.Radio(choices=offered, value=first, visible=asked is not None),
        gr.Button(visible=asked is not None),
        gr.Button(visible=dataset.state in ("queued", "running")),
    ]


def show_train(looks: Looks, language: str) -> list:
    """Return everything of the Fine-tune tab that changes."""
    dataset, run, check = looks["dataset"], looks["run"], looks["check"]
    events = run.job.events() if run.job else []
    checked = check.job.events() if check.job else []
    counts = split_counts(dataset)
    ready, stoppable = bool(counts) and not run.active, run.state in ("queued", "running")
    older = guide.is_older(run, dataset)
    return [
        train_views.dataset_words(dataset, counts, language),
        device_words(language) + doctor_part.duplicate_words(language),
        gr.Button(interactive=ready, variant=variant(start_is_next(looks))),
        gr.Button(interactive=stoppable, visible=stoppable),
        gr.Button(visible=run.resumable, variant=variant(run.resumable and not run.usable)),
        train_views.progress(run, events, language),
        gr.Button(visible=run.usable and not older),
        gr.Row(visible=bool(train_views.losses(events) or train_views.cers(events))),
        curve(train_views.losses(events), "loss", run.total, language),
        curve(train_views.cers(events), "cer", run.total, language),
        train_views.readings(events, language),
        train_views.limits_words(looks.limits, language),
        gr.Button(interactive=ready and not check.active),
        preflight_views.preflight(check, checked, run, events, language),
    ]


def start_is_next(looks: Looks) -> bool:
    """Return whether a run is what should be started next, or is under way."""
    dataset, run = looks["dataset"], looks["run"]
    if not dataset.usable and not dataset.active and not run.job:
        return False  # the sample, or a dataset of the visitor's own
    return run.active or not (run.usable or run.resumable) or guide.is_older(run, dataset)


def device_words(language: str) -> str:
    """Return what to know of this machine."""
    return "" if NVIDIA.exists() else doctor_part.no_gpu_words(language)


def show_kept(looks: Looks, language: str) -> list:
    """Return until when the dataset is kept."""
    return [own_views.kept_words(looks, "dataset", language)]


def show_share(looks: Looks, language: str) -> list:
    """Return the link to the run, and until when it is kept."""
    return [own_views.share(looks["run"], language), own_views.kept_words(looks, "run", language)]


def show_log(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the end of the run's log, and the button that fetches all of it."""
    if not view or not view.log:
        return ["", gr.skip()]
    run = looks["run"]
    return [own_views.log(run, language), gr.Button(interactive=run.job is not None)]


def show_mine(looks: Looks, language: str, view: View | None = None) -> list:
    """Return the visitor's own jobs, and what is asked before some of them are deleted."""
    if not view or not view.mine:
        return ["", gr.Column(visible=False), "", gr.skip()]
    asked = own_views.doomed(looks, view, language)
    listed = own_views.mine(looks, view, language)
    return [listed, gr.Column(visible=bool(asked)), asked, gr.Button(visible=bool(looks.mine()))]


def show_try(looks: Looks, language: str) -> list:
    """Return which models would read, what they are asked, the buttons, and what they read."""
    run, reading = looks["run"], looks["reading"]
    events = reading.job.events() if reading.job else []
    button = say(language, "read_button" if run.usable else "read_button_base")
    return [
        guide.before_reading(looks, language),
        gr.Radio(visible=bool(offered_prompts(run))),
        gr.Button(
            value=button,
            interactive=not reading.active,
            variant=variant(guide.reading_is_next(looks)),
        ),
        gr.Button(visible=looks["dataset"].usable),
        gr.Button(visible=not looks["dataset"].usable),
        readings.result(reading, events, reference(reading), language),
    ]


def split_counts(dataset: Look) -> dict[str, int]:
    """Return how many samples each split has; empty without a dataset."""
    return read_build_report(dataset.dataset)["splits"] if dataset.usable else {}


def reference(reading: Look) -> str:
    """Return the right text of the picture that was read, where it is known."""
    path = reading.job.folder / "reference.txt" if reading.job else None
    return path.read_text("utf-8") if path and path.exists() else ""


@dataclass(frozen=True)
class Panel:
    """How one tab, or a part of one, is filled."""

    show: Callable[..., list]  # of the looks and the language; and of the view, with a `sight`
    jobs: tuple[str, ...]  # it shows every event of these
    ends: tuple[str, ...]  # it shows only the states of these
    notice: int  # which of its outputs can say that something is wrong
    width: int  # how many outputs it has
    # What else it shows differs with this; and whether it says anything in the visitor's language:
    # a text that somebody is writing must not be put back by a switch.
    sight: Callable[[Looks, View], object] | None = None
    speaks: bool = True

    def moment(self, looks: Looks, language: str, view: View) -> list:
        """Return something that differs when the tab has anything new to show."""
        states = [(looks[name].id, looks[name].state) for name in self.ends]
        more = self.sight(looks, view) if self.sight else None
        spoken = language if self.speaks else ""
        return [spoken, [looks[name].moment() for name in self.jobs], states, more]

    def fill(self, looks: Looks, language: str, view: View) -> list:
        """Return the tab's outputs; what is wrong on disk is said in the tab itself."""
        try:
            return self.show(looks, language, view) if self.sight else self.show(looks, language)
        except OcrtuneError as error:
            outputs = [gr.skip() for _ in range(self.width)]
            outputs[self.notice] = notice(sentence(" ".join(said(error, language))), "bad")
            return outputs


def look_at_gallery(looks: Looks, view: View) -> list:
    """Return what differs when the gallery does, beside the jobs."""
    looked_at = [view.split, view.show, view.search, view.page, view.open, view.place]
    return [looked_at, edits_moment(looks["dataset"])]


def look_at_card(looks: Looks, view: View) -> list:
    """Return what differs when another text stands on the card."""
    return [view.open, [one.text for one in opened(looks["dataset"], view)]]


def opened(dataset: Look, view: View) -> list[IndexedSample]:
    """Return the sample on the card, if there is one."""
    found = SampleIndex(dataset.dataset).find(view.open) if dataset.usable and view.open else None
    return [found] if found else []


def look_at_brought(looks: Looks, view: View) -> str | None:
    """Return what differs when a zip was chosen."""
    return view.brought


def look_at_lines(looks: Looks, view: View) -> list:
    """Return what differs when other lines of the comparison are looked at, or corrected."""
    looked_at = [view.lines, view.line_search, view.line_page, view.line_at]
    return [looked_at, edits_moment(looks["dataset"])]


def look_at_more(looks: Looks, view: View) -> bool:
    """Return what differs when the visitor wants to know what else could be compared."""
    return view.more


def look_at_suspects(looks: Looks, view: View) -> list:
    """Return what differs when other training lines are to be checked."""
    return [view.suspect, edits_moment(looks["dataset"])]


def look_at_log(looks: Looks, view: View) -> list:
    """Return what differs when there is more in the log and somebody looks."""
    return [view.log, own_views.log_size(looks["run"]) if view.log else 0]


def look_at_mine(looks: Looks, view: View) -> list:
    """Return what differs when the visitor wants to see the list, or to be asked something."""
    return [view.mine, view.doomed]


GALLERY = (("dataset",), ("comparison",))
EVERY_END = ((), tuple(COMMANDS))
SUSPECTS = ((), ("comparison", "dataset"))
FOLLOWED = ("dataset", "run", "reading", "comparison")
PANELS = {
    "dataset": Panel(show_dataset, ("dataset",), (), 0, 8, look_at_brought),
    "gallery": Panel(editor.show_gallery, *GALLERY, 5, 12, look_at_gallery),
    "gallery_text": Panel(editor.show_text, (), ("dataset",), 0, 1, look_at_card, speaks=False),
    "kept": Panel(show_kept, (), ("dataset", "run", "comparison"), 0, 1),
    "shared": Panel(show_shared, ("shared",), ("dataset",), 0, 3),
    "train": Panel(show_train, ("run", "check"), ("dataset",), 5, 14),
    "share": Panel(show_share, (), ("run", "comparison"), 1, 2),
    "log": Panel(show_log, (), ("run",), 0, 2, look_at_log),
    "mine": Panel(show_mine, *EVERY_END, 0, 4, look_at_mine),
    "push": Panel(shared_views.show_push, ("push",), ("run",), 2, 3),
    "doctor": Panel(doctor_part.show_doctor, ("doctor",), (), 1, 2),
    "try": Panel(show_try, ("reading",), ("run", "dataset"), 5, 6),
    "readings": Panel(readings.show_readings, ("reading",), (), 1, 8, readings.look_at_readings),
    "try_next": Panel(
        guide.show_after_reading, ("reading", "comparison"), ("run", "dataset"), 0, 1
    ),
    "keep": Panel(editor.show_keep, (), ("reading", "dataset"), 1, 4, editor.look_at_kept),
    "keep_text": Panel(
        editor.show_keep_text, (), (), 1, 2, editor.look_at_correctable, speaks=False
    ),
    "compare": Panel(compare_panels.show_compare, ("comparison",), ("run", "dataset"), 2, 5),
    "more": Panel(compare_panels.show_more, (), ("run",), 0, 1, look_at_more),
    "lines": Panel(compare_panels.show_lines, *SUSPECTS, 2, 6, look_at_lines),
    "suspects": Panel(editor.show_suspects, *SUSPECTS, 2, 5, look_at_suspects),
    "suspects_text": Panel(
        editor.show_suspect_text, *SUSPECTS, 0, 2, look_at_suspects, speaks=False
    ),
    "terms": Panel(show_terms, (), (), 0, len(CARDS)),
    "guide": Panel(
        guide.show_guide, ("dataset", "run", "reading", "comparison"), (), 0, 1, look_at_brought
    ),
}


# What moves with every step of a training is shown piece by piece: gradio takes milliseconds for
# each button that it is told of. Nothing in it is filled in by people.
MOVING = ("train", "readings")
TOLD = "told "  # before the name of such a panel


def without_known(outputs: list, known: list[str]) -> tuple[list, list[str]]:
    """Return the outputs of which the page has been told something else, and what it knows then."""
    digests = [digest(output) for output in outputs]
    if len(known) != len(digests):
        return outputs, digests
    pairs = zip(outputs, digests, known, strict=True)
    return [gr.skip() if new and new == old else out for out, new, old in pairs], digests


def digest(output: object) -> str:
    """Return what tells an output from another; empty for one that is always told."""
    if isinstance(output, dict):
        return ""
    words = output if isinstance(output, str) else repr(output.constructor_args)
    return hashlib.sha256(f"{type(output).__name__} {words}".encode()).hexdigest()


def name_tabs(language: object) -> list[gr.Tab]:
    """Return the tabs with their names: gradio translates those of unopened tabs only once."""
    return [gr.Tab(label=say(language_of(language), f"tab_{name}")) for name in TABS]


@dataclass(frozen=True)
class Watching:
    """The eyes of the page on one home of jobs."""

    home: Path
    limits: Limits = NO_LIMITS
    pace: Pace = field(default_factory=Pace)

    def watch(self, session: object, language: object, seen: object, view: object = None) -> list:
        """Return the outputs of all tabs, the timer, and what this visitor has seen now."""
        language = language_of(language)
        looks = look_at_all(self.home, session, self.limits)
        before = seen if isinstance(seen, dict) else {}
        view = view if isinstance(view, View) else View()
        now = {name: panel.moment(looks, language, view) for name, panel in PANELS.items()}
        outputs = []
        for name, panel in PANELS.items():
            if before.get(name) == now[name]:
                now |= {key: before[key] for key in before if key == TOLD + name}
                outputs += [gr.skip() for _ in range(panel.width)]
            else:
                told = panel.fill(looks, language, view)
                if name in MOVING:
                    told, now[TOLD + name] = without_known(told, before.get(TOLD + name, []))
                outputs += told
        busy = any(seen_job.active for seen_job in looks.values())
        page = hash(frozenset(looks.session.items()))
        if not busy:
            self.pace.leave(page)
            return [*outputs, gr.Timer(active=False), now]
        return [*outputs, gr.Timer(value=self.pace.seconds(page), active=True), now]

    def arrive(self, session: object, place: object, language: object, request: gr.Request) -> list:
        """Return jobs, open tab, language and tab names; `?run=` in the address brings a run."""
        known, place = clean(session), place if place in TABS else TABS[0]
        run = look(self.home, {"run": request.query_params.get("run")}, "run")
        if run.job and run.id != known.get("run"):
            kept = {VISITOR: known[VISITOR]} if VISITOR in known else {}
            known = kept | {"run": run.id} | belongings(survey(self.home), run.id, kept)
            place = "train"
        known.setdefault(VISITOR, new_visitor())
        for name in COMMANDS:
            if found := look(self.home, known, name).job:
                mark_used(found)
        language = language_of(language)
        return [known, gr.Tabs(selected=place), language, *name_tabs(language)]

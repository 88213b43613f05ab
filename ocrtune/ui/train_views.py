"""What the Fine-tune tab shows of a run."""

import math

from ocrtune.events import Evaluated, Event, Preflight, SampleRead, Step
from ocrtune.limits import Limits
from ocrtune.metrics import marked_difference
from ocrtune.report_page import percent
from ocrtune.ui.copies import copy_words
from ocrtune.ui.elsewhere import remote_words
from ocrtune.ui.guide import ACTS, offer
from ocrtune.ui.looks import Look, lost_words, remarks, trouble, waiting
from ocrtune.ui.views import bar, duration, escape, legend, marked, notice, text, tiles, user_text
from ocrtune.ui.words import say

PICTURES_SHOWN = 3
READINGS_SHOWN = 5  # of one picture


def progress(run: Look, events: list[Event], language: str) -> str:
    """Return how far the run is, and what it remarked."""
    if not run.job:
        return notice(text(language, "train_idle"))
    box = progress_box(run, events, language)
    where = remote_words(run, language) or copy_words(run, language)
    return box + where + remarks(events, language)


def progress_box(run: Look, events: list[Event], language: str) -> str:
    """Return how far an existing run is."""
    steps = [event for event in events if isinstance(event, Step)]
    if run.state in ("queued", "running") and not steps:
        return waiting(run, language, text(language, "train_preparing"))
    if run.active:
        last = steps[-1] if steps else Step(0, 0, 0, 0, 0)
        whole = next((event.memory_bytes for event in events if isinstance(event, Preflight)), 0)
        return notice(
            step_words(last, run.state, whole, language) + bar(last.step, last.total), "busy"
        )
    more = f" {resume_words(run, language)}" if run.resumable else ""
    if run.usable:
        return notice(text(language, f"train_{run.state}") + more, "good")
    if run.resumable and run.state == "lost":
        return notice(lost_words("train_lost", run, language) + more, "bad")
    told = trouble(run, language) or notice(text(language, "train_stopped_early"))
    return told + (notice(more) if more else "")


def resume_words(run: Look, language: str) -> str:
    """Return from where an ended run can go on."""
    if step := run.saved_step:
        return text(language, "resume_from", step=step)
    return text(language, "resume_hint")


def step_words(last: Step, state: str, whole: int, language: str) -> str:
    """Return where the run is, how long it takes and how much of the whole memory, as HTML."""
    where = f"<b>{text(language, 'train_step', step=last.step, total=last.total)}</b>"
    if state == "stopping":
        return f"{where} <small>{text(language, 'train_stopping')}</small>"
    told = [text(language, "time_left", time=duration(last.seconds_left, language))]
    if last.memory_bytes:
        told.append(memory_words(last.memory_bytes, whole, language))
    return where + "".join(f" <small>{words}</small>" for words in told)


def memory_words(used: int, whole: int, language: str) -> str:
    """Return how much memory a run takes, and of how much if that is known, as HTML."""
    if whole < used:
        return text(language, "memory_used", used=f"{used / 1e9:.1f}")
    return text(language, "memory_of", used=f"{used / 1e9:.1f}", all=f"{whole / 1e9:.1f}")


def losses(events: list[Event]) -> list[tuple[int, float]]:
    """Return the loss of each step; one that is no number is left out."""
    steps = [event for event in events if isinstance(event, Step)]
    return [(event.step, event.loss) for event in steps if math.isfinite(event.loss)]


def cers(events: list[Event]) -> list[tuple[int, float]]:
    """Return the CER of each measurement, in per cent."""
    return [(event.step, 100 * event.cer) for event in measurements(events)]


def measurements(events: list[Event]) -> list[Evaluated]:
    """Return the measurements that have a CER."""
    return [event for event in events if isinstance(event, Evaluated) and event.cer is not None]


def readings(events: list[Event], language: str) -> str:
    """Return the CER before and now, and a few pictures with their texts as they improve."""
    measured = measurements(events)
    if not measured:
        return notice(text(language, "chart_none"))
    numbers = [(percent(measured[0].cer), text(language, "cer_before"))]
    if len(measured) > 1:
        best = min(event.cer for event in measured[1:])
        numbers.append((percent(best), text(language, "cer_best")))
    by_picture: dict[str, list[SampleRead]] = {}
    for event in events:
        if isinstance(event, SampleRead):
            by_picture.setdefault(event.picture_id, []).append(event)
    cards = "".join(
        reading_card(read, language) for read in list(by_picture.values())[:PICTURES_SHOWN]
    )
    if not cards:
        return tiles(numbers)
    title = f"<h4>{text(language, 'readings')}</h4>"
    return tiles(numbers) + title + legend(language) + f'<div class="ot-cards">{cards}</div>'


def reading_card(read: list[SampleRead], language: str) -> str:
    """Return the readings of one picture, oldest first, below its right text."""
    shown = read if len(read) <= READINGS_SHOWN else [read[0], *read[1 - READINGS_SHOWN :]]
    rows = "".join(
        f"<tr><th>{when(event.step, language)}</th>"
        f"<td>{hypothesis(event.reference, event.hypothesis, language)}</td></tr>"
        for event in shown
    )
    right = user_text(read[0].reference)
    return (
        f'<table class="ot-card"><tr class="ot-right"><th>{text(language, "ground_truth")}</th>'
        f"<td>{right}</td></tr>{rows}</table>"
    )


def when(step: int, language: str) -> str:
    """Return after which step, in words."""
    return text(language, "reading_at", step=step) if step else text(language, "reading_before")


def hypothesis(reference: str, words: str, language: str) -> str:
    """Return a model's text with its errors marked, as HTML."""
    if not words.strip():
        return f"<em>{text(language, 'read_nothing')}</em>"
    return marked(words, marked_difference(reference, words))


def dataset_words(dataset: Look, counts: dict[str, int], language: str) -> str:
    """Return which dataset a run would learn from."""
    if dataset.active:
        return notice(text(language, "train_dataset_building"), "busy")
    if not counts:
        return offer("train_no_dataset", "sample_button", ACTS["sample"], language)
    samples = say(
        language, "train_dataset", samples=sum(counts.values()), train=counts.get("train", 0)
    )
    return notice(escape(samples), "good")


def limits_words(limits: Limits, language: str) -> str:
    """Return what a training may take on this machine; empty where everything is allowed."""
    given = zip(("steps", "minutes", "samples"), limits.of_training, strict=True)
    parts = [say(language, f"limit_{name}", count=f"{most:,}") for name, most in given if most]
    if not parts:
        return ""
    listed = say(language, "limit_and").join(parts)
    return f'<p class="ot-hint">{text(language, "limits", listed=listed)}</p>'

"""What the Dataset tab shows of a dataset."""

from ocrtune.config import SHAPES
from ocrtune.events import Asked
from ocrtune.records import SPLITS
from ocrtune.ui.looks import Look, question, trouble, waiting
from ocrtune.ui.views import escape, notice, sentence, text, tiles
from ocrtune.ui.words import say

REJECTS_SHOWN = 100
LINE_SHOWN = 200  # characters


def pending(dataset: Look, language: str) -> str:
    """Return how far a dataset is that is not ready."""
    if not dataset.job:
        return notice(text(language, "dataset_none"))
    if dataset.active:
        return waiting(dataset, language, text(language, "dataset_building"))
    if (asked := question(dataset)) is not None:
        return question_words(asked, language)
    return trouble(dataset, language) or notice(text(language, "stopped"))


def question_words(asked: Asked, language: str) -> str:
    """Return what a build has to know; the details of the question are in English only."""
    words = f"<b>{text(language, f'ask_{asked.setting}')}</b>"
    detail = f"<br>{sentence(asked.problem)}" if language == "en" else ""
    return notice(words + detail, "busy")


def choices(asked: Asked | None, language: str) -> list[tuple[str, str]]:
    """Return the possible answers to a question, each with its words and itself."""
    if asked is None:
        return []
    if asked.setting != "shape":
        return [(choice, choice) for choice in asked.choices]
    known = {name: say(language, f"shape_{name}") for name in SHAPES if name != "auto"}
    return [(known.get(choice, choice), choice) for choice in asked.choices]


def report(values: dict, language: str) -> str:
    """Return what a build report says: the counts, then every line that was left out."""
    ready = notice(
        f"<b>{text(language, 'dataset_ready', samples=values['samples'])}</b> "
        f"<small>{text(language, 'dataset_from', source=values['source'])}</small>",
        "good",
    )
    splits = [(str(values["splits"][split]), text(language, f"split_{split}")) for split in SPLITS]
    lengths = [
        (f"{values[name]:.0f}", text(language, name)) for name in ("shortest", "longest", "mean")
    ]
    return ready + tiles(splits + lengths) + rejects(values, language)


def rejects(values: dict, language: str) -> str:
    """Return every line that was left out, with its reason, and how many pictures have no line."""
    unnamed = len(values["unnamed"])
    spare = f'<p class="ot-hint">{text(language, "unnamed", count=unnamed)}</p>' if unnamed else ""
    lines = values["rejects"]
    if not lines:
        return f'<p class="ot-hint">{text(language, "rejected_none")}</p>{spare}'
    rows = "".join(reject_row(line, language) for line in lines[:REJECTS_SHOWN])
    hidden = len(lines) - REJECTS_SHOWN
    more = f"<p>{text(language, 'rejected_more', count=hidden)}</p>" if hidden > 0 else ""
    return (
        f'<details class="ot-rejects" open><summary>{text(language, "rejected", count=len(lines))}'
        f"</summary><ul>{rows}</ul>{more}</details>{spare}"
    )


def reject_row(line: dict, language: str) -> str:
    """Return one line that was left out."""
    near = line.get("nearest")
    hint = f"<br>{text(language, 'nearest', name=near)}" if near else ""
    return (
        f"<li><b>{text(language, 'rejected_line', line=line['line_number'])}</b> "
        f"{sentence(line['reason'])}{hint}<br><code>{escape(line['original'][:LINE_SHOWN])}</code></li>"
    )

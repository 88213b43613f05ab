"""What the Dataset tab shows of a dataset."""

from ocrtune.config import SHAPES
from ocrtune.events import Asked
from ocrtune.sentences import translate
from ocrtune.ui.looks import Look, question, trouble, waiting
from ocrtune.ui.views import notice, sentence, text
from ocrtune.ui.words import say


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
    """Return what a build has to know, with the details of the question."""
    words = f"<b>{text(language, f'ask_{asked.setting}')}</b>"
    return notice(f"{words}<br>{sentence(translate(language, asked.problem))}", "busy")


def choices(asked: Asked | None, language: str) -> list[tuple[str, str]]:
    """Return the possible answers to a question, each with its words and itself."""
    if asked is None:
        return []
    if asked.setting != "shape":
        return [(choice, choice) for choice in asked.choices]
    known = {name: say(language, f"shape_{name}") for name in SHAPES if name != "auto"}
    return [(known.get(choice, choice), choice) for choice in asked.choices]

"""What the page says, in the visitor's language.

Labels that never change are translated in the browser (`label`), so a switch works at once;
sentences with numbers in them are made here (`say`).
"""

import gradio as gr
from gradio.i18n import I18nData

from ocrtune.errors import OcrtuneError
from ocrtune.hub_words import in_language
from ocrtune.sentences import translate
from ocrtune.ui.words_en import ENGLISH
from ocrtune.ui.words_zh import CHINESE

LANGUAGES = {"zh": CHINESE, "en": ENGLISH}


class Refused(OcrtuneError):
    """The page cannot do this now; the words for it are chosen by the visitor's language."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say("en", key, **values), "")
        self.key = key
        self.values = values


def language_of(value: object) -> str:
    """Return a language of ours for whatever the browser sent."""
    return value if isinstance(value, str) and value in LANGUAGES else "en"


def say(language: str, key: str, **values: object) -> str:
    """Return the words of that key with the values put in; plain text, not yet escaped."""
    return LANGUAGES[language][key].format(**values)


def said(told: object, language: str) -> tuple[str, str]:
    """Return what happened and what to do, of an error or whatever else tells of one.

    In the visitor's language where its words are known, else as it is written: in English.
    """
    own = in_language(language, told.key, told.values)
    return own or (translate(language, told.problem), translate(language, told.fix))


def label(key: str) -> I18nData:
    """Return words that the browser puts into its own language."""
    if key not in ENGLISH:
        raise KeyError(f"No words are called `{key}`.")
    return I18nData(key)


def translations() -> gr.I18n:
    """Return all words in the form that gradio sends to the browser, each language once.

    Browsers that want `zh-CN` or `zh-TW` find what `zh` has.
    """
    return gr.I18n(**{language: dict(words) for language, words in LANGUAGES.items()})

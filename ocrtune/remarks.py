"""Sentences about a visitor's data that can be said in each language of the page.

A remark travels as its key and values; who shows it says it in the reader's language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ocrtune.hub_pages import endpoint
from ocrtune.remark_words import CHINESE, ENGLISH

VALUE = re.compile(r"\{\w+\}")
LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence by its key in `remark_words`, with what is put into it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return say_remark("en", self.key, self.values)

    def as_values(self) -> dict[str, object]:
        """Return it for JSON: the English sentence, and what it takes to say it again."""
        return {"text": str(self), "key": self.key, "values": dict(self.values)}

    def say(self, language: str) -> str:
        """Return the sentence in a language: `en` or `zh`."""
        return say_remark(language, self.key, self.values)


def remark(key: str, **values: object) -> Remark:
    """Return the remark of this key; values are numbers, words and lists of words."""
    return Remark(key, values)


def say_remark(language: str, key: str, values: Mapping[str, object]) -> str:
    """Return the sentence of this key in a language, numbers with thousands separators.

    What another version of ocrtune wrote, and this one does not know, is said as its key.
    """
    words = LANGUAGES[language].get(key)
    if words is None:
        return key
    try:
        told = {name: spoken(value) for name, value in values.items()}
        return words.format(**({"endpoint": endpoint()} | told))
    except (KeyError, IndexError):
        return words


def outline_remark(language: str, key: str) -> str:
    """Return what all remarks of this key say, without their values: for a heading.

    Empty where nothing would be left, and for a key that this version does not know.
    """
    words = VALUE.sub("…", LANGUAGES[language].get(key, ""))
    return words if words.strip("…") else ""


def spoken(value: object) -> str:
    """Return a value as it stands in a sentence."""
    if isinstance(value, bool) or not isinstance(value, int | list | tuple):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(spoken, value))

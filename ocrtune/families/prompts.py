"""What a model is asked: a prompt of its family by name, or a text of the user's own."""

import re

from ocrtune.errors import ConfigError, did_you_mean
from ocrtune.families import ModelFamily

IMAGE = "<image>"
# Tokens that speak of the picture or of places on it; every other control token is the model's own.
PICTURE_TOKENS = {IMAGE, "<|grounding|>", "<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>"}
CONTROL = re.compile(r"<[|｜][^<>]{0,40}[|｜]>")
NAME = re.compile(r"[a-z][a-z-]*")


def resolve_prompt(family: ModelFamily, asked: str) -> str:
    """Return the whole prompt that `asked` stands for, with `<image>` in it once.

    asked: a name among the family's prompts (`free`), a name and what goes into its blank
    (`locate: Total`), or a text, in front of which the picture is put unless it says where.
    """
    name, _, filling = (part.strip() for part in asked.partition(":"))
    if name in family.prompts:
        known = family.prompts[name]
        if "{}" not in known:
            if filling:
                raise ConfigError(
                    f"The prompt `{name}` has no blank for {filling!r}.", f"Use `{name}` alone."
                )
            return known
        return fill_blank(name, known, filling)
    if NAME.fullmatch(asked.strip()):
        names = list(family.prompts)
        hint = did_you_mean(asked.strip(), names)
        listed = f"Use one of {', '.join(names)}, or a text." if names else "Write a whole text."
        raise ConfigError(f"`{family.name}` has no prompt `{asked.strip()}`.", hint or listed)
    return check_text(asked)


def fill_blank(name: str, prompt: str, filling: str) -> str:
    """Return a prompt with its blank filled in."""
    if not filling:
        raise ConfigError(
            f"The prompt `{name}` needs to know what to look for.", f"Write `{name}: some words`."
        )
    refuse_control(filling, set())
    return prompt.replace("{}", filling)


def check_text(text: str) -> str:
    """Return a user's own prompt with the picture in it; a ConfigError if it steers the model."""
    if not text.strip():
        raise ConfigError("The prompt is empty.", "Leave it out, or write what to do.")
    refuse_control(text, PICTURE_TOKENS)
    pictures = text.count(IMAGE)
    if pictures > 1:
        raise ConfigError(
            f"The prompt holds `{IMAGE}` {pictures} times.", "One picture is read at a time."
        )
    return text if pictures else f"{IMAGE}\n{text}"


def refuse_control(text: str, allowed: set[str]) -> None:
    """Raise a ConfigError if the text holds a control token that is not `allowed`."""
    found = {*CONTROL.findall(text), *([IMAGE] if IMAGE in text else [])}
    if odd := sorted(found - allowed):
        raise ConfigError(
            f"The prompt holds `{odd[0]}`, a token that steers the model.", "Take it out."
        )


def is_grounding(prompt: str) -> bool:
    """Return whether a prompt asks for places on the picture."""
    return "<|grounding|>" in prompt or "<|ref|>" in prompt

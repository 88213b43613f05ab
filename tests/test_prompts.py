"""What may be asked: names, blanks, texts of one's own, and what is refused."""

import re

import pytest

from ocrtune.errors import ConfigError
from ocrtune.families import DEEPSEEK_OCR, TINY
from ocrtune.families.prompts import CONTROL, PICTURE_TOKENS, is_grounding, resolve_prompt


@pytest.mark.parametrize(
    ("asked", "prompt", "grounding"),
    [
        ("free", "<image>\nFree OCR.", False),
        ("markdown", "<image>\n<|grounding|>Convert the document to markdown.", True),
        ("ocr", "<image>\n<|grounding|>OCR this image.", True),
        ("locate: Total: net", "<image>\nLocate <|ref|>Total: net<|/ref|> in the image.", True),
        ("Describe this image.", "<image>\nDescribe this image.", False),
        ("Before <image> and after", "Before <image> and after", False),
        ("读出文字", "<image>\n读出文字", False),
        ("Find <|ref|>x<|/ref|>", "<image>\nFind <|ref|>x<|/ref|>", True),
    ],
)
def test_names_and_texts_become_whole_prompts(asked, prompt, grounding):
    assert resolve_prompt(DEEPSEEK_OCR, asked) == prompt
    assert is_grounding(prompt) is grounding


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("fre", "Did you mean `free`?"),
        ("nonsense", "Use one of free, markdown"),
        ("locate", "needs to know what to look for"),
        ("locate: ", "needs to know what to look for"),
        ("locate: <|User|>", "`<|User|>`"),
        ("locate: <image>", "`<image>`"),
        ("free: this", "no blank"),
        ("Read <|User|> this", "`<|User|>`"),
        ("a <｜end▁of▁sentence｜> b", "a token that steers"),
        ("<image> and <image>", "2 times"),
        ("  ", "empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        resolve_prompt(DEEPSEEK_OCR, asked)


def test_a_family_without_names_takes_texts_only():
    assert resolve_prompt(TINY, "Read it!") == "<image>\nRead it!"
    with pytest.raises(ConfigError, match="no prompt `markdown`"):
        resolve_prompt(TINY, "markdown")


def test_every_prompt_of_the_family_can_be_asked():
    for name, prompt in DEEPSEEK_OCR.prompts.items():
        asked = resolve_prompt(DEEPSEEK_OCR, f"{name}: x" if "{}" in prompt else name)
        assert asked.count("<image>") == 1
        assert {"<image>", *CONTROL.findall(asked)} <= PICTURE_TOKENS
    assert DEEPSEEK_OCR.prompt in DEEPSEEK_OCR.prompts.values()

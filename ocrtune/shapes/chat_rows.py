"""Rows that hold a conversation with a picture in it, as files for fine-tuning are often written.

What the assistant says is the text of the picture that the user shows. Read are the two common
forms: `messages` with `role` and `content`, and `conversations` with `from` and `value`.
"""

from collections.abc import Iterator
from typing import Any

CONVERSATIONS = ("messages", "conversations", "conversation", "dialog")
ANSWERING = ("assistant", "gpt", "model", "bot")  # with or without marks: `<|Assistant|>`
PICTURE, ANSWER = "image", "text"  # the columns of what was found


def chat_cells(row: dict[str, Any]) -> dict[str, str]:
    """Return picture and text of a row with one picture and one answer; else no cells."""
    turns = next((row[key] for key in CONVERSATIONS if isinstance(row.get(key), list)), [])
    turns = [turn for turn in turns if isinstance(turn, dict)]
    answers = [said(turn) for turn in turns if is_answer(turn)]
    pictures = [path for turn in turns if not is_answer(turn) for path in shown(turn)]
    pictures = list(dict.fromkeys(pictures or shown(row)))
    if len(answers) != 1 or len(pictures) != 1:
        return {}
    return {PICTURE: pictures[0], ANSWER: answers[0]}


def is_answer(turn: dict[str, Any]) -> bool:
    """Whether the model is the one who speaks."""
    speaker = turn.get("role") or turn.get("from")
    return isinstance(speaker, str) and speaker.strip("<|>").lower() in ANSWERING


def said(turn: dict[str, Any]) -> str:
    """Return the words of a turn."""
    content = turn.get("content", turn.get("value"))
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    words = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(word for word in words if isinstance(word, str))


def shown(value: dict[str, Any]) -> list[str]:
    """Return the paths of the pictures that a turn, or a whole row, shows."""
    content = value.get("content")
    places = [value, *(content if isinstance(content, list) else [])]
    return [path for place in places if isinstance(place, dict) for path in paths_in(place)]


def paths_in(place: dict[str, Any]) -> Iterator[str]:
    """Yield the paths of pictures that stand in one part of a turn."""
    for key in ("image", "images", "image_url", "image_path", "path"):
        found = place.get(key)
        for one in found if isinstance(found, list) else [found]:
            path = one.get("url", one.get("path")) if isinstance(one, dict) else one
            if isinstance(path, str) and path:
                yield path.removeprefix("file://")

"""What stands in one cell of a table: a picture, or the text that belongs to it."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

from ocrtune.columns import BASE64, PICTURES, Column
from ocrtune.remarks import Remark, remark

ANSWERERS = ("gpt", "assistant", "model", "bot", "chatgpt", "output")  # in conversations
SPEAKER_KEYS, WORDS_KEYS = ("from", "role"), ("value", "content", "text")
TEXT_KEYS = ("text", "gt_parse", "text_sequence", "transcription", "value", "content", "sentence")
TEXT_KEYS += ("label", "caption", "ground_truth", "answer")
DEEPEST = 6  # levels of a record that are looked into


def text_of(value: object, column: Column) -> str | Remark:
    """Return the text in a cell, or why there is none."""
    if column.labels and isinstance(value, int):
        if not 0 <= value < len(column.labels):
            return remark("table_no_label", number=value)
        value = column.labels[value]
    text = None if value is None else found_text(value, DEEPEST)
    if text is None:
        return remark("table_no_text" if value is not None else "cell_empty", column=column.name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        return remark("cell_empty", column=column.name)
    return remark("unreadable") if "\ufffd" in text else text


def found_text(value: object, depth: int) -> str | None:
    """Return the text within a value; None where it holds none, or several that may be meant."""
    if isinstance(value, str):
        return text_in_json(value, depth) if value[:1] in ("{", "[") else value
    if isinstance(value, bool | int | float):
        return str(value)
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return text_in_record(value, depth)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        if value and all(isinstance(one, Mapping) for one in value):
            return answer(value, depth)
        lines = [found_text(one, depth - 1) for one in value]
        return None if None in lines else "\n".join(lines)
    return None


def text_in_json(text: str, depth: int) -> str:
    """Return the text within a record of JSON, as some tables keep it; else the text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    records = value if isinstance(value, list) else [value]
    if not depth or not records or not all(isinstance(one, Mapping) for one in records):
        return text  # a line such as `[1]` is no record
    found = found_text(value, depth - 1)
    return text if found is None else found


def text_in_record(record: Mapping, depth: int) -> str | None:
    """Return the text of a record: under a telling key, or the only one."""
    speakers = next(
        (record[key] for key in SPEAKER_KEYS if isinstance(record.get(key), list)), None
    )
    words = next((record[key] for key in WORDS_KEYS if isinstance(record.get(key), list)), None)
    if speakers is not None and words is not None:  # a conversation, stored by columns
        turns = [{"role": who, "content": what} for who, what in zip(speakers, words, strict=False)]
        return answer(turns, depth)
    for key in TEXT_KEYS:
        if record.get(key) is not None:
            return found_text(record[key], depth - 1)
    told = [value for value in record.values() if value is not None]
    return found_text(told[0], depth - 1) if len(told) == 1 else None


def answer(turns: Sequence[Mapping], depth: int) -> str | None:
    """Return the answer in a conversation, or the texts of a list of records, a line each.

    Of several answers none is the text of the picture.
    """
    speakers = [next((turn[key] for key in SPEAKER_KEYS if turn.get(key)), None) for turn in turns]
    if any(isinstance(speaker, str) for speaker in speakers):
        answers = [
            turn
            for turn, speaker in zip(turns, speakers, strict=True)
            if isinstance(speaker, str) and speaker.lower() in ANSWERERS
        ]
        if len(answers) != 1:
            return None
        words = next((answers[0][key] for key in WORDS_KEYS if answers[0].get(key)), None)
        return spoken(words, depth - 1)
    lines = [found_text(turn, depth - 1) for turn in turns]
    return None if None in lines else "\n".join(lines)


def spoken(words: object, depth: int) -> str | None:
    """Return what was said in a turn: a text, or the texts among its parts."""
    if isinstance(words, str):
        return words
    if isinstance(words, list):
        parts = [part for part in words if isinstance(part, Mapping) and part.get("text")]
        return "\n".join(str(part["text"]) for part in parts) if parts else None
    return found_text(words, depth) if words is not None else None


def picture_of(value: object, column: Column) -> bytes | str | Remark:
    """Return the picture in a cell, or the path that stands there, or why there is neither."""
    if column.kind == PICTURES and isinstance(value, list):
        if len(value) != 1:
            return remark("table_pictures", count=len(value))
        value = value[0]
    if isinstance(value, Mapping):
        data, path = value.get("bytes"), value.get("path")
        value = data if data is not None else path
    if isinstance(value, bytes) and value:
        return value
    if isinstance(value, str) and value:
        return decoded(value) if column.kind == BASE64 or value.startswith("data:") else value
    return remark("table_no_picture", column=column.name)


def decoded(text: str) -> bytes | Remark:
    """Return the bytes of a picture written in base64."""
    body = "".join((text.partition("base64,")[2] or text).split())
    body = body.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (ValueError, binascii.Error):
        return remark("table_base64")


def stored_path(value: object) -> str:
    """Return the path kept beside a picture in its cell, or an empty string."""
    path = value.get("path") if isinstance(value, Mapping) else None
    return path if isinstance(path, str) else ""


def example_of(value: object, labels: Sequence[str], chars: int) -> str:
    """Return a value as people want to see it: short, and pictures by their size."""
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        value = value["bytes"]
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if labels and isinstance(value, int) and 0 <= value < len(labels):
        return labels[value]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=short)
    text = " ".join(text[: 4 * chars].split())
    return text if len(text) <= chars else text[:chars] + "…"


def short(value: object) -> str:
    """Return what stands in JSON for a value that it cannot hold."""
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)

"""Events among other lines of a log that somebody else keeps, and that may tear or repeat them."""

import json
import re

from ocrtune.events import Event, from_line, to_line

MARK = "@ocrtune-event"
MARKED = re.compile(rf"{MARK} (\d{{1,12}}) (?=\{{)")
DECODER = json.JSONDecoder()


def to_marked(number: int, event: Event) -> str:
    """Return the event as one line that a log can hold; number: its place among them, from 1."""
    return f"{MARK} {number} {to_line(event)}"


def from_marked(line: str) -> tuple[int, Event] | None:
    """Return the number and the event that a line of a log holds; None if it holds no whole one.

    Other words may stand before and behind it: many processes write into one log.
    """
    for match in MARKED.finditer(line):
        try:
            values, _ = DECODER.raw_decode(line, match.end())
        except (ValueError, RecursionError):
            continue
        event = from_line(json.dumps(values))
        if event is not None:
            return int(match[1]), event
    return None

"""Events in a log that others write to, and that may tear or repeat its lines."""

import pytest

from ocrtune.event_lines import from_marked, to_marked
from ocrtune.events import Note, Step

STEP = Step(1, 4, 0.5, 1.0, 3.0)
LINE = to_marked(7, STEP)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (LINE, (7, STEP)),
        (f"Downloading torch 12 %\r{LINE}", (7, STEP)),  # a bar that was not ended
        (f"2026-11-23T06:00:00Z {LINE} 100 %|###|", (7, STEP)),
        (f"@ocrtune-event 6 {LINE}", (7, STEP)),  # a torn one before it
        (LINE[:-5], None),
        (LINE[5:], None),
        ('@ocrtune-event 7 {"event": "Nobody", "step": 1}', None),
        ("@ocrtune-event 7 {}", None),
        ("@ocrtune-event", None),
        ("", None),
        ("@ocrtune-event 7 " + "[" * 100_000, None),
        ("@ocrtune-event 7 " + '{"a":' * 100_000, None),
    ],
)
def test_a_whole_event_is_found_wherever_it_stands(line, found):
    assert from_marked(line) == found


def test_a_text_with_a_mark_in_it_is_no_second_event():
    event = Note(f"He wrote: {LINE}\nand more")
    assert from_marked(to_marked(3, event)) == (3, event)

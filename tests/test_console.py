"""What a terminal shows of the events: a bar where it can move, few plain lines elsewhere."""

import io
from dataclasses import replace

import pytest
from preflights import PREFLIGHT

from ocrtune.console import Console, Typewriter, duration, preflight_lines
from ocrtune.events import Evaluated, Note, Progress, Read, Step, Written

COURSE = [
    Note("Two characters are unknown."),
    Progress("features", 1, 2),
    Progress("features", 2, 2),
    Evaluated(0, 0.25, 15),
    Step(1, 2, 1.5, 3.0, 130.0),
    Step(2, 2, 0.75, 6.0, 0.0),
    Evaluated(2, None, 1),
    Read("a.png", "text", 0.1, "tiny", False, ""),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream):
    console = Console(stream)
    for event in COURSE:
        console.emit(event)
    console.close()
    return stream.getvalue()


def test_plain_lines_say_what_matters_once():
    assert shown(io.StringIO()).splitlines() == [
        "Two characters are unknown.",
        "Validation CER of the base model: 25.0 % (15 lines)",
        "Fine-tuning: 1 of 2, loss 1.500, 2 min left",
        "Validation CER after step 2: – (1 line)",
    ]


def test_a_terminal_gets_a_bar_with_loss_and_time_left():
    text = shown(Terminal())
    assert "Looking at pictures" in text
    assert "loss 1.500, 2 min left" in text
    assert "loss 0.750, 0 s left" in text
    assert "Validation CER of the base model: 25.0 % (15 lines)\n" in text


def test_a_preflight_is_told_in_sentences():
    stream = io.StringIO()
    Console(stream).emit(PREFLIGHT)
    told = stream.getvalue()
    for words in (
        "50000 tokens to learn in 998 samples; the longest one, `pages/<7>.png`, takes 1200",
        "60 steps of 8 samples, 4 together, layers computed twice to save memory: 0.5 passes",
        "Memory: 12.4 of 15.8 GB at most (Tesla T4).",
        "Time: about 5 min. 2 min went to the pictures; a step takes 1.5 s, measuring",
        "; $0.03 on a Space with t4-small ($0.40 an hour).",
    ):
        assert words in told
    free = preflight_lines(replace(PREFLIGHT, dollars_an_hour=0.0, dollars=0.0))
    assert not any("Space" in line for line in free)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (99, "99 s"), (101, "2 min"), (3570, "1 h 0 min"), (4800, "1 h 20 min")],
)
def test_times_are_short(seconds, words):
    assert duration(seconds) == words


def typed(events, labelled):
    stream, passed = io.StringIO(), []
    typewriter = Typewriter(stream, passed.append, labelled)
    for event in events:
        typewriter.emit(event)
    return stream.getvalue(), passed


def test_a_growing_text_is_written_once():
    events = [
        Note("first"),
        Written("a.png", "Th", "m"),
        Written("a.png", "The li", "m"),
        Progress("read", 1, 1),  # a bar would wipe the line out
        Read("a.png", "The line", 0.1, "m", False, ""),
        Read("a.png", "", 0.1, "n", False, "It is damaged."),
        Read("a.png", "At once", 0.1, "o", False, ""),
    ]
    assert typed(events, labelled=False) == ("The line\nAt once\n", events[:1])
    assert typed(events, labelled=True)[0] == "m: The line\no: At once\n"


def test_a_text_that_changes_is_written_anew():
    events = [Written("a.png", "one", "m"), Read("a.png", "two", 0.1, "m", False, "")]
    assert typed(events, labelled=False)[0] == "one\ntwo\n"

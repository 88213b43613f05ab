"""Events are read as they grow: each byte once, whatever else stands in the file."""

import json
import os
import time

import pytest

from ocrtune.event_files import LINE_BYTES, EventFiles, EventReader
from ocrtune.events import Evaluated, Note, Step, append_event, from_line, rewind_events, to_line


def step(number):
    return Step(number, 100, 1 / number, 0.1, 0.1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_only_what_is_new_is_read(path, monkeypatch):
    reader = EventReader(path)
    assert reader.read() == []
    for number in range(1, 4):
        append_event(path, step(number))
        assert reader.read() == [step(n) for n in range(1, number + 1)]
    taken = []
    real = EventReader.take
    monkeypatch.setattr(
        EventReader, "take", lambda self, block: (taken.append(len(block)), real(self, block))
    )
    assert len(reader.read()) == 3
    assert taken == [], "nothing new: the file is not even opened"
    append_event(path, step(4))
    assert len(reader.read()) == 4
    assert taken == [len(to_line(step(4))) + 1]


def test_what_a_caller_does_with_the_list_changes_nothing(path):
    append_event(path, step(1))
    reader = EventReader(path)
    reader.read().clear()
    assert reader.read() == [step(1)]


def test_an_event_counts_once_its_line_is_whole(path):
    reader, line = EventReader(path), to_line(Note("für 猫")).encode()
    for cut in range(len(line)):  # within a character, too
        path.write_bytes(line[:cut])
        assert reader.read() == []
    path.write_bytes(line + b"\n")
    assert reader.read() == [Note("für 猫")]


def test_a_rewound_file_is_read_anew(path):
    reader = EventReader(path)
    for number in range(1, 6):
        append_event(path, step(number))
    assert len(reader.read()) == 5
    for _ in range(3):  # inodes may come back
        rewind_events(path, 2)
        for number in (3, 4, 5, 6):
            append_event(path, Step(number, 100, 9.0, 9.0, 9.0))
        told = reader.read()
        assert [event.step for event in told] == [1, 2, 3, 4, 5, 6]
        assert told[2].loss == 9.0
    assert reader.rewinds >= 1
    path.unlink()
    assert reader.read() == []


def test_a_file_rewritten_in_its_place_is_noticed(path):
    reader = EventReader(path)
    append_event(path, step(1))
    assert reader.read() == [step(1)]
    with path.open("r+b") as stream:  # the same file, not a new one
        stream.truncate(0)
        stream.write((to_line(step(2)) + "\n" + to_line(step(3)) + "\n").encode())
    assert reader.read() == [step(2), step(3)]


def test_garbage_and_endless_lines_are_passed_over(path):
    with path.open("wb") as stream:
        stream.write((to_line(step(1)) + "\n").encode())
        stream.write(os.urandom(100_000).replace(b"\n", b"") + b"\n")
        stream.write(b"[" * 200_000 + b"\n")  # deeper than any parser goes
        for _ in range(2 * LINE_BYTES // (1 << 20)):
            stream.write(b"x" * (1 << 20))
        stream.write(b"\n" + (to_line(step(2)) + "\n").encode())
    assert EventReader(path).read() == [step(1), step(2)]


def test_an_endless_line_takes_no_memory(path):
    with path.open("wb") as stream:
        stream.truncate(200 << 20)  # zeros, without a line break
    reader = EventReader(path)
    assert reader.read() == []
    assert len(reader.torn) <= LINE_BYTES


def test_a_torn_line_does_not_swallow_the_next_event(path):
    append_event(path, step(1))
    with path.open("ab") as stream:
        stream.write(b'{"event": "Step", "st')  # the writer was killed here
    append_event(path, step(2))
    assert EventReader(path).read() == [step(1), step(2)]


@pytest.mark.parametrize(
    "values",
    [
        {"step": "3"},
        {"loss": "low"},
        {"loss": None},
        {"step": True},
        {"step": 1.5},
        {"extra": 1},
        {"event": ["Step"]},
        {"event": "Nothing"},
    ],
)
def test_an_event_of_other_types_is_none_of_ours(values):
    line = json.loads(to_line(step(1)))
    assert from_line(json.dumps(line)) == step(1)
    assert from_line(json.dumps(line | values)) is None


def test_a_measurement_may_have_no_cer():
    assert from_line(to_line(Evaluated(1, None, 0))) == Evaluated(1, None, 0)


def test_a_folder_in_its_place_holds_no_events(path):
    path.mkdir()
    assert EventReader(path).read() == []


def test_readers_that_nobody_asks_for_are_dropped(tmp_path):
    files = EventFiles(most_files=2)
    for name in "abc":
        append_event(tmp_path / name, Note(name))
        assert files.read(tmp_path / name) == [Note(name)]
    assert list(files.readers) == [tmp_path / "b", tmp_path / "c"]
    files.forget(tmp_path / "b")
    assert list(files.readers) == [tmp_path / "c"]


def test_polling_a_long_run_costs_next_to_nothing(path):
    with path.open("w", encoding="utf-8") as stream:
        for number in range(1, 20_001):
            stream.write(to_line(step(number)) + "\n")
    reader = EventReader(path)
    assert len(reader.read()) == 20_000
    started = time.process_time()
    for _ in range(100):
        reader.read()
    assert (time.process_time() - started) / 100 < 0.005  # reading all anew takes far longer

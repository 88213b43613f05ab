"""The growing text: a prefix of the whole one, never a torn character or a half place."""

import pytest
import torch
from line_samples import draw_line
from small_models import CONFIG, LINE_CONFIG, write_model

from ocrtune import decoding, streaming
from ocrtune.decoding import Row
from ocrtune.events import Progress, Written, from_line, to_line
from ocrtune.families.loading import load_base
from ocrtune.reading import read_samples
from ocrtune.streaming import Stream, growing_text

ANSWER = "Straße 汉字😀 e\u0301 naïve"
PICTURE = ("a.png", draw_line("one line"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model")
    return load_base(str(write_model(folder, LINE_CONFIG)), device="cpu")


@pytest.fixture
def answers(loaded, monkeypatch):
    """Let the model write a certain text; returns what to call with the text."""

    def write(text, model=loaded):
        ids = iter(model.completion_ids(text))
        monkeypatch.setattr(decoding, "refuse_empty", lambda logits, *rest: logits)
        monkeypatch.setattr(decoding, "choose_tokens", lambda *args: [next(ids)])

    return write


def test_characters_appear_whole_and_in_order(loaded):
    ids = loaded.completion_ids(ANSWER)
    steps = [growing_text(loaded, ids[:count]) for count in range(len(ids) + 1)]
    assert len(ids) > len(ANSWER) + 8, "one token a byte"
    assert all(ANSWER.startswith(step) for step in steps)
    assert steps[-1] == ANSWER
    assert set(map(len, steps)) == set(range(len(ANSWER) + 1)), "each as soon as it is whole"


def test_events_are_few_and_only_of_what_is_new(loaded):
    times = iter([0.0, *(0.101 * count for count in range(1, 100))])
    events = []
    stream = Stream(loaded, "a.png", "m", events.append, clock=lambda: next(times))
    row = Row()
    for token in loaded.completion_ids("abcdefghijkl")[:-1]:
        row.ids.append(token)
        stream.grow(row)
    for _ in range(20):
        stream.grow(row)
    assert [event.text for event in events[:3]] == ["abc", "abcdef", "abcdefghi"]
    assert [event.text for event in events] == sorted({event.text for event in events})
    assert from_line(to_line(events[0])) == Written("a.png", "abc", "m")


def test_one_picture_is_told_while_it_is_read(loaded, answers, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE_SECONDS", 0)
    answers(ANSWER)
    events = []
    [prediction] = read_samples(loaded, [PICTURE], emit=events.append, model="m", streamed=True)
    written = [event.text for event in events if isinstance(event, Written)]
    assert written == [ANSWER[:count] for count in range(1, len(ANSWER) + 1)]
    assert prediction.text == ANSWER
    assert not prediction.cut
    assert Progress("read", 1, 1) in events


def test_several_pictures_and_unasked_ones_are_not_streamed(loaded, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE_SECONDS", 0)
    events = []
    reader = loaded.capped(4)
    read_samples(reader, [PICTURE, ("b.png", PICTURE[1])], emit=events.append, streamed=True)
    read_samples(reader, [PICTURE], emit=events.append)
    assert {type(event) for event in events} == {Progress}


def test_places_are_streamed_without_their_marks(tmp_path, answers):
    pages = load_base(str(write_model(tmp_path, CONFIG)), device="cpu", prompt="markdown")
    marks = "<|ref|>title<|/ref|><|det|>[[0, 0, 500, 999]]<|/det|>\n"
    ids = pages.tokenizer.encode(marks + "# Name\n" + marks + "# B", add_special_tokens=False)
    steps = [growing_text(pages, ids[:count]) for count in range(len(ids) + 1)]
    assert steps[-1] == "# Name\n# B"
    assert all(steps[-1].startswith(step) for step in steps)

"""From files to predictions: the same text alone or in a batch, loops, failures, progress."""

from dataclasses import replace

import pytest
import torch
from line_samples import draw_line, some_samples
from small_models import LINE_CONFIG, write_model

from ocrtune import decoding, reading
from ocrtune.config import ReadConfig
from ocrtune.events import Progress, Read
from ocrtune.families.loading import load_base
from ocrtune.features import encode_samples
from ocrtune.reading import make_batches, read_pictures, read_samples

PICTURES = [(s.picture_id, s.picture) for s in some_samples(7)]
PICTURES.append(("wide.png", draw_line("wider than two tiles", 1100)))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG)


@pytest.fixture
def loaded(base):
    """A line reader with random weights, so its answers are noise, but always the same noise."""
    torch.set_num_threads(1)
    loaded = load_base(str(base), device="cpu")
    loaded.contract = replace(loaded.contract, max_new_tokens=24)
    return loaded


def texts(predictions):
    return [prediction.text for prediction in predictions]


def test_batches_of_mixed_layouts_read_as_single_pictures_do(loaded):
    together = read_samples(loaded, PICTURES, batch_size=8)
    alone = read_samples(loaded, PICTURES, batch_size=1)
    assert [p.picture_id for p in together] == [name for name, _ in PICTURES]
    assert texts(together) == texts(alone)
    assert len(set(texts(together))) > 1, "the pictures must matter"
    assert all(prediction.seconds > 0 for prediction in together)


def test_known_features_give_the_same_text_without_looking_again(loaded, monkeypatch):
    expected = read_samples(loaded, PICTURES)
    features = encode_samples(loaded, PICTURES)
    monkeypatch.setattr(reading, "lay_out", None)  # calling it would fail
    assert texts(read_samples(loaded, PICTURES, features)) == texts(expected)


def test_a_loop_is_cut_and_flagged(loaded, monkeypatch):
    loaded.contract = replace(loaded.contract, max_new_tokens=400)
    letter = loaded.completion_ids("a")[0]
    monkeypatch.setattr(
        decoding, "choose_tokens", lambda logits, rows, contract: [letter] * len(rows)
    )
    prediction = read_samples(loaded, PICTURES[:1])[0]
    assert prediction.looped
    assert 30 <= len(prediction.text) <= 64, "cut soon after it became a loop, not at 400"


def test_a_picture_that_fails_says_why_and_stops_nobody(loaded):
    thin = draw_line("x", 12000)
    pictures = [PICTURES[0], ("bad.png", b"no picture"), ("thin.png", thin), PICTURES[1]]
    predictions = read_samples(loaded, pictures)
    assert [bool(p.failed) for p in predictions] == [False, True, True, False]
    assert "cannot be decoded" in predictions[1].failed
    assert "too thin" in predictions[2].failed
    assert texts(predictions)[::3] == texts(read_samples(loaded, [PICTURES[0], PICTURES[1]]))


def test_too_little_memory_halves_the_batch(loaded, monkeypatch):
    expected = texts(read_samples(loaded, PICTURES))
    real = reading.decode

    def decode_at_most(count):
        def attempt(loaded, features, at_once, *listeners):
            if at_once > count:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(loaded, features, at_once, *listeners)

        return attempt

    monkeypatch.setattr(reading, "decode", decode_at_most(2))
    assert texts(read_samples(loaded, PICTURES)) == expected
    monkeypatch.setattr(reading, "decode", decode_at_most(0))
    assert all("memory" in p.failed for p in read_samples(loaded, PICTURES))


def test_progress_reaches_the_end(loaded):
    events = []
    read_samples(loaded, [*PICTURES, ("bad.png", b"")], batch_size=2, emit=events.append)
    assert events[-1] == Progress("read", 9, 9)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert set(done) == set(range(1, 10)), "every answer counts as soon as it has ended"


def test_long_lines_come_first():
    """The last answers then are short ones, and the cores are not kept waiting by a single row."""
    batches = list(make_batches(PICTURES, None, 3))
    assert sorted(index for batch in batches for index in batch) == list(range(8))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    assert batches[0][0] == 7, "the wide one"


def test_picture_files_are_read_in_order_and_failures_named(base, tmp_path):
    (tmp_path / "good.png").write_bytes(PICTURES[0][1])
    (tmp_path / "empty.png").write_bytes(b"")
    names = tuple(str(tmp_path / name) for name in ("empty.png", "good.png", "missing.png"))
    events = []
    predictions = read_pictures(ReadConfig(pictures=names, base=str(base)), events.append)
    assert [p.picture_id for p in predictions] == list(names)
    assert "empty" in predictions[0].failed
    assert predictions[1].text
    assert not predictions[1].failed
    assert "No such file" in predictions[2].failed
    assert [e.text for e in events if isinstance(e, Read)] == texts(predictions)

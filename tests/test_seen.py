"""What a test split shares with the train split is counted, named and left out by choice."""

import io
import json
import random

import pytest
from line_samples import draw_line
from PIL import Image

from ocrtune.dataset_files import Row, load_samples, split_path, write_rows
from ocrtune.errors import DatasetError
from ocrtune.seen import Seen, describe_seen, find_seen, leave_out, seen_values

WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india")


def text(seed):
    return " ".join(random.Random(seed).choices(WORDS, k=6))


def saved_again(picture):
    """The same line as a JPEG of middling quality."""
    stream = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("L").save(stream, "JPEG", quality=60)
    return stream.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Train holds 0-19; of the test split, three are known in one way each, and one in none."""
    prefix = str(tmp_path_factory.mktemp("data") / "lines")
    train = [Row(f"{n}.png", draw_line(text(n)), text(n)) for n in range(20)]
    test = [
        Row("same.png", draw_line(text(3)), text(3)),
        Row("again.jpg", saved_again(draw_line(text(4))), text(4)),
        Row("text.png", draw_line(text(5).upper(), width=900), text(5) + " "),
        Row("new.png", draw_line(text(99)), text(99)),
    ]
    for split, rows in (("train", train), ("validation", train[:1]), ("test", test)):
        write_rows(split_path(prefix, split), rows)
    return prefix


def test_known_samples_are_found_with_the_strongest_reason(data):
    samples = load_samples(data, "test")
    seen = find_seen(data, "test", samples)
    assert seen.train_samples == 20
    assert [(one.picture_id, one.kind, one.train_id) for one in seen.samples] == [
        ("same.png", "picture", "3.png"),
        ("again.jpg", "near_picture", "4.png"),
        ("text.png", "text", "5.png"),
    ]
    values = seen_values(seen)
    assert (values["picture"], values["near_picture"], values["text"]) == (1, 1, 1)
    assert json.loads(json.dumps(values))["listed"][0]["picture_id"] == "same.png"
    told = describe_seen(seen, "test")
    assert told.startswith("3 test samples occur in the train split too: 1 by the same picture")
    assert "--leave-out-seen" in told


@pytest.mark.parametrize(
    ("what", "left"),
    [("no", 4), ("pictures", 2), ("all", 1)],
)
def test_they_are_left_out_by_choice(data, what, left):
    samples = load_samples(data, "test")
    seen = Seen(20, find_seen(data, "test", samples).samples, what)
    kept = leave_out(samples, seen)
    assert len(kept) == left
    assert kept[-1].picture_id == "new.png"
    assert seen_values(seen)["lines_left_out"] == 4 - left


def test_nothing_left_is_said(data):
    samples = load_samples(data, "test")[:3]
    seen = Seen(20, find_seen(data, "test", samples).samples, "all")
    with pytest.raises(DatasetError, match="All 3 samples occur in the train split"):
        leave_out(samples, seen)


def test_without_a_train_split_or_on_it_nothing_is_looked_for(data, tmp_path):
    samples = load_samples(data, "test")
    assert find_seen(str(tmp_path / "none"), "test", samples) == Seen(0)
    assert find_seen(data, "train", samples) == Seen(0)
    assert describe_seen(Seen(0), "test") == ""

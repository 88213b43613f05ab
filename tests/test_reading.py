"""One decoder for all: the same text alone or in a batch, blocks, loops, failures."""

from dataclasses import replace

import pytest
import torch
from line_samples import draw_line, some_samples
from small_models import LINE_CONFIG, write_model

from ocrtune import reading
from ocrtune.config import ReadConfig
from ocrtune.events import Progress, Read
from ocrtune.families.loading import load_base
from ocrtune.features import encode_samples
from ocrtune.reading import brings_back, decode, pad_left, read_pictures, read_samples

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


def test_the_decoder_writes_what_generate_writes(loaded):
    loaded.contract = replace(loaded.contract, no_repeat_ngram=0)
    features = encode_samples(loaded, PICTURES)
    for row, feature in zip(decode(loaded, features), features, strict=True):
        ids = torch.tensor([loaded.prompt_ids(len(feature))])
        whole = loaded.network.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            picture_features=feature,
            max_new_tokens=24,
            do_sample=False,
            pad_token_id=loaded.network.config.pad_token_id,
        )
        assert row.ids == whole[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize(
    ("ids", "token", "ngram", "window", "expected"),
    [
        ([1, 2, 3, 1, 2], 3, 3, 60, True),
        ([1, 2, 3, 1, 2], 4, 3, 60, False),
        ([1, 2, 3, 9, 9, 1, 2], 3, 3, 7, True),
        ([1, 2, 3, 9, 9, 1, 2], 3, 3, 6, False),  # the first 1 2 3 has left the window
        ([7, 7], 7, 2, 60, True),
        ([7, 7], 7, 3, 60, False),  # 7 7 7 would be the first of its kind
        ([7, 7, 7], 7, 3, 60, True),
        ([1, 2, 3, 1, 2], 3, 0, 60, False),  # switched off
        ([], 5, 2, 60, False),
    ],
)
def test_the_block_looks_back_no_further_than_its_window(ids, token, ngram, window, expected):
    assert brings_back(ids, token, ngram, window) is expected


def test_a_short_window_allows_what_a_long_one_forbids(loaded):
    features = encode_samples(loaded, PICTURES)
    loaded.contract = replace(loaded.contract, max_new_tokens=60, no_repeat_ngram=1)
    loaded.contract = replace(loaded.contract, ngram_window=1)
    neighbours = decode(loaded, features)
    assert all(a != b for row in neighbours for a, b in zip(row.ids, row.ids[1:], strict=False))
    loaded.contract = replace(loaded.contract, ngram_window=60)
    different = decode(loaded, features)
    assert all(len(set(row.ids)) == len(row.ids) for row in different)
    assert any(len(set(row.ids)) < len(row.ids) for row in neighbours)


def test_rows_that_end_early_leave_the_others_as_they_are(loaded, monkeypatch):
    features = encode_samples(loaded, PICTURES)
    undisturbed = [row.ids for row in decode(loaded, features)]
    lengths = {0: 3, 1: 0, 2: 3, 4: 10, 6: 23}  # picture -> tokens before a forced end
    choose, places = reading.choose_tokens, {}

    def choose_with_ends(logits, rows, contract):
        tokens = choose(logits, rows, contract)
        for index, row in enumerate(rows):
            picture = places.setdefault(id(row), index)  # all rows are there at the first token
            if len(row.ids) == lengths.get(picture):
                tokens[index] = loaded.network.config.eos_token_id
        return tokens

    monkeypatch.setattr(reading, "choose_tokens", choose_with_ends)
    for index, row in enumerate(decode(loaded, features)):
        assert row.ids == undisturbed[index][: lengths.get(index, 24)]


def test_answers_stop_at_the_contracts_length(loaded):
    loaded.contract = replace(loaded.contract, max_new_tokens=5)
    assert all(len(row.ids) <= 5 for row in decode(loaded, encode_samples(loaded, PICTURES)))


def test_a_loop_is_cut_and_flagged(loaded, monkeypatch):
    loaded.contract = replace(loaded.contract, max_new_tokens=400)
    letter = loaded.completion_ids("a")[0]
    monkeypatch.setattr(
        reading, "choose_tokens", lambda logits, rows, contract: [letter] * len(rows)
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
        def attempt(loaded, features):
            if len(features) > count:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(loaded, features)

        return attempt

    monkeypatch.setattr(reading, "decode", decode_at_most(2))
    assert texts(read_samples(loaded, PICTURES)) == expected
    monkeypatch.setattr(reading, "decode", decode_at_most(0))
    assert all("memory" in p.failed for p in read_samples(loaded, PICTURES))


def test_progress_reaches_the_end(loaded):
    events = []
    read_samples(loaded, PICTURES, batch_size=3, emit=events.append)
    assert events[-1] == Progress("read", 8, 8)
    assert [event.done for event in events] == [3, 6, 8]


def test_padding_goes_to_the_left():
    ids, mask = pad_left([[5, 6], [7, 8, 9, 10]], padding=2)
    assert ids.tolist() == [[2, 2, 5, 6], [7, 8, 9, 10]]
    assert mask.tolist() == [[False, False, True, True], [True] * 4]


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

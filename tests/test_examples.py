"""What a run learns from: nothing is dropped in silence, batches hold lines of one length."""

from collections import Counter
from itertools import islice

import pytest

from ocrtune.config import TrainConfig
from ocrtune.errors import ModelError, TrainingError
from ocrtune.examples import batch_order, choose_samples, describe_characters, make_examples
from ocrtune.records import Sample


def test_every_epoch_has_every_sample_once():
    lengths = [30, 10, 20, 11, 31, 21, 12]
    batches = list(islice(batch_order(lengths, 3, seed=1), 6))
    for epoch in (batches[:3], batches[3:]):
        assert sorted(len(batch) for batch in epoch) == [1, 3, 3]
        assert sorted(index for batch in epoch for index in batch) == list(range(7))
    assert list(islice(batch_order(lengths, 3, seed=1), 6)) == batches
    assert list(islice(batch_order(lengths, 3, seed=2), 6)) != batches


def test_batches_hold_samples_of_similar_length():
    lengths = [index % 2 * 100 for index in range(16)]
    for batch in islice(batch_order(lengths, 4, seed=3), 8):
        assert len({lengths[index] for index in batch}) == 1


def test_characters_that_cannot_be_learned_are_counted():
    assert describe_characters(Counter("ééñ")) == "2 characters of the ground truth: é (2x), ñ (1x)"


class Limited:
    """A model that knows lower-case letters and writes six tokens at most."""

    class contract:
        base_model, max_new_tokens = "limited", 6

    def unknown_characters(self, text):
        return {character for character in text if not character.islower()}

    def completion_ids(self, text):
        return [*map(ord, text), 1]


def samples_of(*texts):
    return [Sample(picture_id=f"{t}.png", picture=b"", text=t) for t in texts]


def test_what_cannot_be_learned_is_told_and_the_rest_is_taken():
    notes = []
    examples = make_examples(Limited(), samples_of("abc", "aXbX", "too long"), notes.append)
    assert [example.picture_id for example in examples] == ["abc.png", "aXbX.png"]
    assert "`limited` cannot write 2 characters" in notes[0].text
    assert "X (2x)" in notes[0].text
    assert "1 of 3 samples are left out" in notes[1].text
    assert "`too long.png`: its text takes 9 tokens" in notes[1].text


@pytest.mark.parametrize("texts", [("",), ("XYZ", ""), ("much too long",)])
def test_nothing_to_learn_is_refused(texts):
    with pytest.raises(TrainingError, match="has a text to learn"):
        make_examples(Limited(), samples_of(*texts), lambda event: None)


def test_a_text_that_steers_the_model_is_left_out_with_its_reason():
    class Strict(Limited):
        def completion_ids(self, text):
            if "s" in text:
                raise ModelError("It steers.", "Change it.")
            return super().completion_ids(text)

    notes = []
    examples = make_examples(Strict(), samples_of("abc", "steer"), notes.append)
    assert [example.picture_id for example in examples] == ["abc.png"]
    assert "1 of 2 samples are left out" in notes[0].text
    assert "It steers. Change it." in notes[0].text


@pytest.mark.parametrize(("most", "expected"), [(3, 3), (50, 10)])
def test_the_same_samples_are_measured_each_time(most, expected):
    config = TrainConfig(data="", output="", validation_samples=most, seed=5)
    samples = samples_of(*"abcdefghij")
    chosen = choose_samples(samples, config)
    assert len(chosen) == expected
    assert chosen == choose_samples(samples, config)
    assert chosen == sorted(chosen, key=samples.index), "in the order of the dataset"

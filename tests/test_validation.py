"""The CER during a run decides which weights are kept."""

import pytest
from line_samples import draw_line
from small_models import LINE_CONFIG, write_model

from ocrtune import validation
from ocrtune.config import TrainConfig
from ocrtune.families.loading import adapter_weights, add_lora, load_base
from ocrtune.records import Prediction, Sample
from ocrtune.validation import Validation


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


def test_the_weights_with_the_lowest_cer_are_kept(base, monkeypatch):
    """The samples have 10 characters together; 1, 5, 2, 2 and 4 of them are misread."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    sample = Sample(picture_id="a", picture=draw_line("a" * 10), text="a" * 10)
    watch = Validation(loaded, [sample], lambda event: None)
    wrong = iter([1, 5, 2, 2, 4])

    def misread(*args, **options):
        text = "b" * next(wrong)
        return [Prediction(picture_id="a", text=text.ljust(10, "a"), seconds=0, model="m")]

    monkeypatch.setattr(validation, "read_samples", misread)
    best = []
    for step in (0, 10, 20, 30, 40):
        for tensor in adapter_weights(loaded).values():
            tensor.data.fill_(step)
        best.append(watch.measure(step))
    # the base model (0.1) reads best of all, yet is no adapter; of the two 0.2 the later one wins
    assert best == [False, True, True, True, False]
    assert watch.cers == {0: 0.1, 10: 0.5, 20: 0.2, 30: 0.2, 40: 0.4}
    watch.restore_best()
    assert watch.best_step == 30
    assert all((tensor == 30).all() for tensor in adapter_weights(loaded).values())


def test_without_samples_the_latest_weights_are_kept(base):
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    events = []
    watch = Validation(loaded, [], events.append)
    assert [watch.measure(step) for step in (0, 5, 10)] == [False, True, True]
    assert watch.best_step == 10
    assert [(event.cer, event.lines) for event in events] == [(None, 0)] * 3


def test_readings_end_at_a_length_taken_from_the_right_texts(base, monkeypatch):
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    sample = Sample(picture_id="a", picture=draw_line("a" * 10), text="a" * 10)
    watch = Validation(loaded, [sample], lambda event: None)
    limits = []
    real = validation.read_samples

    def noted(reader, *args, **options):
        limits.append(reader.contract.max_new_tokens)
        assert reader.model is loaded.model
        return real(reader, *args, **options)

    monkeypatch.setattr(validation, "read_samples", noted)
    watch.measure(0)
    assert limits == [2 * 11 + 32]
    assert loaded.contract.max_new_tokens == 160, "the adapter is saved with the contract's own"

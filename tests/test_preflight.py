"""The preflight: what it counts, that its dry step teaches nothing, how a batch comes to fit."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from line_samples import some_samples
from small_models import CONFIG, LINE_CONFIG, write_model

from ocrtune import learner as learner_module
from ocrtune import preflight
from ocrtune.config import TrainConfig
from ocrtune.errors import TrainingError
from ocrtune.events import from_line, silent, to_line
from ocrtune.examples import examine_samples
from ocrtune.families.loading import add_lora, load_base
from ocrtune.features import encode_samples
from ocrtune.fitting import Fit
from ocrtune.learner import Learner
from ocrtune.preflight import (
    dry_step,
    features_bytes,
    inspect_run,
    longest_batch,
    measure_samples,
    measuring_seconds,
    model_shape,
    settle_fit,
)
from ocrtune.records import Sample
from ocrtune.validation import Validation


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture
def make(base):
    """Return a learner of ten lines, and what was examined for it."""

    def learner(**changes):
        values = {"data": "", "output": "", "base": base, "batch_size": 4, "lora_vision": "no"}
        config = TrainConfig(**(values | changes))
        loaded = load_base(config.base, device="cpu")
        examined = examine_samples(loaded, some_samples(10), silent)
        torch.manual_seed(0)
        add_lora(loaded, config)
        return Learner(loaded, config, examined.examples, silent), examined

    return learner


def state_of(learner):
    return (
        [p.detach().clone() for p in learner.loaded.model.parameters()],
        [p.grad.clone() for p in learner.parameters],
        torch.get_rng_state(),
        learner.loaded.model.training,
    )


@pytest.mark.parametrize("vision", ["yes", "no"])
def test_a_dry_step_leaves_everything_as_it_was(make, vision):
    learner, _ = make(lora_vision=vision, lora_dropout=0.2)
    learner.step()
    learner.flat.forget()
    before = state_of(learner)
    moments = [v.clone() for s in learner.optimizer.state.values() for v in s.values()]
    seconds, peak = dry_step(learner, [0, 1, 2])
    assert seconds > 0
    assert peak > sum(p.nbytes for p in before[0])
    after = state_of(learner)
    for ours, theirs in zip(before[:2], after[:2], strict=True):
        assert all(map(torch.equal, ours, theirs))
    assert torch.equal(before[2], after[2])
    assert before[3] == after[3]
    now = [v for s in learner.optimizer.state.values() for v in s.values()]
    assert all(map(torch.equal, moments, now))
    assert len(learner.losses) == 1


@pytest.mark.parametrize("config", [LINE_CONFIG, CONFIG], ids=["lines", "pages"])
def test_sizes_are_counted_without_looking_at_a_pixel(tmp_path, config):
    loaded = load_base(str(write_model(tmp_path, config)), device="cpu")
    examples = examine_samples(loaded, some_samples(6), silent).examples
    sizes = measure_samples(loaded, examples)
    features = encode_samples(loaded, [(e.picture_id, e.picture) for e in examples])
    assert [one.image_tokens for one in sizes] == [len(feature) for feature in features]
    for one, feature, example in zip(sizes, features, examples, strict=True):
        prompt = loaded.prompt_ids(len(feature))
        assert one.tokens == len(prompt) + len(example.completion)
        assert one.supervised == len(example.completion)
    assert features_bytes(loaded, sizes) == sum(feature.nbytes for feature in features)


def test_a_broken_picture_is_told(make):
    learner, _ = make()
    broken = replace(learner.examples[0], picture=b"broken", picture_id="b.png")
    with pytest.raises(TrainingError, match=r"`b.png`"):
        measure_samples(learner.loaded, [broken])


def test_the_longest_samples_are_tried(make):
    learner, _ = make()
    sizes = measure_samples(learner.loaded, learner.examples)
    batch = longest_batch(learner, sizes)
    rest = set(range(10)) - set(batch)
    assert len(batch) == 4
    assert min(sizes[i].tokens for i in batch) >= max(sizes[i].tokens for i in rest)


def measured_memory(monkeypatch, free, bytes_a_sample):
    """Imitate a device on which each sample that goes through takes so many bytes."""
    tried = []

    def dry(learner, indices):
        most = (
            max(learner.micro_batch, 1) * bytes_a_sample // (4 if learner.recorder.recompute else 1)
        )
        tried.append((learner.micro_batch, learner.recorder.recompute))
        if most > free and learner.micro_batch == 1:
            raise torch.OutOfMemoryError("none left")
        while most > free:  # what the learner does
            learner.micro_batch //= 2
            most //= 2
        return 1.0, most

    monkeypatch.setattr(preflight, "dry_step", dry)
    monkeypatch.setattr(preflight, "begin_peak", lambda device: 0)
    monkeypatch.setattr(preflight, "memory", lambda device: (free, free))
    return tried


def test_an_estimate_that_is_too_large_is_corrected(make, monkeypatch):
    learner, _ = make()
    sizes = measure_samples(learner.loaded, learner.examples)
    whole = preflight.needed_bytes(
        model_shape(learner), [(s.tokens, s.supervised) for s in sizes], 4, False
    )
    tried = measured_memory(monkeypatch, whole // 2, whole // 40)
    settle_fit(learner, sizes)
    assert len(tried) == 2
    assert tried[0] != (4, False) == tried[1]
    assert (learner.micro_batch, learner.recorder.recompute) == (4, False)


def test_an_estimate_that_is_too_small_is_corrected(make, monkeypatch):
    learner, _ = make()
    sizes = measure_samples(learner.loaded, learner.examples)
    tried = measured_memory(monkeypatch, 10**12, 3 * 10**11)
    settle_fit(learner, sizes)
    assert tried[0] == (4, False)
    assert learner.micro_batch < 4 or learner.recorder.recompute


def test_one_sample_too_many_is_computed_twice(make, monkeypatch):
    learner, _ = make(batch_size=1)
    sizes = measure_samples(learner.loaded, learner.examples)
    tried = measured_memory(monkeypatch, 10**9, 2 * 10**9)
    settle_fit(learner, sizes)
    assert tried[:2] == [(1, False), (1, True)]
    assert learner.recorder.recompute
    learner, _ = make(batch_size=1, checkpointing="no")
    with pytest.raises(torch.OutOfMemoryError):
        settle_fit(learner, sizes)


def test_wishes_are_followed(make):
    learner, _ = make(micro_batch=2, checkpointing="yes")
    settle_fit(learner, measure_samples(learner.loaded, learner.examples))
    assert (learner.micro_batch, learner.recorder.recompute) == (2, True)


def test_reading_is_timed_and_nothing_remembers_it(make):
    learner, _ = make()
    validation = Validation(learner.loaded, some_samples(20), silent)
    contract = learner.loaded.contract
    short, long = (measuring_seconds(validation, tokens) for tokens in (2, 2000))
    assert 0 < short < long
    assert learner.loaded.contract == contract
    assert not validation.cers
    assert measuring_seconds(Validation(learner.loaded, [], silent), 10) == 0


def test_a_run_is_described_with_its_price(make, monkeypatch):
    monkeypatch.setenv("SPACE_HARDWARE", "t4-small")
    monkeypatch.setattr(preflight, "settle_fit", lambda learner, sizes: (30.0, 5 * 10**9))
    monkeypatch.setattr(preflight, "measuring_seconds", lambda validation, tokens: 100.0)
    learner, examined = make(steps=5)
    validation = Validation(learner.loaded, some_samples(2), silent)
    learner.features_seconds, validation.features_seconds = 50.0, 10.0
    told = inspect_run(
        learner, validation, examined, measure_samples(learner.loaded, learner.examples), None, 4
    )
    assert (told.samples, told.steps, told.batches, told.epochs) == (10, 5, 3, 2.0)
    assert told.seconds == pytest.approx(60 + 400 + 5 * told.step_seconds)
    assert told.step_seconds < 30, "most batches are shorter than the longest"
    assert (told.space, told.dollars_an_hour) == ("t4-small", 0.4)
    assert told.dollars == pytest.approx(0.4 * told.seconds / 3600)
    assert from_line(to_line(told)) == told
    monkeypatch.setenv("SPACE_HARDWARE", "abacus")
    assert (
        inspect_run(
            learner,
            validation,
            examined,
            measure_samples(learner.loaded, learner.examples),
            None,
            4,
        ).dollars
        is None
    )


def test_what_cannot_be_learned_is_in_the_event(base, make):
    learner, examined = make()
    odd = Sample(picture_id="odd.png", picture=b"", text="x" * 5000)
    more = examine_samples(learner.loaded, [*some_samples(10), odd], silent)
    assert len(more.left_out) == 1
    more = replace(more, unknown=Counter({"ß": 3}))
    validation = Validation(learner.loaded, [], silent)
    told = inspect_run(
        learner, validation, more, measure_samples(learner.loaded, learner.examples), None, 1
    )
    assert told.left_out == 1
    assert "`odd.png`: its text takes 5001 tokens" in told.left_out_why
    assert told.unknown_characters == {"ß": 3}


def test_the_estimate_knows_the_model(make):
    shape = model_shape(make(lora_vision="yes")[0])
    assert (shape.width, shape.layers, shape.vocabulary, shape.value_bytes) == (64, 3, 320, 4)
    assert shape.active == (2 + 2) * 32
    assert shape.learned > model_shape(make()[0]).learned
    assert isinstance(Fit(1, False), Fit)
    assert learner_module.Learner is Learner

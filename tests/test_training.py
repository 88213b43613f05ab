"""Fine-tuning: what is learned and what is masked, stopping, keeping the best, coming back."""

import json
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from line_samples import draw_line, some_samples, write_dataset
from small_models import LINE_CONFIG, write_model

from ocrtune import families, learner, training, validation
from ocrtune.config import TrainConfig
from ocrtune.dataset import load_samples
from ocrtune.errors import TrainingError
from ocrtune.events import Evaluated, Note, SampleRead, Saved, Step, read_events
from ocrtune.examples import batch_order, describe_characters, make_examples
from ocrtune.families.deepseek_ocr_model import IGNORE_INDEX
from ocrtune.families.loading import adapter_weights, add_lora, load_adapter, load_base
from ocrtune.features import open_picture
from ocrtune.learner import batch_loss, pad_right, rate_factor
from ocrtune.reading import read_samples
from ocrtune.records import Prediction, Sample
from ocrtune.training import train_adapter
from ocrtune.validation import Validation


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Save time: random weights never end a text, and threads do not help a model this small."""
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=48))
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def settings(base, data, tmp_path):
    """Settings of a short run: 16 training lines, 2 in each other split."""
    values = {
        "data": data,
        "output": str(tmp_path / "run"),
        "base": base,
        "steps": 4,
        "batch_size": 4,
        "learning_rate": 5e-3,
        "warmup_steps": 1,
        "evaluate_every": 100,  # at both ends only
    }
    return lambda **changes: TrainConfig(**(values | changes))


def run(config, **options):
    events = []
    folder = train_adapter(config, events.append, **options)
    return folder, events, json.loads((folder / "details.json").read_text("utf-8"))


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_only_completions_are_supervised():
    ids, labels = pad_right([[0, 3, 3, 5], [0, 3, 5]], [[9, 1], [8, 7, 6, 1]], padding=2)
    x = IGNORE_INDEX
    assert ids.tolist() == [[0, 3, 3, 5, 9, 1, 2], [0, 3, 5, 8, 7, 6, 1]]
    assert labels.tolist() == [[x, x, x, x, 9, 1, x], [x, x, x, 8, 7, 6, 1]]


def test_the_loss_is_the_networks_own_although_rows_are_padded(base):
    loaded = load_base(base, device="cpu")
    samples = some_samples(3)
    examples = make_examples(loaded, samples, print)
    views = [loaded.lay_out(open_picture(e.picture)) for e in examples]
    with torch.no_grad():
        features = loaded.encode(views)
        prompts = [loaded.prompt_ids(len(feature)) for feature in features]
        ids, labels = pad_right(prompts, [e.completion for e in examples], padding=2)
        ours = batch_loss(loaded, ids, labels, torch.cat(features))
        theirs = [
            loaded.network(
                input_ids=torch.tensor([[*prompt, *example.completion]]),
                picture_features=feature,
                labels=torch.tensor([[IGNORE_INDEX] * len(prompt) + example.completion]),
            ).loss
            for prompt, example, feature in zip(prompts, examples, features, strict=True)
        ]
    counts = [len(example.completion) for example in examples]
    assert int((labels != IGNORE_INDEX).sum()) == sum(counts)
    expected = sum(one * n for one, n in zip(theirs, counts, strict=True)) / sum(counts)
    assert ours.item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 0.5), (1, 0.9), (2, 0.8), (5, 0.5), (9, 0.1)],  # 10 steps, 2 to warm up; 0.5 * (1 - 0)
)
def test_the_rate_rises_and_falls(step, factor):
    config = TrainConfig(data="d", output="o", steps=10, warmup_steps=2)
    assert rate_factor(step, config) == pytest.approx(factor)


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


def test_a_run_learns_and_leaves_everything_it_promises(settings):
    config = settings(steps=24, batch_size=8, evaluate_every=12)
    folder, events, details = run(config)
    losses = [event.loss for event in of(Step, events)]
    assert len(losses) == 24
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])
    assert [event.step for event in of(Evaluated, events)] == [0, 12, 24]
    shown = of(SampleRead, events)
    assert {event.step for event in shown} == {0, 12, 24}
    assert len({event.picture_id for event in shown}) == 2, "the same pictures each time"
    assert of(Saved, events) == [Saved("adapter", str(folder))]
    assert folder == Path(config.output) / "adapter"
    assert TrainConfig.load(Path(config.output) / "config.json") == config
    assert read_events(Path(config.output) / "log.jsonl") == events
    assert details["steps"] == 24
    assert details["kept_step"] in (12, 24)
    assert details["cers"][0] == {"step": 0, "cer": details["base_cer"]}
    assert details["last_loss"] < details["first_loss"]
    assert config.data not in json.dumps(details), "adapters travel; paths stay"
    assert json.loads((folder / "contract.json").read_text())["layout"] == "line"


def test_the_time_left_shrinks_to_nothing(settings):
    _, events, _ = run(settings())
    left = [event.seconds_left for event in of(Step, events)]
    assert left[0] > left[-1] > 0, "the last measurement is still to come"


@pytest.mark.parametrize("vision", ["yes", "no"])
def test_a_reloaded_adapter_reads_what_the_run_last_read(settings, vision):
    config = settings(lora_vision=vision)
    folder, events, details = run(config)
    validation_samples = load_samples(config.data, "validation")
    loaded = load_base(config.base, device="cpu")
    plain = read_samples(loaded, [(s.picture_id, s.picture) for s in validation_samples])
    load_adapter(loaded, folder)
    predictions = read_samples(loaded, [(s.picture_id, s.picture) for s in validation_samples])
    shown = {e.picture_id: e.hypothesis for e in of(SampleRead, events) if e.step == 4}
    assert {p.picture_id: p.text for p in predictions} == shown
    assert [p.text for p in predictions] != [p.text for p in plain], "the adapter does something"


def test_frozen_vision_is_computed_once(settings, monkeypatch):
    calls = []
    real = learner.encode_views
    monkeypatch.setattr(learner, "encode_views", lambda *args: calls.append(1) or real(*args))
    folder, _, _ = run(settings(lora_vision="no"))
    assert not calls
    names = json.dumps(json.loads((folder / "adapter_config.json").read_text()))
    assert "sam_model" not in names
    run(settings(lora_vision="yes"))
    assert len(calls) == 4, "once a step"


def test_stopping_keeps_what_was_learned(settings):
    done = []

    def after_two_steps():
        return len(done) >= 2

    events = []

    def emit(event):
        events.append(event)
        done.extend(of(Step, [event]))

    config = settings(steps=50)
    folder = train_adapter(config, emit, after_two_steps)
    details = json.loads((folder / "details.json").read_text("utf-8"))
    assert len(of(Step, events)) == 2, "it ends with the step in which it was asked"
    assert details["stopped"] is True
    assert details["kept_step"] == 2
    assert any("Stopped after step 2" in note.text for note in of(Note, events))
    loaded = load_base(config.base, device="cpu")
    load_adapter(loaded, folder)
    moved = [t for key, t in adapter_weights(loaded).items() if "lora_B" in key]
    assert any(tensor.abs().sum() > 0 for tensor in moved)


def test_a_stop_before_the_first_step_leaves_a_usable_adapter(settings):
    folder, events, details = run(settings(), stop_requested=lambda: True)
    assert not of(Step, events)
    assert details["steps"] == 0
    load_adapter(load_base(settings().base, device="cpu"), folder)


def test_the_same_seed_gives_the_same_run(settings):
    first, second, other = (
        [e.loss for e in of(Step, run(settings(seed=seed))[1])] for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_a_loss_that_is_no_number_says_what_to_try(settings, monkeypatch):
    monkeypatch.setattr(
        learner, "batch_loss", lambda *args: torch.tensor(float("nan"), requires_grad=True)
    )
    with pytest.raises(TrainingError, match=r"--learning-rate 0\.00125"):
        run(settings())


def test_an_adapter_of_an_earlier_run_does_not_survive_a_failure(settings, monkeypatch):
    folder, _, _ = run(settings())
    monkeypatch.setattr(
        learner, "batch_loss", lambda *args: torch.tensor(float("nan"), requires_grad=True)
    )
    with pytest.raises(TrainingError):
        run(settings())
    assert not folder.exists()


def test_too_little_memory_proposes_a_smaller_batch(settings, monkeypatch):
    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(learner, "batch_loss", fail)
    with pytest.raises(TrainingError, match="--batch-size 2"):
        run(settings())


def test_the_weights_with_the_lowest_cer_are_kept(base, monkeypatch):
    """The samples have 10 characters together; 1, 5, 2, 2 and 4 of them are misread."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    sample = Sample(picture_id="a", picture=draw_line("a" * 10), text="a" * 10)
    watch = Validation(loaded, [sample], lambda event: None)
    wrong = iter([1, 5, 2, 2, 4])

    def misread(*args):
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


def test_a_batch_in_portions_teaches_what_it_teaches_whole(base, data, monkeypatch):
    examples = make_examples(load_base(base, device="cpu"), some_samples(4), print)
    config = TrainConfig(data=data, output="", base=base, batch_size=4, augment=False)
    steps = []
    for room in (10**9, 2 * 384 * 48):
        monkeypatch.setattr(learner, "PIXELS_WITH_GRADIENT", room)
        torch.manual_seed(0)
        loaded = load_base(base, device="cpu")
        add_lora(loaded, config)
        pupil = learner.Learner(loaded, config, examples, print)
        portions = list(learner.divide([pupil.prepare(index) for index in range(4)]))
        loss = pupil.step()
        steps.append((len(portions), loss, [p.grad.clone() for p in pupil.parameters]))
    (one, loss, whole), (several, same_loss, parts) = steps
    assert one == 1 < several
    assert same_loss == pytest.approx(loss, abs=1e-5)
    for expected, found in zip(whole, parts, strict=True):
        assert torch.allclose(expected, found, atol=1e-5)

"""Fine-tuning: what is learned and what is masked, stopping, keeping the best, coming back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_samples import write_dataset
from small_models import LINE_CONFIG, write_model

from ocrtune import families, learner, training
from ocrtune.config import TrainConfig
from ocrtune.dataset import load_samples
from ocrtune.errors import TrainingError
from ocrtune.events import Evaluated, Note, SampleRead, Saved, Step, read_events
from ocrtune.families.loading import adapter_weights, load_adapter, load_base
from ocrtune.reading import read_samples
from ocrtune.training import train_adapter


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
    monkeypatch.setattr(learner.Recorder, "learn", lambda *args: torch.tensor(float("nan")))
    with pytest.raises(TrainingError, match=r"--learning-rate 0\.00125"):
        run(settings())


def test_an_adapter_of_an_earlier_run_does_not_survive_a_failure(settings, monkeypatch):
    folder, _, _ = run(settings())
    monkeypatch.setattr(learner.Recorder, "learn", lambda *args: torch.tensor(float("nan")))
    with pytest.raises(TrainingError):
        run(settings())
    assert not folder.exists()


def test_too_little_memory_proposes_a_smaller_batch(settings, monkeypatch):
    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(learner.Recorder, "learn", fail)
    with pytest.raises(TrainingError, match="--batch-size 2"):
        run(settings())

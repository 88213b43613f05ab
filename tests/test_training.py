"""Fine-tuning: what is learned and what is masked, stopping, keeping the best, coming back."""

import json
import platform
from argparse import Namespace
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from line_samples import write_dataset
from small_models import CONFIG, LINE_CONFIG, write_model

from ocrtune import families, learner, preflight, training
from ocrtune.config import TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import TrainingError
from ocrtune.events import Evaluated, Note, Preflight, SampleRead, Saved, Step, read_events
from ocrtune.families.loading import adapter_weights, load_adapter, load_base
from ocrtune.reading import read_samples
from ocrtune.training import check_run, train_adapter


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
    assert len(calls) == 2 + 4, "once a step, two dry ones before"


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


def test_too_little_memory_for_one_sample_is_told(settings, monkeypatch):
    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(learner.Recorder, "learn", fail)
    with pytest.raises(TrainingError, match="even for one sample at a time"):
        run(settings())


def short_of_memory(monkeypatch, most):
    """Let no more than `most` samples go through the model together."""
    real = learner.Recorder.learn

    def learn(recorder, portion):
        if len(portion.embeddings) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(recorder, portion)

    monkeypatch.setattr(learner.Recorder, "learn", learn)


@pytest.mark.parametrize("vision", ["yes", "no"])
def test_running_out_of_memory_changes_nothing_but_the_portions(settings, monkeypatch, vision):
    config = settings(lora_vision=vision)
    expected = [event.loss for event in of(Step, run(config)[1])]
    short_of_memory(monkeypatch, 1)
    _, events, _ = run(config)
    assert [event.loss for event in of(Step, events)] == pytest.approx(expected, abs=1e-4)
    assert of(Preflight, events)[0].micro_batch == 1
    halved = [note.text for note in of(Note, events) if "Memory is short" in note.text]
    assert halved[-1] == "Memory is short: 1 samples at a time from now on."


def test_memory_that_runs_out_in_the_middle_of_a_run_costs_no_step(settings, monkeypatch):
    config = settings(lora_vision="no", steps=6)
    expected = [event.loss for event in of(Step, run(config)[1])]
    events = []

    def emit(event):
        events.append(event)
        if isinstance(event, Step) and event.step == 3:
            short_of_memory(monkeypatch, 2)

    train_adapter(config, emit)
    assert [event.loss for event in of(Step, events)] == pytest.approx(expected, abs=1e-4)
    assert of(Preflight, events)[0].micro_batch == 4
    assert sum("Memory is short: 2 samples" in note.text for note in of(Note, events)) == 1


def test_a_run_begins_with_what_it_will_take(settings):
    config = settings(steps=6)
    _, events, _ = run(config)
    [told] = of(Preflight, events)
    samples = load_samples(config.data, "train")
    assert events.index(told) < events.index(of(Step, events)[0])
    assert (told.samples, told.left_out, told.batches, told.epochs) == (16, 0, 4, 1.5)
    assert told.supervised_tokens == sum(len(s.text.encode()) + 1 for s in samples)
    assert told.layout == "line"
    assert told.hardware.endswith(platform.machine())


def test_a_check_tells_the_same_and_leaves_nothing(settings):
    config = settings(steps=6)
    events = []
    told = check_run(config, events.append)
    assert events[-1] == told
    assert not Path(config.output).exists()
    [again] = of(Preflight, run(config)[1])
    measured = {name: 0 for name in asdict(told) if "seconds" in name or "bytes" in name}
    assert replace(told, dollars=0, **measured) == replace(again, dollars=0, **measured)


def test_a_check_does_not_change_what_is_learned(settings, monkeypatch):
    config = settings(lora_dropout=0.1, lora_vision="yes")
    with_check = [event.loss for event in of(Step, run(config)[1])]
    monkeypatch.setattr(preflight, "settle_fit", lambda learner, sizes: (0.1, 0))
    assert [event.loss for event in of(Step, run(config)[1])] == with_check


def test_the_layout_of_pages_is_chosen_and_kept(tmp_path, data):
    base = str(write_model(tmp_path / "pages", CONFIG))
    config = TrainConfig(
        data=data, output=str(tmp_path / "run"), base=base, steps=1, batch_size=2, lora_rank=2
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "DEEPSEEK_OCR", replace(families.DEEPSEEK_OCR, max_new_tokens=24))
        folder, events, _ = run(config)
    contract = json.loads((folder / "contract.json").read_text())
    assert contract["layout"] == "base", "tiny would stretch these lines"
    [told] = of(Preflight, events)
    assert told.layout_tokens["tiny"] == 73 < told.image_tokens == 273
    assert told.layout_reason in [note.text for note in of(Note, events)]


def test_a_full_disk_is_told_before_anything_is_computed(settings, monkeypatch):
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda folder: Namespace(free=1000))
    with pytest.raises(TrainingError, match="has room for 0.0 GB"):
        run(settings(lora_vision="no"))
    run(settings(lora_vision="yes"))  # keeps no features


def test_one_sample_is_enough_to_learn_from(settings, tmp_path):
    data = write_dataset(tmp_path, 1)
    folder, events, details = run(settings(data=data, steps=2))
    assert [(event.step, event.cer, event.lines) for event in of(Evaluated, events)] == [
        (0, None, 0),
        (2, None, 0),
    ]
    assert details["kept_step"] == 2
    assert (folder / "contract.json").is_file()

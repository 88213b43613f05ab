"""A run that was interrupted goes on exactly; what is no checkpoint of it is refused."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_samples import some_samples, write_dataset
from safetensors.torch import load_file
from small_models import LINE_CONFIG, write_model

from ocrtune import checkpoints, families, learner, training
from ocrtune.checkpoint_step import checkpoint_step
from ocrtune.checkpoints import digest_samples, load_checkpoint, pack, save_checkpoint, unpack
from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.errors import TrainingError
from ocrtune.events import Evaluated, Note, Resumed, Step, read_events
from ocrtune.training import train_adapter
from ocrtune.validation import Validation

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Save time, and use one core: how many there are decides in which order numbers are added."""
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=32))
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def settings(base, data, tmp_path):
    """A run in which everything random takes part: augmented pictures, dropout, three epochs."""
    values = {
        "data": data,
        "output": str(tmp_path / "run"),
        "base": base,
        "steps": 12,
        "batch_size": 4,
        "learning_rate": 5e-3,
        "lora_dropout": 0.2,
        "lora_vision": "yes",
        "evaluate_every": 5,
    }
    return lambda **changes: TrainConfig(**(values | changes))


def stop_after(steps):
    """Return an emitter and a question that is answered with yes after so many steps."""
    seen = []
    return lambda event: seen.append(isinstance(event, Step)), lambda: sum(seen) >= steps


def course(folder):
    """Return losses and CERs as the log tells them, with their steps."""
    events = read_events(Path(folder) / "log.jsonl")
    losses = [(event.step, event.loss) for event in events if isinstance(event, Step)]
    return losses, [(event.step, event.cer) for event in events if isinstance(event, Evaluated)]


def weights(folder):
    return load_file(Path(folder) / "adapter" / "adapter_model.safetensors")


def assert_same_run(one, other):
    assert course(one) == course(other)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("vision", ["yes", "no"])
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(settings, tmp_path, vision):
    whole = settings(output=str(tmp_path / "whole"), lora_vision=vision)
    train_adapter(whole)
    assert not (tmp_path / "whole" / CHECKPOINT).exists(), "a finished run needs none"
    config = settings(lora_vision=vision)
    for steps in (3, 4):  # 3, then 7: before and after the first measurement
        train_adapter(config, *stop_after(steps), resume=steps > 3)
        assert checkpoint_step(Path(config.output)) == (3 if steps == 3 else 7)
    train_adapter(config, resume=True)
    assert_same_run(config.output, whole.output)
    assert not (Path(config.output) / "checkpoint").exists()
    told = [event for event in read_events(Path(config.output) / "log.jsonl")]
    assert [event for event in told if isinstance(event, Resumed)] == [
        Resumed(3, 12),
        Resumed(7, 12),
    ]
    seconds = [event.seconds for event in told if isinstance(event, Step)]
    assert seconds == sorted(seconds), "the clock goes on, it does not begin again"


@pytest.mark.parametrize("measurement", [1, 2])
def test_a_run_that_is_stopped_while_it_is_measured_measures_later(
    settings, tmp_path, monkeypatch, measurement
):
    """Stopped in the first measurement, of the base model, and in the one after step 5."""
    whole = settings(output=str(tmp_path / "whole"))
    train_adapter(whole)
    config, asked = settings(), []
    real = Validation.measure

    def measure(self, step, stop_requested):
        asked.append(step)
        wish = (lambda: True) if len(asked) == measurement else stop_requested
        return real(self, step, wish)

    monkeypatch.setattr(Validation, "measure", measure)
    train_adapter(config)
    stopped_at = (0, 5)[measurement - 1]
    assert [step for step, _ in course(config.output)[0]] == list(range(1, stopped_at + 1))
    assert stopped_at not in dict(course(config.output)[1])
    assert weights(config.output), "what was learned is saved"
    train_adapter(config, resume=True)
    assert_same_run(config.output, whole.output)


TRAIN_UNTIL_KILLED = """
import os, signal, sys, time
from dataclasses import replace
from pathlib import Path
import torch
from ocrtune import families, learner, training
from ocrtune.config import TrainConfig
families.TINY = replace(families.TINY, max_new_tokens=32)
training.use_cores = lambda: torch.set_num_threads(1)
config = TrainConfig.load(Path(sys.argv[1]))
def emit(event):
    if getattr(event, "loss", None) and event.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)
training.train_adapter(config, emit)
"""


def test_a_killed_run_goes_on_from_its_last_checkpoint(settings, tmp_path):
    """The process dies after step 8, before anything can be saved; the checkpoint is of step 6."""
    whole = settings(output=str(tmp_path / "whole"))
    train_adapter(whole)
    config = settings(checkpoint_every=3)
    config.save(tmp_path / "settings.json")
    process = subprocess.run(
        [sys.executable, "-c", TRAIN_UNTIL_KILLED, str(tmp_path / "settings.json")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert [step for step, _ in course(config.output)[0]] == list(range(1, 9))
    train_adapter(config, resume=True)
    assert_same_run(config.output, whole.output)


def test_more_steps_make_a_run_longer_and_change_the_rate_from_there_on(settings, tmp_path):
    config = settings()
    train_adapter(config, *stop_after(4))
    longer = replace(config, steps=16)
    events = []
    train_adapter(longer, events.append, resume=True)
    losses, cers = course(config.output)
    assert [step for step, _ in losses] == list(range(1, 17))
    assert [step for step, _ in cers] == [0, 5, 10, 15, 16]
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("learning rate is that of a run of 16 steps" in note for note in notes)
    assert TrainConfig.load(Path(config.output) / "config.json") == longer


@pytest.fixture(scope="module")
def stopped(base, data, tmp_path_factory):
    """The settings of a run that was stopped after two steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=32))
        output = str(tmp_path_factory.mktemp("stopped"))
        config = TrainConfig(data=data, output=output, base=base, batch_size=2)
        train_adapter(config, *stop_after(2))
    return config


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 1e-4}, "another settings: `learning_rate` was 0.0, is 0.0001"),
        ({"seed": 1}, "`seed` was 3407, is 1"),
        ({"steps": 59}, "planned for 60 steps; 59 are fewer"),
        ({"output": "elsewhere"}, "`elsewhere` holds no checkpoint"),
    ],
)
def test_a_run_with_other_settings_is_refused(stopped, changes, words):
    before = (Path(stopped.output) / "config.json").read_text("utf-8")
    with pytest.raises(TrainingError, match=words.replace("(", r"\(")):
        train_adapter(replace(stopped, **changes), resume=True)
    assert (Path(stopped.output) / "config.json").read_text("utf-8") == before
    assert (Path(stopped.output) / CHECKPOINT).is_file(), "it can still be resumed"


def test_another_kind_of_machine_is_refused(stopped, monkeypatch):
    """Moments of 8 bits mean nothing to an optimizer of 32, nor fp16's scale to fp32."""
    monkeypatch.setattr(learner.Learner, "arithmetic", lambda self: "AdamW8bit in float16 on cuda")
    words = "made with AdamW in float32 on cpu, but this machine uses AdamW8bit in float16 on cuda"
    with pytest.raises(TrainingError, match=words):
        train_adapter(stopped, resume=True)


def test_other_data_and_another_base_are_refused(stopped, tmp_path):
    data = write_dataset(tmp_path / "data", 24)
    with pytest.raises(TrainingError, match="other pictures or texts"):
        train_adapter(replace(stopped, data=data), resume=True)
    other = str(write_model(tmp_path / "other", LINE_CONFIG, seed=1))
    with pytest.raises(TrainingError, match="another base model: .*`revision` was 'sha256:"):
        train_adapter(replace(stopped, base=other), resume=True)


def test_the_data_may_have_moved(stopped, tmp_path):
    samples = some_samples(3)
    assert digest_samples(samples) == digest_samples(some_samples(3))
    assert digest_samples(samples) != digest_samples(samples[::-1])
    data = write_dataset(tmp_path / "moved", 20)
    train_adapter(replace(stopped, data=data), *stop_after(1), resume=True)
    assert [step for step, _ in course(stopped.output)[0]] == [1, 2, 3]


def test_a_damaged_checkpoint_gets_a_sentence(settings):
    config = settings()
    train_adapter(config, *stop_after(1))
    path = Path(config.output) / CHECKPOINT
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TrainingError, match="is damaged"):
        train_adapter(config, resume=True)


def test_the_last_checkpoint_stays_when_the_next_one_cannot_be_written(
    settings, tmp_path, monkeypatch
):
    config, events = settings(steps=6), []
    real = checkpoints.save_file

    def fill_the_disk(tensors, path, metadata):
        real(tensors, path, metadata=metadata)
        if sum(isinstance(event, Step) for event in events) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", fill_the_disk)
    monkeypatch.setattr(training.Run, "is_checkpoint_due", lambda run: run.steps in (2, 4))
    events_until_4 = stop_after(4)
    emit = lambda event: (events.append(event), events_until_4[0](event))  # noqa: E731
    train_adapter(config, emit, events_until_4[1])
    assert any("No space left" in event.text for event in events if isinstance(event, Note))
    assert os.listdir(Path(config.output) / "checkpoint") == ["state.safetensors"]
    monkeypatch.setattr(checkpoints, "save_file", real)
    train_adapter(config, *stop_after(0), resume=True)
    assert [step for step, _ in course(config.output)[0]] == [1, 2]


def test_a_new_run_in_the_same_folder_forgets_the_old_checkpoint(settings):
    config = settings()
    train_adapter(config, *stop_after(1))
    train_adapter(replace(config, seed=1, steps=2))
    assert not (Path(config.output) / "checkpoint").exists()


def test_checkpoints_come_by_the_clock_when_nobody_counts(settings, monkeypatch):
    saved = []
    real = training.save_checkpoint

    def save(folder, identity, state):
        saved.append(len(state["learner"]["losses"]))
        real(folder, identity, state)

    monkeypatch.setattr(training, "save_checkpoint", save)
    train_adapter(settings(steps=4))
    assert saved == [], "a short run is not slowed down"
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "CHECKPOINT_SHARE", 1e9)
    train_adapter(settings(steps=4))
    assert saved == [1, 2, 3]
    saved.clear()
    monkeypatch.setattr(training, "CHECKPOINT_SHARE", 1e-9)
    train_adapter(settings(steps=4))
    assert saved == [1], "one that takes long is followed by a long pause"


def test_a_state_comes_back_as_it_was():
    tensors = {}
    state = {
        "state": {0: {"step": torch.tensor(3.0), "mean": torch.randn(2, 3).half()}},
        "groups": [{"betas": (0.9, 0.999), "name": None, "on": True}],
        "loss": 0.1 + 0.2,
    }
    packed = json.loads(json.dumps(pack(state, tensors)))
    back = unpack(packed, tensors)
    assert back["groups"] == [{"betas": [0.9, 0.999], "name": None, "on": True}]
    assert back["loss"] == state["loss"]
    assert torch.equal(back["state"][0]["mean"], state["state"][0]["mean"])
    assert back["state"][0]["step"].shape == ()
    with pytest.raises(TypeError, match="cannot hold a set"):
        pack({"odd": {1}}, {})


def test_tensors_that_share_memory_are_saved_apart(tmp_path):
    flat = torch.arange(6.0)
    identity = {"settings": {}, "data": "d", "base model": {}}
    save_checkpoint(tmp_path, identity, {"views": [flat[:3], flat[3:], flat]})
    first, second, whole = load_checkpoint(tmp_path, identity)["views"]
    assert torch.equal(torch.cat([first, second]), whole)

"""A run ends when its CER no longer falls, holds its best weights, and survives an interruption."""

import json
from dataclasses import replace

import pytest
import torch
from line_samples import write_dataset
from safetensors.torch import load_file
from small_models import LINE_CONFIG, write_model

from ocrtune import families, training, validation
from ocrtune.config import TrainConfig
from ocrtune.events import Evaluated, Note, Step
from ocrtune.metrics import CharScore
from ocrtune.records import Prediction
from ocrtune.training import train_adapter
from ocrtune.validation import measured_since_best

BEST_AT_2 = (50, 40, 20, 30, 20, 25, 10, 10, 10, 10)  # errors of 100 at each measurement


@pytest.mark.parametrize(
    ("cers", "since"),
    [
        ((), 0),
        ((0.5,), 0),
        ((0.5, 0.4, 0.4), 1),  # an equal one is no better
        ((0.5, 0.4, 0.6, 0.45), 2),
        ((0.5, 0.6, 0.3), 0),
        ((None, None), 0),
        ((0.2, None, 0.3), 1),
    ],
)
def test_measurements_since_the_best_are_counted(cers, since):
    assert measured_since_best(cers) == since


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def settings(base, data, tmp_path, monkeypatch):
    """Nine steps, each measured; the CERs are those of BEST_AT_2, the base model's first."""
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=48))
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))
    real = validation.Validation.measure

    def measure(self, step, *others):
        scores = [CharScore(BEST_AT_2[step], 100)]
        monkeypatch.setattr(validation, "score_pairs", lambda pairs: scores)
        return real(self, step, *others)

    monkeypatch.setattr(validation.Validation, "measure", measure)
    monkeypatch.setattr(validation.Validation, "read", read_nothing)
    values = {
        "data": data,
        "output": str(tmp_path / "run"),
        "base": base,
        "steps": 9,
        "batch_size": 2,
        "lora_vision": "no",
        "evaluate_every": 1,
        "validation_samples": 1,
    }
    return lambda **changes: TrainConfig(**(values | changes))


def read_nothing(self, *others):
    """Take the place of reading: what is misread is given."""
    return [
        Prediction(picture_id=sample.picture_id, text="", seconds=0, model="")
        for sample in self.samples
    ]


def run(config, **options):
    events = []
    folder = train_adapter(config, events.append, **options)
    return folder, events, json.loads((folder / "details.json").read_text("utf-8"))


def steps_of(events):
    return [event.step for event in events if isinstance(event, Step)]


@pytest.mark.parametrize(
    ("early_stop", "steps", "kept"),
    [
        (0, 9, 9),  # of equal ones the later weights are kept
        (1, 3, 2),
        (2, 4, 4),  # as good as the best, yet no better
        (3, 5, 4),
        (4, 9, 9),
    ],
)
def test_a_run_ends_after_so_many_measurements_without_a_better_one(
    settings, tmp_path, early_stop, steps, kept
):
    _, events, details = run(settings(early_stop=early_stop))
    assert steps_of(events) == list(range(1, steps + 1))
    assert (details["steps"], details["kept_step"]) == (steps, kept)
    assert details["ended_early"] == (steps < 9)
    assert details["stopped"] is False
    assert not (tmp_path / "run" / "checkpoint").exists(), "the run is over"
    told = [event.text for event in events if isinstance(event, Note)]
    early = f"ended after step {steps} of 9: {early_stop} measurements in a row"
    assert any(early in text for text in told) == (steps < 9)


def test_a_resumed_run_ends_where_the_uninterrupted_one_does(settings, tmp_path):
    config = settings(early_stop=3)
    whole, _, expected = run(config)
    weights = load_file(whole / "adapter_model.safetensors")
    again = replace(config, output=str(tmp_path / "again"))
    seen = []
    train_adapter(again, seen.append, lambda: len(steps_of(seen)) >= 4)
    folder, events, details = run(again, resume=True)
    assert steps_of(events) == [5]
    assert details["ended_early"]
    assert details["kept_step"] == expected["kept_step"] == 4
    found = load_file(folder / "adapter_model.safetensors")
    assert all(torch.equal(found[key], weights[key]) for key in weights)


def test_an_early_stop_that_cannot_come_about_is_told(settings):
    _, events, _ = run(settings(early_stop=2, evaluate_every=6))
    told = [event.text for event in events if isinstance(event, Note)]
    assert any("measured 2 times: `--early-stop 2` can end nothing" in text for text in told)
    assert len([event for event in events if isinstance(event, Evaluated)]) == 3

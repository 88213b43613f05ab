"""Settings: what is refused at birth, what is worked out, what comes back from a file."""

import json

import pytest

from ocrtune.config import CHOICES, TrainConfig
from ocrtune.errors import ConfigError


def settings(**changes):
    return TrainConfig(data="d", output="o", **changes)


def test_the_defaults_are_the_published_recipe():
    config = settings()
    assert (config.lora_rank, config.lora_alpha, config.steps, config.batch_size) == (16, 16, 60, 8)
    assert (config.warmup_steps, config.weight_decay, config.seed) == (5, 0.001, 3407)
    assert (config.schedule, config.optimizer) == ("linear", "auto")


@pytest.mark.parametrize(
    ("epochs", "samples", "steps"),
    [
        (0, 100, 60),  # steps count
        (2, 100, 25),
        (1, 101, 13),  # 12.6: the last samples are not forgotten
        (0.01, 100, 1),
    ],
)
def test_epochs_become_steps(epochs, samples, steps):
    config = settings(epochs=epochs).with_steps(samples)
    assert (config.steps, config.epochs) == (steps, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": -1}, "`epochs` is -1. Use 0 or more."),
        ({"epochs": float("inf")}, "`epochs` is inf."),
        ({"learning_rate": float("nan")}, "`learning_rate` is nan."),
        ({"checkpoint_every": -5}, "`checkpoint_every` is -5."),
        ({"weight_decay": -0.1}, "`weight_decay` is -0.1."),
        ({"lora_dropout": 1}, "`lora_dropout` is 1."),
        ({"lora_alpha": 0}, "`lora_alpha` is 0."),
        ({"schedule": "warm"}, "`schedule` is 'warm'. Use linear, cosine or constant."),
        ({"optimizer": "sgd"}, "Use auto, adamw or adamw-8bit."),
        ({"engine": "fast"}, "Use auto, unsloth or transformers."),
        ({"compile": True}, "`compile` is True."),
        ({"lora_experts": "maybe"}, "Use auto, yes or no."),
    ],
)
def test_impossible_settings_are_refused(changes, words):
    with pytest.raises(ConfigError) as refused:
        settings(**changes)
    assert words in str(refused.value)


def test_the_first_choice_is_the_default():
    config = settings()
    assert {name: getattr(config, name) for name in CHOICES} == {
        name: words[0] for name, words in CHOICES.items()
    }


def test_settings_of_older_versions_still_load(tmp_path):
    values = {"data": "d", "output": "o", "lora_experts": False, "steps": 7}
    (tmp_path / "config.json").write_text(json.dumps(values), "utf-8")
    assert TrainConfig.load(tmp_path / "config.json") == settings(lora_experts="no", steps=7)

"""Which software trains: what is chosen, why, and that Unsloth gets our network in a form it takes.

Unsloth itself needs a GPU. A stand-in with its two functions proves everything around them.
"""

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from line_samples import write_dataset
from peft import LoraConfig, get_peft_model
from small_models import CONFIG, write_model

from ocrtune import engines, families, learner
from ocrtune.config import TrainConfig
from ocrtune.engines import TRANSFORMERS, UNSLOTH, choose_engine, start_unsloth
from ocrtune.errors import ConfigError
from ocrtune.events import Note, Step
from ocrtune.families.loading import load_adapter, load_base
from ocrtune.training import train_adapter


def settings(**changes) -> TrainConfig:
    return TrainConfig(**{"data": "d", "output": "o", **changes})


@pytest.mark.parametrize(
    ("changes", "engine", "words"),
    [
        ({}, TRANSFORMERS, "faster than Unsloth"),
        ({"engine": "transformers"}, TRANSFORMERS, "as asked"),
        ({"engine": "unsloth"}, UNSLOTH, "not compiled, 60 steps do not repay it"),
        ({"engine": "unsloth", "steps": 2000}, UNSLOTH, "compiled, 2000 steps repay it"),
        ({"engine": "unsloth", "compile": "yes"}, UNSLOTH, "compiled, as asked"),
        ({"engine": "unsloth", "steps": 2000, "compile": "no"}, UNSLOTH, "not compiled, as asked"),
    ],
)
def test_what_is_chosen_and_why(changes, engine, words):
    chosen, why = choose_engine(settings(**changes))
    assert chosen == engine
    assert words in why


def test_our_own_engine_has_nothing_to_compile():
    with pytest.raises(ConfigError, match="--engine unsloth"):
        choose_engine(settings(compile="yes"))


def test_without_unsloth_its_engine_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "unsloth", None)  # importing it then fails
    with pytest.raises(ConfigError, match=r"Unsloth cannot be imported.*requirements\.txt"):
        start_unsloth(settings(engine="unsloth"))


def test_its_environment_is_settled_before_it_is_imported(monkeypatch, capsys):
    seen = {}

    def importing(name):
        seen.update(name=name, off=engines.os.environ["UNSLOTH_COMPILE_DISABLE"])
        sys.stdout.write("a banner")
        return SimpleNamespace()

    monkeypatch.setattr(engines.importlib, "import_module", importing)
    start_unsloth(settings(engine="unsloth", compile="yes"))
    assert seen == {"name": "unsloth", "off": "0"}
    start_unsloth(settings(engine="unsloth"))
    assert seen["off"] == "1"
    assert "banner" not in capsys.readouterr().out


class FastVisionModel:
    """Does with transformers and peft what Unsloth's class of that name promises."""

    asked: dict = {}

    @classmethod
    def from_pretrained(cls, folder, dtype, auto_model, **more):
        cls.asked = more
        values = json.loads((engines.Path(folder) / "config.json").read_text("utf-8"))
        assert "auto_map" not in values, "no code to be fetched is named"
        return auto_model.from_pretrained(folder, dtype=dtype, local_files_only=True), None

    @classmethod
    def get_peft_model(cls, network, r, lora_alpha, lora_dropout, bias, use_gradient_checkpointing,
                       **targets):  # fmt: skip
        lora = LoraConfig(r=r, lora_alpha=lora_alpha, lora_dropout=lora_dropout, **targets)
        return get_peft_model(network, lora)


def test_a_run_by_unsloth_leaves_an_adapter_that_everybody_reads(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "unsloth", SimpleNamespace(FastVisionModel=FastVisionModel))
    monkeypatch.setattr(
        families, "DEEPSEEK_OCR", families.replace(families.DEEPSEEK_OCR, max_new_tokens=24)
    )
    base = str(write_model(tmp_path / "model", CONFIG))
    shared = {
        "data": write_dataset(tmp_path, 12),
        "base": base,
        "layout": "tiny",
        "steps": 3,
        "batch_size": 4,
        "lora_experts": "yes",
        "validation_samples": 1,
    }
    losses, notes = {}, {}
    for engine in (UNSLOTH, TRANSFORMERS):
        events = []
        run = settings(**{**shared, "engine": engine, "output": str(tmp_path / engine)})
        folder = train_adapter(run, events.append)
        losses[engine] = [event.loss for event in events if isinstance(event, Step)]
        notes[engine] = [event.text for event in events if isinstance(event, Note)]
        loaded = load_base(base, layout="tiny", device="cpu")
        load_adapter(loaded, folder)
    assert FastVisionModel.asked["trust_remote_code"] is False
    assert losses[UNSLOTH] == pytest.approx(losses[TRANSFORMERS], rel=1e-2)
    kept = [
        json.loads((tmp_path / engine / "adapter" / "adapter_config.json").read_text("utf-8"))
        for engine in (UNSLOTH, TRANSFORMERS)
    ]
    assert kept[0] == kept[1], "the same adapter format"


def test_unsloths_network_learns_in_its_own_forward(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "unsloth", SimpleNamespace(FastVisionModel=FastVisionModel))
    base = str(write_model(tmp_path, CONFIG))
    loaded = load_base(base, "tiny", "cpu", engine=engines.Unsloth())
    embeddings = torch.randn(1, 5, 64)
    language = loaded.network.model.language_model
    own, theirs = (
        read(language, embeddings) for read in (learner.read_rows, learner.read_rows_by_model)
    )
    torch.testing.assert_close(theirs.float(), own, atol=0.05, rtol=0.05)

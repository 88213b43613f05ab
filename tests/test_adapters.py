"""Several adapters on one loaded base model: switching is exact, and each has its own contract."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import fill_with_noise, logits_of, write_model

from ocrtune.config import TrainConfig
from ocrtune.errors import ConfigError, ModelError
from ocrtune.families.loading import (
    add_lora,
    choose_prompt,
    load_adapter,
    load_base,
    save_adapter,
    trains_vision,
    use_adapter,
)

KINDS = {
    "words": ({"lora_vision": "no"}, {}),
    "few": ({"lora_experts": True, "lora_rank": 4}, {"layout": "small"}),
    "many": ({"lora_experts": True}, {"prompt": "<image>\nParse the figure."}),
    "eyes": ({"lora_vision": "yes", "lora_rank": 4}, {"max_new_tokens": 9}),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    torch.set_num_threads(1)
    return str(write_model(tmp_path_factory.mktemp("models") / "pages"))


@pytest.fixture(scope="module")
def folders(base, tmp_path_factory) -> dict[str, Path]:
    made = {}
    for seed, (kind, (settings, contract)) in enumerate(KINDS.items()):
        loaded = load_base(base, layout="tiny", device="cpu")
        add_lora(loaded, TrainConfig(data="", output="", **settings))
        fill_with_noise(loaded.model, seed, 0.1, only="lora_")
        loaded.contract = replace(loaded.contract, **contract)
        made[kind] = tmp_path_factory.mktemp("adapters") / kind
        save_adapter(loaded, made[kind], {})
    return made


@pytest.fixture(scope="module")
def fresh(base, folders) -> dict[str | None, torch.Tensor]:
    """The logits of each adapter alone on a model of its own, and of the base model."""
    found = {None: logits_of(load_base(base, layout="tiny", device="cpu"))}
    for kind, folder in folders.items():
        loaded = load_base(base, layout="tiny", device="cpu")
        load_adapter(loaded, folder)
        found[kind] = logits_of(loaded)
    return found


@pytest.mark.parametrize("order", [list(KINDS), list(reversed(KINDS))], ids=["", "reversed"])
def test_switching_back_and_forth_gives_what_fresh_loads_give(order, base, folders, fresh):
    loaded = load_base(base, layout="tiny", device="cpu")
    for kind in order:
        load_adapter(loaded, folders[kind], kind)
        assert torch.equal(logits_of(loaded), fresh[kind]), "the one loaded last is in use"
    for kind in [*order, None, *reversed(order), None, None, order[0]]:
        use_adapter(loaded, kind)
        assert torch.equal(logits_of(loaded), fresh[kind])
        changed = KINDS[kind][1] if kind else {}
        assert {name: getattr(loaded.contract, name) for name in changed} == changed
        assert trains_vision(loaded) == (kind == "eyes") or kind is None
        assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert len({tuple(tensor[-1].tolist()) for tensor in fresh.values()}) == 1 + len(KINDS)


def test_the_base_model_alone_keeps_its_own_contract(base, folders):
    loaded = load_base(base, layout="gundam", device="cpu")
    ours = loaded.contract
    assert load_adapter(loaded, folders["words"]) == ["layout: 'gundam' here, 'tiny' there"]
    differences = load_adapter(loaded, folders["few"], "second")
    assert differences == ["layout: 'gundam' here, 'small' there"]  # not against the first adapter
    use_adapter(loaded, None)
    assert loaded.contract == ours
    with loaded.model.disable_adapter():  # as a comparison does; what was off stays off
        pass
    use_adapter(loaded, "second")
    with loaded.model.disable_adapter():
        off = logits_of(loaded)
    assert not torch.equal(logits_of(loaded), off)


def test_an_adapter_that_does_not_fit_leaves_the_others_as_they_were(
    base, folders, fresh, tmp_path
):
    loaded = load_base(base, layout="tiny", device="cpu")
    load_adapter(loaded, folders["words"], "good")
    broken = Path(shutil.copytree(folders["words"], tmp_path / "broken"))
    weights = load_file(broken / "adapter_model.safetensors")
    weights.pop(min(weights))
    save_file(weights, broken / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="1 missing"):
        load_adapter(loaded, broken, "bad")
    assert torch.equal(logits_of(loaded), fresh["words"])
    with pytest.raises(ModelError, match="there is: good"):
        use_adapter(loaded, "bad")
    use_adapter(loaded, None)
    assert torch.equal(logits_of(loaded), fresh[None])


@pytest.mark.parametrize("name", ["a.b", "", "lora", "1st", "experts"])
def test_names_that_would_confuse_peft_are_refused(name, base, folders):
    loaded = load_base(base, layout="tiny", device="cpu")
    with pytest.raises(ModelError, match="can be called"):
        load_adapter(loaded, folders["words"], name)


def test_a_prompt_is_chosen_and_its_tokens_must_exist(base):
    loaded = load_base(base, device="cpu", prompt="ocr")
    ids = loaded.prompt_ids(2)
    [grounding] = loaded.tokenizer.encode("<|grounding|>", add_special_tokens=False)
    assert grounding in ids
    choose_prompt(loaded, "What is it?")
    assert loaded.contract.prompt == "<image>\nWhat is it?"
    loaded.__dict__["_control_tokens"] = {0: "<begin>"}  # a tokenizer without them
    with pytest.raises(ModelError, match="no token `<|grounding|>`".replace("|", r"\|")):
        choose_prompt(loaded, "markdown")
    with pytest.raises(ConfigError, match="no prompt"):
        load_base(base, device="cpu", prompt="markdwon-x")

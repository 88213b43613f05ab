"""Adapters of the Hub: used as folders are, and never trusted further than their numbers go."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hub_server import Hub, serve_hub
from PIL import Image
from safetensors.torch import load_file, save_file
from small_models import fill_with_noise

from ocrtune.adapter_names import shared_name, shown_name
from ocrtune.config import ReadConfig, TrainConfig
from ocrtune.errors import ModelError, OcrtuneError
from ocrtune.families.adapter_files import LARGEST_RANK, read_adapter
from ocrtune.families.loading import (
    add_lora,
    continue_lora,
    load_adapter,
    load_base,
    save_adapter,
)
from ocrtune.shared_adapters import check_folder, settle_adapters


@pytest.fixture(scope="module")
def hub():
    with serve_hub() as served:
        yield served


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> Path:
    """An adapter of the embedded model that changes what it reads."""
    torch.set_num_threads(1)
    loaded = load_base("tiny", device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", lora_rank=4))
    fill_with_noise(loaded.model, 1, 0.02, only="lora_B")
    folder = tmp_path_factory.mktemp("made") / "adapter"
    save_adapter(loaded, folder, {"kept_step": 7})
    return folder


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "line.png"
    Image.new("RGB", (300, 40), "white").save(path)
    return str(path)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ocrtune(
    hub: Hub, home: Path, *arguments: str, token: str = "", offline: str = ""
) -> subprocess.CompletedProcess:
    """Run a command with this Hub for the only one."""
    return subprocess.run(
        [sys.executable, "-m", "ocrtune", *arguments],
        env=hub.environment(home, token) | {"HF_HUB_OFFLINE": offline},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_name_is_a_folder_where_one_is_there_and_a_repo_otherwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shared_name("ann/lines").repo_id == "ann/lines"
    assert shared_name("hf://ann/lines@v1").revision == "v1"
    Path("ann/lines").mkdir(parents=True)
    assert shared_name("ann/lines") is None
    assert shared_name("hf://ann/lines"), "what the page hands on never means a folder"
    for name in ("run/adapter", "/tmp/x", "../x/y", "hf://../x", "hf://a/b/c", "lines", "a/..", ""):
        assert shared_name(name) is None, name
    assert shown_name("hf://bob/lines@" + "a" * 40) == "bob/lines@aaaaaaa"


def test_an_adapter_is_read_with_from_the_hub_as_from_its_folder(hub, adapter, picture, tmp_path):
    evil = {"modeling.py": b"raise SystemExit", "adapter_model.bin": b"\x80\x04", "a/../../b": b"x"}
    hub.add("ann/lines", files_of(adapter) | evil, kind="models", private=True)
    shared = ("read", picture, "--adapter", "ann/lines", "--json")
    here = ("read", picture, "--adapter", str(adapter), "--json")
    first = ocrtune(hub, tmp_path, *shared, token="hf_owner")
    assert first.returncode == 0, first.stderr
    [found], [wanted] = (json.loads(one.stdout) for one in (first, ocrtune(hub, tmp_path, *here)))
    assert found["text"] == wanted["text"]
    commit = hub.repos["ann/lines"].commit
    assert found["model"] == f"tiny + ann/lines@{commit[:7]}", "base model and state are told"
    assert not hub.counted(".*(modeling|adapter_model.bin|/b$).*"), "nothing else is fetched"
    again = ocrtune(hub, tmp_path, *shared, token="hf_owner", offline="1")
    assert json.loads(again.stdout)[0]["text"] == found["text"], "without a network as before"
    assert "as it was fetched last" in again.stderr


def test_a_repo_that_holds_no_safe_adapter_is_not_fetched(hub, adapter, picture, tmp_path):
    whole = files_of(adapter)
    weights, config = whole["adapter_model.safetensors"], whole["adapter_config.json"]
    repos = {
        "pickle": ({"adapter_config.json": config, "adapter_model.bin": b"x"}, "can run code"),
        "model": ({"config.json": b"{}", "model.safetensors": b"x"}, "a whole model"),
        "empty": ({"README.md": b""}, "lacks adapter_config.json"),
        "large": (whole | {"contract.json": b" " * 200_000}, "more than the 100,000"),
        "torn": (whole | {"adapter_model.safetensors": weights[:100]}, "is damaged"),
        "header": (whole | {"adapter_model.safetensors": b"\xff" * 64}, "its header would take"),
        "words": (whole | {"adapter_config.json": b"[1]"}, "holds no settings"),
        "bomb": (whole | {"adapter_config.json": b"[" * 90_000}, "cannot be read"),
    }
    for name, (files, _) in repos.items():
        hub.add(f"ann/{name}", files, kind="models")
    script = (
        "import sys\nfrom ocrtune.shared_adapters import pin\n"
        "from ocrtune.errors import OcrtuneError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        print(name, pin('ann/' + name))\n"
        "    except OcrtuneError as error:\n        print(name, error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *repos],
        env=hub.environment(tmp_path),
        capture_output=True,
        text=True,
    )
    said = dict(line.split(" ", 1) for line in told.stdout.splitlines())
    for name, (_, words) in repos.items():
        assert words in said[name], f"{name}: {said.get(name)} {told.stderr}"


def spoiled(adapter: Path, folder: Path, settings: dict | None = None, **tensors) -> Path:
    """Return a copy of an adapter with other settings, and tensors changed by functions."""
    shutil.copytree(adapter, folder)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | (settings or {})))
    weights = load_file(folder / "adapter_model.safetensors")
    for change in tensors.values():
        weights = change(weights)
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


def first(weights: dict, value: torch.Tensor) -> dict:
    return weights | {min(weights): value}


HOSTILE = {
    "nan": ({}, lambda w: first(w, w[min(w)] * float("nan")), "no numbers"),
    "wide": ({}, lambda w: first(w, torch.zeros(4, 9999)), "another shape"),
    "whole": ({}, lambda w: first(w, w[min(w)].to(torch.int64)), "not fractions"),
    "foreign": ({}, lambda w: w | {"model.embed.weight": w[min(w)].clone()}, "none of LoRA layers"),
    "path": (
        {},
        lambda w: w | {"base_model.model.../../etc.lora_A.weight": w[min(w)].clone()},
        "none of LoRA layers",
    ),
    "unknown": (
        {},
        lambda w: w | {"base_model.model.model.nothing.lora_A.weight": w[min(w)].clone()},
        "does not have",
    ),
    "huge": ({"r": 10**9}, None, "rank"),
    "larger": ({"r": LARGEST_RANK}, None, "another shape"),
    "alpha": ({"lora_alpha": float("nan")}, None, "lora_alpha"),
    "kind": ({"peft_type": "PROMPT_TUNING"}, None, "not LoRA"),
    "dora": ({"use_dora": True}, None, "use_dora"),
    "module": ({"megatron_config": {"a": 1}, "megatron_core": "os"}, None, "megatron_config"),
    "experts": ({"target_parameters": ["lm_head.weight"]}, None, "does not have"),
    "list": ({"target_modules": [1, 2]}, None, "no list of names"),
}


def test_a_hostile_adapter_gets_a_sentence_and_leaves_the_model_alone(adapter, tmp_path):
    loaded = load_base("tiny", device="cpu")
    for name, (settings, change, words) in HOSTILE.items():
        changes = {"one": change} if change else {}
        folder = spoiled(adapter, tmp_path / name, settings, **changes)
        with pytest.raises(ModelError, match=words):
            load_adapter(loaded, folder)
    endless = {"target_modules": "(a+)+(a+)+(a+)+b" * 20}
    load_adapter(loaded, spoiled(adapter, tmp_path / "pattern", endless))


@pytest.mark.parametrize(
    "values", [{"max_new_tokens": 10**9}, {"prompt": 5}, {"profile": "x"}, {"prompt": "x" * 9999}]
)
def test_a_contract_cannot_ask_for_anything(values, adapter, tmp_path):
    folder = shutil.copytree(adapter, tmp_path / "odd")
    path = folder / "contract.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(ModelError, match=r"contract\.json"):
        load_adapter(load_base("tiny", device="cpu"), folder)


def test_an_adapter_of_another_program_reads_under_the_usual_settings(adapter, tmp_path):
    plain = spoiled(
        adapter,
        tmp_path / "plain",
        {"base_model_name_or_path": "someone/tiny", "target_modules": ["q_proj", "v_proj"]},
        renamed=lambda w: {
            key.replace("model.language_model.layers", "model.layers"): tensor
            for key, tensor in w.items()
        },
    )
    (plain / "contract.json").unlink()
    (plain / "details.json").unlink()
    ours, theirs = load_base("tiny", device="cpu"), load_base("tiny", device="cpu")
    usual = theirs.contract
    load_adapter(ours, adapter)
    load_adapter(theirs, plain)
    assert theirs.contract == usual
    pairs = zip(ours.model.parameters(), theirs.model.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs), "whatever it calls the layers"
    other = spoiled(plain, tmp_path / "other", {"base_model_name_or_path": "Qwen/Qwen3-VL"})
    with pytest.raises(ModelError, match="trained on `Qwen/Qwen3-VL`"):
        load_adapter(load_base("tiny", device="cpu"), other)


def test_training_goes_on_from_an_adapters_own_weights_and_layers(adapter):
    loaded = load_base("tiny", device="cpu")
    lora = continue_lora(loaded, adapter, dropout=0.0)
    weights = read_adapter(adapter)[1]
    learning = {n: p for n, p in loaded.model.named_parameters() if p.requires_grad}
    assert len(learning) == len(weights)
    assert lora.r == 4
    for key, tensor in weights.items():
        assert torch.equal(learning[key.replace(".weight", ".default.weight")], tensor)


def test_settings_without_adapters_come_back_as_they_are(tmp_path, adapter):
    plain = ReadConfig(pictures=("p.png",))
    assert settle_adapters(plain) == plain
    config = ReadConfig(pictures=("p.png",), adapter=str(adapter), base="")
    assert settle_adapters(config) == replace(config, base="tiny"), "as its contract says"


def test_on_a_space_nobody_gets_what_another_visitor_has_fetched(hub, adapter, picture, tmp_path):
    hub.add("ann/own", files_of(adapter), kind="models", private=True)
    environment = hub.environment(tmp_path) | {"SYSTEM": "spaces", "HF_TOKEN": "hf_owner"}
    script = (
        "from ocrtune.shared_adapters import pin\nfrom ocrtune.hub import use_token\n"
        "from ocrtune.errors import HubError\n"
        "def tried():\n"
        "    try:\n        return pin('ann/own')[:12]\n"
        "    except HubError:\n        return 'refused'\n"
        "print(tried())\nuse_token('hf_owner')\nprint(tried())\n"
        "import os; os.environ.pop('OCRTUNE_USER_TOKEN')\nprint(tried())"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert told.stdout.split() == ["refused", "hf://ann/own", "refused"], told.stderr


def test_a_damaged_header_is_told(tmp_path):
    (tmp_path / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"[]")
    with pytest.raises(OcrtuneError, match="no table"):
        check_folder(tmp_path, shared_name("hf://ann/lines"))

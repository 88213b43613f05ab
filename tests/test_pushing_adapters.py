"""A push of an adapter: one commit, a card the Hub understands, no text without consent."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from hub_server import Fault, Hub, serve_hub
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results
from PIL import Image
from small_models import fill_with_noise
from test_breakdowns import values_of

from ocrtune.adapter_card import AdapterFacts, adapter_card, chosen_lines, shared_report
from ocrtune.config import PushAdapterConfig, TrainConfig
from ocrtune.errors import ConfigError
from ocrtune.families.loading import add_lora, load_base, save_adapter

PRIVATE_TEXT = "Geheime Notiz"


@pytest.fixture(scope="module")
def hub():
    with serve_hub() as served:
        yield served


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run with an adapter of the embedded model."""
    torch.set_num_threads(1)
    loaded = load_base("tiny", device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", lora_rank=4))
    fill_with_noise(loaded.model, 1, 0.02, only="lora_B")
    folder = tmp_path_factory.mktemp("run")
    details = {
        "kept_step": 7,
        "settings": {"steps": 60, "lora_rank": 4},
        "hardware": "2 CPU cores, x86_64",
        "seconds": 90.0,
        "versions": {"torch": "2"},
        "train_samples": 24,
    }
    save_adapter(loaded, folder / "adapter", details)
    return folder


@pytest.fixture(scope="module")
def report() -> dict:
    """A comparison of eight lines, with texts that are nobody else's business."""
    pairs = [(str(n), f"{PRIVATE_TEXT} {n}", "x" * n, f"{PRIVATE_TEXT} {n % 3}") for n in range(8)]
    return values_of(pairs)


@pytest.fixture
def facts(run, report) -> AdapterFacts:
    contract = json.loads((run / "adapter" / "contract.json").read_text("utf-8"))
    details = json.loads((run / "adapter" / "details.json").read_text("utf-8"))
    return AdapterFacts(
        repo_id="me/lines", contract=contract, details=details, report=report, license="mit"
    )


def push(hub: Hub, home: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "ocrtune", "push-adapter", *arguments],
        env=hub.environment(home, "hf_owner"),
        capture_output=True,
        text=True,
        timeout=300,
    )


def metadata_of(card: str) -> dict:
    return yaml.safe_load(card.split("---")[1])


def test_the_card_tells_machines_both_error_rates_in_the_hubs_form(facts):
    card = adapter_card(replace(facts, dataset="me/pages"))
    told = metadata_of(card)
    name, results = model_index_to_eval_results(told["model-index"])
    assert name == "lines"
    assert [one.metric_type for one in results] == ["cer"] * 3
    assert results[0].metric_value == round(facts.report["tuned"]["cer"], 6)
    assert results[1].metric_value == round(facts.report["base"]["cer"], 6)
    assert "95% interval" in results[2].metric_name
    assert results[0].dataset_type == "me/pages"
    data = ModelCardData(**{key: one for key, one in told.items() if key != "model-index"})
    assert (data.library_name, data.pipeline_tag) == ("peft", "image-to-text")
    assert {"ocrtune", "ocrtune-tiny"} <= set(data.tags)
    assert data.base_model is None, "the embedded model is in no repo"
    difference = facts.report["difference"]
    assert f"{100 * difference['low']:+.2f}".replace("-", "−") in card


def test_a_base_model_of_the_hub_is_named_with_its_revision(facts):
    revision = "9f30c71f441d010e5429c532364a86705536c53a"
    contract = facts.contract | {
        "family": "deepseek-ocr",
        "base_model": "deepseek-ai/DeepSeek-OCR",
        "revision": revision,
    }
    card = adapter_card(replace(facts, contract=contract))
    told = metadata_of(card)
    assert told["base_model"] == "deepseek-ai/DeepSeek-OCR"
    assert told["base_model_relation"] == "adapter"
    assert f"DeepSeek-OCR/tree/{revision}" in card
    chat = contract | {"family": "qwen-vl", "base_model": "Qwen/Qwen3-VL-2B-Instruct"}
    blocks = re.findall(r"```python\n(.*?)```", adapter_card(replace(facts, contract=chat)), re.S)
    for block in blocks:
        compile(block, "card", "exec")
    assert "AutoModelForImageTextToText" in blocks[0]


def test_no_text_leaves_without_consent_and_three_examples_with_it(facts, report):
    alone, shown = adapter_card(facts), adapter_card(replace(facts, examples=True))
    assert PRIVATE_TEXT not in alone
    assert PRIVATE_TEXT not in json.dumps(shared_report(report, "me/lines", False))
    chosen = chosen_lines(report, True)
    assert len(chosen) == 3
    assert all(line["reference"] in shown for line in chosen)
    with_examples = shared_report(report, "me/lines", True)
    assert [line["reference"] for line in with_examples["worst"]] == [
        line["reference"] for line in chosen
    ]
    odd = dict(chosen[0], reference="```\n# not a heading\n</details>")
    inside = adapter_card(replace(facts, report=report | {"worst": [odd]}, examples=True))
    assert "````text\n```\n# not a heading" in inside, "a text cannot end its block"


def test_what_cannot_be_pushed_is_refused_before_anything_is_sent():
    for settings, words in (
        ({"repo_id": "lines"}, "does not name a repository"),
        ({"repo_id": "../x/y"}, "does not name a repository"),
        ({"license": "My own!"}, "no licence"),
        ({"examples": True}, "come from a comparison"),
    ):
        with pytest.raises(ConfigError, match=words):
            PushAdapterConfig(**({"run": "r", "repo_id": "me/lines"} | settings))


def test_a_push_is_one_commit_private_and_can_be_repeated(hub, run, report, tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    told = report | {"conditions": None}
    (folder / "report.json").write_text(json.dumps(told), "utf-8")
    arguments = (str(run), "me/lines", "--report", str(folder), "--license", "mit")
    hub.faults.append(Fault("POST .*/commit/.*", 500, times=20))
    failed = push(hub, tmp_path, *arguments)
    hub.faults.clear()
    assert failed.returncode == 1
    assert set(hub.repos["me/lines"].files) == {".gitattributes"}, "nothing half is seen"
    hub.forget()
    done = push(hub, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert hub.counted("POST .*/commit/.*") == 1
    assert not hub.sent_in, "the weights had arrived the first time"
    repo = hub.repos["me/lines"]
    assert repo.private
    assert "private: only you see it" in done.stderr, "told before it is sent"
    names = {"adapter_model.safetensors", "adapter_config.json", "contract.json", "details.json"}
    assert set(repo.files) == names | {"README.md", "report.json", ".gitattributes"}
    for name in names:
        assert repo.files[name] == (run / "adapter" / name).read_bytes()
    local = str(tmp_path).encode()
    assert not any(local in data for data in repo.files.values())
    again = push(hub, tmp_path, str(run), "me/lines")
    assert again.returncode == 0, again.stderr
    assert "report.json" not in hub.repos["me/lines"].files, "an old report goes"


def test_nothing_goes_where_it_was_not_meant_to_be_seen(hub, run, tmp_path):
    hub.add("me/open", {"README.md": b""}, kind="models")
    hub.add("me/model", {"model.safetensors": b"x"}, kind="models", private=True)
    script = (
        "import sys\nfrom ocrtune.config import PushAdapterConfig\n"
        "from ocrtune.errors import OcrtuneError\n"
        "from ocrtune.pushing_adapters import push_adapter\n"
        "for name, token in (line.split(':') for line in sys.argv[2:]):\n"
        "    try:\n        push_adapter(PushAdapterConfig(run=sys.argv[1], repo_id=name), token)\n"
        "    except OcrtuneError as error:\n        print(error)\n"
    )
    asked = ("me/open:hf_owner", "me/model:hf_owner", "me/lines:", "other/x:hf_owner")
    told = subprocess.run(
        [sys.executable, "-c", script, str(run), *asked],
        env=hub.environment(tmp_path, "hf_owner"),
        capture_output=True,
        text=True,
    )
    said = told.stdout.splitlines()
    assert "is public" in said[0], told.stderr
    assert "something else" in said[1]
    assert "signed in" in said[2]
    assert "403" in said[3]
    assert set(hub.repos["me/open"].files) == {"README.md"}


def test_the_code_on_the_card_runs(hub, run, tmp_path, facts):
    hub.add("me/code", {p.name: p.read_bytes() for p in (run / "adapter").iterdir()}, kind="models")
    Image.new("RGB", (300, 40), "white").save(tmp_path / "picture.png")
    card = adapter_card(replace(facts, repo_id="me/code"))
    [code] = re.findall(r"```python\n(.*?)```", card, re.S)
    environment = hub.environment(tmp_path) | {"PYTHONPATH": str(Path(__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    [command] = re.findall(r"^python -m ocrtune (read .*)$", card.split("中文")[0], re.M)
    read = subprocess.run(
        [sys.executable, "-m", "ocrtune", *command.split()],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert read.returncode == 0, read.stderr[-2000:]
    assert ran.stdout == read.stdout, "both read alike"

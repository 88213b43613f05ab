"""Base against adapter: both under the adapter's contract, both on the same pictures."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from line_samples import write_dataset
from small_models import LINE_CONFIG, fill_with_noise, write_model

from ocrtune import comparing
from ocrtune.comparing import compare_models
from ocrtune.config import CompareConfig, TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import DatasetError, ModelError
from ocrtune.events import Note, Saved
from ocrtune.families.loading import add_lora, load_base, save_adapter
from ocrtune.reading import read_samples
from ocrtune.suspects import load_suspects


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    """Keep this process to one core: several are no faster on a model this small."""
    monkeypatch.setattr(comparing, "use_cores", lambda: torch.set_num_threads(1))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


def make_adapter(base, folder, vision, **contract):
    """Write an adapter of strong noise, so that it surely changes what is read."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision=vision))
    fill_with_noise(loaded.model, seed=7, scale=0.5, only="lora_")
    loaded.contract = replace(loaded.contract, max_new_tokens=20, **contract)
    save_adapter(loaded, folder, {})
    return str(folder)


@pytest.mark.parametrize("vision", ["yes", "no"])
def test_each_side_reads_what_it_reads_alone(base, data, tmp_path, vision):
    adapter = make_adapter(base, tmp_path / "adapter", vision)
    events = []
    config = CompareConfig(data=data, adapter=adapter, output=str(tmp_path / "out"), base=base)
    comparison = compare_models(config, events.append)
    samples = load_samples(data, "test")
    alone = load_base(base, device="cpu")
    alone.contract = comparison.contract
    pictures = [(sample.picture_id, sample.picture) for sample in samples]
    expected = {p.picture_id: p.text for p in read_samples(alone, pictures)}
    assert {line.picture_id: line.base for line in comparison.lines} == expected
    assert all(line.base != line.tuned for line in comparison.lines)
    assert comparison.base_model == base
    assert comparison.tuned_model == f"{base} + {adapter}"
    done = [event.done for event in events if getattr(event, "stage", "") == "compare"]
    assert done[-1] == 2 * len(samples)
    assert Saved("report", config.output) in events


def test_the_adapters_contract_rules_both_sides_and_is_told(base, data, tmp_path):
    adapter = make_adapter(base, tmp_path / "adapter", "no", ngram_window=50)
    events = []
    config = CompareConfig(data=data, adapter=adapter, output=str(tmp_path / "out"), base=base)
    comparison = compare_models(config, events.append)
    assert (comparison.contract.max_new_tokens, comparison.contract.ngram_window) == (20, 50)
    notes = " ".join(event.text for event in events if isinstance(event, Note))
    assert "max_new_tokens" in notes
    assert "ngram_window" in notes
    assert max(len(line.base) for line in comparison.lines) <= 20


def test_the_report_lies_in_the_folder(base, data, tmp_path):
    adapter = make_adapter(base, tmp_path / "adapter", "no")
    config = CompareConfig(
        data=data, adapter=adapter, output=str(tmp_path / "out"), base=base, split="validation"
    )
    comparison = compare_models(config)
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["contract"] == asdict(comparison.contract)
    assert report["split"] == "validation"
    assert report["lines"] == len(load_samples(data, "validation"))
    for side in ("base", "tuned"):
        assert report[side]["errors"] > 0
    assert (tmp_path / "out" / "lines.csv").stat().st_size > 0
    assert "<img" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_shared_features_are_computed_once(base, data, tmp_path, monkeypatch):
    adapter = make_adapter(base, tmp_path / "adapter", "no")
    calls = []
    real = comparing.encode_samples
    monkeypatch.setattr(comparing, "encode_samples", lambda *a: calls.append(1) or real(*a))
    config = CompareConfig(
        data=data, adapter=adapter, output=str(tmp_path / "out"), base=base, suspects=0
    )
    compare_models(config)
    assert calls == [1]


def test_training_lines_are_read_afterwards_and_change_no_figure(base, data, tmp_path):
    adapter = make_adapter(base, tmp_path / "adapter", "no")
    reports = []
    for suspects in (0, 5):
        folder = tmp_path / str(suspects)
        config = CompareConfig(
            data=data, adapter=adapter, output=str(folder), base=base, suspects=suspects
        )
        compare_models(config)
        reports.append((folder / "report.json").read_bytes())
    assert reports[0] == reports[1]
    assert not (tmp_path / "0" / "suspects.json").exists()
    found = load_suspects(tmp_path / "5")
    train = {sample.picture_id for sample in load_samples(data, "train")}
    assert 1 <= found.read <= 5
    assert found.of == len(train)
    assert {one.picture_id for one in found.suspects} <= train


def test_an_adapter_of_other_weights_is_refused(base, data, tmp_path):
    adapter = make_adapter(base, tmp_path / "adapter", "no")
    other = str(write_model(tmp_path / "other", LINE_CONFIG, seed=3))
    config = CompareConfig(data=data, adapter=adapter, output=str(tmp_path / "out"), base=other)
    with pytest.raises(ModelError, match="trained on"):
        compare_models(config)


def test_both_sides_end_at_a_length_taken_from_the_right_texts(base, data, tmp_path):
    """Random weights never end an answer: without a limit they would write 160 characters."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    fill_with_noise(loaded.model, seed=7, scale=0.5, only="lora_")
    save_adapter(loaded, tmp_path / "adapter", {})
    samples = load_samples(data, "test")
    limit = 2 * max(len(sample.text.encode()) + 1 for sample in samples) + 32
    assert limit < loaded.contract.max_new_tokens
    reports = []
    for name in ("first", "again"):
        config = CompareConfig(
            data=data, adapter=str(tmp_path / "adapter"), output=str(tmp_path / name), base=base
        )
        comparison = compare_models(config)
        reports.append(json.loads((tmp_path / name / "report.json").read_text("utf-8")))
        assert comparison.contract.max_new_tokens == limit
        for side in ("base", "tuned"):
            cut = [getattr(line, f"{side}_cut") for line in comparison.lines]
            assert reports[-1][side]["cut"] == sum(cut)
            assert max(len(getattr(line, side)) for line in comparison.lines) <= limit
    assert reports[0] == reports[1]
    assert reports[0]["base"]["cut"] > 0
    adapter_contract = json.loads((tmp_path / "adapter" / "contract.json").read_text("utf-8"))
    assert adapter_contract["max_new_tokens"] == 160, "the adapter keeps its own"


def test_a_dataset_without_a_test_split_says_what_it_needs(base, tmp_path):
    data = write_dataset(tmp_path, 2)
    config = CompareConfig(data=data, adapter="", output=str(tmp_path / "out"), base=base)
    with pytest.raises(DatasetError, match="test split of .* is empty.*at least 3 different"):
        compare_models(config)

"""Base against adapter: both under the adapter's contract, both on the same pictures."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from line_samples import draw_line, write_dataset
from small_models import LINE_CONFIG, fill_with_noise, write_model

from ocrtune import comparing, training
from ocrtune.comparing import compare_models
from ocrtune.config import CompareConfig, TrainConfig
from ocrtune.dataset_files import Row, load_samples, split_path, write_rows
from ocrtune.errors import ConfigError, DatasetError, ModelError, TrainingError
from ocrtune.events import Note, Saved, Step
from ocrtune.families.loading import add_lora, load_adapter, load_base, save_adapter
from ocrtune.metrics import pool, score_pairs
from ocrtune.reading import read_samples
from ocrtune.suspects import load_suspects
from ocrtune.training import train_adapter


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


def make_adapter(base, folder, vision, seed=7, **contract):
    """Write an adapter of strong noise, so that it surely changes what is read."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision=vision))
    fill_with_noise(loaded.model, seed=seed, scale=0.5, only="lora_")
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


def test_many_are_ranked_and_each_reads_what_it_reads_alone(base, data, tmp_path):
    """Adapters with vision and without, under other contracts, a table, and a folder of texts."""
    samples = load_samples(data, "test")
    adapters = [
        make_adapter(base, tmp_path / "one", "no"),
        make_adapter(base, tmp_path / "two", "yes", seed=8, ngram_window=50),
        make_adapter(base, tmp_path / "three", "no", seed=9),
    ]
    right = tmp_path / "right"
    right.mkdir()
    for sample in samples:
        (right / f"{sample.picture_id}.txt").write_text(sample.text, "utf-8")
    events = []
    config = CompareConfig(
        data=data,
        adapter=adapters[0],
        adapters=(*adapters[1:], adapters[0]),  # one twice
        texts=(f"perfect={right}",),
        output=str(tmp_path / "out"),
        base=base,
        suspects=0,
    )
    comparison = compare_models(config, events.append)
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    ranked = {one["name"]: one for one in report["ranking"]["models"]}
    assert next(iter(ranked)) == "perfect"
    assert ranked.keys() == {"perfect", base, *adapters}
    assert len(report["ranking"]["pairs"]) == 10
    assert ranked[adapters[1]]["notes"] == ["ngram_window: 60 here, 50 there"]
    for name, folder in ((base, None), *((one, one) for one in adapters)):
        alone = load_base(base, device="cpu")
        alone.contract = comparison.contract
        if folder:
            load_adapter(alone, Path(folder))
        readings = read_samples(alone, [(s.picture_id, s.picture) for s in samples])
        scores = score_pairs([(s.text, p.text) for s, p in zip(samples, readings, strict=True)])
        assert ranked[name]["summary"]["errors"] == pool(scores).errors
    alone = {side: report[side]["errors"] for side in ("base", "tuned")}
    both = {"base": ranked[base], "tuned": ranked[adapters[0]]}
    assert alone == {side: one["summary"]["errors"] for side, one in both.items()}
    assert len({one["revision"] for one in ranked.values()}) == 5
    done = [event.done for event in events if getattr(event, "stage", "") == "compare"]
    assert done == sorted(done)
    assert done[-1] == 4 * len(samples)
    html = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "1. <bdi>perfect</bdi>" in html


def test_a_checkpoint_reads_what_the_stopped_run_saved(base, data, tmp_path, monkeypatch):
    """The adapter of a stopped run holds the weights of that moment, as its checkpoint does."""
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))
    steps = []
    config = TrainConfig(
        data=data,
        output=str(tmp_path / "run"),
        base=base,
        steps=9,
        batch_size=4,
        learning_rate=5e-3,
        validation_samples=1,
    )

    def count(event):
        steps.extend([event] * isinstance(event, Step))

    adapter = train_adapter(config, count, lambda: len(steps) >= 2)
    assert (tmp_path / "run" / "checkpoint").is_dir()
    comparison = compare_models(
        CompareConfig(
            data=data,
            adapter=make_adapter(base, tmp_path / "other", "no"),
            adapters=(str(adapter),),
            checkpoints=(str(tmp_path / "run"),),
            output=str(tmp_path / "out"),
            base=base,
            suspects=0,
        )
    )
    ranked = {one.name: one for one in comparison.ranking.models}
    saved, checkpoint = ranked[str(adapter)], ranked[f"{tmp_path / 'run'} (step 2)"]
    assert checkpoint.kind == "checkpoint"
    assert checkpoint.summary == saved.summary
    assert checkpoint.summary.errors != ranked[base].summary.errors


def test_what_has_no_checkpoint_or_two_names_is_refused(base, data, tmp_path):
    values = {"data": data, "output": str(tmp_path / "out"), "base": base}
    adapter = make_adapter(base, tmp_path / "one", "no")
    with pytest.raises(TrainingError, match="holds no checkpoint"):
        compare_models(CompareConfig(**values, adapter=adapter, checkpoints=(str(tmp_path),)))
    table = tmp_path / "t.csv"
    table.write_text("id,text\n" + load_samples(data, "test")[0].picture_id + ",x\n", "utf-8")
    with pytest.raises(ConfigError, match="Two of them are called"):
        compare_models(CompareConfig(**values, adapter=adapter, texts=(f"{base}={table}",)))
    with pytest.raises(ConfigError, match="whose texts they are"):
        CompareConfig(**values, adapter=adapter, texts=(str(table),))


def test_the_report_names_the_weights_and_what_train_has_seen(base, tmp_path):
    prefix = str(tmp_path / "lines")
    rows = [Row(f"{n}.png", draw_line(f"line {n} of many"), f"line {n} of many") for n in range(6)]
    write_rows(split_path(prefix, "train"), rows[:5])
    write_rows(split_path(prefix, "validation"), rows[:1])
    write_rows(split_path(prefix, "test"), [Row("known.png", rows[2].picture, "x"), rows[5]])
    adapter = make_adapter(base, tmp_path / "one", "no")
    values = {"data": prefix, "adapter": adapter, "base": base, "suspects": 0}
    compare_models(CompareConfig(**values, output=str(tmp_path / "all")))
    events = []
    compare_models(
        CompareConfig(**values, output=str(tmp_path / "unseen"), leave_out_seen="all"),
        events.append,
    )
    reports = [json.loads((tmp_path / n / "report.json").read_text()) for n in ("all", "unseen")]
    known = [report["conditions"] for report in reports]
    assert [report["lines"] for report in reports] == [2, 1]
    assert [one["seen"]["lines_left_out"] for one in known] == [0, 1]
    assert known[0]["seen"]["listed"] == [
        {"picture_id": "known.png", "kind": "picture", "train_id": "2.png"}
    ]
    assert known[0]["unseen"] == known[1]["unseen"]
    assert known[1]["unseen"]["tuned_cer"] == reports[1]["tuned"]["cer"]
    assert known[0]["adapter_revision"] != known[0]["base_revision"]
    assert known[0]["base_revision"] == reports[0]["contract"]["revision"]
    told = [event.text for event in events if isinstance(event, Note)]
    assert any("1 of them are left out" in text for text in told)
    assert "known.png = 2.png" in (tmp_path / "all" / "report.html").read_text("utf-8")


def test_a_saved_and_reloaded_adapter_changes_what_is_read(base, data, tmp_path):
    """And one whose weights are all zero, as before the first step, changes nothing."""
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base))
    save_adapter(loaded, tmp_path / "fresh", {})
    values = {"data": data, "base": base, "suspects": 0}
    noise = make_adapter(base, tmp_path / "noise", "yes")
    changed = compare_models(
        CompareConfig(
            **values, adapter=noise, adapters=(str(tmp_path / "fresh"),), output=str(tmp_path / "o")
        )
    )
    assert all(line.base != line.tuned for line in changed.lines)
    fresh = compare_models(
        CompareConfig(**values, adapter=str(tmp_path / "fresh"), output=str(tmp_path / "o"))
    )
    assert all(line.base == line.tuned for line in fresh.lines)
    assert fresh.tuned.errors == fresh.base.errors

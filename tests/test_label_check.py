"""Training lines read with a tuned model, as a command of its own."""

import csv
from dataclasses import replace

import pytest
import torch
from line_samples import write_dataset
from small_models import LINE_CONFIG, fill_with_noise, write_model

from ocrtune import families, label_check
from ocrtune.config import SuspectsConfig, TrainConfig
from ocrtune.dataset_files import load_samples
from ocrtune.editing import edit_samples
from ocrtune.edits import Change
from ocrtune.errors import ConfigError, DatasetError
from ocrtune.events import Note, Saved
from ocrtune.families.loading import add_lora, load_base, save_adapter
from ocrtune.label_check import check_labels
from ocrtune.suspects import load_suspects


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A dataset of 16 training lines, and an adapter that reads all of them wrongly."""
    monkeypatch.setattr(label_check, "use_cores", lambda: torch.set_num_threads(1))
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=300))
    monkeypatch.setattr(label_check, "length_cap", lambda loaded, texts: 300)
    base = str(write_model(tmp_path / "model", LINE_CONFIG))
    loaded = load_base(base, device="cpu")
    add_lora(loaded, TrainConfig(data="", output="", base=base, lora_vision="no"))
    fill_with_noise(loaded.model, seed=7, scale=0.5, only="lora_")
    save_adapter(loaded, tmp_path / "adapter", {})
    values = {
        "data": write_dataset(tmp_path, 20),
        "adapter": str(tmp_path / "adapter"),
        "output": str(tmp_path / "out"),
        "base": base,
    }
    return lambda **changes: SuspectsConfig(**(values | changes))


def misread(monkeypatch):
    """Let every reading be `=SUM(1)`, neither cut nor looped."""
    real = label_check.read_samples

    def read(loaded, pictures, features, model):
        loaded = loaded.capped(1)
        return [
            replace(one, text="=SUM(1)", cut=False, looped=False)
            for one in real(loaded, pictures, features, model=model)
        ]

    monkeypatch.setattr(label_check, "read_samples", read)


def test_all_lines_are_read_but_those_that_were_checked_or_excluded(
    settings, tmp_path, monkeypatch
):
    misread(monkeypatch)
    config = settings(lines=0)
    train = [sample.picture_id for sample in load_samples(config.data, "train")]
    changes = [(train[0], Change(checked=True)), (train[1], Change(excluded=True))]
    edit_samples(config.data, changes)
    events = []
    found = check_labels(config, events.append)
    assert (found.read, found.of) == (14, 14)
    assert {one.picture_id for one in found.suspects} == set(train[2:])
    assert found == load_suspects(tmp_path / "out")
    assert Saved("suspects", config.output) in events
    with (tmp_path / "out" / "suspects.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["hypothesis"] for row in rows} == {"'=SUM(1)"}, "no spreadsheet runs it"
    rates = [float(row["cer"]) for row in rows]
    assert rates == sorted(rates, reverse=True)


def test_some_lines_are_drawn_and_a_wish_to_stop_is_heard(settings, monkeypatch):
    misread(monkeypatch)
    some = check_labels(settings(lines=5))
    assert (some.read, some.of) == (5, 16)
    assert check_labels(settings(lines=5)) == some
    monkeypatch.setattr(label_check, "LINES_AT_ONCE", 4)
    events = []
    stopped = check_labels(settings(lines=0), events.append, lambda: True)
    assert stopped.read == 4
    assert any("Stopped after 4 of 16" in e.text for e in events if isinstance(e, Note))


def test_nothing_left_to_check_is_said(settings):
    config = settings()
    names = [sample.picture_id for sample in load_samples(config.data, "train")]
    edit_samples(config.data, [(name, Change(checked=True)) for name in names])
    with pytest.raises(DatasetError, match="no line that nobody has checked"):
        check_labels(config)
    with pytest.raises(ConfigError, match="`lines` is -1"):
        settings(lines=-1)

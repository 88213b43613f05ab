"""Several processes: one run, split among them, with the same losses and texts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from line_samples import write_dataset
from small_models import LINE_CONFIG, write_model

from ocrtune.events import Evaluated, SampleRead, Step, read_events
from ocrtune.ranks import ALONE, join_ranks

ROOT = Path(__file__).parents[1]


def test_a_process_by_itself_asks_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_ranks() is ALONE
    values = torch.ones(2)
    ALONE.add_up(values)
    ALONE.share(values)
    ALONE.wait()
    assert values.tolist() == [1.0, 1.0]
    assert ALONE.gather("text") == ["text"]
    assert ALONE.any(True, values.device)
    assert not ALONE.any(False, values.device)


def test_two_processes_learn_what_one_learns(tmp_path):
    base = write_model(tmp_path / "model", LINE_CONFIG)
    data = write_dataset(tmp_path, 40)
    options = f"--data {data} --base {base} --steps 4 --batch-size 3 --evaluate-every 2".split()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    launchers = {
        "one": ["-m", "ocrtune"],
        "two": ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
        + ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
        + ["-m", "ocrtune"],
    }
    told, printed = {}, {}
    for name, launcher in launchers.items():
        run = tmp_path / name
        command = [sys.executable, *launcher, "train", *options, "--output", str(run)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr[-2000:]
        told[name] = read_events(run / "log.jsonl")
        printed[name] = ended.stdout.count("Adapter:")
    assert printed == {"one": 1, "two": 1}, "one of the processes talks"
    losses = {n: [e.loss for e in told[n] if isinstance(e, Step)] for n in told}
    assert len(losses["two"]) == 4
    assert losses["two"] == pytest.approx(losses["one"], rel=1e-4)
    for kind in (Evaluated, SampleRead):
        one, two = ([e for e in told[n] if isinstance(e, kind)] for n in ("one", "two"))
        assert one == two
    details = json.loads((tmp_path / "two" / "adapter" / "details.json").read_text("utf-8"))
    assert details["steps"] == 4

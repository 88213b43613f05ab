"""The machine: its memory within the limits set, and the Space it is like."""

import pytest
import torch

from ocrtune import host_memory
from ocrtune.hardware import begin_peak, memory, peak, space_hardware
from ocrtune.space_prices import PRICES

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_the_largest_use_of_memory_is_noticed():
    before = begin_peak(CPU)
    block = torch.ones(50_000_000)
    del block
    assert peak(CPU) - before > 150e6
    before = begin_peak(CPU)
    assert peak(CPU) - before < 100e6, "the one before is forgotten"


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    free, total = memory(CPU)
    assert 0 < free < total
    monkeypatch.setattr(host_memory, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("2500000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 1000000\n")
    assert memory(CPU) == (1_500_000, 3_000_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory(CPU)[1] == host_memory.free_host_bytes()[1] > 3_000_000


@pytest.mark.parametrize(
    ("card", "name"),
    [
        ("Tesla T4", "t4-small"),
        ("NVIDIA L4", "l4x1"),
        ("NVIDIA A10G", "a10g-small"),
        ("NVIDIA A100-SXM4-80GB", "a100-large"),
        ("NVIDIA L40S", ""),
        ("NVIDIA H200", ""),
    ],
)
def test_a_card_is_known_by_its_name(monkeypatch, card, name):
    monkeypatch.delenv("SPACE_HARDWARE", raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: card)
    assert space_hardware(GPU) == name
    assert not name or PRICES[name] > 0


def test_a_space_says_itself_what_it_is(monkeypatch):
    monkeypatch.setenv("SPACE_HARDWARE", "t4-medium")
    assert PRICES[space_hardware(CPU)] == 0.6
    monkeypatch.delenv("SPACE_HARDWARE")
    assert PRICES[space_hardware(CPU)] == 0


def test_a_card_that_others_use_too(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (9000, 16000))
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda device: 0.5)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 3000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2000)
    assert memory(GPU) == (5000 + 1000, 8000)

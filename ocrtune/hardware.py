"""The machine that computes: its memory, its name, and what a Space with it costs."""

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

import torch

from ocrtune.host_memory import free_host_bytes

CARDS = {"T4": "t4-small", "L4": "l4x1", "A10G": "a10g-small", "A100": "a100-large"}
STATUS = Path("/proc/self/status")


def describe_hardware(device: torch.device, count: int = 1) -> str:
    """Return what computes, for people; count: processes that do."""
    if device.type == "cuda":
        return f"{count} x " * (count > 1) + torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU cores, {platform.machine()}"


def space_hardware(device: torch.device) -> str:
    """Return the Space hardware that this machine is, or is like; empty if there is none."""
    if given := os.environ.get("SPACE_HARDWARE"):
        return given
    if device.type != "cuda":
        return "cpu-basic"
    words = re.split(r"[\s-]+", torch.cuda.get_device_name(device))
    return next((name for card, name in CARDS.items() if card in words), "")


def memory(device: torch.device) -> tuple[int, int]:
    """Return the free and the whole memory of the device in bytes, as far as we may use it."""
    if device.type != "cuda":
        return free_host_bytes()
    free, total = torch.cuda.mem_get_info(device)
    total = int(total * torch.cuda.get_per_process_memory_fraction(device))
    reserved = torch.cuda.memory_reserved(device)
    unused = reserved - torch.cuda.memory_allocated(device)  # kept for the next tensor
    return min(free, total - reserved) + unused, total


def begin_peak(device: torch.device) -> int:
    """Forget the largest use of memory so far and return the present one, in bytes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    with suppress(OSError):  # where it is not allowed, the peak is that of the whole process
        Path("/proc/self/clear_refs").write_text("5")
    return status_bytes("VmRSS")


def peak(device: torch.device) -> int:
    """Return the largest use of memory since `begin_peak`, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return status_bytes("VmHWM")


def used_bytes(device: torch.device) -> int:
    """Return the memory that is taken from the device now, in bytes; 0 if nobody knows."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return status_bytes("VmRSS")


def status_bytes(name: str) -> int:
    """Return an entry of what the system knows of this process in bytes; 0 where it is silent."""
    try:
        lines = STATUS.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return 0

"""The NVIDIA driver of this machine, asked without loading anything of CUDA."""

import re
import subprocess
from pathlib import Path

DEVICE = Path("/dev/nvidiactl")
VERSION = Path("/proc/driver/nvidia/version")
ASK = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
PATIENCE_SECONDS = 20.0  # a driver that hangs does not answer at all


def driver_version() -> str:
    """Return the version of the driver; `?` if there is one that does not say, empty if none."""
    try:
        told = subprocess.run(
            ASK, capture_output=True, text=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL
        )
        if match := re.match(r"\d+(\.\d+)+", told.stdout.strip()):
            return match[0]
    except (OSError, subprocess.SubprocessError):
        pass  # the program is missing where only the driver is mounted into a container
    try:
        match = re.search(r"Kernel Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)", VERSION.read_text())
        return match[1] if match else "?"
    except (OSError, UnicodeDecodeError):
        return "?" if DEVICE.exists() else ""

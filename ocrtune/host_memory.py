"""The memory of this machine or container."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def free_host_bytes() -> tuple[int, int]:
    """Return the free and the whole memory of this machine or container in bytes."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (1024 * int(lines[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError):  # not Linux: what is free cannot be told
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return total // 2, total
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        dropped = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        used -= int(dropped["inactive_file"])  # pages of files that make room when asked
    except (OSError, ValueError, KeyError):  # no such file, or `max`: no limit
        return free, total
    return min(free, limit - used), min(total, limit)

"""The real page in a process of its own, for tests that speak HTTP or drive a browser."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
START_SECONDS = 180

# What gradio is asked by way of ours, which looks for files that lie elsewhere, and for shut doors.
PASSED_ON = re.compile(
    r'File "[^"]*/ui/(?:blocks\.py", line \d+, in preprocess_data'
    r'|doors\.py", line \d+, in (?:__call__|guarded))\n'
)


def log_of(path: Path) -> str:
    """Return what a page printed, less where an error of gradio's own passes by ours."""
    return PASSED_ON.sub("", path.read_text("utf-8"))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page_process() -> int:
    """Return the process of the page that this test has started."""
    lists = Path("/proc/self/task").glob("*/children")
    children = [int(pid) for path in lists for pid in path.read_text("utf-8").split()]
    return next(pid for pid in children if b"app" in Path(f"/proc/{pid}/cmdline").read_bytes())


@contextmanager
def serve_page(
    home: Path, port: int | None = None, program: Sequence[str] = ("-m", "ocrtune", "app")
) -> Iterator[str]:
    """Start `python -m ocrtune app` on the jobs of `home`, and yield its address.

    program: another one for Python, which takes the option `--port` too.
    """
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {"OCRTUNE_HOME": str(home)}
    log = home.parent / f"page-{port}.log"
    with log.open("wb") as output:
        command = [sys.executable, *program, "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(address).status_code in (200, 401):
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        else:
            raise AssertionError(f"The page did not start: {log.read_text('utf-8')}")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)

"""How long `python app.py` takes to its first paint, and how much of that is ours.

Processor seconds are compared, since other programs may keep the machine busy: importing gradio,
and all the rest until the server has answered for the first time.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from ocrtune.errors import OcrtuneError

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "datasets", "peft", "sklearn", "scipy", "safetensors")
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
PATIENCE_SECONDS = 180.0
HZ = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
# What `python -m ocrtune app` does, with a clock beside it.
PROGRAM = """
import sys, time
from ocrtune.cli import without_collecting
with without_collecting():
    begun = time.process_time()
    import gradio
    imported = time.process_time() - begun
    from ocrtune.ui.page import launch
    page = launch("127.0.0.1", int(sys.argv[1]), wait=False)
heavy = [name for name in sys.argv[2:] if name in sys.modules]
print(imported, *heavy, flush=True)
sys.stdin.read()
"""


class PageBenchError(OcrtuneError):
    """A measurement ended badly."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What it took until the page had been served once."""

    gradio_seconds: float  # of the processor, for importing gradio
    our_seconds: float  # of the processor, for everything else
    mib: float  # of memory then
    page_bytes: int
    heavy: tuple[str, ...]  # what should not have been loaded


@dataclass(frozen=True, kw_only=True)
class Paint:
    """What a browser saw after `python app.py`, by the clock on the wall."""

    listening_seconds: float
    paint_seconds: float  # until the first words were painted
    usable_seconds: float  # until the tabs could be pressed


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of a page whose files all lie below `folder`."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    own = {"OCRTUNE_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    own |= {"GRADIO_TEMP_DIR": str(folder / "tmp" / "uploads"), "OCRTUNE_READER_MINUTES": "0"}
    # As where somebody lives: what was started once is compiled.
    own |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled")}
    return {**os.environ, "PYTHONPATH": path, **own}


def measure_start(folder: Path) -> Start:
    """Return what the page's process took until it had served the page once."""
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, str(port), *HEAVY]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=surroundings(folder), text=True, **pipes) as page:
        try:
            told = page.stdout.readline().split()
            if not told:
                raise PageBenchError(
                    f"The page did not start: {page.stderr.read()[-500:]}", "See what it needs."
                )
            address = f"http://127.0.0.1:{port}/"
            with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
                served = len(answer.read())
            imported, whole, mib = float(told[0]), processor_seconds(page.pid), memory(page.pid)
        finally:
            page.kill()
    return Start(
        gradio_seconds=imported,
        our_seconds=whole - imported,
        mib=mib,
        page_bytes=served,
        heavy=tuple(told[1:]),
    )


def processor_seconds(pid: int) -> float:
    """Return how long the processor has worked for a process, its system calls included."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def memory(pid: int) -> float:
    """Return the memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure_paint(folder: Path) -> Paint | None:
    """Return what Chromium saw; None where there is no Chromium or no Playwright."""
    browser = next(filter(os.path.exists, CHROMIUM), "")
    command = [sys.executable, "-m", __name__, browser, str(folder)]
    if not browser:
        return None
    done = subprocess.run(
        command, env=surroundings(folder), capture_output=True, timeout=2 * PATIENCE_SECONDS
    )
    return Paint(**json.loads(done.stdout)) if done.returncode == 0 else None


def watch_paint(executable: str, folder: Path) -> Paint:
    """Start `python app.py` and look at it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not everybody has it

    port = free_port()
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        tab = browser.new_page()
        begun = time.time()
        with subprocess.Popen(command, env=surroundings(folder), stdout=subprocess.DEVNULL) as page:
            try:
                while not listens(port) and page.poll() is None:
                    time.sleep(0.02)
                listening = time.time() - begun
                tab.goto(f"http://127.0.0.1:{port}/", timeout=1000 * PATIENCE_SECONDS)
                tab.wait_for_selector("button[role=tab]", timeout=1000 * PATIENCE_SECONDS)
                usable = time.time() - begun
                painted = tab.evaluate(
                    "performance.timeOrigin +"
                    " performance.getEntriesByName('first-contentful-paint')[0].startTime"
                )
            finally:
                page.kill()
        browser.close()
    return Paint(
        listening_seconds=listening, paint_seconds=painted / 1000 - begun, usable_seconds=usable
    )


def listens(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(watch_paint(sys.argv[1], Path(sys.argv[2])))))

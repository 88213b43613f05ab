"""Whether the page's process grows while pages are opened and closed and runs come and go."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ocrtune.bench.page_start import (
    PATIENCE_SECONDS,
    ROOT,
    PageBenchError,
    free_port,
    listens,
    memory,
    surroundings,
)
from ocrtune.bench.visitor import Visitor
from ocrtune.events import Emit, Note

WARM_LOADS, WARM_RUNS = 50, 2  # before the first look: what is made once only shall not count
RUN_SECONDS = 600.0
# The shortest training there is: it loads the model, learns once and saves.
SHORTEST = {"steps": 1, "evaluate_every": 1}


@dataclass(frozen=True)
class Footprint:
    """What a process holds at one moment."""

    mib: float
    descriptors: int
    threads: int
    children: int  # workers that have ended must not stay as zombies either
    files: int  # in the folder for temporary files

    @property
    def words(self) -> tuple[str, ...]:
        """The cells of a table."""
        counts = (self.descriptors, self.threads, self.children, self.files)
        return (f"{self.mib:.0f} MiB", *map(str, counts))


def footprint(pid: int, temporary: Path) -> Footprint:
    """Return what a process holds now."""
    folder = Path(f"/proc/{pid}")
    lists = [path.read_text("utf-8") for path in folder.glob("task/*/children")]
    return Footprint(
        memory(pid),
        len(list(folder.glob("fd/*"))),
        len(list(folder.glob("task/*"))),
        sum(len(line.split()) for line in lists),
        sum(path.is_file() for path in temporary.rglob("*")),
    )


def visit(address: str) -> None:
    """Open a page, look at everything on it, and close it."""
    visitor = Visitor(address)
    try:
        visitor.arrive()
    finally:
        visitor.close()


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve a page whose files lie below `folder`; yield its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "ocrtune", "app", "--port", str(port)]
    with subprocess.Popen(command, env=surroundings(folder), cwd=ROOT, **QUIET) as page:
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while not listens(port):
                if page.poll() is not None or time.monotonic() > until:
                    raise PageBenchError("The page did not start.", "Run `ocrtune doctor`.")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", page.pid
        finally:
            page.terminate()
            page.wait(30)


QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def run_once(visitor: Visitor, folder: Path) -> None:
    """Train for one step through the page, and look on until it has ended."""
    visitor.act("start", SHORTEST)
    run = folder / "home" / "jobs" / visitor.session["run"]
    until = time.monotonic() + RUN_SECONDS
    while '"done"' not in (state := (run / "status.json").read_text("utf-8")):
        if time.monotonic() > until or '"failed"' in state:
            raise PageBenchError(f"A run did not end well: {state}", "See its log.txt.")
        visitor.act("watch")
        time.sleep(1)
    visitor.act("watch")


def measure_growth(folder: Path, loads: int, runs: int, emit: Emit) -> list[tuple[str, Footprint]]:
    """Return what the process held before, after so many page loads, and after so many runs."""
    with served(folder) as (address, pid):
        temporary = folder / "tmp"

        def look(name: str) -> tuple[str, Footprint]:
            time.sleep(3)  # for what is cleared away a little later
            return name, footprint(pid, temporary)

        for _ in range(WARM_LOADS):
            visit(address)
        looks = [look(f"after {WARM_LOADS} page loads")]
        for number in range(loads):
            if number % 100 == 0:
                emit(Note(f"Opened and closed {number} pages of {loads}"))
            visit(address)
        looks.append(look(f"after {loads} more"))
        if runs:
            visitor = Visitor(address)
            visitor.arrive()
            build_sample(visitor, folder)
            for _ in range(WARM_RUNS):
                run_once(visitor, folder)
            looks.append(look(f"after {WARM_RUNS} runs"))
            for number in range(runs):
                emit(Note(f"Run {number + 1} of {runs}"))
                run_once(visitor, folder)
            looks.append(look(f"after {runs} more runs"))
            visitor.close()
    return looks


def build_sample(visitor: Visitor, folder: Path) -> None:
    """Build the dataset that the runs learn from."""
    visitor.act("load_sample")
    job = folder / "home" / "jobs" / visitor.session["dataset"] / "status.json"
    until = time.monotonic() + RUN_SECONDS
    while '"done"' not in job.read_text("utf-8"):
        if time.monotonic() > until:
            raise PageBenchError("The sample was never built.", "See its log.txt.")
        visitor.act("watch")
        time.sleep(0.5)

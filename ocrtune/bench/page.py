"""What `bench page` measures: the start of the page, its memory, and whether it grows."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ocrtune.bench.page_growth import Footprint, measure_growth
from ocrtune.bench.page_start import (
    PageBenchError,
    Paint,
    Start,
    measure_paint,
    measure_start,
)
from ocrtune.bench.report import table
from ocrtune.bench.scores import describe_machine
from ocrtune.events import Emit, Note

LOADS, RUNS = 500, 50
STARTS = 3
MOST_PAINT_SECONDS, MOST_OUR_SECONDS, MOST_MIB = 6, 1, 300


def run_page_bench(output: Path, loads: int, runs: int, emit: Emit) -> Path:
    """Start the page, open and close it, and train through it; return OUTPUT/page.md."""
    if not Path("/proc/self/status").exists():
        raise PageBenchError("This machine does not tell what memory it takes.", "Use Linux.")
    output.mkdir(parents=True, exist_ok=True)
    machine = describe_machine()  # before this bench keeps it busy
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        emit(Note("Starting the page"))
        starts = [measure_start(folder / "start") for _ in range(STARTS)]
        paints = list(filter(None, (measure_paint(folder / "paint") for _ in range(STARTS))))
        looks = measure_growth(folder / "growth", loads, runs, emit)
    best = min(starts, key=lambda one: one.gradio_seconds + one.our_seconds)
    paint = min(paints, key=lambda one: one.paint_seconds, default=None)
    figures = {
        "machine": machine,
        "starts": [asdict(one) for one in starts],
        "paints": [asdict(one) for one in paints],
        "growth": [{"when": name, **asdict(held)} for name, held in looks],
    }
    (output / "page.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    path = output / "page.md"
    path.write_text(describe(best, paint, looks, machine), "utf-8")
    return path


def describe(
    start: Start, paint: Paint | None, looks: Sequence[tuple[str, Footprint]], machine: str
) -> str:
    """Return the tables of the start and of the growth, beside the goals."""
    rows = [
        ("importing gradio", f"{start.gradio_seconds:.1f} s of the processor", ""),
        (
            "everything else, until the page was served once",
            f"{start.our_seconds:.1f} s of the processor",
            f"{MOST_OUR_SECONDS} s",
        ),
        (
            "`python app.py` to the first paint in Chromium",
            f"{paint.paint_seconds:.1f} s" if paint else "no browser here",
            f"{MOST_PAINT_SECONDS} s",
        ),
        (
            "until the tabs can be used",
            f"{paint.usable_seconds:.1f} s" if paint else "no browser here",
            "",
        ),
        ("memory of the page's process", f"{start.mib:.0f} MiB", f"{MOST_MIB} MiB"),
        ("packages of the models' world in it", ", ".join(start.heavy) or "none", "none"),
    ]
    held = [(name, *footprint.words) for name, footprint in looks]
    head = ("the page's process", "memory", "open files", "threads", "children", "temporary files")
    return (
        f"{table(('start', 'measured', 'goal'), rows)}\n\n{table(head, held)}\n\n"
        f"Times are the best of {STARTS}. Machine: {machine}.\n"
    )

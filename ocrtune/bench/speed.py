"""How fast the embedded model is on two cores, measured in processes of its own.

    python -m ocrtune.bench.speed reading|training SET RESULT.json STARTED STEPS

is what `measure_speed` starts, so that nothing else the bench does counts.
"""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from ocrtune.bench.lines import load_set
from ocrtune.config import BuildConfig, TrainConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note, silent
from ocrtune.examples import make_examples
from ocrtune.families.loading import add_lora, load_base
from ocrtune.learner import Learner
from ocrtune.reading import read_samples, use_cores

try:
    import resource
except ImportError:  # Windows has no such thing; the bench then shows no memory
    resource = None

CORES = 2
LINES = 192  # of the printed set
SINGLE_LINES = 12
SHORT = 30  # characters that a line has less than, when it is read alone
STEPS, BATCH_SIZE = 60, 8
SAMPLE = Path(__file__).parents[1] / "assets" / "sample.zip"


class SpeedError(OcrtuneError):
    """A measurement ended badly."""


@dataclass(frozen=True, kw_only=True)
class ReadingSpeed:
    """Of reading, all on CORES cores."""

    cold_seconds: float  # from the start of Python until the model is ready
    load_seconds: float  # of that, for the weights
    lines: int
    lines_per_second: float  # in batches
    cpu_seconds_per_line: float  # of all cores, in batches
    line_seconds: float  # median, for one short line by itself
    peak_megabytes: float | None


@dataclass(frozen=True, kw_only=True)
class TrainingSpeed:
    """Of fine-tuning on the sample that comes along, on CORES cores."""

    steps: int  # measured
    batch_size: int
    sixty_steps_seconds: float  # what 60 steps take, or would
    cpu_seconds_per_step: float  # of all cores
    peak_megabytes: float | None


def measure_speed(
    printed: Path, steps: int = STEPS, emit: Emit = silent
) -> tuple[ReadingSpeed, TrainingSpeed]:
    """Return how fast lines of the printed set are read, and how fast training steps are."""
    emit(Note("Measuring speed and memory of reading"))
    reading = ReadingSpeed(**measure("reading", printed, steps))
    emit(Note("Measuring speed and memory of training"))
    return reading, TrainingSpeed(**measure("training", printed, steps))


def measure(task: str, printed: Path, steps: int) -> dict:
    """Return the figures of one task, done in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        values = [str(printed), str(result), str(time.monotonic()), str(steps)]
        command = [sys.executable, "-m", "ocrtune.bench.speed", task, *values]
        places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        if ended.returncode:
            last = "".join(ended.stderr.strip().splitlines()[-1:])
            raise SpeedError(
                f"Measuring the speed of {task} failed: {last}",
                "Leave it out with `--no-speed`, and report it.",
            )
        return json.loads(result.read_text("utf-8"))


def measure_reading(printed: Path, started: float) -> ReadingSpeed:
    """Return the figures of reading; `started` is when Python was, on the monotonic clock."""
    before = time.monotonic()
    loaded = load_base("tiny")
    ready = time.monotonic()
    lines = load_set(printed, LINES)
    pictures = [(line.name, line.picture) for line in lines]
    read_samples(loaded, pictures[:8])  # what is done once only shall not count
    cpu, wall = time.process_time(), time.monotonic()
    read_samples(loaded, pictures)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    short = [p for p, line in zip(pictures, lines, strict=True) if len(line.text) < SHORT]
    singles = []
    for picture in short[:SINGLE_LINES]:
        begun = time.monotonic()
        read_samples(loaded, [picture])
        singles.append(time.monotonic() - begun)
    return ReadingSpeed(
        cold_seconds=ready - started,
        load_seconds=ready - before,
        lines=len(lines),
        lines_per_second=len(lines) / wall,
        cpu_seconds_per_line=cpu / len(lines),
        line_seconds=median(singles),
        peak_megabytes=peak_megabytes(),
    )


def measure_training(steps: int) -> TrainingSpeed:
    """Return the figures of so many steps on the sample that comes along."""
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder, "sample"))
        build_dataset(BuildConfig(source=str(SAMPLE), output=data))
        config = TrainConfig(data=data, output=folder, steps=steps, batch_size=BATCH_SIZE)
        loaded = load_base("tiny")
        examples = make_examples(loaded, load_samples(data, "train"), silent)
        add_lora(loaded, config)
        learner = Learner(loaded, config, examples, silent)
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(steps):
            learner.step()
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return TrainingSpeed(
        steps=steps,
        batch_size=BATCH_SIZE,
        sixty_steps_seconds=wall / steps * 60,
        cpu_seconds_per_step=cpu / steps,
        peak_megabytes=peak_megabytes(),
    )


def peak_megabytes() -> float | None:
    """Return the most memory this process has had, in MiB; None where that is not known."""
    if resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def stay_on_cores() -> None:
    """Keep this process on CORES cores, where the system lets it."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    use_cores()


def machine() -> str:
    """Return what this machine is, for people."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {platform.system()}"
    return f"{platform.processor() or platform.machine()}, {platform.system()}"


def busy() -> float | None:
    """Return how many processes have wanted a core in the last minute; None if unknown."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def main() -> None:
    task, printed, result, started, steps = sys.argv[1:]
    stay_on_cores()
    if task == "reading":
        figures = measure_reading(Path(printed), float(started))
    else:
        figures = measure_training(int(steps))
    Path(result).write_text(json.dumps(asdict(figures)), "utf-8")


if __name__ == "__main__":
    main()

"""What `bench train` and `bench read` measure: DeepSeek-OCR's size, random weights, side by side.

Every case runs in a process of its own, under the memory of a T4, on the same stand-in.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ocrtune.bench.gpu import Case
from ocrtune.bench.report import table
from ocrtune.bench.stand_in import write_stand_in
from ocrtune.engines import TRANSFORMERS, UNSLOTH
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note

# Imported first, Unsloth changes what is imported after it.
START_UNSLOTH = (
    "from ocrtune.config import TrainConfig; from ocrtune.engines import start_unsloth; "
    "start_unsloth(TrainConfig(data='', output='', engine='unsloth', compile='no')); "
    "from ocrtune.bench.gpu import main; main()"
)
PATIENCE_SECONDS = 900  # for one case
NOTEBOOK = {  # measured once on an H200, see the README; its code needs other libraries than ours
    "second_epoch_samples_per_second": 1.52,
    "first_epoch_samples_per_second": 1.52,
    "peak_reserved_gib": 8.2,
    "first_step_seconds": 70.0,
}


class BenchError(OcrtuneError):
    """A measurement ended badly."""


@dataclass(frozen=True)
class Goal:
    """What is aimed at for one figure of one case."""

    case: str
    figure: str
    name: str
    bound: float
    at_least: bool = True

    def verdict(self, cases: dict[str, dict]) -> tuple[str, str, str, str]:
        """Return a row of a table: name, goal, measured, whether it is met."""
        sign = "≥" if self.at_least else "≤"
        found = cases.get(self.case, {}).get(self.figure)
        if found is None:
            return self.name, f"{sign} {self.bound:g}", "–", "not measured"
        met = found >= self.bound if self.at_least else found <= self.bound
        return self.name, f"{sign} {self.bound:g}", f"{found:.3g}", "met" if met else "missed"


BF16, T4, TWO = "bf16", "T4's path (fp16)", "2 GPUs, 32 a step"
FOUR, ONE = "4 GPUs, 32 a step", "1 GPU, 32 a step"
GOALS = {
    "train": (
        Goal(BF16, "second_epoch_samples_per_second", "samples/s from the second epoch on", 200),
        Goal(BF16, "first_epoch_samples_per_second", "samples/s of one epoch, features too", 75),
        Goal(T4, "second_epoch_samples_per_second", "samples/s on the path of a T4", 60),
        Goal(BF16, "peak_reserved_gib", "GiB reserved at most", 14.0, at_least=False),
        Goal(T4, "peak_reserved_gib", "GiB on the path of a T4", 14.0, at_least=False),
        Goal(BF16, "first_step_seconds", "s to step 1, pictures aside", 5.0, at_least=False),
        Goal(BF16, "features_ms_per_picture", "ms of a picture's features", 6.0, at_least=False),
        Goal(TWO, "efficiency", "efficiency of 2 GPUs", 0.90),
        Goal(FOUR, "efficiency", "efficiency of 4 GPUs", 0.85),
        Goal(BF16, "host_peak_gib", "GiB of host memory at most", 12.0, at_least=False),
    ),
    "read": (Goal("reading", "speed_up", "lines/s of 32 at a time against one", 15),),
}


def cases_of(task: str, base: str, samples: int, gpus: int, unsloth: bool) -> list[Case]:
    """Return what is measured for a task, with `samples` for the quick cases."""
    shared = {"task": task, "base": base}
    if task == "read":
        return [Case(name="reading", samples=samples // 8, batch_size=32, **shared)]
    cases = [
        Case(name=BF16, samples=samples, **shared),
        Case(name=T4, samples=samples, capability="7.5", **shared),
    ]
    if unsloth:
        few = {"samples": samples // 8, "engine": UNSLOTH, **shared}
        cases += [
            Case(name="Unsloth, bf16, not compiled", **few),
            Case(name="Unsloth, T4's path (fp16)", capability="7.5", **few),
        ]
    for count, name in ((1, ONE), (2, TWO), (4, FOUR)):
        if 1 < gpus >= count:
            cases.append(Case(name=name, samples=samples, batch_size=32, ranks=count, **shared))
    return cases


def run_big_bench(
    task: str, output: Path, size: str, samples: int, unsloth: bool, emit: Emit
) -> Path:
    """Measure a task, write OUTPUT/TASK.json and TASK.md, and return the latter."""
    output.mkdir(parents=True, exist_ok=True)
    gpus = torch.cuda.device_count()
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        emit(Note(f"Writing a random model of DeepSeek-OCR's architecture, size {size}"))
        base = write_stand_in(Path(folder, "model"), size)
        for case in cases_of(task, str(base), samples, gpus, unsloth):
            emit(Note(f"Measuring: {case.name}"))
            try:
                found[case.name] = run_case(case, Path(folder))
            except BenchError as error:  # one of them shall not cost the others
                emit(Note(str(error)))
    add_ratios(found)
    text = json.dumps({"size": size, "cases": found}, indent=1)
    (output / f"{task}.json").write_text(text + "\n", "utf-8")
    path = output / f"{task}.md"
    path.write_text(report(task, found, size) + "\n", "utf-8")
    return path


def run_case(case: Case, folder: Path) -> dict:
    """Return the figures of one case."""
    settings, result = folder / "case.json", folder / "result.json"
    settings.write_text(json.dumps(asdict(case)), "utf-8")
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ocrtune.bench.gpu"]
    if case.engine == UNSLOTH:
        command = [sys.executable, "-c", START_UNSLOTH]
    if case.ranks > 1:
        launch = ["-m", "torch.distributed.run", f"--nproc_per_node={case.ranks}"]
        command = [sys.executable, *launch, "-m", "ocrtune.bench.gpu"]
    places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "OCRTUNE_HOME": tempfile.mkdtemp(dir=folder),  # nobody's features are there already
    }
    try:
        ended = subprocess.run(
            [*command, str(settings), str(result)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=PATIENCE_SECONDS,
        )
        return json.loads(result.read_text("utf-8"))
    except subprocess.TimeoutExpired as error:
        why = f"it took more than {PATIENCE_SECONDS} s"
        raise BenchError(f"`{case.name}` was not measured: {why}.", "Try it alone.") from error
    except (OSError, ValueError) as error:
        why = "".join(ended.stderr.strip().splitlines()[-1:])
        raise BenchError(f"`{case.name}` was not measured: {why}.", "Try it alone.") from error


def add_ratios(found: dict[str, dict]) -> None:
    """Add to the figures what compares two of them."""
    one = found.get(ONE, {}).get("second_epoch_samples_per_second")
    for name, count in ((TWO, 2), (FOUR, 4)):
        if one and name in found:
            speed = found[name]["second_epoch_samples_per_second"]
            found[name]["efficiency"] = speed / (count * one)
            pairs = zip(found[name]["losses"], found[ONE]["losses"], strict=True)
            found[name]["largest_loss_difference"] = max(abs(a - b) for a, b in pairs)
    if reading := found.get("reading"):
        batch = reading["case"]["batch_size"]
        for name in ("", "_given_features"):
            together = reading[f"lines_per_second_{batch}{name}"]
            reading[f"speed_up{name}"] = together / reading[f"lines_per_second_1{name}"]


def report(task: str, found: dict[str, dict], size: str) -> str:
    """Return the tables of a task in Markdown."""
    first = next(iter(found.values()), {})
    machine = f"{first.get('hardware', 'nothing measured')}, torch {first.get('torch', '–')}"
    stand_in = "" if size == "full" else f" **Size {size}: a trial, not a result.**"
    parts = [f"{machine}; random weights, at most 14.7 GiB.{stand_in}", ""]
    parts += [training_table(found) if task == "train" else reading_table(found), ""]
    if size == "full":
        rows = [goal.verdict(found) for goal in GOALS[task]]
        parts.append(table(("", "goal", "measured", ""), rows))
    return "\n".join(parts)


def training_table(found: dict[str, dict]) -> str:
    """Return a row for each way to train."""
    rows = []
    for name, figures in {"the published notebook (another run)": NOTEBOOK, **found}.items():
        case = figures.get("case", {})
        rows.append(
            (
                name if case.get("engine", TRANSFORMERS) == UNSLOTH or not case else f"**{name}**",
                rounded(figures.get("second_epoch_samples_per_second")),
                rounded(figures.get("first_epoch_samples_per_second")),
                rounded(figures.get("peak_reserved_gib")),
                rounded(figures.get("first_step_seconds")),
                rounded(figures.get("features_ms_per_picture")),
            )
        )
    head = ("", "samples/s, second epoch", "one epoch, features too", "GiB reserved")
    return table((*head, "s to step 1, pictures aside", "ms of features a picture"), rows)


def reading_table(found: dict[str, dict]) -> str:
    """Return a row for each way to read."""
    reading = found.get("reading")
    if not reading:
        return ""
    batch = reading["case"]["batch_size"]
    rows = [
        (
            words,
            rounded(reading[f"lines_per_second_{batch}{name}"]),
            rounded(reading[f"lines_per_second_1{name}"]),
            f"{reading[f'speed_up{name}']:.1f}",
        )
        for words, name in (("pictures", ""), ("features given", "_given_features"))
    ]
    head = (f"{reading['case']['new_tokens']} tokens a line", f"lines/s, {batch} at a time")
    lines = [table((*head, "one at a time", "times"), rows), ""]
    lines.append(f"Same text: {reading['equal_texts']} of {reading['compared']} lines.")
    return "\n".join(lines)


def rounded(value: float | None) -> str:
    """Return a figure with three digits; a dash for none."""
    return "–" if value is None else f"{value:.3g}"


def put_into_readme(readme: Path, task: str, text: str) -> None:
    """Replace what stands between the marks of a task in a README."""
    begin, end = f"<!-- bench {task} -->", f"<!-- end of bench {task} -->"
    whole = readme.read_text("utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(whole):
        raise BenchError(
            f"`{readme}` has no place for `bench {task}`.", f"Write {begin} and {end}."
        )
    readme.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", whole), "utf-8")

"""What `bench scores` measures: seconds and memory of counting errors in many drawn-up lines.

Every line is read by two models, so that 50,000 lines are 100,000 pairs of texts: all profiles,
words, numbers, intervals and tables, as a comparison has them. Each kind of text is counted in a
process of its own, which tells what it took.
"""

import json
import os
import platform
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ocrtune.bench.report import table
from ocrtune.comparisons import build_comparison
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report_values import report_values

LINES, LINE_CHARS = 50_000, 40
WORDS, HAN = 5_000, 2_500  # different ones in the drawn-up texts
BASE_ERRORS, TUNED_ERRORS = 0.15, 0.05  # of the characters
NUMBERS = 0.05  # of the words
KINDS = ("latin", "chinese", "devanagari", "persian", "mixed")
MOST_SECONDS, MOST_MIB = 5.0, 600.0
PATIENCE_SECONDS = 600
LATIN = "eeeeennnniiiirrrttssaaadhulcgmobwfkzpvjyxqäöüß"
# Syllables of two to four code points, and such without a mark.
DEVANAGARI = [
    first + rest
    for first in "कखगचजटडतदनपबमयरलवशसह"
    for rest in ("", "", "ा", "ि", "ी", "े", "ो", "ं", "्र", "्या")
]
JOINED = "\u200c"  # between the parts of a Persian word
PERSIAN = [*"اااایییننرردددتتممووههبسشکگلزپچجخفقعحطصژآ", f"ی{JOINED}", f"ه{JOINED}"]
CONTRACT = OcrContract(
    family="tiny",
    base_model="tiny",
    revision="bench",
    prompt="",
    layout="line",
    max_new_tokens=128,
    no_repeat_ngram=0,
    ngram_window=0,
)


class ScoresBenchError(OcrtuneError):
    """A measurement ended badly."""


@dataclass(frozen=True)
class Scoring:
    """What counting one set of lines took."""

    kind: str
    lines: int
    comparing_seconds: float  # counts, summaries and intervals
    tables_seconds: float  # confusions, breakdowns and the values of report.json
    cpu_seconds: float  # of both
    peak_mib: float  # of the whole process, its texts included

    @property
    def seconds(self) -> float:
        return self.comparing_seconds + self.tables_seconds


def run_scores_bench(output: Path, lines: int, emit: Emit) -> Path:
    """Count so many lines of each kind; return OUTPUT/scores.md."""
    if not Path("/proc/self/status").exists():
        raise ScoresBenchError("This machine does not tell what memory it takes.", "Use Linux.")
    output.mkdir(parents=True, exist_ok=True)
    scorings = []
    for kind in KINDS:
        emit(Note(f"Counting {lines:,} {kind} lines, read by two models"))
        scorings.append(measure(kind, lines))
    text = json.dumps({"scorings": [asdict(one) for one in scorings]}, indent=1)
    (output / "scores.json").write_text(text + "\n", "utf-8")
    path = output / "scores.md"
    path.write_text(describe(scorings), "utf-8")
    return path


def measure(kind: str, lines: int) -> Scoring:
    """Return what counting took in a process of its own."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, kind, str(lines)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        end = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ScoresBenchError(f"Counting failed: {' '.join(end)}", "See what it needs.") from error
    return Scoring(kind, lines, **json.loads(done.stdout))


def describe(scorings: Sequence[Scoring]) -> str:
    """Return the table of what counting took, beside the goal."""
    rows = [
        (
            f"{2 * one.lines:,} {one.kind} pairs: {one.lines:,} lines, two models",
            f"{one.seconds:.1f} s",
            f"{one.comparing_seconds:.1f} s",
            f"{one.tables_seconds:.1f} s",
            f"{one.cpu_seconds:.1f} s",
            f"{one.peak_mib:,.0f} MiB",
        )
        for one in scorings
    ]
    head = ("counted", "in all", "counts and intervals", "tables", "CPU", "peak memory")
    return (
        f"{table(head, rows)}\n\nGoal for {2 * LINES:,} pairs of {LINE_CHARS} characters: "
        f"{MOST_SECONDS:.0f} s and {MOST_MIB:.0f} MiB on two cores.\n"
        f"Machine: {describe_machine()}.\n"
    )


def describe_machine() -> str:
    """Return the processor's name, its cores, and how busy others keep them."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    name = found[1] if found else platform.machine()
    return f"{os.cpu_count()} cores, {name}; load {os.getloadavg()[0]:.1f}"


def draw_texts(kind: str, lines: int, seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Return right texts, and the readings of a worse and a better model."""
    dice = random.Random(seed)
    letters = letters_of(kind)
    words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(WORDS)]
    words = [f"{word.capitalize()}," if dice.random() < 0.2 else word for word in words]
    space = "" if kind == "chinese" else " "

    def line() -> str:
        chosen = dice.choices(words, k=LINE_CHARS // 2)
        numbered = (str(dice.randint(1, 9999)) if dice.random() < NUMBERS else w for w in chosen)
        return space.join(numbered)[:LINE_CHARS]

    references = [line() for _ in range(lines)]
    base = [misread(text, BASE_ERRORS, letters, dice) for text in references]
    return references, base, [misread(text, TUNED_ERRORS, letters, dice) for text in references]


def letters_of(kind: str) -> Sequence[str]:
    """Return the letters that texts of a kind are drawn from, the frequent ones repeatedly."""
    han = [chr(0x4E00 + 8 * number) for number in range(HAN)]
    alone = {"latin": LATIN, "chinese": han, "devanagari": DEVANAGARI, "persian": PERSIAN}
    return alone[kind] if kind in alone else [*LATIN, *han[:200], *DEVANAGARI, *PERSIAN]


def misread(text: str, rate: float, letters: Sequence[str], dice: random.Random) -> str:
    """Return a text with errors: most substituted, some missing, some too many."""
    read = []
    for character in text:
        luck = dice.random()
        if luck > rate:
            read.append(character)
        elif luck > 0.4 * rate:
            read.append(dice.choice(letters))
        elif luck > 0.2 * rate:
            read += character, dice.choice(letters)
    return "".join(read)


def count(kind: str, lines: int) -> dict[str, float]:
    """Return seconds and memory that this process takes for a whole comparison."""
    references, base, tuned = draw_texts(kind, lines)
    names = [f"{number // 30:05}/{number:07}.png" for number in range(lines)]
    pairs = zip(names, references, strict=True)
    samples = [Sample(picture_id=name, picture=b"", text=text) for name, text in pairs]
    readings = [
        [
            Prediction(picture_id=name, text=text, seconds=0.1, model=model)
            for name, text in zip(names, texts, strict=True)
        ]
        for model, texts in (("base", base), ("tuned", tuned))
    ]
    begun, cpu = time.perf_counter(), time.process_time()
    comparison = build_comparison(CONTRACT, "test", samples, *readings)
    compared = time.perf_counter()
    report_values(comparison)
    status = Path("/proc/self/status").read_text("utf-8")
    return {
        "comparing_seconds": compared - begun,
        "tables_seconds": time.perf_counter() - compared,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": int(status.split("VmHWM:")[1].split()[0]) / 1024,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(count(sys.argv[1], int(sys.argv[2]))))

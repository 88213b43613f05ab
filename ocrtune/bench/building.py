"""What `bench build` measures: a dataset of drawn lines, and another script on the same ones.

Each of them runs in a process of its own that tells, at its end, what it took.
"""

import io
import json
import os
import platform
import random
import string
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ocrtune.bench.report import table
from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Note

# Runs a program as `python PROGRAM …` would, or a module for `-m`, and writes what it took.
MEASURED = """
import json, resource, runpy, sys
result, kind, name, *arguments = sys.argv[1:]
sys.argv = [name, *arguments]
try:
    if kind == "module":
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(name, run_name="__main__")
except SystemExit as end:
    if end.code:
        raise
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/io") as lines:
    moved = dict(line.split(": ") for line in lines.read().splitlines())
with open("/proc/self/status") as lines:  # ru_maxrss starts at what the parent process had
    peak = int(lines.read().split("VmHWM:")[1].split()[0])
with open(result, "w") as stream:
    json.dump({"cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": peak / 1024,
               "written_bytes": int(moved["wchar"])}, stream)
"""
LETTERS = string.ascii_letters + string.digits + "äöüß ,.;"
AT_ONCE = 500  # lines that one process draws in a row
PATIENCE_SECONDS = 3_600


class BuildBenchError(OcrtuneError):
    """A measurement ended badly."""


@dataclass(frozen=True)
class Build:
    """What building one dataset took."""

    who: str
    lines: int
    cpu_seconds: float
    peak_mib: float
    written_by_read: float  # bytes written in all, by bytes of pictures and texts


def run_build_bench(output: Path, lines: int, script: Path | None, emit: Emit) -> Path:
    """Build a dataset of so many lines, with another script too; return OUTPUT/build.md.

    script: a Python program that takes a content.md beside its pictures, and `--output PREFIX`.
    """
    if not Path("/proc/self/io").exists():
        raise BuildBenchError("This machine does not tell what a process writes.", "Use Linux.")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        emit(Note(f"Drawing {lines:,} lines"))
        source = draw_archive(folder / "lines.zip", lines)
        emit(Note("Building with ocrtune"))
        ours = ["module", "ocrtune", "build", str(source), "--output", str(folder / "ours")]
        builds = [measure("ocrtune", lines, ours, source, folder)]
        if script:
            emit(Note(f"Building with {script.name}"))
            theirs = ["file", str(script.resolve()), "content.md", "--output", str(folder / "x")]
            work = folder / "unpacked"
            with zipfile.ZipFile(source) as archive:
                archive.extractall(work)
            builds.append(measure(script.name, lines, theirs, source, work))
    text = json.dumps({"builds": [asdict(build) for build in builds]}, indent=1)
    (output / "build.json").write_text(text + "\n", "utf-8")
    path = output / "build.md"
    path.write_text(describe(builds), "utf-8")
    return path


def measure(who: str, lines: int, program: list[str], source: Path, folder: Path) -> Build:
    """Return what a program took in a process of its own, which works in `folder`."""
    result = folder / "result.json"
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    try:
        subprocess.run(
            [sys.executable, "-c", MEASURED, str(result), *program],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        end = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise BuildBenchError(f"{who} failed: {' '.join(end)}", "See what it needs.") from error
    took = json.loads(result.read_text("utf-8"))
    written = took.pop("written_bytes") / source.stat().st_size
    return Build(who=who, lines=lines, written_by_read=written, **took)


def describe(builds: list[Build]) -> str:
    """Return the table of what the builds took."""
    rows = [
        (
            build.who,
            f"{build.lines:,}",
            f"{build.cpu_seconds:.1f} s",
            f"{build.peak_mib:,.0f} MiB",
            f"{build.written_by_read:.2f}",
        )
        for build in builds
    ]
    head = ("built by", "lines", "CPU", "peak memory", "bytes written per byte read")
    return f"{table(head, rows)}\n\nMachine: {os.cpu_count()} cores, {platform.machine()}.\n"


def draw_archive(path: Path, lines: int) -> Path:
    """Return a zip of so many line pictures, JPEG, with their content.md."""
    firsts = range(0, lines, AT_ONCE)
    contents: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive, ProcessPoolExecutor() as pool:
        for drawn in pool.map(draw_lines, firsts, [min(AT_ONCE, lines - one) for one in firsts]):
            for name, text, data in drawn:
                archive.writestr(zipfile.ZipInfo(name), data)
                contents.append(f"{name} {text}\n")
        archive.writestr(zipfile.ZipInfo("content.md"), "".join(contents))
    return path


def draw_lines(first: int, count: int) -> list[tuple[str, str, bytes]]:
    """Return names, texts and JPEG files of lines, by their numbers."""
    return [draw_line(number) for number in range(first, first + count)]


def draw_line(number: int) -> tuple[str, str, bytes]:
    """Return name, text and JPEG file of one line on noisy grey paper."""
    dice = random.Random(number)
    text = "".join(dice.choices(LETTERS, k=dice.randint(8, 30))).strip(" ,.;") or "x"
    font = ImageFont.load_default(dice.randint(24, 40))
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new(
        "L", (int(right - left) + 20, int(bottom - top) + 16), dice.randint(215, 250)
    )
    ink = dice.randint(10, 90)
    ImageDraw.Draw(picture).text((10 - left, 8 - top), text, font=font, fill=ink)
    picture = picture.filter(ImageFilter.GaussianBlur(dice.uniform(0, 1.1)))
    noise = np.random.default_rng(number).normal(0, dice.uniform(2, 6), picture.size[::-1])
    grey = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).convert("RGB").save(buffer, "JPEG", quality=dice.randint(70, 95))
    return f"images/{number:06d}.jpg", text, buffer.getvalue()

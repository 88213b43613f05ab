"""Tesseract as the peer of the embedded model: the same pictures, one language at a time."""

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from ocrtune.errors import OcrtuneError
from ocrtune.events import Emit, Progress

PROCESSES = 2  # at once, each with one thread: threads of its own only slow Tesseract down
PICTURES_A_CALL = 60  # loading a language takes longer than reading a line
# Pictures were tried as they are, enlarged to 48 pixels' height, with a margin, and both. It reads
# drawn lines best as they are (with a margin degraded English has 5.6 % CER instead of 1.1 %), but
# scans, which are cropped close, and digits with a margin (3.6 % instead of 5.1, 43 instead of 49).
MARGINS = {"fraktur": 10, "digits": 10}  # pixels, by language
MODELS = {  # by language; scans are read with both
    "zh": ("chi_sim",),
    "en": ("eng",),
    "de": ("deu",),
    "digits": ("eng",),
    "none": ("eng",),
    "fraktur": ("Fraktur", "deu"),
}
DEBIAN = {"chi_sim": "chi-sim", "Fraktur": "script-frak"}  # where the package's name differs


class TesseractError(OcrtuneError):
    """Tesseract did not do what it should."""


@dataclass(frozen=True)
class Tesseract:
    """An installed Tesseract."""

    program: str
    version: str
    models: tuple[str, ...]

    def model(self, name: str) -> str:
        """Return what a model is called here; models of a script may lie in their own folder."""
        if (nested := f"script/{name}") in self.models:
            return nested
        if name in self.models:
            return name
        package = f"tesseract-ocr-{DEBIAN.get(name, name)}"
        raise TesseractError(
            f"Tesseract has no model `{name}` here.",
            f"Install it (`apt install {package}` on Debian), or take Tesseract off the PATH.",
        )


def find_tesseract() -> Tesseract | None:
    """Return the Tesseract on the PATH, or None."""
    program = shutil.which("tesseract")
    if not program:
        return None
    version = run([program, "--version"]).splitlines()[0].removeprefix("tesseract ")
    models = run([program, "--list-langs"]).splitlines()[1:]
    return Tesseract(program, version, tuple(models))


def run(command: Sequence[str]) -> str:
    """Return what a program writes."""
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    ended = subprocess.run(command, capture_output=True, env=environment, check=False)
    if ended.returncode:
        last = ended.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise TesseractError(
            f"`{Path(command[0]).name}` failed: {''.join(last) or ended.returncode}.",
            "Try it by hand, or take it off the PATH: the bench runs without it too.",
        )
    return ended.stdout.decode("utf-8", "replace")


def read_lines(
    tesseract: Tesseract, name: str, pictures: Sequence[bytes], margin: int, emit: Emit
) -> list[str]:
    """Return the text of each picture as the model called `name` reads it."""
    model = tesseract.model(name)
    texts: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PROCESSES) as pool:
        paths = []
        for number, data in enumerate(pictures):
            path = Path(folder, f"{number}.png")
            prepare(data, margin).save(path)
            paths.append(str(path))
        calls = [paths[i : i + PICTURES_A_CALL] for i in range(0, len(paths), PICTURES_A_CALL)]
        for found in pool.map(lambda call: read_call(tesseract, model, call), calls):
            texts += found
            emit(Progress("Tesseract", len(texts), len(pictures)))
    return texts


def prepare(data: bytes, margin: int = 0) -> Image.Image:
    """Return a picture in grey or RGB, with a margin in its commonest colour, the paper's."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    if not margin:
        return picture
    counts = picture.getcolors(picture.width * picture.height)
    return ImageOps.expand(picture, margin, max(counts)[1])


def read_call(tesseract: Tesseract, model: str, paths: Sequence[str]) -> list[str]:
    """Return the texts of some picture files, read by one process as one line of text each."""
    listed = Path(paths[0]).with_suffix(".txt")
    listed.write_text("".join(f"{path}\n" for path in paths), "utf-8")
    pages = run([tesseract.program, str(listed), "-", "-l", model, "--psm", "7"]).split("\f")
    if len(pages) == len(paths) + 1 and not pages[-1].strip():
        pages.pop()  # some versions end the last page too
    if len(pages) != len(paths):
        raise TesseractError(
            f"Tesseract gave {len(pages)} texts for {len(paths)} pictures.",
            "Update it, or take it off the PATH: the bench runs without it too.",
        )
    return [re.sub(r"\s+", " ", page).strip() for page in pages]

"""What a checkup tries out: in a process of its own, which a broken driver may take down.

`python -m ocrtune.probes` writes a line of JSON when it begins with something, and one when it
knows how that went; whoever reads them knows where it ended.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ocrtune.config import ReadConfig
from ocrtune.errors import OcrtuneError
from ocrtune.families.grouped import is_right
from ocrtune.metrics import score_pair
from ocrtune.nvidia import driver_version
from ocrtune.reading import read_pictures
from ocrtune.redaction import redact

WIDTH = 256  # of the matrices that are multiplied
WORDS = "Hello OCR 2026"  # that are drawn and read
MOST_ERRORS = 2  # of them
LONGEST_WHY = 200  # characters of somebody else's message
GIGA = 1e9

Finding = tuple[str, str, dict[str, str]]  # state, key of the words, values in them


def main() -> int:
    """Try everything, one after the other, and tell of it on stdout."""
    told = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is none of our lines
    for name, probe in PROBES.items():
        print(json.dumps({"begins": name}), file=told, flush=True)
        try:
            found = probe()
        except OcrtuneError as error:
            found = ("problem", "failed", {"why": str(error)})
        except Exception as error:  # whatever a driver or a library has against it
            found = ("problem", "failed", {"why": short(error)})
        if found:
            state, words, values = found
            line = {"check": name, "state": state, "words": words, "values": values}
            print(json.dumps(line), file=told, flush=True)
    return 0


def short(error: BaseException) -> str:
    """Return the first line of an error, without secrets."""
    words = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return redact(words)[:LONGEST_WHY]


def device() -> torch.device:
    """Return what computes here."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def probe_torch() -> Finding:
    """Tell torch's version, and for which CUDA it was built."""
    known = {"version": torch.__version__, "cuda": torch.version.cuda or ""}
    return "ok", "torch_ok" if torch.version.cuda else "torch_cpu", known


def probe_gpu() -> Finding | None:
    """Tell what kind of GPU it is, or why torch cannot use the one that is there."""
    if device().type != "cuda":
        driver = driver_version()
        if not driver:
            return None
        known = {"driver": driver, "cuda": torch.version.cuda or ""}
        return "problem", "driver_old" if torch.version.cuda else "driver_no_cuda", known
    capability = torch.cuda.get_device_capability()
    known = {
        "name": torch.cuda.get_device_name(),
        "capability": ".".join(map(str, capability)),
    }
    if capability >= (8, 0):
        return "ok", "gpu_modern", known
    return ("ok", "gpu_older", known) if capability >= (7, 5) else ("warning", "gpu_old", known)


def probe_gpu_memory() -> Finding | None:
    """Tell whether DeepSeek-OCR would fit."""
    if device().type != "cuda":
        return None
    free, total = (count / GIGA for count in torch.cuda.mem_get_info())
    known = {"free": f"{free:.1f}", "total": f"{total:.1f}"}
    if free >= 14:
        return "ok", "gpu_memory_ok", known
    return "warning", "gpu_memory_busy" if total >= 14.5 else "gpu_memory_small", known


def probe_product() -> Finding:
    """Multiply two matrices in fp16, and compare with what double precision says."""
    source = torch.Generator().manual_seed(0)
    left, right = (torch.randn(WIDTH, WIDTH, generator=source) for _ in range(2))
    wanted = left.half().double() @ right.half().double()
    near = device()
    left, right = left.half().to(near), right.half().to(near)
    left @ right  # the first one loads the library
    began = time.perf_counter()
    found = (left @ right).cpu()  # waits for it
    passed = time.perf_counter() - began
    name = torch.cuda.get_device_name() if near.type == "cuda" else "CPU"
    known = {"device": name, "milliseconds": f"{1000 * passed:.1f}"}
    off = (found.double() - wanted).abs().max() / wanted.abs().max()
    return ("ok", "product_ok", known) if off < 0.01 else ("problem", "product_wrong", known)


def probe_four_bit() -> Finding | None:
    """Put a layer into four bits, if that can be done here, and let it compute."""
    if device().type != "cuda" or not find_spec("bitsandbytes"):
        return None
    try:
        layers = import_module("bitsandbytes.nn")
        layer = layers.Linear4bit(64, 64, bias=False, compute_dtype=torch.float16)
        full = layer.weight.detach().clone()
        rows = torch.randn(4, 64, dtype=torch.float16, device=device())
        found = layer.to(device())(rows).float().cpu()
        wanted = rows.float().cpu() @ full.float().T
        near = (found - wanted).abs().mean() < 0.5 * wanted.abs().mean()
    except Exception as error:  # it has many ways not to work
        return "warning", "four_bit_broken", {"why": short(error)}
    if not near:
        return "warning", "four_bit_broken", {"why": "its results are wrong."}
    return "ok", "four_bit_ok", {"version": version("bitsandbytes")}


def probe_kernels() -> Finding | None:
    """Run the fused products of the mixture of experts."""
    if device().type != "cuda":
        return None
    right = is_right("triton", device(), torch.float16)
    return ("ok", "kernels_ok", {}) if right else ("warning", "kernels_slow", {})


def probe_reading() -> Finding:
    """Draw a line of text and let the embedded model read it."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ocrtune-") as folder:
        path = Path(folder) / "line.png"
        draw_words(path)
        [prediction] = read_pictures(ReadConfig(pictures=(str(path),), base="tiny"))
    seconds = f"{time.perf_counter() - began:.1f}"
    if prediction.failed:
        return "problem", "failed", {"why": prediction.failed}
    known = {"text": WORDS, "found": prediction.text[:LONGEST_WHY], "seconds": seconds}
    wrong = score_pair(WORDS, prediction.text).errors > MOST_ERRORS
    return ("problem", "reading_wrong", known) if wrong else ("ok", "reading_ok", known)


def draw_words(path: Path) -> None:
    """Draw the words that are read, black on white."""
    picture = Image.new("RGB", (360, 56), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((14, 8), WORDS, fill="black", font=ImageFont.load_default(36))
    picture.save(path)


PROBES: dict[str, Callable[[], Finding | None]] = {
    "torch": probe_torch,
    "gpu": probe_gpu,
    "gpu_memory": probe_gpu_memory,
    "product": probe_product,
    "four_bit": probe_four_bit,
    "kernels": probe_kernels,
    "reading": probe_reading,
}

if __name__ == "__main__":
    sys.exit(main())

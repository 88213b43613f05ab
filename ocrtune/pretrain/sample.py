"""Makes the sample that ships with the package: a notebook's lines, its text our own.

    python -m ocrtune.pretrain.sample [--output ocrtune/assets/sample.zip] [--strength 1.0]

Needs Debian's fonts-lxgw-wenkai: a face like handwriting that pretraining never draws with. Equal
arguments write the same bytes.
"""

import argparse
import io
import random
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ocrtune.alphabet import INDEX
from ocrtune.pretrain.sample_texts import compose_lines

FONT = Path("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf")
LINES = 150
SHORTEST, LONGEST = 10, 22  # characters
SIZE = 40  # pixels per em
HEIGHT = 60
MARGIN = 14
SQUARE, RULE = 6, 2  # pixels: the side of a square, the thickness of its lines
CLEANEST = numpy.array((246.0, 238.0, 214.0))
INKS = ((58, 62, 118), (88, 66, 58), (66, 70, 96), (104, 74, 60))  # blue-black and sepia, faded
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip entry's first possible date


def make_sample(output: Path, strength: float = 1.0, seed: int = 7, count: int = LINES) -> None:
    """Write the zip: `count` pictures and `content.md`."""
    chooser = random.Random(seed)
    texts = choose_texts(chooser, count)
    entries, rows = [], ["# A sample notebook: every line is a picture's path, then its text.\n"]
    for number, text in enumerate(texts, start=1):
        name = f"images/{number:03}.jpg"
        entries.append((name, encode(draw_line(text, FONT, strength, chooser))))
        rows.append(f"{name} {text}\n")
    entries.append(("content.md", "".join(rows).encode("utf-8")))
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), data)


def choose_texts(chooser: random.Random, count: int = LINES) -> list[str]:
    """Return different lines that the alphabet can write."""
    texts: dict[str, None] = {}
    for text in compose_lines(chooser):
        if SHORTEST <= len(text) <= LONGEST and all(c in INDEX for c in text):
            texts[text] = None
        if len(texts) == count:
            break
    return list(texts)


def encode(picture: Image.Image) -> bytes:
    """Return the picture as a JPEG."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=70, optimize=True)
    return stream.getvalue()


def draw_line(text: str, font: Path, strength: float, chooser: random.Random) -> Image.Image:
    """Return one line written on old millimetre paper; `strength` 0 is clean, 1 as shipped."""
    random_numbers = numpy.random.default_rng(chooser.randrange(1 << 32))
    written = write(text, font, strength, chooser)
    height, width = written.shape
    fade = smooth(random_numbers, height, width, 1, 90)
    written = written * (1 - 0.4 * strength * fade.clip(0, 1))
    paper = age_paper(random_numbers, height, width, strength)
    rules = rule_paper(height, width, strength, chooser)[..., None]
    ink = numpy.array(chooser.choice(INKS), float)
    pixels = paper * (1 - written[..., None]) + ink * written[..., None]
    pixels = pixels * (1 - rules) + numpy.array((92.0, 112.0, 158.0)) * rules
    pixels += random_numbers.normal(0, 5 * strength + 1e-9, (height, width, 1))
    picture = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))
    return picture.filter(ImageFilter.GaussianBlur(0.5 * strength)) if strength else picture


def write(text: str, font: Path, strength: float, chooser: random.Random) -> numpy.ndarray:
    """Return ink coverage [HEIGHT, width] of unsteady, slanted writing."""
    face = open_font(font, SIZE)
    width = round(face.getlength(text) * 1.02) + 2 * MARGIN + 10
    line = Image.new("L", (width, HEIGHT))
    pen, baseline = float(MARGIN), HEIGHT * 0.74
    drift = chooser.uniform(-3, 3) * strength
    for character in text:
        size = SIZE * (1 + strength * chooser.uniform(-0.07, 0.05))
        glyph = open_font(font, round(size * 2) / 2)
        cell = Image.new("L", (SIZE * 2, HEIGHT))
        height = baseline + drift * (pen / width - 0.5) + strength * chooser.uniform(-1.6, 1.6)
        ImageDraw.Draw(cell).text((SIZE / 2, height), character, 255, glyph, anchor="ls")
        cell = cell.rotate(
            strength * chooser.uniform(-4, 4), Image.Resampling.BICUBIC, center=(SIZE, height - 14)
        )
        line.paste(255, (round(pen - SIZE / 2), 0), cell)
        pen += glyph.getlength(character) * (1 - strength * chooser.uniform(0, 0.05))
    line = line.crop((0, 0, min(width, round(pen) + MARGIN), HEIGHT))
    slant = strength * 0.2
    slanted = line.transform(
        line.size, Image.Transform.AFFINE, (1, slant, -slant * baseline * 0.6, 0, 1, 0),
        Image.Resampling.BICUBIC,
    )  # fmt: skip
    return numpy.asarray(slanted, float) / 255


@lru_cache(maxsize=32)
def open_font(path: Path, size: float) -> ImageFont.FreeTypeFont:
    """Return the font at a size, in pixels per em."""
    return ImageFont.truetype(str(path), size)


def age_paper(
    random_numbers: numpy.random.Generator, height: int, width: int, strength: float
) -> numpy.ndarray:
    """Return yellowed, stained paper under uneven light, float [height, width, 3]."""
    yellow = numpy.array((0.05, 0.13, 0.34)) * strength
    paper = CLEANEST * (1 - yellow * random_numbers.uniform(0.6, 1.0))
    light = 1 - 0.22 * strength * numpy.linspace(0, 1, width) ** random_numbers.uniform(0.6, 2)
    if random_numbers.random() < 0.5:
        light = light[::-1]
    stains = (smooth(random_numbers, height, width, 3, 45) * 2.2 - 0.9).clip(0, 1)
    rim = (1 - numpy.abs(stains - 0.35) * 6).clip(0, 1)  # a dried drop is darkest at its edge
    brown = numpy.array((0.16, 0.26, 0.38)) * strength
    paper = paper * light[None, :, None]
    paper = paper * (1 - brown * (0.75 * stains + 0.35 * rim)[..., None])
    fibres = smooth(random_numbers, height, width, height // 3, 4)
    return paper * (1 + 0.04 * strength * fibres[..., None])


def rule_paper(height: int, width: int, strength: float, chooser: random.Random) -> numpy.ndarray:
    """Return the coverage of millimetre paper's lines, straight through the writing.

    Pretraining rules a line or two at most: squares as fine as strokes are what the shipped model
    cannot see through, and people hardly notice.
    """
    across, down = chooser.randrange(SQUARE), chooser.randrange(SQUARE)
    rows, columns = numpy.arange(height)[:, None] + across, numpy.arange(width)[None] + down
    lines = (rows % SQUARE < RULE) | (columns % SQUARE < RULE)
    return lines * min(0.95, 0.72 * strength)


def smooth(
    random_numbers: numpy.random.Generator, height: int, width: int, rows: int, cell: float
) -> numpy.ndarray:
    """Return smooth noise in about [-1, 1], one value every `cell` columns."""
    shape = (max(1, rows), max(2, round(width / cell)))
    coarse = Image.fromarray(random_numbers.normal(0, 0.6, shape).astype(numpy.float32))
    return numpy.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(__file__).parents[1] / "assets" / "sample.zip"
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    make_sample(arguments.output, arguments.strength, arguments.seed)


if __name__ == "__main__":
    main()

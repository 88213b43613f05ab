"""Evaluation lines drawn by Pillow, so that they share no habit with the training renderer.

FreeType draws each line at its real size with the font's own kerning, in faces and texts that
training never sees. Needs the Debian fonts that `fonts.HELDOUT_FONTS` names.
"""

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ocrtune.families.alphabet import ALPHABET, CJK_PUNCTUATION, HAN
from ocrtune.pretrain.evaluation_texts import evaluation_lines
from ocrtune.pretrain.fonts import FontFile, find_fonts, open_face

CHINESE = frozenset(HAN + CJK_PUNCTUATION)


@dataclass(frozen=True, kw_only=True)
class PictureStyle:
    """What happens to a line picture; the defaults are a clean print."""

    margins: tuple[int, int, int, int] = (6, 4, 6, 4)  # left, top, right, bottom, in pixels
    ink: tuple[int, int, int] = (20, 20, 20)
    paper: tuple[int, int, int] = (255, 255, 255)
    degrees: float = 0.0  # of rotation
    blur: float = 0.0  # pixels of a Gaussian's radius
    light: float = 0.0  # how much darker one end is, 0 to 1
    stains: float = 0.0  # how dark blots are, 0 to 1
    noise: float = 0.0  # standard deviation, in grey levels
    quality: int = 0  # of a JPEG round trip; 0 is none
    seed: int = 0  # of blots and noise


def render_line_image(
    text: str, font_path: Path, size: float, style: PictureStyle | None = None, index: int = 0
) -> Image.Image:
    """Return an RGB picture of one line of text; `size` is pixels per em, `index` a .ttc entry."""
    style = style or PictureStyle()
    font = ImageFont.truetype(str(font_path), size, index=index)
    box = font.getbbox(text, anchor="ls")
    top, bottom = font.getbbox("国Åpg", anchor="ls")[1::2]
    top, bottom = min(top, box[1]), max(bottom, box[3])
    left_margin, top_margin, right_margin, bottom_margin = style.margins
    width = int(box[2] - box[0]) + left_margin + right_margin + 1
    height = int(bottom - top) + top_margin + bottom_margin + 1
    coverage = Image.new("L", (width, height))
    pen = (left_margin - box[0], top_margin - top)
    ImageDraw.Draw(coverage).text(pen, text, 255, font, anchor="ls")
    if style.degrees:
        coverage = coverage.rotate(style.degrees, Image.Resampling.BICUBIC, expand=True)
    if style.blur:
        coverage = coverage.filter(ImageFilter.GaussianBlur(style.blur))
    return finish(numpy.asarray(coverage, numpy.float32)[..., None] / 255, style)


def finish(coverage: numpy.ndarray, style: PictureStyle) -> Image.Image:
    """Return paper and ink under uneven light, with blots, noise and JPEG's traces."""
    chooser = numpy.random.default_rng(style.seed)
    height, width = coverage.shape[:2]
    pixels = numpy.array(style.paper) * (1 - coverage) + numpy.array(style.ink) * coverage
    pixels *= 1 - style.light * numpy.linspace(0, 1, width)[None, :, None]
    if style.stains:
        blots = Image.fromarray(chooser.integers(0, 256, (3, max(3, width // 60)), numpy.uint8))
        smooth = numpy.asarray(blots.resize((width, height), Image.Resampling.BICUBIC)) / 255
        pixels *= 1 - style.stains * numpy.clip(smooth * 3 - 1.6, 0, 1)[..., None]
    pixels += chooser.normal(0, style.noise or 1e-9, (height, width, 1))
    picture = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))
    if not style.quality:
        return picture
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=style.quality)
    return Image.open(stream).convert("RGB")


def choose_style(chooser: random.Random, size: float, degraded: bool) -> PictureStyle:
    """Return a clean style or a moderately poor one."""
    margins = tuple(round(size * chooser.uniform(0.03, 0.25)) for _ in range(4))
    dark = chooser.randint(0, 60)
    paper = chooser.choice(((255, 255, 255), (250, 248, 240), (238, 238, 238)))
    if not degraded:
        return PictureStyle(margins=margins, ink=(dark,) * 3, paper=paper)
    return PictureStyle(
        margins=margins,
        ink=(dark + 20, dark + chooser.randint(0, 30), dark + chooser.randint(0, 50)),
        paper=chooser.choice((paper, (230, 215, 180), (214, 208, 198), (225, 230, 225))),
        degrees=chooser.uniform(-1, 1) * chooser.choice((0, 1.5)),
        blur=size / 40 * chooser.uniform(0, 1),
        light=chooser.choice((0, chooser.uniform(0, 0.35))),
        stains=chooser.choice((0, chooser.uniform(0, 0.3))),
        noise=chooser.uniform(0, 14),
        quality=chooser.choice((0, 30, 50, 75)),
        seed=chooser.randrange(1 << 30),
    )


def make_evaluation_set(
    folder: Path, count: int = 1000, seed: int = 1, degraded: bool = False
) -> None:
    """Write line pictures in held-out fonts and their `content.md`; a third of each language."""
    folder.mkdir(parents=True, exist_ok=True)
    chooser = random.Random(seed)
    faces = [(file, covered(file)) for file in find_fonts() if file.held_out]
    rows = []
    for number, text in enumerate(evaluation_lines(count, seed), start=1):
        needed = set(text)
        chinese = not needed.isdisjoint(CHINESE)
        fitting = [
            file
            for file, characters in faces
            if needed <= characters and CHINESE.isdisjoint(characters) != chinese
        ]
        if not fitting:
            continue
        file = chooser.choice(fitting)
        size = chooser.uniform(22, 56)
        style = choose_style(chooser, size, degraded)
        name = f"{number:04}.png"
        picture = render_line_image(text, file.path, size, style, file.index)
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(folder / name)
        rows.append(f"{name} {text}\n")
    (folder / "content.md").write_text("".join(rows), "utf-8")


def covered(file: FontFile) -> frozenset[str]:
    """Return the characters of the alphabet that a face has."""
    return frozenset(ALPHABET) & frozenset(map(chr, open_face(file).getBestCmap()))

"""Pictures of lines drawn by Pillow, so that they share no habit with the training renderer.

FreeType draws each line at its real size with the font's own kerning.
"""

import io
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

PAPERS = ((255, 255, 255), (250, 248, 240), (238, 238, 238))
OLD_PAPERS = ((230, 215, 180), (214, 208, 198), (225, 230, 225))


@dataclass(frozen=True, kw_only=True)
class PictureStyle:
    """How a line is set and what happened to its picture; the defaults are a clean print."""

    margins: tuple[int, int, int, int] = (6, 4, 6, 4)  # left, top, right, bottom, in pixels
    ink: tuple[int, int, int] = (20, 20, 20)
    paper: tuple[int, int, int] = (255, 255, 255)
    spacing: float = 0.0  # between letters, in em
    stretch: float = 1.0  # of the letters' widths
    weight: float = 0.0  # pixels of ink around each stroke, for faces without a bold one
    underline: float = 0.0  # its thickness in em
    degrees: float = 0.0  # of rotation
    blur: float = 0.0  # pixels of a Gaussian's radius
    shine: float = 0.0  # how dark the other page's ink shows through, 0 to 1
    light: float = 0.0  # how much darker the darkest corner is, 0 to 1
    stains: float = 0.0  # how dark blots are, 0 to 1
    noise: float = 0.0  # standard deviation, in grey levels
    threshold: float = 0.0  # of black and white, as a share of paper's brightness; 0 keeps greys
    quality: int = 0  # of a JPEG round trip; 0 is none
    seed: int = 0  # of blots, light and noise


def render_line_image(
    text: str,
    font_path: Path,
    size: float,
    style: PictureStyle | None = None,
    index: int = 0,
    behind: str = "",
) -> Image.Image:
    """Return an RGB picture of one line of text; `size` is pixels per em, `index` a .ttc entry.

    behind: the line of the other side of the paper, which shows through mirrored.
    """
    style = style or PictureStyle()
    font = ImageFont.truetype(str(font_path), size, index=index)
    coverage = draw_coverage(text, font, style)
    ink = numpy.asarray(coverage, numpy.float32)[..., None] / 255
    if style.shine and behind:
        ink = numpy.maximum(ink, style.shine * show_through(behind, font, style, coverage.size))
    return finish(ink, style)


def draw_coverage(text: str, font: ImageFont.FreeTypeFont, style: PictureStyle) -> Image.Image:
    """Return how much ink lies where, `L`, letters set and bent as the style says."""
    size = font.size
    box = font.getbbox(text, anchor="ls", stroke_width=style.weight)
    top, bottom = font.getbbox("国Åpg", anchor="ls")[1::2]
    top, bottom = min(top, box[1]), max(bottom, box[3], round(0.2 * size * (style.underline > 0)))
    left_margin, top_margin, right_margin, bottom_margin = style.margins
    extra = style.spacing * size * (len(text) - 1)
    width = int(box[2] - box[0] + extra) + left_margin + right_margin + 1
    height = int(bottom - top) + top_margin + bottom_margin + 1
    coverage = Image.new("L", (width, height))
    draw = ImageDraw.Draw(coverage)
    x, y = left_margin - box[0], top_margin - top
    if style.underline:
        under = y + 0.13 * size
        ends = (left_margin, under, width - right_margin, under + style.underline * size)
        draw.rectangle(ends, 255)
    if not style.spacing:
        draw.text((x, y), text, 255, font, anchor="ls", stroke_width=style.weight)
    else:
        for number, character in enumerate(text):
            pen = x + font.getlength(text[:number]) + number * style.spacing * size
            draw.text((pen, y), character, 255, font, anchor="ls", stroke_width=style.weight)
    if style.stretch != 1:
        wide = max(1, round(width * style.stretch))
        coverage = coverage.resize((wide, height), Image.Resampling.LANCZOS)
    if style.degrees:
        coverage = coverage.rotate(style.degrees, Image.Resampling.BICUBIC, expand=True)
    if style.blur:
        coverage = coverage.filter(ImageFilter.GaussianBlur(style.blur))
    return coverage


def show_through(
    text: str, font: ImageFont.FreeTypeFont, style: PictureStyle, size: tuple[int, int]
) -> numpy.ndarray:
    """Return the ink of a mirrored, blurred line that fills [height, width, 1], not level with
    the one in front."""
    chooser = numpy.random.default_rng(style.seed)
    soft = replace(style, blur=max(style.blur, font.size / 22), underline=0.0)
    line = draw_coverage(text, font, soft).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sheet = Image.new("L", size)
    drop = round(size[1] * chooser.uniform(-0.45, 0.45))
    for left in range(-round(chooser.uniform(0, line.width)), size[0], line.width):
        sheet.paste(line, (left, drop))
    return numpy.asarray(sheet, numpy.float32)[..., None] / 255


def finish(coverage: numpy.ndarray, style: PictureStyle) -> Image.Image:
    """Return the RGB picture of ink [height, width, 1] on paper, with the style's flaws."""
    chooser = numpy.random.default_rng(style.seed)
    height, width = coverage.shape[:2]
    pixels = numpy.array(style.paper) * (1 - coverage) + numpy.array(style.ink) * coverage
    if style.light:
        pixels *= 1 - style.light * uneven_light(chooser, height, width)[..., None]
    if style.stains:
        blots = numpy.clip(smooth(chooser, height, width, 45) * 3 - 1.6, 0, 1)
        brown = numpy.array((0.8, 1.0, 1.25))
        pixels *= 1 - (style.stains * brown).clip(0, 0.95) * blots[..., None]
    pixels += chooser.normal(0, style.noise or 1e-9, (height, width, 1))
    if style.threshold:
        bright = float(numpy.percentile(pixels.mean(2), 90))
        pixels = numpy.where(pixels.mean(2, keepdims=True) < style.threshold * bright, 0.0, 255.0)
        pixels = pixels.repeat(3, 2)
    picture = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))
    if not style.quality:
        return picture
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=style.quality)
    return Image.open(stream).convert("RGB")


def uneven_light(chooser: numpy.random.Generator, height: int, width: int) -> numpy.ndarray:
    """Return shade from 0 to 1, [height, width]: a slope along the line with a soft shadow."""
    slope = numpy.linspace(0, 1, width)[None] * 0.8 + numpy.linspace(0, 0.2, height)[:, None]
    if chooser.random() < 0.5:
        slope = slope[:, ::-1]
    return (0.7 * slope + 0.3 * smooth(chooser, height, width, 160)).clip(0, 1)


def smooth(chooser: numpy.random.Generator, height: int, width: int, cell: int) -> numpy.ndarray:
    """Return smooth random values from 0 to 1, [height, width], one for every `cell` pixels."""
    shape = (max(2, round(height / cell) + 1), max(3, round(width / cell)))
    coarse = Image.fromarray(chooser.integers(0, 256, shape, numpy.uint8))
    return numpy.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) / 255.0


def choose_print(chooser: random.Random, size: float, chinese: bool) -> PictureStyle:
    """Return a clean style as books, letters and web pages have them."""
    dark = chooser.randint(0, 60)
    spacing = chooser.choice((chooser.uniform(-0.03, 0.05), chooser.uniform(0.05, 0.25)))
    bold = chinese and chooser.random() < 0.12
    return PictureStyle(
        margins=tuple(round(size * chooser.uniform(0.03, 0.35)) for _ in range(4)),
        ink=(dark, dark, chooser.choice((dark, dark, dark + 60))),
        paper=chooser.choice(PAPERS),
        spacing=spacing if chooser.random() < 0.18 else 0.0,
        stretch=chooser.uniform(0.8, 1.25) if chooser.random() < 0.2 else 1.0,
        weight=size * 0.022 if bold else 0.0,
        underline=chooser.uniform(0.03, 0.06) if chooser.random() < 0.07 else 0.0,
        seed=chooser.randrange(1 << 30),
    )


FLAWS = (
    "blur", "jpeg", "small", "rotated", "shine", "stains", "light", "binary", "mixed",
)  # fmt: skip


def add_flaw(style: PictureStyle, flaw: str, size: float, chooser: random.Random) -> PictureStyle:
    """Return the style with one of FLAWS, at a strength that people still read without effort."""
    uniform = chooser.uniform
    match flaw:
        case "blur":
            return replace(style, blur=size / 40 * uniform(1, 2.2))
        case "jpeg":
            return replace(style, quality=30, noise=uniform(0, 8))
        case "small":
            return replace(style, quality=chooser.choice((0, 60)))
        case "rotated":
            return replace(style, degrees=uniform(0.7, 2) * chooser.choice((-1, 1)))
        case "shine":
            return replace(style, shine=uniform(0.12, 0.35), noise=uniform(0, 5))
        case "stains":
            paper = chooser.choice(OLD_PAPERS)
            return replace(style, stains=uniform(0.25, 0.5), paper=paper, noise=uniform(0, 6))
        case "light":
            return replace(style, light=uniform(0.35, 0.65), noise=uniform(0, 5))
        case "binary":
            softness = size / 40 * uniform(0.5, 1.2)
            return replace(style, blur=softness, noise=uniform(8, 28), threshold=uniform(0.5, 0.78))
    for _ in range(chooser.randint(2, 3)):
        milder = chooser.choice(("jpeg", "rotated", "shine", "stains", "light"))
        style = add_flaw(style, milder, size, chooser)
    return replace(style, blur=size / 40 * uniform(0.4, 1.2), noise=uniform(4, 12))

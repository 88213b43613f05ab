"""The evaluation sets: folders of line pictures with a `content.md`, of what training never sees.

    python -m ocrtune.pretrain.pictures FOLDER

Needs the Debian fonts that `fonts.HELDOUT_FONTS` names, the packages of
`evaluation_texts.SOURCES` and scikit-learn, whose handwritten digits come with it. Equal seeds and
packages draw equal pictures. A picture's name begins with its language and says its flaw or kind:
`zh-0001.png`, `de-blur-0042.png`.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle, product
from pathlib import Path

import numpy
from PIL import Image

from ocrtune.errors import DatasetError
from ocrtune.events import Emit, Note, silent
from ocrtune.pretrain.drawing import (
    FLAWS,
    OLD_PAPERS,
    PictureStyle,
    add_flaw,
    choose_print,
    finish,
    render_line_image,
    smooth,
)
from ocrtune.pretrain.evaluation_texts import TYPICAL, evaluation_lines, missing_packages
from ocrtune.pretrain.font_lists import HELDOUT_FONTS
from ocrtune.pretrain.fonts import DEBIAN_FOLDERS, FontFile, font_paths, matching, open_face
from ocrtune.pretrain.foreign_scripts import HELDOUT_SCRIPTS

LANGUAGES = ("zh", "en", "de")
HAN_LEAST = 3000  # Chinese characters of a Chinese face
PRINTED, LONG, DEGRADED = 2100, 300, 900  # lines
SHORTEST_LONG = 60  # characters
SMALL = 20  # pixels per em of the degraded lines that are small
BLANK, NOISE, FOREIGN = 60, 60, 20  # pictures of each kind; FOREIGN of each script
DIGIT_ROWS = 180

Row = tuple[str, Image.Image, str]  # name, picture, ground truth
Faces = dict[str, list[tuple[FontFile, frozenset[str]]]]  # by folder


def make_evaluation_sets(folder: Path, emit: Emit = silent) -> None:
    """Write every set into its own folder within `folder`; takes a minute or two."""
    require_sources()
    sets = {
        "printed": drawn_lines(PRINTED, seed=1),
        "long": drawn_lines(LONG, seed=2, shortest=SHORTEST_LONG),
        "degraded": drawn_lines(DEGRADED, seed=3, degraded=True),
        "nothing": nothing(seed=4),
        "digits": handwritten_digits(seed=5),
    }
    for name, rows in sets.items():
        emit(Note(f"Drawing the evaluation set `{name}`"))
        write_set(folder / name, rows)


def write_set(folder: Path, rows: Iterator[Row]) -> None:
    """Write pictures with few colours, which are small, and last their ground truth."""
    folder.mkdir(parents=True, exist_ok=True)
    content = []
    for name, picture, text in rows:
        small = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
        small.save(folder / name)
        content.append(f"{name} {text}\n")
    (folder / "content.md").write_text("".join(content), "utf-8")


def drawn_lines(count: int, seed: int, degraded: bool = False, shortest: int = 2) -> Iterator[Row]:
    """Yield lines of prose set in held-out faces, with each flaw equally often if degraded."""
    chooser = random.Random(seed)
    chinese, latin = held_out_faces()
    turns = cycle(product(FLAWS if degraded else ("",), LANGUAGES))
    long = shortest > 2
    texts = {
        name: iter(evaluation_lines(name, count, seed, shortest, None if long else TYPICAL[name]))
        for name in LANGUAGES
    }
    for number, (flaw, language) in zip(range(1, count + 1), turns, strict=False):
        faces = chinese if language == "zh" else latin
        text, file = next(
            (text, file) for text in texts[language] if (file := choose_face(text, faces, chooser))
        )
        size = SMALL if flaw == "small" else chooser.uniform(20, 56)
        style = choose_print(chooser, size, language == "zh")
        if flaw:
            style = add_flaw(style, flaw, size, chooser)
        behind = next(texts[language]) if style.shine else ""
        picture = render_line_image(text, file.path, size, style, file.index, behind)
        yield "-".join(filter(None, (language, flaw, f"{number:04}.png"))), picture, text


def held_out_faces() -> tuple[Faces, Faces]:
    """Return the Chinese and the other faces that training never draws with, by their folder."""
    chinese: Faces = {}
    latin: Faces = {}
    paths = font_paths(DEBIAN_FOLDERS)
    for pattern in HELDOUT_FONTS:
        for path in matching(pattern, paths):
            file = FontFile(path, pattern.index, held_out=True)
            characters = frozenset(map(chr, open_face(file).getBestCmap()))
            han = sum("\u4e00" <= character <= "\u9fff" for character in characters)
            kind = chinese if han > HAN_LEAST else latin
            kind.setdefault(path.parent.name, []).append((file, characters))
    return chinese, latin


def choose_face(text: str, faces: Faces, chooser: random.Random) -> FontFile | None:
    """Return a face that has all characters of the text, families being equally likely."""
    needed = frozenset(text)
    fitting = [
        able
        for members in faces.values()
        if (able := [file for file, characters in members if needed <= characters])
    ]
    return chooser.choice(chooser.choice(fitting)) if fitting else None


def nothing(seed: int) -> Iterator[Row]:
    """Yield papers without a text, noise, and scripts that training never shows; all say nothing.

    What the last ones say in their own script no reader of this alphabet can write.
    """
    chooser = random.Random(seed)
    for number in range(1, BLANK + 1):
        kind = ("white", "tinted", "stained", "uneven", "textured")[number % 5]
        yield f"none-{kind}-{number:03}.png", blank_paper(kind, chooser), ""
    for number in range(1, NOISE + 1):
        kind = ("grains", "dots", "coarse")[number % 3]
        yield f"none-{kind}-{number:03}.png", pure_noise(kind, chooser), ""
    yield from foreign_lines(seed)


def foreign_lines(seed: int) -> Iterator[Row]:
    """Yield some lines of each held-out script."""
    chooser = random.Random(seed)
    paths = font_paths(DEBIAN_FOLDERS)
    for script in HELDOUT_SCRIPTS:
        face = next(matching(script.font, paths))
        for number in range(1, FOREIGN + 1):
            text = " ".join(chooser.choices(script.words, k=chooser.randint(1, 5)))
            size = chooser.uniform(22, 50)
            style = replace(choose_print(chooser, size, chinese=False), spacing=0.0)  # joined
            picture = render_line_image(text, face, size, style)
            yield f"none-{script.name.lower()}-{number:03}.png", picture, ""


def blank_paper(kind: str, chooser: random.Random) -> Image.Image:
    """Return an empty line's picture."""
    height, width = chooser.randint(36, 72), chooser.randint(120, 1200)
    numbers = numpy.random.default_rng(chooser.randrange(1 << 30))
    style = PictureStyle(
        paper=(255, 255, 255) if kind == "white" else chooser.choice(OLD_PAPERS),
        stains=chooser.uniform(0.2, 0.6) if kind == "stained" else 0.0,
        light=chooser.uniform(0.2, 0.7) if kind == "uneven" else 0.0,
        noise=0.0 if kind == "white" else chooser.uniform(0, 8),
        quality=chooser.choice((0, 30, 75)),
        seed=chooser.randrange(1 << 30),
    )
    coverage = numpy.zeros((height, width, 1))
    if kind == "textured":
        fibres = smooth(numbers, height, width, chooser.randint(3, 9))
        coverage += chooser.uniform(0.1, 0.3) * fibres[..., None]
    return finish(coverage, style)


def pure_noise(kind: str, chooser: random.Random) -> Image.Image:
    """Return grey noise, black and white dots, or coarse blobs."""
    shape = (chooser.randint(36, 72), chooser.randint(120, 1200))
    numbers = numpy.random.default_rng(chooser.randrange(1 << 30))
    if kind == "grains":
        values = numbers.normal(chooser.uniform(90, 200), chooser.uniform(20, 80), shape)
    elif kind == "dots":
        values = 255.0 * (numbers.random(shape) > chooser.uniform(0.05, 0.5))
    else:
        values = 255.0 * smooth(numbers, *shape, chooser.randint(4, 12))
    return Image.fromarray(values.clip(0, 255).astype(numpy.uint8)).convert("RGB")


def handwritten_digits(seed: int) -> Iterator[Row]:
    """Yield rows of scikit-learn's digits: real handwriting, 8 pixels high, scaled up smoothly."""
    chooser = random.Random(seed)
    table = numpy.loadtxt(digits_file(), delimiter=",")
    order = chooser.sample(range(len(table)), len(table))
    for number in range(1, DIGIT_ROWS + 1):
        rows = table[[order.pop() for _ in range(chooser.randint(4, 10))]]
        side = chooser.randint(36, 46)
        height = side + chooser.randint(6, 24)
        ink = numpy.zeros((height, side * len(rows) + 20))
        for place, row in enumerate(rows):
            cell = Image.fromarray((row[:64].reshape(8, 8) * 15.9).astype(numpy.uint8))
            large = cell.resize((side, side), Image.Resampling.BICUBIC)
            top = (height - side) // 2 + chooser.randint(-2, 2)
            left = 10 + place * side
            ink[top : top + side, left : left + side] = numpy.asarray(large) / 255
        style = PictureStyle(
            paper=chooser.choice(OLD_PAPERS), noise=3, seed=chooser.randrange(1 << 30)
        )
        text = "".join(str(int(row[64])) for row in rows)
        yield f"digits-{number:04}.png", finish(ink[..., None], style), text


def digits_file() -> Path:
    """Return where scikit-learn keeps its digits; it need not be loaded for them."""
    package = find_spec("sklearn")
    return Path(package.origin if package else "").parent / "datasets" / "data" / "digits.csv.gz"


def require_sources() -> None:
    """Refuse to begin without a font, a text or a package that the sets are made from."""
    if not digits_file().is_file():
        raise DatasetError(
            "The evaluation set of digits comes with scikit-learn, which is not installed.",
            "Type `pip install scikit-learn`.",
        )
    paths = font_paths(DEBIAN_FOLDERS)
    patterns = [*HELDOUT_FONTS, *(script.font for script in HELDOUT_SCRIPTS)]
    fonts = [pattern.path for pattern in patterns if not any(matching(pattern, paths))]
    packages = missing_packages()
    if packages:
        raise DatasetError(
            f"Texts of the evaluation sets are missing: {', '.join(packages)}.",
            f"On Debian, type `apt install {' '.join(packages)}`.",
        )
    if fonts:
        raise DatasetError(
            f"Fonts of the evaluation sets are missing: {', '.join(fonts)}.",
            "On Debian, install the packages that ocrtune/pretrain/gather.py names.",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    make_evaluation_sets(parser.parse_args().folder)


if __name__ == "__main__":
    main()

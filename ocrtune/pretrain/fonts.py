"""Finds the fonts of pretraining on a Debian machine and writes small copies of them.

Needs fontTools (`pip install fonttools`), for the recipe only. The copies that `export_fonts`
writes hold nothing but what is drawn, so that a machine without these packages can draw too.
"""

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from unicodedata import category

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from PIL import ImageFont

from ocrtune.alphabet import ALPHABET, HAN
from ocrtune.pretrain.font_lists import (
    GOTHIC_FONTS,
    HELDOUT_FAMILIES,
    HELDOUT_FONTS,
    TRAIN_FONTS,
    Pattern,
)
from ocrtune.pretrain.foreign_scripts import FOREIGN

DEBIAN_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/share/texmf/fonts/opentype"),
    Path("/usr/share/texlive/texmf-dist/fonts"),
)
DROPPED_TABLES = frozenset(
    ("GPOS", "GSUB", "GDEF", "BASE", "kern", "vhea", "vmtx", "VORG", "EBDT")
    + ("MATH", "COLR", "CPAL", "SVG", "DSIG", "meta")
)
HAN_SET = frozenset(HAN)
PROBE = 64  # pixels per em at which glyphs are looked at
FEWEST = 42  # characters of a face worth drawing
ALIKE = "‚〇"  # look like a comma and a circle in most fonts; their neighbours tell
CAPITALS = 0.85  # of a capital's height: lower case that reaches it is drawn as small capitals


@dataclass(frozen=True)
class FontFile:
    """One face of an installed font; `script` names one that the alphabet has not, or is empty."""

    path: Path
    index: int
    held_out: bool
    gothic: bool = False
    script: str = ""
    characters: str = ALPHABET  # what is wanted of it
    draws: tuple[str, ...] = ()  # see Pattern


def export_fonts(folder: Path, roots: Iterable[Path] = DEBIAN_FOLDERS) -> list[dict]:
    """Write every chosen face, cut down to what it draws, and `faces.json`; return its entries."""
    folder.mkdir(parents=True, exist_ok=True)
    roots = list(roots)
    files = find_fonts(roots) + find_foreign_fonts(roots)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        faces = pool.map(export_face, files, repeat(folder))
        entries = [entry for entry in faces if entry]
    (folder / "faces.json").write_text(json.dumps(entries, ensure_ascii=False), "utf-8")
    return entries


def find_fonts(roots: Iterable[Path] = DEBIAN_FOLDERS) -> list[FontFile]:
    """Return the installed faces of the three lists; the same file name is taken once.

    A face whose own name says that it belongs to a held-out family is never one for training.
    """
    paths = font_paths(roots)
    found: dict[str, FontFile] = {}
    for patterns in (HELDOUT_FONTS, TRAIN_FONTS, GOTHIC_FONTS):
        for pattern in patterns:
            kept = "".join(sorted(set(ALPHABET) - set(pattern.without)))
            for path in matching(pattern, paths):
                file = FontFile(
                    path,
                    pattern.index,
                    patterns is HELDOUT_FONTS,
                    patterns is GOTHIC_FONTS,
                    characters=kept,
                    draws=pattern.draws,
                )
                if file.held_out or not is_held_out(family_of(file)):
                    found.setdefault(path.name, file)
    return list(found.values())


def find_foreign_fonts(roots: Iterable[Path] = DEBIAN_FOLDERS) -> list[FontFile]:
    """Return the installed faces of scripts that a reader of the alphabet should stay silent at."""
    paths = font_paths(roots)
    return [
        FontFile(path, pattern.index, False, script=script.name, characters=script.characters)
        for script in FOREIGN
        for pattern in script.fonts
        for path in matching(pattern, paths)
    ]


def font_paths(roots: Iterable[Path]) -> list[Path]:
    """Return all font files below the folders, those of one folder in order."""
    return sorted(path for root in roots for path in root.rglob("*.[ot]t[fc]"))


def matching(pattern: Pattern, paths: list[Path]) -> Iterator[Path]:
    """Yield the files that a pattern means."""
    for glob in spread(pattern.path):
        for path in paths:
            if fnmatchcase(str(path), f"*/{glob}"):
                yield path


def spread(pattern: str) -> Iterator[str]:
    """Yield the patterns that `{a,b}` in a pattern stands for."""
    group = re.search(r"\{([^}]*)\}", pattern)
    if not group:
        yield pattern
        return
    for choice in group[1].split(","):
        yield from spread(pattern[: group.start()] + choice + pattern[group.end() :])


def is_held_out(family: str) -> bool:
    """Return whether a family, by the name that its fonts carry, is kept for evaluation."""
    words = f"{family.replace('-', ' ')} ".casefold()
    return any(words.startswith(f"{name} ".casefold()) for name in HELDOUT_FAMILIES)


def family_of(file: FontFile) -> str:
    """Return the name of the family that a face says it belongs to."""
    with open_face(file) as font:
        names = font["name"]
        return names.getDebugName(16) or names.getDebugName(1) or file.path.stem


def open_face(file: FontFile) -> TTFont:
    """Return the face as fontTools sees it."""
    return TTFont(file.path, fontNumber=file.index, lazy=True, recalcTimestamp=False)


def export_face(file: FontFile, folder: Path) -> dict | None:
    """Write one face with nothing but its characters; return its entry.

    None, and no file, if it has hardly any or draws small capitals for lower case.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{file.script}_{file.path.stem}".lstrip("_"))
    with open_face(file) as font:
        redirect(font, file.draws)
        characters = "".join(sorted(set(file.characters) & set(map(chr, font.getBestCmap()))))
        if len(characters) < FEWEST:
            return None
        target = folder / f"{name}.{'otf' if 'CFF ' in font else 'ttf'}"
        cut_down(font, characters)
        folder.mkdir(parents=True, exist_ok=True)
        font.save(target)
    drawn = drawn_well(target, characters)
    if len(drawn) < FEWEST or draws_small_capitals(target, drawn):
        target.unlink()
        return None
    return {
        "file": target.name,
        "family": family_of(file),
        "held_out": file.held_out,
        "han": len(HAN_SET & set(drawn)) > 3000,
        "gothic": file.gothic,
        "foreign": bool(file.script),
        "script": file.script,
        "characters": drawn,
    }


def redirect(font: TTFont, draws: Iterable[str]) -> None:
    """Give characters the glyph that the font has under another one."""
    glyphs = font.getBestCmap()
    for character, source in draws:
        for table in font["cmap"].tables:
            if table.isUnicode() and ord(source) in glyphs:
                table.cmap[ord(character)] = glyphs[ord(source)]


def cut_down(font: TTFont, characters: str) -> None:
    """Take everything out of the font but plain glyphs of the characters."""
    options = Options(
        layout_features=[],
        hinting=False,
        notdef_outline=False,
        name_IDs=[1, 2, 4],
        glyph_names=False,
    )
    options.drop_tables += DROPPED_TABLES
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)


def drawn_well(path: Path, characters: str) -> str:
    """Return the characters that a font file draws as it should.

    That is with ink, but spaces without; moving on, but for marks that stand on a letter; and
    unlike any character before it, for beyond ASCII nobody could tell which was meant.
    """
    font = open_font(path)
    seen, kept = set(), []
    for character in sorted(characters):
        ink = font.getmask(character, "L")
        if character.isspace() != (ink.getbbox() is None):
            continue
        if character not in HAN_SET:
            width = font.getlength(character)
            look = hash((width, font.getbbox(character, anchor="ls"), bytes(ink)))
            doubtful = look in seen and not character.isascii() and character not in ALIKE
            seen.add(look)
            if doubtful or (width <= 0 and not category(character).startswith("M")):
                continue
        kept.append(character)
    return "".join(kept)


def draws_small_capitals(path: Path, characters: str) -> bool:
    """Return whether the lower case of a font is as high as its capitals."""
    if not set("xzXZ") <= set(characters):
        return False
    font = open_font(path)
    low, high = (-font.getbbox(letters, anchor="ls")[1] for letters in ("xz", "XZ"))
    return low > CAPITALS * high


def open_font(path: Path) -> ImageFont.FreeTypeFont:
    """Return a font as Pillow draws it, glyph by glyph."""
    return ImageFont.truetype(str(path), PROBE, layout_engine=ImageFont.Layout.BASIC)

"""Fonts for the charts that are pictures: which one on this machine has all glyphs of a text."""

import os
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont, features

# Usual fonts by file name, the first one that has all glyphs is taken.
LATIN = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "FreeSans.ttf")
LATIN += ("segoeui.ttf", "arial.ttf", "Arial.ttf", "Arial Unicode.ttf", "Roboto-Regular.ttf")
HAN = ("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf")
HAN += ("NotoSansSC-Regular.ttf", "SourceHanSansSC-Regular.otf", "SourceHanSansCN-Regular.otf")
HAN += ("SourceHanSans-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "PingFang.ttc")
HAN += ("Hiragino Sans GB.ttc", "STHeiti Light.ttc", "msyh.ttc", "simhei.ttf", "simsun.ttc")
HAN += ("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "uming.ttc", "ukai.ttc")
OTHERS = ("Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Kannada", "Malayalam")
OTHERS += ("Gujarati", "Gurmukhi", "Oriya", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar")
OTHERS += ("Tibetan", "Ethiopic", "Georgian", "Armenian", "Mongolian", "Syriac")
NAMES = (*LATIN, *HAN, *(f"NotoSans{script}-Regular.ttf" for script in OTHERS))
# Of several fonts in one file, the one with the shapes that are usual in mainland China.
PLACES = {"NotoSansCJK-Regular.ttc": 2}
BUILT_IN = ""  # the font inside Pillow, for plain Latin texts where there is no other

FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("%WINDIR%/Fonts", "%LOCALAPPDATA%/Microsoft/Windows/Fonts"),
}
MEASURED = 32  # pixels of the glyphs that are looked at
ABSENT = "\U0010ffff"  # no font has a glyph for it: drawn as a font draws what it lacks
UNDRAWN = "\u200c\u200d\u200e\u200f"  # without a glyph of their own even where they are known


@cache
def installed() -> dict[str, Path]:
    """Return the paths of the fonts in NAMES that this machine has, by file name."""
    found: dict[str, Path] = {}
    for folder in FOLDERS.get(sys.platform, FOLDERS["linux"]):
        root = os.path.expanduser(os.path.expandvars(folder))
        for place, _, names in sorted(os.walk(root)):
            for name in names:
                found.setdefault(name, Path(place) / name)
    return {name: found[name] for name in NAMES if name in found}


def font_for(texts: Iterable[str]) -> str | None:
    """Return the font that has all glyphs of the texts: a path, or BUILT_IN; None without one."""
    characters = set("".join(texts))
    if not can_shape(characters):
        return None
    for font in (*map(str, installed().values()), BUILT_IN):
        if has_glyphs(font, characters):
            return font
    return None


def can_shape(characters: Iterable[str]) -> bool:
    """Return whether the texts are drawn as they are written: joined, and from the right."""
    return features.check_feature("raqm") or not any(is_shaped(one) for one in characters)


def is_shaped(character: str) -> bool:
    """Return whether a character's glyph depends on its neighbours, or runs from the right."""
    # Hebrew to Mongolian, with all of India's scripts; and the Arabic presentation forms.
    return "\u0590" <= character <= "\u18af" or "\ufb1d" <= character <= "\ufdff"


def has_glyphs(font: str, characters: Iterable[str]) -> bool:
    """Return whether a font can draw all of the characters; a damaged font cannot."""
    try:
        return all(has_glyph(font, one) for one in characters)
    except OSError:
        return False


@lru_cache(maxsize=4096)
def has_glyph(font: str, character: str) -> bool:
    """Return whether a font draws a character otherwise than one that nobody has."""
    if character.isspace() or character in UNDRAWN:
        return True
    drawn, absent = (glyph(font, one) for one in (character, ABSENT))
    return any(drawn[1]) and drawn != absent


def glyph(font: str, character: str) -> tuple[tuple[int, int], bytes]:
    """Return the size and the pixels of a character."""
    mask = load_font(font, MEASURED).getmask(character)
    return mask.size, bytes(mask)


@lru_cache(maxsize=64)
def load_font(font: str, pixels: int, is_plain: bool = True) -> ImageFont.FreeTypeFont:
    """Return a font of `font_for` at a size; plain: without joining letters, alike everywhere."""
    raqm = not is_plain and features.check_feature("raqm")
    layout = ImageFont.Layout.RAQM if raqm else ImageFont.Layout.BASIC
    if font == BUILT_IN:
        return ImageFont.load_default(pixels)
    place = PLACES.get(Path(font).name, 0)
    return ImageFont.truetype(font, pixels, place, layout_engine=layout)


def font_of(text: str, size: int, preferred: str) -> ImageFont.FreeTypeFont | None:
    """Return the preferred font at a size if it has the text's glyphs, else one that has."""
    font = preferred if has_glyphs(preferred, set(text)) and can_shape(text) else font_for([text])
    if font is None:
        return None
    return load_font(font, size, not any(is_shaped(one) for one in text))


def plain(text: str) -> str:
    """Return the text with signs that the font inside Pillow has."""
    return text.translate({0x2013: "-", 0x2026: "...", 0x2192: "->"})

"""What the fonts of pretraining may be, tried on copies of the one font that Pillow always has."""

import io
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from PIL import ImageFont

from ocrtune.pretrain.font_lists import GOTHIC_FONTS, HELDOUT_FONTS, TRAIN_FONTS
from ocrtune.pretrain.fonts import (
    FontFile,
    export_face,
    export_fonts,
    find_fonts,
    is_held_out,
    open_face,
    spread,
)
from ocrtune.pretrain.foreign_scripts import FOREIGN, HELDOUT_SCRIPTS


def make_font(path: Path, family: str, draws: dict[str, str] | None = None) -> Path:
    """Write a font of that family; `draws` gives characters the glyph of others."""
    font = TTFont(io.BytesIO(ImageFont.load_default(20).font_bytes))
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = family
    for table in font["cmap"].tables:
        glyphs = dict(table.cmap)
        table.cmap.update(
            {ord(c): glyphs[ord(source)] for c, source in (draws or {}).items()}
            if table.isUnicode()
            else {}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)
    return path


def test_a_held_out_family_never_trains_whatever_its_file_is_called(tmp_path):
    make_font(tmp_path / "arvo" / "Arvo-Regular.ttf", "Arvo")
    make_font(tmp_path / "arvo" / "Renamed.ttf", "Cabin Condensed")
    make_font(tmp_path / "bitter" / "Bitter-Regular.ttf", "Bitter")
    found = {file.path.name: file.held_out for file in find_fonts([tmp_path])}
    assert found == {"Arvo-Regular.ttf": False, "Bitter-Regular.ttf": True}


@pytest.mark.parametrize(
    ("family", "held_out"),
    [("PT Sans Narrow", True), ("Inter", True), ("Interstate", False), ("FandolHei-Bold", True)],
)
def test_a_family_is_told_by_whole_words(family, held_out):
    assert is_held_out(family) == held_out


def test_no_pattern_for_training_is_one_for_evaluation():
    kept = {glob for pattern in HELDOUT_FONTS for glob in spread(pattern.path)}
    assert kept.isdisjoint(g for p in (*TRAIN_FONTS, *GOTHIC_FONTS) for g in spread(p.path))


def test_a_double_hyphen_is_exported_as_one_and_not_as_a_hyphen(tmp_path):
    make_font(tmp_path / "in" / "yfonts-otf" / "yfrak.otf", "Yannis Fraktur")
    (entry,) = export_fonts(tmp_path / "out", [tmp_path / "in"])
    assert (entry["gothic"], entry["held_out"], entry["foreign"]) == (True, False, False)
    assert "⸗" in entry["characters"]
    assert not set("-ÄÖÜ") & set(entry["characters"])
    with open_face(FontFile(tmp_path / "out" / entry["file"], 0, False)) as font:
        assert set(entry["characters"]) <= set(map(chr, font.getBestCmap()))


def test_glyphs_that_say_nothing_or_something_else_are_left_out(tmp_path):
    wrong = {" ": "x", "¥": " ", "„": "w", "Ⅹ": "X"}
    path = make_font(tmp_path / "font.ttf", "Test", draws=wrong)
    characters = export_face(FontFile(path, 0, False), tmp_path / "out")["characters"]
    assert not set(wrong) & set(characters)
    assert set("xwX") <= set(characters)


def test_a_face_with_small_capitals_for_lower_case_is_not_exported(tmp_path):
    letters = "abcdefghijklmnopqrstuvwxyz"
    path = make_font(
        tmp_path / "font.ttf", "Test", dict(zip(letters, letters.upper(), strict=True))
    )
    assert export_face(FontFile(path, 0, False), tmp_path / "out") is None
    assert not list((tmp_path / "out").glob("*"))


def test_scripts_kept_for_evaluation_are_not_drawn_in_training():
    drawn = {character for script in FOREIGN for character in script.characters}
    kept = {character for script in HELDOUT_SCRIPTS for word in script.words for character in word}
    assert len(HELDOUT_SCRIPTS) == 7
    assert drawn.isdisjoint(kept)
    assert all(len(script.characters) <= 300 for script in FOREIGN)

"""The evaluation sets: texts cut as print cuts them, pictures that show what is written."""

import importlib
import random
from pathlib import Path
from statistics import fmean

import numpy
import pytest
from PIL import Image, ImageFont

from ocrtune.errors import DatasetError
from ocrtune.pretrain.drawing import FLAWS, PictureStyle, add_flaw, choose_print, render_line_image
from ocrtune.pretrain.evaluate import load_lines
from ocrtune.pretrain.evaluation_texts import (
    Paragraphs,
    cut_line,
    is_prose,
    manual_lines,
    without_torn_words,
)

PAGE = """<html><head><title>no</title></head><body><p>One <b>bold</b> word,
and more.</p><pre>$ a program</pre><div>Next<p>Inner.</p>Rest &amp; end</div></body></html>"""


@pytest.fixture(scope="module")
def font(tmp_path_factory):
    """The one font that Pillow always has."""
    path = tmp_path_factory.mktemp("font") / "Aileron.otf"
    path.write_bytes(ImageFont.load_default(20).font_bytes)
    return path


@pytest.fixture
def pictures():
    """The module that makes the sets: fontTools is for the recipe only."""
    pytest.importorskip("fontTools")
    return importlib.import_module("ocrtune.pretrain.pictures")


def ink(picture: Image.Image) -> numpy.ndarray:
    return 255 - numpy.asarray(picture.convert("L"), float)


def test_long_lines_are_long_and_keep_their_words():
    sentence = " ".join(["every", "word", "stays", "whole"] * 12)
    pieces = [cut_line(sentence, None, random.Random(seed), 60) for seed in range(200)]
    assert all(len(piece) <= 100 for piece in pieces)
    # The next word may not fit any more; `evaluation_lines` passes over what got too short.
    assert sum(len(piece) >= 60 for piece in pieces) > 180
    assert {word for piece in pieces for word in piece.split()} <= set(sentence.split())


@pytest.mark.parametrize(
    ("start", "end", "piece"),
    [
        (0, 4, "使用"),  # `apt` is cut short behind
        (3, 8, "命令"),  # and in front
        (2, 7, "apt命令"),
        (0, 8, "使用apt命令。"),
    ],
)
def test_a_chinese_line_tears_no_latin_word(start, end, piece):
    assert without_torn_words("使用apt命令。", start, end).rstrip("。") == piece.rstrip("。")


def test_paragraphs_of_a_page_without_its_programs():
    parser = Paragraphs()
    parser.feed(PAGE)
    parser.flush()
    assert parser.found == ["One bold word, and more.", "Next", "Inner.", "Rest & end"]


def test_a_manual_page_loses_its_markup():
    page = ".SH NAME\n\\fBls\\fP \\- list\n\\*(lq odd\n.PP\nplain line"
    assert list(manual_lines(page)) == ["ls - list", "plain line"]


@pytest.mark.parametrize(
    ("text", "language", "prose"),
    [
        ("The cat of the house and the dog are friends", "en", True),
        ("Der Hund und die Katze von nebenan sind nicht da", "en", False),
        ("Der Hund und die Katze von nebenan sind nicht da", "de", True),
        ("The packages in the archive are not translated yet", "de", False),  # left untranslated
        ("--with-foo=1 --with-bar=2 {the} [of] <and> (to) 12345 67890", "en", False),
        ("命令可显示各种信息。", "zh", True),
        ("浏览熵", "zh", False),  # too short
        ("浏览器里的熵是什么呢", "zh", True),  # beyond the model's alphabet, as print is
        ("東風又作無情計", "zh", False),  # not simplified
    ],
)
def test_prose_is_told_from_other_languages_and_listings(text, language, prose):
    assert is_prose(text, language) == prose


def test_letter_spacing_and_stretching_make_the_line_wider(font):
    plain = render_line_image("letters", font, 30)
    spaced = render_line_image("letters", font, 30, PictureStyle(spacing=0.2))
    wide = render_line_image("letters", font, 30, PictureStyle(stretch=1.2))
    assert spaced.width == pytest.approx(plain.width + 6 * 0.2 * 30, abs=2)
    assert wide.width == pytest.approx(plain.width * 1.2, abs=1)
    assert ink(spaced).sum() == pytest.approx(ink(plain).sum(), rel=0.02)  # no letter lost


def test_an_underline_lies_below_the_letters(font):
    plain = ink(render_line_image("mmm", font, 40))
    lined = ink(render_line_image("mmm", font, 40, PictureStyle(underline=0.05)))
    added = lined[: plain.shape[0], : plain.shape[1]] - plain
    rows = numpy.flatnonzero(added.sum(1) > 100)
    lowest = numpy.flatnonzero(plain.sum(1) > 100).max()
    assert len(rows)
    assert rows.min() > lowest


def test_show_through_is_the_mirrored_other_line_and_fainter(font):
    style = PictureStyle(shine=0.3, seed=2)
    alone = ink(render_line_image("front", font, 40, style))
    shown = ink(render_line_image("front", font, 40, style, behind="LLLLLLLL"))
    added = shown - alone
    assert added.min() > -1  # the front keeps all its ink
    assert 10 < added.max() < 0.4 * alone.max()


@pytest.mark.parametrize("flaw", FLAWS)
def test_every_flaw_changes_the_picture_and_leaves_it_readable(pictures, font, flaw):
    clean = PictureStyle(seed=1)
    style = add_flaw(clean, flaw, 40, random.Random(3))
    if flaw == "small":  # its flaw is the size alone
        assert pictures.SMALL == 20
        return
    before = ink(render_line_image("The quick brown fox", font, 40, clean, behind="other"))
    after = ink(render_line_image("The quick brown fox", font, 40, style, behind="other"))
    assert before.shape != after.shape or numpy.abs(before - after).mean() > 0.5
    dark, light = numpy.percentile(255 - after, (5, 60))
    assert light - dark > 60  # grey levels between ink and paper


def test_binarised_pictures_have_two_colours(font):
    style = add_flaw(PictureStyle(seed=1), "binary", 40, random.Random(1))
    picture = render_line_image("black and white", font, 40, style)
    assert set(numpy.unique(numpy.asarray(picture))) == {0, 255}


def test_blank_papers_and_noise_have_no_ground_truth(pictures, monkeypatch):
    monkeypatch.setattr(pictures, "foreign_lines", lambda seed: iter(()))
    rows = list(pictures.nothing(seed=4))
    assert len(rows) == pictures.BLANK + pictures.NOISE
    assert {text for _, _, text in rows} == {""}
    assert len({name for name, _, _ in rows}) == len(rows)
    again = list(pictures.nothing(seed=4))
    assert all(a[1].tobytes() == b[1].tobytes() for a, b in zip(rows, again, strict=True))


def test_digits_stand_in_the_order_of_their_text(pictures):
    if not pictures.digits_file().is_file():
        pytest.skip("scikit-learn is not installed")
    rows = list(pictures.handwritten_digits(seed=5))
    assert len(rows) == pictures.DIGIT_ROWS
    assert all(4 <= len(text) <= 10 and text.isdecimal() for _, _, text in rows)
    # A nought has its ink at its sides, a one in the middle.
    spreads: dict[str, list[float]] = {"0": [], "1": []}
    for _, picture, text in rows[:40]:
        values, side = ink(picture), (picture.width - 20) / len(text)
        for place, digit in enumerate(text):
            if digit in spreads:
                left = round(10 + place * side)
                spreads[digit].append(spread(values[:, left : round(left + side)]))
    assert len(spreads["0"]) > 15
    assert fmean(spreads["0"]) > 1.3 * fmean(spreads["1"])


def spread(cell: numpy.ndarray) -> float:
    """Return the standard deviation of the ink's place along the line."""
    column = (cell - numpy.percentile(cell, 60)).clip(40).sum(0) - 40 * len(cell)
    places = numpy.arange(len(column))
    middle = (column * places).sum() / column.sum()
    return float(((column * (places - middle) ** 2).sum() / column.sum()) ** 0.5)


def test_a_set_is_pictures_and_a_content_file_that_is_read_again(pictures, tmp_path, font):
    style = choose_print(random.Random(1), 30, chinese=False)
    rows = [
        (f"en-{n:04}.png", render_line_image(text, font, 30, style), text)
        for n, text in enumerate(("two words", "", "three short words"))
    ]
    pictures.write_set(tmp_path / "set", iter(rows))
    lines = load_lines(tmp_path / "set")
    assert [(path.name, text) for path, text in lines] == [(name, text) for name, _, text in rows]
    for (path, _), row in zip(lines, rows, strict=True):
        with Image.open(path) as picture:
            assert picture.size == row[1].size
    assert all(path.stat().st_size < 20_000 for path, _ in lines)


def test_a_limit_takes_every_language(tmp_path):
    names = [f"{language}-{n:04}.png" for n in range(100) for language in ("zh", "en", "de")]
    (tmp_path / "content.md").write_text("".join(f"{name} text\n" for name in names), "utf-8")
    chosen = load_lines(tmp_path, 30)
    assert len(chosen) == 30
    assert chosen == load_lines(tmp_path, 30)
    assert {path.name[:2] for path, _ in chosen} == {"zh", "en", "de"}


def test_missing_packages_are_named(pictures, monkeypatch):
    monkeypatch.setattr(pictures, "missing_packages", lambda: ["debian-handbook", "fortunes-zh"])
    monkeypatch.setattr(pictures, "digits_file", lambda: Path(__file__))
    with pytest.raises(DatasetError) as raised:
        pictures.require_sources()
    assert "apt install debian-handbook fortunes-zh" in raised.value.fix


def test_missing_fonts_are_named(pictures, monkeypatch):
    monkeypatch.setattr(pictures, "missing_packages", lambda: [])
    monkeypatch.setattr(pictures, "digits_file", lambda: Path(__file__))
    monkeypatch.setattr(pictures, "font_paths", lambda roots: [])
    with pytest.raises(DatasetError) as raised:
        pictures.require_sources()
    assert "wqy-zenhei" in raised.value.problem

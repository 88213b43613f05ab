"""Colours that can be told apart: WCAG AA on the page, in the report and in its pictures."""

import re

import pytest

from ocrtune import report_png, report_style
from ocrtune.ui import theme

TEXT, SHAPE = 4.5, 3.0  # what WCAG AA asks of letters, and of what else has to be seen
SIDES = ("light", "dark")
BEHIND = ("missing", "extra", "wrong", "good", "bad", "busy", "card", "page")
SCRIPTS = [f"share-{number}" for number in range(6)]
ERRORS = ["substitutions", "deletions", "insertions"]


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, as WCAG defines it."""
    whole = colour.lstrip("#")
    whole = "".join(2 * one for one in whole) if len(whole) == 3 else whole
    parts = [int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def variables(css: str, prefix: str = "--") -> dict[str, str]:
    """Return the colours that a rule names."""
    return dict(re.findall(rf"{prefix}([a-z0-9-]+):\s*(#[0-9a-f]{{3,6}})\b", css))


def tokens(side: str) -> dict[str, str]:
    """Return the colours of the page's theme, without references to others."""
    made = theme.theme()

    def resolved(name: str) -> str:
        value = getattr(made, name)
        value = resolved(value[1:]) if value.startswith("*") else value
        return {"white": "#ffffff", "black": "#000000"}.get(value, value)

    def one(name: str) -> str:
        dark = f"{name}_dark"
        return resolved(dark if side == "dark" and getattr(made, dark, None) else name)

    names = [name for name in vars(made) if "color" in name or "fill" in name]
    found = {name: one(name) for name in names if isinstance(getattr(made, name), str)}
    return {name: value for name, value in found.items() if re.fullmatch("#[0-9a-f]{3,6}", value)}


def page_colours(side: str) -> dict[str, str]:
    """Return the colours of the style sheet, with what lies behind them."""
    light, dark = re.findall(r"(?:^:root|^\.dark) \{([^}]*)\}", theme.style(), re.M)[:2]
    known = tokens(side)
    behind = {"card": known["block_background_fill"], "page": known["body_background_fill"]}
    return variables(light, "--ot-") | (variables(dark, "--ot-") if side == "dark" else {}) | behind


def report_colours(side: str) -> dict[str, str]:
    """Return the colours of report.html."""
    light, dark = re.findall(r":root \{([^}]*)\}", report_style.PALETTE)[:2]
    return variables(light) | (variables(dark) if side == "dark" else {})


def test_the_measure_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("side", SIDES)
def test_every_text_of_the_page_can_be_read_on_all_that_lies_behind_it(side):
    colours = page_colours(side)
    faint = {
        (letters, behind): contrast(colours[letters], colours[behind])
        for letters, places in (
            ("ink", (*BEHIND, "track")),
            ("soft", (*BEHIND, "track")),
            ("green", ("good", "card", "page", "busy")),
        )
        for behind in places
    }
    assert {pair: value for pair, value in faint.items() if value < TEXT} == {}


@pytest.mark.parametrize("side", SIDES)
def test_every_shape_of_the_page_stands_out(side):
    colours = page_colours(side)
    shapes = ["base", "green", "faint", *ERRORS, *SCRIPTS]
    assert {name for name in shapes if contrast(colours[name], colours["card"]) < SHAPE} == set()
    assert contrast(colours["green"], colours["track"]) >= SHAPE, "how far a bar is"


@pytest.mark.parametrize("side", SIDES)
def test_the_theme_can_be_read(side):
    colours = tokens(side)
    pairs = [
        (letters, behind)
        for letters, behind in (
            ("body_text_color", "body_background_fill"),
            ("body_text_color_subdued", "body_background_fill"),
            ("body_text_color_subdued", "block_background_fill"),
            ("block_label_text_color", "block_background_fill"),
            ("block_title_text_color", "block_background_fill"),
            ("block_info_text_color", "block_background_fill"),
            ("button_primary_text_color", "button_primary_background_fill"),
            ("button_primary_text_color", "button_primary_background_fill_hover"),
            ("button_secondary_text_color", "button_secondary_background_fill"),
            ("button_secondary_text_color", "button_secondary_background_fill_hover"),
            ("input_placeholder_color", "input_background_fill"),
            ("link_text_color", "block_background_fill"),
            ("link_text_color", "body_background_fill"),
        )
        if contrast(colours[letters], colours[behind]) < TEXT
    ]
    assert pairs == []
    for shape in ("color_accent", "checkbox_border_color"):
        assert contrast(colours[shape], colours["block_background_fill"]) >= SHAPE, shape


@pytest.mark.parametrize("side", SIDES)
def test_the_report_can_be_read(side):
    colours = report_colours(side)
    letters = ["ink", "soft", "base", *ERRORS]
    shapes = ["tuned", "more", "faint"]
    assert {one for one in letters if contrast(colours[one], colours["page"]) < TEXT} == set()
    assert {one for one in shapes if contrast(colours[one], colours["page"]) < SHAPE} == set()
    marks = {one: contrast(colours["ink"], colours[one]) for one in ("missing", "extra", "wrong")}
    assert {one: value for one, value in marks.items() if value < TEXT} == {}
    assert "fill: #" not in report_style.DRAWN, "a colour that the dark side does not know"


def test_the_pictures_of_the_charts_are_the_report_on_paper():
    report = report_colours("light")
    drawn = report_png.COLOURS
    assert {one: drawn[one] for one in drawn if one in report} == {
        one: report[one] for one in drawn if one in report
    }
    assert contrast(report_png.SOFT, report_png.PAPER) >= TEXT
    shapes = set(drawn) - {"band", "rule"}  # behind the rest, and less than the rest
    assert {one for one in shapes if contrast(drawn[one], report_png.PAPER) < SHAPE} == set()

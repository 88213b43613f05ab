"""The charts of a report as PNG files: the drawings of the page, for slides and papers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ocrtune.report_charts import drawings, further
from ocrtune.report_drawings import Drawing, readable
from ocrtune.report_fonts import font_for
from ocrtune.report_png import draw
from ocrtune.report_words import WORDS

# Every file that there may be; a chart without anything to show is not written.
FILES = ("chart_cer.png", "chart_errors.png", "chart_lengths.png")
SPOKEN = ("chart_rates", "chart_errors", "chart_lengths", "base", "tuned", "grey_whiskers")
SPOKEN += ("substitutions", "deletions", "insertions", "characters", "one_line", "many_lines")


def write_charts(values: Mapping, folder: Path, language: str = "en") -> list[Path]:
    """Write the charts of a report's values into its folder; return their paths.

    In English where no font here has the language's letters; see `chart_notes`.
    """
    words = WORDS[language if can_draw(WORDS[language], SPOKEN) else "en"]
    named, _ = drawable(values, words)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)  # of an earlier comparison
    return save(drawings(named, words), folder)


def save(drawn: Sequence[Drawing], folder: Path) -> list[Path]:
    """Write each drawing under its name as a PNG file; return the paths."""
    paths = [folder / f"{one.name}.png" for one in drawn]
    for path, one in zip(paths, drawn, strict=True):
        path.write_bytes(draw(one))
    return paths


def can_draw(words: Mapping[str, str], names: Sequence[str]) -> bool:
    """Return whether a font on this machine has all letters of these words."""
    return font_for(words[name] for name in names) is not None


def chart_notes(values: Mapping, language: str = "en") -> list[str]:
    """Return a sentence on everything that is drawn otherwise than it should be for want of fonts.

    In English, as all notes of a job are.
    """
    notes, words = [], WORDS[language]
    if not can_draw(words, SPOKEN):
        notes.append(other_language(language))
        words = WORDS["en"]
    return notes + drawable(values, words)[1]


def other_language(language: str) -> str:
    """Return that the words of the pictures are English, and what would change that."""
    return (
        f"Charts as PNG are in English, not in `{language}`: no font with its letters was found. "
        "Install one, such as `fonts-noto-cjk`, and run the same command again."
    )


def drawable(values: Mapping, words: Mapping[str, str]) -> tuple[Mapping[str, Any], list[str]]:
    """Return the values with a number for each model whose name no font has, and who that is."""
    told = {}
    for place, one in enumerate((values.get("ranking") or {}).get("models", ()), start=1):
        if one in further(values) and font_for([readable(one["name"])]) is None:
            told[one["name"]] = f"{words['model']} {place}"
    if not told:
        return values, []
    models = [
        {**one, "name": told.get(one["name"], one["name"])} for one in values["ranking"]["models"]
    ]
    notes = [
        f"`{name}` is called `{short}` in chart_cer.png: no font with its letters was found."
        for name, short in told.items()
    ]
    return {**values, "ranking": {**values["ranking"], "models": models}}, notes

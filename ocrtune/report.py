"""What people keep of a comparison: JSON, CSV and one HTML file; and the JSON read back."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ocrtune.comparisons import Comparison, Line, build_comparison
from ocrtune.errors import MetricsError, OcrtuneError
from ocrtune.events import Emit, Note, silent
from ocrtune.records import OcrContract, Prediction, Sample
from ocrtune.report_charts_png import chart_notes, write_charts
from ocrtune.report_page import render_page
from ocrtune.report_schema import SCHEMA_VERSION
from ocrtune.report_values import report_values
from ocrtune.spreadsheet import write_table
from ocrtune.verdicts import verdict

__all__ = [
    "Comparison",
    "Line",
    "build_comparison",
    "read_report",
    "report_values",
    "verdict",
    "write_report",
]

NEEDED = {"contract", "split", "lines", "models", "base", "tuned", "difference", "verdict", "worst"}
AGAIN = "Make one with `python -m ocrtune compare`."


def write_report(
    comparison: Comparison,
    pictures: Mapping[str, bytes],
    folder: Path,
    language: str = "en",
    emit: Emit = silent,
) -> dict[str, Path]:
    """Write report.json, lines.csv, report.html and its charts as PNG; return their paths.

    By name: json, csv, html, and chart_cer, chart_errors, chart_lengths as far as there are any.

    pictures: encoded images by picture id; only those of the lines shown are asked for.
    """
    values = report_values(comparison)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "json": folder / "report.json",
        "csv": folder / "lines.csv",
        "html": folder / "report.html",
    }
    # Half of a surrogate pair cannot be UTF-8; backslashed it is JSON's own escape.
    with paths["json"].open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.writelines(as_json(values))
    write_table(paths["csv"], list(values["worst"][0]), values["worst"])
    paths["html"].write_text(render_page(values, pictures, language), "utf-8", errors="replace")
    charts = write_charts(values, folder, language)
    for note in chart_notes(values, language):
        emit(Note(note))
    return {**paths, **{path.stem: path for path in charts}}


def as_json(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pieces of report.json: indented, but every line of the split on one row."""
    others = {name: value for name, value in values.items() if name != "worst"}
    yield json.dumps(others, indent=1, ensure_ascii=False, allow_nan=False)[:-2]
    yield ',\n "worst": ['
    for number, line in enumerate(values["worst"]):
        yield ",\n  " if number else "\n  "
        yield json.dumps(line, ensure_ascii=False, allow_nan=False)
    yield "\n ]\n}\n"


def read_report(path: Path) -> dict[str, Any]:
    """Return the values of a report.json, those of an earlier version counted again."""
    path = Path(path)
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MetricsError(f"`{path}` cannot be read as a report: {error}.", AGAIN) from error
    missing = sorted(NEEDED - set(values)) if isinstance(values, dict) else sorted(NEEDED)
    if missing:
        raise MetricsError(
            f"`{path}` is not a report of ocrtune: it lacks {', '.join(missing)}.", AGAIN
        )
    version = values.get("schema_version", 1)
    if version == SCHEMA_VERSION:
        return values
    if version != 1:
        raise MetricsError(
            f"`{path}` was written by another version of ocrtune (schema {version}).",
            "Update ocrtune, or make the report again with `python -m ocrtune compare`.",
        )
    try:
        return report_values(count_again(values))
    except (KeyError, TypeError, ValueError, AttributeError, OcrtuneError) as error:
        raise MetricsError(
            f"`{path}` is a report of an earlier ocrtune that cannot be counted again: {error}.",
            AGAIN,
        ) from error


def count_again(values: Mapping[str, Any]) -> Comparison:
    """Return the comparison that a report of version 1 tells of, from the texts of its lines."""
    lines = values["worst"]
    samples = [
        Sample(picture_id=line["picture_id"], picture=b"", text=line["reference"]) for line in lines
    ]
    base, tuned = (
        [
            Prediction(
                picture_id=line["picture_id"],
                text=line[model],
                seconds=0.0,
                model=values["models"][model],
                looped=line[f"{model}_looped"],
                failed=line[f"{model}_failed"],
                cut=line.get(f"{model}_cut", False),
            )
            for line in lines
        ]
        for model in ("base", "tuned")
    )
    contract = OcrContract.from_dict(values["contract"])
    return build_comparison(contract, values["split"], samples, base, tuned)

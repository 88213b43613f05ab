"""Tables that people open in a spreadsheet: CSV that shows its cells and runs none of them."""

import csv
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

# A spreadsheet runs a cell that begins so; the full-width forms too, in East Asian editions.
FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as CSV in UTF-8; its byte order mark tells Excel so."""
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as stream:
        table = csv.DictWriter(stream, columns)
        table.writeheader()
        for row in rows:
            table.writerow({name: harmless(value) for name, value in row.items()})


def harmless(value: object) -> object:
    """Return the value as a spreadsheet may open it: an apostrophe keeps a formula from running."""
    if not isinstance(value, str):
        return value
    # what Excel skips before it looks for a formula: spaces, and signs without a width
    seen = next((one for one in value if unicodedata.category(one)[0] not in "CZ"), "")
    is_formula = value.startswith(FORMULA_STARTS) or seen in FORMULA_STARTS
    return f"'{value}" if is_formula else value

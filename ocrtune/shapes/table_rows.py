"""The rows of CSV, TSV, JSONL and JSON files, whatever wrote them."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ocrtune.content import is_picture_name
from ocrtune.errors import DatasetError
from ocrtune.ground_truth import Reject, reject
from ocrtune.remarks import remark
from ocrtune.shapes.chat_rows import chat_cells

SEPARATORS = ",\t;|"
CSV_SUFFIXES = (".csv", ".tsv", ".tab")
JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")
SUFFIXES = (*CSV_SUFFIXES, *JSON_LINES, ".json")
CELL_CHARS = 1_000_000  # of one CSV cell; the text of a page has 10,000
PATH, TEXT = "path", "text"  # the columns of an object {path: text}
LISTS = ("data", "annotations", "samples", "items", "rows", "images", "labels", "data_list")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: the cells by their column, and the line it begins in."""

    line_number: int
    cells: dict[str, str]


def read_rows(name: str, text: str) -> tuple[list[str], list[TableRow], list[Reject]]:
    """Return the columns, the rows and what is no row of a table file; in the file's order."""
    suffix = "." + name.rpartition(".")[2].lower()
    if suffix in JSON_LINES:
        return json_lines(name, text)
    if suffix == ".json":
        return json_file(name, text)
    return csv_rows(name, text)


def csv_rows(name: str, text: str) -> tuple[list[str], list[TableRow], list[Reject]]:
    """Return columns, rows and rejects of a CSV; columns of one without a header are numbered."""
    csv.field_size_limit(CELL_CHARS)
    separator = find_separator(text)
    has_quotes = f'{separator}"' in text or '\n"' in text or text.startswith('"')
    quoted = csv.QUOTE_MINIMAL if has_quotes else csv.QUOTE_NONE
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=separator, quoting=quoted, skipinitialspace=False)
    columns: list[str] = []
    rows, rejects = [], []
    for line_number, cells in numbered(name, reader):
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns, is_header = header(cells)
            if is_header:
                continue
        if len(cells) > len(columns):
            line = separator.join(cells)
            reason = remark("too_many_cells", count=len(cells), expected=len(columns))
            rejects.append(reject(line_number, line, reason, file=name))
            continue
        rows.append(TableRow(line_number, dict(zip(columns, cells, strict=False))))
    return columns, rows, rejects


def numbered(name: str, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV reader with the line that each begins in."""
    line_number = 1
    try:
        for cells in reader:
            yield line_number, cells
            line_number = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(
            f"`{name}` is no sound CSV from line {line_number} on: {error}.",
            "Look at its quotes and save it again.",
        ) from error


def find_separator(text: str) -> str:
    """Return what separates the cells: what divides the first lines into most equal parts."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    first = lines[0] if lines else ""
    counts = {mark: [line.count(mark) for line in lines] for mark in SEPARATORS}
    every = [mark for mark in SEPARATORS if lines and min(counts[mark]) > 0]
    known = [mark for mark in SEPARATORS if mark in first]
    steady = [mark for mark in every if len(set(counts[mark])) == 1]
    return next(iter([*steady, *every, *known]), ",")


def header(cells: list[str]) -> tuple[list[str], bool]:
    """Return the columns that a first row gives, and whether it is a header itself."""
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    if any(is_picture_name(name) for name in names):
        return [f"column {number}" for number in range(1, len(cells) + 1)], False
    unique = [
        name if name and names.index(name) == place else f"{name or 'column'} {place + 1}"
        for place, name in enumerate(names)
    ]
    return unique, True


def json_lines(name: str, text: str) -> tuple[list[str], list[TableRow], list[Reject]]:
    """Return columns, rows and rejects of a file with one JSON object a line."""
    rows, rejects = [], []
    for line_number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            rejects.append(reject(line_number, line, remark("not_json"), file=name))
            continue
        if isinstance(value, dict):
            rows.append(TableRow(line_number, as_cells(value)))
        else:
            rejects.append(reject(line_number, line, remark("not_object"), file=name))
    return columns_of(rows), rows, rejects


def json_file(name: str, text: str) -> tuple[list[str], list[TableRow], list[Reject]]:
    """Return columns, rows and rejects of a JSON list of objects, or an object {path: text}."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip()[:1] == "{" and "}\n" in text:
            return json_lines(name, text)
        raise DatasetError(
            f"`{name}` is no sound JSON: {str(error)[:100]}.", "Write it again."
        ) from error
    if isinstance(value, dict):
        if pairs := path_to_text(value):
            return [PATH, TEXT], pairs, []
        inner = [value[key] for key in LISTS if isinstance(value.get(key), list)]
        value = inner[0] if inner else [value]
    rows, rejects = [], []
    for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
        if isinstance(item, dict):
            rows.append(TableRow(number, as_cells(item)))
        else:
            line = json.dumps(item, ensure_ascii=False)
            rejects.append(reject(number, line, remark("not_object"), file=name))
    return columns_of(rows), rows, rejects


def path_to_text(value: dict[str, Any]) -> list[TableRow]:
    """Return the rows of an object {path: text}; none when it is something else."""
    inner = [value[key] for key in ("labels", "data") if isinstance(value.get(key), dict)]
    pairs = inner[0] if inner else value
    strings = [isinstance(text, str) for text in pairs.values()]
    if not strings or not all(strings) or not any(map(is_picture_name, pairs)):
        return []
    return [
        TableRow(n, {PATH: path, TEXT: text}) for n, (path, text) in enumerate(pairs.items(), 1)
    ]


def as_cells(value: dict[str, Any]) -> dict[str, str]:
    """Return an object's values as text; a list of texts becomes lines, other nests are left.

    A conversation about a picture becomes its picture and its text.
    """
    cells = {}
    for key, cell in value.items():
        if isinstance(cell, list) and cell and all(isinstance(one, str) for one in cell):
            cells[key] = "\n".join(cell)
        elif isinstance(cell, dict) and isinstance(cell.get("path"), str):
            cells[key] = cell["path"]  # as datasets writes a picture
        elif isinstance(cell, str | int | float) and not isinstance(cell, bool):
            cells[key] = str(cell)
    return cells | chat_cells(value)


def columns_of(rows: list[TableRow]) -> list[str]:
    """Return the columns of all rows, in the order in which they turn up."""
    return list(dict.fromkeys(column for row in rows for column in row.cells))

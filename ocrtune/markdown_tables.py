"""Content files as a Markdown table: a column of pictures and a column of their texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocrtune.config import BuildConfig
from ocrtune.errors import QuestionError
from ocrtune.links import ESCAPE, find_link
from ocrtune.names import Match, Names, fold, is_picture_name
from ocrtune.path_lines import read_path_lines
from ocrtune.pieces import Piece, Reading
from ocrtune.remarks import remark

ALIGNMENT = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\Z")
BAR = re.compile(r"(?<!\\)(?:\\\\)*\|")
BREAK = re.compile(r"\s*<br\s*/?>\s*", re.I)
NUMBER = re.compile(r"[-+]?\d*(?:[.,]\d+)?%?\Z")
COUNT_HEADERS = ("", "#", "no", "no.", "nr", "nr.", "id", "index", "序号", "编号", "行号")
TEXT_HEADERS = (  # folded; the more telling ones first
    ("ground truth", "ground_truth", "groundtruth", "gt"),
    ("transcription", "transcript", "转写", "转录"),
    ("text", "texts", "文字", "文本", "正文", "文字内容", "文本内容"),
    ("label", "labels", "content", "内容", "标签", "标注"),
)


@dataclass(frozen=True)
class Table:
    """A table within the file; rows are 1-based line numbers with their cells."""

    first_line: int
    header: list[str]  # empty: the table has none
    rows: list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold its pictures and its texts."""

    picture: int
    text: int


def read_tables(lines: Sequence[str], known: Names, config: BuildConfig) -> Reading | None:
    """Return the pictures of all tables of the file, and of its other lines of `path text`.

    None for a file without a table of pictures: those in the text of a page are such text. A
    QuestionError where the column of the texts is unclear.
    """
    tables = [table for table in find_tables(lines) if has_pictures(table, known)]
    if not tables:
        return None
    pieces: list[Piece] = []
    others = ["" if is_separating(line) else line for line in lines]
    for table in tables:
        others[table.first_line - 1 : table.rows[-1][0]] = [""] * (
            table.rows[-1][0] - table.first_line + 1
        )
        pieces += read_table(table, known, config)
    told = [remark("as_table", count=sum(piece.match is not None for piece in pieces))]
    beside = read_path_lines(others, known)
    for piece in beside.pieces:
        if piece.match is None:
            piece.reason = remark("outside_table")
    told += beside.remarks if beside.count_found() else []
    pieces = sorted([*pieces, *beside.pieces], key=lambda piece: piece.line_number)
    return Reading(pieces=pieces, remarks=told)


def has_pictures(table: Table, known: Names) -> bool:
    """Whether at least half of the rows have a cell that is a picture of the archive."""
    hits = sum(any(known.find(cell_path(cell)) for cell in cells) for _, cells in table.rows)
    return 2 * hits >= len(table.rows)


def is_separating(line: str) -> bool:
    """Whether a line is nothing but strokes."""
    return not line.strip("-=*_| ")


def find_tables(lines: Sequence[str]) -> list[Table]:
    """Return the tables of a file: rows under an alignment row, or between outer bars."""
    tables: list[Table] = []
    at = 0
    while at < len(lines):
        first = at
        while at < len(lines) and "|" in lines[at] and BAR.search(lines[at]):
            at += 1
        if at == first:
            at += 1
            continue
        rows = [(number + 1, split_cells(lines[number])) for number in range(first, at)]
        aligned = len(rows) > 1 and ALIGNMENT.match(lines[first + 1]) is not None
        if aligned and len(rows) > 2:
            tables.append(Table(first + 1, rows[0][1], rows[2:]))
        elif all(line[0] == "|" and line[-1] == "|" for line in lines[first:at]) and not aligned:
            tables.append(Table(first + 1, [], rows))
    return tables


def split_cells(line: str) -> list[str]:
    """Return the cells of a row."""
    cells, start = [], 1 if line.startswith("|") else 0
    for bar in BAR.finditer(line, start):
        cells.append(line[start : bar.end() - 1].strip())
        start = bar.end()
    if start < len(line):
        cells.append(line[start:].strip())
    return cells


def cell_path(cell: str) -> str:
    """Return the path that a cell names, out of a link or of quotes."""
    link = find_link(cell)
    if link and not cell[link.end :].strip():
        return link.path
    return ESCAPE.sub(r"\1", cell) if "\\_" in cell else cell.strip("`*\"'")


def read_table(table: Table, known: Names, config: BuildConfig) -> list[Piece]:
    """Return a piece for each row of a table."""
    rows, width = table.rows, len(table.header) or max(len(cells) for _, cells in table.rows)
    if table.header and known.find(cell_path(table.header[0])):
        rows = [(table.first_line, table.header), *rows]  # a table must have a header, so people
        table = Table(table.first_line, [], rows)  # take their first picture for it
    matches = [[known.find(cell_path(cell)) for cell in cells[:width]] for _, cells in rows]
    picture = picture_column(table, matches, width, config)
    if picture is None:
        reason = remark("no_picture_column")
        return [Piece(number, *read_row(cells, 0, 1), None, reason) for number, cells in rows]
    columns = Columns(picture, text_column(table, picture, width, config))
    return [
        read_cells(number, cells, found, columns, width)
        for (number, cells), found in zip(rows, matches, strict=True)
    ]


def read_row(cells: Sequence[str], picture: int, text: int) -> tuple[str, str]:
    """Return path and text of a row, as far as it goes."""
    path = cell_path(cells[picture]) if picture < len(cells) else ""
    words = cells[text] if text < len(cells) else ""
    return path, BREAK.sub("\n", words.replace("\\|", "|")).strip()


def read_cells(
    number: int, cells: list[str], found: list[Match | None], columns: Columns, width: int
) -> Piece:
    """Return the piece of a row."""
    path, text = read_row(cells, columns.picture, columns.text)
    match = found[columns.picture] if columns.picture < len(found) else None
    link = find_link(cells[columns.picture]) if columns.picture < len(cells) else None
    if columns.text == columns.picture and link:
        text = "" if link.is_silent else link.label
    reason = None
    if len(cells) > width:
        reason = remark("row_cells", count=len(cells), width=width)
    elif match is None and not is_picture_name(path):
        reason = remark("cell_no_picture", column=columns.picture + 1)
    return Piece(number, path, text, match, reason)


def picture_column(
    table: Table, matches: list[list[Match | None]], width: int, config: BuildConfig
) -> int | None:
    """Return the column whose cells are pictures, or None."""
    if config.image_column and config.image_column in table.header:
        return table.header.index(config.image_column)
    counts = [
        sum(column < len(row) and row[column] is not None for row in matches)
        for column in range(width)
    ]
    most = max(counts, default=0)
    return counts.index(most) if most else None


def is_numbers(table: Table, name: str, column: int) -> bool:
    """Whether a column only counts the rows or measures something."""
    cells = [cells[column] for _, cells in table.rows if column < len(cells)]
    counted = name.strip("*`_ ").casefold() in COUNT_HEADERS
    return (counted or len(cells) > 2) and all(NUMBER.match(cell) for cell in cells)


def text_column(table: Table, picture: int, width: int, config: BuildConfig) -> int:
    """Return the column of the texts; a QuestionError where it is unclear."""
    names = table.header or [str(column + 1) for column in range(width)]
    if config.text_column in names:
        return names.index(config.text_column)
    if config.text_column and fold(config.text_column) in map(fold, names):
        return [fold(name) for name in names].index(fold(config.text_column))
    others = [column for column in range(width) if column != picture]
    if not config.text_column:
        if not others:
            return picture  # the links themselves carry the texts
        if len(others) == 1:
            return others[0]
        others = [column for column in others if not is_numbers(table, names[column], column)]
        if len(others) == 1:
            return others[0]
        for words in TEXT_HEADERS:
            fitting = [one for one in others if fold(names[one].strip("*`_ ")) in words]
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                others = fitting
                break
    raise QuestionError(
        f"The table in line {table.first_line} has several columns that may hold the texts.",
        "text_column",
        [names[column] for column in others],
    )

"""Tables of pictures and texts: CSV, TSV, JSONL, JSON, and an imagefolder's metadata."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from ocrtune.archive import Archive
from ocrtune.config import BuildConfig
from ocrtune.content import fold, is_picture_name
from ocrtune.errors import ArchiveError, DatasetError
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.remarks import Remark, remark
from ocrtune.shapes.columns import Columns, choose_columns
from ocrtune.shapes.finding import Found, Pictures, head_text, picture_stem, read_text
from ocrtune.shapes.own_splits import split_word
from ocrtune.shapes.shape import Shape
from ocrtune.shapes.table_rows import SUFFIXES, TableRow, read_rows

METADATA = ("metadata.csv", "metadata.jsonl")
FEW = 50  # rows looked at to tell columns apart, and files looked into
ODD_ROWS = 3  # rows that name a picture in a file's first ones: it is a table


@dataclass
class Reading:
    """What several tables say together."""

    pictures: Pictures
    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    taken: dict[str, Entry] = field(default_factory=dict)  # by picture
    remarks: list[Remark] = field(default_factory=list)
    encoding: str = "utf-8"


def is_table_name(name: str) -> bool:
    """Whether the name ends like a table's."""
    return name.lower().endswith(SUFFIXES)


def is_metadata(name: str) -> bool:
    """Whether it is the table of an imagefolder, by name."""
    return posixpath.basename(name).lower() in METADATA


def find_tables(archive: Archive) -> Sequence[str]:
    """Return the tables whose first rows name pictures of the archive, metadata before others."""
    if archive.content_name:
        return (archive.content_name,) if is_table_name(archive.content_name) else ()
    names = [name for name in archive.names() if is_table_name(name)]
    if not names:
        return ()
    stems = {picture_stem(name) for name in archive.names() if is_picture_name(name)}
    # a JSON for each picture is an annotation tool's own
    names = [n for n in names if not n.lower().endswith(".json") or picture_stem(n) not in stems]
    if metadata := [name for name in names if is_metadata(name)]:
        return metadata
    if len(names) > FEW:
        return ()
    basenames = {
        fold(posixpath.basename(name)) for name in archive.names() if is_picture_name(name)
    }
    return [name for name in names if names_pictures(archive, name, basenames, stems)]


def names_pictures(archive: Archive, name: str, basenames: set[str], stems: set[str]) -> bool:
    """Whether the beginning of a table names pictures of the archive."""
    text = head_text(archive, name)
    if not text.strip():
        return False
    try:
        rows = read_rows(name, text)[1]
    except DatasetError:  # a JSON cut short: its words say enough
        folded = fold(text.replace("\\/", "/"))
        return any(f'{basename}"' in folded for basename in basenames)
    cells = [posixpath.basename(fold(c)) for row in rows[:FEW] for c in row.cells.values()]
    return any(cell in basenames for cell in cells) or sum(c in stems for c in cells) >= ODD_ROWS


def read_tables(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return the entries and rejects of all tables."""
    files = files or [name for name in archive.names() if is_table_name(name)]
    if not files:
        raise ArchiveError(
            f"`{archive.label}` holds no table.",
            "Add a CSV with the columns `image_path` and `text`.",
        )
    reading = Reading(Pictures(archive))
    for file in files:
        read_table(archive, file, config, reading)
    return GroundTruth(
        shape="table",
        files=tuple(files),
        entries=reading.entries,
        rejects=reading.rejects,
        encoding=reading.encoding,
        remarks=tuple(reading.remarks),
    )


def read_table(archive: Archive, file: str, config: BuildConfig, reading: Reading) -> None:
    """Add what one table says."""
    text, encoding = read_text(archive, file, config)
    if encoding not in ("utf-8", "utf-8-sig"):
        reading.encoding = encoding
    columns, rows, rejects = read_rows(file, text)
    reading.rejects += rejects
    if not rows:
        reading.remarks.append(remark("table_empty", file=file))
        return
    folder = posixpath.dirname(file) if file != archive.content_name else archive.content_folder
    chosen = choose_columns(
        file,
        columns,
        [row.cells for row in rows[:FEW]],
        lambda cell: is_known(reading.pictures, cell, folder),
        config.image_column,
        config.text_column,
    )
    reading.remarks.append(remark("columns", file=file, image=chosen.image, text=chosen.text))
    for row in rows:
        add_row(reading, file, folder, row, chosen)


def is_known(pictures: Pictures, cell: str, folder: str) -> bool:
    """Whether a cell names a picture of the archive, even without its suffix."""
    cell = cell.strip()
    if not cell or len(cell) > 1_000:
        return False
    return bool(look_up(pictures, cell, folder).name)


def look_up(pictures: Pictures, cell: str, folder: str) -> Found:
    """Return the picture that a cell names, by its path or by its stem."""
    if is_picture_name(cell.strip()):
        return pictures.find(cell.strip(), folder)
    return pictures.find_by_stem(cell.strip(), posixpath.join(folder, cell.strip()))


def add_row(reading: Reading, file: str, folder: str, row: TableRow, columns: Columns) -> None:
    """Add the entry of a row, or its reject."""
    cells = row.cells
    path = cells.get(columns.image, "").strip()
    text = cells.get(columns.text, "").replace("\r\n", "\n").strip()
    found = look_up(reading.pictures, path, folder) if path else Found(reason=remark("no_cell"))
    reason, near = found.reason, found.nearest
    if not reason and not text:
        reason = remark("no_text_cell", column=columns.text)
    elif not reason and "\ufffd" in text:
        reason = remark("unreadable")
    elif not reason and (first := reading.taken.get(found.name)):
        key = "repeated_row" if first.text == text else "contradicted_row"
        reason, near = remark(key, file=first.file, line=str(first.line_number)), found.name
    if reason:
        line = "\t".join(cells.values())
        reading.rejects.append(reject(row.line_number, line, reason, near, file=file))
        return
    entry = Entry(
        line_number=row.line_number,
        name=found.name,
        text=text,
        file=file,
        split=split_word(cells.get(columns.split, "")) if columns.split else "",
        group=cells.get(columns.group, "").strip() if columns.group else "",
    )
    reading.taken[found.name] = entry
    reading.entries.append(entry)


TABLE = Shape("table", find_tables, read_tables)

"""Parquet files with pictures inside, as `datasets` and this program write them."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from ocrtune.archive import Archive
from ocrtune.cells import picture_of, stored_path
from ocrtune.columns import (
    PATH,
    SPLIT_WORDS,
    Column,
    ColumnMap,
    TableFacts,
    facts,
    map_columns,
    split_in_name,
)
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, DatasetError, did_you_mean
from ocrtune.ground_truth import GroundTruth
from ocrtune.records import SPLITS
from ocrtune.remarks import Remark, remark
from ocrtune.row_choice import first_rows, share_rows, spread_rows
from ocrtune.shapes.shape import Shape
from ocrtune.table_truth import Gathering
from ocrtune.tables import PictureRows, Table, TableFiles, picture_suffix

SUFFIX = ".parquet"


def find_tables(archive: Archive) -> Sequence[str]:
    """Return the parquet files of the archive."""
    return [name for name in archive.names() if name.lower().endswith(SUFFIX)]


def read_tables(archive: Archive, files: Sequence[str], config: BuildConfig) -> GroundTruth:
    """Return the rows of the parquet files; from now on the archive has their pictures too."""
    return read_these(archive, files, config, alone=False)


def read_these(
    archive: Archive, files: Sequence[str], config: BuildConfig, alone: bool
) -> GroundTruth:
    """Return the rows of parquet files; `alone`: other files count only where rows name them."""
    opened: list[Table] = []
    try:
        problems = open_tables(archive, wanted_files(files, config, archive.label), opened)
        columns = map_columns(opened[0].columns(), config, archive.label)
        tables, lacking = fitting(opened, columns)
        gathering = Gathering(columns)
        for name, problem in {**problems, **lacking}.items():
            gathering.refuse(name, 0, name, problem)
        remarks = gather(gathering, tables, config, archive)
        alone = alone and columns.image.kind != PATH
        pictures = TableFiles(archive.files, columns.image, alone)
        if columns.image.kind == PATH:
            folder = str(PurePosixPath(tables[0].name).parent)
            names = gathering.find_pictures(archive.names(), folder, archive.locate)
        else:
            suffix = {table.name: first_suffix(table, columns.image) for table in tables}
            names = gathering.name_pictures(pictures.files, lambda row: suffix[row.file])
            readers = {table.name: PictureRows(table, columns.image.name) for table in tables}
            pictures.readers += readers.values()
            for row, name in zip(gathering.rows, names, strict=True):
                pictures.add(name, readers[row.file], row.place)
        truth = gathering.ground_truth("parquet", [one.name for one in tables], names, remarks)
        kept = {reader.table.name for reader in pictures.readers}
        for table in opened:
            if table.name not in kept:
                table.close()
        archive.lay_over(pictures)
        return truth
    except BaseException:
        for table in opened:
            table.close()
        raise


def table_facts(archive: Archive, files: Sequence[str], config: BuildConfig) -> TableFacts:
    """Return the columns of parquet files, what they would be used for, and the rows."""
    opened: list[Table] = []
    try:
        open_tables(archive, files, opened)
        rows: dict[str, int | None] = {}
        for table in opened:
            split = split_in_name(table.name)
            rows[split] = (rows.get(split) or 0) + table.rows
        return facts(archive.label, opened[0].columns(), config, rows)
    finally:
        for table in opened:
            table.close()


def wanted_files(files: Sequence[str], config: BuildConfig, label: str) -> list[str]:
    """Return the files of the split that the settings want, or all."""
    if not config.from_split:
        return list(files)
    wanted = SPLIT_WORDS.get(config.from_split.lower(), config.from_split)
    chosen = [name for name in files if split_in_name(name) == wanted]
    if not chosen:
        known = sorted({split_in_name(name) for name in files} - {""})
        listed = f"There are: {', '.join(known)}." if known else "Its files name no splits."
        raise DatasetError(
            f"`{label}` has no split `{config.from_split}`.",
            did_you_mean(config.from_split, known) or listed,
        )
    return chosen


def open_tables(archive: Archive, files: Sequence[str], opened: list[Table]) -> dict[str, Remark]:
    """Open the files into `opened`; return why others cannot be used, if any can."""
    if not files:
        raise ArchiveError(f"`{archive.label}` holds no parquet file.", "Choose another shape.")
    problems: dict[str, Remark] = {}
    failed: ArchiveError | None = None
    for name in files:
        stream = archive.open_whole(name)
        try:
            opened.append(Table(name, stream, archive.limits))
        except ArchiveError as error:
            stream.close()
            problems[name] = remark("said", text=str(error))
            failed = failed or error
    if not any(table.rows for table in opened):
        if failed is not None:
            raise failed
        raise DatasetError(f"`{archive.label}` holds no rows.", "Choose another table.")
    opened.sort(key=lambda table: not table.rows)  # what the columns hold, rows tell
    return problems


def fitting(opened: Sequence[Table], columns: ColumnMap) -> tuple[list[Table], dict[str, Remark]]:
    """Return the tables that have the columns, by their names, and what the others lack."""
    lacking = {}
    for table in opened:
        missing = {columns.image.name, columns.text.name} - set(table.schema.names)
        if missing:
            lacking[table.name] = remark("table_lacks", columns=sorted(missing))
    tables = [table for table in opened if table.rows and table.name not in lacking]
    return sorted(tables, key=lambda table: in_order_of_splits(table.name)), lacking


def in_order_of_splits(name: str) -> tuple[int, str]:
    """Return a key to sort files with: those to learn from first, then by their names."""
    split = split_in_name(name)
    return SPLITS.index(split) if split in SPLITS else len(SPLITS), name


def gather(
    gathering: Gathering, tables: Sequence[Table], config: BuildConfig, archive: Archive
) -> list[Remark]:
    """Read the wanted rows into `gathering`; return what is to be said about the choice."""
    total = sum(table.rows for table in tables)
    wanted = min(config.rows or total, total)
    if wanted > archive.limits.entries:
        raise DatasetError(
            f"`{archive.label}` has {total:,} rows, more than can be used at once.",
            "Take some of them, such as `--rows 100000 --random-rows`.",
        )
    splits: dict[str, list[Table]] = {}
    for table in tables:
        splits.setdefault("" if config.from_split else split_in_name(table.name), []).append(table)
    shares = share_rows({split: sum(t.rows for t in of) for split, of in splits.items()}, wanted)
    for split, members in splits.items():
        places = [(table, group) for table in members for group in range(len(table.groups))]
        sizes = [table.groups[group] for table, group in places]
        share = shares.get(split, 0)
        random = config.random_rows and share < sum(sizes)
        counts = spread_rows(sizes, share, config.seed) if random else first_rows(sizes, share)
        for index, count in counts.items():
            table, group = places[index]
            read_group(gathering, table, group, count, split)
    if wanted == total:
        return []
    key = "table_random" if config.random_rows else "table_first"
    return [remark(key, rows=wanted, total=total)]


def read_group(gathering: Gathering, table: Table, group: int, count: int, split: str) -> None:
    """Read the first rows of a row group, without their pictures."""
    columns = gathering.columns
    names = {columns.text.name, columns.split, columns.group} - {""}
    names &= set(table.schema.names)
    path = table.path_column(columns.image)
    start = sum(table.groups[:group])
    asked = [*sorted(names), *([path] if path else [])]
    for number, values in enumerate(table.rows_of(group, asked, count), start=start):
        image = values.get(columns.image.name)
        stored = image if isinstance(image, str) else stored_path(image)
        gathering.add(table.name, number + 1, split, values, stored, number)


def first_suffix(table: Table, image: Column) -> str:
    """Return the suffix that suits the first picture of a table; empty where it has none."""
    first = next(table.rows_of(0, [image.name], 1, 1), {}) if table.groups[0] else {}
    picture = picture_of(first.get(image.name), image)
    return picture_suffix(picture) if isinstance(picture, bytes) else ""


PARQUET = Shape("parquet", find_tables, read_tables)

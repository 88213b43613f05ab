"""Where ground truth comes from: files of this machine, or a dataset of the Hub."""

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from ocrtune.archive import LIMITS, Archive, LocalFiles, open_archive
from ocrtune.columns import TableFacts
from ocrtune.config import BuildConfig
from ocrtune.dataset_files import split_path
from ocrtune.errors import ArchiveError, DatasetError, did_you_mean
from ocrtune.events import Emit
from ocrtune.hub_layout import HUB_ADDRESS, is_hub_id
from ocrtune.pdf_files import add_pdf_pages, open_pdf
from ocrtune.records import SPLITS
from ocrtune.shapes.parquet import SUFFIX, find_tables, read_these, table_facts

FILE_NAME = re.compile(
    r"\.(zip|md|txt|parquet|pdf|csv|tsv|jsonl?|xml|rar|7z|gz|tar|png|jpe?g)\Z", re.I
)
HUB_MODULE = "ocrtune.hub_tables"  # is slow to import, so it is only where a Hub id was given


def never() -> bool:
    """Nobody asks to end."""
    return False


def open_source(
    config: BuildConfig,
    emit: Emit,
    stop_requested: Callable[[], bool] = never,
    token: str | None = None,
) -> Archive:
    """Return the archive that the settings name.

    token: of the Hub account to read with; None: this machine's own, but nobody's on a Space.
    """
    if is_hub_source(config.source):
        hub_tables = importlib.import_module(HUB_MODULE)
        return hub_tables.pull_rows(config, emit, stop_requested, token)
    if tables := own_tables(config.source):
        return open_tables_alone(tables, config)
    content = Path(config.content) if config.content else None
    if content is None or os.path.exists(content):
        return open_files(config, content)
    archive = open_files(config)
    within = config.content.removeprefix(f"{config.source}/")  # `a.zip/notes.md` is surely it
    if within in archive.names():
        archive.take_content_within(within)
        return archive
    archive.close()
    raise ArchiveError(
        f"There is no file `{config.content}`, neither here nor in `{archive.label}`.",
        did_you_mean(config.content, archive.names()) or "Check the path.",
    )


def open_files(config: BuildConfig, content: Path | None = None) -> Archive:
    """Return a PDF, zip, folder or content file as an archive, the pages of PDFs among its names.

    content: a content file kept apart from it.
    """
    source = Path(config.source)
    if source.suffix.lower() == ".pdf":
        return add_pdf_pages(open_pdf(source, content))
    return add_pdf_pages(open_archive(source, content, confined=config.confined))


def is_hub_source(source: str) -> bool:
    """Whether a source is a dataset of the Hub: its id or address, and no path of this machine."""
    if HUB_ADDRESS.match(source):
        return True
    if FILE_NAME.search(source) or os.path.exists(source) or own_tables(source):
        return False
    return is_hub_id(source)


def own_tables(source: str) -> list[Path]:
    """Return the parquet files that a source names: itself, or those of a built dataset."""
    path = Path(source)
    if path.suffix.lower() == SUFFIX and os.path.isfile(path):
        return [path]
    if os.path.exists(path) or not path.name:
        return []
    return [one for split in SPLITS if os.path.isfile(one := split_path(path, split))]


def open_tables_alone(tables: list[Path], config: BuildConfig) -> Archive:
    """Return parquet files as an archive; the files around them count where rows name them."""
    archive, names = open_around(tables, config)
    try:
        archive.label = tables[0].name if len(tables) == 1 else Path(config.source).name
        archive.ground_truth = read_these(archive, names, config, alone=True)
    except BaseException:
        archive.close()
        raise
    return archive


def open_around(tables: list[Path], config: BuildConfig) -> tuple[Archive, list[str]]:
    """Return the files around some tables as an archive, and the tables' names in it."""
    archive = Archive(LocalFiles(tables[0].parent, LIMITS, whole=False, confined=config.confined))
    return archive, [archive.locate(path.name) or str(path) for path in tables]


def describe_source(config: BuildConfig, token: str | None = None) -> TableFacts:
    """Return what is known about a table: its columns, what they would be used for, its rows."""
    if is_hub_source(config.source):
        hub_tables = importlib.import_module(HUB_MODULE)
        return hub_tables.describe_dataset(config, token)
    tables = own_tables(config.source)
    if tables:
        archive, names = open_around(tables, config)
    else:
        archive = open_archive(Path(config.source))
        names = list(find_tables(archive))
    with archive:
        if not names:
            raise DatasetError(
                f"`{archive.label}` holds no parquet file.",
                "Name a parquet file, a folder or zip of them, or a dataset of the Hub.",
            )
        return table_facts(archive, names, config)

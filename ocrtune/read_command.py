"""What `read` leaves behind: the texts as a table, in one file, or in a file for each picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ocrtune.config import ReadConfig
from ocrtune.errors import ConfigError
from ocrtune.events import Read
from ocrtune.picture_sources import count_pages, is_archive, parse_pages
from ocrtune.reading_tables import (
    Row,
    rows_of,
    table_bytes,
    text_bytes,
    text_files,
    zip_bytes,
)
from ocrtune.records import Prediction


def require_output(config: ReadConfig, args: argparse.Namespace) -> None:
    """Refuse, before anything is read, what could not be written afterwards."""
    parse_pages(config.pages)
    for flag, path in (("--csv", args.csv), ("--txt", args.txt)):
        if path is None:
            continue
        try:
            is_folder = flag == "--txt" and wants_folder(path)
            folder = path if is_folder else path.parent
            folder.mkdir(parents=True, exist_ok=True)
            if not is_folder:
                with path.open("ab"):
                    pass
        except OSError as error:
            raise ConfigError(
                f"`{path}` cannot be written: {error.strerror}.", f"Name another with `{flag}`."
            ) from error


def wants_folder(path: Path) -> bool:
    """Return whether a file for each picture is wanted: the path is a folder, or names no file."""
    return path.is_dir() or not path.suffix


def write_output(readings: Sequence[Prediction | Read], args: argparse.Namespace) -> None:
    """Write what was read where it was asked for."""
    rows = rows_of(readings)
    models = list(dict.fromkeys(one.model for one in readings)) or ["text"]
    if args.csv:
        put(args.csv, table_bytes(rows, models if len(models) > 1 else ["text"]), "--csv")
    if args.txt:
        write_texts(rows, args.txt)


def write_texts(rows: Sequence[Row], path: Path) -> None:
    """Write the texts: into a folder or a zip one file for each picture, else all into one."""
    if wants_folder(path):
        for name, data in text_files(rows).items():
            put(path / name, data, "--txt")
    else:
        put(path, zip_bytes(rows) if path.suffix.lower() == ".zip" else text_bytes(rows), "--txt")


def put(path: Path, data: bytes, flag: str) -> None:
    """Write a file and the folders it needs."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(
            f"`{path}` cannot be written: {error.strerror}.", f"Name another with `{flag}`."
        ) from error


def has_many_pictures(config: ReadConfig) -> bool:
    """Return whether several pictures may have been given, so that each is named."""
    paths = [Path(name) for name in config.pictures]
    return len(paths) > 1 or any(is_archive(path) or count_pages(path) > 1 for path in paths)

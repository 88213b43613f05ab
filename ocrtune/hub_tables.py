"""Rows of a Hub dataset, fetched for a build: only those that are wanted, never the whole download.

Tables in parquet are read in ranges: the footers, then the wanted row groups of the wanted columns.
Everything else (folders of pictures, WebDataset, CSV) is streamed by `datasets`, which runs no
code of the dataset. Pictures wait in a temporary file that is gone when the archive is closed.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from ocrtune.archive import LIMITS, MIB, Archive, too_big
from ocrtune.cells import picture_of, stored_path
from ocrtune.columns import TableFacts, facts, map_columns
from ocrtune.config import HUB_ROWS, BuildConfig
from ocrtune.content import Names, nowhere
from ocrtune.errors import HubError
from ocrtune.events import Emit, Progress
from ocrtune.hub import HubDataset, find_dataset
from ocrtune.hub_layout import choose_subset, find_place, read_converted, read_layout
from ocrtune.hub_rows import Fetched, Found, Streamed, StreamRows, TableRows
from ocrtune.picture_store import BuildStoppedError, in_order
from ocrtune.remarks import Remark, remark
from ocrtune.table_truth import Gathering, Row
from ocrtune.tables import picture_suffix

CONVERTED_BRANCH = "refs/convert/parquet"
FETCHERS = 8  # files fetched at once


class Spool:
    """Pictures in a temporary file, as the files of an archive."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.files: dict[str, tuple[int, int]] = {}  # where each lies, and its bytes
        self.stream = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the archive
        self.size = 0

    def keep(self, data: bytes) -> tuple[int, int]:
        """Write a picture; return its place and size. An error once it is too much in all."""
        place = self.size, len(data)
        self.size += len(data)
        if self.size > LIMITS.total_bytes:
            raise too_big(self.label, LIMITS)
        self.stream.write(data)
        return place

    def head(self, place: tuple[int, int]) -> bytes:
        """Return the first bytes of a picture."""
        self.stream.flush()
        return os.pread(self.stream.fileno(), min(16, place[1]), place[0])

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of the picture and its size in bytes."""
        start, size = self.files[name]
        return io.BytesIO(os.pread(self.stream.fileno(), size, start)), size

    def locate(self, path: str) -> str | None:
        """Return nothing: a dataset may not name files of this machine."""

    def close(self) -> None:
        """Delete the file."""
        self.stream.close()


def find_rows(config: BuildConfig, token: str | None) -> Found:
    """Return the dataset, its subset chosen."""
    place = find_place(config)
    dataset = find_dataset(place.repo_id, place.revision, token)
    layout = read_layout(list(dataset.sizes), dataset.card)
    found = Found(dataset=dataset, place=place, layout=layout)
    address = f"{dataset.repo_id}/tree/{dataset.commit}"
    found.remarks.append(remark("hub_source", address=address))
    if not layout and not place.revision and (converted := find_converted(dataset, token)):
        found.dataset, found.layout = converted, read_converted(list(converted.sizes))
        found.remarks.append(remark("hub_converted", commit=converted.commit))
    if found.layout:
        found.subsets = tuple(found.layout)
        found.subset, by_card = choose_subset(
            found.subsets, place.subset, dataset.card, dataset.repo_id
        )
        if by_card:
            others = [name for name in found.subsets if name != found.subset]
            found.remarks.append(remark("hub_subset", subset=found.subset, others=others[:12]))
    return found


def find_converted(dataset: HubDataset, token: str | None) -> HubDataset | None:
    """Return the Hub's own copy of a dataset as tables, if it keeps one."""
    try:
        converted = find_dataset(dataset.repo_id, CONVERTED_BRANCH, token)
    except HubError:
        return None
    return converted if read_converted(list(converted.sizes)) else None


def pull_rows(
    config: BuildConfig, emit: Emit, stop_requested: Callable[[], bool], token: str | None
) -> Archive:
    """Return the wanted rows of a Hub dataset as an archive that brings its ground truth along."""
    found = find_rows(config, token)
    wanted = min(config.rows or HUB_ROWS, LIMITS.entries)
    spool = Spool(found.label)
    try:
        source = TableRows(found, config) if found.layout else StreamRows(found, config)
        columns = map_columns(source.columns(), config, found.dataset.repo_id)
        pull = Pull(spool, Gathering(columns), found.dataset)
        emit(Progress("pull", 0, wanted))
        step = max(1, wanted // 100)
        for done, row in enumerate(pull.in_order(source.rows(columns, wanted)), start=1):
            if stop_requested():
                raise BuildStoppedError
            pull.take(*row)
            if done % step == 0:
                emit(Progress("pull", min(done, wanted), wanted))
        emit(Progress("pull", wanted, wanted))
        archive = Archive(spool)
        names = pull.name_pictures()
        remarks = [*found.remarks, *source.remarks(len(pull.gathering.rows))]
        files = source.files or [found.label]
        archive.ground_truth = pull.gathering.ground_truth("hub", files, names, remarks)
        return archive
    except BaseException:
        spool.close()
        raise


class Pull:
    """Puts rows from the Hub into a spool and their texts into a gathering."""

    def __init__(self, spool: Spool, gathering: Gathering, dataset: HubDataset) -> None:
        self.spool = spool
        self.gathering = gathering
        self.dataset = dataset
        self.known = Names(dataset.sizes, "", nowhere)

    def in_order(self, rows: Iterator[Fetched]) -> Iterator[tuple[Fetched, object]]:
        """Yield each row with its picture, or with why it has none; several are fetched at once."""
        with ThreadPoolExecutor(FETCHERS) as pool:
            yield from in_order(pool, self.picture, rows, ahead=2 * FETCHERS)

    def picture(self, row: Fetched) -> bytes | Remark:
        """Return a row's picture: the one within it, or the file that it names."""
        column = self.gathering.columns.image
        picture = picture_of(row.values.get(column.name), column)
        if isinstance(picture, str):
            return self.fetch(picture, row)
        if isinstance(picture, bytes) and len(picture) > LIMITS.file_bytes:
            return remark("hub_large", most=LIMITS.file_bytes // MIB)
        return picture

    def fetch(self, path: str, row: Fetched) -> bytes | Remark:
        """Return the file of the dataset that a row names."""
        if isinstance(row, Streamed) and "://" in path:
            return row.stream.read(path, LIMITS.file_bytes)
        match = self.known.find(path)
        if match is None or len(match.names) != 1:
            return remark("no_picture", path=path)
        if self.dataset.sizes[match.names[0]] > LIMITS.file_bytes:
            return remark("hub_large", most=LIMITS.file_bytes // MIB)
        return self.dataset.read(match.names[0], LIMITS.file_bytes)

    def take(self, row: Fetched, picture: bytes | Remark) -> None:
        """Keep a row with its picture, or as rejected."""
        column = self.gathering.columns.image
        value = row.values.get(column.name)
        path = value if isinstance(value, str) and len(value) < 1000 else stored_path(value)
        path = path.rpartition("::")[0].partition("://")[2] if "::" in path else path
        if "://" in path:  # the file's name within the dataset
            path = path.partition("@")[2].partition("/")[2] or path.rpartition("/")[2]
        if isinstance(picture, Remark):
            self.gathering.refuse(row.file, row.number, path, picture)
            return
        kept = self.gathering.add(row.file, row.number, row.split, row.values, path, None)
        if kept is not None:
            kept.place = self.spool.keep(picture)

    def name_pictures(self) -> list[str]:
        """Let the archive have the pictures; return their names in the order of the rows."""

        def suffix(row: Row) -> str:
            return picture_suffix(self.spool.head(row.place))

        names = self.gathering.name_pictures((), suffix)
        self.spool.files = {
            name: row.place for name, row in zip(names, self.gathering.rows, strict=True)
        }
        self.spool.stream.flush()
        return names


def describe_dataset(config: BuildConfig, token: str | None) -> TableFacts:
    """Return what is known about a Hub dataset: its columns, their use, its splits and subsets."""
    found = find_rows(config, token)
    source = TableRows(found, config) if found.layout else StreamRows(found, config)
    subsets = found.subsets if len(found.subsets) > 1 else ()
    return facts(found.label, source.columns(), config, source.counts(), subsets)

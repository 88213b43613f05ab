"""Rows of a Hub dataset, fetched for a build: only those that are wanted, never the whole download.

Tables in parquet are read in ranges: the footers, then the wanted row groups of the wanted columns.
Everything else (folders of pictures, WebDataset, CSV) is streamed by `datasets`, which runs no
code of the dataset. Pictures wait in a temporary file that is gone when the archive is closed.
"""

import importlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import IO, TYPE_CHECKING, Any

from ocrtune.archive import LIMITS, MIB, Archive, too_big
from ocrtune.cells import picture_of, stored_path
from ocrtune.columns import Column, ColumnMap, TableFacts, facts, map_columns
from ocrtune.config import HUB_ROWS, BuildConfig
from ocrtune.content import Names, nowhere
from ocrtune.errors import DatasetError, HubError
from ocrtune.events import Emit, Progress
from ocrtune.hub import HubDataset, find_dataset
from ocrtune.hub_layout import (
    Layout,
    Place,
    choose_splits,
    choose_subset,
    find_place,
    read_converted,
    read_layout,
)
from ocrtune.picture_store import BuildStoppedError, in_order
from ocrtune.remarks import Remark, remark
from ocrtune.row_choice import first_rows, share_rows, spread_rows
from ocrtune.table_truth import Gathering, Row
from ocrtune.tables import Table, picture_suffix

if TYPE_CHECKING:
    from ocrtune.hub_streams import Stream

STREAMS_MODULE = "ocrtune.hub_streams"  # takes seconds to import
CONVERTED_BRANCH = "refs/convert/parquet"
SHARDS = 8  # of a split that random rows come from, at most
COUNTED_FILES = 8  # of a split whose rows are counted for a description
FETCHERS = 8  # files fetched at once
ROW_BATCH = 16  # rows decoded together with their pictures


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


@dataclass(kw_only=True)
class Found:
    """A dataset of the Hub with what was chosen of it."""

    dataset: HubDataset
    place: Place
    layout: Layout  # empty where it is no table in parquet
    subset: str = ""
    subsets: tuple[str, ...] = ()
    remarks: list[Remark] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.dataset.repo_id}@{self.dataset.commit[:7]}"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A row as it comes from the Hub."""

    file: str
    number: int  # 1-based, in its file
    split: str  # of ours, or empty
    values: Mapping[str, Any]


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


class TableRows:
    """The wanted rows of a dataset in parquet."""

    def __init__(self, found: Found, config: BuildConfig) -> None:
        self.found = found
        self.config = config
        self.splits = found.layout[found.subset]
        self.chosen = choose_splits(list(self.splits), found.place.split, found.dataset.repo_id)
        self.tables: dict[str, Table] = {}
        self.files: list[str] = []  # that rows were taken from

    def table(self, name: str) -> Table:
        """Return a table, its footer read."""
        if name not in self.tables:
            self.tables[name] = Table(name, self.found.dataset.open(name), LIMITS)
        return self.tables[name]

    def columns(self) -> list[Column]:
        """Return the columns, by the first table that has rows."""
        names = [name for split in self.chosen for name in self.splits[split]]
        for name in names[:SHARDS]:
            if (table := self.table(name)).rows:
                return table.columns()
        raise DatasetError(
            f"`{self.found.dataset.repo_id}` holds no rows.", "Choose another dataset or split."
        )

    def rows(self, columns: ColumnMap, wanted: int) -> Iterator[Fetched]:
        """Yield the wanted rows, of each split its share."""
        sizes = self.found.dataset.sizes
        weights = {split: sum(sizes[name] for name in self.splits[split]) for split in self.chosen}
        used = {columns.image.name, columns.text.name, columns.split, columns.group} - {""}
        for split, share in share_rows(weights, wanted).items():
            for name, counts in self.choice(self.splits[split], share):
                table = self.table(name)
                missing = {columns.image.name, columns.text.name} - set(table.schema.names)
                if missing:
                    raise DatasetError(
                        f"`{name}` of `{self.found.dataset.repo_id}` has no column "
                        f"`{sorted(missing)[0]}`.",
                        "Choose another split with `--from-split`.",
                    )
                self.files.append(name)
                asked = sorted(used & set(table.schema.names))
                for group, count in counts.items():
                    start = sum(table.groups[:group]) + 1
                    size = min(ROW_BATCH, table.picture_batch(columns.image.name, group))
                    numbered = enumerate(table.rows_of(group, asked, count, size), start=start)
                    for number, values in numbered:
                        yield Fetched(
                            file=name, number=number, split=self.chosen[split], values=values
                        )

    def choice(self, names: Sequence[str], share: int) -> Iterator[tuple[str, dict[int, int]]]:
        """Yield the files to read, and how many rows of which of their row groups."""
        if not self.config.random_rows:
            left = share
            for name in names:
                if left <= 0:
                    return
                counts = first_rows(self.table(name).groups, left)
                left -= sum(counts.values())
                yield name, counts
            return
        order = list(names)
        Random(self.config.seed).shuffle(order)
        opened: list[str] = []
        for name in order:
            opened.append(name)
            if len(opened) >= SHARDS and sum(self.table(one).rows for one in opened) >= share:
                break
        places = [
            (name, group)
            for name in sorted(opened)
            for group in range(len(self.table(name).groups))
        ]
        rows = [self.table(name).groups[group] for name, group in places]
        counts: dict[str, dict[int, int]] = {}
        for index, count in spread_rows(rows, share, self.config.seed).items():
            name, group = places[index]
            counts.setdefault(name, {})[group] = count
        yield from counts.items()

    def remarks(self, rows: int) -> list[Remark]:
        """Return what is to be said about the choice."""
        left = [split for split in self.splits if split not in self.chosen]
        told = [remark("hub_random" if self.config.random_rows else "hub_first", rows=rows)]
        return told + ([remark("hub_splits_left", splits=left)] if left else [])

    def counts(self) -> dict[str, int | None]:
        """Return the rows of each split, None where counting them would take long."""
        counted: dict[str, int | None] = {}
        for split, names in self.splits.items():
            few = len(names) <= COUNTED_FILES
            counted[split] = sum(self.table(name).rows for name in names) if few else None
        return counted


@dataclass(frozen=True, kw_only=True)
class Streamed(Fetched):
    """A row that `datasets` streamed; its picture may lie in a file of its own."""

    stream: "Stream"


class StreamRows:
    """The wanted rows of a dataset that is no table in parquet."""

    def __init__(self, found: Found, config: BuildConfig) -> None:
        self.found = found
        self.config = config
        self.files: list[str] = []
        streams = importlib.import_module(STREAMS_MODULE)
        self.stream: Stream = streams.open_stream(found.dataset, found.place.subset)
        self.chosen = choose_splits(self.stream.splits(), found.place.split, found.dataset.repo_id)

    def columns(self) -> list[Column]:
        """Return the columns, by the first rows."""
        return self.stream.columns(next(iter(self.chosen)))

    def rows(self, columns: ColumnMap, wanted: int) -> Iterator[Fetched]:
        """Yield the wanted rows, of each split its share."""
        seed = self.config.seed if self.config.random_rows else None
        weights = self.stream.weights(list(self.chosen))
        for split, share in share_rows(weights, wanted).items():
            for number, values in enumerate(self.stream.rows(split, share, seed), start=1):
                yield Streamed(
                    file=split,
                    number=number,
                    split=self.chosen[split],
                    values=values,
                    stream=self.stream,
                )

    def remarks(self, rows: int) -> list[Remark]:
        """Return what is to be said about the choice."""
        left = [split for split in self.stream.splits() if split not in self.chosen]
        told = [remark("hub_random" if self.config.random_rows else "hub_first", rows=rows)]
        return told + ([remark("hub_splits_left", splits=left)] if left else [])

    def counts(self) -> dict[str, int | None]:
        """Return the splits; nobody has counted their rows."""
        return dict.fromkeys(self.stream.splits())


def describe_dataset(config: BuildConfig, token: str | None) -> TableFacts:
    """Return what is known about a Hub dataset: its columns, their use, its splits and subsets."""
    found = find_rows(config, token)
    source = TableRows(found, config) if found.layout else StreamRows(found, config)
    subsets = found.subsets if len(found.subsets) > 1 else ()
    return facts(found.label, source.columns(), config, source.counts(), subsets)

"""The wanted rows of a Hub dataset, one after another: from its tables, or from a stream."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from ocrtune.archive import LIMITS
from ocrtune.columns import Column, ColumnMap
from ocrtune.config import BuildConfig
from ocrtune.errors import DatasetError
from ocrtune.hub import HubDataset
from ocrtune.hub_layout import Layout, Place, choose_splits
from ocrtune.remarks import Remark, remark
from ocrtune.row_choice import first_rows, share_rows, spread_rows
from ocrtune.tables import Table

if TYPE_CHECKING:
    from ocrtune.hub_streams import Stream

STREAMS_MODULE = "ocrtune.hub_streams"  # takes seconds to import
SHARDS = 8  # of a split that random rows come from, where they are enough
COUNTED_FILES = 8  # of a split whose rows are counted for a description
ROW_BATCH = 16  # rows decoded together with their pictures


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
            stream = self.found.dataset.open(name)
            self.tables[name] = Table(name, stream, LIMITS)
            stream.edges = self.tables[name].chunk_ends()
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

"""Parquet files with pictures inside: their columns, their texts in small batches, their pictures.

Nothing is ever read whole: texts come without the pictures beside them, and pictures one small
batch of rows at a time, which is cheap as long as rows are asked for in rising order.
"""

import bisect
import io
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ocrtune.archive import MIB, Limits, LocalFiles, UnsafeArchiveError, ZipFiles, cause
from ocrtune.cells import picture_of
from ocrtune.columns import PATH, Column
from ocrtune.errors import ArchiveError
from ocrtune.pictures import PictureError
from ocrtune.remarks import Remark, remark
from ocrtune.table_types import describe, holds_pictures

EXAMPLE_ROWS = 8  # that are looked at to tell what a column holds
TINY_BYTES = 200  # a value of this size is no picture: a path in the place of one, or nothing
TEXT_ROWS = 512  # of texts that are read together
BATCH_BYTES, BATCH_ROWS = 4 * MIB, 256  # of pictures that are read together
KEPT_BATCHES = 3  # several readers ask for rows that are next to each other
BUFFER_BYTES = 64 * 1024  # read at once from a column
SUFFIXES = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"RIFF", ".webp"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
)


class Table:
    """One parquet file, open."""

    def __init__(self, name: str, stream: IO[bytes], limits: Limits) -> None:
        self.name = name
        with damaged(name):
            self.file = pq.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
            self.schema = self.file.schema_arrow
            self.footer = self.file.metadata
            self.groups = [
                self.footer.row_group(number).num_rows
                for number in range(self.footer.num_row_groups)
            ]
        self.stream = stream
        self.rows = sum(self.groups)
        self.require_honest(limits)

    def require_honest(self, limits: Limits) -> None:
        """Raise an UnsafeArchiveError if a column unpacks to unbelievably much."""
        for chunk in self.chunks():
            size = chunk.total_uncompressed_size
            packed = max(1, chunk.total_compressed_size)
            if size > limits.ratio_from_bytes and size > limits.ratio * packed:
                raise UnsafeArchiveError(
                    f"`{self.name}` unpacks to more than {limits.ratio} times its packed size.",
                    "Write it again without that compression.",
                )

    def chunks(self) -> Iterator[pq.ColumnChunkMetaData]:
        """Yield what the footer says about each column of each row group."""
        for number in range(len(self.groups)):
            group = self.footer.row_group(number)
            yield from map(group.column, range(group.num_columns))

    def chunk_ends(self) -> list[int]:
        """Return where the columns of the row groups end in the file, rising."""
        ends = set()
        for chunk in self.chunks():
            starts = [chunk.data_page_offset]
            starts += [chunk.dictionary_page_offset] if chunk.has_dictionary_page else []
            ends.add(min(filter(None, starts), default=0) + chunk.total_compressed_size)
        return sorted(ends)

    def columns(self) -> list[Column]:
        """Return what the columns hold, by their types and first values."""
        columns = describe(self.schema, self.examples())
        sizes = self.mean_sizes()
        return [
            replace(one, example=f"{sizes[one.name]:,} bytes on average")
            if not one.example and sizes.get(one.name, 0) > TINY_BYTES
            else one
            for one in columns
        ]

    def examples(self) -> list[dict[str, Any]]:
        """Return the first rows, without columns that are full of bytes: their type says enough.

        The bytes of a thousand rows may lie in one piece, which would have to be fetched whole.
        """
        sizes = self.mean_sizes()
        heavy = {
            one.name
            for one in self.schema
            if holds_pictures(one.type) and sizes.get(one.name, 0) > TINY_BYTES
        }
        light = [name for name in self.schema.names if name not in heavy]
        return next(self.batches(light, EXAMPLE_ROWS), []) if light else []

    def mean_sizes(self) -> dict[str, int]:
        """Return the mean size of the columns' values in bytes."""
        sizes: Counter[str] = Counter()
        for chunk in self.chunks():
            sizes[chunk.path_in_schema.split(".")[0]] += chunk.total_uncompressed_size
        return {name: size // max(1, self.rows) for name, size in sizes.items()}

    def batches(self, columns: Sequence[str], size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of rows of these columns from the first row on."""
        for group in range(len(self.groups)):
            yield from self.group_batches(group, columns, size)

    def group_batches(
        self, group: int, columns: Sequence[str], size: int
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of rows of a row group."""
        with damaged(self.name):
            for batch in self.file.iter_batches(size, [group], list(columns), use_threads=False):
                yield batch.to_pylist()

    def rows_of(
        self, group: int, columns: Sequence[str], count: int, size: int = TEXT_ROWS
    ) -> Iterator[dict[str, Any]]:
        """Yield the first `count` rows of a row group."""
        left = count
        for batch in self.group_batches(group, columns, min(size, max(1, left))):
            yield from batch[:left]
            left -= len(batch)
            if left <= 0:
                return

    def path_column(self, image: Column) -> str:
        """Return the column of the paths kept with the pictures; empty where there are none."""
        kind = self.schema.field(image.name).type
        if pa.types.is_struct(kind):
            return f"{image.name}.path" if kind.get_field_index("path") >= 0 else ""
        return image.name if image.kind == PATH else ""

    def picture_batch(self, column: str, group: int) -> int:
        """Return how many rows of a row group are read together with their pictures."""
        size = dictionary = 0
        about = self.footer.row_group(group)
        for chunk in map(about.column, range(about.num_columns)):
            if chunk.path_in_schema.split(".")[0] != column:
                continue
            size += chunk.total_uncompressed_size
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                # every row may be its largest value
                unpacked = chunk.total_uncompressed_size / max(1, chunk.total_compressed_size)
                packed = chunk.data_page_offset - chunk.dictionary_page_offset
                dictionary += int(max(1.0, unpacked) * max(0, packed))
        each = max(1, size // max(1, self.groups[group]), dictionary // BATCH_ROWS)
        return max(1, min(BATCH_ROWS, BATCH_BYTES // each))

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        self.stream.close()


@contextmanager
def damaged(name: str) -> Iterator[None]:
    """Turn what a damaged parquet file makes pyarrow raise into an ArchiveError."""
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError, KeyError) as error:
        raise ArchiveError(
            f"`{name}` is damaged, incomplete or no parquet file: {cause(error)}.",
            "Write or download it again.",
        ) from error


class PictureRows:
    """The values of a table's picture column, by row."""

    def __init__(self, table: Table, column: str) -> None:
        self.table = table
        self.column = column
        self.starts = [sum(table.groups[:number]) for number in range(len(table.groups))]
        self.kept: deque[tuple[int, pa.Array]] = deque(maxlen=KEPT_BATCHES)
        self.reader: Iterator[pa.RecordBatch] = iter(())
        self.group = -1
        self.next_row = 0  # that the reader comes to
        self.lock = threading.Lock()

    def value(self, row: int) -> object:
        """Return the value of a row; an ArchiveError if it cannot be read."""
        with self.lock, damaged(self.table.name):
            while True:
                for start, values in self.kept:
                    if start <= row < start + len(values):
                        return values[row - start].as_py()
                group = bisect.bisect_right(self.starts, row) - 1
                if group != self.group or row < self.next_row:
                    self.begin(group)
                batch = next(self.reader, None)
                if batch is None:
                    raise OSError("it has fewer rows than it says")
                self.kept.append((self.next_row, batch.column(0)))
                self.next_row += batch.num_rows

    def begin(self, group: int) -> None:
        """Start reading at the beginning of a row group."""
        size = self.table.picture_batch(self.column, group)
        self.kept.clear()
        self.group, self.next_row = group, self.starts[group]
        self.reader = self.table.file.iter_batches(size, [group], [self.column], use_threads=False)


class TableFiles:
    """The pictures within tables, beside the files of an archive."""

    def __init__(self, files: ZipFiles | LocalFiles, image: Column, alone: bool) -> None:
        self.inner = files
        self.label = files.label
        self.image = image
        self.files: dict[str, object] = {} if alone else dict(files.files)
        self.rows: dict[str, tuple[PictureRows, int]] = {}
        self.readers: list[PictureRows] = []

    def add(self, name: str, reader: PictureRows, row: int) -> None:
        """Let a row's picture be a file of this name."""
        self.files[name] = self.rows[name] = (reader, row)

    def open(self, name: str) -> tuple[IO[bytes], int]:
        """Return a stream of the picture and its size in bytes."""
        if name not in self.rows:
            return self.inner.open(name)
        reader, row = self.rows[name]
        picture = picture_of(reader.value(row), self.image)
        if isinstance(picture, str):  # a path, where the other rows hold pictures
            picture = remark("table_no_picture", column=self.image.name)
        if isinstance(picture, Remark):
            raise PictureError(picture)
        return io.BytesIO(picture), len(picture)

    def locate(self, path: str) -> str | None:
        """Return the name of the file at `path`, or None: see the archive's own files."""
        return self.inner.locate(path)

    def close(self) -> None:
        """Close the tables and the archive."""
        for reader in self.readers:
            reader.table.close()
        self.inner.close()


def picture_suffix(data: bytes) -> str:
    """Return the suffix that suits a picture by its first bytes, or an empty string."""
    return next((suffix for start, suffix in SUFFIXES if data.startswith(start)), "")

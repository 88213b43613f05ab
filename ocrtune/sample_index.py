"""A dataset to look through: ids and texts at hand, pictures read one by one when asked for.

Nothing here holds more than one row group of pictures in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ocrtune.archive import cause
from ocrtune.dataset_files import foreign, is_empty, split_path, written_splits
from ocrtune.edits import Edit, edits_path, load_edits, read_addition
from ocrtune.errors import DatasetError, did_you_mean
from ocrtune.picture_store import digest_of
from ocrtune.records import SPLITS

DATASETS_KEPT = 4  # whose ids and texts stay in memory
ADDED, GONE = -1, -2  # in place of a row: among the additions; left out when it was built

Identity = tuple[tuple[int, int, int], ...]  # of files: inode, time of the last change, bytes


@dataclass(frozen=True, slots=True)
class IndexedSample:
    """One sample as it stands now, without its picture."""

    picture_id: str
    split: str  # empty for one that was left out when the dataset was built
    row: int  # in the file of its split, or ADDED, or GONE
    text: str  # the ground truth now
    stored: str  # what the file says
    edit: Edit | None = None

    @property
    def is_excluded(self) -> bool:
        return self.edit is not None and self.edit.excluded

    @property
    def is_edited(self) -> bool:
        return self.edit is not None and self.edit.changes_text

    @property
    def is_checked(self) -> bool:
        return self.edit is not None and self.edit.checked


@dataclass(frozen=True)
class Columns:
    """Ids and texts of the three files, one after the other."""

    ids: list[str]
    texts: list[str]
    starts: dict[str, int]  # where each split begins
    rows: dict[str, int]  # by picture id

    def split_of(self, row: int) -> str:
        """Return the split to which a row belongs."""
        return [split for split in SPLITS if self.starts[split] <= row][-1]


def identify(paths: list[Path]) -> Identity:
    """Return what differs when one of the files is another one now; a missing file has zeros."""
    found = []
    for path in paths:
        try:
            stat = path.stat()
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)


def identify_edits(prefix: Path | str) -> Identity:
    """Return what differs when somebody has edited the dataset, or built it anew."""
    return identify([edits_path(prefix), *(split_path(prefix, split) for split in SPLITS)])


@lru_cache(maxsize=DATASETS_KEPT)
def read_columns(prefix: str, identity: Identity) -> Columns:
    """Return the ids and texts of a dataset whose files have this identity."""
    columns = Columns([], [], {}, {})
    for split in SPLITS:
        path = split_path(prefix, split)
        columns.starts[split] = len(columns.ids)
        if is_empty(prefix, split):
            continue
        try:
            with pq.ParquetFile(path) as file:
                table = file.read(columns=["image.path", "text"])
            if table.column("text").null_count:
                raise foreign(path, "a row holds no text")
            paths = pc.struct_field(table.column("image"), "path").to_pylist()
            columns.texts.extend(table.column("text").to_pylist())
        except (pa.ArrowException, OSError, KeyError) as error:
            raise foreign(path, cause(error)) from error
        columns.ids.extend(name or f"{split} {row}" for row, name in enumerate(paths))
    columns.rows.update((name, row) for row, name in enumerate(columns.ids))
    return columns


class PictureFile:
    """The pictures of one split; of its file, one row group is in memory at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = pq.ParquetFile(path)
        groups = [self.file.metadata.row_group(g).num_rows for g in range(self.file.num_row_groups)]
        self.starts = np.concatenate([[0], np.cumsum(groups)]).astype(int)
        self.group, self.pictures = -1, None

    def read(self, row: int) -> bytes:
        """Return the picture of a row of this file."""
        group = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.column(group)[row - int(self.starts[group])].as_py()

    def column(self, group: int) -> pa.ChunkedArray:
        """Return all pictures of a row group."""
        if group != self.group:
            self.pictures = None  # before the next one is read
            try:
                table = self.file.read_row_group(group, columns=["image.bytes"])
            except (pa.ArrowException, OSError) as error:
                raise foreign(self.path, cause(error)) from error
            self.group = group
            self.pictures = pc.struct_field(table.column("image"), "bytes")
        return self.pictures

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pictures of all rows in turn."""
        for group in range(len(self.starts) - 1):
            for picture in self.column(group):
                yield picture.as_py()

    def close(self) -> None:
        """Give the file back."""
        self.pictures = None
        self.file.close()


@lru_cache(maxsize=DATASETS_KEPT)
def picture_sizes(prefix: str, identity: Identity) -> np.ndarray:
    """Return how many bytes each picture of a dataset has, in the order of its Columns."""
    sizes = [np.zeros(0, dtype=np.int64)]
    for split in written_splits(prefix):
        file = PictureFile(split_path(prefix, split))
        for group in range(len(file.starts) - 1):
            lengths = pc.binary_length(file.column(group))
            sizes.append(lengths.to_numpy().astype(np.int64))
        file.close()
    return np.concatenate(sizes)


class SampleIndex:
    """The samples of a dataset as people left them: those of its files, then what was added.

    Samples that an earlier build left out, because somebody excluded them, come last, without
    a picture.
    """

    def __init__(self, prefix: Path | str) -> None:
        self.prefix = str(prefix)
        paths = [split_path(prefix, split) for split in SPLITS]
        written_splits(prefix)  # or an error
        self.identity = identify(paths)
        self.columns = read_columns(self.prefix, self.identity)
        self.edits = load_edits(prefix)
        rows, additions = self.columns.rows, self.edits.additions
        self.added = [one for name, one in additions.items() if name not in rows]
        self.gone = [
            one
            for name, one in self.edits.edits.items()
            if one.excluded and not one.waiting and name not in rows and name not in additions
        ]

    def __len__(self) -> int:
        return len(self.columns.ids) + len(self.added) + len(self.gone)

    def __getitem__(self, number: int) -> IndexedSample:
        built = len(self.columns.ids)
        if number < built:
            name, stored = self.columns.ids[number], self.columns.texts[number]
            split = self.columns.split_of(number)
            row = number - self.columns.starts[split]
        elif number < built + len(self.added):
            added = self.added[number - built]
            name, stored, split, row = added.picture_id, added.text, "train", ADDED
        else:
            gone = self.gone[number - built - len(self.added)]
            name, stored, split, row = gone.picture_id, gone.before, "", GONE
        edit = self.edits.of(name)
        text = stored if edit is None or edit.after is None else edit.after
        return IndexedSample(name, split, row, text, stored, edit)

    def __iter__(self) -> Iterator[IndexedSample]:
        return (self[number] for number in range(len(self)))

    def find(self, picture_id: str) -> IndexedSample | None:
        """Return the sample of that id, or None."""
        number = self.columns.rows.get(picture_id)
        if number is not None:
            return self[number]
        built = len(self.columns.ids)
        rest = (self[number] for number in range(built, len(self)))
        return next((one for one in rest if one.picture_id == picture_id), None)

    def require(self, picture_id: str) -> IndexedSample:
        """Return the sample of that id; a DatasetError offers the nearest one."""
        found = self.find(picture_id)
        if found is None:
            raise DatasetError(
                f"`{self.prefix}` has no sample `{picture_id}`.",
                did_you_mean(picture_id, self.columns.ids) or "See the ids with `--list --all`.",
            )
        return found

    def picture(self, sample: IndexedSample) -> bytes:
        """Return the picture of a sample, empty for one that was left out."""
        if sample.row == GONE:
            return b""
        if sample.row == ADDED:
            return read_addition(self.prefix, self.edits.additions[sample.picture_id])
        [picture] = self.pictures([sample]).values()
        return picture

    def pictures(self, samples: list[IndexedSample]) -> dict[str, bytes]:
        """Return the pictures of some samples by their ids; what lies together is read together."""
        found = {one.picture_id: self.picture(one) for one in samples if one.row < 0}
        for split in SPLITS:
            wanted = sorted(
                (one for one in samples if one.split == split and one.row >= 0), key=row
            )
            if not wanted:
                continue
            file = PictureFile(split_path(self.prefix, split))
            found |= {one.picture_id: file.read(one.row) for one in wanted}
            file.close()
        return found

    def digest(self, sample: IndexedSample) -> str:
        """Return the digest of a sample's picture, as its edits name it."""
        if sample.edit:
            return sample.edit.digest
        return digest_of(self.picture(sample)).hex()

    def find_picture(self, picture: bytes) -> IndexedSample | None:
        """Return the sample that has exactly this picture, or None."""
        sizes = picture_sizes(self.prefix, self.identity)
        same = [self[int(number)] for number in np.flatnonzero(sizes == len(picture))]
        digest = digest_of(picture).hex()
        found = (name for name, data in self.pictures(same).items() if data == picture)
        names = [one.picture_id for one in [*self.added, *self.gone] if one.digest == digest]
        name = next(found, names[0] if names else None)
        return None if name is None else self.find(name)

    def counts(self) -> dict[str, int]:
        """Return how many samples of each split are used."""
        counts = {split: 0 for split in SPLITS}
        starts = [*(self.columns.starts[split] for split in SPLITS), len(self.columns.ids)]
        for split, first, last in zip(SPLITS, starts[:-1], starts[1:], strict=True):
            counts[split] = last - first
        counts["train"] += len(self.added)
        for edit in self.edits.edits.values():
            if not (edit.excluded and not edit.waiting):
                continue
            if (one := self.find(edit.picture_id)) and one.split:
                counts[one.split] -= 1
        return counts


def row(sample: IndexedSample) -> int:
    """Return where a sample lies in its file, for sorting."""
    return sample.row

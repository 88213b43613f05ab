"""The files of a dataset: three parquet files and a report, written all or none, and read back."""

import contextlib
import glob
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ocrtune.archive import cause
from ocrtune.edits import with_edits
from ocrtune.errors import DatasetError, did_you_mean
from ocrtune.ground_truth import Reject
from ocrtune.records import SPLITS, Sample
from ocrtune.spreadsheet import write_table

FILE_WORDS = {"train": "train", "validation": "val", "test": "test"}  # PREFIX_val.parquet
FEATURES = {
    "image": {"_type": "Image"},
    "text": {"dtype": "string", "_type": "Value"},
}
SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
PACKING = {"image.bytes": "none", "image.path": "zstd", "text": "zstd"}
REJECT_COLUMNS = ("file", "line", "original", "reason", "reason_zh", "nearest")
STALE_SECONDS = 3_600  # without a write, until what a dead build left is removed
GROUP_ROWS, GROUP_BYTES = 256, 8 * 1024 * 1024  # of a parquet row group, whichever comes first


def split_path(prefix: Path | str, split: str) -> Path:
    """Return the parquet file of a split."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_{FILE_WORDS[split]}.parquet")


def report_path(prefix: Path | str) -> Path:
    """Return the report's file."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_report.json")


def rejects_path(prefix: Path | str) -> Path:
    """Return the table of the lines that were rejected."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_rejects.csv")


@contextlib.contextmanager
def staging(prefix: Path) -> Iterator[Path]:
    """Yield a folder beside the dataset for unfinished files; it is gone afterwards."""
    if prefix.name in ("", ".."):
        raise DatasetError(f"`{prefix}` is no prefix for files.", "Use for example `my_lines`.")
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        sweep(prefix)
        with tempfile.TemporaryDirectory(
            prefix=f".{prefix.name}-{os.getpid()}-", dir=prefix.parent
        ) as folder:
            yield Path(folder)
    except OSError as error:
        raise DatasetError(
            f"The dataset `{prefix}` cannot be written: {error.strerror or error}.",
            "Check the path, its rights and the free space.",
        ) from error


def sweep(prefix: Path) -> None:
    """Remove what builds of this dataset left behind that were ended by force."""
    for folder in prefix.parent.glob(f".{glob.escape(prefix.name)}-*-*"):
        pid = folder.name.removeprefix(f".{prefix.name}-").split("-")[0]
        if folder.is_dir() and pid.isdigit() and not is_running(int(pid)):
            touched = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            # on a shared disk the process may be one of another machine
            if time.time() - touched > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def is_running(pid: int) -> bool:
    """Return whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it belongs to somebody else, or cannot be asked for
        return True
    return True


def publish(folder: Path, prefix: Path) -> None:
    """Move the finished files to their places; the report comes last."""
    splits = [split_path(prefix, split) for split in SPLITS]
    for path in (*splits, rejects_path(prefix), report_path(prefix)):
        if (folder / path.name).exists():
            os.replace(folder / path.name, path)
        else:  # a split without a sample has no file, nor shall it keep the one it had
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as it is written."""

    picture_id: str
    picture: bytes
    text: str


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write the samples to a parquet file, a bounded row group at a time.

    Pictures are compressed already; without dictionaries and statistics they pass straight through.
    """
    with pq.ParquetWriter(
        path, SCHEMA, compression=PACKING, use_dictionary=False, write_statistics=False
    ) as writer:
        for group in in_groups(rows):
            images, texts, _ = as_columns(group)
            writer.write_table(pa.Table.from_arrays([images, texts], schema=SCHEMA))


def in_groups(rows: Iterable[Row | Sample]) -> Iterator[list[Row | Sample]]:
    """Yield the rows in groups that a file's row groups may have, bounded in rows and bytes."""
    group: list[Row | Sample] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row.picture)
        if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def as_columns(rows: Sequence[Row | Sample]) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return pictures, texts and ids; a column at a time, which takes a third of the time."""
    pictures = as_array([row.picture for row in rows], pa.binary())
    ids = as_array([row.picture_id.encode() for row in rows], pa.string())
    images = pa.StructArray.from_arrays([pictures, ids], names=["bytes", "path"])
    texts = as_array([row.text.encode() for row in rows], pa.string())
    return images, texts, ids


def as_array(values: Sequence[bytes], kind: pa.DataType) -> pa.Array:
    """Return the values one after the other, as Arrow keeps them; of a string they are its UTF-8.

    `pa.array` would import pandas to see whether the list is one of its own: 40 MB, half a second.
    """
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value) for value in values], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(kind, len(values), buffers)


def write_report(path: Path, report: object) -> None:
    """Write the report, a dataclass, as JSON."""
    text = json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8", errors="replace")


def write_rejects(path: Path, rejects: Iterable[Reject], content: str) -> None:
    """Write the rejected lines as a table; without any, only its heading.

    content: the file of those that name none.
    """
    write_table(path, REJECT_COLUMNS, (as_cells(one, content) for one in rejects))


def as_cells(one: Reject, content: str) -> dict[str, object]:
    """Return a rejected line as a row of the table, its reason in both languages."""
    return {
        "file": one.file or content,
        "line": one.line_number or "",  # 0: the whole file
        "original": one.original,
        "reason": str(one.reason),
        "reason_zh": one.reason.say("zh"),
        "nearest": one.nearest,
    }


def load_samples(prefix: str, split: str) -> list[Sample]:
    """Return the samples of a split as people left them, in the order of the content file."""
    return list(stream_samples(prefix, split))


def stream_samples(prefix: str, split: str) -> Iterator[Sample]:
    """Yield what `load_samples` returns, with a row group of pictures in memory at a time."""
    if split not in SPLITS:
        raise DatasetError(f"There is no split `{split}`.", f"Use {', '.join(SPLITS)}.")
    stored = () if is_empty(prefix, split) else stored_samples(prefix, split)
    return with_edits(prefix, split, stored)


def stored_samples(prefix: str, split: str) -> Iterator[Sample]:
    """Yield the samples of a split as its file has them."""
    path = split_path(prefix, split)
    require_file(path, prefix)
    seen: set[str] = set()
    for number, row in enumerate(stored_rows(path)):
        image, text = row["image"], row["text"]
        picture = image.get("bytes") if isinstance(image, dict) else None
        if not isinstance(picture, bytes) or not isinstance(text, str):
            raise foreign(path, f"row {number} holds no picture with its text")
        picture_id = image.get("path") or f"{split} {number}"  # other tools write no path
        if picture_id in seen:
            raise foreign(path, f"two rows are called `{picture_id}`")
        seen.add(picture_id)
        yield Sample(picture_id=picture_id, picture=picture, text=text)


def stored_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split's file."""
    try:
        with pq.ParquetFile(path) as file:
            if not {"image", "text"} <= set(file.schema_arrow.names):
                raise foreign(path, "it has no columns `image` and `text`")
            for group in range(file.num_row_groups):
                columns = {"row_groups": [group], "columns": ["image", "text"]}
                for batch in file.iter_batches(batch_size=GROUP_ROWS, **columns):
                    yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise foreign(path, cause(error)) from error


def read_build_report(prefix: str) -> dict[str, Any]:
    """Return the report of a built dataset."""
    path = report_path(prefix)
    require_file(path, prefix)
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise foreign(path, cause(error)) from error
    if not isinstance(report, dict) or "rejects" not in report:
        raise foreign(path, "it is no build report")
    return report


def is_empty(prefix: Path | str, split: str) -> bool:
    """Return whether a small dataset was built without any sample in this split."""
    path = split_path(prefix, split)
    return (
        split != "train"
        and not path.exists()
        and split_path(prefix, "train").exists()
        and (read_build_report(str(prefix))["splits"].get(split) == 0)
    )


def written_splits(prefix: Path | str) -> list[str]:
    """Return the splits that have a file; a DatasetError if one is missing that has samples."""
    written = [split for split in SPLITS if not is_empty(prefix, split)]
    for split in written:
        require_file(split_path(prefix, split), str(prefix))
    return written


def require_file(path: Path, prefix: str) -> None:
    """Raise a DatasetError when a file of the dataset is missing."""
    if not path.is_file():
        ending = path.name.rsplit("_", 1)[-1]
        near = did_you_mean(path.name, [one.name for one in path.parent.glob(f"*_{ending}")])
        raise DatasetError(
            f"There is no `{path}`.",
            near or f"Build it with `python -m ocrtune build SOURCE --output {prefix}`.",
        )


def foreign(path: Path, problem: str) -> DatasetError:
    """Return the error for a file that `build` did not write."""
    return DatasetError(
        f"`{path}` is not a dataset of ocrtune: {problem}.",
        "Build it again with `python -m ocrtune build`.",
    )

"""From ground truth to three parquet files and a report: read, check, split, write.

Memory does not grow with the pictures: each is checked on its own and written in bounded row
groups. All files appear at once, or none.
"""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrtune.archive import CONTENT_HELP, Archive
from ocrtune.config import BuildConfig
from ocrtune.content import is_picture_name
from ocrtune.dataset_files import (
    Row,
    publish,
    rejects_path,
    report_path,
    split_path,
    staging,
    write_rejects,
    write_report,
    write_rows,
)
from ocrtune.dataset_report import describe_texts, find_duplicates
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, silent
from ocrtune.figures import describe_samples
from ocrtune.ground_truth import GroundTruth, Reject
from ocrtune.grouping import group_samples
from ocrtune.picture_store import Stored, check_entries, stored_bytes
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source
from ocrtune.splits import own_splits, split_remarks, split_samples


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What became of every line of the ground truth."""

    source: str
    shape: str  # of the ground truth, one of SHAPES
    content: str  # name of the content file, or of the first file of ground truth
    encoding: str
    seed: int
    samples: int
    splits: dict[str, int]  # samples of each split
    shortest: int  # characters of a text, as are the next two
    longest: int
    mean: float
    example: dict[str, str]  # `picture` and `text` of the first sample
    characters: int  # different ones
    scripts: dict[str, int]  # characters of each script
    matches: dict[str, int]  # lines whose path was `exact`, or found by `spelling` or `tail`
    conversions: dict[str, int]  # pictures for each kind of change
    several_frames: tuple[str, ...]  # animated or multi-page files; their first frame is used
    duplicates: tuple[dict[str, Any], ...]  # identical `pictures`, and whether in `one_text`
    unnamed: tuple[str, ...]  # pictures of the archive that no line names
    remarks: tuple[dict[str, Any], ...]  # how the ground truth was understood: text, key, values
    rejects: tuple[dict[str, Any], ...]  # see `Reject.as_values`
    # `chars` of texts; `width`, `height` and `pixels` of pictures: see `figures.histogram`
    histograms: dict[str, dict[str, list[int]]]
    inventory: dict[str, int]  # how often each character occurs, the most frequent first
    once: list[str]  # characters that occur once, the first of them
    once_total: int  # all of them
    unseen: dict[str, int]  # characters of the test split that the train split never shows
    right_to_left: int  # samples whose text runs so


def never() -> bool:
    """Nobody asks the build to end."""
    return False


def build_dataset(
    config: BuildConfig, emit: Emit = silent, stop_requested: Callable[[], bool] = never
) -> BuildReport:
    """Write the dataset and its report, all files or none, and return the report.

    A BuildStoppedError when `stop_requested`.
    """
    prefix = Path(config.output)
    with open_source(config, emit) as archive, staging(prefix) as folder:
        truth = read_ground_truth(archive, config)
        with (folder / "pictures").open("w+b") as spool:
            checked = check_entries(archive, truth, spool, emit, stop_requested)
            stored = checked.stored
            rejects = sorted([*truth.rejects, *checked.rejects], key=place)
            require_usable(archive, truth, stored, rejects)
            picture_ids = name_pictures([sample.entry.sample_name for sample in stored])
            entries, digests = [one.entry for one in stored], [one.digest for one in stored]
            groups = group_samples(entries, picture_ids, config)
            splits = split_samples(digests, config, groups, own_splits(entries))
            told = split_remarks(splits, digests, groups, picture_ids, config)
            archive.read_again()
            for split, numbers in splits.items():
                if not numbers:  # `datasets` cannot open a file without a row
                    continue
                rows = (
                    Row(
                        picture_id=picture_ids[number],
                        picture=stored_bytes(archive, spool, stored[number]),
                        text=stored[number].entry.text,
                    )
                    for number in numbers
                )
                write_rows(split_path(folder / prefix.name, split), rows)
        named = {entry.name for entry in truth.entries}
        report = BuildReport(
            source=archive.label,
            shape=truth.shape,
            content=truth.files[0],
            encoding=truth.encoding,
            seed=config.seed,
            splits={split: len(rows) for split, rows in splits.items()},
            **describe_texts([sample.entry.text for sample in stored]),
            example={"picture": picture_ids[0], "text": stored[0].entry.text},
            matches=dict(truth.matches),
            conversions=dict(sorted(checked.conversions.items())),
            several_frames=tuple(checked.several_frames),
            duplicates=find_duplicates(picture_ids, stored),
            unnamed=tuple(
                name for name in archive.names() if is_picture_name(name) and name not in named
            ),
            remarks=tuple(one.as_values() for one in (*truth.remarks, *told)),
            rejects=tuple(one.as_values() for one in rejects),
            **describe_samples(
                [one.entry.text for one in stored], [one.pixels for one in stored], splits
            ),
        )
        if rejects:
            write_rejects(rejects_path(folder / prefix.name), rejects)
        write_report(report_path(folder / prefix.name), report)
        publish(folder, prefix)
    return report


def place(reject: Reject) -> tuple[str, int]:
    """Return where a reject stands, for sorting."""
    return reject.file, reject.line_number


def require_usable(
    archive: Archive, truth: GroundTruth, stored: Sequence[Stored], rejects: Sequence[Reject]
) -> None:
    """Raise a DatasetError if there is no sample at all."""
    if stored:
        return
    if not rejects:
        raise DatasetError(f"`{truth.files[0]}` holds no line to use.", CONTENT_HELP)
    problem = f"None of the {len(rejects)} lines of `{truth.files[0]}` can be used."
    first = rejects[0]
    line = f" Line {first.line_number}:" if first.line_number else ""
    problem += f"{line} {first.reason}"
    shown = [name for name in archive.names() if is_picture_name(name)][:1]
    if not shown:
        raise DatasetError(problem, f"`{archive.label}` holds no picture: add them.")
    raise DatasetError(problem, f"Write paths as in the archive, such as `{shown[0]}`.")


def name_pictures(names: Sequence[str]) -> list[str]:
    """Return a unique id for each name; pictures outside of the archive lose their home folders."""
    outside = [name for name in names if name.startswith("/")]
    if not outside:
        return list(names)
    # the last common folder is kept: it often says what the pictures are
    home = posixpath.dirname(posixpath.commonpath([posixpath.dirname(name) for name in outside]))
    ids = [posixpath.relpath(name, home) if name.startswith("/") else name for name in names]
    return ids if len(set(ids)) == len(ids) else [f"{row}/{one}" for row, one in enumerate(ids)]

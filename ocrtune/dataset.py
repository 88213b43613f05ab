"""From ground truth to three parquet files and a report: read, check, split, write.

Memory does not grow with the pictures: each is checked on its own and written in bounded row
groups. All files appear at once, or none.
"""

import contextlib
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
    require_file,
    split_path,
    staging,
    write_rejects,
    write_report,
    write_rows,
)
from ocrtune.dataset_report import inspect_samples, name_figures, reject_figures
from ocrtune.edits import Edits, edits_path, load_edits, locked
from ocrtune.errors import DatasetError
from ocrtune.events import Emit, silent
from ocrtune.extending import Earlier, fixed_splits, join_earlier, read_earlier
from ocrtune.ground_truth import GroundTruth, Reject
from ocrtune.grouping import group_samples
from ocrtune.picture_store import Stored, check_entries, stored_bytes
from ocrtune.rebuilding import Made, make_edits_again, publish_edits, stage_edits
from ocrtune.shapes import read_ground_truth
from ocrtune.sources import open_source
from ocrtune.splits import own_remarks, own_splits, split_remarks, split_samples


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
    edits: dict[str, int]  # of people that were made again and changed something, by origin
    remarks: tuple[dict[str, Any], ...]  # how the ground truth was understood: text, key, values
    rejects: tuple[dict[str, Any], ...]  # the first ones; see `Reject.as_values`
    reject_counts: dict[str, int]  # by key of the reason
    unnamed_count: int
    duplicate_count: int  # groups
    near_duplicates: list[dict[str, Any]]  # `pictures`, their `splits`, `distance` in bits of 256
    near_duplicate_count: int
    warnings: list[dict[str, Any]]  # suspicious texts: `picture`, `split`, `key`, `values`
    warning_counts: dict[str, int]  # by key, of all warnings, while those stored are the first
    advice: list[dict[str, Any]]  # what to do: text, key, values
    histograms: dict[str, dict[str, list[int]]]  # of `characters`, `width`, `height`
    inventory: dict[str, int]  # characters and how often they occur
    rare: list[str]  # characters that occur once
    unseen: dict[str, int]  # characters of test that train never shows, with their count there
    right_to_left: float  # share of the texts
    same_texts: dict[str, Any]  # `texts` that stand on several `pictures`, the `most` frequent


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
    edited = config.edits or config.extend or config.output
    with (
        open_source(config, emit, stop_requested) as archive,
        staging(prefix) as folder,
        (folder / "pictures").open("w+b") as spool,
        contextlib.closing(read_earlier(config.extend)) as earlier,
    ):
        edits = read_edits(config, edited)
        truth = read_ground_truth(archive, config)
        checked = check_entries(archive, truth, spool, emit, stop_requested)
        picture_ids = name_pictures([one.entry.sample_name for one in checked.stored])
        joined = join_earlier(earlier, edits, checked.stored, picture_ids, truth, archive.label)
        rejects = sorted([*truth.rejects, *checked.rejects, *joined.rejects], key=place)
        require_usable(archive, truth, joined.stored, rejects)
        old = len(earlier.ids)
        made = make_edits_again(edits, edited, joined.stored, joined.ids, spool, old)
        groups = group_samples([one.entry for one in made.stored], made.ids, config)
        splits = split_made(made, groups, earlier, len(joined.ids), config)

        def picture(number: int) -> bytes:
            if number < old:
                return earlier.picture(number)
            return stored_bytes(archive, spool, made.stored[number])

        archive.read_again()
        for split, numbers in splits.items():
            rows = (
                Row(
                    picture_id=made.ids[number],
                    picture=picture(number),
                    text=made.stored[number].entry.text,
                )
                for number in numbers
            )
            if numbers:  # `datasets` cannot open a file without a row
                write_rows(split_path(folder / prefix.name, split), rows)
        unnamed = unnamed_pictures(archive, truth)
        archive.close()  # the report needs the room of its table of contents
        groups = [group for row, group in enumerate(groups) if row not in made.excluded]
        stored, picture_ids, splits = without_excluded(made, splits)
        digests = [one.digest for one in stored]
        told = split_remarks(splits, digests, groups, picture_ids, config)
        told += own_remarks([one.entry for one in made.stored[old : len(joined.ids)]])
        report = BuildReport(
            source=archive.label,
            shape=truth.shape,
            content=truth.files[0],
            encoding=truth.encoding,
            seed=config.seed,
            splits={split: len(rows) for split, rows in splits.items()},
            **inspect_samples(picture_ids, stored, splits, config),
            example={"picture": picture_ids[0], "text": stored[0].entry.text},
            matches=dict(truth.matches),
            conversions=dict(sorted(checked.conversions.items())),
            several_frames=tuple(checked.several_frames),
            **name_figures(unnamed),
            edits=made.counts(),
            remarks=tuple(
                one.as_values() for one in (*truth.remarks, *joined.remarks, *made.remarks(), *told)
            ),
            **reject_figures(rejects),
        )
        write_rejects(rejects_path(folder / prefix.name), rejects, truth.files[0])
        write_report(report_path(folder / prefix.name), report)
        stage_edits(folder, prefix, made, edited)
        with locked(prefix):
            publish_edits(folder, prefix, edited, edits)
            publish(folder, prefix)
    return report


def read_edits(config: BuildConfig, prefix: str) -> Edits:
    """Return the edits to be made again; a DatasetError if a dataset is named that is not there."""
    if config.edits and not edits_path(prefix).exists():
        require_file(split_path(prefix, "train"), prefix)
    return load_edits(prefix)


def split_made(
    made: Made, groups: Sequence[str], earlier: Earlier, joined: int, config: BuildConfig
) -> dict[str, list[int]]:
    """Return the rows of each split, without those that are excluded.

    Excluded samples take part in the draw, so that the others stay where they were. Additions, the
    rows from `joined` on, are learned from.
    """
    old = len(earlier.ids)
    digests = [sample.digest for sample in made.stored]
    entries = [sample.entry for sample in made.stored[old:joined]]
    own = own_splits(entries, digests[old:joined], config, groups[old:joined])
    fixed = fixed_splits(earlier) | {old + row: split for row, split in own.items()}
    fixed |= dict.fromkeys(range(joined, len(made.ids)), "train")
    everything = split_samples(digests, config, groups, fixed)
    if len(made.excluded) == len(made.ids):
        raise DatasetError("Every sample is excluded.", "Include some of them again.")
    return {
        split: [row for row in rows if row not in made.excluded]
        for split, rows in everything.items()
    }


def without_excluded(
    made: Made, splits: dict[str, list[int]]
) -> tuple[list[Stored], list[str], dict[str, list[int]]]:
    """Return samples, ids and splits of those that are not excluded, numbered anew."""
    if not made.excluded:
        return made.stored, made.ids, splits
    kept = [row for row in range(len(made.ids)) if row not in made.excluded]
    number = {row: new for new, row in enumerate(kept)}
    renumbered = {split: [number[row] for row in rows] for split, rows in splits.items()}
    return [made.stored[row] for row in kept], [made.ids[row] for row in kept], renumbered


def unnamed_pictures(archive: Archive, truth: GroundTruth) -> list[str]:
    """Return the pictures of the archive that nothing in the ground truth names, sorted."""
    named = {entry.name for entry in truth.entries}
    return [one for one in archive.names() if is_picture_name(one) and one not in named]


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

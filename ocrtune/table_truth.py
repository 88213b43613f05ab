"""From rows of a table to ground truth: names for the pictures, texts, splits, and rejects."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ocrtune.cells import text_of
from ocrtune.columns import ColumnMap, split_of, usable_splits
from ocrtune.content import Names
from ocrtune.ground_truth import Entry, GroundTruth, Reject, clip, reject
from ocrtune.remarks import Remark, remark

UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|\A/|\A[A-Za-z]:|(\A|/)\.\.?(/|\Z)|//")
NAME_CHARS = 300


@dataclass(slots=True)
class Row:
    """A row with a usable text."""

    file: str
    number: int  # 1-based, in its file
    split: str
    group: str
    text: str
    path: str  # that is stored with its picture, or in its place
    place: Any  # where its picture is to be found


class Gathering:
    """The rows of a table, or of several with the same columns, as they come."""

    def __init__(self, columns: ColumnMap) -> None:
        self.columns = columns
        self.rows: list[Row] = []
        self.rejects: list[Reject] = []

    def add(
        self, file: str, number: int, split: str, values: Mapping, path: str, place: Any
    ) -> Row | None:
        """Keep a row of the table; None where its text is no use, which makes it a reject."""
        columns = self.columns
        text = text_of(values.get(columns.text.name), columns.text)
        if isinstance(text, Remark):
            self.refuse(file, number, path, text)
            return None
        own = split_of(values.get(columns.split)) if columns.split else ""
        group = values.get(columns.group) if columns.group else None
        row = Row(
            file=file,
            number=number,
            split=own or split,
            group="" if group is None else clip(str(group), 100),
            text=text,
            path=path,
            place=place,
        )
        self.rows.append(row)
        return row

    def refuse(self, file: str, number: int, original: str, reason: Remark) -> None:
        """Keep a row as rejected."""
        self.rejects.append(reject(number, original or f"{file} {number}", reason, file=file))

    def find_pictures(self, names: Collection[str], folder: str, locate: Callable) -> list[str]:
        """Return the picture that each row's path leads to; rows without one become rejects."""
        known = Names(names, folder, locate)
        kept: list[Row] = []
        found: dict[str, Row] = {}
        for row in self.rows:
            match = known.find(row.path) if row.path else None
            if match is None or len(match.names) != 1:
                shown = [f"`{name}`" for name in (match.names[:3] if match else ())]
                path, count = clip(row.path), len(match.names) if match else 0
                reason = remark("no_picture", path=path)
                if count:
                    reason = remark("several_pictures", path=path, count=count, names=shown)
                self.refuse(row.file, row.number, f"{row.path} {row.text}", reason)
            elif (first := found.setdefault(match.names[0], row)) is not row:
                key = "repeated" if first.text == row.text else "contradicted"
                reason = remark(key, line=str(first.number))
                self.refuse(row.file, row.number, f"{row.path} {row.text}", reason)
            else:
                kept.append(row)
        self.rows = kept
        return list(found)

    def name_pictures(
        self, taken: Collection[str], suffix_of: Callable[[Row], str] = lambda row: ""
    ) -> list[str]:
        """Return a name for each row's picture: its stored path where that is safe and unique."""
        paths = Counter(row.path for row in self.rows)
        files = {(row.split, row.file) for row in self.rows}
        lone = {split for split, count in Counter(split for split, _ in files).items() if count < 2}
        names = []
        for row in self.rows:
            if row.path and paths[row.path] == 1 and is_safe(row.path) and row.path not in taken:
                names.append(row.path)
                continue
            whole = row.split if row.split in lone and row.split else row.file
            home = whole if whole == row.split else posixpath.splitext(whole)[0]
            names.append(f"{home}/{row.number - 1:06d}{suffix_of(row)}")
        return names

    def ground_truth(
        self, shape: str, files: Sequence[str], names: Sequence[str], remarks: Sequence[Remark]
    ) -> GroundTruth:
        """Return the rows as entries under these names."""
        own = usable_splits([row.split for row in self.rows])
        entries = [
            Entry(
                line_number=row.number,
                name=name,
                text=row.text,
                file=row.file,
                split=row.split if own else "",
                group=row.group,
            )
            for row, name in zip(self.rows, names, strict=True)
        ]
        return GroundTruth(
            shape=shape,
            files=tuple(files),
            entries=entries,
            rejects=self.rejects,
            remarks=(*self.about_columns(), *remarks),
        )

    def about_columns(self) -> tuple[Remark, ...]:
        """Return which columns are used for what."""
        columns = self.columns
        told = [remark("table_columns", image=columns.image.name, text=columns.text.name)]
        told += [remark("table_group", column=columns.group)] if columns.group else []
        told += [remark("table_split", column=columns.split)] if columns.split else []
        return tuple(told)


def is_safe(path: str) -> bool:
    """Whether a path can be the name of a picture: below nothing, and not too long."""
    return len(path) <= NAME_CHARS and not UNSAFE.search(path)

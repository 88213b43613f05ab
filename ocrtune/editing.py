"""Changing samples of a dataset: one, many from a table, or a new one with its picture."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ocrtune.archive import cause
from ocrtune.edits import (
    Addition,
    Change,
    Edit,
    Edits,
    add_sample,
    change_edits,
    edit_after,
    usable_text,
)
from ocrtune.errors import DatasetError
from ocrtune.pictures import check_picture, quiet_pillow
from ocrtune.sample_index import IndexedSample, SampleIndex

TABLE_HELP = "The first line names the columns `id` and `text`, separated by a comma."


def edit_samples(prefix: Path | str, changes: Iterable[tuple[str, Change]]) -> list[Edit]:
    """Make all of these changes, or none, and return the edits; each is (picture id, change)."""
    index = SampleIndex(prefix)
    asked = [(index.require(name), change) for name, change in changes]
    digests = {one.picture_id: index.digest(one) for one, _ in asked}
    made: dict[str, Edit] = {}

    def change_all(edits: Edits) -> Edits:
        for sample, change in asked:
            name = sample.picture_id
            edit = edit_after(edits.of(name), change, name, digests[name], sample.stored)
            edits = edits.having(edit)
            made[name] = edit
        require_some_left(index, edits, [one for one, change in asked if change.excluded])
        return edits

    change_edits(prefix, change_all)
    return list(made.values())


def edit_sample(prefix: Path | str, picture_id: str, change: Change) -> Edit:
    """Change one sample and return its edit; the next training uses it."""
    [edit] = edit_samples(prefix, [(picture_id, change)])
    return edit


def require_some_left(index: SampleIndex, edits: Edits, excluded: Iterable[IndexedSample]) -> None:
    """Raise a DatasetError if a split from which samples were excluded would be empty."""
    touched = {one.split for one in excluded if one.split}
    if not touched:
        return
    out = {name for name, edit in edits.edits.items() if edit.excluded and not edit.waiting}
    for split in touched:
        if all(one.picture_id in out for one in index if one.split == split):
            raise DatasetError(
                f"It is the last sample of the {split} split.", "Add others before you exclude it."
            )


def keep_picture(
    prefix: Path | str, name: str, data: bytes, text: str, origin: str = "reading", note: str = ""
) -> tuple[str, IndexedSample | Addition]:
    """Make a picture with its text a sample, and return (what was done, the sample).

    What was done: `added` to the train split, or `edited`, because the dataset has the picture; it
    stays in its split then, and is included again if it was excluded.
    """
    index = SampleIndex(prefix)
    with quiet_pillow():
        picture = check_picture(data).data
    text = usable_text(text)
    found = index.find_picture(picture)
    if found is None:
        return "added", add_sample(prefix, name, picture, text, index.columns.ids, note)
    change = Change(text=text, excluded=False if found.is_excluded else None, origin=origin)
    edit_sample(prefix, found.picture_id, replace(change, note=note))
    return "edited", found


def read_changes(path: Path) -> list[tuple[str, Change]]:
    """Return the changes of a table with the columns `id` and `text`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream, strict=True)
            if not {"id", "text"} <= set(table.fieldnames or ()):
                raise DatasetError(f"`{path}` has no columns `id` and `text`.", TABLE_HELP)
            rows = [(table.line_num, row["id"], row["text"]) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"`{path}` cannot be read: {cause(error)}.", TABLE_HELP) from error
    changes = []
    for line, name, text in rows:
        if not name or text is None:
            raise DatasetError(f"Line {line} of `{path}` has no id or no text.", TABLE_HELP)
        changes.append((name, Change(text=text, origin="command", note=path.name)))
    return changes


def list_edits(prefix: Path | str) -> list[str]:
    """Return a line for each edit and addition of a dataset, for people."""
    edits = SampleIndex(prefix).edits
    lines = []
    for edit in edits.edits.values():
        marks = ["excluded"] * edit.excluded + ["checked"] * edit.checked
        if edit.changes_text:
            marks.append(f"{edit.before!r} -> {edit.after!r}")
        origin = f"{edit.origin}, {edit.note}" if edit.note else edit.origin
        lines.append(f"{edit.picture_id}: {', '.join(marks) or 'as it was'} ({origin})")
    lines += [f"{one.picture_id}: added, {one.text!r}" for one in edits.additions.values()]
    return lines

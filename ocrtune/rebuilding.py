"""What people changed, made again on a dataset being built: nobody corrects a text twice."""

import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from ocrtune.edits import (
    ORIGINS,
    Addition,
    Edit,
    Edits,
    additions_folder,
    edits_path,
    free_name,
    load_edits,
    read_addition,
    save_edits,
)
from ocrtune.errors import DatasetError
from ocrtune.ground_truth import Entry
from ocrtune.picture_store import Stored, digest_of
from ocrtune.pictures import check_picture, quiet_pillow
from ocrtune.remarks import Remark, remark

NAMED = 5  # samples that a remark names


@dataclass
class Made:
    """A dataset's samples with the edits made again, and what became of these."""

    stored: list[Stored]
    ids: list[str]
    excluded: set[int] = field(default_factory=set)  # rows that will not be written
    edits: dict[str, Edit] = field(default_factory=dict)  # as they are to be kept
    additions: dict[str, Addition] = field(default_factory=dict)
    origins: Counter[str] = field(default_factory=Counter)  # edits that changed something
    contradicted: list[str] = field(default_factory=list)  # ids whose text is new in the source
    missing: int = 0  # edits of pictures that are not there any more

    def remarks(self) -> list[Remark]:
        """Return what people should know of it."""
        told = []
        if count := sum(self.origins.values()):
            told.append(remark("edits_made", count=count))
        if names := self.contradicted:
            told.append(remark("edits_kept", count=len(names), names=names[:NAMED]))
        if self.missing:
            told.append(remark("edits_missing", count=self.missing))
        return told

    def counts(self) -> dict[str, int]:
        """Return how many edits changed something, by their origin."""
        return {origin: self.origins[origin] for origin in ORIGINS if self.origins[origin]}


def make_edits_again(
    edits: Edits, prefix: str, stored: list[Stored], ids: list[str], spool: IO[bytes], earlier: int
) -> Made:
    """Return the samples as people left them, additions at the end.

    prefix: of the dataset with these edits; earlier: how many of the samples come from it, so that
    a text in them that nobody wrote before is an edit too, and no news of the source.
    """
    made = Made(list(stored), list(ids))
    if not edits:
        return made
    rows = Rows(made)
    for addition in edits.additions.values():
        append_addition(made, rows, prefix, addition, spool)
    left_over = []
    for edit in edits.edits.values():
        found = rows.find(edit)
        if found is None:
            left_over.append(edit)
        else:
            apply_edit(made, found, edit, is_news=found >= earlier)
    for edit in left_over:
        is_out = earlier and edit.excluded and not edit.waiting  # of the earlier dataset already
        made.edits.setdefault(edit.picture_id, edit if is_out else replace(edit, waiting=True))
        made.missing += not is_out
    return made


class Rows:
    """The rows of a dataset by digest and by id."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.by_id = {name: row for row, name in enumerate(made.ids)}
        self.by_digest: dict[str, list[int]] = defaultdict(list)
        for row, sample in enumerate(made.stored):
            self.by_digest[sample.digest.hex()].append(row)

    def add(self, sample: Stored, name: str) -> None:
        """Append a sample."""
        self.by_id[name] = len(self.made.ids)
        self.by_digest[sample.digest.hex()].append(len(self.made.ids))
        self.made.stored.append(sample)
        self.made.ids.append(name)

    def find(self, edit: Edit) -> int | None:
        """Return the row that an edit means: the same picture, or its newer version.

        A picture of the same name with another text is not taken for a newer version.
        """
        same = self.by_digest.get(edit.digest, [])
        named = self.by_id.get(edit.picture_id)
        if same:
            texts = [self.made.stored[row].entry.text for row in same]
            known = [row for row, text in zip(same, texts, strict=True) if text == edit.before]
            return named if named in same else (known or same)[0]
        if named is not None and self.made.stored[named].entry.text in (edit.before, edit.after):
            return named
        return None


def apply_edit(made: Made, row: int, edit: Edit, is_news: bool) -> None:
    """Make one edit again on a row, and keep it for the next time."""
    sample = made.stored[row]
    text, wanted = sample.entry.text, edit.after
    if wanted is not None and text not in (edit.before, wanted) and is_news:
        made.contradicted.append(made.ids[row])
    if wanted is not None:
        made.stored[row] = replace(sample, entry=replace(sample.entry, text=wanted))
    if edit.excluded:
        made.excluded.add(row)
    if edit.excluded or (wanted is not None and wanted != edit.before):
        made.origins[edit.origin] += 1
    before = text if is_news else edit.before
    kept = replace(
        edit,
        picture_id=made.ids[row],
        digest=sample.digest.hex(),
        before=before,
        waiting=False,
        after=None if wanted == before else wanted,
        checked=edit.checked and (wanted is not None or before == edit.before),
    )
    if not kept.is_idle:
        made.edits[kept.picture_id] = kept


def append_addition(
    made: Made, rows: Rows, prefix: str, addition: Addition, spool: IO[bytes]
) -> None:
    """Add one of the samples that people added, unless the source has its picture by now."""
    named = rows.by_id.get(addition.picture_id)
    same = rows.by_digest.get(addition.digest)
    if same and named not in same:  # the source has it: what was written for it counts
        [row, *_] = same
        text = made.stored[row].entry.text
        wanted = Edit(
            picture_id=made.ids[row],
            digest=addition.digest,
            before=text,
            after=addition.text,
            checked=True,
            origin=addition.origin,
            note=addition.note,
        )
        if text != addition.text:
            apply_edit(made, row, wanted, is_news=True)
        return
    made.origins[addition.origin] += 1
    if same:  # it stands in the dataset that is extended
        made.additions[addition.picture_id] = addition
        return
    name = free_name(addition.picture_id, set(made.ids))
    data = read_addition(prefix, addition)
    with quiet_pillow():
        picture = check_picture(data)
    spool.seek(0, 2)
    place = spool.tell()
    spool.write(data)
    entry = Entry(line_number=0, name=name, text=addition.text, split="train")
    rows.add(
        Stored(entry, digest_of(data), place, len(data), picture.pixels, picture.signature), name
    )
    made.additions[name] = replace(addition, picture_id=name)


def stage_edits(folder: Path, prefix: Path, made: Made, source: str) -> None:
    """Put the edits to be kept, with the pictures of additions, among the unfinished files.

    source: prefix of the dataset whose edits these were.
    """
    edits = Edits(made.edits, made.additions)
    if not edits:
        return
    save_edits(edits_path(folder / prefix.name), edits)
    if made.additions:
        target = additions_folder(folder / prefix.name)
        target.mkdir()
        for addition in made.additions.values():
            shutil.copyfile(additions_folder(source) / addition.file, target / addition.file)


def publish_edits(folder: Path, prefix: Path, source: str, read: Edits) -> None:
    """Move the edits to their place; a DatasetError if somebody has edited `source` since.

    read: what its edits were when they were made again.
    """
    if edits_path(source) == edits_path(prefix) and load_edits(source) != read:
        raise DatasetError(
            f"The edits of `{source}` were changed while the dataset was built.", "Build it again."
        )
    staged = additions_folder(folder / prefix.name)
    if staged.is_dir():
        additions_folder(prefix).mkdir(exist_ok=True)
        for path in staged.iterdir():
            path.replace(additions_folder(prefix) / path.name)
    path = edits_path(folder / prefix.name)
    if path.exists():
        path.replace(edits_path(prefix))
    else:
        edits_path(prefix).unlink(missing_ok=True)

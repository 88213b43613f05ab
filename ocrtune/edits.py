"""What people change in a dataset after it was built: kept beside it, and made again by a rebuild.

`PREFIX_edits.json` holds an Edit for each sample that somebody looked at, with where it came from,
and an Addition for each new sample, whose picture lies in `PREFIX_additions/`. The parquet files
stay as they are until the next build; whoever loads samples sees them with their edits.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ocrtune.archive import cause
from ocrtune.errors import DatasetError
from ocrtune.picture_store import digest_of
from ocrtune.records import Sample
from ocrtune.whole_files import put_in_place

try:
    import fcntl
except ImportError:  # Windows: the last of two who write at the same moment wins
    fcntl = None

VERSION = 1
ORIGINS = ("gallery", "suspects", "reading", "command")  # where an edit was made
LONGEST_TEXT = 20_000  # characters of a text
LONGEST_NOTE = 200
MOST_ADDITIONS = 10_000


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What was decided on one sample."""

    picture_id: str
    digest: str  # of the picture as stored, in hexadecimal digits
    before: str  # the ground truth when it was first edited
    after: str | None = None  # the ground truth from now on; None: as it was
    excluded: bool = False
    checked: bool = False  # somebody compared picture and text
    origin: str = "gallery"  # of the last change, one of ORIGINS
    note: str = ""  # what led to it, such as "CER 80 %"
    waiting: bool = False  # its picture is not in the dataset, even if one has this id

    @property
    def changes_text(self) -> bool:
        """Whether the text is another one than at first."""
        return self.after is not None and self.after != self.before

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left of it."""
        return self.after is None and not self.excluded and not self.checked


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A sample that somebody added to the train split."""

    picture_id: str
    digest: str
    file: str  # name of the picture's file among the additions
    text: str
    origin: str = "reading"
    note: str = ""


@dataclass(frozen=True)
class Edits:
    """All edits of a dataset, by the picture's id."""

    edits: Mapping[str, Edit] = field(default_factory=dict)
    additions: Mapping[str, Addition] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.edits or self.additions)

    def of(self, picture_id: str) -> Edit | None:
        """Return the edit of a sample of the dataset, or None."""
        edit = self.edits.get(picture_id)
        return None if edit is None or edit.waiting else edit

    def having(self, edit: Edit) -> "Edits":
        """Return them with this edit in the place of an earlier one."""
        edits = {**self.edits, edit.picture_id: edit}
        if edit.is_idle:
            del edits[edit.picture_id]
        return replace(self, edits=edits)

    def adding(self, addition: Addition) -> "Edits":
        """Return them with this addition."""
        return replace(self, additions={**self.additions, addition.picture_id: addition})


def edits_path(prefix: Path | str) -> Path:
    """Return the file of a dataset's edits, which need not exist."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_edits.json")


def additions_folder(prefix: Path | str) -> Path:
    """Return where the pictures of a dataset's additions lie."""
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}_additions")


def load_edits(prefix: Path | str) -> Edits:
    """Return the edits of a dataset; none when nobody made any."""
    path = edits_path(prefix)
    if not path.exists():
        return Edits()
    try:
        values = json.loads(path.read_text("utf-8"))
        if values.pop("version") != VERSION or set(values) != {"edits", "additions"}:
            raise ValueError("it was written by another version of ocrtune")
        edits = [strict(Edit, one) for one in values["edits"]]
        additions = [strict(Addition, one) for one in values["additions"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"The edits in `{path}` cannot be read: {cause(error)}.",
            "Restore the file, or delete it to do without them.",
        ) from error
    return Edits(
        {edit.picture_id: edit for edit in edits}, {one.picture_id: one for one in additions}
    )


def strict(kind: type, values: Mapping[str, Any]) -> Any:
    """Return a record of this kind; a ValueError names what does not fit."""
    known = {one.name: one.type for one in fields(kind)}
    for name, value in values.items():
        if name not in known or not isinstance(value, known[name]):
            raise ValueError(f"`{name}` is unknown or of the wrong kind")
    record = kind(**values)
    if record.origin not in ORIGINS:
        raise ValueError(f"there is no origin `{record.origin}`")
    if isinstance(record, Addition) and Path(record.file).name != record.file:
        raise ValueError(f"`{record.file}` is no file name")
    return record


def save_edits(path: Path, edits: Edits) -> None:
    """Put these edits in the place of those in the file, at once."""
    values = {
        "version": VERSION,
        "edits": [asdict(one) for one in edits.edits.values()],
        "additions": [asdict(one) for one in edits.additions.values()],
    }
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    put_in_place(path, text.encode())


@contextlib.contextmanager
def locked(prefix: Path | str) -> Iterator[None]:
    """Keep everybody else from changing the edits of a dataset meanwhile."""
    if fcntl is None:
        yield
        return
    folder = os.open(Path(prefix).parent, os.O_RDONLY)  # which leaves no file behind
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def change_edits(prefix: Path | str, change: Callable[[Edits], Edits]) -> Edits:
    """Return the edits after a change that nobody can come between."""
    path = edits_path(prefix)
    try:
        with locked(prefix):
            before = load_edits(prefix)
            after = change(before)
            if after != before:
                save_edits(path, after)
    except OSError as error:
        raise DatasetError(
            f"The edits cannot be written to `{path}`: {error.strerror or error}.",
            "Check the path, its rights and the free space.",
        ) from error
    return after


@dataclass(frozen=True, kw_only=True)
class Change:
    """What somebody wants for a sample; None leaves a thing as it is."""

    text: str | None = None
    excluded: bool | None = None
    checked: bool | None = None
    origin: str = "gallery"
    note: str = ""


def edit_after(edit: Edit | None, change: Change, picture_id: str, digest: str, text: str) -> Edit:
    """Return the edit of a sample after one more change.

    text: what the dataset's file says, which is the ground truth unless it was edited.
    """
    edit = edit or Edit(picture_id=picture_id, digest=digest, before=text)
    changed: dict[str, Any] = {"origin": change.origin, "note": change.note[:LONGEST_NOTE]}
    if change.text is not None:
        wanted = usable_text(change.text)
        # After a build the file holds the edited text: going back is a change of it too.
        changed["after"] = None if wanted == edit.before == text else wanted
        changed["checked"] = True  # who writes a text has seen the picture
    if change.excluded is not None:
        changed["excluded"] = change.excluded
    if change.checked is not None:
        changed["checked"] = change.checked
    return replace(edit, **changed)


def usable_text(text: str) -> str:
    """Return a text as ground truth; a DatasetError says why it can be none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise DatasetError("A sample needs a text.", "Write it, or exclude the sample.")
    if len(text) > LONGEST_TEXT:
        raise DatasetError(
            f"The text has {len(text)} characters, and {LONGEST_TEXT} are the most.",
            "Cut the picture in parts.",
        )
    if any("\ud800" <= character <= "\udfff" or character in "\ufffd\0" for character in text):
        raise DatasetError("The text holds an unreadable character.", "Write it anew.")
    return text


def add_sample(
    prefix: Path | str, name: str, picture: bytes, text: str, taken: Sequence[str], note: str = ""
) -> Addition:
    """Add a checked picture with its text to the train split and return what was added.

    name: what to call it; taken: ids of the dataset's own samples.
    """
    text, digest = usable_text(text), digest_of(picture).hex()
    ending = "png" if picture.startswith(b"\x89PNG") else "jpg"
    added = Addition(
        picture_id="",
        digest=digest,
        file=f"{digest}.{ending}",
        text=text,
        note=note[:LONGEST_NOTE],
    )

    def add(edits: Edits) -> Edits:
        nonlocal added
        if len(edits.additions) >= MOST_ADDITIONS:
            raise DatasetError(
                f"{MOST_ADDITIONS} samples were added already.", "Build a dataset with the others."
            )
        names = {*taken, *edits.additions, *edits.edits}
        added = replace(added, picture_id=free_name(f"added/{name}", names))
        folder = additions_folder(prefix)
        folder.mkdir(exist_ok=True)
        put_in_place(folder / added.file, picture)
        return edits.adding(added)

    change_edits(prefix, add)
    return added


def free_name(name: str, taken: set[str]) -> str:
    """Return the name, numbered if it is taken."""
    stem, dot, ending = name.rpartition(".")
    number, free = 2, name
    while free in taken:
        free = f"{stem}-{number}.{ending}" if dot else f"{name}-{number}"
        number += 1
    return free


def read_addition(prefix: Path | str, addition: Addition) -> bytes:
    """Return the picture of an addition."""
    path = additions_folder(prefix) / addition.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"The added picture `{path}` cannot be read: {error.strerror}.", "Restore it."
        ) from error
    if digest_of(data).hex() != addition.digest:
        raise DatasetError(f"The added picture `{path}` is another one now.", "Restore it.")
    return data


def with_edits(prefix: Path | str, split: str, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples of a split as people left them, those that were added last."""
    edits = load_edits(prefix)
    built = set()
    for sample in samples:
        built.add(sample.picture_id)
        yield from as_edited(sample, edits)
    for one in edits.additions.values() if split == "train" else ():
        if one.picture_id not in built:
            picture = read_addition(prefix, one)
            added = Sample(picture_id=one.picture_id, picture=picture, text=one.text)
            yield from as_edited(added, edits)


def as_edited(sample: Sample, edits: Edits) -> Iterator[Sample]:
    """Yield the sample as people left it; nothing if they left it out."""
    edit = edits.of(sample.picture_id)
    if edit is None or not edit.excluded:
        yield replace(sample, text=edit.after) if edit and edit.after is not None else sample

"""An earlier dataset that gets more samples: its own keep their splits, and are not decoded."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from PIL import Image

from ocrtune.archive import cause
from ocrtune.dataset_files import foreign, split_path, written_splits
from ocrtune.edits import Edits, free_name
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.picture_store import Stored, digest_of
from ocrtune.pictures import quiet_pillow
from ocrtune.remarks import Remark, remark
from ocrtune.sample_index import PictureFile, identify, read_columns

EARLIER = -2  # the offset of a picture that lies in the earlier dataset
NAMED = 5  # renamed samples that a remark names


@dataclass
class Earlier:
    """The samples of the dataset that is extended, and the way to their pictures."""

    prefix: str = ""
    stored: list[Stored] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)  # of each sample
    starts: dict[str, int] = field(default_factory=dict)
    files: dict[str, PictureFile] = field(default_factory=dict)

    def picture(self, number: int) -> bytes:
        """Return the picture of one of these samples; row after row costs one read of each."""
        split = self.splits[number]
        return self.files[split].read(number - self.starts[split])

    def close(self) -> None:
        """Give the files back."""
        for file in self.files.values():
            file.close()


def read_earlier(prefix: str) -> Earlier:
    """Return the samples of a dataset that gets more; none for an empty prefix.

    Every picture is read once for its digest, but not decoded.
    """
    earlier = Earlier(prefix)
    if not prefix:
        return earlier
    paths = {split: split_path(prefix, split) for split in written_splits(prefix)}
    columns = read_columns(prefix, identify(list(paths.values())))
    earlier.ids, earlier.starts = list(columns.ids), dict(columns.starts)
    for split, path in paths.items():
        earlier.files[split] = PictureFile(path)
        with quiet_pillow():
            for picture in earlier.files[split]:
                number = len(earlier.stored)
                name, text = columns.ids[number], columns.texts[number]
                if not isinstance(picture, bytes) or not isinstance(text, str):
                    raise foreign(path, f"`{name}` has no picture or no text")
                entry = Entry(line_number=0, name=name, text=text, split=split)
                pixels = size_of(picture, path)
                size = len(picture)
                earlier.stored.append(Stored(entry, digest_of(picture), EARLIER, size, pixels))
                earlier.splits.append(split)
    return earlier


def size_of(picture: bytes, path: Path) -> tuple[int, int]:
    """Return width and height from the head of a picture that was checked when it was stored."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            return image.size
    except Exception as error:  # damaged files raise nearly anything
        raise foreign(path, cause(error)) from error


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The samples of both, the earlier ones first."""

    stored: list[Stored]
    ids: list[str]
    rejects: list[Reject]
    remarks: tuple[Remark, ...]


def join_earlier(
    earlier: Earlier,
    edits: Edits,
    stored: Sequence[Stored],
    ids: Sequence[str],
    truth: GroundTruth,
    source: str,
) -> Joined:
    """Return the samples of the earlier dataset with those new ones that it does not have.

    edits: of the earlier dataset: a text that was corrected there is known in both forms.
    """
    if not earlier.prefix:
        return Joined(stored=list(stored), ids=list(ids), rejects=[], remarks=())
    known: dict[bytes, int] = {}
    for number, sample in enumerate(earlier.stored):
        known.setdefault(sample.digest, number)
    added: list[Stored] = []
    rejects: list[Reject] = []
    names, taken, renamed = [], set(earlier.ids), []
    skipped = 0
    for sample, name in zip(stored, ids, strict=True):
        number = known.get(sample.digest)
        if number is None:
            free = name
            if name in taken:
                free = free_name(f"{PurePath(source).stem}/{name}", taken)
                renamed.append(free)
            taken.add(free)
            names.append(free)
            added.append(sample)
        elif sample.entry.text in texts_of(earlier, edits, number):
            skipped += 1
        else:
            rejects.append(contradiction(earlier, edits, number, sample, truth))
    remarks = [remark("extended", count=len(earlier.stored), added=len(added))]
    if skipped:
        remarks.append(remark("extend_known", count=skipped))
    if renamed:
        remarks.append(remark("extend_renamed", count=len(renamed), names=renamed[:NAMED]))
    return Joined(
        stored=[*earlier.stored, *added],
        ids=[*earlier.ids, *names],
        rejects=rejects,
        remarks=tuple(remarks),
    )


def texts_of(earlier: Earlier, edits: Edits, number: int) -> list[str]:
    """Return the texts that a sample of the earlier dataset has or had; the last one counts."""
    texts = [earlier.stored[number].entry.text]
    if edit := edits.of(earlier.ids[number]):
        texts = [edit.before, *texts, *([edit.after] if edit.after is not None else [])]
    return texts


def contradiction(
    earlier: Earlier, edits: Edits, number: int, sample: Stored, truth: GroundTruth
) -> Reject:
    """Return the reject of a picture that the earlier dataset has with another text."""
    entry = sample.entry
    reason = remark(
        "extend_contradicted",
        picture=earlier.ids[number],
        text=texts_of(earlier, edits, number)[-1],
        other=entry.text,
    )
    return reject(entry.line_number, truth.original(entry), reason, file=entry.file)


def fixed_splits(earlier: Earlier) -> dict[int, str]:
    """Return the split of every row that has one already."""
    return dict(enumerate(earlier.splits))

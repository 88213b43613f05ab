"""The pictures of a dataset being built: each is checked once, and only what was changed is kept.

Unchanged pictures stay where they are and are read a second time when they are written, so that
nothing is written twice; changed ones wait in a temporary file.
"""

import contextlib
import hashlib
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any

from ocrtune.archive import Archive, UnsafeArchiveError
from ocrtune.content import PDF_PAGE
from ocrtune.crops import cut_line
from ocrtune.errors import ArchiveError, DatasetError
from ocrtune.events import Emit, Progress
from ocrtune.ground_truth import Entry, GroundTruth, Reject, reject
from ocrtune.pictures import (
    Page,
    Picture,
    PictureError,
    check_picture,
    is_huge,
    open_page,
    quiet_pillow,
)
from ocrtune.remarks import Remark, remark

BATCH = 8  # pictures looked at in a row by one thread
LINES_BATCH = 256  # lines of one page, which is decoded once for them
STOP_EVERY = 16  # pictures between two looks whether to stop: a job looks at the disk
HUGE = threading.Lock()  # one such page in memory at a time: decoded it takes up to 120 MB
IN_PLACE = -1  # the offset of a picture that is stored as it lies in the archive


class BuildStoppedError(DatasetError):
    """Somebody asked the build to end; nothing was written."""

    def __init__(self) -> None:
        super().__init__("The build was stopped; nothing was written.", "Start it again.")


@dataclass(frozen=True, slots=True)
class Stored:
    """A usable entry; its picture was checked."""

    entry: Entry
    digest: bytes  # equal for identical pictures, as they will be stored
    offset: int  # in the temporary file, or IN_PLACE
    size: int  # bytes
    pixels: tuple[int, int]  # width and height
    signature: bytes = b""  # close for copies, see `signatures`


@dataclass(frozen=True, slots=True)
class Loaded:
    """A sound picture, without its bytes where they will be read again."""

    digest: bytes
    size: int  # bytes
    pixels: tuple[int, int]
    changes: tuple[str, ...]
    frames: int
    changed: bytes  # as to be stored; empty when that is the archive's file
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What came out of looking at every picture."""

    stored: list[Stored]
    rejects: list[Reject]
    conversions: Counter[str]
    several_frames: list[str]


def check_entries(
    archive: Archive,
    truth: GroundTruth,
    spool: IO[bytes],
    emit: Emit,
    stop_requested: Callable[[], bool],
) -> Checked:
    """Return which entries have a sound picture; changed pictures are appended to `spool`."""
    checked = Checked(stored=[], rejects=[], conversions=Counter(), several_frames=[])
    # one core is busy with reading names, counting and writing
    workers = max(1, min(4, (os.cpu_count() or 1) - 1))
    entries = truth.entries
    step = max(1, len(entries) // 100)
    offset = 0
    with quiet_pillow(), ThreadPoolExecutor(workers) as pool:
        work = partial(load_pictures, archive)
        outcomes = in_order(pool, work, in_batches(entries), ahead=2 * workers)
        pairs = (
            (one, it) for batch, loaded in outcomes for one, it in zip(batch, loaded, strict=True)
        )
        for done, (entry, picture) in enumerate(pairs, start=1):
            if done % STOP_EVERY == 0 and stop_requested():
                raise BuildStoppedError
            if isinstance(picture, Loaded):
                place = IN_PLACE
                if picture.changed:
                    place, offset = offset, offset + spool.write(picture.changed)
                sample = Stored(
                    entry,
                    picture.digest,
                    place,
                    picture.size,
                    picture.pixels,
                    picture.signature,
                )
                checked.stored.append(sample)
                checked.conversions.update(picture.changes)
                checked.several_frames.extend([entry.name] * (picture.frames > 1))
            else:
                original = truth.original(entry)
                line = reject(entry.line_number, original, picture, file=entry.file)
                checked.rejects.append(line)
            if done % step == 0 or done == len(entries):
                emit(Progress("build", done, len(entries)))
    return checked


def is_original(picture: Picture, entry: Entry) -> bool:
    """Return whether the picture is a whole file of the archive, byte for byte."""
    return not picture.changes and not entry.outline and not PDF_PAGE.search(entry.name)


def digest_of(data: bytes) -> bytes:
    """Return 16 bytes that are equal exactly when the data are."""
    return hashlib.blake2b(data, digest_size=16).digest()


def in_batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield the entries in order, a few at a time; lines of one page in a row stay together."""
    start = 0
    while start < len(entries):
        end, most = start + 1, LINES_BATCH if entries[start].outline else BATCH
        limit = min(len(entries), start + most)
        while end < limit and belong_together(entries[end - 1], entries[end]):
            end += 1
        yield entries[start:end]
        start = end


def belong_together(one: Entry, other: Entry) -> bool:
    """Whether two entries in a row are loaded by one thread."""
    if one.outline and other.outline:
        return one.name == other.name
    return not one.outline and not other.outline


def in_order(
    pool: Executor, work: Callable[[Any], Any], items: Iterable[Any], ahead: int
) -> Iterator[tuple[Any, Any]]:
    """Yield each item with its outcome, in order, never more than `ahead` outcomes in memory."""
    waiting: deque = deque()
    for item in items:
        waiting.append((item, pool.submit(work, item)))
        if len(waiting) >= ahead:
            first, outcome = waiting.popleft()
            yield first, outcome.result()
    for item, outcome in waiting:
        yield item, outcome.result()


def load_pictures(archive: Archive, entries: Sequence[Entry]) -> list[Loaded | Remark]:
    """Return each entry's checked picture, or the reason why it cannot be used.

    Several at a time: handing over each for itself costs as much as decoding a line. They are
    whole pictures, or lines of one page.
    """
    if not entries[0].outline:
        return [load_picture(archive, entry) for entry in entries]
    loaded = or_reason(archive, entries[0].name, partial(load_lines, entries))
    return [loaded] * len(entries) if isinstance(loaded, Remark) else loaded


def load_lines(entries: Sequence[Entry], data: bytes) -> list[Loaded | Remark]:
    """Return the lines cut from one page, or the reasons why they cannot be."""
    with HUGE if is_huge(data) else contextlib.nullcontext():
        page = open_page(data)
        return [load_line(page, entry, entry is entries[0]) for entry in entries]


def load_picture(archive: Archive, entry: Entry) -> Loaded | Remark:
    """Return the entry's checked picture, or the reason why it cannot be used."""
    picture = or_reason(archive, entry.name, check_picture)
    return picture if isinstance(picture, Remark) else as_loaded(picture, entry)


def load_line(page: Page, entry: Entry, is_first: bool) -> Loaded | Remark:
    """Return a line cut from its page, or the reason why it cannot be; the first names frames."""
    try:
        picture = cut_line(page.image, entry.outline, entry.frame, entry.part, page.turn)
    except PictureError as error:
        return error.reason
    return as_loaded(replace(picture, frames=page.frames if is_first else 1), entry)


def or_reason(archive: Archive, name: str, check: Callable[[bytes], Any]) -> Any:
    """Return what `check` makes of the file, or the reason why it cannot be used."""
    try:
        return check(archive.read(name))
    except UnsafeArchiveError:
        raise
    except PictureError as error:
        return error.reason
    except ArchiveError as error:
        return remark("said", text=str(error))


def as_loaded(picture: Picture, entry: Entry) -> Loaded:
    """Return the picture without its bytes where they will be read again."""
    is_page = PDF_PAGE.search(entry.name) and not entry.outline
    return Loaded(
        digest=digest_of(picture.data),
        size=len(picture.data),
        pixels=picture.pixels,
        changes=(*picture.changes, "PDF page to picture") if is_page else picture.changes,
        frames=picture.frames,
        changed=b"" if is_original(picture, entry) else picture.data,
        signature=picture.signature,
    )


def stored_bytes(archive: Archive, spool: IO[bytes], sample: Stored) -> bytes:
    """Return the picture's bytes as they are to be stored."""
    if sample.offset != IN_PLACE:
        spool.seek(sample.offset)
        return spool.read(sample.size)
    data = archive.read(sample.entry.name)
    if digest_of(data) != sample.digest:
        raise DatasetError(
            f"`{sample.entry.name}` changed while the dataset was built.", "Build it again."
        )
    return data

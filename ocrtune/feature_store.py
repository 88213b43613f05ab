"""Vision features on disk, memory-mapped: computed once, read by every later run and comparison.

A folder for each way in which features are computed holds segments. A segment is a file of numbers
and, written last, an index that says whose they are; neither is ever changed. So any number of
processes may add and read at once, and what a killed one left unfinished is never looked at.
Pictures are known by a digest of their bytes only.
"""

import hashlib
import json
import os
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

SEGMENT_BYTES = 64 * 1024 * 1024  # held in memory before they are written
GIGABYTES = 5.0  # all features together, unless OCRTUNE_FEATURES_GB says otherwise
ABANDONED_SECONDS = 24 * 3600  # an unfinished file so old has no writer any more
DATA, INDEX, PART = ".features", ".json", ".part"


def most_bytes() -> int:
    """Return how much disk all features may take: `OCRTUNE_FEATURES_GB`, 0 keeps none."""
    try:
        return int(float(os.environ.get("OCRTUNE_FEATURES_GB") or GIGABYTES) * 1e9)
    except (ValueError, OverflowError):
        return int(GIGABYTES * 1e9)


def picture_digest(picture: bytes) -> str:
    """Return what stands for a picture in the store."""
    return hashlib.sha256(picture).hexdigest()


@dataclass
class Segment:
    """One file of features, and where in it each picture's begin."""

    path: Path
    width: int  # values a token
    places: dict[str, tuple[int, int]]  # first value and tokens, by the picture's digest
    values: int  # in all
    mapped: Tensor | None = None

    def read(self, digest: str, dtype: torch.dtype) -> Tensor:
        """Return a picture's features [tokens, width], which stay on disk until they are used."""
        if self.mapped is None:
            self.mapped = torch.from_file(
                str(self.path), shared=False, size=self.values, dtype=dtype
            )
            os.utime(self.path)  # used now: the longest unused ones go first
        start, tokens = self.places[digest]
        return self.mapped[start : start + tokens * self.width].view(tokens, self.width)


@dataclass
class FeatureStore:
    """The features of one base model under one layout, in one precision."""

    folder: Path  # of this kind of features, below the folder of all kinds
    dtype: torch.dtype
    most_bytes: int  # of all kinds together; 0 keeps everything in memory only
    trouble: str = ""  # why nothing more can be written
    segments: dict[str, Segment] = field(default_factory=dict)  # by digest
    pending: dict[str, Tensor] = field(default_factory=dict)  # the next segment
    writing: dict[str, Tensor] = field(default_factory=dict)  # the one before it, in a thread
    written: Future | None = None  # becomes its segment
    made: set[Path] = field(default_factory=set)  # segments of this store's own
    memory: dict[str, Tensor] = field(default_factory=dict)  # cannot be written

    def __post_init__(self) -> None:
        if not self.most_bytes:
            return
        for index in sorted(self.folder.glob(f"*{INDEX}")):
            if segment := load_segment(index, self.dtype):
                self.segments |= dict.fromkeys(segment.places, segment)

    def find(self, digest: str) -> Tensor | None:
        """Return the features of a picture [tokens, width]; None if they are not kept."""
        if digest in self.memory:
            return self.memory[digest]
        segment = self.segments.get(digest)
        try:
            return segment.read(digest, self.dtype) if segment else None
        except (OSError, RuntimeError):  # deleted by another process before it was opened
            self.segments.pop(digest)
            return None

    def add(self, digest: str, features: Tensor) -> None:
        """Take a picture's features [tokens, width]; they are found after the next `seal`."""
        self.pending[digest] = features.detach().to("cpu", self.dtype).contiguous()
        if sum(each.nbytes for each in self.pending.values()) >= SEGMENT_BYTES:
            self.write_behind()

    def seal(self) -> None:
        """Return once everything that was added is written."""
        if self.pending:
            self.write_behind()
        self.finish_writing()

    def write_behind(self) -> None:
        """Begin to write what was added; kept in memory where the disk cannot take it."""
        self.finish_writing()
        self.writing, self.pending = self.pending, {}
        if not self.most_bytes or self.trouble:
            self.memory |= self.writing
            return
        pool = ThreadPoolExecutor(1)
        self.written = pool.submit(write_segment, self.folder, self.writing)
        pool.shutdown(wait=False)

    def finish_writing(self) -> None:
        """Return once the segment that is being written is whole, and can be found."""
        if self.written is None:
            return
        try:
            segment = self.written.result()
            self.made.add(segment.path)
            self.segments |= dict.fromkeys(segment.places, segment)
            used = {each.path for each in self.segments.values() if each.mapped is not None}
            trim(self.folder.parent, self.most_bytes, used | self.made)
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__
            self.memory |= self.writing
        self.writing, self.written = {}, None


def load_segment(index: Path, dtype: torch.dtype) -> Segment | None:
    """Return the segment of an index file; None if either is not whole."""
    try:
        values = json.loads(index.read_text("utf-8"))
        places = {digest: (start, tokens) for digest, (start, tokens) in values["places"].items()}
        path, width = index.with_suffix(DATA), int(values["width"])
        size = path.stat().st_size // dtype.itemsize
        fits = all(0 <= start <= size - tokens * width for start, tokens in places.values())
        if not fits or values["values"] != size or not places:
            return None
        return Segment(path, width, places, size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_segment(folder: Path, features: dict[str, Tensor]) -> Segment:
    """Write features [tokens, width] as a new segment and return it; an OSError leaves nothing."""
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns():x}-{secrets.token_hex(4)}"
    data, index = folder / f"{name}{DATA}", folder / f"{name}{INDEX}"
    places, start = {}, 0
    draft = folder / f"{name}{PART}"
    try:
        with draft.open("xb") as stream:
            for digest, each in features.items():
                places[digest] = (start, len(each))
                stream.write(memoryview(each.view(torch.uint8).flatten().numpy()))
                start += each.numel()
            stream.flush()
            os.fsync(stream.fileno())  # before the index says that it is there
        draft.rename(data)
        width = next(iter(features.values())).shape[1]
        draft.write_text(json.dumps({"width": width, "values": start, "places": places}), "utf-8")
        draft.rename(index)
    except OSError:
        for path in (draft, data):
            path.unlink(missing_ok=True)
        raise
    return Segment(data, width, places, start)


def trim(root: Path, most: int, spare: set[Path]) -> None:
    """Delete the longest unused segments below `root` until the rest takes at most `most` bytes.

    Those in `spare` stay. Another process that has mapped a deleted one goes on reading it.
    """
    sizes = {}
    for path in root.glob("*/*"):
        try:
            found = path.stat()
        except OSError:  # another process was quicker
            continue
        whole = path.suffix == DATA and path.with_suffix(INDEX).exists()
        if whole:
            sizes[path] = (found.st_mtime, found.st_size)
        elif path.suffix in (DATA, PART) and time.time() - found.st_mtime > ABANDONED_SECONDS:
            path.unlink(missing_ok=True)
    total = sum(size for _, size in sizes.values())
    for path in sorted(sizes.keys() - spare, key=lambda each: sizes[each]):
        if total <= most:
            return
        path.with_suffix(INDEX).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        total -= sizes[path][1]

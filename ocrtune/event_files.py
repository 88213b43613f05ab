"""Reading events while somebody writes them: only what is new, and whatever else stands there."""

import os
import stat
import threading
from collections import OrderedDict
from pathlib import Path

from ocrtune.events import Event, from_line

BLOCK_BYTES = 1 << 20
LINE_BYTES = 8 << 20  # a longer line is none of ours, and is never held in memory
PROBE_BYTES = 64  # before the place where reading goes on
MOST_FILES = 256


class EventReader:
    """The events of one file, read on from where the last reading ended.

    A file that was rewound is another file, or ends earlier, or reads differently just before that
    place: then it is read anew, and `rewinds` counts it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.rewinds = 0
        self.forget()

    def forget(self) -> None:
        """Begin again at the start of the file."""
        self.events: list[Event] = []
        self.inode = 0
        self.changed = 0  # when the file was, in the file system's words
        self.offset = 0  # everything before it is read
        self.probe = b""  # the bytes before it
        self.torn = b""  # the beginning of a line whose end is not yet written
        self.skipping = False  # within a line that is too long

    def read(self) -> list[Event]:
        """Return all whole events so far, oldest first; a missing file holds none."""
        with self.lock:
            try:
                self.read_on()
            except OSError:
                self.forget()
            return self.events.copy()

    def read_on(self) -> None:
        """Take in what was written since the last time."""
        found = os.stat(self.path)
        if not stat.S_ISREG(found.st_mode):
            self.forget()
            return
        same = found.st_ino == self.inode and found.st_size >= self.offset
        if same and (found.st_mtime_ns, found.st_size) == (self.changed, self.offset):
            return
        with self.path.open("rb") as stream:
            found = os.fstat(stream.fileno())
            if self.inode and not (same and self.goes_on(stream)):
                self.forget()
                self.rewinds += 1
            stream.seek(self.offset)
            while block := stream.read(BLOCK_BYTES):
                self.take(block)
        self.inode, self.changed = found.st_ino, found.st_mtime_ns

    def goes_on(self, stream) -> bool:
        """Return whether the stream holds what was read of it before."""
        stream.seek(self.offset - len(self.probe))
        return stream.read(len(self.probe)) == self.probe

    def take(self, block: bytes) -> None:
        """Add the events of the next bytes."""
        self.offset += len(block)
        self.probe = (self.probe + block)[-PROBE_BYTES:]
        *whole, rest = block.split(b"\n")
        for line in whole:
            if not self.skipping:
                self.add(self.torn + line)
            self.torn, self.skipping = b"", False
        self.torn += rest
        if self.skipping or len(self.torn) > LINE_BYTES:
            self.torn, self.skipping = b"", True

    def add(self, line: bytes) -> None:
        """Add the event on a line, if it is one."""
        event = from_line(line.decode("utf-8", errors="replace"))
        if event is not None:
            self.events.append(event)


class EventFiles:
    """Readers of the files that were asked for last: a page asks for the same ones each second."""

    def __init__(self, most_files: int = MOST_FILES) -> None:
        self.most_files = most_files
        self.lock = threading.Lock()
        self.readers: OrderedDict[Path, EventReader] = OrderedDict()

    def read(self, path: Path) -> list[Event]:
        """Return all events of a file, of which only what is new is read."""
        with self.lock:
            reader = self.readers.pop(path, None) or EventReader(path)
            self.readers[path] = reader
            if len(self.readers) > self.most_files:
                self.readers.popitem(last=False)
        return reader.read()

    def forget(self, path: Path) -> None:
        """Hold nothing of a file any more."""
        with self.lock:
            self.readers.pop(path, None)

"""What a job says of itself: `status.json`, replaced whole by one writer at a time."""

import json
import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path

from ocrtune.whole_files import put_in_place

STATES = ("queued", "running", "done", "stopped", "failed", "lost")
TRAININGS = ("train", "remote")  # commands that are one: here, or on a machine of the Hub
ENDED = ("done", "stopped", "failed", "lost")
MOST_BYTES = 1 << 20  # of a status; what is larger is none
MOST_FILES = 4096  # that are remembered
AT_REST = 0.1  # seconds after which a file's time tells any later change


@dataclass(frozen=True, kw_only=True)
class Status:
    """What `status.json` holds."""

    state: str
    command: str
    created: float  # seconds since 1970
    pid: int = 0
    began: float = 0.0  # when its turn came, in seconds since 1970; 0 before that
    started: str = ""  # when that process began, see `process_start`
    heartbeat: float = 0.0  # seconds since 1970, the time of the last event
    step: int = 0
    total: int = 0
    message: str = ""
    reason: str = ""  # why it was lost, a sentence; empty where nobody knows
    owner: str = ""  # who may ask for it; empty for whoever knows its id

    def save(self, folder: Path) -> None:
        """Put this status in place of the last one, at once; an OSError leaves the last one."""
        text = json.dumps(asdict(self), ensure_ascii=False)
        put_in_place(folder / "status.json", text.encode("utf-8", "replace"))

    @classmethod
    def load(cls, folder: Path) -> "Status | None":
        """Return the status in the folder; None if it is missing or is none of ours."""
        return STATUSES.read(folder / "status.json", cls.parse)

    @classmethod
    def parse(cls, path: Path) -> "Status | None":
        """Return the status that a file holds; None if it holds none of ours."""
        try:
            values = json.loads(read_small(path))
            known = {one.name: values.get(one.name, one.default) for one in fields(cls)}
            status = cls(**{one.name: one.type(known[one.name]) for one in fields(cls)})
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return None
        return None if MISSING in known.values() or status.state not in STATES else status


def read_small(path: Path) -> str:
    """Return the text of a file; an OSError where there is no file, or one far too large."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
        raise OSError(f"`{path}` is no status.")
    return path.read_text("utf-8")


class Statuses:
    """What was read of status files: a page asks for the same ones each second.

    A file is known by its inode, time and size. One that was written a moment ago is read again:
    within that moment it could be replaced without a trace.
    """

    def __init__(self, most_files: int = MOST_FILES) -> None:
        self.most_files = most_files
        self.lock = threading.Lock()
        self.known: OrderedDict[Path, tuple[tuple, Status | None]] = OrderedDict()

    def read(self, path: Path, parse: Callable[[Path], Status | None]) -> Status | None:
        """Return what `parse` makes of the file, called only where the file may have changed."""
        try:
            found = os.stat(path)
        except OSError:
            return None
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self.lock:
            before = self.known.get(path)
            if before and before[0] == stamp:
                self.known.move_to_end(path)
                return before[1]
        status = parse(path)
        if time.time() - found.st_mtime > AT_REST:
            with self.lock:
                self.known[path] = (stamp, status)
                if len(self.known) > self.most_files:
                    self.known.popitem(last=False)
        return status


STATUSES = Statuses()  # nobody's secret: who asks for a status knows the job's id

"""What a job says of itself: `status.json`, replaced whole by one writer at a time."""

import json
import os
import stat
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path

STATES = ("queued", "running", "done", "stopped", "failed", "lost")
ENDED = ("done", "stopped", "failed", "lost")
MOST_BYTES = 1 << 20  # of a status; what is larger is none


@dataclass(frozen=True, kw_only=True)
class Status:
    """What `status.json` holds."""

    state: str
    command: str
    created: float  # seconds since 1970
    pid: int = 0
    started: str = ""  # when that process began, see `process_start`
    heartbeat: float = 0.0  # seconds since 1970, the time of the last event
    step: int = 0
    total: int = 0
    message: str = ""
    reason: str = ""  # why it was lost, a sentence; empty where nobody knows
    owner: str = ""  # who may ask for it; empty for whoever knows its id

    def save(self, folder: Path) -> None:
        """Put this status in place of the last one, at once; an OSError leaves the last one."""
        draft = folder / f"status.{os.getpid()}.draft"
        try:
            draft.write_text(json.dumps(asdict(self), ensure_ascii=False), "utf-8", "replace")
            draft.replace(folder / "status.json")
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, folder: Path) -> "Status | None":
        """Return the status in the folder; None if it is missing or is none of ours."""
        try:
            values = json.loads(read_small(folder / "status.json"))
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

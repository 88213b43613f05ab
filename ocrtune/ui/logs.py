"""The log of a run as its visitor may read it: settled, and without secrets."""

import re

from ocrtune.jobs import Job
from ocrtune.redaction import redact, settle
from ocrtune.ui.looks import Look

SHOWN_BYTES = 12_000  # of the end, on the page
LONGEST_BYTES = 5_000_000  # of the end, in a file
LINE_END = re.compile(r"[\r\n]")


def log_end(job: Job) -> str:
    """Return the end of what the worker printed."""
    return readable(job.log(SHOWN_BYTES), SHOWN_BYTES)


def whole_log(job: Job) -> str:
    """Return what the worker printed; of a very long log the end."""
    return readable(job.log(LONGEST_BYTES), LONGEST_BYTES)


def log_size(run: Look) -> int:
    """Return how many bytes a run's worker has printed."""
    try:
        return (run.job.folder / "log.txt").stat().st_size if run.job else 0
    except OSError:
        return 0


def readable(words: str, max_bytes: int) -> str:
    """Return a log, or the last `max_bytes` of one, without secrets.

    A secret at the cut would be told by its half, so a cut log begins with a whole line.
    """
    if len(words.encode()) >= max_bytes:
        words = LINE_END.split(words, maxsplit=1)[-1]
    return redact(settle(words)).strip()

"""How long jobs are kept, which of them need each other, and the sweep that deletes old ones.

A job is kept for some days after it ended or after somebody last came back to it, and for as long
as one that was made from it. Nothing is kept of it after that.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocrtune.errors import JobError
from ocrtune.job_status import ENDED, Status
from ocrtune.jobs import JOB_ID, Job, load_jobs

DAY = 86_400.0  # seconds
USED = "used"  # an empty file in a job's folder: its time is when somebody last came back
FRESH_SECONDS = 1.0  # for which what was read of all jobs is believed while some are deleted
HALF_MADE = DAY  # seconds after which a folder that never became a job is rubbish


@dataclass(frozen=True)
class Kept:
    """One job among all jobs of a home."""

    job: Job
    status: Status
    state: str
    uses: frozenset[str]  # ids of jobs whose files it needs

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def active(self) -> bool:
        return self.state not in ENDED

    @property
    def last_used(self) -> float:
        """When it ended or somebody last came back to it, in seconds since 1970."""
        come_back = 0.0
        with contextlib.suppress(OSError):
            come_back = (self.job.folder / USED).stat().st_mtime
        return max(self.status.created, self.status.heartbeat, come_back)


def mark_used(job: Job) -> None:
    """Write down that somebody came back to the job now; a disk that is full changes nothing."""
    with contextlib.suppress(OSError):
        if job.folder.is_dir():
            (job.folder / USED).touch()


def survey(home: Path) -> dict[str, Kept]:
    """Return all jobs by their ids, newest first."""
    found = {}
    for job, status in load_jobs(home):
        state = status.state if status.state in ENDED else job.state()
        found[job.id] = Kept(job, status, state, used_jobs(job, status, state))
    return found


def used_jobs(job: Job, status: Status, state: str) -> frozenset[str]:
    """Return the ids of the jobs whose files this one needs, as its settings name them.

    A build needs the dataset that it goes on from only until it has ended.
    """
    if status.command == "build" and state in ENDED:
        return frozenset()
    try:
        settings = json.loads((job.folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return frozenset()
    named = (job_of(text, job.folder.parent) for text in texts_in(settings))
    return frozenset(name for name in named if name and name != job.id)


def texts_in(value: object) -> Iterator[str]:
    """Yield every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def job_of(path: str, folder: Path) -> str:
    """Return the id of the job in whose folder a path lies; empty if it is no such path."""
    start = f"{folder}/"
    name = path[len(start) :].partition("/")[0] if path.startswith(start) else ""
    return name if JOB_ID.fullmatch(name) else ""


def users_of(job_id: str, jobs: dict[str, Kept]) -> list[Kept]:
    """Return all jobs that need this one, directly or by way of others."""
    found: dict[str, Kept] = {}
    wanted = {job_id}
    while wanted:
        using = {key: kept for key, kept in jobs.items() if kept.uses & wanted}
        wanted = using.keys() - found.keys() - {job_id}
        found |= {key: using[key] for key in wanted}
    return list(found.values())


def kept_until(job_id: str, jobs: dict[str, Kept], keep_days: int) -> float | None:
    """Return when a job may be deleted, in seconds since 1970; None for never or not yet known.

    What is under way, or needed by something under way, has no end yet.
    """
    if not keep_days or job_id not in jobs:
        return None
    family = [jobs[job_id], *users_of(job_id, jobs)]
    if any(kept.active for kept in family):
        return None
    return max(kept.last_used for kept in family) + keep_days * DAY


def sweep(home: Path, keep_days: int, now: float | None = None) -> list[str]:
    """Delete what nobody has needed for so many days, and rubbish; return the ids of the jobs.

    keep_days: 0 keeps every job for ever. Several processes may sweep one home at once.
    """
    now = time.time() if now is None else now
    clear_half_made(home, now)
    if not keep_days:
        return []
    deleted = []
    jobs, seen = survey(home), time.monotonic()
    for job_id in list(jobs):
        if not is_over(job_id, jobs, keep_days, now):
            continue
        if time.monotonic() - seen > FRESH_SECONDS:  # somebody may have come back meanwhile
            jobs, seen = survey(home), time.monotonic()
        if is_over(job_id, jobs, keep_days, now):
            with contextlib.suppress(JobError):  # what stays is tried again an hour later
                jobs[job_id].job.delete()
                deleted.append(job_id)
    return deleted


def is_over(job_id: str, jobs: dict[str, Kept], keep_days: int, now: float) -> bool:
    """Return whether a job's time is over."""
    until = kept_until(job_id, jobs, keep_days)
    return until is not None and until < now


def clear_half_made(home: Path, now: float) -> None:
    """Remove folders that never became jobs: an upload that was cut off, a full disk.

    A folder whose status cannot be read is somebody's job all the same, and stays.
    """
    for folder in (home / "jobs").glob("*"):
        with contextlib.suppress(OSError):
            started = (folder / "status.json").exists()
            if folder.is_dir() and not started and folder.stat().st_mtime < now - HALF_MADE:
                shutil.rmtree(folder, ignore_errors=True)

"""How long a job will wait: what the running one says of itself, and how long others have taken."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ocrtune.events import Event, Preflight, Step
from ocrtune.job_status import Status
from ocrtune.jobs import Job, load_jobs
from ocrtune.turns import queue_of, read_ticket, tickets

LAST = 20  # ended jobs of a command that tell how long one takes
FRESH_SECONDS = 15.0  # for which what was counted is believed


@dataclass
class Waits:
    """How long jobs of each command took in the homes that were asked about, counted now and then.

    Nothing of a visitor is kept: a median of all.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[Path, tuple[float, dict[str, float]]] = field(default_factory=dict)

    def usual_seconds(self, home: Path) -> dict[str, float]:
        """Return how long a job of each command usually takes, once its turn has come."""
        now = time.monotonic()
        with self.lock:
            if home not in self.known or now - self.known[home][0] > FRESH_SECONDS:
                self.known[home] = (now, count_durations(home))
            return self.known[home][1]

    def seconds_until(self, job: Job, command: str) -> float | None:
        """Return how long it is until the turn of a job that waits; None if that is not known."""
        queue, at_once = queue_of(command)
        now, usual, before = time.time(), self.usual_seconds(job.home), []
        for path in tickets(job.home, queue):
            told = read_ticket(path)
            if told is None or told.job_id == job.id:
                break
            other = Job(job.home / "jobs" / told.job_id)
            before.append(seconds_left(other, other.status(), usual, now))
        if any(seconds is None for seconds in before):
            return None
        return sum(before) / at_once


def count_durations(home: Path) -> dict[str, float]:
    """Return the median duration of the last jobs of each command that ended well, in seconds."""
    durations: dict[str, list[float]] = {}
    for _, status in load_jobs(home):  # newest first
        if status.state in ("done", "stopped") and 0 < status.began <= status.heartbeat:
            durations.setdefault(status.command, []).append(status.heartbeat - status.began)
    return {command: median(seconds[:LAST]) for command, seconds in durations.items()}


def seconds_left(
    job: Job, status: Status | None, usual: dict[str, float], now: float
) -> float | None:
    """Return how long another job will have its turn from now on; None if that is not known."""
    if status is None:
        return 0.0
    if status.state == "queued" or not status.began:
        return usual.get(status.command)
    told = estimate(job.events(), status) if status.command == "train" else None
    if told is not None:
        return max(0.0, told - max(0.0, now - status.heartbeat))
    if status.command not in usual:
        return None
    # It may take longer than usual, but it has not ended yet.
    return max(1.0, usual[status.command] - max(0.0, now - status.began))


def estimate(events: list[Event], status: Status) -> float | None:
    """Return how long a training said, at its last sign of life, that it will still take."""
    for event in reversed(events):
        if isinstance(event, Step):
            return event.seconds_left
        if isinstance(event, Preflight):
            return max(0.0, event.seconds - max(0.0, status.heartbeat - status.began))
    return None

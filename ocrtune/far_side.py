"""A run on a machine of the Hub, seen from there: fetched, trained as a job, copied, and told of.

It is the same job as anywhere: a folder, a worker, events. What comes in is its copy on the Hub;
what goes out are further copies of it and, among the lines of the machine's log, its events. The
wish to stop is a branch: it changes no copy, and it is there or it is not.
"""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

from ocrtune import jobs
from ocrtune.errors import HubBusyError, HubError, OcrtuneError
from ocrtune.event_lines import to_marked
from ocrtune.events import Done, Event, Failed, Note, Progress
from ocrtune.hub_writing import PrivateRepo
from ocrtune.offsite import ENDED_PATIENCE, CopyState, Place, copy_job
from ocrtune.offsite_fetch import fetch_job
from ocrtune.offsite_files import RUN

STOP = ".stop"  # behind the name of a run's branch: the branch that says so
COPY_MINUTES = 5.0
POLL_SECONDS = 5.0  # between two looks for the wish to stop
FOLLOW_SECONDS = 0.3
FETCH_TRIES, FETCH_PAUSE = 4, 10.0
LOG_BYTES = 6_000  # of the worker's, that are shown where it failed


def stop_branch(place: Place) -> str:
    """Return the name of the branch that asks the run at that place to stop."""
    return f"{place.name}{STOP}"


class Teller:
    """Writes events into the machine's log, each with its number."""

    def __init__(self, output: int = 1) -> None:
        self.output = output  # a file descriptor
        self.number = 0
        self.lock = threading.Lock()

    def tell(self, event: Event) -> None:
        """Write an event as one line, in one go."""
        with self.lock:
            self.number += 1
            self.write(to_marked(self.number, event))

    def write(self, line: str) -> None:
        """Write a line; whether anybody reads it is no concern of the run."""
        with contextlib.suppress(OSError):
            os.write(self.output, f"{line}\n".encode("utf-8", "replace"))


def run_here(place: Place, minutes: float, home: Path, token: str, teller: Teller) -> int:
    """Fetch the run at that place, train it, and return the exit code: 0 unless it failed.

    minutes: after which it is asked to stop. Everything of the run is copied back to its place.
    """
    try:
        job = begin(place, home, token, teller)
    except OcrtuneError as error:
        teller.tell(Failed.of(error))
        return 1
    copying = copy_job(job, lambda: token, minutes=COPY_MINUTES)
    over = threading.Event()
    threading.Thread(target=await_stop, args=(place, job, token, over), daemon=True).start()
    limit = threading.Timer(60 * minutes, end_of_time, (job, minutes, teller))
    limit.daemon = True
    limit.start()
    signal.signal(signal.SIGTERM, lambda number, frame: job.stop())
    ending = follow(job, teller)
    over.set()
    limit.cancel()
    copying.join(ENDED_PATIENCE + 60)
    state = CopyState.load(job.folder)
    if state is None or state.state != "copied":
        why = state.problem if state else "Nobody knows why."
        ending = Failed(f"What was learned cannot be sent to {place.address}. {why}", "")
    if isinstance(ending, Failed):
        teller.write(job.log(LOG_BYTES))
    teller.tell(ending)
    return 1 if isinstance(ending, Failed) else 0


def begin(place: Place, home: Path, token: str, teller: Teller) -> jobs.Job:
    """Return the job that the run is here, started; it goes on from its checkpoint if it has one.

    What happened before is known where the run came from.
    """
    for pause in (*[FETCH_PAUSE] * (FETCH_TRIES - 1), None):
        try:
            job = fetch_job(place, home, token, begun=False, emit=quieter(teller))
            break
        except HubBusyError:
            if pause is None:
                raise
            time.sleep(pause)
    (job.folder / "events.jsonl").unlink(missing_ok=True)
    return jobs.resume(job, job.folder / RUN, token=token)


def quieter(teller: Teller):
    """Return what tells of a download at its end only."""

    def emit(event: Event) -> None:
        if isinstance(event, Progress) and event.done >= event.total:
            teller.tell(event)

    return emit


def follow(job: jobs.Job, teller: Teller) -> Done | Failed:
    """Tell what the job tells, and return how it ended."""
    ending: Done | Failed | None = None
    for event in jobs.follow(job, FOLLOW_SECONDS):
        if isinstance(event, Done | Failed):
            ending = event
        else:
            teller.tell(event)
    if ending is None:
        return Failed(job.why_lost() or "The worker there ended without a word.", "Try again.")
    return ending


def await_stop(place: Place, job: jobs.Job, token: str, over: threading.Event) -> None:
    """Ask the job to stop once somebody far away wants it to."""
    repo = None
    while not over.wait(POLL_SECONDS):
        try:
            repo = repo or PrivateRepo(place.repo_id, token)
            if repo.head(stop_branch(place)):
                job.stop()
                return
        except HubError:  # the next look may go better
            continue


def end_of_time(job: jobs.Job, minutes: float, teller: Teller) -> None:
    """Ask the job to stop because no more time was agreed on."""
    words = f"The {minutes:.0f} minutes agreed on are over: what was learned is kept."
    teller.tell(Note(words))
    job.stop()

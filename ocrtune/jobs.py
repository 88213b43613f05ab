"""Background jobs: a folder each, a worker process each, and lines that say how it goes.

Whoever started a job may end: the folder is all that another process, or the same page after a
restart, needs to find it again. `status.json` has one writer at a time: the starter until the
worker has attached, then the worker.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from ocrtune.config import Config
from ocrtune.errors import JobError
from ocrtune.events import (
    Done,
    Event,
    Failed,
    Note,
    Progress,
    Resumed,
    Step,
    append_event,
    read_events,
    rewind_events,
)
from ocrtune.turns import is_process, place, process_start, take_ticket

ENDED = ("done", "stopped", "failed", "lost")
NEEDS_TURN = (
    "check",
    "train",
    "read",
    "compare",
    "export",
    "suspects",
    "learn",
)  # these load a model
WORKER = (sys.executable, "-m", "ocrtune")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
SECRET_WORDS = {"TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "CREDENTIALS", "KEY", "KEYS"}


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
    owner: str = ""  # who may ask for it; empty for whoever knows its id

    def save(self, folder: Path) -> None:
        """Put this status in place of the last one, at once."""
        draft = folder / f"status.{os.getpid()}.draft"
        draft.write_text(json.dumps(asdict(self), ensure_ascii=False), "utf-8")
        draft.replace(folder / "status.json")

    @classmethod
    def load(cls, folder: Path) -> "Status | None":
        """Return the status in the folder; None if it is missing or is none of ours."""
        try:
            values = json.loads((folder / "status.json").read_text("utf-8"))
            values = {"owner": ""} | values  # which earlier versions did not write
            return cls(**{field.name: field.type(values[field.name]) for field in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class Job:
    """A job, seen from outside its worker."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def home(self) -> Path:
        return self.folder.parent.parent

    def status(self) -> Status | None:
        """Return what the worker last said of itself."""
        return Status.load(self.folder)

    def state(self) -> str:
        """Return queued, running, stopping, done, stopped, failed or lost."""
        status = self.status()
        if status and status.state not in ENDED and not is_process(status.pid, status.started):
            status = self.status()  # it may have ended between the two looks
            if status and status.state not in ENDED:
                return "lost"
        if status is None:
            return "lost"
        if status.state == "running" and (self.folder / "STOP").exists():
            return "stopping"
        return status.state

    def ended(self) -> bool:
        """Return whether nothing more will happen."""
        return self.state() in ENDED

    def place(self) -> int:
        """Return how many other jobs are served before this one."""
        return place(self.home, self.id) or 0

    def events(self) -> list[Event]:
        """Return what the worker has said so far, oldest first."""
        return read_events(self.folder / "events.jsonl")

    def log(self, max_bytes: int = 4000) -> str:
        """Return the end of what the worker printed."""
        try:
            with (self.folder / "log.txt").open("rb") as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - max_bytes))
                return stream.read().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def stop(self) -> None:
        """Ask the worker to end early; it keeps what it has learned."""
        (self.folder / "STOP").touch()

    def delete(self, patience_seconds: float = 5.0) -> None:
        """End the worker and remove everything of this job."""
        status = self.status()
        if status and status.state not in ENDED:
            end_process(status.pid, status.started, patience_seconds)
        shutil.rmtree(self.folder, ignore_errors=True)


def end_process(pid: int, started: str, patience_seconds: float) -> None:
    """End this very process, first politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience_seconds
        while is_process(pid, started) and time.monotonic() < deadline:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def create(home: Path) -> Job:
    """Return a new empty job whose id nobody can guess."""
    folder = home / "jobs" / secrets.token_urlsafe(16)
    try:
        folder.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise JobError(
            f"No job can be started in `{home}`: {error.strerror}.",
            "Set OCRTUNE_HOME to a folder that can be written to.",
        ) from error
    return Job(folder)


def start(
    job: Job, command: str, config: Config, worker: Sequence[str] = WORKER, owner: str = ""
) -> Job:
    """Start `python -m ocrtune COMMAND` for this job, and return the job.

    The worker lives on when the starter ends. It gets no tokens: its files and its log may be
    shown to people.
    """
    config.save(job.folder / "config.json")
    arguments = ["--config", str(job.folder / "config.json")]
    return spawn(job, command, arguments, worker, time.time(), owner)


def resume(job: Job, run: Path, worker: Sequence[str] = WORKER) -> Job:
    """Start a training that has ended before its time again, in the same folder.

    run: the folder of the run, with its checkpoint.
    """
    status = job.status()
    if status is None or not job.ended():
        raise JobError("The run is under way.", "Stop it first.")
    (job.folder / "STOP").unlink(missing_ok=True)
    return spawn(job, status.command, ["--resume", str(run)], worker, status.created, status.owner)


def spawn(
    job: Job,
    command: str,
    arguments: Sequence[str],
    worker: Sequence[str],
    created: float,
    owner: str,
) -> Job:
    """Start a worker for the job, and return the job, which waits for its turn now."""
    arguments = [*arguments, "--job", str(job.folder)]
    with (job.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*worker, command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parent.parent,  # `-m ocrtune` finds this very package
            env=without_secrets(os.environ),
            start_new_session=True,
        )
    Status(
        state="queued",
        command=command,
        created=created,
        pid=process.pid,
        started=process_start(process.pid) or "",
        heartbeat=time.time(),
        owner=owner,
    ).save(job.folder)
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie behind
    return job


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose names do not tell of a token, password or key."""
    return {
        name: value
        for name, value in environment.items()
        if not SECRET_WORDS & set(name.upper().split("_"))
    }


def find(home: Path, job_id: object, command: str = "") -> Job:
    """Return the job of that id, which may come from anybody; `command` is what it must be."""
    if isinstance(job_id, str) and JOB_ID.fullmatch(job_id):
        job = Job(home / "jobs" / job_id)
        status = job.status()
        if status and command in ("", status.command):
            return job
    raise JobError("There is no such job.", "It may have been deleted: start it again.")


def list_jobs(home: Path) -> list[Job]:
    """Return all jobs that say what they are, newest first."""
    jobs = [Job(folder) for folder in (home / "jobs").glob("*") if Status.load(folder)]
    return sorted(jobs, key=lambda job: job.status().created, reverse=True)


def reconcile(home: Path) -> list[Job]:
    """Write down which jobs have lost their worker, and return them; called at start."""
    lost = []
    for job in list_jobs(home):
        status = job.status()
        if status and status.state not in ENDED and job.state() == "lost":
            replace(status, state="lost").save(job.folder)
            lost.append(job)
    return lost


def follow(job: Job, poll_seconds: float = 0.5) -> Iterator[Event]:
    """Yield a job's events, oldest first; return once it has ended."""
    seen = 0
    while True:
        ended = job.ended()  # asked before reading, so the last events are never missed
        events = job.events()
        yield from events[seen:]
        seen = len(events)
        if ended:
            return
        time.sleep(poll_seconds)


class Worker:
    """A job, seen from inside its worker: the only writer of its events and its status."""

    def __init__(self, folder: Path, status: Status) -> None:
        self.folder = folder
        self.status = status
        self.ticket: Path | None = None

    def emit(self, event: Event) -> None:
        """Append the event and bring the status up to it."""
        if isinstance(event, Resumed):  # what came after its checkpoint happens once more
            rewind_events(self.folder / "events.jsonl", event.step)
        append_event(self.folder / "events.jsonl", event)
        status = replace(self.status, heartbeat=time.time())
        match event:
            case Step():
                status = replace(status, step=event.step, total=event.total)
            case Resumed():
                status = replace(status, step=event.step, total=event.total)
            case Progress():
                status = replace(status, step=event.done, total=event.total, message=event.stage)
            case Note():
                status = replace(status, message=event.text)
            case Done():
                state = "stopped" if event.stopped else "done"
                status = replace(status, state=state, message=event.text)
            case Failed():
                status = replace(status, state="failed", message=f"{event.problem} {event.fix}")
        self.status = status
        status.save(self.folder)

    def stop_requested(self) -> bool:
        """Return whether somebody asked this job to end early."""
        return (self.folder / "STOP").exists()

    def wait_for_turn(self, poll_seconds: float = 0.3) -> bool:
        """Return True once the accelerator is ours, False when asked to stop before that."""
        self.ticket = take_ticket(self.folder.parent.parent, self.folder.name)
        while place(self.folder.parent.parent, self.folder.name):
            if self.stop_requested():
                return False
            time.sleep(poll_seconds)
        return True

    def close(self) -> None:
        """Give the accelerator to the next in the queue."""
        if self.ticket:
            self.ticket.unlink(missing_ok=True)
            self.ticket = None


def attach(folder: Path, patience_seconds: float = 5.0) -> Worker:
    """Return the worker's side of the job, once it is this worker's turn.

    Asked to stop while still in the queue, the process ends here: nothing had begun.
    """
    folder = folder.resolve()
    worker = Worker(folder, own_status(folder, patience_seconds))
    worker.status.save(folder)
    if worker.status.command in NEEDS_TURN and not worker.wait_for_turn():
        worker.emit(Done("Stopped before it began.", stopped=True))
        worker.close()
        raise SystemExit(0)
    worker.status = replace(worker.status, state="running", heartbeat=time.time())
    worker.status.save(folder)
    return worker


def own_status(folder: Path, patience_seconds: float) -> Status:
    """Return this process's status, after the starter has written its own."""
    deadline = time.monotonic() + patience_seconds
    while (status := Status.load(folder)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if status is None:
        raise JobError(f"`{folder}` is no job folder.", "Leave `--job` away.")
    started = process_start(os.getpid()) or ""
    return replace(status, pid=os.getpid(), started=started)

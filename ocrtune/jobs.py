"""Background jobs: a folder each, a worker process each, and lines that say how it goes.

Whoever started a job may end: the folder is all that another process, or the same page after a
restart, needs to find it again. `status.json` has one writer at a time: the starter until the
worker has attached, then the worker; and whoever finds that it has ended without a word.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocrtune.config import CHECKPOINT, Config
from ocrtune.errors import JobError, OcrtuneError
from ocrtune.event_files import EventFiles, EventReader
from ocrtune.events import Event
from ocrtune.job_status import ENDED, Status
from ocrtune.redaction import redact, settle, without_secrets
from ocrtune.turns import REMOTE, alone, is_process, place, process_start, queue_of, return_tickets
from ocrtune.worker import Worker as Worker
from ocrtune.worker import attach as attach

WORKER = (sys.executable, "-m", "ocrtune")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
EVENTS = EventFiles()  # what has been read of them is nobody's secret: who asks has found the job
LOG_BYTES = 4000  # of a log that are shown
GROWING = 10  # seconds in which a job that says nothing of itself may still be starting


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

    def why_lost(self) -> str:
        """Return a sentence on why the worker has gone without a word; empty if nobody knows."""
        status = self.status()
        return status.reason if status else ""

    def place(self) -> int:
        """Return how many other jobs are served before this one."""
        status = self.status()
        queue, at_once = queue_of(status.command if status else "")
        return max(0, (place(self.home, self.id, queue) or 0) + 1 - at_once)

    def events(self) -> list[Event]:
        """Return what the worker has said so far, oldest first."""
        return EVENTS.read(self.folder / "events.jsonl")

    def log(self, max_bytes: int = LOG_BYTES) -> str:
        """Return the end of what the worker printed, in lines that have come to rest, redacted."""
        return redact(settle(read_end(self.folder / "log.txt", max_bytes)))

    def stop(self) -> None:
        """Ask the worker to end early; it keeps what it has learned."""
        (self.folder / "STOP").touch()

    def delete(self, patience_seconds: float = 5.0) -> None:
        """End the worker and remove everything of this job; a JobError says what has stayed.

        What was begun may be repeated: first the job is out of everybody's sight, then it goes.
        """
        status = self.status()
        if status:
            kill(status.pid, status.started, patience_seconds)
        return_tickets(self.home, self.id)
        EVENTS.forget(self.folder / "events.jsonl")
        grave = self.home / "deleted" / f"{self.id}.{secrets.token_hex(4)}"
        with contextlib.suppress(OSError):  # then it is emptied where it is
            grave.parent.mkdir(mode=0o700, exist_ok=True)
            self.folder.rename(grave)
        for folder in (grave, self.folder):
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    folder.unlink(missing_ok=True)
            if os.path.lexists(folder):
                raise JobError(f"Not all of `{folder}` can be deleted.", "Delete it by hand.")


def read_end(path: Path, max_bytes: int) -> str:
    """Return the last whole words of a file of text; empty if it cannot be read.

    Half a secret would not be known for one: what the cut has torn is left out.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as stream:
            cut = max(0, os.fstat(stream.fileno()).st_size - max_bytes)
            stream.seek(cut)
            text = stream.read(max_bytes).decode("utf-8", errors="replace")
    except OSError:
        return ""
    if not cut:
        return text
    for end in ("\n", "\r", " "):
        if end in text:
            return text.partition(end)[2]
    return ""


def kill(pid: int, started: str, patience_seconds: float) -> None:
    """End this very process and those that it has started; what they did is not wanted any more."""
    if not is_process(pid, started) or pid == os.getpid():
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid != os.getpgrp():
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + patience_seconds
    while is_process(pid, started) and time.monotonic() < deadline:
        time.sleep(0.01)


def create(home: Path) -> Job:
    """Return a new empty job whose id nobody can guess."""
    name = secrets.token_urlsafe(16)
    while name.startswith("-"):  # the command line would take it for an option
        name = secrets.token_urlsafe(16)
    folder = home / "jobs" / name
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
    job: Job,
    command: str,
    config: Config,
    worker: Sequence[str] = WORKER,
    owner: str = "",
    token: str = "",
) -> Job:
    """Start `python -m ocrtune COMMAND` for this job, and return the job.

    The worker lives on when the starter ends. Of this process's tokens it gets none. `token`, of
    the user whom it works for, reaches it through a pipe alone: arguments, environment, files and
    log may be seen by others.
    """
    save_settings(job, config)
    arguments = ["--config", str(job.folder / "config.json")]
    return spawn(job, command, arguments, worker, time.time(), owner, token)


def save_settings(job: Job, config: Config) -> None:
    """Write the settings of a new job; where that cannot be done, nothing is left of it."""
    try:
        config.save(job.folder / "config.json")
    except OSError as error:
        shutil.rmtree(job.folder, ignore_errors=True)
        raise JobError(
            f"No job can be started in `{job.home}`: {error.strerror}.", "Make room on the disk."
        ) from error


def start_once(
    home: Path,
    command: str,
    settle_config: Callable[[Path], Config],
    worker: Sequence[str] = WORKER,
    owner: str = "",
    admit: Callable[[], None] = lambda: None,
    token: str = "",
) -> Job:
    """Start a job, unless the same one of the same owner is under way: then that is returned.

    settle_config: returns the settings of a job in the folder that it is given. Two clicks at once
    start one job, whichever process answers them. admit: raises an error where another job must
    not be started; what is under way is returned all the same.
    """
    with alone(home, f"start {owner} {command}"):
        job = create(home)
        config = settle_config(job.folder)
        save_settings(job, config)
        twin = find_twin(job, command, owner) if owner else None  # strangers share nothing
        if twin:
            shutil.rmtree(job.folder, ignore_errors=True)
            return twin
        try:
            admit()
        except OcrtuneError:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        return start(job, command, config, worker, owner, token)


def find_twin(job: Job, command: str, owner: str) -> Job | None:
    """Return a job under way that differs from the given one in nothing but its folder."""
    ours = settings_text(job)
    for other, status in load_jobs(job.home):
        alike = (status.command, status.owner) == (command, owner) and status.state not in ENDED
        if alike and settings_text(other) == ours and not other.ended():
            return other
    return None


def settings_text(job: Job) -> str:
    """Return a job's settings without the place where it lies; empty if there are none."""
    try:
        return (job.folder / "config.json").read_text("utf-8").replace(str(job.folder), "")
    except (OSError, ValueError):
        return ""


def resume(job: Job, run: Path, worker: Sequence[str] = WORKER, token: str = "") -> Job:
    """Start a training that has ended before its time again, in the same folder.

    run: the folder of the run. With a checkpoint in it, the run goes on from there; without one,
    it begins again. One on a machine of the Hub finds out there how far it is. token: as `start`
    takes it.
    """
    with alone(job.home, f"resume {job.id}"):
        status = job.status()
        if status is None or not job.ended():
            raise JobError("The run is under way.", "Stop it first.")
        (job.folder / "STOP").unlink(missing_ok=True)
        arguments = ["--resume", str(run)]
        if status.command == REMOTE or not (run / CHECKPOINT).is_file():
            arguments = ["--config", str(job.folder / "config.json")]
        if status.command != REMOTE and not (run / CHECKPOINT).is_file():
            (job.folder / "events.jsonl").unlink(missing_ok=True)
        return spawn(job, status.command, arguments, worker, status.created, status.owner, token)


def spawn(
    job: Job,
    command: str,
    arguments: Sequence[str],
    worker: Sequence[str],
    created: float,
    owner: str,
    token: str = "",
) -> Job:
    """Start a worker for the job, and return the job, which waits for its turn now."""
    piped = ["--token-from-input"] if token else []
    try:
        with (job.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [*worker, command, *arguments, "--job", str(job.folder), *piped],
                stdin=subprocess.PIPE if token else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parent.parent,  # `-m ocrtune` finds this very package
                env=without_secrets(os.environ),
                start_new_session=True,
            )
        if token:
            with process.stdin as pipe, contextlib.suppress(BrokenPipeError):
                pipe.write(f"{token}\n".encode())
    except OSError as error:
        raise JobError(
            f"The worker cannot be started: {error.strerror}.",
            "Make room on the disk and in memory, then try again.",
        ) from error
    status = Status(
        state="queued",
        command=command,
        created=created,
        pid=process.pid,
        started=process_start(process.pid) or "",
        heartbeat=time.time(),
        owner=owner,
    )
    try:
        status.save(job.folder)  # before that, the worker waits
    except OSError as error:
        process.kill()
        process.wait()
        raise JobError(
            f"No job can be started in `{job.home}`: {error.strerror}.", "Make room on the disk."
        ) from error
    # Leaves no zombie behind, and knows how the worker ended.
    threading.Thread(target=bury, args=(job, process), daemon=True).start()
    return job


def bury(job: Job, process: subprocess.Popen) -> None:
    """Wait for the end of a worker; if it has left without a word, write down what is known."""
    code = process.wait()
    status = job.status()
    if status is None or status.pid != process.pid or status.state in ("done", "stopped", "failed"):
        return
    if status.state == "lost" and status.reason:
        return
    with contextlib.suppress(OSError):
        replace(status, state="lost", reason=explain_end(code)).save(job.folder)


def explain_end(code: int) -> str:
    """Return a sentence on a worker that ended with this exit code and did not say why."""
    if code == -signal.SIGKILL:
        return "The system ended the worker (signal 9), most often because memory ran out."
    if code < 0:
        return f"The worker was ended by signal {-code}."
    return f"The worker ended without a word (exit code {code}); its log may say why."


def find(home: Path, job_id: object, command: str | tuple[str, ...] = "") -> Job:
    """Return the job of that id, which may come from anybody; `command` is what it must be.

    Of several commands any will do; an empty text stands for every one.
    """
    if isinstance(job_id, str) and JOB_ID.fullmatch(job_id):
        job = Job(home / "jobs" / job_id)
        status = job.status()
        wanted = (command,) if isinstance(command, str) else command
        if status and (status.command in wanted or "" in wanted):
            return job
    raise JobError("There is no such job.", "It may have been deleted: start it again.")


def load_jobs(home: Path) -> list[tuple[Job, Status]]:
    """Return all jobs that say what they are, each with its status, newest first."""
    found = [(Job(folder), Status.load(folder)) for folder in job_folders(home)]
    known = [(job, status) for job, status in found if status]
    return sorted(known, key=lambda pair: pair[1].created, reverse=True)


def list_jobs(home: Path) -> list[Job]:
    """Return all jobs that say what they are, newest first."""
    return [job for job, _ in load_jobs(home)]


def active_owners(home: Path) -> list[str]:
    """Return the owner of each job that runs or waits."""
    known = [status for _, status in load_jobs(home) if status.state not in ENDED]
    return [status.owner for status in known if is_process(status.pid, status.started)]


def list_damaged(home: Path) -> list[Job]:
    """Return the folders of jobs that say nothing of themselves; they can only be deleted.

    One that is just being started is none of them.
    """
    damaged = []
    for folder in job_folders(home):
        with contextlib.suppress(OSError):
            young = abs(time.time() - folder.stat().st_mtime) < GROWING
            if not young and Status.load(folder) is None:
                damaged.append(Job(folder))
    return damaged


def job_folders(home: Path) -> list[Path]:
    """Return what lies where jobs lie and has the name of one."""
    try:
        names = sorted(os.listdir(home / "jobs"))
    except OSError:
        return []
    return [home / "jobs" / name for name in names if JOB_ID.fullmatch(name)]


def reconcile(home: Path) -> list[Job]:
    """Write down which jobs have lost their worker, and return them; called at start.

    A job that another process is just starting has no status yet, or that of a living worker. What
    a deletion that was interrupted has left goes, too.
    """
    lost = []
    for job, status in load_jobs(home):
        if status.state in ENDED or job.state() != "lost":
            continue
        status = job.status()  # which may be newer than the one of the list
        if status and status.state not in ENDED and not is_process(status.pid, status.started):
            with contextlib.suppress(OSError):
                replace(status, state="lost").save(job.folder)
            lost.append(job)
    shutil.rmtree(home / "deleted", ignore_errors=True)
    return lost


def go_down(home: Path, patience_seconds: float) -> None:
    """Tell all workers that the machine goes down, and give them time to save what they have."""
    alive = [status for _, status in load_jobs(home) if status.state not in ENDED]
    alive = [status for status in alive if is_process(status.pid, status.started)]
    for status in alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(status.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if not any(is_process(status.pid, status.started) for status in alive):
            return
        time.sleep(0.05)


def follow(job: Job, poll_seconds: float = 0.5) -> Iterator[Event]:
    """Yield a job's events, oldest first; return once it has ended.

    Of a run that went back to its checkpoint, what happens once more is told once more.
    """
    reader, told, rewinds = EventReader(job.folder / "events.jsonl"), [], 0
    while True:
        ended = job.ended()  # asked before reading, so the last events are never missed
        events = reader.read()
        seen = len(told)
        if reader.rewinds != rewinds:
            rewinds, seen = reader.rewinds, common_length(told, events)
        yield from events[seen:]
        told = events
        if ended:
            return
        time.sleep(poll_seconds)


def common_length(one: Sequence, other: Sequence) -> int:
    """Return how many items the two have in common from their beginnings."""
    for index, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs:
            return index
    return min(len(one), len(other))

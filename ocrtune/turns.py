"""Who may use the accelerator: one worker at a time, served in the order of their tickets.

A ticket is a small file named by its number. The lowest ticket of a living process is the lock,
so nothing has to be released by a process that was killed, and a place in the queue is a count.
"""

import hashlib
import json
import os
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ocrtune.errors import JobError

TURNS = "turns"  # the folder of the tickets for the accelerator
BUILDS = "builds"  # and of those for a place to build a dataset, which needs no accelerator
BUILDS_AT_ONCE = 2  # each takes a core and some hundred megabytes
REMOTE = "remote"  # a training on a machine of the Hub, and the folder of its tickets
REMOTE_AT_ONCE = 1_000  # wait for nobody: what computes is elsewhere
PUSHES = "pushes"  # to the Hub: they mostly wait for the network
PUSHES_AT_ONCE = 4


def queue_of(command: str) -> tuple[str, int]:
    """Return in which queue jobs of this command wait, and how many of them may run at once."""
    if command.startswith("push-"):
        return (PUSHES, PUSHES_AT_ONCE)
    queues = {"build": (BUILDS, BUILDS_AT_ONCE), REMOTE: (REMOTE, REMOTE_AT_ONCE)}
    return queues.get(command, (TURNS, 1))


def process_start(pid: int) -> str | None:
    """Return when the process began, as text that only it can have; None if there is none.

    Where `/proc` is missing, a living process is told by an empty text.
    """
    if pid <= 0:
        return None
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


def is_process(pid: int, started: str) -> bool:
    """Return whether process `pid` lives and is the one that began at `started`."""
    return process_start(pid) == started


def is_halted(pid: int) -> bool:
    """Return whether somebody has halted the process, who may let it go on later."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in "Tt"


@dataclass(frozen=True)
class Holder:
    """Whose a ticket is."""

    job_id: str
    pid: int
    started: str


def read_ticket(path: Path) -> Holder | None:
    """Return whose ticket lies at `path`; None if it is none of ours, or given back by now."""
    number, _, job_id = path.stem.partition("-")
    try:
        values = json.loads(path.read_text("utf-8"))
        told = Holder(job_id, int(values["pid"]), str(values["started"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return told if number.isdecimal() and job_id else None


def tickets(home: Path, name: str = TURNS) -> list[Path]:
    """Return the tickets of living processes, the one whose turn it is first.

    What is no ticket, or one of a process that has ended, is removed where that can be done.
    """
    living = []
    for path in sorted((home / name).glob("*.json")):
        told = read_ticket(path)  # tickets appear whole
        if told and is_process(told.pid, told.started):
            living.append(path)
        else:
            with suppress(OSError):  # a folder of that name, or one that is not ours
                path.unlink(missing_ok=True)
    return living


def holder(home: Path) -> Holder | None:
    """Return whose turn it is; None if it is nobody's."""
    first = tickets(home)[:1]
    return read_ticket(first[0]) if first else None


def take_ticket(home: Path, job_id: str, name: str = TURNS) -> Path:
    """Return the ticket of this process, placed behind every other one.

    Two processes may draw the same number, or one may draw a number that was given back while
    later ones are waiting. Whoever finds a ticket behind its own draws again: a ticket counts
    only once nobody can have looked past it.
    """
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    told = {"pid": os.getpid(), "started": process_start(os.getpid())}
    draft = folder / f"{job_id}.draft"
    while True:
        waiting = tickets(home, name)
        number = int(waiting[-1].name.split("-")[0]) + 1 if waiting else 1
        mine = folder / f"{number:09d}-{job_id}.json"
        draft.write_text(json.dumps(told), "utf-8")
        draft.replace(mine)
        if tickets(home, name)[-1:] == [mine]:
            return mine
        mine.unlink(missing_ok=True)
        time.sleep(random.uniform(0.01, 0.1))


@contextmanager
def alone(home: Path, name: str, patience_seconds: float = 10.0) -> Iterator[None]:
    """Hold back every other thread and process that asks for the same name.

    A JobError where the others take too long, or where `home` cannot be written to.
    """
    key = hashlib.sha256(name.encode()).hexdigest()
    folder = f"locks/{key[:2]}"  # names are many, folders are not
    mark = secrets.token_hex(8)
    try:
        ticket = take_ticket(home, mark, folder)
    except OSError as error:
        with suppress(OSError):
            (home / folder / f"{mark}.draft").unlink(missing_ok=True)
        raise JobError(
            f"Nothing can be started in `{home}`: {error.strerror}.",
            "Set OCRTUNE_HOME to a folder that can be written to, with room in it.",
        ) from error
    deadline = time.monotonic() + patience_seconds
    try:
        while (waiting := tickets(home, folder)) and waiting[0] != ticket:
            if time.monotonic() > deadline:
                raise JobError("The machine is too busy to start this.", "Try again.")
            time.sleep(0.01)
        yield
    finally:
        ticket.unlink(missing_ok=True)


def place(home: Path, job_id: str, name: str = TURNS) -> int | None:
    """Return how many tickets lie before that of this job; None if it holds none."""
    for index, path in enumerate(tickets(home, name)):
        if path.stem.partition("-")[2] == job_id:
            return index
    return None


def return_tickets(home: Path, job_id: str) -> None:
    """Take a job out of the queue whose worker has ended."""
    found = [path for name in (TURNS, BUILDS, REMOTE) for path in (home / name).glob("*.*")]
    for path in found:
        if path.stem == job_id or path.stem.partition("-")[2] == job_id:
            with suppress(OSError):
                path.unlink(missing_ok=True)

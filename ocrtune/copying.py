"""Copying a run of the command line to the Hub: by a process of its own, beside the trainer.

That process has the account of this machine, which it finds as every client does: in HF_TOKEN, or
where `hf auth login` left it. It tells of itself in events on its stdout, and ends after a last
copy as soon as its stdin is closed, which happens however the other one ends.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocrtune.errors import HubError
from ocrtune.events import Emit, Event, Failed, Note, Saved, from_line, to_line
from ocrtune.hub_writing import local_token
from ocrtune.offsite import Copier, plan_copies
from ocrtune.offsite_files import Source

WORKER = (sys.executable, "-m", "ocrtune", "copy")
ROOT = Path(__file__).parent.parent
OPENING_SECONDS = 60.0  # until the run begins without having heard of its copies
QUIET_SECONDS = 10.0  # of waiting for the last copy, before that is told
LAST_COPY_SECONDS = 5 * 60.0  # until it ends without the last one


@contextmanager
def copied(run: Path, repo_id: str, minutes: float, emit: Emit) -> Iterator[None]:
    """Let a process copy the run while it learns; a HubError if the Hub refuses from the start."""
    process = subprocess.Popen(
        [*WORKER, str(run.absolute()), "--to", repo_id, "--minutes", str(minutes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": python_path()},
        start_new_session=True,  # a Ctrl-C is meant for the run
    )
    first: queue.Queue[Event | None] = queue.Queue()
    reader = threading.Thread(target=pass_on, args=(process, first, emit), daemon=True)
    reader.start()
    try:
        await_opening(first, emit)
        yield
    finally:
        process.stdin.close()
        await_last_copy(process, emit)
        reader.join(timeout=5)
        process.stdout.close()


def await_last_copy(process: subprocess.Popen, emit: Emit) -> None:
    """Wait until it is known whether the end of the run is copied, but not for ever."""
    try:
        process.wait(QUIET_SECONDS)
        return
    except subprocess.TimeoutExpired:
        emit(Note("Waiting for the last copy to the Hub; Ctrl-C leaves it to itself."))
    try:
        process.wait(LAST_COPY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        emit(Note("The last copy to the Hub took too long; the one before it is there."))


def python_path() -> str:
    """Return where a process started anywhere finds this very package."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def await_opening(first: "queue.Queue[Event | None]", emit: Emit) -> None:
    """Wait until it is known whether the place can be written to."""
    try:
        told = first.get(timeout=OPENING_SECONDS)
    except queue.Empty:
        emit(Note("The Hub does not answer; the run begins, and is copied as soon as it does."))
        return
    if isinstance(told, Failed):
        raise HubError(told.problem, told.fix)
    if told is None:
        raise HubError("The process that copies the run has ended.", "Leave out `--copy-to`.")


def pass_on(process: subprocess.Popen, first: "queue.Queue[Event | None]", emit: Emit) -> None:
    """Hand what the other process says on, its first word apart."""
    heard = False
    for line in process.stdout:
        event = from_line(line)
        if event is None:
            continue
        if not heard:
            heard = True
            first.put(event)
        if isinstance(event, Note):
            emit(event)
    if not heard:
        first.put(None)


def copy_along(run: Path, repo_id: str, minutes: float) -> None:
    """Copy the run until stdin is closed or the machine goes down, and then once more."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: over.set())
    threading.Thread(target=watch_stdin, args=(over,), daemon=True).start()
    try:
        source = Source(run)
        copier = Copier(source, plan_copies(source, repo_id, minutes), local_token)
    except HubError as error:
        tell(Failed.of(error))
        return
    opened = copier.prepare()
    if copier.has_given_up:
        tell(Failed(copier.state.problem, copier.state.fix))
        return
    tell(Saved("copy", copier.state.place.address))
    if not opened:
        tell(Note(f"{copier.state.problem} The run begins, and is copied as soon as it can be."))
    copier.tell = tell
    copier.follow(over.is_set)


def watch_stdin(over: threading.Event) -> None:
    """Wait until whoever holds the other end has ended."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    over.set()


def tell(event: Event) -> None:
    """Write an event where the process that trains reads it, if it still does."""
    try:
        sys.stdout.write(to_line(event) + "\n")
        sys.stdout.flush()
    except OSError:
        return


def copy_once(run: Path, repo_id: str) -> str:
    """Copy a run, and return the address; a HubError says why it cannot be."""
    source = Source(run)
    if not source.is_ready:
        raise HubError(f"`{run}` is not the folder of a run.", "Name the one that `train` wrote.")
    copier = Copier(source, plan_copies(source, repo_id), local_token)
    if not copier.copy():
        raise HubError(copier.state.problem, copier.state.fix)
    return copier.state.place.address

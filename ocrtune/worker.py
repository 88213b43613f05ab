"""A job, seen from inside its worker: the only writer of its events and its status.

Beside the work runs a thread that beats. It passes on the wish to stop to work that does not look
for it, keeps the log short, and ends a worker that hangs: one that has told nothing and asked
nothing for OCRTUNE_HUNG_MINUTES while it used neither processor nor disk nor network. Work that
takes its time, loading a large model or a step of many minutes, uses them and is left alone, but
not for more than PATIENCE times as long. Should a worker hang so badly that not even its thread can
run, whoever waits for its turn ends it. Beats are counted, not hours of a clock: a clock that is
set, or a machine that slept, ends nobody.
"""

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ocrtune.errors import JobError
from ocrtune.events import (
    Asked,
    Checked,
    Done,
    Event,
    Failed,
    Note,
    Progress,
    Resumed,
    Step,
    append_event,
    rewind_events,
)
from ocrtune.job_status import ENDED, Status
from ocrtune.redaction import redact
from ocrtune.resident import dismiss
from ocrtune.turns import (
    TURNS,
    holder,
    is_halted,
    is_process,
    place,
    process_start,
    queue_of,
    take_ticket,
)

LOOK_SECONDS = 0.3  # between two looks for a wish to stop
BEAT_SECONDS = 3.0
HUNG_MINUTES = 30.0
PATIENCE = 6  # times HUNG_MINUTES, for work that is done but tells nothing
BUSY_SHARE = 0.03  # of one processor, which the beating itself does not take
BUSY_BYTES = 1 << 20  # read or written between two beats
LOG_BYTES, LOG_KEPT_BYTES = 4 << 20, 1 << 20
RESERVE_BYTES = 1 << 16  # set aside, so that a full disk can still be told of


class Worker:
    """What a worker tells of its job, and what it is asked."""

    def __init__(self, folder: Path, status: Status) -> None:
        self.folder = folder
        self.status = status
        self.ticket: Path | None = None
        self.beat: Beat | None = None

    def emit(self, event: Event) -> None:
        """Append the event and bring the status up to it."""
        event = without_secrets_in(event)
        if self.beat:
            self.beat.told()
        if isinstance(event, Done | Failed):  # the last word must find room
            (self.folder / "reserve").unlink(missing_ok=True)
        if isinstance(event, Resumed):  # what came after its checkpoint happens once more
            rewind_events(self.folder / "events.jsonl", event.step)
        append_event(self.folder / "events.jsonl", event)
        self.status = replace(updated(self.status, event), heartbeat=time.time())
        self.status.save(self.folder)

    def stop_requested(self) -> bool:
        """Return whether somebody asked this job to end early."""
        if self.beat:
            self.beat.told()
        return (self.folder / "STOP").exists()

    def begin(self) -> None:
        """Set aside what the last word may need, and start beating."""
        with contextlib.suppress(OSError):
            (self.folder / "reserve").write_bytes(bytes(RESERVE_BYTES))
        self.beat = Beat(self.folder, self.stop_requested_quietly)
        self.beat.start()

    def stop_requested_quietly(self) -> bool:
        """Return the same as `stop_requested`, without counting as a sign of life."""
        return (self.folder / "STOP").exists()

    def wait_for_turn(
        self, queue: str = TURNS, at_once: int = 1, poll_seconds: float = LOOK_SECONDS
    ) -> bool:
        """Return True once it is our turn, False when asked to stop before that.

        queue: what is waited for, by default the accelerator; at_once: how many may have it.
        """
        home, patience = self.folder.parent.parent, Suspicion(hung_seconds())
        self.ticket = take_ticket(home, self.folder.name, queue)
        while (place(home, self.folder.name, queue) or 0) >= at_once:
            if self.stop_requested():
                return False
            if queue == TURNS:
                patience.look(home)
            time.sleep(poll_seconds)
        return not self.stop_requested()

    def close(self) -> None:
        """Give the accelerator to the next in the queue."""
        if self.ticket:
            self.ticket.unlink(missing_ok=True)
            self.ticket = None
        if self.beat:
            self.beat.end()
            self.beat = None
        for name in ("reserve", "heartbeat"):
            (self.folder / name).unlink(missing_ok=True)


def without_secrets_in(event: Event) -> Event:
    """Return the event as it may be shown; what was read off pictures is never changed."""
    match event:
        case Note() | Done():
            return replace(event, text=redact(event.text))
        case Failed():
            values = {name: redact(value) for name, value in event.values.items()}
            known = {"problem": redact(event.problem), "fix": redact(event.fix), "values": values}
            return replace(event, **known)
        case Checked():
            values = {name: redact(words) for name, words in event.values.items()}
            return replace(event, values=values)
        case Asked():
            return replace(event, problem=redact(event.problem))
    return event


def updated(status: Status, event: Event) -> Status:
    """Return the status after an event."""
    match event:
        case Step() | Resumed():
            return replace(status, step=event.step, total=event.total)
        case Progress():
            return replace(status, step=event.done, total=event.total, message=event.stage)
        case Note():
            return replace(status, message=event.text)
        case Done():
            state = "stopped" if event.stopped else "done"
            return replace(status, state=state, message=event.text)
        case Failed():
            return replace(status, state="failed", message=f"{event.problem} {event.fix}")
    return status


class Beat:
    """The thread beside the work."""

    def __init__(self, folder: Path, stop_requested: Callable[[], bool]) -> None:
        self.folder = folder
        self.stop_requested = stop_requested
        self.limit = hung_seconds()
        self.signs = 0  # of life: how often the work has told or asked anything
        self.signs_before = 0
        self.silent = 0.0  # seconds without one
        self.idle = 0.0  # seconds without use of processor, disk and network
        self.used = used()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, name="beat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self.thread.start()

    def end(self) -> None:
        """Beat no more."""
        self.over.set()
        self.thread.join(timeout=5)

    def told(self) -> None:
        """Take a sign of life."""
        self.signs += 1

    def run(self) -> None:
        """Beat until the end; nothing that goes wrong here may disturb the work."""
        looks = 0
        while not self.over.wait(LOOK_SECONDS):
            looks += 1
            with contextlib.suppress(OSError):
                if self.stop_requested():
                    wake_main_thread()
                shorten(self.folder / "log.txt")
                if looks * LOOK_SECONDS >= BEAT_SECONDS:
                    looks = 0
                    self.once()

    def once(self) -> None:
        """Look whether the work hangs, and leave a sign on disk."""
        (seconds, moved), before = used(), self.used
        self.used = (seconds, moved)
        busy = seconds - before[0] > BUSY_SHARE * BEAT_SECONDS or moved - before[1] > BUSY_BYTES
        self.idle = 0.0 if busy else self.idle + BEAT_SECONDS
        self.silent = 0.0 if self.signs != self.signs_before else self.silent + BEAT_SECONDS
        self.signs_before = self.signs
        if self.limit:
            hangs = min(self.silent, self.idle) >= self.limit
            if hangs or self.silent >= PATIENCE * self.limit:
                self.give_up()
        (self.folder / "heartbeat").write_text(f"{time.monotonic():.1f} {self.silent:.1f}", "utf-8")

    def give_up(self) -> None:
        """End this process, saying where it hangs in the log and why it ended in the status."""
        faulthandler.dump_traceback(file=sys.__stderr__)
        status = Status.load(self.folder)
        if status and status.pid == os.getpid() and status.state not in ENDED:
            minutes = f"{self.silent / 60:.2g} minutes"
            words = f"The worker did nothing for {minutes}, and was ended."
            with contextlib.suppress(OSError):
                replace(status, state="lost", reason=words).save(self.folder)
        os._exit(1)


class Suspicion:
    """One worker's patience with the one whose turn it is."""

    def __init__(self, limit_seconds: float) -> None:
        self.limit = limit_seconds
        self.beat: tuple[str, int] = ("", 0)  # whose, and which was seen last
        self.looks = 0

    def look(self, home: Path) -> None:
        """End the worker whose turn it is if it has not beaten for too many looks."""
        first = holder(home)
        if not self.limit or first is None:
            return
        try:
            beat = (first.job_id, (home / "jobs" / first.job_id / "heartbeat").stat().st_mtime_ns)
        except OSError:  # it has not begun to beat
            return
        self.looks = self.looks + 1 if beat == self.beat else 0
        self.beat = beat
        if self.looks * LOOK_SECONDS < self.limit + 10 * BEAT_SECONDS:
            return
        if is_process(first.pid, first.started) and not is_halted(first.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(first.pid, signal.SIGKILL)


def hung_seconds() -> float:
    """Return after how long a worker without a sign of life hangs; 0 for never.

    `OCRTUNE_HUNG_MINUTES` says so; what is no number counts as if it had not been said.
    """
    try:
        minutes = float(os.environ.get("OCRTUNE_HUNG_MINUTES") or HUNG_MINUTES)
    except ValueError:
        minutes = HUNG_MINUTES
    return 60 * minutes if 0 <= minutes < 1e6 else 60 * HUNG_MINUTES


def used() -> tuple[float, int]:
    """Return the processor seconds and the bytes that this process has used and moved so far."""
    moved = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/self/io").read_text("utf-8").split("\n")
        moved = sum(int(line.split()[1]) for line in lines[:2])  # rchar, wchar
    return time.process_time(), moved


def wake_main_thread() -> None:
    """Let the main thread know that somebody wants it to stop."""
    with contextlib.suppress(AttributeError, ProcessLookupError):  # not on Windows; or it is gone
        if signal.getsignal(signal.SIGUSR1) not in (signal.SIG_DFL, None):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


def shorten(path: Path) -> None:
    """Leave the end of a log that has grown too long; whoever writes to it goes on after that."""
    if path.stat().st_size <= LOG_BYTES:
        return
    with path.open("rb+") as stream:
        stream.seek(-LOG_KEPT_BYTES, os.SEEK_END)
        kept = stream.read(LOG_KEPT_BYTES)
        stream.seek(0)
        stream.write(b"(the beginning was cut off)\n" + kept)
        stream.truncate()


def attach(folder: Path, patience_seconds: float = 5.0) -> Worker:
    """Return the worker's side of the job, once it is this worker's turn.

    Asked to stop while still in the queue, the process ends here: nothing had begun.
    """
    folder = folder.resolve()
    worker = Worker(folder, own_status(folder, patience_seconds))
    worker.status.save(folder)
    worker.begin()
    queue, at_once = queue_of(worker.status.command)
    if not worker.wait_for_turn(queue, at_once):
        worker.emit(Done("Stopped before it began.", stopped=True))
        worker.close()
        raise SystemExit(0)
    if queue == TURNS and worker.status.command != "read":
        dismiss(folder.parent.parent)  # what it keeps in memory is needed now
    now = time.time()
    worker.status = replace(worker.status, state="running", heartbeat=now, began=now)
    worker.status.save(folder)
    return worker


def own_status(folder: Path, patience_seconds: float) -> Status:
    """Return this process's status, after the starter has written its own.

    Until then, a status of an earlier worker may lie there, or one that names the starter.
    """
    deadline = time.monotonic() + patience_seconds
    ours = (os.getpid(), os.getppid())
    while (status := Status.load(folder)) is None or status.pid not in ours:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.02)
    if status is None:
        raise JobError(f"`{folder}` is no job folder.", "Leave `--job` away.")
    if status.pid not in ours and is_process(status.pid, status.started):
        raise JobError(f"`{folder}` belongs to another worker.", "Leave `--job` away.")
    started = process_start(os.getpid()) or ""
    return replace(status, pid=os.getpid(), started=started, reason="")

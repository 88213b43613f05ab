"""The door to a process that keeps a model in memory, so that the next reading need not load it.

One such process may live in a home. Only a worker whose turn it is knocks, and a worker that wants
the accelerator for anything else ends the process first: it holds nothing that could be lost.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ocrtune.config import ReadConfig
from ocrtune.errors import ModelError
from ocrtune.events import Done, Emit, Failed, Read, from_line
from ocrtune.turns import is_process
from ocrtune.whole_files import put_in_place

MINUTES = "OCRTUNE_READER_MINUTES"  # without a reading, after which it ends; 0: there is none
USUAL_MINUTES = 5.0
START_SECONDS = 180.0  # for the libraries on a cold disk
GREETING_SECONDS = 20.0
LINE_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the process listens; the key is for its own home's workers."""

    pid: int
    started: str
    port: int
    key: str
    offline: bool  # it was started for a model that needs nothing of the network

    def save(self, home: Path) -> None:
        """Let workers of the home find the process; nobody else on the machine can read it."""
        path = door_path(home)
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        put_in_place(path, json.dumps(asdict(self)).encode(), 0o600)

    @classmethod
    def find(cls, home: Path) -> "Door | None":
        """Return the door of the home's living process, if there is one."""
        try:
            door = cls(**json.loads(door_path(home).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return door if is_process(door.pid, door.started) else None


def door_path(home: Path) -> Path:
    return home / "reader" / "door.json"


def resident_minutes() -> float:
    """Return how long a process is kept without a reading; what is no number does not count."""
    try:
        minutes = float(os.environ.get(MINUTES) or USUAL_MINUTES)
    except ValueError:
        return USUAL_MINUTES
    return minutes if 0 <= minutes < 1e6 else USUAL_MINUTES


def dismiss(home: Path, patience_seconds: float = 10.0) -> None:
    """End the process of the home, if there is one; its memory is free when this returns."""
    door = Door.find(home)
    if door is None or door.pid == os.getpid():
        return
    with suppress(ProcessLookupError, PermissionError):
        os.kill(door.pid, signal.SIGKILL)
    deadline = time.monotonic() + patience_seconds
    while is_process(door.pid, door.started) and time.monotonic() < deadline:
        time.sleep(0.02)
    door_path(home).unlink(missing_ok=True)


def read_resident(home: Path, config: ReadConfig, emit: Emit, offline: bool) -> list[Read] | None:
    """Return the readings of the home's process, all its events told; None if there is none.

    It is started where that is wanted. A ModelError tells what it could not do, or that it ended
    in the midst of it: the next reading finds a new one.
    """
    if not resident_minutes():
        return None
    line = knock(home, offline)
    if line is None:
        return None
    with line:
        try:
            return listen(line, config, emit)
        except OSError as error:
            dismiss(home)
            raise ModelError(
                "The process that reads ended in the midst of it, most often because memory ran "
                "out.",
                "Read the picture again.",
            ) from error


def knock(home: Path, offline: bool) -> socket.socket | None:
    """Return a line to the home's process, started now if need be; None if there is no way."""
    door = Door.find(home)
    if door and door.offline == offline and (line := greet(door)):
        return line
    dismiss(home)
    door = start(home, offline)
    return greet(door) if door else None


def greet(door: Door) -> socket.socket | None:
    """Return a line to the process, or None if it does not answer."""
    try:
        line = socket.create_connection(("127.0.0.1", door.port), GREETING_SECONDS)
    except OSError:
        return None
    try:
        line.sendall(f"{door.key}\n".encode())
        if line.recv(1) == b"\n":
            line.settimeout(None)  # a large model takes its time; a worker that hangs is ended
            return line
    except OSError:
        pass
    line.close()
    return None


def start(home: Path, offline: bool) -> Door | None:
    """Start a process and return its door once it is open; None if it does not open."""
    door_path(home).unlink(missing_ok=True)
    command = [sys.executable, "-m", "ocrtune", "reader", "--home", str(home)]
    try:
        door_path(home).parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        with (home / "reader" / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [*command, *["--offline"] * offline],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parent.parent,
                start_new_session=True,  # it outlives the reading, and is not deleted with it
            )
    except OSError:
        return None
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline and process.poll() is None:
            door = Door.find(home)
            if door and door.pid == process.pid:
                return door
            time.sleep(0.05)
    except BaseException:  # asked to stop meanwhile
        process.kill()
        raise
    process.kill()
    return None


def listen(line: socket.socket, config: ReadConfig, emit: Emit) -> list[Read]:
    """Ask for a reading, pass on what is told, and return what was read."""
    line.sendall((json.dumps(asdict(config)) + "\n").encode())
    readings = []
    with line.makefile("rb") as told:
        while text := told.readline(LINE_BYTES):
            event = from_line(text.decode("utf-8", errors="replace"))
            if isinstance(event, Done):
                return readings
            if isinstance(event, Failed):
                error = ModelError(event.problem, event.fix)
                error.key, error.values = event.key, event.values
                raise error
            if isinstance(event, Read):
                readings.append(event)
            if event is not None:
                emit(event)
    raise ConnectionResetError

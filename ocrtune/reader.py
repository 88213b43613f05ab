"""The process that keeps a model in memory and reads one picture after another for workers."""

import gc
import hmac
import json
import os
import secrets
import socket
import time
from pathlib import Path

from ocrtune.config import ReadConfig
from ocrtune.crashes import explain_crash
from ocrtune.errors import OcrtuneError
from ocrtune.events import Done, Event, Failed, to_line
from ocrtune.families.page_layouts import AUTO
from ocrtune.reading import Opened, free_memory, open_models, read_pictures
from ocrtune.resident import LINE_BYTES, Door, door_path, resident_minutes
from ocrtune.turns import process_start

LOOK_SECONDS = 1.0
GREETING_SECONDS = 5.0  # for a stranger who says nothing
SENDING_SECONDS = 60.0


class Kept:
    """The models that read last."""

    def __init__(self) -> None:
        self.key: tuple = ()
        self.opened: Opened | None = None

    def open(self, config: ReadConfig) -> Opened:
        """Return the models for these settings: those that are there, if they are the ones."""
        key = key_of(config)
        if self.opened is None or key != self.key or config.layout == AUTO:
            self.drop()
            self.opened = open_models(config)
            self.key = key
        return self.opened

    def drop(self) -> None:
        """Free the memory."""
        self.key, self.opened = (), None
        gc.collect()
        free_memory()


def key_of(config: ReadConfig) -> tuple:
    """Return what tells models apart: adapters that were trained further are others."""
    folders = (config.base, *config.all_adapters)
    return (config.layout, *((folder, stamp(Path(folder))) for folder in folders))


def stamp(folder: Path) -> tuple:
    """Return when the files of a folder were changed; nothing for the name of a base model."""
    if not folder.is_dir():
        return ()
    found = ((path.name, path.stat()) for path in sorted(folder.iterdir()))
    return tuple((name, stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def serve(home: Path, offline: bool) -> None:
    """Read for the workers of a home, until nobody has asked for long or the door is another's."""
    key, kept = secrets.token_hex(16), Kept()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LOOK_SECONDS)
        started = process_start(os.getpid()) or ""
        door = Door(
            pid=os.getpid(),
            started=started,
            port=server.getsockname()[1],
            key=key,
            offline=offline,
        )
        door.save(home)
        asked = time.monotonic()
        while time.monotonic() - asked < 60 * resident_minutes() and Door.find(home) == door:
            try:
                line, _ = server.accept()
            except TimeoutError:
                continue
            with line:
                if is_friend(line, key):
                    answer(line, kept)
                    asked = time.monotonic()
    if Door.find(home) == door:
        door_path(home).unlink(missing_ok=True)


def is_friend(line: socket.socket, key: str) -> bool:
    """Return whether the one on the line knows the key, and greet them."""
    try:
        line.settimeout(GREETING_SECONDS)
        said = b""
        while not said.endswith(b"\n") and len(said) < 100 and (part := line.recv(100)):
            said += part
        if not hmac.compare_digest(said.strip(), key.encode()):
            return False
        line.sendall(b"\n")
        return True
    except OSError:
        return False


def answer(line: socket.socket, kept: Kept) -> None:
    """Read what the one on the line asks for; who hangs up has changed their mind.

    An error that is none of ours is told, too, and ends the process.
    """
    line.settimeout(SENDING_SECONDS)

    def emit(event: Event) -> None:
        line.sendall((to_line(event) + "\n").encode("utf-8", errors="replace"))

    try:
        with line.makefile("rb") as asking:
            config = ReadConfig(**json.loads(asking.readline(LINE_BYTES)))
        read_pictures(config, emit, kept.open(config))
        emit(Done("Read."))
    except OcrtuneError as error:
        kept.drop()
        tell_failure(line, Failed.of(error))
    except (ConnectionError, TimeoutError):
        return
    except Exception as error:
        tell_failure(line, Failed(*explain_crash(error)))
        raise


def tell_failure(line: socket.socket, failed: Failed) -> None:
    """Tell that nothing came of it, if anybody is there to hear it."""
    try:
        line.sendall((to_line(failed) + "\n").encode("utf-8", errors="replace"))
    except OSError:
        return

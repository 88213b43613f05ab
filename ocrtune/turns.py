"""Who may use the accelerator: one worker at a time, served in the order of their tickets.

A ticket is a small file named by its number. The lowest ticket of a living process is the lock,
so nothing has to be released by a process that was killed, and a place in the queue is a count.
"""

import json
import os
import random
import time
from pathlib import Path


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


def tickets(home: Path) -> list[Path]:
    """Return the tickets of living processes, the one whose turn it is first."""
    living = []
    for path in sorted((home / "turns").glob("*.json")):
        try:
            holder = json.loads(path.read_text("utf-8"))
            alive = is_process(holder["pid"], holder["started"])
        except FileNotFoundError:
            continue  # given back between the listing and the reading
        except (OSError, ValueError, KeyError, TypeError):
            alive = False  # tickets appear whole, so this is no ticket of ours
        if alive:
            living.append(path)
        else:
            path.unlink(missing_ok=True)
    return living


def take_ticket(home: Path, job_id: str) -> Path:
    """Return the ticket of this process, placed behind every other one.

    Two processes may draw the same number, or one may draw a number that was given back while
    later ones are waiting. Whoever finds a ticket behind its own draws again: a ticket counts
    only once nobody can have looked past it.
    """
    folder = home / "turns"
    folder.mkdir(parents=True, exist_ok=True)
    holder = {"pid": os.getpid(), "started": process_start(os.getpid())}
    draft = folder / f"{job_id}.draft"
    while True:
        waiting = tickets(home)
        number = int(waiting[-1].name.split("-")[0]) + 1 if waiting else 1
        mine = folder / f"{number:09d}-{job_id}.json"
        draft.write_text(json.dumps(holder), "utf-8")
        draft.replace(mine)
        if tickets(home)[-1] == mine:
            return mine
        mine.unlink(missing_ok=True)
        time.sleep(random.uniform(0.01, 0.1))


def place(home: Path, job_id: str) -> int | None:
    """Return how many workers are served before this job; None if it holds no ticket."""
    for index, path in enumerate(tickets(home)):
        if path.stem.partition("-")[2] == job_id:
            return index
    return None

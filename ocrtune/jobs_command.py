"""`python -m ocrtune jobs`: what runs, how far it is, and how to end it or let it go on."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from ocrtune import jobs
from ocrtune.console import Console, duration, preflight_lines
from ocrtune.errors import JobError
from ocrtune.events import (
    Asked,
    Done,
    Evaluated,
    Event,
    Failed,
    Note,
    Preflight,
    Progress,
    Read,
    Resumed,
    Saved,
    Step,
    to_line,
)
from ocrtune.home import home_folder
from ocrtune.hub_writing import local_token
from ocrtune.job_status import TRAININGS, Status
from ocrtune.jobs import Job
from ocrtune.redaction import redact
from ocrtune.remote import let_go
from ocrtune.remote_command import prepare_elsewhere
from ocrtune.report_page import percent
from ocrtune.turns import REMOTE

SHOWN_EVENTS = 10
SHOWN_IDS = 5  # of those that an ambiguous beginning may mean
POLL_SECONDS = 0.5
DAMAGED = "damaged"


def jobs_command(args: argparse.Namespace, stream: TextIO) -> int:
    """Run one of the actions on jobs, write to the stream what it says, return the exit code."""
    home = args.home.expanduser().resolve() if args.home else home_folder()
    if args.action == "list":
        return show_list(home, args.json, stream)
    job = find_job(home, args.id, args.action)
    if args.action == "resume":
        return resume(job, args.json, stream, args.yes)
    return ACTIONS[args.action](job, args.json, stream)


def find_job(home: Path, beginning: str, action: str) -> Job:
    """Return the only job whose id begins so; a JobError says which ones there are otherwise.

    A damaged job can only be deleted.
    """
    found = [job for job in jobs.list_jobs(home) if job.id.startswith(beginning)]
    if action == "delete":
        found += [job for job in jobs.list_damaged(home) if job.id.startswith(beginning)]
    exact = [job for job in found if job.id == beginning]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise JobError(
            f"No job in `{home}` has an id that begins with `{beginning}`.",
            "`python -m ocrtune jobs list` shows all of them.",
        )
    ids = [job.id for job in found[:SHOWN_IDS]] + ["…"] * (len(found) > SHOWN_IDS)
    raise JobError(
        f"{len(found)} jobs have an id that begins with `{beginning}`: {', '.join(ids)}.",
        "Type more of it.",
    )


def describe(job: Job, status: Status) -> dict:
    """Return what there is to say of a job in short, JSON-ready."""
    return {
        "id": job.id,
        "command": status.command,
        "state": job.state(),
        "step": status.step,
        "total": status.total,
        "created": status.created,
        "owner": status.owner,
        "message": redact(job.why_lost() or status.message),
    }


def show_list(home: Path, as_json: bool, stream: TextIO) -> int:
    """Write a line on each job, the newest first."""
    rows = [describe(job, status) for job, status in jobs.load_jobs(home)]
    damaged = jobs.list_damaged(home)
    if as_json:
        rows += [{"id": job.id, "state": DAMAGED} for job in damaged]
        stream.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    if not rows and not damaged:
        stream.write(f"There are no jobs in `{home}`.\n")
        return 0
    table = [("id", "command", "state", "progress", "age", "owner")]
    table += [cells(row) for row in rows]
    table += [(job.id, "–", DAMAGED, "–", "–", "–") for job in damaged]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        stream.write(line.rstrip() + "\n")
    return 0


def cells(row: dict) -> tuple[str, ...]:
    """Return what the list shows of a job."""
    progress = f"{row['step']} of {row['total']}" if row["total"] else "–"
    age = duration(max(0.0, time.time() - row["created"]))  # a clock may have been set back
    return row["id"], row["command"], row["state"], progress, age, row["owner"] or "–"


def show(job: Job, as_json: bool, stream: TextIO) -> int:
    """Write everything that is known of a job: settings, last events, end of the log."""
    status = job.status()
    if status is None:
        raise JobError("The job was deleted meanwhile.", "")
    events, settings = job.events(), settings_of(job)
    if as_json:
        lines = [values_of(event) for event in events]
        about = {"settings": settings, "events": lines, "log": job.log()}
        values = describe(job, status) | about
        stream.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
        return 0
    about = describe(job, status)
    names = ("job", "command", "state", "progress", "age", "owner")
    for name, value in zip(names, cells(about), strict=True):
        stream.write(f"{name:10}{value}\n")
    if about["message"]:
        stream.write(f"{'message':10}{about['message']}\n")
    stream.write("\nSettings\n")
    for name, value in settings.items():
        stream.write(f"  {name}: {json.dumps(value, ensure_ascii=False)}\n")
    stream.write("\nLast events\n")
    told = [words for event in events if (words := describe_event(event))]
    for words in told[-SHOWN_EVENTS:]:
        stream.write(f"  {redact(words)}\n")
    stream.write(f"\nLog ({job.folder / 'log.txt'})\n")
    for line in job.log().splitlines():
        stream.write(f"  {line}\n")
    return 0


def settings_of(job: Job) -> dict:
    """Return the settings of a job, redacted; empty if they cannot be read."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        values = json.loads((job.folder / "config.json").read_text("utf-8"))
        return hide(values) if isinstance(values, dict) else {}
    return {}


def values_of(event: Event) -> dict:
    """Return an event as JSON has it, redacted."""
    return hide(json.loads(to_line(event)))


def hide(value: Any) -> Any:
    """Return a value from JSON with every text in it redacted."""
    if isinstance(value, dict):
        return {hide(key): hide(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hide(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def describe_event(event: Event) -> str:
    """Return an event as a line; empty if it is only of use to the page."""
    match event:
        case Note() | Done():
            return event.text
        case Failed():
            return f"{event.problem} {event.fix}"
        case Asked():
            return f"{event.problem} ({event.setting}: {', '.join(event.choices)})"
        case Step():
            left = duration(event.seconds_left)
            return f"Step {event.step} of {event.total}: loss {event.loss:.3f}, {left} left"
        case Progress():
            return f"{event.stage}: {event.done} of {event.total}"
        case Evaluated():
            return f"Validation CER at step {event.step}: {percent(event.cer)}"
        case Resumed():
            return f"Goes on after step {event.step} of {event.total}"
        case Saved():
            return f"Saved: {event.kind} {event.path}"
        case Read():
            return f"{event.picture_id}: {event.failed or event.text}"
        case Preflight():
            return " ".join(preflight_lines(event))
    return ""


def follow(job: Job, as_json: bool, stream: TextIO) -> int:
    """Write what a job tells until it has ended; Ctrl-C ends the watching, not the job."""
    console = Console(sys.stderr)
    try:
        for event in jobs.follow(job, POLL_SECONDS):
            if as_json:
                stream.write(json.dumps(values_of(event), ensure_ascii=False) + "\n")
                stream.flush()
            else:
                console.emit(event)
    finally:
        console.close()
    state, status = job.state(), job.status()
    if not as_json:
        words = redact((job.why_lost() or status.message) if status else "")
        stream.write(f"{state}: {words}\n" if words else f"{state}\n")
    return 0 if state in ("done", "stopped") else 1


def stop(job: Job, as_json: bool, stream: TextIO) -> int:
    """Ask a job to end early."""
    if job.ended():
        raise JobError(
            f"The job `{job.id}` is {job.state()}: there is nothing to stop.",
            "`python -m ocrtune jobs list` shows what runs.",
        )
    job.stop()
    words = f"Asked to stop; `python -m ocrtune jobs follow {job.id}` shows when it has."
    return say(job, words, as_json, stream)


def resume(job: Job, as_json: bool, stream: TextIO, agreed: bool = False) -> int:
    """Let a training that has ended before its time go on; agreed: it may cost once more."""
    status, state = job.status(), job.state()
    if status is None or status.command not in TRAININGS:
        raise JobError(
            f"The job `{job.id}` is no training: it cannot go on where it ended.", "Start it again."
        )
    if state == "done":
        raise JobError(f"The training `{job.id}` has reached its end.", "Start a new one.")
    token = prepare_elsewhere(job, agreed) if status.command == REMOTE else ""
    jobs.resume(job, job.folder / "run", token=token)
    words = f"It goes on; `python -m ocrtune jobs follow {job.id}` shows how."
    return say(job, words, as_json, stream)


def delete(job: Job, as_json: bool, stream: TextIO) -> int:
    """End a job and remove everything of it."""
    let_go(job.folder, local_token())  # a run that nobody knows of would cost all the same
    job.delete()
    if as_json:
        stream.write(json.dumps({"id": job.id, "state": "deleted"}) + "\n")
    else:
        stream.write(f"Deleted: {job.id}\n")
    return 0


def say(job: Job, words: str, as_json: bool, stream: TextIO) -> int:
    """Write what was done to a job, or how it is doing now as JSON."""
    status = job.status()
    if as_json and status:
        words = json.dumps(describe(job, status), indent=2, ensure_ascii=False)
    stream.write(words + "\n")
    return 0


ACTIONS: dict[str, Callable[[Job, bool, TextIO], int]] = {
    "show": show,
    "follow": follow,
    "stop": stop,
    "delete": delete,
}

"""Jobs of the local Hub: machines that are listed, and jobs that really run, on this machine.

A job runs the very command that was sent, in a process group of its own, with the variables and
secrets that were sent and nothing else of the tests. In the place of `uv`, which would install what
the script asks for, stands a program that starts the script with the Python of the tests: what a
script depends on is not put to the test here. A job that runs too long, or is cancelled, is ended.
"""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from hub_writing import refuse, user_of

if TYPE_CHECKING:
    from hub_server import Hub

JOB = r"(?P<user>[\w.-]+)/(?P<job>[0-9a-f]{24})"
STARTED = "===== Job started ====="
UNDER_WAY = ("SCHEDULING", "RUNNING")
# name, GPU, memory of it, how many, millionths of a dollar a minute
MACHINES = (
    ("cpu-basic", "", "", 0, 167),
    ("cpu-upgrade", "", "", 0, 500),
    ("t4-small", "T4", "16 GB", 1, 6667),
    ("l4x1", "L4", "24 GB", 1, 13333),
    ("l4x4", "L4", "24 GB", 4, 63333),
    ("a10g-small", "A10G", "24 GB", 1, 16667),
)


@dataclass
class HubJob:
    """A job of the local Hub."""

    id: str
    user: str
    spec: dict
    stage: str = "SCHEDULING"
    message: str | None = None
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen | None = None

    def about(self) -> dict:
        """Return what the Hub tells of it."""
        return {
            "id": self.id,
            "createdAt": "2026-11-23T06:00:00.000Z",
            "dockerImage": self.spec.get("dockerImage"),
            "command": self.spec["command"],
            "arguments": [],
            "environment": self.spec["environment"],
            "flavor": self.spec["flavor"],
            "labels": self.spec.get("labels"),
            "status": {"stage": self.stage, "message": self.message},
            "owner": {"id": "1", "name": self.user, "type": "user"},
        }


@dataclass
class HubJobs:
    """All jobs of the local Hub, and how its machines behave."""

    jobs: dict[str, HubJob] = field(default_factory=dict)
    started: int = 0
    ready: bool = True  # whether machines are to be had; else jobs stay scheduled
    credit: bool = True
    forbidden: set[str] = field(default_factory=set)  # tokens that may start none
    prices: float = 1.0  # times what MACHINES says
    cuts: int = 0  # so many times the log breaks off after a few lines
    noise: bool = False  # whether other lines stand between and on the job's own
    runs: bool = True  # whether a job runs at all; else a test says what becomes of it

    def end(self) -> None:
        """End whatever runs."""
        for job in self.jobs.values():
            kill(job)


async def respond(hub: "Hub", path: str, request: Request) -> Response | None:
    """Answer a request that is about jobs; None if it is about something else."""
    asked = f"{request.method} {path}"
    for pattern, reply in ROUTES.items():
        if match := re.fullmatch(pattern, asked):
            return await reply(hub, match, request)
    return None


def kill(job: HubJob) -> None:
    """End the processes of a job at once."""
    if job.process and job.process.poll() is None:
        os.killpg(job.process.pid, signal.SIGKILL)
        job.process.wait()


def run(hub: "Hub", job: HubJob) -> None:
    """Run a job to its end; called in a thread."""
    with tempfile.TemporaryDirectory(prefix="hub-job-") as home:
        tools = Path(home) / "bin"
        tools.mkdir()
        uv = tools / "uv"
        uv.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} "$@"\n')
        uv.chmod(0o755)
        spec = job.spec
        variables = {
            "PATH": f"{tools}{os.pathsep}/usr/bin:/bin",
            "HOME": home,
            "TMPDIR": home,
            "HF_ENDPOINT": hub.address,
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "*",
            "OMP_WAIT_POLICY": "passive",
            "OCRTUNE_READER_MINUTES": "0",
        }
        job.process = subprocess.Popen(
            spec["command"],
            env=variables | spec["environment"] | spec.get("secrets", {}),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        job.stage = "RUNNING"
        watch = threading.Timer(spec.get("timeoutSeconds", 1800), time_out, (job,))
        watch.start()
        with job.process.stdout as printed:
            for line in printed:
                job.lines.append(line.rstrip("\n"))  # seen by whoever follows the log
        code = job.process.wait()
        watch.cancel()
        if job.stage == "RUNNING":
            job.stage = "ERROR" if code else "COMPLETED"
            job.message = job.message or (f"Job failed with exit code: {code}" if code else None)


def time_out(job: HubJob) -> None:
    """End a job whose time is over."""
    job.message = "Job timeout"
    kill(job)


def shared(hub: "Hub", match: re.Match, request: Request) -> Response | None:
    """Return the refusal for who may not see the jobs of that account."""
    user = user_of(hub, request)
    if not user:
        return refuse(401, words="Invalid username or password.")
    if user != match["user"]:
        return refuse(403, words="You do not have the rights to use jobs of this account.")
    return None


async def hardware(hub: "Hub", match: re.Match, request: Request) -> Response:
    """List the machines."""
    listed = []
    for name, card, memory, count, price in MACHINES:
        cost = price * hub.machines.prices
        about = {
            "name": name,
            "prettyName": name.upper(),
            "cpu": "4 vCPU",
            "ram": "15 GB",
            "ephemeralStorage": "50 GB",
            "unitCostMicroUSD": round(cost),
            "unitCostUSD": cost / 1e6,
            "unitLabel": "minute",
        }
        if card:
            about["accelerator"] = {
                "type": "gpu",
                "model": card,
                "quantity": str(count),
                "vram": memory,
                "manufacturer": "Nvidia",
            }
        listed.append(about)
    return JSONResponse(listed)


async def start(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Start a job."""
    if denied := shared(hub, match, request):
        return denied
    if request.headers["authorization"].removeprefix("Bearer ") in hub.machines.forbidden:
        return refuse(403, words="Missing permission: job.write")
    if not hub.machines.credit:
        return refuse(402, words="Pre-paid credit balance is insufficient")
    spec = await request.json()
    if spec["flavor"] not in [name for name, *_ in MACHINES]:
        return refuse(400, words=f"Invalid flavor {spec['flavor']}")
    job = HubJob(secrets.token_hex(12), match["user"], spec)
    hub.machines.jobs[job.id] = job
    hub.machines.started += 1
    if hub.machines.runs and hub.machines.ready:
        threading.Thread(target=run, args=(hub, job), daemon=True).start()
    return JSONResponse(job.about())


async def list_jobs(hub: "Hub", match: re.Match, request: Request) -> Response:
    """List the jobs of an account that have all labels asked for."""
    if denied := shared(hub, match, request):
        return denied
    wanted = [label.split("=", 1) for label in request.query_params.getlist("label")]
    found = [
        job.about()
        for job in hub.machines.jobs.values()
        if all((job.spec.get("labels") or {}).get(key) == value for key, value in wanted)
    ]
    return JSONResponse(found)


def find(hub: "Hub", match: re.Match, request: Request) -> "HubJob | Response":
    """Return the job, or the refusal."""
    job = hub.machines.jobs.get(match["job"])
    return shared(hub, match, request) or job or refuse(404, words="Job not found")


async def inspect(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Tell how a job is doing."""
    job = find(hub, match, request)
    return job if isinstance(job, Response) else JSONResponse(job.about())


async def cancel(hub: "Hub", match: re.Match, request: Request) -> Response:
    """End a job."""
    job = find(hub, match, request)
    if isinstance(job, Response):
        return job
    if job.stage in UNDER_WAY:
        job.stage = "CANCELED"
        kill(job)
    return JSONResponse(job.about())


async def logs(hub: "Hub", match: re.Match, request: Request) -> Response:
    """Send what a job prints, from its beginning, as it comes."""
    job = find(hub, match, request)
    if isinstance(job, Response):
        return job
    return StreamingResponse(stream(hub, job), media_type="text/event-stream")


async def stream(hub: "Hub", job: HubJob) -> AsyncIterator[str]:
    """Yield the log as server-sent events until the job has ended."""
    sent, deadline = 0, time.monotonic() + 300
    yield event(STARTED)
    while time.monotonic() < deadline:
        over = job.stage not in UNDER_WAY
        for line in job.lines[sent:]:
            sent += 1
            if hub.machines.noise:
                yield ": keep-alive\n\n"
                yield event(f"Downloading torch 12 %\r{line}" if sent % 2 else line)
                yield event("@ocrtune-event 3 {torn")
            else:
                yield event(line)
            if hub.machines.cuts and sent >= 3:
                hub.machines.cuts -= 1
                raise ConnectionResetError("on demand")
        if over or (job.stage == "SCHEDULING" and not job.process):
            return
        await asyncio.sleep(0.1)


def event(line: str) -> str:
    """Return a line of a log as a server-sent event."""
    return f"data: {json.dumps({'data': line, 'timestamp': '2026-11-23T06:00:00Z'})}\n\n"


ROUTES = {
    r"GET api/jobs/hardware": hardware,
    r"POST api/jobs/(?P<user>[\w.-]+)": start,
    r"GET api/jobs/(?P<user>[\w.-]+)": list_jobs,
    rf"GET api/jobs/{JOB}": inspect,
    rf"GET api/jobs/{JOB}/logs": logs,
    rf"POST api/jobs/{JOB}/cancel": cancel,
}

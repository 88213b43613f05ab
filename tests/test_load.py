"""Many visitors at once: fifty pages that poll, two hundred requests, a thousand old runs."""

import asyncio
import json
import os
import secrets
import statistics
import threading
import time
from pathlib import Path

import httpx
from page_server import serve_page

from ocrtune import jobs, turns
from ocrtune.config import TrainConfig
from ocrtune.events import Evaluated, SampleRead, Step, append_event
from ocrtune.job_status import Status
from ocrtune.ui.visitors import VISITOR

PAGES = 50
SECONDS = 6.0  # that they poll
POLL = 1.0
# What a page may take; twice what is aimed at, for machines that do other things too.
MOST_CORES = 1.0
MOST_SECONDS = 0.5
HZ = os.sysconf("SC_CLK_TCK")


def add_run(home: Path, state: str, created: float, steps: int = 0) -> jobs.Job:
    """Put a run into a home; one that is under way belongs to this process."""
    job = jobs.create(home)
    TrainConfig(data=str(home / "none"), output=str(job.folder / "run")).save(
        job.folder / "config.json"
    )
    save(job, state, created, 0)
    for step in range(1, steps + 1):
        take_step(job, step)
    return job


def save(job: jobs.Job, state: str, created: float, step: int) -> None:
    Status(
        state=state,
        command="train",
        created=created,
        began=created,
        pid=os.getpid(),
        started=turns.process_start(os.getpid()) or "",
        heartbeat=time.time() if state == "running" else created + 60,
        step=step,
        total=1000,
    ).save(job.folder)


def take_step(job: jobs.Job, step: int) -> None:
    path = job.folder / "events.jsonl"
    append_event(path, Step(step, 1000, 1 / step, step, 1000 - step))
    if step % 50 == 1:
        append_event(path, Evaluated(step - 1, 1 / step, 8))
        append_event(path, SampleRead(step - 1, "a.png", "the right text", "the rigth txet"))


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HZ


def page_process() -> int:
    """Return the process of the page that this test has started."""
    listed = [
        path.read_text("utf-8").split() for path in Path("/proc/self/task").glob("*/children")
    ]
    children = [int(pid) for pids in listed for pid in pids]
    return next(pid for pid in children if b"app" in Path(f"/proc/{pid}/cmdline").read_bytes())


async def poll(client: httpx.AsyncClient, body: dict, until: float, waited: list[float]) -> None:
    """Be one open page: ask, take what comes, and ask again when the page's timer says so."""
    await asyncio.sleep(secrets.randbelow(1000) / 1000 * POLL)
    name, pause = secrets.token_hex(6), POLL
    while time.monotonic() < until:
        begun = time.monotonic()
        joined = await client.post("/gradio_api/queue/join", json=body | {"session_hash": name})
        assert joined.status_code == 200, joined.text
        stream = client.stream("GET", "/gradio_api/queue/data", params={"session_hash": name})
        async with stream as events:
            async for line in events.aiter_lines():
                if "process_completed" in line:
                    said = json.loads(line.removeprefix("data: "))
                    assert said["success"], line
                    body = body | {"data": [*body["data"][:2], None, None]}
                    pause = told_pause(said["output"]["data"], pause)
                    break
        waited.append(time.monotonic() - begun)
        await asyncio.sleep(max(0.0, pause - waited[-1]))


def told_pause(outputs: list, pause: float) -> float:
    """Return the interval of the page's timer, which stands before the last output."""
    timer = outputs[-2]
    return timer.get("value", pause) if isinstance(timer, dict) else pause


async def poll_together(address: str, sessions: list[dict], waited: list[float]) -> None:
    config = httpx.get(f"{address}/config").json()
    watch = next(one for one in config["dependencies"] if one["api_name"] == "watch")
    until = time.monotonic() + SECONDS
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        asking = [
            poll(client, {"fn_index": watch["id"], "data": [one, "en", None, None]}, until, waited)
            for one in sessions
        ]
        await asyncio.gather(*asking)


def test_fifty_pages_that_poll_leave_the_machine_to_the_training(tmp_path):
    home, over = tmp_path / "home", threading.Event()
    running = add_run(home, "running", time.time(), steps=300)

    def work() -> None:
        for step in range(301, 1000):
            take_step(running, step)
            save(running, "running", time.time(), step)
            if over.wait(0.5):
                return

    threading.Thread(target=work, daemon=True).start()
    waited: list[float] = []
    with serve_page(home) as address:
        pid = page_process()
        sessions = [{"run": running.id, VISITOR: secrets.token_urlsafe(16)} for _ in range(PAGES)]
        before, begun = processor_seconds(pid), time.monotonic()
        asyncio.run(poll_together(address, sessions, waited))
        cores = (processor_seconds(pid) - before) / (time.monotonic() - begun)
    over.set()
    told = f"{cores:.2f} cores, {len(waited)} answers, median {statistics.median(waited):.3f} s"
    assert cores < MOST_CORES, told
    assert statistics.median(waited) < MOST_SECONDS, told

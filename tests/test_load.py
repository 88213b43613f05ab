"""Many visitors at once: fifty pages that poll, two hundred requests, a thousand old runs."""

import asyncio
import json
import os
import resource
import secrets
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from page_server import page_process, serve_page

from ocrtune import jobs, turns
from ocrtune.config import BuildConfig, TrainConfig
from ocrtune.errors import OcrtuneError
from ocrtune.events import Evaluated, SampleRead, Step, append_event
from ocrtune.job_status import Status
from ocrtune.limits import Limits
from ocrtune.ui.actions import Actions
from ocrtune.ui.pace import Pace
from ocrtune.ui.visitors import VISITOR
from ocrtune.ui.watching import Watching

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


def save(job: jobs.Job, state: str, created: float, step: int, owner: str = "") -> None:
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
        owner=owner,
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


class Asker:
    """One open page: what the server knows it by, and when its timer says that it asks again."""

    def __init__(self, client: httpx.AsyncClient, watch: int, session: dict) -> None:
        self.client = client
        self.body = {"fn_index": watch, "data": [session, "en", None, None]}
        self.body["session_hash"] = secrets.token_hex(6)
        self.pause = POLL

    async def ask(self) -> float:
        """Ask once; return how many seconds the answer took."""
        begun, name = time.monotonic(), self.body["session_hash"]
        joined = await self.client.post("/gradio_api/queue/join", json=self.body)
        assert joined.status_code == 200, joined.text
        where = {"params": {"session_hash": name}}
        async with self.client.stream("GET", "/gradio_api/queue/data", **where) as events:
            async for line in events.aiter_lines():
                if "process_completed" in line:
                    said = json.loads(line.removeprefix("data: "))
                    assert said["success"], line
                    self.pause = told_pause(said["output"]["data"], self.pause)
                    break
        return time.monotonic() - begun

    async def poll(self, until: float, waited: list[float]) -> None:
        """Ask, take what comes, and ask again when the timer says so."""
        await asyncio.sleep(secrets.randbelow(1000) / 1000 * self.pause)
        while time.monotonic() < until:
            waited.append(await self.ask())
            await asyncio.sleep(max(0.0, self.pause - waited[-1]))


def told_pause(outputs: list, pause: float) -> float:
    """Return the interval of the page's timer, which stands before the last output."""
    timer = outputs[-2]
    return timer.get("value", pause) if isinstance(timer, dict) else pause


async def poll_together(address: str, pid: int, sessions: list[dict]) -> tuple[float, list[float]]:
    """Return how many cores the page takes while all poll that have opened it, and the waits."""
    config = httpx.get(f"{address}/config").json()
    watch = next(one for one in config["dependencies"] if one["api_name"] == "watch")
    limits, waited = httpx.Limits(max_connections=None), []
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        pages = [Asker(client, watch["id"], session) for session in sessions]
        for page in pages:
            await page.ask()
        before, begun = processor_seconds(pid), time.monotonic()
        await asyncio.gather(*(page.poll(begun + SECONDS, waited) for page in pages))
        return (processor_seconds(pid) - before) / (time.monotonic() - begun), waited


@pytest.mark.quiet
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
    with serve_page(home) as address:
        sessions = [{"run": running.id, VISITOR: secrets.token_urlsafe(16)} for _ in range(PAGES)]
        polls = poll_together(address, page_process(), sessions)
        with ThreadPoolExecutor(1) as thread:  # a browser of other tests has a loop in this one
            cores, waited = thread.submit(asyncio.run, polls).result()
    over.set()
    told = f"{cores:.2f} cores, {len(waited)} answers, median {statistics.median(waited):.3f} s"
    assert len(waited) >= PAGES / 2, told
    assert cores < MOST_CORES, told
    assert statistics.median(waited) < MOST_SECONDS, told


def test_a_page_waits_longer_the_more_of_them_ask():
    pace = Pace()
    assert pace.seconds(1) == 1
    assert [pace.seconds(page) for page in range(50)][-1] == 5
    assert [pace.seconds(page) for page in range(500)][-1] == 10
    for page in range(1, 500):
        pace.leave(page)
    assert pace.seconds(0) == 1


def test_two_hundred_requests_each_get_a_place_or_a_sentence(tmp_path, monkeypatch):
    started = []

    def stand_in(job, command, config, worker, owner, token):
        """A worker that waits, without a process of its own."""
        save(job, "queued", time.time(), 0, owner)
        started.append(job)
        return job

    monkeypatch.setattr(jobs, "start", stand_in)
    actions = Actions(tmp_path, limits=Limits(max_jobs_each=3, max_jobs=40))

    def click(number: int) -> str:
        session = {VISITOR: f"{number // 5:024d}"}  # forty visitors, five clicks each
        try:
            job, config = jobs.create(tmp_path), BuildConfig(source="s", output=str(number))
            return actions.launch(job, "read", config, session)
        except OcrtuneError as error:
            return str(error)

    before, begun = peak_kilobytes(), time.process_time()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(click, range(200)))
    assert len(started) == 40
    ids = {job.id for job in started}
    refused = [answer for answer in answers if answer not in ids]
    assert len(refused) == 160
    assert all("jobs run or wait already" in answer for answer in refused)
    assert time.process_time() - begun < 10
    assert peak_kilobytes() - before < 100_000
    assert len(jobs.job_folders(tmp_path)) == 40  # what was refused leaves nothing


def peak_kilobytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_thousand_old_runs_hold_nobody_up(tmp_path):
    runs = [add_run(tmp_path, "done", time.time() - 1000 - number) for number in range(1000)]
    begun = time.process_time()
    jobs.reconcile(tmp_path)
    Watching(tmp_path, Limits(keep_days=7)).watch({"run": runs[0].id}, "en", None)
    first = time.process_time() - begun
    assert first < 3
    begun = time.process_time()
    assert len(jobs.load_jobs(tmp_path)) == 1000
    assert time.process_time() - begun < 0.5

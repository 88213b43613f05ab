"""How long a job waits is told from what the others said and took; the rest is not known."""

import os
import time
from pathlib import Path

import pytest
from preflights import PREFLIGHT

from ocrtune import jobs, turns
from ocrtune.events import Step, append_event
from ocrtune.job_status import Status
from ocrtune.ui.looks import look, rounded, waiting
from ocrtune.waits import Waits, count_durations


def add_job(home: Path, state: str, command: str = "train", took: float = 0, **more) -> jobs.Job:
    """Put a job of this very process into a home; one that is under way holds a ticket."""
    job, now = jobs.create(home), time.time()
    started = turns.process_start(os.getpid()) or ""
    began = 0.0 if state == "queued" else now - took
    Status(
        state=state,
        command=command,
        created=now - took,
        pid=os.getpid(),
        started=started,
        began=began,
        heartbeat=now,
        **more,
    ).save(job.folder)
    if state in ("queued", "running"):
        turns.take_ticket(home, job.id, turns.queue_of(command)[0])
    return job


def wait_of(job: jobs.Job, command: str = "train") -> float | None:
    return Waits().seconds_until(job, command)


def test_a_running_training_tells_how_long_it_takes(tmp_path):
    running, waits = add_job(tmp_path, "running"), add_job(tmp_path, "queued")
    assert wait_of(waits) is None
    append_event(running.folder / "events.jsonl", PREFLIGHT)
    assert wait_of(waits) == pytest.approx(PREFLIGHT.seconds, abs=5)
    append_event(running.folder / "events.jsonl", Step(1, 10, 1.0, 2.0, 240.0))
    assert wait_of(waits) == pytest.approx(240, abs=5)


def test_jobs_of_the_home_tell_how_long_others_take(tmp_path):
    for took in (60, 100, 1000):
        add_job(tmp_path, "done", took=took)
    add_job(tmp_path, "failed", took=1)  # which says nothing about those that end well
    add_job(tmp_path, "done", "read", took=8)
    assert count_durations(tmp_path) == pytest.approx({"train": 100, "read": 8}, abs=1)
    add_job(tmp_path, "running", took=40)
    add_job(tmp_path, "queued", "read")
    last = add_job(tmp_path, "queued")
    assert wait_of(last) == pytest.approx(60 + 8, abs=2)
    assert last.place() == 2
    add_job(tmp_path, "running", took=5000)  # longer than usual, and behind the one that asks
    assert wait_of(last) == pytest.approx(60 + 8, abs=2)


def test_builds_wait_apart_and_two_run_at_once(tmp_path):
    add_job(tmp_path, "running")
    built = [add_job(tmp_path, "running", "build"), add_job(tmp_path, "queued", "build")]
    assert [job.place() for job in built] == [0, 0]
    third = add_job(tmp_path, "queued", "build")
    assert third.place() == 1
    assert wait_of(third, "build") is None


def test_the_page_says_it_in_both_languages(tmp_path):
    running, waits = add_job(tmp_path, "running"), add_job(tmp_path, "queued")

    def words(language: str) -> str:
        return waiting(look(tmp_path, {"run": waits.id}, "run"), language, "")

    assert "1 before you. <small>How long that will take is not known yet." in words("en")
    append_event(running.folder / "events.jsonl", Step(1, 10, 1.0, 2.0, 240.0))
    assert "1 before you. <small>It will take about 4 minutes." in words("en")
    assert "前面还有 1 个。 <small>大约需要等待 4 分钟。" in words("zh")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, 10), (44, 40), (99, 100), (170, 180), (5399, 5400), (9000, 9000)]
)
def test_a_wait_is_rounded_as_roughly_as_it_is_known(seconds, shown):
    assert rounded(seconds) == shown

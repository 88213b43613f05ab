"""Jobs are kept as long as somebody needs them, and not longer."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from ocrtune import jobs
from ocrtune.checkpoint_step import checkpoint_step
from ocrtune.config import CHECKPOINT
from ocrtune.keeping import DAY, USED, kept_until, mark_used, survey, sweep, users_of
from ocrtune.ui import sweeping, uploads
from ocrtune.ui.sweeping import Sweeper

NOW = 2_000_000_000.0


def put(home: Path, command: str, days: float, state: str = "done", **settings: object) -> jobs.Job:
    """Return a job that ended so many days before NOW."""
    job = jobs.create(home)
    (job.folder / "config.json").write_text(json.dumps(settings), "utf-8")
    pid = os.getpid() if state not in jobs.ENDED else 0
    started = jobs.process_start(pid) or ""
    when = NOW - days * DAY
    jobs.Status(
        state=state, command=command, created=when, heartbeat=when, pid=pid, started=started
    ).save(job.folder)
    return job


def dataset_of(job: jobs.Job) -> str:
    return str(job.folder / "dataset")


def test_what_nobody_needed_for_its_days_is_deleted_and_the_rest_stays(tmp_path):
    old, young = put(tmp_path, "train", 8), put(tmp_path, "train", 6)
    assert sweep(tmp_path, 7, NOW) == [old.id]
    assert not old.folder.exists()
    assert young.folder.exists()
    assert sweep(tmp_path, 0, NOW + 900 * DAY) == [], "0 keeps everything for ever"
    assert young.folder.exists()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_under_way_stays_however_old_with_what_it_uses(tmp_path, state):
    dataset = put(tmp_path, "build", 30)
    run = put(tmp_path, "train", 30, state, data=dataset_of(dataset))
    found = survey(tmp_path)
    assert kept_until(run.id, found, 7) is None
    assert kept_until(dataset.id, found, 7) is None
    assert sweep(tmp_path, 7, NOW) == []


def test_a_dataset_is_kept_as_long_as_what_was_made_from_it(tmp_path):
    dataset = put(tmp_path, "build", 30)
    run = put(tmp_path, "train", 20, data=dataset_of(dataset))
    comparison = put(tmp_path, "compare", 2, adapter=str(run.folder / "run" / "adapter"))
    found = survey(tmp_path)
    assert {kept.id for kept in users_of(dataset.id, found)} == {run.id, comparison.id}
    for job in (dataset, run, comparison):
        assert kept_until(job.id, found, 7) == pytest.approx(NOW + 5 * DAY)
    assert sweep(tmp_path, 7, NOW) == []
    assert set(sweep(tmp_path, 7, NOW + 6 * DAY)) == {dataset.id, run.id, comparison.id}


def test_a_build_needs_the_dataset_before_only_until_it_has_ended(tmp_path):
    before = put(tmp_path, "build", 30)
    building = put(tmp_path, "build", 0, "running", extend=dataset_of(before))
    assert survey(tmp_path)[building.id].uses == {before.id}
    built = put(tmp_path, "build", 0, edits=dataset_of(before))
    assert survey(tmp_path)[built.id].uses == frozenset()


def test_coming_back_starts_the_days_anew(tmp_path):
    run = put(tmp_path, "train", 30)
    mark_used(run)
    os.utime(run.folder / USED, (NOW - DAY, NOW - DAY))
    assert kept_until(run.id, survey(tmp_path), 7) == pytest.approx(NOW + 6 * DAY)
    mark_used(jobs.Job(tmp_path / "jobs" / "gone"))
    assert not (tmp_path / "jobs" / "gone").exists()


def test_paths_elsewhere_and_damaged_settings_name_no_job(tmp_path):
    other = put(tmp_path, "build", 0)
    run = put(tmp_path, "train", 0, data=f"/elsewhere/jobs/{other.id}/dataset", steps=3, x=[None])
    (put(tmp_path, "train", 0).folder / "config.json").write_text("{", "utf-8")
    assert survey(tmp_path)[run.id].uses == frozenset()
    assert len(survey(tmp_path)) == 3


def test_folders_that_never_became_jobs_go_after_a_day(tmp_path):
    folders = {}
    for name in ("old", "young", "damaged"):
        folders[name] = jobs.create(tmp_path).folder
        (folders[name] / "upload").mkdir()
        (folders[name] / "upload" / "x.zip").write_bytes(b"PK")
    (folders["damaged"] / "status.json").write_text("{", "utf-8")
    for name in ("old", "damaged"):
        os.utime(folders[name], (NOW - 2 * DAY, NOW - 2 * DAY))
    os.utime(folders["young"], (NOW - DAY / 2, NOW - DAY / 2))
    sweep(tmp_path, 0, NOW)
    assert {name for name, folder in folders.items() if folder.exists()} == {"young", "damaged"}


def test_two_pages_may_sweep_one_home_at_once(tmp_path):
    old = [put(tmp_path, "train", 30) for _ in range(20)]
    young = put(tmp_path, "train", 0)
    sweeps = [threading.Thread(target=sweep, args=(tmp_path, 7, NOW)) for _ in range(2)]
    for one in sweeps:
        one.start()
    for one in sweeps:
        one.join()
    assert not any(job.folder.exists() for job in old)
    assert young.state() == "done"


def test_a_thousand_jobs_are_surveyed_in_a_moment(tmp_path):
    dataset = put(tmp_path, "build", 0)
    for _ in range(1000):
        put(tmp_path, "train", 0, data=dataset_of(dataset))
    start = time.process_time()
    found = survey(tmp_path)
    assert len(users_of(dataset.id, found)) == 1000
    assert time.process_time() - start < 2


def test_a_clock_that_was_moved_deletes_nothing_before_the_next_hour(tmp_path, monkeypatch):
    run = put(tmp_path, "train", (NOW - time.time()) / DAY)
    sweeper = Sweeper(tmp_path, 7)
    assert sweeper.sweep() == []
    clock = time.time() + 30 * DAY
    monkeypatch.setattr(sweeping.time, "time", lambda: clock + time.monotonic())
    assert sweeper.sweep() == []
    assert run.folder.exists()
    assert sweeper.sweep() == [run.id], "the clock is believed when it stays"


def test_the_sweeper_survives_a_disk_in_trouble(tmp_path, monkeypatch):
    calls = []

    def trouble(*_):
        calls.append(len(calls))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sweeping, "sweep", trouble)
    monkeypatch.setattr(sweeping, "HOUR", 0.01)
    sweeper = Sweeper(tmp_path, 7)
    sweeper.offset = None
    sweeper.start()
    deadline = time.monotonic() + 10
    while len(calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    sweeper.ended.set()
    assert len(calls) >= 3


def test_old_uploads_go_and_young_ones_and_other_apps_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv(uploads.CACHE, "")
    other = tmp_path / "gradio" / "x"
    other.mkdir(parents=True)
    uploads.sweep_uploads(time.time() + 9 * DAY)
    uploads.use_own_cache()
    cache = uploads.own_cache()
    assert os.environ[uploads.CACHE] == str(cache)
    assert cache.stat().st_mode & 0o077 == 0
    for name, age in (("old", 7 * 3600), ("young", 3600)):
        (cache / name).mkdir()
        (cache / name / "a.zip").write_bytes(b"PK")
        for path in (cache / name / "a.zip", cache / name):
            os.utime(path, (NOW - age, NOW - age))
    uploads.sweep_uploads(NOW)
    assert [path.name for path in cache.iterdir()] == ["young"]
    assert other.exists()


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 20, b"\x02" + b"\0" * 7 + b"{}"])
def test_a_checkpoint_that_cannot_be_read_tells_no_step(tmp_path, data):
    assert checkpoint_step(tmp_path) == 0
    (tmp_path / CHECKPOINT).parent.mkdir()
    (tmp_path / CHECKPOINT).write_bytes(data)
    assert checkpoint_step(tmp_path) == 0

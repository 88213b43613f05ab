"""`python -m ocrtune jobs`: what it says, what it does, and how it refuses."""

import json
import os
import sys
import threading
import time

import pytest

from ocrtune import cli, jobs
from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.events import Done, Failed, Note, Step, append_event
from ocrtune.job_status import Status
from ocrtune.turns import process_start

TOKEN = "hf_" + "x" * 34


def leave(home, name, state="done", command="train", events=(), **values):
    """Return a job of that id as a worker has left it, or is busy with it."""
    job = jobs.Job(home / "jobs" / name)
    job.folder.mkdir(parents=True)
    TrainConfig(data="d", output=str(job.folder / "run")).save(job.folder / "config.json")
    for event in events:
        append_event(job.folder / "events.jsonl", event)
    (job.folder / "log.txt").write_text(f"load 1/2\rload 2/2\nkey {TOKEN}\n", "utf-8")
    if state == "running":
        values |= {"pid": os.getpid(), "started": process_start(os.getpid())}
    values = {"created": time.time() - 7200.5} | values
    Status(state=state, command=command, **values).save(job.folder)
    return job


A, B, C = "a" * 22, "ab" + "c" * 20, "c" * 22


@pytest.fixture
def run(capsys, tmp_path):
    """Run an action on the jobs of a home and return its exit code, output and errors."""

    def run(*arguments):
        code = cli.main(["jobs", *arguments, "--home", str(tmp_path)])
        return code, *capsys.readouterr()

    return run


def test_the_list_tells_everything_in_a_line(run, tmp_path):
    leave(tmp_path, A, "running", step=3, total=10, owner="user:me")
    leave(tmp_path, C, "done", "build", created=time.time() - 8000)
    code, out, _ = run("list")
    lines = [line.split("  ") for line in out.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert code == 0
    assert cells == [
        ["id", "command", "state", "progress", "age", "owner"],
        [A, "train", "running", "3 of 10", "2 h 0 min", "user:me"],
        [C, "build", "done", "–", "2 h 13 min", "–"],
    ]
    code, out, _ = run("list", "--json")
    assert [(row["id"], row["state"]) for row in json.loads(out)] == [(A, "running"), (C, "done")]


def test_an_empty_home_is_no_error(run):
    code, out, _ = run("list")
    assert (code, "no jobs" in out) == (0, True)
    assert json.loads(run("list", "--json")[1]) == []


def test_a_damaged_job_is_listed_and_can_be_deleted(run, tmp_path):
    (tmp_path / "jobs" / A).mkdir(parents=True)
    os.utime(tmp_path / "jobs" / A, (1, 1))
    assert "damaged" in run("list")[1]
    assert run("show", A)[0] == 1
    assert run("delete", "a")[0] == 0
    assert not (tmp_path / "jobs" / A).exists()


def test_show_tells_settings_events_and_log_without_secrets(run, tmp_path):
    events = [Note(f"Got {TOKEN}."), Step(1, 2, 0.5, 1, 1), Failed("It broke.", "Mend it.")]
    leave(tmp_path, A, "failed", events=events, message=f"No {TOKEN}.")
    code, out, _ = run("show", "a")
    assert code == 0
    for words in ('data: "d"', "Got [hidden].", "loss 0.500", "It broke. Mend it.", "load 2/2"):
        assert words in out
    assert TOKEN not in out
    assert "load 1/2" not in out
    code, out, _ = run("show", "a", "--json")
    values = json.loads(out)
    assert values["settings"]["data"] == "d"
    assert values["events"][-1]["problem"] == "It broke."
    assert TOKEN not in out


def test_show_bears_what_is_broken(run, tmp_path):
    job = leave(tmp_path, A)
    (job.folder / "config.json").write_bytes(b"\xff{")
    (job.folder / "log.txt").unlink()
    (job.folder / "events.jsonl").write_bytes(b"\x00" * 100)
    assert run("show", A)[0] == 0


@pytest.mark.parametrize(
    ("state", "last", "code"),
    [
        ("done", Done("Finished."), 0),
        ("stopped", Done("Stopped.", stopped=True), 0),
        ("failed", Failed("It broke.", "Mend it."), 1),
        ("lost", Note("Then nothing."), 1),
    ],
)
def test_follow_ends_with_the_job_and_says_how(run, tmp_path, state, last, code):
    leave(tmp_path, A, state, events=[Note("It begins."), last], message="The end.")
    found, out, err = run("follow", A)
    assert (found, out) == (code, f"{state}: The end.\n")
    assert "It begins." in err
    lines = run("follow", A, "--json")[1].splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["Note", type(last).__name__]


def test_follow_waits_for_what_comes(run, tmp_path):
    job = leave(tmp_path, A, "running", events=[Note("It begins.")])

    def end():
        append_event(job.folder / "events.jsonl", Note("It goes on."))
        Status(state="done", command="train", created=1.0, message="End.").save(job.folder)

    timer = threading.Timer(0.5, end)
    timer.start()
    code, out, err = run("follow", "a")
    timer.join()
    assert (code, out) == (0, "done: End.\n")
    assert "It goes on." in err


def test_stop_asks_the_job(run, tmp_path):
    job = leave(tmp_path, A, "running")
    code, out, _ = run("stop", "a")
    assert (code, job.state()) == (0, "stopping")
    assert f"jobs follow {A}" in out
    leave(tmp_path, C, "done")
    code, out, err = run("stop", "c")
    assert (code, out) == (1, "")
    assert "is done: there is nothing to stop" in err


def test_delete_leaves_nothing(run, tmp_path):
    job = leave(tmp_path, A)
    assert run("delete", A) == (0, f"Deleted: {A}\n", "")
    assert not job.folder.exists()
    assert run("delete", A)[0] == 1


def test_resume_goes_on_with_a_training_only(run, tmp_path, monkeypatch):
    job = leave(tmp_path, A, "lost")
    (job.folder / "run" / CHECKPOINT).parent.mkdir(parents=True)
    (job.folder / "run" / CHECKPOINT).touch()
    code = "import sys; print('asked for', sys.argv[1:])"
    *_, token = jobs.resume.__defaults__
    defaults = ((sys.executable, "-c", code), token)
    monkeypatch.setattr(jobs.resume, "__defaults__", defaults)
    assert run("resume", "a")[0] == 0
    deadline = time.monotonic() + 10
    while "asked for" not in job.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert f"['train', '--resume', '{job.folder / 'run'}', '--job', '{job.folder}']" in job.log()
    leave(tmp_path, C, "done")
    assert "has reached its end" in run("resume", "c")[2]
    leave(tmp_path, "d" * 22, "lost", "build")
    assert "is no training" in run("resume", "d")[2]
    leave(tmp_path, "e" * 22, "running")
    assert "under way" in run("resume", "e")[2]


def test_an_id_may_be_shortened_while_it_is_clear(run, tmp_path):
    leave(tmp_path, A)
    leave(tmp_path, B)
    code, out, err = run("show", "a")
    assert (code, out) == (1, "")
    assert "2 jobs have an id that begins with `a`" in err
    assert A in err
    assert "Type more" in err
    assert run("show", "ab")[0] == 0
    assert "begins with `x`" in run("show", "x")[2]
    assert run("show", "../" + A)[0] == 1


def test_no_id_looks_like_an_option(tmp_path):
    assert not [job for job in (jobs.create(tmp_path) for _ in range(300)) if job.id[0] == "-"]


@pytest.mark.parametrize("arguments", [[], ["show"], ["dance", "a"]])
def test_misuse_is_told_apart_from_failure(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["jobs", *arguments])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err

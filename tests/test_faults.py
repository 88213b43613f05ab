"""What goes wrong on machines, done to real workers: killed, hung, filled up, out of memory."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from line_samples import write_dataset
from small_models import LINE_CONFIG, write_model

from ocrtune import jobs, turns, worker
from ocrtune.config import CHECKPOINT, BuildConfig, TrainConfig
from ocrtune.crashes import explain_crash
from ocrtune.events import Done, Failed, Note, Resumed, Step
from ocrtune.job_status import Status

# What a worker is before something is done to it: short answers, one thread, so that two runs
# add the same numbers in the same order.
QUICK = """
import os, signal, sys, time
from dataclasses import replace
import torch
from ocrtune import cli, families, training
families.TINY = replace(families.TINY, max_new_tokens=16)
training.use_cores = lambda: torch.set_num_threads(1)
"""
RUN = "\nsys.exit(cli.main(sys.argv[1:]))"


def trainer(fault: str = "") -> tuple[str, ...]:
    """Return a worker that trains, with something done to it."""
    return (sys.executable, "-c", QUICK + fault + RUN)


def fake(code: str) -> tuple[str, ...]:
    """Return a worker that runs the code as a job, without any model."""
    lines = "import os, sys, time\nfrom pathlib import Path\nfrom ocrtune import jobs\n"
    lines += "from ocrtune.events import *\njob = jobs.attach(Path(sys.argv[5]))\n"
    return (sys.executable, "-c", lines + code)


def wait_until(happens, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert happens()


def end_of(job: jobs.Job) -> str:
    """Return the state of a job once it has ended."""
    wait_until(job.ended)
    wait_until(lambda: job.status().state == job.state())
    return job.state()


def losses(job: jobs.Job) -> list[tuple[int, float]]:
    return [(event.step, event.loss) for event in job.events() if isinstance(event, Step)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    base = str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))
    data = write_dataset(tmp_path_factory.mktemp("data"), 20)

    def make(folder: Path, **changes) -> TrainConfig:
        values = {"data": data, "output": str(folder / "run"), "base": base, "steps": 12}
        values |= {"batch_size": 4, "lora_dropout": 0.2, "lora_vision": "yes"}
        values |= {"evaluate_every": 5, "checkpoint_every": 2}
        return TrainConfig(**(values | changes))

    return make


@pytest.fixture
def started():
    """Jobs that were started, to leave none of them behind."""
    kept: list[jobs.Job] = []
    yield kept
    for job in kept:
        with contextlib.suppress(jobs.JobError):
            job.delete()


@pytest.fixture
def start(tmp_path, settings, started):
    def start(worker: tuple[str, ...], home: Path = tmp_path / "home", **changes) -> jobs.Job:
        job = jobs.create(home)
        started.append(job)
        return jobs.start(job, "train", settings(job.folder, **changes), worker)

    return start


@pytest.fixture
def start_fake(tmp_path, started):
    def start_fake(code: str, command: str = "build") -> jobs.Job:
        job = jobs.create(tmp_path / "home")
        started.append(job)
        config = BuildConfig(source="a", output=str(job.folder / "b"))
        return jobs.start(job, command, config, fake(code))

    return start_fake


DIE = "os.kill(os.getpid(), signal.SIGKILL)"
# Each of these dies at its own worst moment.
IN_A_CHECKPOINT = f"""
from ocrtune import checkpoints
real, count = checkpoints.save_file, [0]
def save_file(tensors, path, metadata):
    real(tensors, path, metadata=metadata)
    count[0] += 1
    if count[0] == 2:
        path.write_bytes(path.read_bytes()[:3000])
        {DIE}
checkpoints.save_file = save_file
"""
IN_AN_EVENT = f"""
from ocrtune import worker
from ocrtune.events import Step, to_line
real = worker.append_event
def append_event(path, event):
    if isinstance(event, Step) and event.step == 5:
        with path.open("a") as stream:
            stream.write(to_line(event)[:20])
        {DIE}
    real(path, event)
worker.append_event = append_event
"""
IN_A_STATUS = f"""
from ocrtune.job_status import Status
real = Status.save
def save(status, folder):
    if status.step == 8:
        (folder / f"status.{{os.getpid()}}.draft").write_text('{{"state": "run')
        {DIE}
    real(status, folder)
Status.save = save
"""


def test_a_run_killed_at_its_worst_moments_goes_on_to_the_same_losses(start):
    whole = start(trainer())
    job = start(trainer(IN_A_CHECKPOINT))
    assert end_of(job) == "lost"
    assert "because memory ran out" in job.why_lost()
    for fault in (IN_AN_EVENT, IN_A_STATUS, ""):
        assert (job.folder / "run" / CHECKPOINT).is_file()
        jobs.resume(job, job.folder / "run", trainer(fault))
        assert end_of(job) == ("lost" if fault else "done"), job.log()
    assert end_of(whole) == "done", whole.log()
    assert [step for step, _ in losses(job)] == list(range(1, 13)), "and none is told twice"
    assert losses(job) == losses(whole)
    ours, theirs = (each.folder / "run/adapter/adapter_model.safetensors" for each in (job, whole))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_machine_that_goes_down_finds_everything_saved(start):
    job = start(trainer(), steps=4000, checkpoint_every=0, evaluate_every=3999)
    wait_until(lambda: job.status().step >= 3)
    started = time.monotonic()
    jobs.go_down(job.home, 30)
    assert time.monotonic() - started < 20
    assert job.state() == "stopped", job.log()
    assert isinstance(job.events()[-1], Done)
    told = [event.text for event in job.events() if isinstance(event, Note)]
    assert "the adapter holds the weights of that moment" in told[-1]
    assert (job.folder / "run" / CHECKPOINT).is_file()
    assert (job.folder / "run" / "adapter" / "adapter_model.safetensors").is_file()
    before = len(losses(job))
    jobs.resume(job, job.folder / "run", trainer())
    wait_until(lambda: job.status().step > before)
    assert Resumed(before, 4000) in job.events()
    job.stop()
    assert end_of(job) == "stopped"
    assert [step for step, _ in losses(job)] == list(range(1, len(losses(job)) + 1))


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_a_run_is_stopped_at_once_while_it_loads(start, how):
    job = start(trainer("training.open_base = lambda config: (print('loads'), time.sleep(600))"))
    wait_until(lambda: job.status().state == "running")
    time.sleep(0.5)
    if how == "stop":
        job.stop()
    else:
        # Before its command has begun the process just ends.
        wait_until(lambda: "loads" in job.log() or is_sleeping(job))
        os.kill(job.status().pid, signal.SIGTERM)
    started = time.monotonic()
    assert end_of(job) == "stopped", job.log()
    assert time.monotonic() - started < 30
    assert job.events()[-1] == Done("Stopped before anything was finished.", stopped=True)
    wait_until(lambda: turns.tickets(job.home) == [])


def is_sleeping(job: jobs.Job) -> bool:
    """Return whether the worker has got as far as its handlers."""
    status = Path(f"/proc/{job.status().pid}/status").read_text("utf-8")
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.fixture
def small_disk(tmp_path, started):
    """A disk of 6 MB, or nothing where no disk may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"A FULL DISK IS NOT TESTED: no disk can be mounted here ({error}).")
    yield folder
    for job in started:
        job.delete()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave no room on the disk."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as stream:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(b"\0" * size)


def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(start, small_disk, settings):
    job = start(trainer(), home=small_disk, steps=4000, checkpoint_every=1, evaluate_every=3999)
    wait_until(lambda: job.status().step >= 3)
    fill(small_disk / "filler")
    assert end_of(job) == "failed", job.log()
    assert isinstance(job.events()[-1], Failed)
    assert "disk is full" in job.events()[-1].problem
    assert "Make room" in job.status().message
    assert (job.folder / "run" / CHECKPOINT).is_file(), "what it had is kept"
    fill(small_disk / "filler")  # what the worker had set aside to say so is free again
    with pytest.raises(jobs.JobError, match="[Rr]oom"):
        jobs.start_once(small_disk, "train", lambda folder: settings(folder))
    (small_disk / "filler").unlink()
    before = losses(job)
    jobs.resume(job, job.folder / "run", trainer())
    wait_until(lambda: job.status().step > len(before) + 2)
    job.stop()
    assert end_of(job) == "stopped", job.log()
    steps = [step for step, _ in losses(job)]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("MemoryError()", "The machine's memory ran out"),
        ("torch.OutOfMemoryError('CUDA out of memory')", "The accelerator's memory is too small"),
    ],
)
def test_memory_that_runs_out_ends_in_words(start, error, words):
    fault = f"""
from ocrtune.learner import Learner
real = Learner.step
def step(learner):
    if len(learner.losses) == 3:
        raise {error}
    real(learner)
Learner.step = step
"""
    job = start(trainer(fault))
    assert end_of(job) == "failed"
    told = job.events()[-1]
    assert words in told.problem
    assert "smaller" in told.fix
    assert (job.folder / "run" / CHECKPOINT).is_file(), "it can go on"


def test_a_host_without_memory_is_told_by_the_worker_itself(tmp_path, started):
    """A real limit on the process, and a real allocation that it refuses."""
    code = """
import resource, sys
from ocrtune import cli, dataset
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
dataset.build_dataset = lambda *_: bytearray(64 << 30)
sys.exit(cli.main(sys.argv[1:]))
"""
    job = jobs.create(tmp_path / "home")
    started.append(job)
    config = BuildConfig(source="a", output=str(job.folder / "b"))
    jobs.start(job, "build", config, (sys.executable, "-c", code))
    assert end_of(job) == "failed", job.log()
    assert job.events()[-1].problem == "The machine's memory ran out."


def test_a_worker_that_prints_garbage_fills_neither_disk_nor_page(start_fake):
    job = start_fake("""
for _ in range(100):
    os.write(1, os.urandom(1 << 20).replace(b"\\n", b"-"))  # without a line break
    time.sleep(0.02)
    (job.folder / "events.jsonl").open("ab").write(os.urandom(10000))
time.sleep(1)
job.emit(Done("Finished."))
job.close()
""")
    largest = 0
    while not job.ended():
        size = (job.folder / "log.txt").stat().st_size if (job.folder / "log.txt").exists() else 0
        largest = max(largest, size)
        assert len(job.log()) <= jobs.LOG_BYTES
        assert job.events() in ([], [Done("Finished.")])
        time.sleep(0.05)
    assert end_of(job) == "done"
    assert job.events() == [Done("Finished.")]
    assert (job.folder / "log.txt").stat().st_size <= worker.LOG_BYTES + (1 << 20)
    assert largest < 50 << 20


def test_a_worker_that_hangs_is_ended_and_says_where(start_fake, monkeypatch):
    monkeypatch.setenv("OCRTUNE_HUNG_MINUTES", "0.05")
    job = start_fake("def wait_for_ever():\n    time.sleep(1000)\nwait_for_ever()")
    waiting = start_fake("job.emit(Done('Mine.'))\njob.close()")
    assert end_of(job) == "lost"
    assert "did nothing for" in job.why_lost()
    assert "wait_for_ever" in job.log(), "the log says where"
    assert end_of(waiting) == "done"


def test_a_slow_worker_that_works_is_left_alone(start_fake, monkeypatch):
    monkeypatch.setenv("OCRTUNE_HUNG_MINUTES", "0.05")  # three seconds
    job = start_fake("""
end = time.monotonic() + 10
while time.monotonic() < end:
    pass
job.emit(Done("At last."))
job.close()
""")
    assert end_of(job) == "done"


HANGS_BELOW_PYTHON = """
import ctypes, os, sys, time
from pathlib import Path
from ocrtune import turns
home = Path(sys.argv[1])
turns.take_ticket(home, "hanging")
(home / "jobs" / "hanging").mkdir(parents=True)
(home / "jobs" / "hanging" / "heartbeat").touch()
print("begins", flush=True)
ctypes.PyDLL(None).sleep(1000)  # without letting go of Python
"""


@pytest.mark.parametrize("halted", [False, True])
def test_who_waits_ends_a_worker_whose_threads_cannot_run(tmp_path, monkeypatch, halted):
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS_BELOW_PYTHON, str(tmp_path)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"begins\n"
        if halted:  # by somebody who may let it go on
            os.kill(process.pid, signal.SIGSTOP)
            wait_until(lambda: turns.is_halted(process.pid))
        monkeypatch.setattr(worker, "BEAT_SECONDS", 0.03)
        patience = worker.Suspicion(limit_seconds=1.0)
        for _ in range(10):
            patience.look(tmp_path)
        if halted:
            assert process.poll() is None
        else:
            assert process.wait(timeout=10) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_beating_worker_is_not_suspected(tmp_path, monkeypatch):
    turns.take_ticket(tmp_path, "busy")  # of this very process
    beat = tmp_path / "jobs" / "busy" / "heartbeat"
    beat.parent.mkdir(parents=True)
    killed = []
    monkeypatch.setattr(worker.os, "kill", lambda *arguments: killed.append(arguments))
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.03)
    patience = worker.Suspicion(limit_seconds=1.0)
    for number in range(40):
        beat.write_text(str(number), "utf-8")
        os.utime(beat, ns=(number, number))
        patience.look(tmp_path)
    assert killed == []
    worker.Suspicion(0).look(tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 1800), ("5", 300), ("0", 0), ("0.5", 30), ("soon", 1800), ("-1", 1800), ("nan", 1800)],
)
def test_how_long_a_worker_may_hang(monkeypatch, text, seconds):
    monkeypatch.setenv("OCRTUNE_HUNG_MINUTES", text)
    assert worker.hung_seconds() == seconds


def test_secrets_in_what_fails_are_hidden(start_fake):
    token = "hf_" + "x" * 34
    job = start_fake(f"""
job.emit(Note("with {token}"))
job.emit(Failed("No access with {token}.", "Ask https://me:{token}@example.org."))
job.close()
""")
    assert end_of(job) == "failed"
    for name in ("events.jsonl", "status.json"):
        assert token not in (job.folder / name).read_text("utf-8")
    assert job.events()[-1].problem == "No access with [hidden]."


def test_two_apps_on_one_home_do_not_hurt_each_other(start_fake, tmp_path):
    """Another process reconciles and lists all the time while jobs begin, run and end here."""
    code = f"""
import time
from pathlib import Path
from ocrtune import jobs
home, end, lost = Path({str(tmp_path / "home")!r}), time.monotonic() + 6, []
while time.monotonic() < end:
    lost += jobs.reconcile(home)
    jobs.list_jobs(home)
print(len(lost))
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    ours = []
    while other.poll() is None and len(ours) < 6:
        ours.append(start_fake("time.sleep(0.3)\njob.emit(Done('Mine.'))\njob.close()"))
    assert [end_of(job) for job in ours] == ["done"] * len(ours)
    assert other.communicate()[0].strip() == "0"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "disk is full"),
        (OSError(27, "File too large"), "disk is full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk is full"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "memory ran"),
        (OSError(12, "Cannot allocate memory"), "memory ran out"),
        (KeyError("x"), "ocrtune itself failed (KeyError: 'x')"),
        (ValueError("y" * 9999), "ocrtune itself failed"),
    ],
)
def test_what_nobody_raised_on_purpose_is_explained(error, words):
    problem, fix = explain_crash(error)
    assert words in problem
    assert fix
    assert len(problem) < 600


def test_what_a_status_said_before_it_had_a_reason_is_still_read(tmp_path):
    job = jobs.create(tmp_path)
    values = {"state": "done", "command": "train", "created": 1.0, "pid": 0, "started": ""}
    (job.folder / "status.json").write_text(json.dumps(values), "utf-8")
    assert job.status() == Status(state="done", command="train", created=1.0)

"""Jobs: started, followed, stopped, found again, one at a time, with a worker of our own."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocrtune import jobs, turns
from ocrtune.config import CHECKPOINT, Config
from ocrtune.errors import JobError
from ocrtune.events import Done, Failed, Resumed, Step
from ocrtune.home import home_folder
from ocrtune.job_status import Status
from ocrtune.redaction import without_secrets

WORKER = """
import os, sys, time
from pathlib import Path
from ocrtune import jobs
from ocrtune.events import Done, Failed, Note, Step

command, _, config, _, folder = sys.argv[1:]
steps = int(Path(config).read_text("utf-8").split('"steps": ')[1].split()[0])
print("secret is", os.environ.get("HF_TOKEN"), os.environ.get("CUDA_VISIBLE_DEVICES"))
job = jobs.attach(Path(folder))
if steps == 0:
    job.emit(Failed("No step was asked for.", "Ask for one."))
    sys.exit(1)
for step in range(1, steps + 1):
    job.emit(Step(step, steps, 1 / step, 0.1 * step, 0.1 * (steps - step)))
    if job.stop_requested():
        break
    time.sleep(0.05)
job.emit(Done("Finished.", stopped=job.stop_requested()))
job.close()
"""


RESUMING = """
import sys
from pathlib import Path
from ocrtune import jobs
from ocrtune.events import Done, Resumed, Step

command, option, run, _, folder = sys.argv[1:]
assert (command, option) == ("train", "--resume")
job = jobs.attach(Path(folder))
assert not job.stop_requested()
job.emit(Resumed(1, 3))
for step in (2, 3):
    job.emit(Step(step, 3, 1 / step, 0.1, 0.1))
job.emit(Done("Finished."))
job.close()
"""


@dataclass(frozen=True, kw_only=True)
class StepsConfig(Config):
    steps: int


@pytest.fixture
def run_worker(tmp_path):
    """Start workers that take steps, and leave none of them behind."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER, "utf-8")
    started = []

    def run(steps: int, command: str = "train") -> jobs.Job:
        worker = (sys.executable, "-c", f"exec(open({str(script)!r}).read())")
        job = jobs.create(tmp_path / "home")
        started.append(jobs.start(job, command, StepsConfig(steps=steps), worker))
        return job

    yield run
    for job in started:
        job.delete(patience_seconds=2)


def wait_for(job: jobs.Job, *states: str, seconds: float = 15) -> str:
    deadline = time.monotonic() + seconds
    while job.state() not in states and time.monotonic() < deadline:
        time.sleep(0.02)
    return job.state()


def wait_until(happens, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert happens()


def leave_job(home: Path, state: str, **values) -> jobs.Job:
    """Return a job as another process may have left it."""
    job = jobs.create(home)
    values = {"command": "train", "created": time.time()} | values
    Status(state=state, **values).save(job.folder)
    return job


def test_a_job_is_followed_to_its_end(run_worker):
    job = run_worker(3)
    events = list(jobs.follow(job, poll_seconds=0.02))
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3]
    assert events[-1] == Done("Finished.")
    assert job.state() == "done"
    status = job.status()
    assert (status.step, status.total, status.message) == (3, 3, "Finished.")


def test_a_failure_keeps_both_of_its_sentences(run_worker):
    job = run_worker(0)
    assert list(jobs.follow(job, poll_seconds=0.02)) == [
        Failed("No step was asked for.", "Ask for one.")
    ]
    assert job.state() == "failed"


def test_stop_ends_a_run_early_and_keeps_its_end(run_worker):
    job = run_worker(2000)
    assert wait_for(job, "running") == "running"
    job.stop()
    assert job.state() in ("stopping", "stopped")
    assert wait_for(job, "stopped") == "stopped"
    assert job.events()[-1] == Done("Finished.", stopped=True)


def test_a_killed_worker_is_lost_and_says_what_may_be_the_reason(run_worker):
    job = run_worker(2000)
    assert wait_for(job, "running") == "running"
    os.kill(job.status().pid, signal.SIGKILL)
    assert wait_for(job, "lost") == "lost"
    wait_until(lambda: job.status().state == "lost")
    assert "because memory ran out" in job.why_lost()


def test_a_job_whose_starter_is_gone_too_is_lost_and_stays_lost(tmp_path):
    job = leave_job(tmp_path, "running", pid=os.getpid(), started="1")  # ours, but not at tick 1
    assert job.state() == "lost"
    assert jobs.reconcile(tmp_path) == [job]
    assert job.status().state == "lost"
    assert jobs.reconcile(tmp_path) == []


def test_a_lost_run_goes_on_and_tells_nothing_twice(run_worker, tmp_path):
    job = run_worker(200)
    wait_for(job, "running")
    while job.status().step < 3:
        time.sleep(0.02)
    with pytest.raises(JobError, match="under way"):
        jobs.resume(job, tmp_path)
    created = job.status().created
    job.stop()
    wait_for(job, "stopped")
    (tmp_path / CHECKPOINT).parent.mkdir()
    (tmp_path / CHECKPOINT).touch()
    jobs.resume(job, tmp_path, (sys.executable, "-c", RESUMING))
    assert wait_for(job, "done", "failed", "lost") == "done", job.log()
    steps = [event.step for event in job.events() if isinstance(event, Step)]
    assert steps == [1, 2, 3]
    assert [type(event) for event in job.events()] == [Step, Resumed, Step, Step, Done]
    assert job.status().created == created, "it keeps its place in the list"


def test_a_worker_that_never_attaches_is_lost_with_its_words_in_the_log(tmp_path):
    job = jobs.create(tmp_path)
    worker = (sys.executable, "-c", "raise SystemExit('no such module')")
    jobs.start(job, "train", StepsConfig(steps=1), worker)
    assert wait_for(job, "lost") == "lost"
    assert "no such module" in job.log()


def test_a_reused_process_number_is_not_taken_for_the_worker(run_worker):
    job = run_worker(1)
    assert wait_for(job, "done") == "done"
    status = json.loads((job.folder / "status.json").read_text("utf-8"))
    status |= {"state": "running", "pid": os.getpid(), "started": "1"}  # ours, but not at tick 1
    (job.folder / "status.json").write_text(json.dumps(status), "utf-8")
    assert job.state() == "lost"


def test_a_worker_outlives_its_starter(tmp_path, run_worker):
    starter = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(tmp_path)!r})
from ocrtune import jobs
from ocrtune.config import BuildConfig
job = jobs.create(Path({str(tmp_path / "home")!r}))
code = "import sys,time; from pathlib import Path; from ocrtune import jobs;" \\
    "from ocrtune.events import Done; job = jobs.attach(Path(sys.argv[5])); time.sleep(1);" \\
    "job.emit(Done('Alone.'))"
jobs.start(job, "build", BuildConfig(source="a", output="b"), (sys.executable, "-c", code))
print(job.id)
"""
    answer = subprocess.run(
        [sys.executable, "-c", starter], capture_output=True, text=True, check=True
    )
    job = jobs.find(tmp_path / "home", answer.stdout.strip())
    assert wait_for(job, "done") == "done"


def test_trainings_run_one_after_the_other_in_order(run_worker):
    first = run_worker(40)
    assert wait_for(first, "running") == "running"
    second = run_worker(2)
    deadline = time.monotonic() + 10
    while second.place() != 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    third = run_worker(2)
    while third.place() != 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (second.state(), second.place()) == ("queued", 1)
    assert (third.state(), third.place()) == ("queued", 2)
    third.stop()  # leaves the queue without having begun
    assert wait_for(third, "stopped") == "stopped"
    assert not [event for event in third.events() if isinstance(event, Step)]
    assert wait_for(second, "running", "done") in ("running", "done")
    assert first.state() == "done"


def test_building_does_not_wait_for_a_training(run_worker):
    training = run_worker(2000)
    assert wait_for(training, "running") == "running"
    assert wait_for(run_worker(1, command="build"), "done") == "done"
    assert training.state() == "running"


def test_a_dead_holder_frees_the_accelerator(run_worker):
    first = run_worker(2000)
    assert wait_for(first, "running") == "running"
    second = run_worker(1)
    os.kill(first.status().pid, signal.SIGKILL)
    assert wait_for(second, "done") == "done"


def test_tickets_drawn_at_once_never_share_a_turn(tmp_path):
    """Eight processes each hold the turn for a moment; two inside at once would be seen."""
    code = f"""
import sys, time
from pathlib import Path
from ocrtune import turns
home, name = Path({str(tmp_path)!r}), sys.argv[1]
ticket = turns.take_ticket(home, name)
while turns.place(home, name):
    time.sleep(0.005)
(home / "inside").mkdir()  # fails if somebody else is inside
time.sleep(0.01)
(home / "inside").rmdir()
ticket.unlink()
"""
    crowd = [subprocess.Popen([sys.executable, "-c", code, f"job{n}"]) for n in range(8)]
    assert [process.wait(timeout=30) for process in crowd] == [0] * 8
    assert turns.tickets(tmp_path) == []


def test_a_strange_file_among_the_tickets_blocks_nobody(tmp_path):
    (tmp_path / "turns").mkdir()
    (tmp_path / "turns" / "000000001-torn.json").write_text('{"pid": ', "utf-8")
    ticket = turns.take_ticket(tmp_path, "mine")
    assert turns.tickets(tmp_path) == [ticket]
    assert turns.place(tmp_path, "mine") == 0


@pytest.mark.parametrize(
    "job_id",
    [
        "../../etc",
        "..",
        "",
        "a" * 21,  # too short to be one of ours
        "a" * 22 + "/x",
        "a" * 22 + "\n",
        "a" * 22,  # well formed, but nobody's
        None,
        7,
        ["a" * 22],
    ],
)
def test_no_other_text_is_taken_for_an_id(tmp_path, job_id):
    (tmp_path / "jobs").mkdir()
    with pytest.raises(JobError, match="no such job"):
        jobs.find(tmp_path, job_id)


def test_an_id_of_another_kind_of_job_is_refused(run_worker):
    job = run_worker(1, command="build")
    assert jobs.find(job.home, job.id, "build") == job
    with pytest.raises(JobError):
        jobs.find(job.home, job.id, "train")


def test_ids_differ_and_folders_are_private(tmp_path):
    made = {jobs.create(tmp_path).id for _ in range(50)}
    assert len(made) == 50
    assert all(stat.S_IMODE((tmp_path / "jobs" / name).stat().st_mode) == 0o700 for name in made)


def test_the_worker_gets_the_device_but_no_token(run_worker, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_confidential")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    job = run_worker(1)
    assert wait_for(job, "done") == "done"
    assert "secret is None 3" in job.log()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("HF_TOKEN", False),
        ("OCRTUNE_STATE_SECRET", False),
        ("OPENAI_API_KEY", False),
        ("TOKENIZERS_PARALLELISM", True),
        ("CUDA_VISIBLE_DEVICES", True),
        ("PATH", True),
    ],
)
def test_only_secrets_are_taken_from_the_environment(name, kept):
    assert (name in without_secrets({name: "1"})) is kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\ud800",
        "[" * 100_000,
        '{"state": "running"}',
        '{"state": 5, "pid": "x"}',
        '{"state": 5, "command": "train", "created": 1}',
        '{"state": "done", "command": "train", "created": 1e999, "pid": 1e999}',
        '{"state": "running", "command": "train", "created": 1, "pid": null}',
        "x" * 2_000_000,
    ],
    ids=range(12),
)
def test_a_half_written_job_stops_nothing(tmp_path, text):
    job = jobs.create(tmp_path)
    (job.folder / "status.json").write_text(text, "utf-8", "surrogatepass")
    (job.folder / "config.json").write_bytes(b"\xff\x00{")
    assert job.state() == "lost"
    assert list(jobs.follow(job)) == []
    assert job.log() == ""
    with pytest.raises(JobError):
        jobs.find(tmp_path, job.id)
    assert job.events() == []
    assert jobs.list_jobs(tmp_path) == []
    assert jobs.reconcile(tmp_path) == []


def test_a_torn_last_event_is_left_out(run_worker):
    job = run_worker(2)
    assert wait_for(job, "done") == "done"
    with (job.folder / "events.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"event": "Step", "ste')
    assert job.events()[-1] == Done("Finished.")


def test_delete_ends_the_worker_and_leaves_nothing(run_worker):
    job = run_worker(2000)
    assert wait_for(job, "running") == "running"
    status = job.status()
    job.delete()
    assert not turns.is_process(status.pid, status.started)
    assert not job.folder.exists()
    assert turns.tickets(job.home) == []


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "home").write_text("a file", "utf-8")
    with pytest.raises(JobError, match="OCRTUNE_HOME"):
        jobs.create(tmp_path / "home")


def test_home_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("OCRTUNE_HOME", str(tmp_path / "here"))
    assert home_folder() == tmp_path / "here"
    monkeypatch.delenv("OCRTUNE_HOME")
    assert home_folder().name == "ocrtune"


def test_a_folder_that_is_no_job_is_refused(tmp_path):
    with pytest.raises(JobError, match="no job folder"):
        jobs.attach(tmp_path, patience_seconds=0.05)


def test_the_log_is_shown_without_secrets_and_without_moving_bars(tmp_path):
    job = jobs.create(tmp_path)
    assert job.log() == ""
    token = "hf_" + "x" * 34
    (job.folder / "log.txt").write_text(f"key {token}\nload 1/3\rload 3/3\nend", "utf-8")
    assert job.log() == "key [hidden]\nload 3/3\nend"
    assert job.log(max_bytes=30) == "load 3/3\nend", "half a token would not be known for one"


@pytest.mark.parametrize("name", ["status.json", "events.jsonl", "log.txt", "config.json", "STOP"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "noise"])
def test_nothing_else_in_the_place_of_a_file_stops_anything(tmp_path, name, kind):
    job = leave_job(tmp_path, "done")
    path = job.folder / name
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # whoever opens it waits for ever
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.write_bytes(os.urandom(5000))
    expected = "lost" if name == "status.json" else "done"
    assert job.state() == expected
    assert list(jobs.follow(job)) == job.events() == []
    assert isinstance(job.log(), str)
    assert jobs.list_jobs(tmp_path) == [job] * (expected == "done")
    assert jobs.reconcile(tmp_path) == []
    job.delete()
    assert not job.folder.exists()


def test_strange_things_among_the_jobs_stop_nothing(tmp_path):
    job = leave_job(tmp_path, "done")
    folder = tmp_path / "jobs"
    (folder / ("a" * 22)).write_text("a file where a folder should be", "utf-8")
    (folder / ("b" * 22)).symlink_to("nowhere")
    (folder / ("c" * 22)).mkdir()
    (folder / "notes.txt").touch()
    assert jobs.list_jobs(tmp_path) == [job]
    assert jobs.reconcile(tmp_path) == []
    os.utime(folder / ("c" * 22), (1, 1))
    os.utime(folder / ("a" * 22), (1, 1))
    damaged = jobs.list_damaged(tmp_path)
    assert {job.id[0] for job in damaged} == {"a", "c"}, "they can be deleted"
    for each in damaged:
        each.delete()
    assert jobs.list_damaged(tmp_path) == []


AS_NOBODY = """
import os, sys
from pathlib import Path
from ocrtune import jobs
os.setuid(65534)
home = Path(sys.argv[1])
told = [jobs.list_jobs(home), jobs.reconcile(home), jobs.list_damaged(home)]
one = jobs.Job(home / "jobs" / sys.argv[2])
told += [one.state(), one.events(), one.log(), list(jobs.follow(one))]
assert told == [[], [], [], "lost", [], "", []], told
try:
    jobs.create(home)
except jobs.JobError as error:
    assert "OCRTUNE_HOME" in str(error)
    print("told")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without permission")
def test_folders_without_permission_stop_nothing(tmp_path):
    job = leave_job(tmp_path, "done")  # readable for us only
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    tmp_path.joinpath("jobs").chmod(0o755)
    process = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(tmp_path), job.id], capture_output=True, text=True
    )
    assert process.stdout == "told\n", process.stderr


def test_a_thousand_old_jobs_are_looked_through_in_a_moment(tmp_path):
    for number in range(1000):
        job = leave_job(tmp_path, "done", created=float(number))
        (job.folder / "events.jsonl").write_bytes(b"x" * 1000)
    leave_job(tmp_path, "running", pid=os.getpid(), started="1")
    started = time.perf_counter()
    assert len(jobs.reconcile(tmp_path)) == 1
    assert len(jobs.list_jobs(tmp_path)) == 1001
    assert time.perf_counter() - started < 1.5


def start_same(home: Path, owner: str, steps: int = 2000) -> jobs.Job:
    worker = (sys.executable, "-c", WORKER)
    return jobs.start_once(home, "train", lambda _: StepsConfig(steps=steps), worker, owner)


def test_two_clicks_at_once_start_one_job(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: start_same(tmp_path, "me"), range(8)))
    try:
        assert len(set(started)) == 1
        assert len(os.listdir(tmp_path / "jobs")) == 1, "nothing is left of the others"
        others = [start_same(tmp_path, "me", 1999), start_same(tmp_path, "you")]
        assert len({*started, *others}) == 3
    finally:
        for job in jobs.list_jobs(tmp_path):
            job.delete()
    again = start_same(tmp_path, "me", 1)
    assert again not in started
    wait_for(again, "done")
    once_more = start_same(tmp_path, "me", 1)
    assert once_more != again, "one that has ended may be started again"
    wait_for(once_more, "done")


def test_two_processes_start_one_job(tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_jobs import start_same
print(start_same(Path({str(tmp_path)!r}), "me").id)
"""
    crowd = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ids = {process.communicate(timeout=60)[0].strip() for process in crowd}
    assert len(ids) == 1
    jobs.find(tmp_path, ids.pop()).delete()


def test_another_app_does_not_take_a_job_that_is_being_started_for_lost(tmp_path, monkeypatch):
    """The other one reconciles at every moment of a start; only a process that lives counts."""
    real, seen = jobs.subprocess.Popen, []

    def slow(*arguments, **options):
        seen.append(jobs.reconcile(tmp_path))
        process = real(*arguments, **options)
        seen.append(jobs.reconcile(tmp_path))
        return process

    monkeypatch.setattr(jobs.subprocess, "Popen", slow)
    job = start_same(tmp_path, "me", 3)
    seen.append(jobs.reconcile(tmp_path))
    assert wait_for(job, "done") == "done"
    assert seen == [[], [], []]


def test_resumed_twice_at_once_it_runs_once(tmp_path):
    job = leave_job(tmp_path, "lost")
    StepsConfig(steps=2000).save(job.folder / "config.json")
    worker = (sys.executable, "-c", WORKER)

    def resume(_):
        try:
            return jobs.resume(job, job.folder / "run", worker)
        except JobError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(resume, range(4)))
    assert told.count(job) == 1
    assert sum("under way" in str(one) for one in told) == 3
    wait_until(lambda: job.status().step >= 2)
    job.delete()


def test_a_slow_starter_does_not_write_over_its_workers_status(tmp_path, monkeypatch):
    """The worker waits for a status that names it, even where one of an earlier worker lies."""
    job = leave_job(tmp_path, "stopped")
    StepsConfig(steps=3).save(job.folder / "config.json")
    real = Status.save

    def late(status, folder):
        time.sleep(1.0)
        real(status, folder)

    monkeypatch.setattr(Status, "save", late)
    jobs.resume(job, job.folder / "run", (sys.executable, "-c", WORKER))
    assert wait_for(job, "done") == "done", job.log()


def test_a_deletion_that_was_interrupted_can_be_repeated(run_worker, monkeypatch):
    job = run_worker(2000)
    wait_for(job, "running")
    status = job.status()
    monkeypatch.setattr(jobs.shutil, "rmtree", lambda *_, **__: None)  # killed before that
    with pytest.raises(JobError, match="by hand"):
        job.delete()
    assert not turns.is_process(status.pid, status.started)
    assert not job.folder.exists(), "nobody finds it any more"
    monkeypatch.undo()
    job.delete()
    jobs.reconcile(job.home)
    assert not (job.home / "deleted").exists()


def test_delete_ends_what_the_worker_has_started(tmp_path):
    code = WORKER.replace(
        "for step", "import subprocess\nsubprocess.Popen(['sleep', '987'])\nfor step"
    )
    job = jobs.create(tmp_path)
    jobs.start(job, "build", StepsConfig(steps=2000), (sys.executable, "-c", code))
    wait_until(lambda: job.status().step >= 1)
    group = job.status().pid
    job.delete()
    wait_until(lambda: not processes_of(group))


def processes_of(group: int) -> list[str]:
    """Return the living processes of a group."""
    found = []
    for stat_file in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = stat_file.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(values[2]) == group and values[0] not in "ZX":
            found.append(stat_file.parent.name)
    return found


def test_a_clock_that_jumps_loses_nothing(run_worker, monkeypatch):
    job = run_worker(60)
    wait_for(job, "running")
    real = time.time
    for jump in (86_400, -86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        assert jobs.reconcile(job.home) == []
        assert job.state() == "running"
    assert wait_for(job, "done") == "done"


def test_a_token_reaches_its_worker_through_a_pipe_alone(tmp_path):
    """Arguments, environment, settings and log of a worker may be read by others."""
    script = (
        "import os, pathlib, sys\n"
        "job = pathlib.Path(sys.argv[sys.argv.index('--job') + 1])\n"
        "held = [*sys.argv, *os.environ.values()]\n"
        "told = ['--token-from-input' in sys.argv, any('hf_pipe' in one for one in held)]\n"
        "(job / 'told').write_text(f'{told} {sys.stdin.readline().strip()}')\n"
    )
    worker = (sys.executable, "-c", script)
    job = jobs.start(jobs.create(tmp_path), "build", Config(), worker, token="hf_pipe")
    told = job.folder / "told"
    wait_until(lambda: told.is_file() and told.read_text())
    assert told.read_text() == "[True, False] hf_pipe"
    kept = [path.read_text("utf-8") for path in job.folder.iterdir() if path != told]
    assert kept
    assert not [text for text in kept if "hf_pipe" in text]

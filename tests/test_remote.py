"""Runs on machines of the Hub: the real clients against a local Hub, whose jobs a test scripts.

One of them is real from end to end: the script that is sent runs there, trains, is stopped, and
what it has learned comes back. In the others a test says what the machine prints and how it ends.
"""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import hub_writing
import pytest
from hub_client import driven
from hub_jobs import HubJob
from hub_server import Fault, Hub, serve_hub
from line_samples import write_dataset

from ocrtune.config import TrainConfig
from ocrtune.event_lines import to_marked
from ocrtune.events import Done, Event, Failed, Note, Step
from ocrtune.hub_words import hub_error, in_language
from ocrtune.remote import RemoteState
from ocrtune.remote_package import SCRIPT, pack, requirements, write_script

ROOT = Path(__file__).parent.parent
REPO = "me/ocrtune-runs"
PATIENCE = 150.0  # seconds; other work may keep the machine busy

# What the process of the clients has, and does: a line of code at a time.
DRIVER = """
import json, sys, threading
from pathlib import Path
from ocrtune import hub_writing, jobs, remote, remote_command
from ocrtune.config import TrainConfig
from ocrtune.errors import OcrtuneError
from ocrtune.events import to_line
from ocrtune.flavors import Estimate
hub_writing.WRITING_SECONDS = 3.0
remote.POLL_SECONDS, remote.LOOK_SECONDS, remote.PAUSE = 0.05, 0.2, 0.1
events, endings, flags = [], [], {}
def tell(event):
    events.append(to_line(event))
def begin(folder, token="hf_owner"):
    events.clear(), endings.clear(), flags.update(asked=False, leaving=False)
    config = TrainConfig.load(Path(folder) / "config.json")
    asked, leaving = lambda: flags["asked"], lambda: flags["leaving"]
    def work():
        try:
            out = remote.supervise(Path(folder), config, token, tell, asked, leaving)
            endings.append([out.text, out.stopped])
        except OcrtuneError as error:
            endings.append(str(error))
    threading.Thread(target=work, daemon=True).start()
def agree(folder, minutes=60, price=0.41):
    remote.agree(Path(folder), "t4-small", Estimate(600.0, minutes, price))
def train_on(machine, agreed, **settings):
    remote_command.train_on(TrainConfig(**settings), machine, 0, agreed, tell)
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serve_hub() as hub:
        yield hub


@pytest.fixture(scope="module")
def process(hub, tmp_path_factory) -> Iterator[Callable]:
    home = {"OCRTUNE_HOME": str(tmp_path_factory.mktemp("driver"))}
    environment = hub.environment(tmp_path_factory.mktemp("hf"), "hf_owner") | home
    with driven(DRIVER, environment) as do:
        yield do


@pytest.fixture
def client(hub, process) -> Callable:
    """Return a function that lets the process of the clients do something."""
    machines = hub.machines
    machines.end()
    hub.faults.clear()
    hub.repos.clear()
    machines.jobs.clear()
    machines.forbidden.clear()
    machines.runs, machines.started, machines.credit = False, 0, True
    machines.prices, machines.cuts, machines.noise = 1.0, 0, False
    return process


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> str:
    return write_dataset(tmp_path_factory.mktemp("data"), 12)


@pytest.fixture
def folder(tmp_path, data) -> Path:
    """A job's folder, whose run is agreed to but not yet started; its base model is not ours."""
    job = tmp_path / "home" / "jobs" / "A-job-that-nobody-can-guess"
    job.mkdir(parents=True)
    config = TrainConfig(data=data, output=str(job / "run"), base="deepseek-ocr", steps=4)
    config.save(job / "config.json")
    return job


def until(condition: Callable[[], object]) -> object:
    """Return what is asked for as soon as there is something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("It did not happen.")


def started_job(hub: Hub, count: int = 1) -> HubJob:
    """Return the newest job of the Hub, once so many were started; its machine is there then."""
    until(lambda: len(hub.machines.jobs) == count)
    job = list(hub.machines.jobs.values())[-1]
    job.stage = "RUNNING"
    return job


def say(job: HubJob, *events: Event) -> None:
    """Let the machine of a job print events, numbered on."""
    number = sum("@ocrtune-event" in line for line in job.lines)
    job.lines += [to_marked(number + i, event) for i, event in enumerate(events, start=1)]


def learn(hub: Hub, **files: bytes) -> None:
    """Let the machine copy files of the run to its branch; names have no slashes here."""
    branches = hub.repos[REPO].branches
    name = next(name for name in branches if name.startswith("run-") and ".stop" not in name)
    newest = branches[name][-1].files
    manifest = json.loads(newest["copy.json"])
    changed = {f"run/{key.replace('__', '/').replace('_dot_', '.')}": v for key, v in files.items()}
    for path, content in changed.items():
        told = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
        manifest["files"][path] = told
    fresh = newest | changed | {"copy.json": json.dumps(manifest).encode()}
    branches[name].append(hub_writing.version(hub.repos[REPO], fresh))


def ended(client: Callable[[str], object]) -> object:
    """Return how the supervisor ended."""
    return until(lambda: client("endings"))[0]


def notes(client: Callable[[str], object]) -> str:
    """Return all notes that were told."""
    return "\n".join(json.loads(line).get("text", "") for line in client("events"))


def steps(client: Callable[[str], object]) -> list[int]:
    """Return the numbers of the steps that were told, in order."""
    told = [json.loads(line) for line in client("events")]
    return [event["step"] for event in told if event["event"] == "Step"]


def step(number: int) -> Step:
    return Step(number, 4, 1.0, 1.0, 1.0)


def test_a_run_is_sent_trained_stopped_and_brought_back(hub, client, tmp_path, data):
    hub.machines.runs = True
    environment = hub.environment(tmp_path / "hf", "hf_owner")
    environment |= {"OCRTUNE_HOME": str(tmp_path / "home"), "OCRTUNE_READER_MINUTES": "0"}
    options = ["--steps", "400", "--batch-size", "1", "--evaluate-every", "400"]
    options += ["--validation-samples", "1", "--output", "my run", "--on", "t4-small", "--yes"]
    command = [sys.executable, "-m", "ocrtune", "train", "--data", data, *options]
    with subprocess.Popen(
        command,
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            job = until(lambda: next(iter(hub.machines.jobs.values()), None))
            until(lambda: '"event": "Step"' in "".join(job.lines) or job.stage == "ERROR")
            here = next((tmp_path / "home" / "jobs").iterdir())
            (here / "STOP").touch()
            out, err = program.communicate(timeout=PATIENCE)
        finally:
            program.kill()
    assert (program.returncode, job.stage) == (0, "COMPLETED"), (out, err, job.lines[-20:])
    run = tmp_path / "my run"
    assert f"Adapter: {run / 'adapter'}" in out
    assert (run / "adapter" / "contract.json").is_file()
    assert (run / "checkpoint" / "state.safetensors").is_file()
    assert TrainConfig.load(run / "config.json").data == data  # not where it lay there
    assert "$0.40 an hour" in err
    assert "at most" in err
    assert "loss" in (here / "events.jsonl").read_text()
    assert json.loads((here / "status.json").read_text())["state"] == "stopped"
    assert hub.repos[REPO].private
    assert not any(name.endswith(".stop") for name in hub.repos[REPO].branches)
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not any(b"hf_owner" in path.read_bytes() for path in kept)
    assert "hf_owner" not in json.dumps(job.spec | {"secrets": {}})
    assert job.spec["secrets"] == {"HF_TOKEN": "hf_owner"}


def test_a_run_that_went_on_alone_is_found_again_and_no_second_one_is_paid_for(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, Note("begun"), step(1), step(2))
    until(lambda: len(steps(client)) == 2)
    client("flags.update(leaving=True)")
    assert ended(client)[1] is True
    say(job, step(3), step(4), Done("The adapter is saved."))
    learn(hub, adapter__contract_dot_json=b"{}", log_dot_jsonl=b"")
    job.stage = "COMPLETED"
    client(f"begin({str(folder)!r})")
    assert ended(client) == ["The adapter is saved.", False]
    assert steps(client) == [3, 4]  # the others had been told
    assert hub.machines.started == 1
    assert (folder / "run" / "adapter" / "contract.json").read_bytes() == b"{}"
    assert RemoteState.load(folder).closed


def test_a_start_whose_answer_is_lost_is_made_once(hub, client, folder):
    hub.faults.append(Fault("POST api/jobs/me", "lost", times=1))
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, Done("The adapter is saved."))
    learn(hub, adapter__contract_dot_json=b"{}")
    job.stage = "COMPLETED"
    assert ended(client) == ["The adapter is saved.", False]
    assert hub.machines.started == 1


def test_a_start_that_the_hub_could_not_make_needs_no_second_yes(hub, client, folder):
    hub.faults.append(Fault("POST api/jobs/me", 503, times=1))
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    assert "The Hub answers 503" in ended(client)
    client(f"begin({str(folder)!r})")
    started_job(hub)
    until(lambda: RemoteState.load(folder).job_id)
    client("flags.update(leaving=True)")
    ended(client)
    assert hub.machines.started == 1


def test_the_end_of_a_run_counts_though_it_could_not_be_fetched_at_first(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, step(1), Failed("No sample is left.", "Bring more."))
    hub.faults.append(Fault("GET datasets/me/.*", 401, times=1))
    job.stage = "ERROR"
    assert "does not accept the token" in ended(client)
    client(f"begin({str(folder)!r})")
    assert ended(client) == "No sample is left. Bring more."


def test_a_run_is_followed_by_who_pays_for_it(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    until(lambda: RemoteState.load(folder).job_id)
    client("flags.update(leaving=True)")
    ended(client)
    client(f"begin({str(folder)!r}, 'hf_other')")
    assert "Sign in as `me` to follow it" in ended(client)
    assert "Sign in as `me` to end it" in client(
        f"remote.let_go(Path({str(folder)!r}), 'hf_other')"
    )
    assert job.stage == "RUNNING"


def test_a_start_that_was_killed_before_its_answer_came_is_found_by_its_mark(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    until(lambda: RemoteState.load(folder).job_id)
    client("flags.update(leaving=True)")
    ended(client)
    values = json.loads((folder / "remote.json").read_text()) | {"job_id": "", "address": ""}
    (folder / "remote.json").write_text(json.dumps(values))
    client(f"begin({str(folder)!r})")
    until(lambda: RemoteState.load(folder).job_id == job.id)
    client("flags.update(leaving=True)")
    ended(client)
    assert hub.machines.started == 1


def test_each_start_needs_a_yes_of_its_own(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    learn(hub, checkpoint__state_dot_safetensors=b"checkpoint", adapter__contract_dot_json=b"{}")
    job.stage, job.message = "ERROR", "The node was preempted"
    assert "took the machine away" in ended(client)
    assert (folder / "run" / "checkpoint" / "state.safetensors").read_bytes() == b"checkpoint"
    client(f"begin({str(folder)!r})")
    assert "another start costs again" in ended(client)
    ask = f"remote_command.prepare_elsewhere(jobs.Job(Path({str(folder)!r})), False)"
    assert "$0.41 an hour, $0.41 at most. Agree to that with `--yes`" in client(ask)
    assert hub.machines.started == 1
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    again = started_job(hub, 2)
    say(again, Done("The adapter is saved."))
    again.stage = "COMPLETED"
    assert ended(client)[0] == "The adapter is saved."


def test_events_come_once_each_through_a_torn_and_noisy_log(hub, client, folder):
    hub.machines.noise, hub.machines.cuts = True, 2
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, *[step(number) for number in (1, 2, 3, 4)])
    until(lambda: len(steps(client)) == 4)
    job.lines.append("token hf_abcdefghijklmnop in a line of somebody else")
    say(job, Done("The adapter is saved."))
    learn(hub, adapter__contract_dot_json=b"{}")
    job.stage = "COMPLETED"
    assert ended(client)[0] == "The adapter is saved."
    assert steps(client) == [1, 2, 3, 4]


def test_a_wish_to_stop_is_handed_on_and_what_was_learned_comes_back(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, step(1))
    until(lambda: steps(client))
    client("flags.update(asked=True)")
    until(lambda: any(name.endswith(".stop") for name in hub.repos[REPO].branches))
    assert job.stage == "RUNNING"  # it is given the time to save
    learn(hub, adapter__contract_dot_json=b"{}", checkpoint__state_dot_safetensors=b"x")
    say(job, Done("The adapter is saved.", stopped=True))
    job.stage = "COMPLETED"
    assert ended(client) == ["The adapter is saved.", True]


def test_a_machine_that_does_not_listen_is_cancelled(hub, client, folder):
    client("remote.STOP_PATIENCE = 0.5")
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    client("flags.update(asked=True)")
    assert ended(client)[1] is True
    client("remote.STOP_PATIENCE = 600.0")
    assert job.stage == "CANCELED"


def test_a_run_that_waits_for_its_machine_is_cancelled_at_once(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    until(lambda: hub.machines.jobs)
    client("flags.update(asked=True)")
    assert ended(client)[1] is True
    assert [job.stage for job in hub.machines.jobs.values()] == ["CANCELED"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Job timeout", "longer than the 60 minutes agreed on"),
        ("Back-off pulling image ghcr.io/x", "could not fetch the programs"),
        ("Container was OOMKilled", "ran out of memory"),
        ("Something hf_abcdefghijklmnop", "ended in trouble"),
    ],
)
def test_a_machine_that_fails_is_explained(hub, client, folder, message, words):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    job.stage, job.message = "ERROR", message
    told = ended(client)
    assert words in told
    assert "hf_abc" not in told


def test_what_the_training_there_says_of_its_failure_counts_more(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    say(job, Failed("No sample is left.", "Bring more."))
    job.stage, job.message = "ERROR", "Job failed with exit code: 1"
    assert ended(client) == "No sample is left. Bring more."


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"credit": False}, "no credit"),
        ({"forbidden": {"hf_owner"}}, "may not start jobs on the Hub (403). The Hub says: Missing"),
        ({"prices": 2.0}, "costs $0.80 an hour by now"),
    ],
)
def test_what_the_hub_refuses_is_said_and_costs_no_consent(hub, client, folder, settings, words):
    for name, value in settings.items():
        setattr(hub.machines, name, value)
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    assert words in ended(client)
    assert hub.machines.started == 0
    assert RemoteState.load(folder).agreed


def test_a_visitor_of_a_space_hears_which_scope_is_missing_in_both_languages(monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    error = hub_error("job_scope", status="403", said="")
    assert "`jobs` under `hf_oauth_scopes`" in error.fix
    assert "`hf_oauth_scopes`" in in_language("zh", error.key, error.values)[1]


def test_deleting_a_run_ends_what_it_costs(hub, client, folder):
    client(f"agree({str(folder)!r})")
    client(f"begin({str(folder)!r})")
    job = started_job(hub)
    until(lambda: RemoteState.load(folder).job_id)
    client("flags.update(leaving=True)")
    ended(client)
    assert "costs until it ends" in client(f"remote.let_go(Path({str(folder)!r}), '')")
    client(f"remote.let_go(Path({str(folder)!r}), 'hf_owner')")
    assert job.stage == "CANCELED"


def test_the_command_line_names_the_cost_and_starts_nothing_without_a_yes(hub, client, data):
    def attempt(machine: str, agreed: bool = True, base: str = "tiny") -> str:
        told = f"train_on({machine!r}, {agreed}, data={data!r}, output='o', base={base!r})"
        return str(client(told))

    assert "Nothing was started" in attempt("t4-small", agreed=False)
    assert "Did you mean `t4-small`?" in attempt("t4-smal")
    assert "`l4x4` has 4 GPUs" in attempt("l4x4")
    assert "is a folder of this machine" in attempt("t4-small", base=str(ROOT))
    begun = f"train_on('t4-small', True, data={data!r}, output='o', start_from={str(ROOT)!r})"
    assert "The adapter to begin with" in client(begun)
    assert hub.machines.started == 0


def test_the_script_says_itself_what_it_needs_with_our_pins(data):
    config = TrainConfig(data=data, output="o", base="deepseek-ocr")
    script = write_script(config, True, REPO, "run-1", "package/ocrtune.zip", "ab" * 32, 48)
    compile(script, "run.py", "exec")
    block = script.split("# ///")[1].split("\n", 1)[1]
    header = tomllib.loads("\n".join(line[2:] for line in block.splitlines()))
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]
    named = [line for line in pins if not line.startswith(("gradio", "unsloth", "#"))]
    assert set(named) <= set(header["dependencies"])
    assert header["requires-python"] == "==3.12.*"
    assert not any("gradio" in one for one in header["dependencies"])
    assert "unsloth==2026.10.7" in requirements("unsloth", True)
    assert SCRIPT not in script


def test_the_package_is_the_same_each_time_and_carries_weights_only_where_they_are_used():
    small = pack("deepseek-ocr")
    assert small == pack("deepseek-ocr")
    assert len(small) < 2_000_000
    assert os.environ.get("HF_TOKEN", "no token").encode() not in small

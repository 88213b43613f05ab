"""Copies of runs: the real clients, in processes of their own, against a Hub made here."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hub_client import driven
from hub_server import Fault, Hub, Repo, serve_hub
from line_samples import write_dataset
from small_models import LINE_CONFIG, write_model
from test_checkpoints import assert_same_run, course

from ocrtune import families, training
from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.errors import HubError
from ocrtune.events import Step, append_event
from ocrtune.offsite import CopyState, find_place
from ocrtune.offsite_files import Manifest
from ocrtune.training import train_adapter

ROOT = Path(__file__).parent.parent
TOKEN = "hf_owner"
REPO = "me/ocrtune-runs"
COMMIT = "POST api/datasets/.*/commit/.*"

# What the process of the clients has, and does: a line of code at a time.
DRIVER = """
import json, sys, threading
from pathlib import Path
from ocrtune import hub_writing, jobs, offsite, offsite_fetch
from ocrtune.errors import OcrtuneError
from ocrtune.offsite import Copier, CopyState, Place, find_place, plan_copies
from ocrtune.offsite_files import Source
hub_writing.WRITING_SECONDS = 1.5
offsite_fetch.PAUSE_SECONDS = 0
notes, token = [], "hf_owner"
def begin(run, repo="me/ocrtune-runs", job=None):
    global copier
    notes.clear()
    source = Source(Path(run), job and Path(job))
    tell = lambda event: notes.append(event.text)
    copier = Copier(source, plan_copies(source, repo), lambda: token, tell, pauses=())
def copied(*args):
    begin(*args)
    return copier.copy()
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serve_hub() as hub:
        hub.late_seconds = 3.0
        yield hub


@pytest.fixture(scope="module")
def process(hub, tmp_path_factory) -> Iterator[Callable]:
    with driven(DRIVER, hub.environment(tmp_path_factory.mktemp("hf"))) as do:
        yield do


@pytest.fixture
def client(hub, process) -> Callable:
    """Return a function that lets the process of the clients do something."""
    hub.faults.clear()
    hub.repos.clear()
    hub.stored.clear()
    hub.forget()
    process("token = 'hf_owner'")
    return process


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def run(tmp_path, data) -> Path:
    """A run as it lies on the disk after four steps."""
    folder = tmp_path / "my run"
    (folder / "adapter").mkdir(parents=True)
    (folder / "checkpoint").mkdir()
    TrainConfig(data=data, output=str(folder)).save(folder / "config.json")
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"adapter\0" * 100)
    (folder / "adapter" / "contract.json").write_text("{}")
    go_on(folder, 4)
    return folder


def go_on(run: Path, step: int) -> None:
    """Let a run learn until a step and save a checkpoint there."""
    append_event(run / "log.jsonl", Step(step, 60, 1.5, 1.0, 1.0))
    draft = run / "checkpoint" / "state.part"
    draft.write_bytes(b"state of step %d\0" % step * 1000)
    draft.replace(run / CHECKPOINT)


def branch_of(hub: Hub, folder: Path) -> list[Repo]:
    """Return the commits of the branch that a run is copied to, oldest first."""
    return hub.repos[REPO].branches[CopyState.load(folder).name]


def test_a_copy_is_one_commit_and_sends_what_is_new(hub, client, run):
    assert client(f"copied({str(run)!r})") is True
    state = CopyState.load(run)
    assert (state.state, state.step, state.problem) == ("copied", 4, "")
    assert time.time() - 60 < state.copied <= time.time()
    assert hub.repos[REPO].private
    first = branch_of(hub, run)[-1]
    manifest = Manifest.from_bytes(first.files["copy.json"])
    assert set(manifest.files) | {"copy.json", "README.md", ".gitattributes"} == set(first.files)
    assert {name for name in first.files if name.startswith("data/")} == {
        f"data/dataset_{name}" for name in ("train.parquet", "val.parquet", "test.parquet")
    } | {"data/dataset_report.json", "data/dataset_rejects.csv"}
    assert first.files[f"run/{CHECKPOINT}"] == (run / CHECKPOINT).read_bytes()
    hub.forget()
    assert client("copier.copy()") is True, "nothing is new"
    assert len(branch_of(hub, run)) == 2
    assert not hub.counted(COMMIT)
    go_on(run, 8)
    assert client("copier.copy()") is True
    assert len(branch_of(hub, run)) == 3
    assert hub.sent_in == [manifest_of(hub, run).files[f"run/{CHECKPOINT}"].sha256]
    shutil.rmtree(run / "checkpoint")  # as a run does that has finished
    assert client("copier.copy()") is True
    assert f"run/{CHECKPOINT}" not in branch_of(hub, run)[-1].files
    assert client("notes") == [f"The run is copied to {state.place.address}, which is private."]
    assert not list(run.glob(".*")), "nothing stays behind"
    # Another process goes on with the same run: the place stays, and nothing is sent again.
    hub.forget()
    assert client(f"copied({str(run)!r})") is True
    assert hub.sent_in == []


def manifest_of(hub: Hub, folder: Path) -> Manifest:
    return Manifest.from_bytes(branch_of(hub, folder)[-1].files["copy.json"])


def test_old_checkpoints_do_not_pile_up(hub, client, run):
    client(f"begin({str(run)!r})")
    for step in range(1, 8):
        go_on(run, step)
        assert client("copier.copy()") is True
    assert len(branch_of(hub, run)) == 2, "six copies became one, then there was another one"
    assert client("copier.follow(lambda: True, 0)") is None
    assert len(branch_of(hub, run)) == 1
    checkpoints = [data for data in hub.stored.values() if data.startswith(b"state")]
    assert checkpoints == [(run / CHECKPOINT).read_bytes()]
    hub.faults.append(Fault(".*super-squash.*", 500))
    for step in range(8, 15):
        go_on(run, step)
        assert client("copier.copy()") is True, "that tidying fails is no harm"


def test_a_public_repo_is_refused(hub, client, run):
    hub.repos[REPO] = Repo({}, token=TOKEN)
    assert client(f"copied({str(run)!r})") is False
    assert "is not private, so nothing is sent there" in CopyState.load(run).problem
    hub.repos[REPO].private = True
    assert client(f"copied({str(run)!r})") is True
    hub.repos[REPO].private = False  # by its owner, in between
    go_on(run, 5)
    hub.forget()
    assert client("copier.copy()") is False
    assert not hub.counted(COMMIT)
    assert hub.sent_in == []


@pytest.mark.parametrize(
    ("token", "fault", "problem", "fix"),
    [
        ("hf_expired", None, "does not accept the token (401)", "Sign in again"),
        ("hf_reader", None, "may not write to `me/ocrtune-runs` (403)", "that may write there"),
        ("hf_other", None, "may not write to `me/ocrtune-runs` (403)", "repository of your own"),
        ("", None, "Nobody is signed in", "hf auth login"),
        (TOKEN, Fault(COMMIT, 402), "no room left for `me/ocrtune-runs` (402)", "36 hours"),
    ],
)
def test_what_will_not_pass_ends_the_copies_in_a_sentence(
    hub, client, run, token, fault, problem, fix
):
    client(f"token = {token!r}")
    hub.faults += [fault] if fault else []
    assert client(f"copied({str(run)!r})") is False
    state = CopyState.load(run)
    assert state.state == "given up"
    assert problem in state.problem
    assert fix in state.fix
    [note] = client("notes")
    assert note.endswith("The copies end; the run goes on.")
    assert not token or token not in note + (run / "offsite.json").read_text()


@pytest.mark.parametrize(
    ("request_", "does"),
    [
        (COMMIT, 500),
        (COMMIT, 409),
        (COMMIT, 429),
        (COMMIT, "late"),
        (COMMIT, "cut"),
        ("POST .*/preupload/.*", 503),
        ("POST .*lfs/objects/batch", 500),
        ("PUT storage/.*", "cut"),
        ("GET api/datasets/me/ocrtune-runs.*", 500),
    ],
)
def test_trouble_that_passes_costs_no_more_than_a_copy(hub, client, run, request_, does):
    assert client(f"copied({str(run)!r})") is True
    go_on(run, 5)
    fault = Fault(request_, does, times=1)
    hub.faults.append(fault)
    first = client("copier.copy()")
    assert fault.times == 0
    if not first:  # where the clients themselves do not try again
        assert CopyState.load(run).state == "failing"
        assert client("copier.copy()") is True
    assert CopyState.load(run).step == 5
    assert branch_of(hub, run)[-1].files[f"run/{CHECKPOINT}"] == (run / CHECKPOINT).read_bytes()


def test_a_copy_of_which_nobody_heard_is_not_made_twice(hub, client, run):
    assert client(f"copied({str(run)!r})") is True
    client("copier.pauses = (0.1,)")
    go_on(run, 5)
    hub.faults.append(Fault(COMMIT, "lost", times=1))
    commits = len(branch_of(hub, run))
    assert client("copier.copy()") is True
    assert len(branch_of(hub, run)) == commits + 1
    go_on(run, 6)
    assert client("copier.copy()") is True


def test_trouble_is_told_once_and_so_is_its_end(hub, client, run):
    assert client(f"copied({str(run)!r})") is True
    client("notes.clear()")
    hub.faults += [Fault(COMMIT, status, times=1) for status in (500, 429, 500)]
    for step in (5, 6, 7):
        go_on(run, step)
        assert client("copier.copy()") is False
    assert client("copier.copy()") is True
    first, last = client("notes")
    assert first.startswith("The copy to the Hub failed. The Hub answers 500")
    assert last.endswith("again.")
    assert CopyState.load(run).problem == ""


def test_two_machines_do_not_write_to_one_place(hub, client, run):
    assert client(f"copied({str(run)!r})") is True
    client("first = copier")
    assert client(f"copied({str(run)!r})") is True  # as the machine that resumed it
    go_on(run, 9)
    assert client("copier.copy()") is True
    go_on(run, 10)
    assert client("first.copy()") is False
    assert "was changed by somebody else" in client("first.state.problem")
    assert client("first.state.state") == "given up"
    assert manifest_of(hub, run).step == 9


def test_a_run_that_is_being_written_is_not_copied_half(hub, client, run):
    assert client(f"copied({str(run)!r})") is True
    client("import ocrtune.offsite_files as files; files.STILL_SECONDS = 0.01")
    (run / "adapter" / "adapter_model.safetensors.part").write_bytes(b"half")
    go_on(run, 5)
    assert client("copier.copy()") is False
    assert "do not stand still" in CopyState.load(run).problem
    (run / "adapter" / "adapter_model.safetensors.part").unlink()
    assert client("copier.copy()") is True


def test_a_copy_comes_back_checked_and_whole(hub, client, run, tmp_path):
    assert client(f"copied({str(run)!r})") is True
    address = CopyState.load(run).place.address
    fetch = "str(offsite_fetch.fetch_run(find_place({!r}), Path({!r}), token))"
    new = tmp_path / "new"
    assert client(fetch.format(address, str(new))) == str(new)
    config = TrainConfig.load(new / "config.json")
    assert Path(config.data) == new / "data" / "dataset"
    assert config.output == str(new)
    assert (new / CHECKPOINT).read_bytes() == (run / CHECKPOINT).read_bytes()
    before = TrainConfig.load(run / "config.json").data
    for name in ("train", "val", "test"):
        fetched = Path(f"{config.data}_{name}.parquet").read_bytes()
        assert fetched == Path(f"{before}_{name}.parquet").read_bytes()
    assert CopyState.load(new).place == CopyState.load(run).place, "it is copied on to there"
    assert sorted(path.name for path in tmp_path.glob(".*")) == []
    assert "is there already" in client(fetch.format(address, str(new)))
    assert "Did you mean" in client(fetch.format(f"{address[:-1]}x", str(tmp_path / "no")))
    # The newest copy replaces the one that is being fetched, and takes its commit away.
    go_on(run, 6)
    client(
        "real = hub_writing.PrivateRepo.fetch\n"
        "def fetch(repo, commit, name, folder):\n"
        "    hub_writing.PrivateRepo.fetch = real if name != 'copy.json' else fetch\n"
        "    name == 'copy.json' or (copier.copy(), copier.tidy())\n"
        "    return real(repo, commit, name, folder)\n"
        "hub_writing.PrivateRepo.fetch = fetch"
    )
    assert client(fetch.format(address, str(tmp_path / "newer"))) == str(tmp_path / "newer")
    assert (tmp_path / "newer" / CHECKPOINT).read_bytes() == (run / CHECKPOINT).read_bytes()


def test_what_is_damaged_or_no_copy_leaves_no_folder(hub, client, run, tmp_path):
    assert client(f"copied({str(run)!r})") is True
    address = CopyState.load(run).place.address
    fetch = (
        f"offsite_fetch.fetch_run(find_place({address!r}), Path({str(tmp_path / 'new')!r}), token)"
    )
    files = branch_of(hub, run)[-1].files
    whole = dict(files)
    files[f"run/{CHECKPOINT}"] = b"\0" * len(files[f"run/{CHECKPOINT}"])
    assert "is damaged" in client(fetch)
    for name in ("../../evil", "run/../../evil", "/etc/evil", "run\\..\\evil", "evil", "x/evil"):
        told = json.loads(whole["copy.json"])
        told["files"][name] = {"sha256": "0", "bytes": 1}
        files["copy.json"] = json.dumps(told).encode()
        assert "is no list of a copy" in client(fetch)
    told = json.loads(whole["copy.json"])
    del told["files"][f"run/{CHECKPOINT}"]
    files["copy.json"] = json.dumps(told).encode()
    assert "holds no checkpoint" in client(fetch)
    assert not (tmp_path / "new").exists()
    assert list(tmp_path.glob(".*")) == []
    listed = client(
        "[place.name for place, manifest in offsite_fetch.list_copies('me/ocrtune-runs', token)]"
    )
    assert listed == [CopyState.load(run).name]
    assert client(f"offsite_fetch.remove_copy(find_place({address!r}), token)") is None
    assert "There are none" in client(fetch)


def test_a_job_is_copied_from_outside_and_comes_back_as_a_job(hub, client, run, tmp_path):
    home = tmp_path / "home"
    folder = home / "jobs" / ("j" * 22)
    folder.mkdir(parents=True)
    run.rename(folder / "run")
    config = replace(TrainConfig.load(folder / "run" / "config.json"), output=str(folder / "run"))
    config.save(folder / "config.json")
    config.save(folder / "run" / "config.json")
    client(
        f"job = jobs.Job(Path({str(folder)!r}))\n"
        "jobs.Status(state='stopped', command='train', created=1.0, owner='user:me')"
        ".save(job.folder)"
    )
    client("thread = offsite.copy_job(job, lambda: token); thread.join(60)")
    assert client("thread.is_alive()") is False
    state = CopyState.load(folder)
    assert state.state == "copied", state
    assert "is copied to hf://me/ocrtune-runs/run-" in client("job.events()[-1].text")
    assert folder.name not in json.dumps(list(branch_of(hub, folder)[-1].files)) + state.name
    fetched = client(
        f"job = offsite_fetch.fetch_job(find_place({state.place.address!r}), Path({str(home)!r}), "
        "token, 'user:me'); found = job.folder"
    )
    assert fetched is None
    new = Path(client("found"))
    assert new.parent == folder.parent != new
    assert client("[job.state(), job.status().owner, job.status().step]") == ["lost", "user:me", 4]
    config = TrainConfig.load(new / "config.json")
    assert (Path(config.output), Path(config.data)) == (new / "run", new / "data" / "dataset")
    assert (new / "run" / CHECKPOINT).is_file()
    assert Path(f"{config.data}_train.parquet").is_file()


def test_the_wrong_address_is_told():
    assert find_place("hf://me/runs/a-1").address == "hf://me/runs/a-1"
    assert find_place("hf://datasets/me/runs/a-1").address == "hf://me/runs/a-1"
    for bad in ("hf://me/runs", "hf://me", "hf://me/runs/../x", "https://huggingface.co/me/runs"):
        with pytest.raises(HubError, match="hf://USER/REPO/RUN"):
            find_place(bad)


# The whole story, with a real training


TRAIN = """
import os, signal, sys
from dataclasses import replace
import torch
from ocrtune import cli, families
families.TINY = replace(families.TINY, max_new_tokens=16)
from ocrtune import training
training.use_cores = lambda: torch.set_num_threads(1)
real = training.Run.report_step
def report(run):
    real(run)
    if run.steps == int(os.environ.get("KILL_AT", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
training.Run.report_step = report
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_run_goes_on_from_the_hub_when_its_machine_is_gone(hub, client, tmp_path, monkeypatch):
    """The process dies after step 5, the checkpoint is of step 4; then all its files are lost."""
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=16))
    monkeypatch.setattr(training, "use_cores", lambda: torch.set_num_threads(1))
    base = str(write_model(tmp_path / "model", LINE_CONFIG))
    prefix = write_dataset(tmp_path / "data", 20)
    whole = TrainConfig(
        data=prefix,
        output=str(tmp_path / "whole"),
        base=base,
        steps=7,
        batch_size=4,
        learning_rate=5e-3,
        lora_dropout=0.2,
        evaluate_every=3,
        checkpoint_every=2,
    )
    train_adapter(whole)
    lost = tmp_path / "lost"
    replace(whole, output=str(lost)).save(tmp_path / "settings.json")

    def train(*arguments: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-c", TRAIN, "train", *arguments],
            env=hub.environment(tmp_path / "hf", TOKEN) | {"PYTHONPATH": str(ROOT)} | more,
            capture_output=True,
            text=True,
            timeout=300,
        )

    copying = ("--copy-to", REPO, "--copy-minutes", "0.01")
    died = train("--config", str(tmp_path / "settings.json"), *copying, KILL_AT="5")
    assert died.returncode == -signal.SIGKILL, died.stderr
    deadline = time.monotonic() + 60
    while not is_last(lost) and time.monotonic() < deadline:
        time.sleep(0.2)
    state = CopyState.load(lost)
    assert (state.state, state.step) == ("copied", 5), state
    told = died.stdout + died.stderr
    refuse_token(told, *(path for path in lost.rglob("*") if path.is_file()))
    shutil.rmtree(lost)
    shutil.rmtree(tmp_path / "data")
    found = tmp_path / "found"
    resumed = train("--resume", state.place.address, "--output", str(found))
    assert resumed.returncode == 0, resumed.stderr
    assert_same_run(found, whole.output)
    assert [step for step, _ in course(found)[0]] == list(range(1, 8))
    refuse_token(resumed.stdout + resumed.stderr, *(p for p in found.rglob("*") if p.is_file()))
    sent = [data for one in hub.repos[REPO].branches[state.name] for data in one.files.values()]
    assert all(TOKEN.encode() not in data for data in sent)


def is_last(run: Path) -> bool:
    """Return whether the last copy of the run that died is made."""
    state = CopyState.load(run)
    return bool(state) and (state.state, state.step) == ("copied", 5)


def refuse_token(words: str, *paths: Path) -> None:
    """Make sure that the token is in no text and no file."""
    assert TOKEN not in words
    for path in paths:
        assert TOKEN.encode() not in path.read_bytes(), path


def test_a_token_that_may_not_write_is_told_before_anything_is_learned(hub, client, run, tmp_path):
    command = ["train", "--config", str(run / "config.json"), "--output", str(tmp_path / "x")]
    done = subprocess.run(
        [sys.executable, "-m", "ocrtune", *command, "--copy-to", REPO],
        env=hub.environment(tmp_path / "hf", "hf_reader") | {"OMP_WAIT_POLICY": "passive"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "may not write to `me/ocrtune-runs` (403)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x" / "config.json").exists()
    assert os.listdir(tmp_path / "x") == ["offsite.json"]

"""Sharing a dataset: the real clients, in one process of their own, against a Hub made here."""

import hashlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_client import driven
from hub_server import Fault, Hub, serve_hub
from line_samples import write_dataset

from ocrtune import jobs
from ocrtune.arguments import make_config, make_parser
from ocrtune.config import PushDatasetConfig
from ocrtune.dataset_files import load_samples
from ocrtune.editing import edit_samples
from ocrtune.edits import Change
from ocrtune.errors import ConfigError
from ocrtune.records import SPLITS

ROOT = Path(__file__).parent.parent
REPO = "me/lines"
STAGED = "api/datasets/me/lines/[a-z]+/ocrtune-push-.*"
ON_MAIN = "POST api/datasets/me/lines/commit/main"

# What the process of the clients has, and does: a line of code at a time.
DRIVER = """
import hashlib, json, sys
from datasets import Image, disable_progress_bars, load_dataset
from ocrtune import hub_writing
from ocrtune.config import BuildConfig, PushDatasetConfig
from ocrtune.dataset import build_dataset
from ocrtune.errors import OcrtuneError
from ocrtune.hub_datasets import parts_of
from ocrtune.pushing import plan_push, push_dataset
disable_progress_bars()
hub_writing.WRITING_SECONDS = 1.5
def push(data, token="hf_owner", repo="me/lines", **settings):
    plan = plan_push(PushDatasetConfig(data=data, repo_id=repo, **settings), token)
    pushed = push_dataset(plan)
    return {"changed": pushed.changed, "lines": plan.lines(), "commit": pushed.commit}
def rows_of(split):
    plain = split.cast_column("image", Image(decode=False))
    digest = lambda row: hashlib.sha256(row["image"]["bytes"]).hexdigest()
    return [[row["picture_id"], row["text"], digest(row)] for row in plain]
def pull(source, output):
    return build_dataset(BuildConfig(source=source, output=output)).samples
def load(**how):
    return {split: rows_of(rows) for split, rows in load_dataset("me/lines", **how).items()}
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serve_hub() as hub:
        hub.late_seconds = 3.0
        yield hub


@pytest.fixture(scope="module")
def process(hub, tmp_path_factory) -> Iterator[Callable]:
    token = "hf_owner"  # for `load_dataset`; a push is told whose token it uses
    with driven(DRIVER, hub.environment(tmp_path_factory.mktemp("hf"), token)) as do:
        yield do


@pytest.fixture
def client(hub, process) -> Callable:
    """Return a function that lets the process of the clients do something."""
    hub.faults.clear()
    hub.repos.clear()
    hub.stored.clear()
    hub.forget()

    def do(function: str, *values: object, **settings: object) -> object:
        given = [repr(one) for one in values] + [f"{key}={one!r}" for key, one in settings.items()]
        return process(f"{function}({', '.join(given)})")

    return do


@pytest.fixture
def data(tmp_path):
    return write_dataset(tmp_path / "first", 20)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("other"), 14)


def rows(data: str) -> dict[str, list]:
    """Return what a dataset holds, as the driver tells it of one that it loaded."""
    return {
        split: [
            [one.picture_id, one.text, hashlib.sha256(one.picture).hexdigest()] for one in samples
        ]
        for split in SPLITS
        if (samples := load_samples(data, split))
    }


def card(hub: Hub) -> str:
    return hub.repos[REPO].files["README.md"].decode()


def test_what_was_pushed_is_what_load_dataset_and_build_read(hub, client, data, tmp_path):
    pushed = client("push", data, license="cc-by-4.0")
    assert pushed["changed"] == "data"
    assert pushed["lines"][0] == f"To: {hub.address}/datasets/me/lines (new)"
    assert pushed["lines"][1:3] == ["As: me", "Seen by: only you (private)"]
    assert hub.repos[REPO].private
    assert list(hub.repos[REPO].branches) == ["main"], "what was staged is gone"
    assert client("load") == rows(data)
    assert client("load", streaming=True) == rows(data)
    assert client("load", revision=pushed["commit"]) == rows(data)
    output = str(tmp_path / "again" / "dataset")
    client("pull", "me/lines", output)
    assert rows(output) == rows(data), "split by split, under the same ids"
    words = card(hub)
    for part in ("license: cc-by-4.0", "- ocrtune", "| `train` | 16 |", 'load_dataset("me/lines")'):
        assert part in words
    assert str(tmp_path) not in words, "folders of this machine are nobody's matter"


def test_a_push_without_a_change_sends_nothing_and_one_with_a_change_sends_that(hub, client, data):
    client("push", data)
    hub.forget()
    assert client("push", data)["changed"] == "nothing"
    assert hub.counted("(POST|PUT|DELETE) .*") == 0
    assert client("push", data, license="odbl")["changed"] == "card"
    assert client("push", data)["changed"] == "nothing", "a licence stays until another is named"
    assert hub.sent_in == []
    [name] = [one.picture_id for one in load_samples(data, "train")][:1]
    edit_samples(data, [(name, Change(text="another text", origin="command"))])
    assert client("push", data)["changed"] == "data"
    assert len(hub.sent_in) == 1, "the file of train alone is another one"
    assert client("load") == rows(data)
    assert "another text" in str(rows(data))
    assert "Corrected by people after it was built: 1 samples" in card(hub)


def test_a_split_that_vanished_and_files_that_are_stale_go_in_the_same_commit(
    hub, client, data, tmp_path
):
    client("push", data)
    repo = hub.repos[REPO]
    repo.files["data/train-00001-of-00002.parquet"] = b"of an earlier push"
    few = write_dataset(tmp_path / "few", 2)
    assert set(rows(few)) == {"train"}
    assert client("push", few)["changed"] == "data"
    kept = [name for name in hub.repos[REPO].files if name.startswith("data/")]
    assert kept == ["data/train-00000-of-00001.parquet"]
    assert client("load") == rows(few)


def test_a_card_that_the_hub_refuses_is_told_in_its_words(hub, client, data):
    hub.add(REPO, {"README.md": b"---\nlicense: refused\nlanguage: de\n---\n"}, private=True)
    assert '"license" must be one of' in client("push", data)
    assert list(hub.repos[REPO].files) == ["README.md"]
    hub.add(REPO, {"README.md": b"---\nlicense: mit\nlanguage: de\n---\n"}, private=True)
    assert client("push", data)["changed"] == "data"
    assert "license: mit" in card(hub)
    assert "- de" in card(hub)


def test_what_people_wrote_on_the_card_stays(hub, client, data, other):
    client("push", data)
    files = hub.repos[REPO].files
    mine = (
        card(hub)
        .replace("tags:\n", "tags:\n- letters\n")
        .replace("---\n\n", "---\n\nBy me.\n\n", 1)
    )
    files["README.md"] = f"{mine}\nCite us.\n".encode()
    assert client("push", data)["changed"] == "nothing", "theirs is not ours to change"
    assert client("push", other)["changed"] == "data"
    words = card(hub)
    assert "- letters" in words
    assert "By me.\n\n<!-- ocrtune: begin" in words
    assert words.endswith("<!-- ocrtune: end -->\n\nCite us.\n")
    assert "14 pictures" in words
    assert "20 pictures" not in words


@pytest.mark.parametrize(
    ("request_", "does", "told"),
    [
        ("GET api/whoami-v2", 401, "does not accept the token"),
        ("GET api/datasets/me/lines/tree/.*", 429, "Try again in 30 seconds"),
        ("POST api/datasets/me/lines/branch/.*", 500, "answers 500"),
        ("POST api/datasets/me/lines/preupload/ocrtune.*", 403, "may not write"),
        ("PUT storage/.*", 403, "may not write"),
        (f"POST {STAGED}", 403, "may not write"),
        ("POST .*/commit/ocrtune-push-.*", 409, "changed by somebody else"),
        ("POST .*/commit/ocrtune-push-.*", "lost", "cannot be reached"),
        ("POST .*/paths-info/.*", 500, "answers 500"),
        (ON_MAIN, 412, "changed by somebody else"),
        (ON_MAIN, "late", "cannot be reached"),
    ],
)
def test_a_push_that_failed_leaves_the_old_dataset_and_can_be_repeated(
    hub, client, data, other, request_, does, told
):
    client("push", other)
    before = dict(hub.repos[REPO].files)
    hub.faults.append(Fault(request_, does))
    failed = client("push", data)
    assert told in str(failed), failed
    hub.faults.clear()
    if does == "late" and request_ == ON_MAIN:  # the Hub may do what nobody waited for
        time.sleep(hub.late_seconds)
    else:
        assert hub.repos[REPO].files == before
    hub.forget()
    assert client("push", data)["changed"] in ("data", "nothing")
    assert len(hub.sent_in) <= 3, "no file is sent twice"
    assert sorted(client("load")) == sorted(rows(data))
    assert list(hub.repos[REPO].branches) == ["main"]


def test_somebody_elses_commit_at_the_last_moment_is_waited_out(hub, client, data):
    hub.faults.append(Fault(ON_MAIN, 412, times=1))
    assert client("push", data)["changed"] == "data"


def test_nothing_goes_where_others_see_it_or_over_what_is_theirs(hub, client, data):
    assert "Nobody is signed in" in client("push", data, "")
    assert "may not write to `other/lines`" in client("push", data, repo="other/lines")
    assert "may not write" in client("push", data, "hf_reader")
    hub.add(REPO, {"README.md": b"# Mine\n"}, private=False)
    assert "is public" in client("push", data)
    assert hub.counted("(POST|PUT) api/datasets/.*") == 0
    assert client("push", data, private=False)["lines"][2] == "Seen by: everybody (public)"
    assert card(hub).startswith("---\n")
    assert "# Mine\n\n<!-- ocrtune: begin" in card(hub)
    hub.add(REPO, {"README.md": b"# Other", "data/train.csv": b"a,b"}, private=True)
    assert "such as `data/train.csv`" in client("push", data)
    assert "no YAML" in client("parts_of", "---\na: [\n---\n")
    hub.add(REPO, {}, private=True)
    stays = client("push", data, private=False)["lines"][-1]
    assert stays.startswith("It is private and stays so")
    assert client("push", data, repo="mine")["lines"][0].endswith("/datasets/me/mine (new)")


def test_a_branch_gets_a_version_of_its_own(hub, client, data, other):
    client("push", data)
    assert client("push", other, revision="small")["changed"] == "data"
    assert client("load", revision="small") == rows(other)
    assert client("load") == rows(data)
    assert client("push", other, revision="small")["changed"] == "nothing"


def test_a_job_with_a_visitors_token_is_ended_by_force_and_repeated(
    hub, client, data, monkeypatch, tmp_path
):
    hub.surround(monkeypatch, tmp_path / "hf")
    hub.faults.append(Fault("POST .*/commit/ocrtune-push-.*", "late"))
    config = PushDatasetConfig(data=data, repo_id=REPO)
    job = jobs.start(jobs.create(tmp_path), "push-dataset", config, token="hf_owner")
    wait_until(lambda: hub.counted("POST .*/commit/.*"), job)
    os.kill(job.status().pid, signal.SIGKILL)
    wait_until(job.ended, job)
    assert job.state() == "lost"
    assert list(hub.repos[REPO].files) == [".gitattributes"], "nothing is seen of it"
    hub.faults.clear()
    again = jobs.start(jobs.create(tmp_path), "push-dataset", config, token="hf_owner")
    wait_until(again.ended, again)
    assert again.state() == "done", again.log()
    assert client("load") == rows(data)
    assert f"To: {hub.address}/datasets/me/lines" in str(again.events())
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in left if b"hf_owner" in path.read_bytes()]
    arrows = [path for path in left if path.suffix == ".arrow"]
    assert all(path.parent.name.startswith(".dataset-") for path in arrows), "swept by the next one"


def wait_until(is_over, job) -> None:
    """Wait for something that a job does."""
    deadline = time.monotonic() + 120
    while not is_over():
        assert time.monotonic() < deadline, job.log()
        time.sleep(0.05)


@pytest.mark.parametrize(
    "settings",
    [
        {"repo_id": "a/b/c"},
        {"repo_id": "../up"},
        {"repo_id": "me/lines", "license": "cc-by-4"},
        {"repo_id": "me/lines", "languages": ["English"]},
    ],
)
def test_settings_that_the_hub_would_refuse_are_refused_here(settings):
    with pytest.raises(ConfigError, match="(?i)use|did you mean"):
        PushDatasetConfig(data="d", **settings)


def test_the_command_in_the_readme_is_one(capsys):
    [line] = re.findall(
        r"\npython -m ocrtune (push-dataset .*)\n", (ROOT / "README.md").read_text()
    )
    config = make_config(make_parser().parse_args(line.split()))
    assert (config.repo_id, config.private, config.license) == ("me/my-lines", True, "cc-by-4.0")
    args = make_parser().parse_args(["push-dataset", "my/dataset"])
    with pytest.raises(SystemExit):
        make_config(args)
    assert "still needed: USER/NAME" in capsys.readouterr().err

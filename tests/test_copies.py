"""What the page does about copies on the Hub: offered with an account only, begun with consent."""

import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from ocrtune import jobs, offsite
from ocrtune.config import TrainConfig
from ocrtune.errors import HubBusyError
from ocrtune.hub_words import hub_error
from ocrtune.offsite import CopyState
from ocrtune.ui import copies
from ocrtune.ui.accounts import OAUTH, accounts_of
from ocrtune.ui.copies import Copies, copy_words
from ocrtune.ui.looks import look


@pytest.fixture
def run(tmp_path):
    """A job of the page that trains, or seems to."""
    job = jobs.create(tmp_path)
    TrainConfig(data="d", output=str(job.folder / "run")).save(job.folder / "config.json")
    (job.folder / "run").mkdir()
    worker = jobs.process_start(jobs.os.getpid())
    status = jobs.Status(
        state="running", command="train", created=1.0, pid=jobs.os.getpid(), started=worker
    )
    status.save(job.folder)
    return job


@pytest.fixture
def begun(monkeypatch):
    """The jobs of which copies were begun."""
    found = []
    monkeypatch.setattr(copies, "copy_job", lambda job, account: found.append((job, account())))
    return found


def account():
    return "hf_secret"


def test_copies_begin_with_consent_and_go_on_without_asking_again(run, begun):
    offered, session = Copies(run.home, account), {"run": run.id}
    offered.begin(False, session, "en")
    offered.begin("yes", session, "en")
    offered.begin(True, {"run": "x" * 22}, "en")
    Copies(run.home).begin(True, session, "en")
    assert begun == []
    offered.begin(True, session, "en")
    assert begun == [(run, "hf_secret")]
    CopyState(repo_id="me/ocrtune-runs", name="run-1").save(run.folder)  # it was resumed
    offered.begin(False, session, "en")
    assert len(begun) == 2
    replace(run.status(), state="done").save(run.folder)
    offered.begin(True, session, "en")
    assert len(begun) == 2, "there is nothing to copy any more"


def test_the_page_goes_on_with_copies_when_it_is_started_again(run, monkeypatch):
    continued = []
    monkeypatch.setattr(offsite, "copy_job", lambda job, token: continued.append(job))
    Copies(run.home, account).go_on()
    assert continued == [], "nobody agreed"
    CopyState(repo_id="me/ocrtune-runs", name="run-1").save(run.folder)
    Copies(run.home).go_on()
    assert continued == [], "nobody is signed in"
    Copies(run.home, account).go_on()
    assert continued == [run]


def test_a_copy_is_fetched_and_becomes_the_visitors_run(run, monkeypatch):
    new, asked = jobs.create(run.home), []

    def fetch(place, home, token, owner):
        asked.append((place.address, home, token, owner))
        return new

    monkeypatch.setattr(copies, "fetch_job", fetch)
    offered, secret = Copies(run.home, account), "s" * 22
    for words in ("", None, 5, "/etc", "hf://me/x"):
        with pytest.raises(gr.Error, match="hf://"):
            offered.bring(words, {}, "en")
    with pytest.raises(gr.Error):
        Copies(run.home).bring("hf://me/ocrtune-runs/a", {}, "en")
    with pytest.raises(gr.Error, match="under way"):
        offered.bring("hf://me/ocrtune-runs/a", {"run": run.id}, "en")
    assert asked == []
    session = {"visitor": secret, "comparison": "c" * 22}
    left = offered.bring(" hf://me/ocrtune-runs/a ", session, "en")
    assert left == {"visitor": secret, "run": new.id}
    [(address, home, token, owner)] = asked
    assert (address, home, token) == ("hf://me/ocrtune-runs/a", run.home, "hf_secret")
    assert len(owner) == 32


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_last_copy_and_its_trouble_are_told(run, language):
    seen = look(run.home, {"run": run.id}, "run")
    assert copy_words(seen, language) == ""
    state = CopyState(repo_id="me/ocrtune-runs", name="run-1")
    state.save(run.folder)
    assert "hf://me/ocrtune-runs/run-1" in copy_words(seen, language)
    made = replace(state, copied=time.time() - 240, step=30, problem="No <room>.", fix="`rm` it.")
    made.save(run.folder)
    words = copy_words(seen, language)
    assert "4" in words
    assert "30" in words
    assert "No &lt;room&gt;. <code>rm</code> it." in words


BUILD_PAGES = """
import sys
from pathlib import Path
from ocrtune.ui.page import build_page
for account in (None, lambda: "hf_secret"):
    page = build_page(Path(sys.argv[1]), account=account)
    block = next(one for one in page.blocks.values() if one.elem_id == "ot-copy-consent")
    shown = True
    while block is not None:
        shown, block = shown and getattr(block, "visible", True), block.parent
    print(shown, "hf_secret" in str(page.get_config_file()))
"""


def test_the_page_offers_copies_with_an_account_only(tmp_path):
    made = subprocess.run(
        [sys.executable, "-c", BUILD_PAGES, str(tmp_path)], capture_output=True, text=True
    )
    assert made.stdout.splitlines() == ["False False", "True False"], made.stderr


@pytest.fixture
def ada(monkeypatch):
    """Ada, who has signed in to a Space and is being answered."""
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "them/ocrtune")
    for name in OAUTH:
        monkeypatch.setenv(name, "given")
    told = {"access_token": "hf_ada", "scope": "contribute-repos"}
    told["userinfo"] = {"preferred_username": "ada"}
    scope = {"type": "http", "session": {"oauth_info": told}}
    request = gr.Request(request=SimpleNamespace(scope=scope, headers={}))
    before = LocalContext.request.set(request)
    yield told
    LocalContext.request.reset(before)


@pytest.mark.parametrize(
    ("owner", "repo", "state", "ended", "times"),
    [
        ("user:ada", "ada/ocrtune-runs", "failing", True, 2),  # its sign-in was over at the end
        ("user:ada", "ada/ocrtune-runs", "copied", False, 2),  # the page was started again
        ("user:ada", "ada/ocrtune-runs", "copied", True, 0),
        ("user:ada", "ada/ocrtune-runs", "given up", False, 1),  # once for each new token
        ("user:ada", "bob/ocrtune-runs", "failing", False, 0),
        ("user:bob", "bob/ocrtune-runs", "failing", False, 0),
        ("user:bob", "ada/ocrtune-runs", "failing", False, 0),
    ],
)
def test_a_user_who_is_back_goes_on_with_their_own_copies(
    run, begun, ada, owner, repo, state, ended, times
):
    status = replace(run.status(), owner=owner, state="done" if ended else "running")
    status.save(run.folder)
    CopyState(repo_id=repo, name="run-1", state=state).save(run.folder)
    offered = Copies(run.home, accounts_of(own=False))
    for _ in range(2):
        offered.come_back({}, "en")
    assert begun == [(run, "hf_ada")] * times
    ada["access_token"] = "hf_ada_later"
    offered.come_back({}, "en")
    assert begun[times:] == [(run, "hf_ada_later")] * bool(times)


def test_a_copy_with_a_sign_in_that_is_over_waits_for_its_user(run, ada, monkeypatch):
    tokens = []
    monkeypatch.setattr(copies, "copy_job", lambda job, token: tokens.append(token))
    replace(run.status(), owner="user:ada").save(run.folder)
    offered = Copies(run.home, accounts_of(own=False))
    ada["expires_at"] = time.time() + 3600
    offered.begin(True, {"run": run.id}, "en")
    [token] = tokens
    assert token() == "hf_ada"
    monkeypatch.setattr(time, "time", lambda: ada["expires_at"] + 1)
    with pytest.raises(HubBusyError, match="sign-in of ada has expired"):  # passing trouble
        token()
    with pytest.raises(gr.Error, match="Sign in again"):
        offered.begin(True, {"run": new_stranger_run(run).id}, "en")
    monkeypatch.undo()


def new_stranger_run(run):
    """Return a run like this one which nobody owns."""
    replace(run.status(), owner="").save(run.folder)
    return run


def test_where_nobody_is_signed_in_the_visitor_is_asked_to(run, ada, begun):
    ada.clear()
    with pytest.raises(gr.Error, match="Sign in to Hugging Face first"):
        Copies(run.home, accounts_of(own=False)).begin(True, {"run": run.id}, "en")
    assert begun == []
    assert CopyState.load(run.folder) is None


def test_trouble_of_copies_is_told_in_the_visitors_language(run):
    error = hub_error("no_room", repo="me/ocrtune-runs", status="402")
    told = {"key": error.key, "values": dict(error.values)}
    state = CopyState(repo_id="me/ocrtune-runs", name="run-1", problem=error.problem, fix=error.fix)
    replace(state, **told).save(run.folder)
    seen = look(run.home, {"run": run.id}, "run")
    assert "没有空间" in copy_words(seen, "zh")
    assert "no room left" in copy_words(seen, "en")

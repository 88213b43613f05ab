"""What the page does about copies on the Hub: offered with an account only, begun with consent."""

import subprocess
import sys
import time
from dataclasses import replace

import gradio as gr
import pytest

from ocrtune import jobs, offsite
from ocrtune.config import TrainConfig
from ocrtune.offsite import CopyState
from ocrtune.ui import copies
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

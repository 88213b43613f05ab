"""Where a run happens, as the page offers it: the cost first, then a yes, then one start."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
from line_samples import write_dataset
from test_ui import make_job

from ocrtune import jobs
from ocrtune.config import BuildConfig, TrainConfig
from ocrtune.flavors import Estimate, find_flavor, load_flavors, remember_flavors
from ocrtune.limits import Limits
from ocrtune.remote import RemoteState, agree
from ocrtune.ui.actions import Actions
from ocrtune.ui.elsewhere import HERE, Elsewhere, remote_words
from ocrtune.ui.knobs import DEFAULTS, KNOBS
from ocrtune.ui.looks import look
from ocrtune.ui.visitors import VISITOR, new_visitor
from ocrtune.ui.words import say

TOKEN = "hf_a-visitors-own"
# A worker that writes down what it was started with, the token that came through the pipe too.
WORKER = (
    "import json, sys, pathlib; words = sys.argv[1:]; "
    "folder = pathlib.Path(words[words.index('--job') + 1]); "
    "token = sys.stdin.readline().strip() if '--token-from-input' in words else ''; "
    "(folder / 'told.json').write_text(json.dumps([words[0], token]))"
)


@pytest.fixture
def here(tmp_path):
    home = tmp_path / "home"
    build = lambda folder: BuildConfig(source="s.zip", output=str(folder / "dataset"))  # noqa: E731
    dataset = make_job(home, "build", build)
    write_dataset(dataset.folder, 12)
    session = {"dataset": dataset.id, VISITOR: new_visitor()}
    limits = Limits(max_steps=1)  # of this machine; they are not those of another one
    worker = (sys.executable, "-c", WORKER)
    actions = Actions(home, worker, account=lambda: TOKEN, limits=limits)
    settings = ["tiny", "", *[DEFAULTS[knob.name] for knob in KNOBS], session, "en"]
    return SimpleNamespace(
        home=home, session=session, settings=settings, elsewhere=Elsewhere(actions)
    )


def started(here, session) -> tuple[jobs.Job, list]:
    """Return the run, and what its worker was started with."""
    job = jobs.Job(here.home / "jobs" / session["run"])
    for _ in jobs.follow(job, 0.02):
        pass
    return job, json.loads((job.folder / "told.json").read_text())


def refusal(action, *args) -> str:
    with pytest.raises(gr.Error) as caught:
        action(*args)
    return caught.value.message


def test_the_cost_is_shown_and_agreed_to_before_a_run_is_started_once(here):
    html, box, terms = here.elsewhere.describe("t4-small", {}, *here.settings)
    assert "$0.40" in html
    assert "An estimate, not a measurement" in html
    assert all(one.name in html for one in load_flavors(here.home))
    assert (box["visible"], box["value"]) == (True, False)
    assert terms["flavor"] == "t4-small"
    _, box, same = here.elsewhere.describe("t4-small", terms, *here.settings)
    assert "value" not in box  # a tick stays as long as the terms do
    assert same == terms
    session = here.elsewhere.start("t4-small", True, terms, "", *here.settings)
    job, (command, token) = started(here, session)
    assert (command, token) == ("remote", TOKEN)
    state = RemoteState.load(job.folder)
    assert (state.flavor, state.limit_minutes) == ("t4-small", terms["limit_minutes"])
    assert TrainConfig.load(job.folder / "config.json").output == str(job.folder / "run")
    assert look(here.home, session, "run").resumable  # it ended without a word


def test_nothing_is_started_without_a_yes_to_these_very_terms(here):
    *_, terms = here.elsewhere.describe("t4-small", {}, *here.settings)
    start, agree_first = here.elsewhere.start, say("en", "remote_agree")
    assert refusal(start, "t4-small", False, terms, "", *here.settings) == agree_first
    assert refusal(start, "l4x1", True, terms, "", *here.settings) == agree_first
    assert refusal(start, "t4-small", True, {}, "", *here.settings) == agree_first
    assert refusal(start, "t4-small", True, {"a": 1}, "", *here.settings) == agree_first
    longer = list(here.settings)
    longer[2] = 5000  # steps
    assert KNOBS[0].name == "steps"
    assert refusal(start, "t4-small", True, terms, "", *longer) == say("en", "remote_changed")
    flavors = load_flavors(here.home)
    dearer = replace(find_flavor("t4-small", flavors), dollars_an_hour=4.0)
    remember_flavors(here.home, [dearer])
    changed = say("en", "remote_changed")
    assert refusal(start, "t4-small", True, terms, "", *here.settings) == changed
    assert refusal(start, "nonsense", True, terms | {"flavor": "nonsense"}, "", *here.settings)
    assert len(list((here.home / "jobs").iterdir())) == 1  # the dataset's


def test_nobody_starts_anything_without_a_sign_in(here):
    *_, terms = here.elsewhere.describe("t4-small", {}, *here.settings)
    nobody = Elsewhere(replace(here.elsewhere.actions, account=lambda: ""))
    refused = refusal(nobody.start, "t4-small", True, terms, "", *here.settings)
    assert "Sign in to Hugging Face first" in refused
    assert not Elsewhere(replace(here.elsewhere.actions, account=None)).offered


def test_a_space_that_does_not_ask_for_jobs_says_so(here, monkeypatch):
    *_, terms = here.elsewhere.describe("t4-small", {}, *here.settings)
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "ada/ocrtune")
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile contribute-repos")
    html, box, none = here.elsewhere.describe("t4-small", {}, *here.settings)
    assert "hf_oauth_scopes" in html
    assert (box["visible"], none) == (False, {})
    refused = refusal(here.elsewhere.start, "t4-small", True, terms, "", *here.settings)
    assert "right to start jobs" in refused
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile contribute-repos jobs")
    assert here.elsewhere.describe("t4-small", {}, *here.settings)[2] == terms


def test_here_means_here_with_the_limits_of_this_machine(here):
    refused = refusal(here.elsewhere.start, HERE, False, {}, "", *here.settings)
    assert "it may take 1" in refused
    free = Elsewhere(replace(here.elsewhere.actions, limits=Limits()))
    _, told = started(here, free.start(HERE, False, {}, "", *here.settings))
    assert told == ["train", ""]


def put_remote(here, **changes: object) -> dict:
    """Return the session of a visitor whose run on a machine of the Hub nobody watches."""
    config = lambda folder: TrainConfig(data="d", output=str(folder / "run"))  # noqa: E731
    run = make_job(here.home, "remote", config, state="lost")
    state = agree(run.folder, "t4-small", Estimate(0.0, 60, 0.4))
    replace(state, agreed=False, mark="m", user="me", **changes).save(run.folder)
    return here.session | {"run": run.id}


def test_a_run_that_goes_on_there_is_followed_again_without_another_yes(here):
    session = put_remote(here)
    html = remote_words(look(here.home, session, "run"), "en")
    assert say("en", "remote_unwatched") in html
    _, told = started(here, here.elsewhere.resume(HERE, False, {}, session, "en"))
    assert told == ["remote", TOKEN]


def test_another_start_costs_again_and_needs_a_yes(here):
    session = put_remote(here, closed=True)
    again = say("en", "remote_agree_again")
    assert refusal(here.elsewhere.resume, "t4-small", False, {}, session, "en") == again
    *_, terms = here.elsewhere.describe("l4x1", {}, *here.settings)
    job, _ = started(here, here.elsewhere.resume("l4x1", True, terms, session, "en"))
    state = RemoteState.load(job.folder)
    assert (state.flavor, state.agreed) == ("l4x1", True)


def test_an_address_that_is_none_becomes_no_link(here):
    session = put_remote(here, address="javascript:alert(1)")
    assert "href" not in remote_words(look(here.home, session, "run"), "en")

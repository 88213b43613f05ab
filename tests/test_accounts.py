"""Whose token acts: that of the visitor who is being answered, and never the machine's for one."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from ocrtune import jobs
from ocrtune.config import BuildConfig
from ocrtune.ui.accounts import OAUTH, accounts_of, require_token
from ocrtune.ui.actions import Actions
from ocrtune.ui.words import Refused

OWNER = "hf_theSpaceOwnersOwnTokenNobodyElses"
ADA = "hf_oauth_ada"


def request(told: dict | None = None, host: str = "127.0.0.1:7860") -> gr.Request:
    """Return a request as gradio hands it on, with what the signed cookie says."""
    scope = {"type": "http", "session": {"oauth_info": told} if told else {}}
    return gr.Request(request=SimpleNamespace(scope=scope, headers={"host": host}))


def signed(name: str, token: str, seconds: float = 3600.0) -> dict:
    """Return what a sign-in leaves that ends in so many seconds."""
    return {
        "access_token": token,
        "expires_at": time.time() + seconds,
        "userinfo": {"preferred_username": name},
    }


@pytest.fixture
def answer() -> Iterator[Callable]:
    """Let a request be the one that is being answered."""
    before = LocalContext.request.set(None)
    yield lambda *given: LocalContext.request.set(request(*given))
    LocalContext.request.reset(before)


@pytest.fixture
def machine(monkeypatch):
    """A machine that is signed in."""
    monkeypatch.setenv("HF_TOKEN", OWNER)
    monkeypatch.delenv("SYSTEM", raising=False)


@pytest.fixture
def space(machine, monkeypatch):
    """A Space whose owner's token is in its environment."""
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "them/ocrtune")
    for name in OAUTH:
        monkeypatch.setenv(name, "given")


def test_on_a_space_the_visitors_own_token_acts_and_never_its_owners(space, answer):
    account = accounts_of(own=False)
    assert account() == "", "outside of a request there is no visitor"
    for told, token in (
        (signed("ada", ADA), ADA),
        (signed("ada", ADA, -1.0), ""),
        (signed("ada", ""), ""),
        (None, ""),
        ({"userinfo": {"preferred_username": "ada"}}, ""),
    ):
        answer(told)
        assert account() == token
    answer(signed("bob", "hf_oauth_bob"))
    assert account() == "hf_oauth_bob"
    assert accounts_of(own=True)() == "hf_oauth_bob", "whatever it is served at"


def test_a_space_without_sign_in_offers_none(space, monkeypatch):
    monkeypatch.delenv("OAUTH_CLIENT_SECRET")
    assert accounts_of(own=False) is None


def test_elsewhere_the_machines_token_acts_for_who_sits_at_it(machine, answer):
    assert accounts_of(own=False) is None, "the page is served to others"
    account = accounts_of(own=True)
    assert account() == OWNER
    for host, token in (
        ("127.0.0.1:7860", OWNER),
        ("localhost", OWNER),
        ("[::1]:7860", OWNER),
        ("abc.gradio.live", ""),
        ("192.168.1.5:7860", ""),
        ("127.0.0.1.evil.example:80", ""),
    ):
        answer(signed("ada", ADA), host)
        assert account() == token, "a cookie counts for nothing here"


def test_who_is_not_signed_in_is_asked_to_and_who_was_is_asked_again(space, answer):
    account = accounts_of(own=False)
    answer(signed("ada", ADA))
    assert require_token(account) == ADA
    for told, key in ((None, "sign_in_first"), (signed("ada", ADA, 5.0), "sign_in_again")):
        answer(told)
        with pytest.raises(Refused) as refused:
            require_token(account)
        assert refused.value.key == key
    with pytest.raises(Refused):
        require_token(None)


def test_an_action_hands_the_visitors_token_to_the_worker_alone(space, answer, tmp_path):
    answer(signed("ada", ADA))
    listening = "import sys; print('heard', len(sys.stdin.readline().strip()), sys.argv[-1])"
    actions = Actions(tmp_path, (jobs.WORKER[0], "-c", listening), account=accounts_of(False))
    config = BuildConfig(source="a.zip", output="b")
    jobs_started = [
        actions.launch(jobs.create(tmp_path), "build", config, {}, actions.token()),
        actions.launch_once("build", lambda folder: config, {}, actions.token()),
    ]
    for name in jobs_started:
        job, deadline = jobs.find(tmp_path, name), time.monotonic() + 30
        while "heard" not in job.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert job.log().split() == ["heard", str(len(ADA)), "--token-from-input"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and _holds(path, ADA)]


def _holds(path, words: str) -> bool:
    return words.encode() in path.read_bytes()

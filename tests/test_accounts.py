"""Whose token acts: that of the visitor who is being answered, and never the machine's for one."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from ocrtune import jobs
from ocrtune.config import BuildConfig
from ocrtune.errors import HubBusyError
from ocrtune.hub_accounts import Account, told_by_hub, told_by_sign_in
from ocrtune.hub_words import hub_error
from ocrtune.ui import accounts
from ocrtune.ui.accounts import OAUTH, Lent, accounts_of, namespaces, require_token
from ocrtune.ui.actions import Actions
from ocrtune.ui.sign_in import SignIn
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


def test_a_lent_token_is_its_users_until_it_expires():
    lent = Lent()
    assert lent.keep(Account("ada", "one", expires=time.time() + 60))
    assert not lent.keep(Account("ada", "one", expires=time.time() + 60))
    assert lent.keep(Account("bob", "two", expires=time.time() - 1))
    assert lent.token("ada") == "one"
    for name in ("bob", "eve"):
        with pytest.raises(HubBusyError, match=f"sign-in of {name} has expired"):
            lent.token(name)
    assert lent.keep(Account("bob", "three"))
    assert lent.token("bob") == "three"


def test_an_account_tells_where_its_token_may_push_and_never_the_token(space, answer):
    groups = [
        {"preferred_username": "acme", "roleInOrg": "write"},
        {"preferred_username": "lab", "roleInOrg": "contributor"},
        {"preferred_username": "seen", "roleInOrg": "read"},
        {"preferred_username": "not-let-in"},
        {"preferred_username": "locked", "roleInOrg": "admin", "securityRestrictions": ["mfa"]},
    ]
    told = signed("ada", ADA) | {"scope": "openid profile contribute-repos"}
    told["userinfo"]["orgs"] = groups
    account = told_by_sign_in(told)
    assert account.namespaces == ["ada", "acme", "lab"]
    assert ADA not in repr(account)
    assert told_by_sign_in(told | {"scope": "openid profile"}).namespaces == []
    answer(told)
    assert namespaces(accounts_of(False)) == ["ada", "acme", "lab"]
    answer(None)
    assert namespaces(accounts_of(False)) == []
    assert namespaces(None) == []


@pytest.mark.parametrize(
    ("about", "where"),
    [
        ({"role": "write"}, ["me", "acme"]),
        ({"role": "read"}, []),
        (None, ["me", "acme"]),
        ({"role": "fineGrained", "fineGrained": {"scoped": []}}, []),
        (
            {
                "role": "fineGrained",
                "fineGrained": {
                    "scoped": [
                        {"entity": {"name": "acme"}, "permissions": ["repo.write"]},
                        {"entity": {"name": "me"}, "permissions": ["repo.content.read"]},
                    ]
                },
            },
            ["acme"],
        ),
    ],
)
def test_a_token_of_this_machine_tells_its_rights(about, where):
    groups = [{"name": "acme", "roleInOrg": "admin"}, {"name": "seen", "roleInOrg": "read"}]
    told = {"name": "me", "orgs": groups, "auth": {"accessToken": about} if about else {}}
    assert told_by_hub(told, "hf_x").namespaces == where


@pytest.fixture
def hub_told(monkeypatch):
    """What the Hub tells of the machine's token, and how often it was asked."""
    told = SimpleNamespace(asked=0, account=Account("me", OWNER, ("acme",)))

    def find(token: str) -> Account:
        told.asked += 1
        if isinstance(told.account, Exception):
            raise told.account
        return told.account

    monkeypatch.setattr(accounts, "find_account", find)
    return told


def until(ready: Callable) -> object:
    """Return what there is once there is something."""
    deadline = time.monotonic() + 20
    while not (found := ready()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_the_hub_is_asked_once_whose_token_the_machine_has(machine, hub_told, answer):
    account = accounts_of(own=True)
    assert account.asking() is None, "nobody waits for the answer"
    assert until(account.asking).namespaces == ["me", "acme"]
    assert namespaces(account) == ["me", "acme"]
    assert hub_told.asked == 1
    answer(None, "abc.gradio.live")
    assert account.asking() is None, "a tunnel's visitors are not told whose machine it is"


@pytest.mark.parametrize(
    ("told", "english", "chinese"),
    [
        (Account("me", OWNER), "Pushing to Hugging Face as me.", "me"),
        (Account("me", OWNER, (), False), "may only read", "只有读取权限"),
        (hub_error("away", repo="your account"), "Everything but sharing works", "目前无法"),
    ],
)
def test_the_header_says_who_pushes(machine, hub_told, told, english, chinese):
    hub_told.account = told
    bar = SignIn(accounts_of(own=True))
    until(lambda: english in bar.show_account("en")[0])
    assert english in bar.show_account("en")[0]
    assert chinese in bar.show_account("zh")[0]


def test_the_header_tells_how_to_sign_in(machine, monkeypatch, answer):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(accounts, "local_token", lambda: "")
    bar = SignIn(accounts_of(own=True))
    assert "<code>hf auth login</code>" in bar.show_account("en")[0]
    assert "尚未登录" in bar.show_account("zh")[0]
    assert SignIn(None).show_account("en")[0] == "", "where nobody can sign in"


def test_a_name_with_markup_is_shown_as_it_is(space, answer):
    answer(signed("<b>ada</b>", ADA) | {"scope": "contribute-repos"})
    bar = SignIn(accounts_of(own=False))
    assert "&lt;b&gt;ada" in bar.show_account("en")[0]
    answer(signed("<b>ada</b>", ADA, 5.0))
    line = bar.show_account("zh")[0]
    assert "&lt;b&gt;ada" in line
    assert "<b>" not in line
    assert "重新登录" in line

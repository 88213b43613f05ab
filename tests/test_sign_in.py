"""Signing in to a Space, against a local Hub that is asked by gradio's own routes.

The page runs as on a Space, with its owner's token in the environment. Visitors speak HTTP to it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from hub_oauth import CLIENT, SCOPES, SECRET
from hub_server import serve_hub
from line_samples import draw_line
from page_server import log_of, serve_page
from page_visitors import Visitor

import ocrtune
from ocrtune import jobs
from ocrtune.config import CHECKPOINT, TrainConfig
from ocrtune.offsite import CopyState

PACKAGE = Path(ocrtune.__file__).parent
OWNER = "hf_theOwnerOfTheSpace0123456789"
ADA, BOB = "hf_adasOwnTokenOfOneSignIn0123", "hf_bobsOwnTokenOfOneSignIn0123"
SPACE_HOST = "them-ocrtune.hf.space"
SECONDS = 90


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A page as a Space serves it, and its Hub."""
    place = tmp_path_factory.mktemp("space")
    with serve_hub() as hub, pytest.MonkeyPatch.context() as patch:
        hub.users = {OWNER: "them", ADA: "ada", BOB: "bob"}
        hub.organisations = {"ada": {"acme": "write", "closed": "admin", "read-only": "read"}}
        hub.sign_ins.granted = ("acme", "read-only")
        rows = [json.dumps({"text": f"line {n}", "file_name": f"{n}.png"}) for n in range(12)]
        files = {f"{n}.png": picture(n) for n in range(12)}
        files["metadata.jsonl"] = "\n".join(rows).encode()
        hub.add("ada/private", files, private=True, token=ADA)
        hub.surround(patch, place / "hf", OWNER)
        environment = {
            "SYSTEM": "spaces",
            "SPACE_ID": "them/ocrtune",
            "SPACE_HOST": SPACE_HOST,
            "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": SCOPES,
            "OPENID_PROVIDER_URL": hub.address,
            "OCRTUNE_HOST": "127.0.0.1",
            "GRADIO_TEMP_DIR": str(place / "cache"),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        with serve_page(place / "home") as address:
            yield SimpleNamespace(
                hub=hub,
                address=address,
                home=place / "home",
                place=place,
                log=next(place.glob("page-*.log")),
            )


def picture(number: int) -> bytes:
    return draw_line(f"line {number}")


def cookie_of(answer: httpx.Response, before: str = "") -> str:
    """Return what a browser sends from now on."""
    given = answer.headers.get("set-cookie", "")
    return given.split(";")[0] if given.startswith("session=") else before


def sign_in(space: SimpleNamespace, token: str, seconds: int = 28_800) -> Visitor:
    """Return a visitor who went to the Hub and came back."""
    space.hub.sign_ins.next_token, space.hub.sign_ins.seconds = token, seconds
    start = httpx.get(f"{space.address}/login/huggingface?_target_url=/%3Frun%3Dabc")
    away = httpx.get(start.headers["location"])
    back = away.headers["location"]
    assert back.startswith(f"https://{SPACE_HOST}/login/callback"), "which alone the Hub allows"
    path = back.removeprefix(f"https://{SPACE_HOST}")
    ended = httpx.get(f"{space.address}{path}", headers={"cookie": cookie_of(start)})
    assert ended.headers["location"] == "/?run=abc", "one comes back to where one was"
    return Visitor(space.address, cookie=cookie_of(ended)).arrive()


def bar(visitor: Visitor) -> str:
    """Return what the line in the header says."""
    good, outputs = visitor.call("show_account")
    assert good, outputs
    return str(outputs[0])


def tokens_shown(space: SimpleNamespace) -> set[str]:
    """Return the users' tokens that the Hub has seen since it forgot them last."""
    return {token for token in space.hub.tokens if token.startswith("hf_")}


def wait_for(job: jobs.Job) -> str:
    deadline = time.monotonic() + SECONDS
    while not job.ended() and time.monotonic() < deadline:
        time.sleep(0.1)
    return job.state()


def test_a_visitor_signs_in_and_out_and_the_page_says_who_it_is(space):
    stranger = Visitor(space.address).arrive()
    assert 'href="login/huggingface' in bar(stranger)
    ada = sign_in(space, ADA)
    assert "Signed in to Hugging Face as ada." in bar(ada)
    assert 'href="logout' in bar(ada)
    assert "ada" not in bar(stranger)
    assert "ada" not in bar(sign_in(space, BOB))
    out = ada.http.get("/logout?_target_url=/")
    assert out.status_code in (302, 307)
    gone = Visitor(space.address, cookie=cookie_of(out)).arrive()
    assert 'href="login/huggingface' in bar(gone)


def test_a_sign_in_that_has_ended_asks_for_another_one(space):
    ada = sign_in(space, ADA, seconds=30)
    assert "Your sign-in as ada has expired" in bar(ada)
    good, said = ada.call("bring", "hf://ada/ocrtune-runs/a")
    assert not good
    assert "Sign in again" in str(said)
    stranger = Visitor(space.address).arrive()
    good, said = stranger.call("bring", "hf://ada/ocrtune-runs/a")
    assert not good
    assert "Sign in to Hugging Face first" in str(said)


def test_a_cookie_counts_for_nothing_when_another_page_asks_or_its_signature_is_forged(space):
    ada = sign_in(space, ADA)
    ada.http.headers["origin"] = f"https://{SPACE_HOST}"
    assert "as ada" in bar(ada)
    for origin in ("https://evil.example", "null", f"https://evil-{SPACE_HOST}"):
        ada.http.headers["origin"] = origin
        assert "as ada" not in bar(ada), origin
    payload, stamp, signature = ada.cookie.removeprefix("session=").split(".")
    for forged in (f"{payload}.{stamp}.{signature[:-3]}abc", f"{payload}.{stamp}.", payload):
        other = Visitor(space.address, cookie=f"session={forged}").arrive()
        assert "as ada" not in bar(other)


def build(space: SimpleNamespace, visitor: Visitor) -> jobs.Job:
    """Return the build of a dataset that only ada may see."""
    assert visitor.act("build_from_hub", "ada/private", 12, "first", "", "", "", "", "")
    job = jobs.Job(space.home / "jobs" / visitor.session["dataset"])
    wait_for(job)
    return job


def test_a_worker_acts_for_its_visitor_and_never_for_the_owner_of_the_space(space):
    ada, bob, stranger = sign_in(space, ADA), sign_in(space, BOB), Visitor(space.address).arrive()
    space.hub.tokens.clear()
    jobs_of = [build(space, visitor) for visitor in (ada, bob, stranger)]
    assert [job.state() for job in jobs_of] == ["done", "failed", "failed"], jobs_of[0].log()
    assert jobs_of[0].status().owner == "user:ada"
    assert tokens_shown(space) == {ADA, BOB}
    assert jobs_of[0].id not in bob.sees()
    bob.session |= {"dataset": jobs_of[0].id}
    assert "line 3" not in bob.sees()
    for action in ("stop_build", "delete", "open"):
        bob.call(action, jobs_of[0].id)
    assert jobs_of[0].state() == "done"


def test_what_was_begun_before_signing_in_belongs_to_the_user_and_to_no_other(space):
    visitor = Visitor(space.address).arrive()
    assert visitor.act("load_sample")
    job = visitor.session["dataset"]
    wait_for(jobs.Job(space.home / "jobs" / job))
    ada, bob = sign_in(space, ADA), sign_in(space, BOB)
    ada.session = visitor.session  # the browser remembers it
    for user, is_theirs in ((ada, True), (bob, False)):
        assert user.act("open_mine")
        assert (job in user.sees()) is is_theirs


@pytest.fixture
def worker() -> Iterator[int]:
    """The process of what seems to be a worker; a Space that goes down ends it."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process.pid
    process.kill()
    process.wait()


def leave_run(space: SimpleNamespace, owner: str, pid: int) -> jobs.Job:
    """Return a training of that owner which seems to be under way, with a checkpoint."""
    job = jobs.create(space.home)
    run = job.folder / "run"
    (run / CHECKPOINT).parent.mkdir(parents=True)
    (run / CHECKPOINT).write_bytes(b"state" * 100)
    config = TrainConfig(data=str(job.folder / "none"), output=str(run))
    config.save(job.folder / "config.json")
    config.save(run / "config.json")
    status = jobs.Status(
        state="running",
        command="train",
        created=time.time(),
        pid=pid,
        started=jobs.process_start(pid),
        owner=owner,
    )
    status.save(job.folder)
    return job


def copied(job: jobs.Job, since: float) -> CopyState | None:
    """Return the state of a copy that was made after that moment; None if none is made in time."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state = CopyState.load(job.folder)
        if state and state.state == "copied" and state.copied > since:
            return state
        time.sleep(0.1)
    return None


def test_copies_of_a_run_go_to_its_users_account_and_on_when_that_user_comes_back(space, worker):
    run, other = (leave_run(space, f"user:{name}", worker) for name in ("ada", "bob"))
    ada, bob = sign_in(space, ADA), sign_in(space, BOB)
    space.hub.tokens.clear()
    bob.session |= {"run": run.id}  # which is not his
    assert bob.act("begin", True)
    assert CopyState.load(run.folder) is None
    ada.session |= {"run": run.id}
    assert ada.act("begin", True)
    assert copied(run, 0.0).repo_id == "ada/ocrtune-runs"
    assert space.hub.repos["ada/ocrtune-runs"].private
    assert CopyState.load(other.folder) is None
    assert tokens_shown(space) == {ADA}
    with serve_page(space.home) as address:  # the page was started again: it has forgotten tokens
        (run.folder / "run" / CHECKPOINT).write_bytes(b"later" * 100)
        again, since = replace_address(space, address), time.time()
        space.hub.tokens.clear()
        for visitor in (Visitor(address).arrive(), sign_in(again, BOB)):
            assert visitor.call("come_back")[0]
        time.sleep(1.0)
        assert CopyState.load(run.folder).copied < since
        assert tokens_shown(space) == set()
        assert sign_in(again, ADA).call("come_back")[0]
        assert copied(run, since)
        assert tokens_shown(space) == {ADA}


def replace_address(space: SimpleNamespace, address: str) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(space), "address": address})


def test_no_token_is_left_anywhere(space):
    """After builds, copies, refusals and several sign-ins of two users, and of one more."""
    ada = sign_in(space, ADA)
    ada.call("bring", "hf://ada/ocrtune-runs/none")
    ada.sees()
    heard = "\n".join([*ada.heard, ada.http.get("/").text, ada.http.get("/config").text])
    for token in (OWNER, ADA, BOB):
        assert token not in heard
        found = [
            path
            for path in space.place.rglob("*")
            if path.is_file() and token.encode() in path.read_bytes()
        ]
        assert found == []
    assert f'File "{PACKAGE}' not in log_of(space.log), "a traceback passes ours"

"""Nobody gets at what is another's: through the page, through gradio's HTTP, or with a forged body.

The page is served for real; every visitor here speaks HTTP to it.
"""

import contextlib
import dataclasses
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import gradio as gr
import httpx
import pytest
from gradio.context import LocalContext
from line_samples import draw_line
from page_server import log_of, serve_page
from page_visitors import Visitor

from ocrtune import jobs
from ocrtune.config import CHECKPOINT, CompareConfig, ReadConfig, TrainConfig
from ocrtune.events import Done, Note, Step, append_event
from ocrtune.ui import page
from ocrtune.ui.visitors import VISITOR, owner_of, owners_of, signed_in

TOKEN = "hf_testNobodyMayEverSeeThis0123456789"
TEXT = "zufällige Zeile"  # of every picture of the one who owns things
LOG = "only the owner reads this line"
SECONDS = 90
PACKAGE = Path(page.__file__).parents[1]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pictures:
        lines = []
        for number in range(12):
            pictures.writestr(f"{number}.png", draw_line(f"line {number}"))
            lines.append(f"{number}.png {TEXT} {number}")
        pictures.writestr("content.md", "\n".join(lines))
    return buffer.getvalue()


def wait_for(job: jobs.Job) -> str:
    deadline = time.monotonic() + SECONDS
    while not job.ended() and time.monotonic() < deadline:
        time.sleep(0.1)
    return job.state()


def leave(home: Path, command: str, config: object, owner: str, state: str, events=()) -> jobs.Job:
    """Return a job as a worker of that owner would have left it."""
    job = jobs.create(home)
    config(job.folder).save(job.folder / "config.json")
    (job.folder / "log.txt").write_text(f"{LOG}\n{TOKEN}\n", "utf-8")
    for event in events:
        append_event(job.folder / "events.jsonl", event)
    pid = os.getpid() if state not in jobs.ENDED else 0
    now = time.time()
    jobs.Status(
        state=state,
        command=command,
        created=now,
        heartbeat=now,
        pid=pid,
        started=jobs.process_start(pid) or "",
        owner=owner,
        step=3,
        total=9,
    ).save(job.folder)
    return job


def furnish(home: Path, owner: str, dataset: str) -> dict[str, str]:
    """Give an owner a lost run with a checkpoint, a running one, a reading and a comparison."""
    prefix = str(home / "jobs" / dataset / "dataset")
    events = [Note(LOG), Step(3, 9, 1.0, 1.0, 1.0)]

    def train(folder: Path) -> TrainConfig:
        return TrainConfig(data=prefix, output=str(folder / "run"))

    lost = leave(home, "train", train, owner, "lost", events)
    checkpoint = lost.folder / "run" / CHECKPOINT
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"\0")
    running = leave(home, "train", train, owner, "running", events)
    adapter = str(lost.folder / "run" / "adapter")
    reading = leave(
        home, "read", lambda _: ReadConfig(pictures=("a.png",)), owner, "done", [Done("")]
    )
    comparison = leave(
        home,
        "compare",
        lambda folder: CompareConfig(data=prefix, adapter=adapter, output=str(folder / "report")),
        owner,
        "done",
    )
    return {
        "lost": lost.id,
        "running": running.id,
        "reading": reading.id,
        "comparison": comparison.id,
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A served page with a token in its environment, and somebody who owns things there."""
    home = tmp_path_factory.mktemp("isolation") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", TOKEN)
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
        patch.setenv("GRADIO_TEMP_DIR", str(home.parent / "cache"))
        with serve_page(home) as address:
            owner = Visitor(address).arrive()
            assert owner.act("build", owner.upload("mine.zip", archive()), None, False, "", "")
            dataset = jobs.Job(home / "jobs" / owner.session["dataset"])
            assert wait_for(dataset) == "done"
            ids = furnish(home, owner_of(owner.session), dataset.id)
            owner.session |= {"run": ids["lost"]}
            yield SimpleNamespace(
                home=home,
                address=address,
                owner=owner,
                ids=ids | {"dataset": dataset.id},
                log=next(home.parent.glob("page-*.log")),
            )


@pytest.fixture
def stranger(place) -> Visitor:
    return Visitor(place.address).arrive()


@pytest.fixture(autouse=True)
def nothing_is_touched(place) -> Iterator[None]:
    """After every attack everything of the owner lies there as before, and none was our bug.

    What gradio itself answers to nonsense may be an error of its own.
    """
    before = snapshot(place)
    yield
    assert snapshot(place) == before
    assert str(PACKAGE) not in log_of(place.log), "a traceback passes through ours"


def snapshot(place: SimpleNamespace) -> dict[str, tuple[int, int]]:
    folders = [place.home / "jobs" / name for name in place.ids.values()]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in files
        if path.name != "used"  # which says that its owner came back
    }


def secrets_of(place: SimpleNamespace) -> list[str]:
    return [*place.ids.values(), TEXT, LOG, "mine.zip", place.owner.session[VISITOR]]


def assert_tells_nothing(place: SimpleNamespace, text: str) -> None:
    assert [word for word in secrets_of(place) if word in text] == []


# The page


def test_the_owner_sees_and_lists_what_is_theirs(place):
    """So that the other tests cannot succeed because nothing is ever shown."""
    assert place.owner.act("open_mine")
    assert place.owner.act("open_log")
    shown = place.owner.sees()
    for word in (TEXT, LOG, "mine.zip", place.ids["running"], place.ids["lost"]):
        assert word in shown
    assert TOKEN not in shown
    assert "Resume goes on" in shown


def test_a_stranger_lists_and_sees_nothing(place, stranger):
    assert stranger.act("open_mine")
    assert stranger.act("open_log")
    shown = stranger.sees()
    assert "Nothing here yet. The runs and datasets that you start" in shown
    assert_tells_nothing(place, "\n".join(stranger.heard))


@pytest.mark.parametrize("action", ["ask", "open_1", "resume"], ids=["delete", "open", "resume"])
@pytest.mark.parametrize("name", ["lost", "running", "dataset", "comparison"])
def test_an_id_alone_deletes_and_opens_nothing_in_the_list(place, stranger, action, name):
    """Even somebody who saw an id on another's screen does not own it."""
    good, said = stranger.call(action, place.ids[name])
    assert not good
    assert "not yours" in said[0]


@pytest.mark.parametrize("picked", ["*", "", "../..", "a" * 100_000, ["x"], {"a": 1}, None, 7])
def test_nonsense_that_is_picked_is_refused(stranger, picked):
    for action in ("ask", "open_1", "resume"):
        good, _ = stranger.call(action, picked)
        assert not good


def test_delete_everything_takes_only_ones_own(place, stranger):
    """The one who holds a link to another's run, too."""
    assert stranger.act("load_sample")
    own = jobs.Job(place.home / "jobs" / stranger.session["dataset"])
    guest = Visitor(place.address, stranger.session).arrive(f"?run={place.ids['lost']}")
    assert guest.session["run"] == place.ids["lost"]
    assert guest.act("ask_for_all")
    assert guest.act("delete")
    assert not own.folder.exists()
    assert guest.session["run"] == place.ids["lost"], "it is still there, and still the guest's"


def test_the_link_shows_the_run_and_its_dataset_but_no_reading(place):
    guest = Visitor(place.address).arrive(f"?run={place.ids['lost']}")
    assert guest.session["dataset"] == place.ids["dataset"]
    assert guest.session["comparison"] == place.ids["comparison"]
    assert "reading" not in guest.session
    assert guest.session[VISITOR] != place.owner.session[VISITOR]
    assert guest.act("open_mine")
    assert 'data-ot-open=\\"' + place.ids["running"] not in guest.sees()


@pytest.mark.parametrize("run", ["", "..", "a" * 22, "%2e%2e%2fjobs", "a" * 5000])
def test_a_wrong_link_opens_nothing(place, run):
    guest = Visitor(place.address).arrive(f"?run={run}")
    assert set(guest.session) == {VISITOR}


# Forged sessions


def forged(place: SimpleNamespace) -> list[object]:
    ids = place.ids
    return [
        {"dataset": ids["lost"], "run": ids["dataset"], "reading": ids["running"]},
        {"dataset": f"../jobs/{ids['dataset']}", "run": f"{ids['lost']}/run"},
        {"run": [ids["lost"]], "dataset": {"id": ids["dataset"]}},
        {"run": str(place.home / "jobs" / ids["lost"])},
        {"comparison": ids["reading"], "check": ids["lost"]},
        {VISITOR: owner_of(place.owner.session)},  # as it stands in the files
        {VISITOR: [place.owner.session[VISITOR]]},
        {VISITOR: place.owner.session[VISITOR] + "\n"},
        {"owner": owner_of(place.owner.session), "user": "root"},
        {"run": "a" * 1_000_000, VISITOR: "a" * 1_000_000},
        [ids["lost"]],
        ids["lost"],
        7,
        None,
        {"run": None, "dataset": 1e308},
    ]


@pytest.mark.parametrize("number", range(15))
def test_a_forged_session_gets_nothing(place, number):
    attack = forged(place)[number]
    forger = Visitor(place.address, attack)
    assert forger.act("open_mine")
    assert forger.act("open_log")
    forger.sees()
    for action in ("fetch_log", "fetch_page", "fetch_build_report", "take_picture", "compare"):
        good, _ = forger.call(action)
        assert not good, action
    for action in ("stop", "stop_build", "ask_for_all", "delete"):
        forger.call(action)
    forger.call("resume_1")
    heard = "\n".join(forger.heard)
    assert [word for word in (TEXT, LOG, "mine.zip") if word in heard] == []


def test_every_handler_of_the_page_answers_a_stranger_with_nothing(place, stranger):
    """Also those which are added later: none of them is left out."""
    for name, handler in stranger.handlers.items():
        if handler["backend_fn"]:
            stranger.call(name)
    assert_tells_nothing(place, "\n".join(stranger.heard))


# Raw HTTP


def paths_of(place: SimpleNamespace) -> list[Path]:
    run = place.home / "jobs" / place.ids["lost"]
    dataset = place.home / "jobs" / place.ids["dataset"]
    files = [run / "config.json", run / "status.json", run / "log.txt", run / "events.jsonl"]
    files += [dataset / "upload" / "mine.zip", *dataset.glob("*.parquet")]
    return [*files, place.home / "state_secret", place.home / "jobs", run, place.log]


def test_nothing_in_the_home_is_served_under_any_name(place, stranger):
    cache = place.home.parent / "cache"
    alias = place.home.parent / "alias"
    alias.symlink_to(place.home)
    for path in paths_of(place):
        assert path.exists()
        inside = path.relative_to(place.home.parent)
        names = [
            str(path),
            f"{cache}/../{inside}",
            f"{cache}/x/../../{inside}",
            f"{place.home.parent}/./{inside}",
            f"//{path}",
            f"file://{path}",
            f"{path}\0.png",
            os.path.relpath(path, Path(page.__file__).parents[2]),
        ]
        if path.is_relative_to(place.home):
            names.append(str(alias / path.relative_to(place.home)))
        for name in names:
            for told in (quote(name), quote(name, safe=""), quote(quote(name, safe=""), safe="")):
                for start in ("/gradio_api/file=", "/gradio_api/file/", "/static/", "/assets/"):
                    answer = stranger.http.get(f"{start}{told}")
                    assert answer.status_code >= 400, (start, name)
                    assert not any(word in answer.text for word in (TEXT, LOG, "tiny"))
    alias.unlink()


def test_the_cache_cannot_be_listed(place, stranger):
    for path in (place.home.parent / "cache", place.home.parent / "cache" / "x"):
        assert stranger.http.get(f"/gradio_api/file={path}").status_code >= 400


@pytest.mark.parametrize(
    "path",
    [
        "/config",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/queue/status",
        "/gradio_api/startup-events",
        "/gradio_api/app_id",
        "/gradio_api/token",
        "/gradio_api/user",
        "/gradio_api/runs",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/vibe-code",
        "/gradio_api/profiling/traces",
        "/monitoring",
        "/monitoring/summary",
        "/manifest.json",
        "/robots.txt",
        "/",
        "/?run=x",
    ],
)
def test_what_gradio_tells_everybody_tells_nothing_of_anybody(place, stranger, path):
    answer = stranger.http.get(path)
    assert_tells_nothing(place, answer.text)
    assert TOKEN not in answer.text


@pytest.mark.parametrize("name", ["watch", "arrive", "fetch_log", "delete", "open_1", "stop"])
@pytest.mark.parametrize("route", ["call", "call/v2", "run", "api"])
def test_the_other_doors_of_gradio_give_nothing_either(place, stranger, name, route):
    for body in ({"data": [{}, "en", None, None]}, {"data": [[place.ids["lost"]]]}, {"data": "x"}):
        with httpx.Client(base_url=place.address, timeout=SECONDS) as http:
            answer = http.post(f"/gradio_api/{route}/{name}", json=body)
            text = answer.text
            if "event_id" in text:
                event = answer.json()["event_id"]
                text += http.get(f"/gradio_api/call/{name}/{event}").text
        assert_tells_nothing(place, text)


def test_anothers_place_in_the_queue_is_not_told(place, stranger):
    """The heartbeat and the events of a page are found under its own number alone."""
    for wrong in ("", "0", "x" * 12, "../" + place.owner.hash):
        for door in (f"queue/data?session_hash={quote(wrong)}", f"heartbeat/{quote(wrong)}"):
            heard = listen(stranger.http, f"/gradio_api/{door}")
            assert_tells_nothing(place, heard)
    good, _ = Visitor(place.address).call("arrive")
    assert good


def listen(http: httpx.Client, path: str) -> str:
    """Return what a door says in its first moment; some never end, some are shut in between."""
    heard = ""
    with (
        contextlib.suppress(httpx.ReadTimeout, httpx.RemoteProtocolError),
        http.stream("GET", path, timeout=1) as stream,
    ):
        for part in stream.iter_text():
            heard += part
    return heard


@pytest.mark.parametrize("name", ["../../x.zip", "..\\x.zip", "/etc/x.zip", "a/b/x.zip", "x\0.zip"])
def test_an_upload_lands_in_the_cache_only(place, stranger, name):
    answer = stranger.http.post("/gradio_api/upload", files={"files": (name, b"PK")})
    if answer.status_code == 200:
        [path] = answer.json()
        assert Path(path).resolve().is_relative_to((place.home.parent / "cache").resolve())
        assert Path(path).name.endswith("x.zip") or Path(path).name.endswith(".zip")


def test_a_file_of_another_cannot_be_named_as_ones_own(place, stranger):
    dataset = place.home / "jobs" / place.ids["dataset"]
    link = place.home.parent / "cache" / "link.zip"
    link.symlink_to(dataset / "upload" / "mine.zip")
    for path in (str(dataset / "upload" / "mine.zip"), str(link), f"{link.parent}/../home/x.zip"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        good, _ = stranger.call("build", file, None, False, "", "")
        assert not good
        good, _ = stranger.call("read", file, "", "own", "")
        assert not good
    link.unlink()
    assert "dataset" not in stranger.session
    assert_tells_nothing(place, "\n".join(stranger.heard).replace(place.ids["dataset"], ""))


# Users who have signed in


SIGNED = """
import sys
from ocrtune.home import home_folder
from ocrtune.ui import page
blocks = page.build_page(home_folder(), ("true",))
users = {"auth": [("ada", "1"), ("bob", "2")], "server_port": int(sys.argv[-1])}
blocks.launch(server_name="127.0.0.1", **(page.launch_arguments() | users))
"""


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A page that asks for a name and a password, and runs of its user ada."""
    home = tmp_path_factory.mktemp("signed") / "home"
    with serve_page(home, program=("-c", SIGNED)) as address:
        yield SimpleNamespace(home=home, address=address, ids=furnish(home, "user:ada", "none"))


def test_a_users_run_opens_for_that_user_on_any_device_and_for_nobody_else(signed):
    link = f"?run={signed.ids['lost']}"
    for _ in range(2):  # two browsers, each with a secret of its own
        ada = Visitor(signed.address, login=("ada", "1")).arrive(link)
        assert ada.session["run"] == signed.ids["lost"]
        assert ada.act("open_mine")
        assert signed.ids["running"] in ada.sees()
    bob = Visitor(signed.address, login=("bob", "2")).arrive(link)
    assert "run" not in bob.session
    bob.session |= {"run": signed.ids["running"], "comparison": signed.ids["comparison"]}
    assert bob.act("open_mine")
    assert bob.act("open_log")
    assert bob.act("stop")
    for action in ("fetch_log", "fetch_page", "resume_1", "compare"):
        good, _ = bob.call(action)
        assert not good, action
    for action in ("ask", "open_1", "resume"):
        good, _ = bob.call(action, signed.ids["lost"])
        assert not good, action
    assert bob.act("ask_for_all")
    assert bob.act("delete")
    bob.sees()
    heard = "\n".join(bob.heard)
    assert LOG not in heard
    assert signed.ids["lost"] not in heard.replace(f'"{signed.ids["running"]}"', "")
    assert not (signed.home / "jobs" / signed.ids["running"] / "STOP").exists()
    assert (signed.home / "jobs" / signed.ids["lost"]).exists()


def test_without_a_password_the_page_tells_nothing(signed):
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x"):
        assert httpx.get(f"{signed.address}{path}").status_code == 401
    body = {"data": [{"run": signed.ids["lost"]}], "fn_index": 0, "session_hash": "x"}
    for route in ("queue/join", "run/watch", "upload", "call/watch"):
        answer = httpx.post(f"{signed.address}/gradio_api/{route}", json=body)
        assert answer.status_code == 401, route


def request_with(session: dict | None) -> gr.Request:
    """Return a request as gradio hands it to a handler, with what its signed cookie says."""
    scope = {"type": "http"} if session is None else {"type": "http", "session": session}
    return gr.Request(request=SimpleNamespace(scope=scope))


@pytest.mark.parametrize(
    ("space", "info", "name"),
    [
        ("me/ocrtune", {"userinfo": {"preferred_username": "ada"}}, "ada"),
        ("me/ocrtune", {"userinfo": {"preferred_username": "ada"}, "expires_at": 9e12}, "ada"),
        ("me/ocrtune", {"userinfo": {"preferred_username": "ada"}, "expires_at": 5}, ""),
        ("me/ocrtune", {"userinfo": {}}, ""),
        ("me/ocrtune", {}, ""),
        ("me/ocrtune", None, ""),
        ("", {"userinfo": {"preferred_username": "ada"}}, ""),  # anybody may say so there
    ],
)
def test_who_signed_in_with_hugging_face_is_known_on_a_space_only(monkeypatch, space, info, name):
    monkeypatch.setenv("SYSTEM", "spaces" if space else "")
    monkeypatch.setenv("SPACE_ID", space)
    token = LocalContext.request.set(request_with(None if info is None else {"oauth_info": info}))
    try:
        assert signed_in() == name
        session = {VISITOR: "s" * 22}
        assert (owner_of(session) == f"user:{name}") is bool(name)
        assert len(owners_of(session)) == (2 if name else 1), "what began before signing in, too"
    finally:
        LocalContext.request.reset(token)


# Tokens


def words_of_processes() -> Iterator[tuple[str, bytes]]:
    """Yield the arguments of every process, and the environment of every worker."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes()
            yield f"{process.name} cmdline", arguments
            if b"--job" in arguments.split(b"\0"):
                yield f"{process.name} environ", (process / "environ").read_bytes()
        except OSError:
            continue


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc")
def test_a_token_of_the_page_is_nowhere_to_be_found(place):
    """After a build, a build that fails, one that asks the Hub in vain, and a refused button."""
    visitor = Visitor(place.address).arrive()
    started = []
    for action, *given in (
        ("load_sample",),
        ("build", visitor.upload("bad.zip", b"no zip"), None, False, "", ""),
        ("build_from_hub", "some/dataset", 5, "first", "", "", "", "", ""),
    ):
        assert visitor.act(action, *given)
        started.append(jobs.Job(place.home / "jobs" / visitor.session["dataset"]))
        deadline = time.monotonic() + SECONDS
        while not started[-1].ended() and time.monotonic() < deadline:
            for where, words in words_of_processes():
                assert TOKEN.encode() not in words, where
            visitor.sees()
            time.sleep(0.1)
    assert [job.state() for job in started] == ["done", "failed", "failed"]
    assert not visitor.act("start")
    assert visitor.act("open_log")
    visitor.sees()
    ours = [path for path in place.home.parent.rglob("*") if path.is_file()]
    mine = {place.home / "jobs" / name for name in place.ids.values()}
    theirs = [path for path in ours if not mine & set(path.parents)]  # which hold one on purpose
    assert any(path.name == "log.txt" for path in theirs)
    assert [path for path in theirs if TOKEN.encode() in path.read_bytes()] == []
    heard = "\n".join([*visitor.heard, *place.owner.heard])
    assert TOKEN not in heard
    for job in started:
        assert TOKEN not in json.dumps([dataclasses.asdict(event) for event in job.events()])


def test_a_downloaded_log_holds_no_token(place):
    good, outputs = place.owner.call("fetch_log")
    assert good
    text = place.owner.http.get(f"/gradio_api/file={outputs[0]['path']}").text
    assert LOG in text
    assert TOKEN not in text

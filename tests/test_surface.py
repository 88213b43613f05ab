"""What the page's surface shows to who pokes at it: nothing private, nothing from elsewhere."""

import http.client
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import httpx
import pytest
from page_server import serve_page
from page_visitors import Visitor

from ocrtune.ui import page as page_module
from ocrtune.ui import uploads
from ocrtune.ui.blocks import is_elsewhere
from ocrtune.ui.doors import SHUT

ROOT = Path(page_module.__file__).parents[2]
TRACES = ("Traceback", 'File "', ".py", "site-packages", str(ROOT))
# Names of formats, and what gradio says of itself to search engines and developers: nobody asks
# there when a page is opened.
NAMES = {"www.w3.org", "gradio.app", "www.gradio.app", "raw.githubusercontent.com", "github.com"}
LOADED = re.compile(
    r"""(?:<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\bsrc|<link\b[^>]*?\bhref)"""
    r"""\s*=\s*["']?((?:https?:)?//[^"'\s>]+)|url\(\s*["']?((?:https?:)?//[^"')]+)"""
    r"""|@import\s+["']((?:https?:)?//[^"']+)""",
    re.IGNORECASE,
)
OWN = "preconnect"  # a hint that would already open a connection


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("surface")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "cache"))
        patch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
        with serve_page(folder / "home") as address:
            yield SimpleNamespace(folder=folder, home=folder / "home", address=address)


@pytest.fixture
def client(place) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.address, timeout=60) as client:
        yield client


def loaded(text: str) -> list[str]:
    """Return the addresses from which a browser would load something with this text."""
    found = [next(filter(None, groups)) for groups in LOADED.findall(text)]
    return [one for one in found if urlsplit(one).hostname not in ("127.0.0.1", *NAMES)]


# Nothing from elsewhere


def test_the_search_for_addresses_finds_them():
    for text in (
        '<script src="https://cdn.example.org/x.js">',
        "<link rel=stylesheet href='//fonts.example.org/x.css'>",
        "a{background:url(https://example.org/x.png)}",
        '@import "https://example.org/x.css";',
    ):
        assert len(loaded(text)) == 1, text
    assert loaded('<a href="https://example.org">a link that is clicked</a>') == []


@pytest.mark.parametrize("path", ["/", "/config", "/theme.css", "/gradio_api/info", "/robots.txt"])
def test_nothing_that_is_served_is_loaded_from_elsewhere(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert loaded(answer.text) == []
    assert OWN not in answer.text


def test_no_style_or_script_of_the_first_page_loads_from_elsewhere(client):
    html = client.get("/").text
    parts = set(re.findall(r"""(?:src|href)=["']([^"']+\.(?:js|css))["']""", html))
    assert parts
    for part in parts:
        answer = client.get("/" + part.lstrip("./"))
        assert answer.status_code == 200, part
        assert loaded(answer.text) == [], part


def test_a_phone_gets_the_page_compressed(client):
    answer = client.get("/", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.num_bytes_downloaded < len(answer.content) / 4


def test_the_browser_is_told_to_load_nothing_from_elsewhere(client):
    for path in ("/", "/config", "/gradio_api/upload", "/gradio_api/file=/etc/passwd"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_gradio_is_told_to_tell_nobody_and_to_open_no_tunnel(client):
    config = client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config["show_error"] is False
    assert config["is_in_interactive"] is False if "is_in_interactive" in config else True
    arguments = page_module.launch_arguments()
    for name in ("share", "run_history", "enable_monitoring", "show_error", "mcp_server"):
        assert arguments[name] is False, name


def test_the_page_asks_nobody_when_it_starts_and_cleans_its_cache(tmp_path, monkeypatch):
    """Every name that it asks for, and every machine that it speaks to, from its first import."""
    program = (
        "import json, socket, sys\n"
        "asked = []\n"
        "def note(event, words):\n"
        "    if event == 'socket.getaddrinfo': asked.append(str(words[0]))\n"
        "    if event == 'socket.connect' and isinstance(words[1], tuple):\n"
        "        asked.append(str(words[1][0]))\n"
        "sys.addaudithook(note)\n"
        "from ocrtune.ui import page\n"
        "import threading, time, pathlib, os\n"
        "def tell():\n"
        "    time.sleep(4)\n"
        "    pathlib.Path(os.environ['ASKED']).write_text(json.dumps([asked, made.delete_cache]))\n"
        "made = page.launch(port=int(sys.argv[-1]), wait=False)\n"
        "tell()\n"
        "time.sleep(60)\n"
    )
    told = tmp_path / "asked"
    monkeypatch.setenv("ASKED", str(told))
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    with serve_page(tmp_path / "home", program=("-c", program)) as address:
        httpx.get(address, timeout=60)
        deadline = time.monotonic() + 60
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(0.5)
    asked, (every_seconds, age_seconds) = json.loads(told.read_text("utf-8"))
    assert asked, "the page knocks at its own door"
    assert set(asked) <= {"127.0.0.1", "localhost", "::1", "0.0.0.0"}
    assert 0 < every_seconds <= 3600, "gradio cleans its cache too"
    assert 0 < age_seconds <= 6 * 3600


# No trace of our code


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/gradio_api/queue/join", b"no json"),
        ("POST", "/gradio_api/queue/join", b'{"data": null}'),
        ("POST", "/gradio_api/queue/join", b'{"fn_index": 99999, "data": [], "session_hash": "x"}'),
        ("POST", "/gradio_api/queue/join", b'{"fn_index": -1, "data": {}, "session_hash": []}'),
        ("POST", "/gradio_api/call/read", b'{"data": [1, 2, 3, 4, 5, 6, 7, 8, 9]}'),
        ("POST", "/gradio_api/call/v2/read", b'{"nothing": 1}'),
        ("POST", "/gradio_api/call/v2/start", b"{}"),
        ("POST", "/gradio_api/call/nothing", b'{"data": []}'),
        ("POST", "/gradio_api/run/read", b'{"data": [null]}'),
        ("POST", "/gradio_api/run/watch", b'{"data": [null]}'),
        ("POST", "/gradio_api/upload", b"no form"),
        ("POST", "/gradio_api/mcp", b"no json"),
        ("POST", "/gradio_api/mcp", b"[" * 100_000),
        ("POST", "/gradio_api/component_server", b'{"fn_name": "x"}'),
        ("POST", "/gradio_api/reset", b"{}"),
        ("POST", "/gradio_api/cancel", b"{}"),
        ("POST", "/gradio_api/stream/x", b"{}"),
        ("GET", "/gradio_api/file=", b""),
        ("GET", "/gradio_api/upload_progress?upload_id=x", b""),
        ("GET", "/gradio_api/heartbeat/", b""),
        ("GET", "/gradio_api/call/read/x", b""),
        ("GET", "/nothing/at/all", b""),
        ("PUT", "/", b""),
    ],
)
def test_what_is_broken_on_purpose_shows_no_trace(client, method, path, body):
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    text, status = "", 0
    try:
        with client.stream(method, path, content=body, headers=headers, timeout=5) as answer:
            status = answer.status_code
            for part in answer.iter_text():
                text += part
    except (httpx.ReadTimeout, httpx.RemoteProtocolError):  # a stream that says nothing
        assert status == 200 or not text
    assert [word for word in TRACES if word in text] == [], text[:500]


def test_a_refused_file_shows_no_trace(place):
    visitor = Visitor(place.address)
    for path in ("/etc/passwd", str(place.home / "state_secret"), "\0", "x" * 5000, "."):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        for name in ("/read", "/build", "read", "build", "extend"):
            good, _ = visitor.call(name, file)
            assert not good
    heard = "\n".join(visitor.heard)
    assert [word for word in ("Traceback", "site-packages", str(ROOT)) if word in heard] == []


# Uploads


def test_a_too_large_upload_is_refused_while_it_comes(place):
    """Its body never ends: who would wait for it to be whole would wait for ever."""
    port = urlsplit(place.address).port
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.zip"\r\n\r\n'
    most = 300 * 1024 * 1024 + 2_000_000
    line.putrequest("POST", "/gradio_api/upload")
    line.putheader("Content-Type", "multipart/form-data; boundary=b")
    line.putheader("Content-Length", str(10 * most))
    line.endheaders()
    line.send(head)
    block = b"P" * 1_000_000
    sent = 0
    try:
        while sent < most:
            line.send(block)
            sent += len(block)
    except (BrokenPipeError, ConnectionResetError):  # it was refused on the way
        pass
    try:
        assert line.getresponse().status == 413
    except (ConnectionResetError, BrokenPipeError):
        assert sent < most
    finally:
        line.close()
    cache = place.folder / "cache"
    deadline = time.monotonic() + 20
    while (left := size_of(cache)) > 10_000_000 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left < 10_000_000, "nothing of it stays"


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_uploads_and_downloads_are_deleted_after_their_time(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "own_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    uploads.use_own_cache()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    now = time.time()
    handed = uploads.hand_out(b"a report", "report.html")
    old = uploads.hand_out(b"an old one", "old.html")
    for path in (old, old.parent):
        os.utime(path, (now - uploads.CACHE_SECONDS - 60,) * 2)
    uploads.sweep_uploads(now)
    assert handed.exists()
    assert not old.parent.exists()
    uploads.sweep_uploads(now + uploads.CACHE_SECONDS + 60)
    assert not handed.parent.exists()


# Doors


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/",
        "/monitoring/summary",
        "/MONITORING",
        "//monitoring",
        "/monitoring/x",
        "/gradio_api/runs",
        "/gradio_api/run-history/records",
        "/gradio_api/run-history/buckets",
        "/gradio_api/dev/reload",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/vibe-code",
        "/gradio_api/vibe-edit",
        "/gradio_api/profiling/traces",
        "/gradio_api/proxy=https://example.hf.space/x",
        "/gradio_api/file=https://example.org/x.png",
        "/gradio_api/file=HTTPS://example.org/x.png",
        "/gradio_api/file=//example.org/x.png",
        "/gradio_api/file=%68ttps://example.org/x.png",
        "//gradio_api/file=https://example.org/x.png",
        "/gradio_api/file=/https://example.org/x.png",
        "/gradio_api/file=ftp://example.org/x.png",
    ],
)
def test_these_doors_are_shut(client, path):
    for method in ("GET", "HEAD", "POST"):
        answer = client.request(method, f"{client.base_url}".rstrip("/") + path)
        assert answer.status_code in (404, 405), (method, answer.status_code)
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "name", ["/tmp/a/x.png", "C:/x.png", "/tmp/https/x.png", "/tmp/http:x.png"]
)
def test_ordinary_files_of_the_cache_are_not_behind_a_shut_door(name):
    assert bool(SHUT.match(f"/gradio_api/file={name}")) is name.startswith("C:")


@pytest.mark.parametrize(
    ("value", "elsewhere"),
    [
        ({"path": "https://a/b"}, True),
        ({"path": "HTTP://a/b"}, True),
        ([{"x": [{"path": " //a/b"}]}], True),
        ({"path": "/tmp/x", "url": "https://a/b"}, False),
        ({"path": 7}, False),
        ("https://a/b", False),
        (None, False),
    ],
)
def test_a_file_that_lies_elsewhere_is_known(value, elsewhere):
    assert is_elsewhere(value) is elsewhere


# Files


def test_no_file_of_the_machine_is_served(place, client):
    visitor = Visitor(place.address)
    mine = Path(visitor.upload("mine.txt", b"mine")["path"])
    assert client.get(f"/gradio_api/file={mine}").text == "mine"
    link = mine.parent / "link.txt"
    link.symlink_to("/etc/passwd")
    names = ["/etc/passwd", f"{mine.parent}/../../../../../../etc/passwd", str(link)]
    names += [f"{mine.parent}/..%2f..%2fstate_secret", str(place.home / "state_secret")]
    names += [str(ROOT / "app.py"), "app.py", "./README.md", "/proc/self/environ", "~/.bashrc"]
    names += ["/dev/null", "/proc/self/cmdline", f"{mine}/../link.txt", str(mine.parent)]
    for name in names:
        for told in (name, quote(name, safe=""), quote(quote(name, safe=""), safe="")):
            for door in ("file=", "file/", "stream/", "../"):
                answer = client.get(f"/gradio_api/{door}{told}")
                assert answer.status_code >= 400, (door, told)
                assert "root:" not in answer.text
    link.unlink()


def test_an_uploaded_page_is_not_run_as_one_of_ours(place, client):
    visitor = Visitor(place.address)
    for name, words in (
        ("x.html", b"<script>alert(1)</script>"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("x.js", b"alert(1)"),
    ):
        path = visitor.upload(name, words)["path"]
        headers = client.get(f"/gradio_api/file={path}").headers
        assert headers["content-disposition"].startswith("attachment"), name
        assert headers["x-content-type-options"] == "nosniff"


# Who is told what


def test_config_and_info_tell_nothing_of_this_machine(place, client):
    """The key of what browsers remember is told to every browser, and opens nothing here."""
    visitor = Visitor(place.address).arrive()
    for path in ("/config", "/gradio_api/info", "/gradio_api/openapi.json", "/"):
        text = client.get(path).text
        for word in (str(place.home), str(place.folder), str(Path.home() / "."), str(ROOT)):
            assert word.rstrip("/.") == "/root" or word not in text, (path, word)
        assert visitor.session["visitor"] not in text


def test_the_events_of_another_are_found_by_nobody(place, client):
    """Neither by the number of their page nor by that of what they asked."""
    visitor = Visitor(place.address).arrive()
    visitor.call("load_sample")
    body = {"data": [None, "", "", "", "en"]}
    event = client.post("/gradio_api/call/read", json=body).json()["event_id"]
    for wrong in (event[:-1], event[:-1] + "x", "*", "..", "%00"):
        try:
            with client.stream("GET", f"/gradio_api/call/read/{quote(wrong)}", timeout=1) as told:
                text = "".join(told.iter_text())
        except (httpx.ReadTimeout, httpx.RemoteProtocolError):
            continue
        assert "complete" not in text
        assert visitor.session["visitor"] not in text
    cancel = {"session_hash": visitor.hash, "fn_index": 0, "event_id": "x"}
    answer = client.post("/gradio_api/cancel", json=cancel)
    assert json.dumps(visitor.session["visitor"]) not in answer.text

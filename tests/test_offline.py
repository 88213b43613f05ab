"""Without a network everything but sharing works: nobody outside is asked, and nobody waits.

The page and its workers may reach nothing but this machine; who they would have called is written
down.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from page_server import serve_page
from page_visitors import Visitor

from ocrtune import jobs

SECONDS = 240  # for a job on a busy machine
AT_ONCE = 15.0  # seconds that an answer of the page may take on a busy machine

UNPLUGGED = """
import os, socket, sys
look_up, connect = socket.getaddrinfo, socket.socket.connect
HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0", None, "")
def tell(host):
    with open(os.environ["CALLED"], "a") as calls:
        calls.write(f"{host} {sys.argv[1:2]}\\n")
def asked(host, *rest, **more):
    if host in HERE or host == socket.gethostname():
        return look_up(host, *rest, **more)
    tell(host)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
def reached(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in HERE:
        tell(address[0])
        raise OSError(101, "Network is unreachable")
    return connect(self, address)
socket.getaddrinfo, socket.socket.connect = asked, reached
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A page on a machine that is signed in and has no network."""
    place = tmp_path_factory.mktemp("offline")
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(UNPLUGGED)
    calls = place / "calls"
    calls.touch()
    with pytest.MonkeyPatch.context() as patch:
        path = os.pathsep.join([str(place / "site"), os.environ.get("PYTHONPATH", "")])
        patch.setenv("PYTHONPATH", path)
        patch.setenv("CALLED", str(calls))
        patch.setenv("HF_TOKEN", "hf_aTokenThatNobodyCanAskAbout")
        patch.setenv("HF_HOME", str(place / "hf"))
        for name in ("HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            patch.delenv(name, raising=False)
        with serve_page(place / "home") as address:
            yield SimpleNamespace(home=place / "home", address=address, calls=calls)


def called(place: SimpleNamespace) -> set[str]:
    """Return whom somebody wanted to reach."""
    return {line.split()[0] for line in place.calls.read_text("utf-8").splitlines()}


def finished(place: SimpleNamespace, visitor: Visitor, name: str) -> jobs.Job:
    """Return a job of the visitor once it has ended; meanwhile the page answers at once."""
    job = jobs.Job(place.home / "jobs" / visitor.session[name])
    deadline = time.monotonic() + SECONDS
    while not job.ended() and time.monotonic() < deadline:
        began = time.monotonic()
        visitor.sees()
        assert time.monotonic() - began < AT_ONCE
        time.sleep(0.3)
    return job


def test_a_dataset_is_built_and_a_picture_read_without_asking_anybody(alone):
    visitor = Visitor(alone.address).arrive()
    assert visitor.act("load_sample")
    built = finished(alone, visitor, "dataset")
    assert built.state() == "done", built.log()
    picture = next((Path(__file__).parent.parent / "ocrtune" / "assets").glob("page.png"))
    file = visitor.upload("line.png", picture.read_bytes())
    assert visitor.act("read", file, "", "own", "")
    reading = finished(alone, visitor, "reading")
    assert reading.state() == "done", reading.log()
    assert called(alone) == set()


def test_who_is_signed_in_on_a_machine_without_a_network_is_told_so_and_waits_for_nothing(alone):
    visitor = Visitor(alone.address).arrive()
    deadline = time.monotonic() + 60
    words = ""
    while "cannot be asked" not in words and time.monotonic() < deadline:
        began = time.monotonic()
        good, outputs = visitor.call("show_account")
        assert good
        assert time.monotonic() - began < AT_ONCE
        words = str(outputs[0])
        time.sleep(0.3)
    assert "Everything but sharing works." in words
    assert called(alone) == {"huggingface.co"}


def test_a_dataset_of_the_hub_is_refused_in_a_sentence_in_the_visitors_language(alone):
    visitor = Visitor(alone.address).arrive()
    began = time.monotonic()
    assert visitor.act("build_from_hub", "some/dataset", 5, "first", "", "", "", "", "")
    assert time.monotonic() - began < AT_ONCE
    job = finished(alone, visitor, "dataset")
    assert job.state() == "failed"
    assert "The Hub cannot be reached" in visitor.sees()
    visitor.language = "zh"
    assert "无法连接 Hub" in visitor.sees()

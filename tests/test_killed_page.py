"""The page's process is killed in the middle of an upload, a build and a training."""

import os
import signal
import socket
import time
from urllib.parse import urlparse

from page_server import page_process, serve_page
from page_visitors import Visitor

from ocrtune import jobs
from ocrtune.dataset_files import read_build_report

SECONDS = 120
HALF = (
    b"POST /gradio_api/upload HTTP/1.1\r\nHost: here\r\nContent-Length: 9000000\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; "
    b'name="files"; filename="mine.zip"\r\n\r\n' + b"PK" * 50_000
)


def wait_for(condition) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def test_a_killed_page_loses_no_work_and_the_next_one_goes_on_with_it(tmp_path):
    home = tmp_path / "home"
    with serve_page(home) as address:
        visitor = Visitor(address).arrive()
        assert visitor.act("load_sample")
        wait_for(jobs.Job(home / "jobs" / visitor.session["dataset"]).ended)
        assert visitor.act("start")
        run = jobs.Job(home / "jobs" / visitor.session["run"])
        wait_for(lambda: run.status().step)
        with socket.create_connection(("127.0.0.1", urlparse(address).port)) as line:
            line.sendall(HALF)
            assert visitor.act("load_sample")
            os.kill(page_process(), signal.SIGKILL)
    build = jobs.Job(home / "jobs" / visitor.session["dataset"])
    wait_for(build.ended)
    assert build.state() == "done"
    assert read_build_report(build.folder / "dataset")["samples"] == 150
    assert run.state() == "running"
    assert len(jobs.list_jobs(home)) == 3, "half an upload is no job"
    with serve_page(home) as address:
        again = Visitor(address, session=visitor.session).arrive()
        assert again.session == visitor.session
        step = run.status().step
        wait_for(lambda: run.status().step > step)
        assert f"of {run.status().total}" in again.sees()
        assert again.act("stop")
        wait_for(run.ended)
        assert run.state() == "stopped"
        assert "Stopped early" in again.sees()

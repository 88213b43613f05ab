"""A model that was loaded for one reading is there for the next, until others need the memory."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from line_samples import draw_line

from ocrtune import jobs, resident
from ocrtune.config import ReadConfig, TrainConfig
from ocrtune.events import Failed, Read
from ocrtune.resident import Door, dismiss
from ocrtune.turns import is_process


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(resident.MINUTES, "2")
    home = tmp_path / "home"
    yield home
    dismiss(home)


def start_reading(home: Path, words: str = "abc") -> jobs.Job:
    job = jobs.create(home)
    picture = job.folder / "line.png"
    picture.write_bytes(draw_line(words))
    return jobs.start(job, "read", ReadConfig(pictures=(str(picture),)))


def wait_for(condition, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.02)


def read(home: Path, words: str = "abc") -> tuple[Read, float]:
    """Return what a job reads, and how many seconds that takes from its start to its end."""
    begun = time.monotonic()
    job = start_reading(home, words)
    wait_for(job.ended)
    seconds = time.monotonic() - begun
    assert job.state() == "done", job.log()
    [reading] = [event for event in job.events() if isinstance(event, Read)]
    return reading, seconds


def test_a_second_reading_is_faster_and_a_killed_reader_costs_nothing_but_time(home):
    first, slow = read(home, "abc")
    door = Door.find(home)
    assert door
    again, fast = read(home, "abc")
    assert again.text == first.text
    assert Door.find(home) == door
    assert fast < 0.75 * slow, (fast, slow)
    assert read(home, "xyz")[0].text != first.text  # another picture is another reading
    os.kill(door.pid, signal.SIGKILL)
    wait_for(lambda: Door.find(home) is None)
    assert read(home, "abc")[0].text == first.text
    assert Door.find(home).pid != door.pid


def test_it_makes_room_for_a_training(home, tmp_path):
    read(home)
    door = Door.find(home)
    job = jobs.create(home)
    config = TrainConfig(data=str(tmp_path / "none"), output=str(job.folder / "run"))
    jobs.start(job, "train", config)
    wait_for(job.ended)
    assert any(isinstance(event, Failed) for event in job.events())  # there is no such dataset
    assert not is_process(door.pid, door.started)


def test_a_stranger_is_not_served_and_a_stop_is_heard(home):
    read(home)
    door = Door.find(home)
    assert (resident.door_path(home).stat().st_mode & 0o77) == 0
    with socket.create_connection(("127.0.0.1", door.port), 10) as line:
        line.sendall(b"let me in\n")
        assert line.recv(1) == b""
    job = start_reading(home)
    job.stop()
    wait_for(job.ended)
    assert job.state() == "stopped"
    read(home)
    assert Door.find(home) == door

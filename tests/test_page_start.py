"""The page starts quickly, stays small, and forgets the pages that were closed."""

import time

import pytest
from gradio.routes import App

from ocrtune.bench.page_growth import Footprint, footprint, served, visit
from ocrtune.bench.page_start import Start, measure_start
from ocrtune.ui.blocks import unserved
from ocrtune.ui.open_pages import CLOSED_PAGES

LOADS = 30


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Start:
    """The better of two: another program may have had the processor's caches."""
    folder = tmp_path_factory.mktemp("start")
    return min((measure_start(folder) for _ in range(2)), key=lambda one: one.our_seconds)


def test_most_of_a_start_is_gradios_own(start):
    assert start.our_seconds < 0.5 * start.gradio_seconds, start


def test_the_page_is_small_and_loads_nothing_of_the_models_world(start):
    assert start.heavy == ()
    assert start.mib < 300
    assert start.page_bytes < 650_000


def test_gradio_makes_no_server_before_the_launch(monkeypatch):
    made = []
    monkeypatch.setattr(App, "create_app", lambda *about, **more: made.append(about))
    with unserved():
        App.create_app("described", mcp_server=False)
    App.create_app("launched")
    assert made == [("launched",)]


def test_pages_that_were_closed_leave_nothing_behind(tmp_path):
    with served(tmp_path) as (address, pid):
        for _ in range(CLOSED_PAGES + 10):
            visit(address)
        before = settled(pid, tmp_path / "tmp")
        for _ in range(LOADS):
            visit(address)
        after = settled(pid, tmp_path / "tmp")
    assert after.files - before.files < 5, (before, after)
    assert after.descriptors - before.descriptors < 5, (before, after)
    assert after.threads - before.threads < 5, (before, after)
    assert after.children == 0
    assert after.mib - before.mib < 12, (before, after)  # 0.7 each, as long as they were kept


def settled(pid: int, folder) -> Footprint:
    time.sleep(1)
    return footprint(pid, folder)

"""The page starts quickly, stays small, and forgets the pages that were closed."""

import time

import pytest
from gradio.routes import App

from ocrtune.bench.big import put_into_readme
from ocrtune.bench.page import describe
from ocrtune.bench.page_growth import Footprint, footprint, served, visit
from ocrtune.bench.page_start import ROOT, Paint, Start, measure_start
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
    assert start.page_bytes < 800_000


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


def test_the_report_names_the_goals_and_goes_between_the_marks_of_the_readme(tmp_path):
    start = Start(gradio_seconds=3.26, our_seconds=0.84, mib=209.4, page_bytes=1, heavy=("torch",))
    paint = Paint(listening_seconds=4.0, paint_seconds=4.58, usable_seconds=5.0)
    looks = [("after 50 page loads", Footprint(220.2, 25, 8, 0, 3))]
    text = describe(start, paint, looks, "two cores")
    assert "| importing gradio | 3.3 s of the processor |  |" in text
    assert "until the page was served once | 0.8 s of the processor | 1 s |" in text
    assert "first paint in Chromium | 4.6 s | 6 s |" in text
    assert "| 209 MiB | 300 MiB |" in text
    assert "| torch | none |" in text
    assert "| after 50 page loads | 220 MiB | 25 | 8 | 0 | 3 |" in text
    assert "no browser here" in describe(start, None, looks, "two cores")
    readme = tmp_path / "README.md"
    readme.write_text((ROOT / "README.md").read_text("utf-8"), "utf-8")
    put_into_readme(readme, "page", text.strip())
    assert text.strip() in readme.read_text("utf-8")


def settled(pid: int, folder) -> Footprint:
    time.sleep(1)
    return footprint(pid, folder)

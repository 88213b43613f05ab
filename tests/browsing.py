"""A real browser on the real page: what the browser tests share, and the one journey they look at.

A plugin of pytest (see `conftest.py`), so that one server and one journey serve all files.
"""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import pytest
from page_server import serve_page

from ocrtune import jobs

try:
    from playwright import sync_api
except ImportError:
    sync_api = None
CHROMIUM = shutil.which("chromium")

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENT = 120_000  # milliseconds that an answer of the page may take on a busy machine
LONG = 900_000  # milliseconds; other work on the machine may slow a training down
TABS = {
    "en": ["Dataset", "Fine-tune", "Try OCR", "Compare"],
    "zh": ["数据集", "微调", "试读", "对比"],
}
WHERE = ":is(.toast-body, #ot-guide, [role=tabpanel])"  # what tells most about a page
FAILED_TEXT = 3_000  # characters of a page that a failed test shows
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Seen:
    """What happened around a page."""

    errors: list[str] = field(default_factory=list)  # of the console and of scripts
    outside: list[str] = field(default_factory=list)  # requests to other machines
    clicks: int = 0
    seconds: float = 0.0
    busy: bool = False  # other programs used the processors meanwhile
    texts: dict[str, str] = field(default_factory=dict)
    state: dict = field(default_factory=dict)  # what the browser remembers


def watch(page: "sync_api.Page", seen: Seen) -> None:
    """Note every error and every request that leaves this machine."""
    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))

    def note_request(request: "sync_api.Request") -> None:
        address = urlparse(request.url)
        if address.scheme in ("http", "https", "ws") and address.hostname != "127.0.0.1":
            seen.outside.append(request.url)

    page.on("request", note_request)


def keep(page: "sync_api.Page", name: str) -> None:
    """Keep a screenshot where `OCRTUNE_SCREENSHOTS` says."""
    if folder := os.environ.get("OCRTUNE_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def rest(page: "sync_api.Page", seconds: float = 1.5) -> None:
    """Wait until the page has neither asked nor been answered for a while."""
    last = [time.monotonic()]

    def note(request: "sync_api.Request") -> None:
        last[0] = time.monotonic()

    for event in ("request", "requestfinished"):
        page.on(event, note)
    while time.monotonic() - last[0] < seconds:
        page.wait_for_timeout(100)
    for event in ("request", "requestfinished"):
        page.remove_listener(event, note)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> pytest.TestReport:
    """Keep what stood on the page when a test failed: on a busy machine it may not fail again."""
    report = yield
    browser = item.funcargs.get("browser") if hasattr(item, "funcargs") else None
    if report.when == "call" and report.failed and browser is not None:
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages):
            try:
                keep(page, f"failed-{item.name}-{number}")
                parts = page.locator(f"{WHERE}:visible").all_inner_texts()
                report.sections.append((f"page {number}", "\n".join(parts)[:FAILED_TEXT]))
            except sync_api.Error as error:  # gone, or too busy
                report.sections.append((f"page {number}", str(error)))
    return report


def upload(page: "sync_api.Page", file: Path) -> None:
    """Choose the zip; a page that was just opened may be too young to notice the first time."""
    # Its whole name stands there only while it is sent: then stem and ending are two words.
    taken = f".ot-archive .file-preview:has-text('{file.stem}')"
    for patience in (5_000, 15_000, PATIENT):
        if page.locator(".ot-archive input[type=file]").count():  # it goes away once it has a file
            page.set_input_files(".ot-archive input[type=file]", file)
        try:
            page.wait_for_selector(taken, timeout=patience)
            return
        except sync_api.TimeoutError:
            continue
    raise AssertionError(f"{file.name} was never taken")


def tab_names(page: "sync_api.Page") -> list[str]:
    return [tab.inner_text() for tab in page.get_by_role("tab").all()]


@pytest.fixture(scope="session")
def address(tmp_path_factory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("page") / "home"
    with serve_page(home) as address:
        yield address
    for job in jobs.list_jobs(home):  # workers outlive the page, but not the tests
        if not job.ended():
            job.delete()


@pytest.fixture(scope="session")
def browser() -> Iterator["sync_api.Browser"]:
    if sync_api is None:
        pytest.skip("playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def journey(browser, address) -> Seen:
    """From nothing to a finished comparison, with a reload in the middle of the training."""
    seen = Seen()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENT)
    page = context.new_page()
    watch(page, seen)

    def go_on(words: str) -> None:
        """Press what the guide bar offers: nothing else is ever pressed, and nothing scrolled."""
        page.click(f"#ot-guide .ot-primary:text-is('{words}')", timeout=LONG)
        seen.clicks += 1

    page.goto(address)
    page.wait_for_selector("#ot-dataset-report .ot-quiet")
    start = time.monotonic()
    go_on("Load the sample")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    seen.texts["dataset"] = page.inner_text("#ot-dataset-report")
    keep(page, "1-dataset")
    go_on("Start learning")
    page.wait_for_selector("#ot-train-progress :text('Step')", timeout=LONG)
    seen.texts["learning"] = page.inner_text("#ot-train-progress")
    seen.texts["curve"] = page.inner_html("#ot-curve-cer")
    page.reload()
    seen.errors.clear()  # the old page complains of the requests that the reload cut off
    page.wait_for_selector("#ot-train-progress .ot-busy")
    seen.texts["reloaded"] = page.inner_text("#ot-train-progress")
    page.wait_for_selector("#ot-share input")
    seen.texts["link"] = page.input_value("#ot-share input")
    page.wait_for_selector("#ot-train-progress .ot-good", timeout=LONG)
    page.wait_for_selector("#ot-readings .ot-card")
    seen.texts["readings"] = page.inner_text("#ot-readings")
    keep(page, "2-fine-tune")
    go_on("Try it")
    page.wait_for_selector("#ot-try-result .ot-right", timeout=LONG)
    seen.texts["read"] = page.inner_text("#ot-try-result")
    keep(page, "3-try")
    go_on("Compare")
    page.wait_for_selector("#ot-compare-result .ot-verdict", timeout=LONG)
    seen.seconds = time.monotonic() - start
    seen.busy = os.getloadavg()[0] > (os.cpu_count() or 1) + 1
    seen.texts["verdict"] = page.inner_text("#ot-compare-result")
    keep(page, "4-compare")
    seen.state = context.storage_state()
    context.close()
    return seen


@pytest.fixture
def again(browser, address, journey):
    """Open the page as the same visitor on another screen."""
    contexts = []

    def open_page(**screen: object) -> tuple["sync_api.Page", Seen]:
        context = browser.new_context(storage_state=journey.state, **screen)
        context.set_default_timeout(PATIENT)
        contexts.append(context)
        page, seen = context.new_page(), Seen()
        watch(page, seen)
        page.goto(address)
        page.wait_for_selector("#ot-compare-result .ot-verdict")
        return page, seen

    yield open_page
    for context in contexts:
        context.close()

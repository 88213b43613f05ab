"""Visits without a trained model: bad files, PDF, right-to-left, two at once, keys, restarts."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import LONG, PATIENT, SIDEWAYS, Seen, keep, upload, watch
from line_samples import draw_line, paged
from page_server import free_port, serve_page
from PIL import Image

ON = "document.activeElement"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOCALES = {"en": "en-US", "zh": "zh-CN"}


@pytest.fixture
def visit(browser, address) -> Iterator[Callable]:
    """Open the page as somebody new."""
    contexts = []

    def open_page(language: str = "en", where: str = address, **screen: object):
        screen = {"viewport": WIDE} | screen
        context = browser.new_context(locale=LOCALES[language], **screen)
        context.set_default_timeout(PATIENT)
        contexts.append(context)
        page, seen = context.new_page(), Seen()
        watch(page, seen)
        page.goto(where)
        page.wait_for_selector("#ot-dataset-report .ot-quiet")
        return page, seen

    yield open_page
    for context in contexts:
        context.close()


def zipped(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def lines(count: int, words: str = "line number {}") -> dict[str, bytes | str]:
    """Return pictures of lines with their content.md."""
    texts = {f"{number}.png": words.format(number) for number in range(count)}
    content = "".join(f"{name} {text}\n" for name, text in texts.items())
    return {name: draw_line(text) for name, text in texts.items()} | {"content.md": content}


SEEN = "[...document.querySelectorAll('#ot-readings-table img')].every(one => one.naturalWidth)"

# A refusal that is not one of those before; the build may be over before it is seen under way.
ANOTHER = """(told) => {
  const bad = document.querySelector("#ot-dataset-report .ot-bad");
  return bad && !told.includes(bad.innerText);
}"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_bad_files_get_a_sentence_in_the_visitors_language(visit, tmp_path, language):
    page, seen = visit(language)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(zipped(tmp_path / "whole.zip", lines(12)).read_bytes()[:3000])
    nothing = zipped(tmp_path / "nothing.zip", {"1.png": draw_line("1"), "content.md": "no.png x"})
    no_picture = zipped(
        tmp_path / "no_picture.zip", {"1.png": b"GIF89a but no picture", "content.md": "1.png x\n"}
    )
    told = set()
    for file in (broken, nothing, no_picture):
        if page.locator(".ot-archive [aria-label='Clear'], .ot-archive .file-preview").count():
            page.reload()
            seen.errors.clear()  # the old page complains of the requests that this cut off
            page.wait_for_selector("#ot-dataset-report .ot-notice")
        upload(page, file)
        page.click("#ot-build")
        page.wait_for_function(ANOTHER, arg=list(told), timeout=LONG)
        said = page.inner_text("#ot-dataset-report .ot-bad")
        told.add(said)
        assert (any("\u4e00" <= one <= "\u9fff" for one in said)) == (language == "zh"), said
        assert "Traceback" not in said
        keep(page, f"bad-{file.stem}-{language}")
    assert len(told) == 3, "each has a sentence of its own"
    assert seen.errors == []


def test_a_file_that_is_no_picture_is_told_when_it_is_tried(visit, tmp_path):
    page, seen = visit("zh")
    page.click("role=tab[name='试读']")
    (tmp_path / "fake.png").write_bytes(b"this is no picture")
    page.set_input_files(".ot-input-picture input[type=file]", tmp_path / "fake.png")
    page.wait_for_selector(".ot-input-picture img, .ot-input-picture .file-preview")
    page.click("#ot-read")
    page.wait_for_selector("#ot-try-result :text('JPEG')", timeout=LONG)  # what to do
    said = page.inner_text("#ot-try-result")
    keep(page, "no-picture-tried-zh")
    assert "Save it as" not in said, "in the visitor's language"
    assert str(tmp_path) not in said
    assert seen.errors == []


def test_a_scan_with_pages_is_read_page_by_page(visit, tmp_path):
    page, seen = visit(viewport=PHONE)
    page.click("role=tab[name='Try OCR']")
    (tmp_path / "scan.tif").write_bytes(paged([draw_line(f"page {n}") for n in (1, 2, 3)]))
    page.set_input_files(".ot-input-picture input[type=file]", tmp_path / "scan.tif")
    page.wait_for_selector("#ot-several .file-preview:has-text('scan')")
    assert page.locator(".ot-input-picture img").count() == 0, "no broken picture"
    page.fill("#ot-pages textarea, #ot-pages input", "2-")
    page.click("#ot-read")
    page.wait_for_selector("#ot-try-result :text('2 of 2')", timeout=LONG)
    table = page.inner_text("#ot-readings-table").replace(" ", "")
    assert ("page2" in table, "page3" in table, "page=1" in table) == (True, True, False)
    page.wait_for_function(SEEN)
    assert not page.evaluate(SIDEWAYS)
    keep(page, "pages-of-a-scan")
    assert seen.errors == []


def test_the_pages_of_a_pdf_become_samples(visit, tmp_path):
    page, seen = visit()
    stream = io.BytesIO()
    first, *rest = [
        Image.open(io.BytesIO(draw_line(f"page {number}"))).convert("RGB") for number in range(12)
    ]
    first.save(stream, "PDF", save_all=True, append_images=rest)
    content = "".join(f"scan.pdf#page={number} page {number - 1}\n" for number in range(1, 13))
    upload(
        page, zipped(tmp_path / "pdf.zip", {"scan.pdf": stream.getvalue(), "content.md": content})
    )
    page.click("#ot-build")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    assert "12 samples" in page.inner_text("#ot-dataset-report")
    page.wait_for_selector("#ot-gallery img", state="attached")  # loaded once it is seen
    assert seen.errors == []


def test_right_to_left_text_runs_right_to_left(visit, tmp_path):
    page, seen = visit(viewport=PHONE)
    upload(page, zipped(tmp_path / "rtl.zip", lines(12, "سلام دنیا {}")))
    page.click("#ot-build")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    page.wait_for_selector("#ot-gallery .ot-text[dir=rtl]")
    page.locator("#ot-gallery [data-ot-open]").first.click()
    page.wait_for_selector("#ot-card img")
    box = "getComputedStyle(document.querySelector('#ot-edit textarea'))"
    assert page.evaluate(f"{box}.unicodeBidi") == "plaintext"
    assert not page.evaluate(SIDEWAYS)
    keep(page, "rtl-390")
    # The picture on the card opens large, by keys too, and the focus comes back to it.
    picture = page.locator("#ot-card .ot-large img")
    small = picture.bounding_box()["width"]
    picture.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".ot-zoom[open] img")
    assert page.locator(".ot-zoom img").bounding_box()["width"] > small
    keep(page, "zoom-390")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ot-zoom", state="hidden")
    assert picture.evaluate(f"(one) => one === {ON}")
    assert not page.evaluate(SIDEWAYS)
    assert seen.errors == []


def test_two_visitors_at_once_see_only_their_own(visit, tmp_path):
    (one, seen), (other, seen_too) = visit("en"), visit("zh")
    upload(one, zipped(tmp_path / "one.zip", lines(12, "alpha {}")))
    upload(other, zipped(tmp_path / "other.zip", lines(14, "omega {}")))
    one.click("#ot-build")
    other.click("#ot-build")
    for page in (one, other):
        page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
        page.wait_for_selector("#ot-gallery .ot-text")
    mine, theirs = one.inner_text("body"), other.inner_text("body")
    assert ("alpha" in mine, "omega" in mine) == (True, False)
    assert ("alpha" in theirs, "omega" in theirs) == (False, True)
    assert "12 samples" in mine
    assert "14" in theirs
    assert seen.errors == seen_too.errors == []


def test_the_sample_is_built_looked_at_and_left_by_keys_alone(visit):
    page, seen = visit()

    def tab_to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate(f"!!{ON}?.matches({selector!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached")

    page.keyboard.press("Tab")
    assert page.evaluate(f"{ON}.className") == "ot-skip"
    assert page.locator(".ot-skip").bounding_box()["y"] >= 0, "it comes into sight"
    page.keyboard.press("Enter")
    assert page.evaluate(f"{ON}.getAttribute('data-tab-id')") == "dataset"
    for key, name in (
        ("ArrowRight", "train"),
        ("End", "compare"),
        ("ArrowLeft", "try"),
        ("Home", "dataset"),
    ):
        page.keyboard.press(key)
        page.wait_for_selector(f"[role=tab][data-tab-id={name}][aria-selected=true]")
        assert page.evaluate(f"{ON}.getAttribute('data-tab-id')") == name
    tab_to("#ot-sample")
    ring = page.evaluate(
        f"getComputedStyle({ON}).outlineStyle + getComputedStyle({ON}).outlineWidth"
    )
    assert ring == "solid3px"
    page.keyboard.press("Enter")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    # What was folded out stays out when the page is drawn anew, and the focus stays on it.
    tab_to("#ot-dataset-report summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ot-dataset-report details[open]")
    opened = page.locator("#ot-dataset-report details[open]").count()
    page.evaluate(
        "() => { const box = document.querySelector('#ot-dataset-report details').parentElement;"
        "const words = box.innerHTML.replaceAll(' open=\"\"', ''); box.innerHTML = words }"
    )
    page.wait_for_function(
        f"document.querySelectorAll('#ot-dataset-report details[open]').length === {opened}"
    )
    page.wait_for_function(f"{ON}.matches('#ot-dataset-report summary')")
    tab_to("#ot-gallery [data-ot-open]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ot-card img")
    assert seen.errors == []


def test_a_page_says_that_its_server_is_away_and_comes_back_with_it(browser, visit, tmp_path):
    home, port = tmp_path / "home", free_port()
    with serve_page(home, port) as address:
        page, _ = visit("zh", address, viewport=PHONE)
        page.click("#ot-sample")
        page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    page.wait_for_selector(".ot-gone-words:has-text('服务器没有响应')")
    page.locator(".ot-language label", has_text="English").click()
    page.wait_for_selector(".ot-gone-words:has-text('The server does not answer')")
    keep(page, "server-away-390")
    assert page.evaluate("getComputedStyle(document.querySelector('.ot-gone-words')).position") == (
        "sticky"
    )
    with serve_page(home, port):
        page.wait_for_selector(".ot-gone-words", state="detached")
        page.wait_for_selector("#ot-dataset-report .ot-good :text('150 samples')")
        assert page.locator(".toast-body").count() == 0

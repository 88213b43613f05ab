"""Makes the two pictures of README from the real page: the sample, a training, and a comparison.

`PYTHONPATH=. .venv/bin/python tests/screenshots.py` writes ocrtune/assets/page.png and
page_zh.png; it takes as long as a training on the sample.
"""

import io
import sys
import tempfile
import time
from pathlib import Path

from browsing import ARGUMENTS, CHROMIUM, LONG, PATIENT, sync_api
from page_server import ROOT, serve_page
from PIL import Image

ASSETS = ROOT / "ocrtune" / "assets"
FILES = {"en": "page.png", "zh": "page_zh.png"}
WAY = (  # what the guide bar offers, and what comes of it
    ("Load the sample", "#ot-dataset-report .ot-good"),
    ("Start learning", "#ot-train-progress .ot-good"),
    ("Try it", "#ot-try-result .ot-right"),
    ("Compare", "#ot-compare-result .ot-verdict"),
)
SIZE = {"width": 1120, "height": 1500}
COLOURS = 200  # of a page in few colours; less than half the bytes


def main() -> None:
    """Go where the guide bar leads, and take what stands there in both languages."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_page(Path(folder) / "home") as address,
        sync_api.sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(
            viewport=SIZE, locale="en-US", color_scheme="light", reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENT)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#ot-dataset-report .ot-quiet")
        begun = time.monotonic()
        for words, outcome in WAY:
            page.click(f"#ot-guide .ot-primary:text-is('{words}')", timeout=LONG)
            page.wait_for_selector(outcome, timeout=LONG)
        took = time.monotonic() - begun
        sys.stdout.write(f"From the first press to the comparison: {took:.0f} s\n")
        for language, words in (("zh", "中文"), ("en", "English")):
            page.locator(".ot-language label", has_text=words).click()
            page.wait_for_function(f"document.documentElement.lang.startsWith('{language}')")
            page.wait_for_timeout(3000)  # every part comes in the other language
            page.evaluate("scrollTo(0, 0)")
            shot = Image.open(io.BytesIO(page.screenshot()))
            few = shot.convert("RGB").quantize(COLOURS, kmeans=2)
            few.save(ASSETS / FILES[language], optimize=True)
        browser.close()


if __name__ == "__main__":
    main()

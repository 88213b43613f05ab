"""The page as a visitor meets it: clicks in Chromium, with the real model and training.

One journey is driven once; the tests look at what was seen on the way.
"""

import os
import threading
import zipfile

import pytest
from browsing import LONG, PATIENT, SIDEWAYS, TABS, Seen, keep, rest, tab_names, upload, watch
from line_samples import draw_line

from ocrtune.families import DEEPSEEK_OCR

MINUTES = 5  # from nothing to a finished comparison on two cores


def rates(text: str) -> list[float]:
    """Return the error rates in the result, in per cent: base model, tuned model."""
    lines = text.split("\n")
    return [
        float(lines[lines.index(name) - 1].removesuffix(" %"))
        for name in ("Base model", "Tuned model")
    ]


def test_four_clicks_on_one_button_lead_to_a_comparison_in_which_the_errors_are_halved(journey):
    assert journey.clicks == 4
    base, tuned = rates(journey.texts["verdict"])
    assert tuned <= base / 2
    assert "fewer errors" in journey.texts["verdict"]


def test_the_four_clicks_take_less_than_five_minutes(journey):
    if journey.seconds >= 60 * MINUTES and journey.busy:
        pytest.skip(f"other programs were at work: {journey.seconds:.0f} s say nothing")
    assert journey.seconds < 60 * MINUTES


def test_the_way_leads_past_a_reading_by_both_models(journey):
    for words in ("Right text", "Base model", "Tuned model"):
        assert words in journey.texts["read"]


def test_a_run_is_seen_live_from_its_first_measurement(journey):
    assert "of 60" in journey.texts["learning"]
    assert "left" in journey.texts["learning"]
    assert "GB of memory" in journey.texts["learning"]
    assert journey.texts["curve"].count("<circle") == 1


def test_every_line_of_the_sample_is_used(journey):
    assert "samples are ready" in journey.texts["dataset"]
    assert "Every line was used." in journey.texts["dataset"]


def test_a_reload_in_the_middle_comes_back_to_the_run(journey):
    assert "Step" in journey.texts["reloaded"]
    assert "left" in journey.texts["reloaded"]


def test_the_link_opens_the_run_with_what_belongs_to_it_on_another_device(browser, journey):
    """In a browser that knows nothing, which keeps the run and forgets the address."""
    size = {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, locale="zh-CN", color_scheme="dark")
    context.set_default_timeout(PATIENT)
    page, seen = context.new_page(), Seen()
    watch(page, seen)
    page.goto(journey.texts["link"])
    page.wait_for_selector("#ot-train-progress .ot-good")
    page.wait_for_function("!location.search")
    page.wait_for_selector("#ot-readings .ot-card")
    assert page.input_value("#ot-share input") == journey.texts["link"]
    page.click("#ot-mine button")
    page.wait_for_selector("#ot-mine-list :text('这里还是空的')")
    page.click("#ot-log button")
    page.wait_for_selector("#ot-log pre")
    assert not page.evaluate(SIDEWAYS)
    keep(page, "link-zh-390-dark")
    page.reload()
    page.wait_for_selector("#ot-train-progress .ot-good")
    page.click("role=tab[name='对比']")
    page.wait_for_selector("#ot-compare-result .ot-verdict")
    assert seen.errors == []
    assert seen.outside == []
    context.close()


def test_readings_before_and_after_are_shown(journey):
    assert "Before" in journey.texts["readings"]
    assert "Step 60" in journey.texts["readings"]
    assert "lowest CER so far" in journey.texts["readings"]


def test_nothing_goes_wrong_and_nothing_leaves_the_machine(journey):
    assert journey.errors == []
    assert journey.outside == []


def test_the_language_switches_at_once_and_stays(again):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    assert tab_names(page) == TABS["en"]
    page.click("role=radio[name='中文']")
    page.wait_for_selector("text=微调后的模型")
    page.wait_for_function("document.documentElement.lang.startsWith('zh')")
    assert tab_names(page) == TABS["zh"]
    rest(page)  # requests that a reload cuts off are told as errors
    page.reload()
    page.wait_for_selector("text=微调后的模型")
    assert tab_names(page) == TABS["zh"]
    assert seen.errors == []


@pytest.mark.parametrize(
    ("locale", "language", "scheme"),
    [("zh-CN", "zh", "dark"), ("en-GB", "en", "light"), ("de", "en", "dark")],
)
def test_a_phone_shows_every_tab_without_sideways_scrolling(again, locale, language, scheme):
    page, seen = again(
        viewport={"width": 390, "height": 844}, locale=locale, color_scheme=scheme, has_touch=True
    )
    page.wait_for_function(f"document.documentElement.lang.startsWith('{locale[:2]}')")
    assert tab_names(page) == TABS[language]
    for number in range(4):
        tab = page.get_by_role("tab").nth(number)
        tab.click()
        assert tab.get_attribute("aria-selected") == "true"
        page.wait_for_timeout(300)  # charts and pictures find their size
        assert not page.evaluate(SIDEWAYS), f"tab {number} is wider than the screen"
        assert "__i18n__" not in page.inner_text("body")
        keep(page, f"phone-{language}-{scheme}-{number}")
    assert seen.errors == []


REACTION = """(selector) => new Promise((resolve) => {
  const button = document.querySelector(selector);
  let clicked = 0;
  window.addEventListener("click", () => { clicked = performance.now(); }, // before the page's
    { capture: true, once: true });
  new MutationObserver(() => {
    if (button.getAttribute("aria-busy") !== "true") return;
    const marked = performance.now() - clicked;
    requestAnimationFrame(() => resolve([marked, performance.now() - clicked])); // painted next
  }).observe(button, { attributes: true });
  setTimeout(() => resolve(null), 5000);
})"""


def test_every_press_is_answered_on_the_screen_within_a_fifth_of_a_second(again):
    """Also while the server is slow: nothing of it has to come from there."""
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    took, slow = {}, threading.Event()
    held = []
    page.route(
        "**/queue/join*",
        lambda route: held.append(route) if slow.is_set() else route.continue_(),
    )
    for tab, name in (("Compare", "ot-lines-on"), ("Try OCR", "ot-take"), ("Dataset", "ot-on")):
        page.click(f"role=tab[name='{tab}']")
        page.wait_for_selector(f"#{name}")
        page.wait_for_selector("body:not(.ot-working)")
        rest(page)  # what is drawn anew under the finger is not pressed
        held.clear()
        slow.set()
        page.evaluate(f"() => {{ window.reaction = ({REACTION})('#{name}') }}")
        page.click(f"#{name}")
        took[name] = page.evaluate("window.reaction")
        assert took[name] is not None, f"{name} was not marked as pressed"
        page.wait_for_selector("body.ot-slow")  # longer than a second: that is shown, too
        assert held, "the server was asked"
        slow.clear()
        for route in held:
            route.continue_()
        page.wait_for_selector("body:not(.ot-working)")
        assert page.locator("button[aria-busy]").count() == 0
    busy = os.getloadavg()[0] > (os.cpu_count() or 1) + 1  # frames come late on such a machine
    for marked, painted in took.values():
        assert marked < 200, took
        assert painted < 200 or busy, took
    assert seen.errors == []


def test_scrolling_moves_nothing_away_from_under_the_finger(again):
    page, seen = again(viewport={"width": 390, "height": 844}, locale="en-US", has_touch=True)
    page.click("role=tab[name='Compare']")
    rest(page)
    height = "document.documentElement.scrollHeight"
    before = page.evaluate(height)
    for _ in range(before // 800 + 1):
        page.mouse.wheel(0, 800)
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") > before / 2
    assert page.evaluate(height) == before
    assert seen.errors == []


HIDE = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_nobody_sees_asks_nothing_and_is_up_to_date_when_seen(again):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    asked = []
    page.click("role=tab[name='Fine-tune']")
    page.wait_for_timeout(3000)  # what the last look still asked
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)
    assert asked == [], "nothing is under way, so nothing is asked"
    page.click("#ot-start:enabled")
    page.wait_for_selector("#ot-train-progress .ot-busy")
    page.wait_for_timeout(3000)
    assert asked, "a run is followed"
    page.evaluate(HIDE, "hidden")
    page.wait_for_timeout(3000)
    asked.clear()
    page.wait_for_timeout(6000)
    assert asked == []
    page.evaluate(HIDE, "visible")
    page.wait_for_timeout(600)
    assert any("queue/join" in one for one in asked)
    page.click("#ot-stop:enabled")
    page.wait_for_selector("#ot-train-progress .ot-busy", state="detached", timeout=LONG)
    assert seen.errors == []


def test_the_report_can_be_downloaded(again):
    page, _ = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    for name, begins in (
        ("Report (HTML)", b"<!DOCTYPE html>"),
        ("Every line (CSV)", "\ufeffpicture_id".encode()),
        ("Numbers (JSON)", b"{"),
        ("Chart: error rates (PNG)", b"\x89PNG"),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.path().read_bytes().startswith(begins)


def test_a_line_of_the_comparison_is_found_and_opened_in_the_dataset(again):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.click("role=tab[name='Compare']")
    page.wait_for_selector("#ot-lines-shown figure")
    assert page.locator("#ot-compare-result svg").count() == 3
    name = page.inner_text("#ot-lines-shown figure bdi")
    page.fill("#ot-line-search :is(input, textarea)", name)
    page.wait_for_selector("#ot-lines-shown :text('1 to 1 of 1 lines')")
    page.click("#ot-lines-shown figure button")
    page.wait_for_selector("#ot-card >> text=" + name)
    page.wait_for_function("document.querySelector('#ot-card').getBoundingClientRect().top < 300")
    assert seen.errors == []


def test_a_bad_upload_gets_a_sentence(again, tmp_path):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    (tmp_path / "bad.zip").write_bytes(b"this is no zip")
    page.click("role=tab[name='Dataset']")
    page.wait_for_selector("#ot-dataset-report .ot-good")
    upload(page, tmp_path / "bad.zip")
    page.get_by_role("button", name="Build the dataset").click()
    page.wait_for_selector("#ot-dataset-report .ot-bad", timeout=LONG)
    assert "That did not work" in page.inner_text("#ot-dataset-report")
    assert seen.errors == []


def test_a_stopped_run_keeps_what_it_learned(again):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.click("role=tab[name='Fine-tune']")
    page.click("#ot-start:enabled")
    page.wait_for_selector("#ot-train-progress :text('Step')", timeout=LONG)
    page.click("#ot-stop:enabled")
    page.wait_for_selector("#ot-train-progress .ot-good", timeout=LONG)
    assert "Stopped early" in page.inner_text("#ot-train-progress")
    page.click("role=tab[name='Compare']")
    page.wait_for_selector("#ot-compare:enabled")
    page.click("role=tab[name='Fine-tune']")
    page.click("#ot-resume")
    page.wait_for_selector("#ot-train-progress :text('Step')", timeout=LONG)
    page.click("#ot-stop:enabled")
    page.wait_for_selector("#ot-train-progress .ot-good", timeout=LONG)
    assert "Resume goes on" in page.inner_text("#ot-train-progress")
    assert seen.errors == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_settings_follow_the_base_and_the_preset(again, width):
    page, seen = again(viewport={"width": width, "height": 900}, locale="en-US")
    page.click("role=tab[name='Fine-tune']")
    page.click("#ot-advanced button")
    page.wait_for_selector("#ot-knob-lora_rank")
    assert page.locator("#ot-knob-layout, #ot-knob-lora_experts").count() == 0, "tiny has none"
    page.click("#ot-bases button")
    page.click("input[value='deepseek-ocr']")
    page.wait_for_selector("#ot-base-named :text('DeepSeek-OCR')")
    page.click("#ot-knob-layout input[value='base']")
    assert page.locator("#ot-knob-layout label").all_inner_texts()[1:] == list(DEEPSEEK_OCR.layouts)
    page.fill("#ot-knob-lora_rank input", "4")
    page.click("input[value='quick']")
    page.wait_for_selector("text=rank 8, experts left alone")
    assert page.input_value("#ot-knob-lora_rank input") == "8"
    assert page.is_checked("#ot-knob-layout input[value='base']")
    assert not page.evaluate(SIDEWAYS)
    keep(page, f"advanced-{width}")
    assert seen.errors == []


def test_a_corrected_text_survives_a_newer_zip(browser, address, tmp_path):
    archive = tmp_path / "lines.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(12):
            file.writestr(f"{number}.png", draw_line(f"line number {number}"))
        file.writestr("content.md", "".join(f"{n}.png line nunber {n}\n" for n in range(12)))
    context = browser.new_context(viewport={"width": 390, "height": 900}, locale="zh-CN")
    context.set_default_timeout(PATIENT)
    page, seen = context.new_page(), Seen()
    watch(page, seen)
    page.goto(address)
    page.wait_for_selector("#ot-dataset-report .ot-quiet")
    upload(page, archive)
    page.click("#ot-build")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    page.click("#ot-gallery [data-ot-open='7.png']")
    page.wait_for_selector("#ot-card img")
    page.fill("#ot-edit textarea", "line number 7")
    page.click("#ot-save")
    page.wait_for_selector("#ot-edits:has-text('1')")
    keep(page, "card-zh-390")
    page.click("#ot-build")
    page.wait_for_selector("#ot-dataset-report .ot-busy")
    page.wait_for_selector("#ot-dataset-report .ot-good", timeout=LONG)
    page.fill("#ot-search textarea, #ot-search input", "number 7")
    page.wait_for_function("document.querySelectorAll('#ot-gallery [data-ot-open]').length === 1")
    page.click("#ot-gallery [data-ot-open='7.png']")
    page.wait_for_selector("#ot-card img")
    assert page.input_value("#ot-edit textarea") == "line number 7"
    assert not page.evaluate(SIDEWAYS)
    assert seen.errors == []
    context.close()


def test_a_link_is_copied_whole(browser, again, journey):
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("role=tab[name='Fine-tune']")
    page.click("#ot-share button")
    page.wait_for_selector("#ot-share button:text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#ot-share input")
    page.wait_for_selector("#ot-share button:text('Copy')")
    assert seen.errors == []


def test_everything_of_mine_is_found_and_deleted(again, journey, address):
    """The last one: the journey's own things are gone after it."""
    page, seen = again(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.click("role=tab[name='Fine-tune']")
    page.click("#ot-mine button")
    page.wait_for_selector("#ot-mine-list li.ot-chosen")
    listed = page.locator("#ot-mine-list li").count()
    keep(page, "mine-1280")
    runs = page.locator("#ot-mine-list li:has-text('CER')")
    runs.last.get_by_role("button", name="Delete").click()
    page.wait_for_selector("#ot-mine-ask :text('Delete this run')")
    page.click("#ot-spare")
    page.wait_for_selector("#ot-mine-ask", state="hidden")
    assert page.locator("#ot-mine-list li").count() == listed
    runs.last.get_by_role("button", name="Delete").click()
    page.click("#ot-delete")
    page.wait_for_function(f"document.querySelectorAll('#ot-mine-list li').length === {listed - 1}")
    page.click("#ot-delete-all")
    page.click("#ot-delete")
    page.wait_for_selector("#ot-mine-list :text('Nothing here yet')")
    page.wait_for_selector("#ot-train-progress :text('Ready when you are')")
    assert page.locator("#ot-share input").count() == 0
    page.click("role=tab[name='Dataset']")
    page.wait_for_selector("#ot-dataset-report .ot-quiet")
    page.reload()
    page.wait_for_selector("#ot-dataset-report .ot-quiet")
    assert seen.errors == []

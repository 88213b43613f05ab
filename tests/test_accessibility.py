"""Whoever sees little, uses no mouse or holds a phone: axe on every tab, and the keyboard alone."""

import pytest
from browsing import PATIENT, TABS, Seen, keep, watch

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="axe is not installed: pip install axe-playwright-python",
)

# Targets of 24 by 24 pixels are WCAG 2.2 AA, which axe leaves out unless it is asked.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
GRAVE = ("serious", "critical")
STANDS = {  # what says that a tab was filled
    "dataset": "#ot-dataset-report .ot-notice",
    "train": "#ot-train-progress .ot-notice",
    "try": "#ot-try-result :is(.ot-notice, .ot-reading)",
    "compare": "#ot-compare-result :is(.ot-notice, .ot-verdict)",
}
FOLDED = "[role=tabpanel]:not([style*='none']) button.label-wrap:not(.open)"
UNFOLD = """() => { for (const one of document.querySelectorAll('details')) one.open = true }"""


def violations(page, place: str, only_colours: bool = False) -> list[str]:
    """Return what axe finds serious or critical on what is shown now, a line for each."""
    rules = {"runOnly": ["color-contrast"]} if only_colours else {}
    found = axe.Axe().run(page, options=OPTIONS | rules).response["violations"]
    return [
        f"{place}: {one['id']} ({one['impact']}) {node['html'][:160]} {node['failureSummary']}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def walk(page, filled: str) -> list[str]:
    """Return what axe finds on every tab in both languages, light and dark, all folds open."""
    found = []
    for place, (name, stands) in enumerate(STANDS.items()):
        page.get_by_role("tab").nth(place).click()
        page.wait_for_selector(stands)
        while (folded := page.locator(FOLDED).locator("visible=true")).count():
            folded.first.click()
        page.wait_for_timeout(300)  # what a fold holds is asked for
        for language, words in (("zh", "中文"), ("en", "English")):
            page.locator(".ot-language label", has_text=words).click()
            page.wait_for_function(f"document.documentElement.lang.startsWith('{language}')")
            page.wait_for_selector(f"role=tab[name='{TABS[language][place]}']")
            page.evaluate(UNFOLD)
            found += violations(page, f"{filled} {name} {language}")
            keep(page, f"axe-{filled}-{name}-{language}")
        # What differs in the dark are colours, and those are the same in all languages.
        page.evaluate("document.body.classList.add('dark')")
        found += violations(page, f"{filled} {name} dark", only_colours=True)
        keep(page, f"axe-{filled}-{name}-dark")
        page.evaluate("document.body.classList.remove('dark')")
    return found


def test_axe_finds_nothing_serious_on_an_empty_page(browser, address):
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-US", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENT)
    page, seen = context.new_page(), Seen()
    watch(page, seen)
    page.goto(address)
    page.wait_for_selector("#ot-dataset-report .ot-quiet")
    assert walk(page, "empty") == []
    assert seen.outside == []
    context.close()


def test_axe_finds_nothing_serious_once_all_is_there(again):
    page, seen = again(
        viewport={"width": 390, "height": 844},
        locale="en-US",
        has_touch=True,
        reduced_motion="reduce",
    )
    assert walk(page, "filled") == []
    assert seen.outside == []

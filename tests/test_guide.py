"""What the page offers at each moment of a visitor's way: one next step, words for its terms."""

import dataclasses
import functools
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from test_ui import CONTRACT, PREFLIGHT, make_job, zip_of

from ocrtune.config import CHECKPOINT, BuildConfig, CompareConfig, ReadConfig, TrainConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.events import Asked, Done, Evaluated, Failed, Progress, Read, SampleRead, Step
from ocrtune.records import Prediction
from ocrtune.report import build_comparison, write_report
from ocrtune.ui import guide, preflight_views, terms, watching
from ocrtune.ui.actions import SAMPLE, Actions
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.gallery import View
from ocrtune.ui.looks import look_at_all
from ocrtune.ui.watching import TABS, Watching
from ocrtune.ui.words import LANGUAGES, say

KEY = re.compile(r'__i18n__\{"__type__": "translation_metadata", "key": "(\w+)"\}')
STATES = (
    "empty",
    "building",
    "asked",
    "failed",
    "built",
    "learning",
    "lost",
    "learned",
    "reading",
    "read",
    "comparing",
    "compared",
    "newer",
)


def train(data: str):
    return lambda folder: TrainConfig(data=data, output=str(folder / "run"))


@pytest.fixture(scope="module")
def way(tmp_path_factory) -> SimpleNamespace:
    """The home of a visitor, and what the browser remembers in each state of their way."""
    home = tmp_path_factory.mktemp("way")
    source = home / SAMPLE.name
    source.write_bytes(zip_of([f"line {number}" for number in range(12)]))

    def build(folder: Path) -> BuildConfig:
        return BuildConfig(source=str(source), output=str(folder / "dataset"))

    dataset, newer = (make_job(home, "build", build) for _ in range(2))
    for job in (dataset, newer):
        build_dataset(build(job.folder))
    prefix = str(dataset.folder / "dataset")
    events = [
        PREFLIGHT,
        Evaluated(0, 0.5, 3),
        SampleRead(0, "0.png", "line 0", "lin 0"),
        Step(1, 2, 2.5, 1.0, 100.0, 3_000_000_000),
    ]
    running = make_job(home, "train", train(prefix), events, "running")
    lost = make_job(home, "train", train(prefix), events, "lost")
    (lost.folder / "run" / CHECKPOINT).parent.mkdir(parents=True)
    (lost.folder / "run" / CHECKPOINT).touch()
    run = make_job(home, "train", train(prefix), [*events, Evaluated(2, 0.25, 3), Done("ok")])
    adapter = str(run.folder / "run" / "adapter")
    read = [Read("a.png", "line", 0.1, name, False, "") for name in ("tiny", "tiny + adapter")]
    readings = [
        make_job(home, "read", lambda folder: ReadConfig(pictures=("a.png",)), read, state)
        for state in ("running", "done")
    ]

    def compare(folder: Path) -> CompareConfig:
        return CompareConfig(data=prefix, adapter=adapter, output=str(folder / "report"))

    comparing = make_job(home, "compare", compare, [Progress("compare", 1, 9)], "running")
    compared = make_job(home, "compare", compare)
    samples = load_samples(prefix, "test")
    base, tuned = (
        [Prediction(picture_id=one.picture_id, text=t, seconds=0.1, model="m") for one in samples]
        for t in ("nothing", "line")
    )
    report = build_comparison(CONTRACT, "test", samples, base, tuned, draws=200)
    pictures = {sample.picture_id: sample.picture for sample in samples}
    write_report(report, pictures, compared.folder / "report")
    asked = [Asked("Which?", "text_column", ["a", "b"]), Failed("Which?", "Choose.")]
    built = {"dataset": dataset.id}
    learned = built | {"run": run.id}
    done = learned | {"reading": readings[1].id}
    sessions = {
        "empty": {},
        "building": {"dataset": make_job(home, "build", build, (), "running").id},
        "asked": {"dataset": make_job(home, "build", build, asked, "failed").id},
        "failed": {"dataset": make_job(home, "build", build, asked[1:], "failed").id},
        "built": built,
        "learning": built | {"run": running.id},
        "lost": built | {"run": lost.id},
        "learned": learned,
        "reading": learned | {"reading": readings[0].id},
        "read": done,
        "comparing": done | {"comparison": comparing.id},
        "compared": done | {"comparison": compared.id},
        "newer": done | {"comparison": compared.id, "dataset": newer.id},
    }
    return SimpleNamespace(home=home, sessions=sessions)


@functools.cache
def page_config() -> str:
    """Return what a browser is told of the page; made elsewhere, as gradio leaves loops open."""
    code = """
import json, tempfile
from pathlib import Path
from ocrtune.ui.page import build_page
print(json.dumps(build_page(Path(tempfile.mkdtemp())).get_config_file(), default=str))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@dataclass
class Shown:
    """The page as it would stand in a browser: its widgets, and what they hold now."""

    components: dict[int, dict]
    layout: dict

    @classmethod
    def of(
        cls, home: Path, session: dict, language: str = "en", view: View | None = None
    ) -> "Shown":
        """Return the page after a look at these jobs."""
        config = json.loads(page_config())
        components = {one["id"]: one for one in config["components"]}
        outputs = Watching(home).watch(session, language, {}, view)
        watched = next(one for one in config["dependencies"] if len(one["outputs"]) == len(outputs))
        for number, output in zip(watched["outputs"], outputs, strict=True):
            props = components[number]["props"]
            if isinstance(output, str):
                props["value"] = output
            elif isinstance(output, gr.blocks.Block):
                props |= output.constructor_args
        return cls(components, config["layout"])

    def part(self, name: str) -> list[dict]:
        """Return the visible widgets of a tab, in their order."""

        def find(node: dict) -> dict | None:
            one = self.components.get(node["id"], {})
            if one.get("type") == "tabitem" and one["props"]["id"] == name:
                return node
            return next((got for child in node.get("children", ()) if (got := find(child))), None)

        def visible(node: dict) -> list[dict]:
            one = self.components[node["id"]]
            if one["props"].get("visible", True) is not True:
                return []
            inner = [got for child in node.get("children", ()) for got in visible(child)]
            return [one, *inner]

        return visible(find(self.layout))

    def primary(self, name: str) -> list[str]:
        """Return the buttons of a tab that stand out."""
        found = []
        for one in self.part(name):
            props = one["props"]
            if one["type"] == "button" and props.get("variant") == "primary":
                found.append(props.get("elem_id") or str(props.get("value")))
            if one["type"] == "html":
                buttons = r'<button[^>]*class="ot-act ot-primary"[^>]*>([^<]*)'
                found += re.findall(buttons, props.get("value") or "")
        return found


def words_of(one: dict, language: str) -> str:
    """Return everything that a widget says, in that language, without markup."""
    props = one["props"]
    told = [props.get(name) for name in ("label", "value", "info", "placeholder", "choices")]
    raw = KEY.sub(lambda found: say_raw(language, found[1]), str(told))
    return re.sub(r"<[^>]*>", " ", raw)


def say_raw(language: str, key: str) -> str:
    return LANGUAGES[language][key]


# One next step


@pytest.mark.parametrize("state", STATES)
def test_each_tab_has_exactly_one_primary_button(way, state):
    shown = Shown.of(way.home, way.sessions[state])
    found = {name: shown.primary(name) for name in TABS}
    assert {name: len(buttons) for name, buttons in found.items()} == dict.fromkeys(TABS, 1), found


@pytest.mark.parametrize("name", TABS)
def test_each_tab_has_three_numbered_steps(way, name):
    for state in ("empty", "compared"):
        shown = Shown.of(way.home, way.sessions[state]).part(name)
        assert sum("ot-step" in (one["props"].get("elem_classes") or ()) for one in shown) == 3
        cards = [one["props"].get("elem_classes") or () for one in shown]
        assert sum("ot-step-card" in card for card in cards) == 3


@pytest.mark.parametrize(
    ("state", "button", "act"),
    [
        ("empty", "Load the sample", ["click", "#ot-sample"]),
        ("building", "Watch", ["show", "#ot-dataset-report"]),
        ("asked", "Answer it", ["show", "#ot-dataset-report"]),
        ("failed", "See why", ["show", "#ot-dataset-report"]),
        ("built", "Start learning", ["click", "#ot-start"]),
        ("learning", "Watch", ["show", "#ot-train-progress"]),
        ("lost", "Go on", ["click", "#ot-resume"]),
        ("learned", "Try it", ["click", "#ot-read"]),
        ("reading", "Watch", ["show", "#ot-try-result"]),
        ("read", "Compare", ["click", "#ot-compare"]),
        ("comparing", "Watch", ["show", "#ot-compare-result"]),
        ("compared", "Bring pictures", ["show", "#ot-bring"]),
        ("newer", "Start learning", ["click", "#ot-start"]),  # a dataset that was never learned
    ],
)
def test_the_guide_names_the_next_step(way, state, button, act):
    html = guide.show_guide(look_at_all(way.home, way.sessions[state]), "en")[0]
    assert html.count("<button") == 1
    assert f">{button}</button>" in html
    acts = re.search(r'data-ot-acts="([^"]*)"', html)[1].replace("&quot;", '"')
    assert act in json.loads(acts)
    chinese = guide.show_guide(look_at_all(way.home, way.sessions[state]), "zh")[0]
    assert button not in chinese


def test_every_place_of_the_guide_is_on_the_page(way):
    """Its script finds what it presses and shows by ids."""
    names = {one["props"].get("elem_id") for one in Shown.of(way.home, {}).components.values()}
    acts = [act for acts in (*guide.ACTS.values(), *guide.PLACES.values()) for act in acts]
    for what, place, *_ in acts:
        if what == "tab":
            assert place in TABS
        elif place != guide.PICTURE:
            assert place.removeprefix("#") in names, place


def test_tabs_are_ticked_off_as_things_are_done(way):
    done = {state: guide.done_tabs(look_at_all(way.home, way.sessions[state])) for state in STATES}
    assert done["empty"] == done["building"] == []
    assert done["learning"] == ["dataset"]
    assert done["read"] == ["dataset", "train", "try"]
    assert done["compared"] == list(TABS)
    assert done["newer"] == ["dataset"]


def test_progress_is_told_with_time_and_memory(way):
    looks = look_at_all(way.home, way.sessions["learning"])
    assert "step 1 of 2, about 2 min left" in guide.show_guide(looks, "en")[0]
    progress = watching.show_train(looks, "en")[5]
    assert "Step 1 of 2" in progress
    assert "about 2 min left" in progress
    assert "3.0 of 15.8 GB of memory" in progress
    cer = watching.show_train(looks, "en")[9]
    assert cer.count("<circle") == 1, "a first measurement alone can be seen"


@pytest.mark.parametrize(
    ("state", "primary", "button"),
    [
        ("empty", "ot-build", "Build the dataset"),
        ("built", "ot-build", "Build the dataset"),
        ("failed", "ot-build", "Build the dataset"),
        ("asked", "ot-answer", "Answer it"),
        ("building", "ot-sample", "Watch"),
    ],
)
def test_a_zip_that_was_chosen_is_built_next(way, state, primary, button):
    session = way.sessions[state]
    edits = EditActions(Actions(way.home, ("true",)))
    view = edits.note_archive({"path": "x.zip"}, View(), session, "en")
    assert Shown.of(way.home, session, view=view).primary("dataset") == [primary]
    html = guide.show_guide(look_at_all(way.home, session), "en", view)[0]
    assert f">{button}</button>" in html
    assert edits.note_archive(None, view, session, "en") == View()
    assert not guide.is_brought(look_at_all(way.home, way.sessions["newer"]), view), "it was built"


# Empty tabs


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TABS)
def test_an_empty_tab_explains_itself_and_offers_the_sample(way, name, language):
    shown = Shown.of(way.home, {}, language).part(name)
    words = " ".join(words_of(one, language) for one in shown)
    assert say(language, "sample_button") in words


# Terms

PATTERNS = {  # of each term: where a text uses it, in English and in Chinese
    "ground_truth": (r"ground truth", "标准文字"),
    "sample": (r"\bsamples\b|\b(a|each|longest) sample\b", "样本"),  # not: load the sample
    "split": (r"\bsplits?\b|kept unseen for the proof", "留作验证"),
    "base_model": (r"base model", "基础模型"),
    "tuned_model": (r"tuned model", "微调后的模型"),
    "preset": (r"\bpresets?\b|Standard: the usual choice", "预设|通常选它|常用"),
    "step": (r"\bsteps\b", "(?<!下一)步(?!骤)"),
    "adapter": (r"\badapters?\b", "适配器"),
    "loss": (r"\bloss\b", "损失"),
    "cer": (r"\bCER\b", "CER"),
    "interval": (r"\binterval\b", "区间"),
}


def cards(shown: list[dict]) -> list[list[dict]]:
    """Return the widgets of a tab by card; what lies between cards belongs to the one before."""
    found: list[list[dict]] = [[]]
    for one in shown:
        if "ot-step-card" in (one["props"].get("elem_classes") or ()):
            found.append([])
        found[-1].append(one)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["empty", "learning", "compared"])
@pytest.mark.parametrize("name", TABS)
def test_a_term_is_explained_in_the_card_where_it_is_met_first(way, name, state, language):
    shown = Shown.of(way.home, way.sessions[state], language).part(name)
    explained = set()
    for card in cards(shown):
        ids = [one["props"].get("elem_id") or "" for one in card]
        for key in (one.removeprefix("ot-terms-") for one in ids if one.startswith("ot-terms-")):
            explained |= set(terms.CARDS[key])
        words = " ".join(
            words_of(one, language)
            for one, key in zip(card, ids, strict=True)
            if not key.startswith("ot-terms-")
        )
        for term, patterns in PATTERNS.items():
            found = re.search(dict(zip(("en", "zh"), patterns, strict=True))[language], words)
            where = words[max(0, found.start() - 60) : found.end() + 40] if found else ""
            assert not found or term in explained, f"{term}: …{where}…"


def test_every_term_has_its_line_in_both_languages():
    named = {name for names in terms.CARDS.values() for name in names}
    assert named == set(PATTERNS)
    for language in LANGUAGES:
        for name in named:
            means = say(language, f"term_{name}_means")
            assert 10 < len(means) < 160
            html = terms.explained([name], language)
            assert "<details" in html
            assert "<summary>" in html


# Advice


def told(**changes) -> str:
    return preflight_views.result(dataclasses.replace(PREFLIGHT, **changes), "en")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "This will work here.</b> The whole run takes about 5 min."),
        ({}, "that costs about $0.03"),
        ({}, "It looks at about 48 % of the 998 samples. For all of them, choose Thorough."),
        ({}, "left out: 2 samples"),
        ({}, "cannot write 2 of your characters: ß &lt;."),
        ({"epochs": 3.0}, "all 998 samples, each about 3 times."),
        ({"epochs": 40.0}, "more samples would help more"),
        ({"peak_bytes": 15_000_000_000}, "Memory is tight."),
        ({"peak_bytes": 16_000_000_000}, "This needs more memory than there is here."),
    ],
)
def test_a_check_gives_advice_in_sentences_and_folds_its_figures(changes, words):
    html = told(**changes)
    assert words in html.partition("<details")[0]
    assert "tokens to learn" in html.partition("<details")[2]
    assert "tokens to learn" not in html.partition("<details")[0]

"""The page without a browser: words, what is shown, what is refused, what is served."""

import ast
import dataclasses
import io
import json
import os
import re
import stat
import string
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gradio.context import LocalContext
from gradio.utils import get_upload_folder
from page_server import serve_page
from PIL import Image
from preflights import PREFLIGHT

from ocrtune import jobs
from ocrtune.config import CHECKPOINT, CHOICES, BuildConfig, CompareConfig, ReadConfig, TrainConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.errors import JobError, OcrtuneError
from ocrtune.events import (
    Asked,
    Done,
    Evaluated,
    Failed,
    Note,
    Progress,
    Read,
    SampleRead,
    Step,
    Written,
    append_event,
)
from ocrtune.families import DEEPSEEK_OCR, FAMILIES
from ocrtune.records import OcrContract, Prediction
from ocrtune.report import build_comparison, write_report
from ocrtune.ui import curves, knobs, page, train_views, uploads, watching
from ocrtune.ui.actions import Actions, recipe_key
from ocrtune.ui.compare_actions import CompareActions
from ocrtune.ui.elsewhere import HERE, Elsewhere
from ocrtune.ui.looks import look
from ocrtune.ui.shared_actions import SharedActions
from ocrtune.ui.visitors import SECRET, VISITOR, owner_of
from ocrtune.ui.watching import PANELS, Watching
from ocrtune.ui.words import LANGUAGES, say

UI = Path(page.__file__).parent
BEFORE = (
    "dataset",
    "gallery",
    "gallery_text",
    "kept",
    "shared",
    "train",
)  # panels up to the preflight, its last
PREFLIGHT_PLACE = sum(PANELS[name].width for name in BEFORE) - 1
ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"
CONTRACT = OcrContract(
    family="tiny",
    base_model="tiny",
    revision="0",
    prompt="",
    layout="line",
    max_new_tokens=64,
    no_repeat_ngram=0,
    ngram_window=0,
)


def zip_of(texts: list[str], extra: str = "") -> bytes:
    """Return an archive with a picture for each text; `extra` is added to the content file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        lines = []
        for number, text in enumerate(texts):
            picture = io.BytesIO()
            Image.new("RGB", (40, 20), (number, 90, 30)).save(picture, "PNG")
            archive.writestr(f"{number}.png", picture.getvalue())
            lines.append(f"{number}.png {text}")
        archive.writestr("content.md", "\n".join([*lines, extra]))
    return buffer.getvalue()


def make_job(home: Path, command: str, config: object, events=(), state="done") -> jobs.Job:
    """Return a job as a worker would have left it."""
    job = jobs.create(home)
    config(job.folder).save(job.folder / "config.json")
    for event in events:
        append_event(job.folder / "events.jsonl", event)
    pid = os.getpid() if state not in jobs.ENDED else 0
    jobs.Status(
        state=state,
        command=command,
        created=time.time(),
        pid=pid,
        started=jobs.process_start(pid) or "",
        heartbeat=float(len(events)),
    ).save(job.folder)
    return job


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """A visitor whose dataset, run, reading and comparison are done, all with hostile texts."""
    home = tmp_path_factory.mktemp("home")
    texts = [f"第{number}行 {ATTACK}" for number in range(12)]
    source = home / "pictures.zip"
    source.write_bytes(zip_of(texts, extra=f"{ATTACK} no picture\n0.png\n"))

    def build(folder):
        return BuildConfig(source=str(source), output=str(folder / "dataset"))

    dataset = make_job(home, "build", build)
    build_dataset(build(dataset.folder))
    prefix = str(dataset.folder / "dataset")
    run = make_job(
        home,
        "train",
        lambda folder: TrainConfig(data=prefix, output=str(folder / "run")),
        [
            Note(ATTACK),
            replace(PREFLIGHT, longest_sample=ATTACK, unknown_characters={ATTACK: 2}),
            Evaluated(0, 0.5, 3),
            SampleRead(0, ATTACK, ATTACK, "x"),
            Step(1, 2, 2.5, 1.0, 1.0),
            Step(2, 2, 1.5, 2.0, 0.0),
            Evaluated(2, 0.25, 3),
            SampleRead(2, ATTACK, ATTACK, ATTACK),
            Done("ok"),
        ],
    )
    adapter = str(run.folder / "run" / "adapter")
    reading = make_job(
        home,
        "read",
        lambda folder: ReadConfig(pictures=("a.png",), adapter=adapter, both=True),
        [
            Read("a.png", ATTACK, 0.1, "tiny", False, ""),
            Read("a.png", "else", 0.1, "tiny + adapter", True, ""),
        ],
    )
    (reading.folder / "reference.txt").write_text(ATTACK, "utf-8")
    comparison = make_job(
        home,
        "compare",
        lambda folder: CompareConfig(data=prefix, adapter=adapter, output=str(folder / "report")),
    )
    samples = load_samples(prefix, "test")
    base, tuned = (
        [
            Prediction(picture_id=sample.picture_id, text=text, seconds=0.1, model=ATTACK)
            for sample in samples
        ]
        for text in ("nothing", ATTACK)
    )
    write_report(
        build_comparison(CONTRACT, "test", samples, base, tuned, draws=200),
        {sample.picture_id: sample.picture for sample in samples},
        comparison.folder / "report",
    )
    session = {
        "dataset": dataset.id,
        "run": run.id,
        "reading": reading.id,
        "comparison": comparison.id,
    }
    actions = Actions(home, ("true",))
    compare = CompareActions(actions)
    return SimpleNamespace(home=home, session=session, actions=actions, compare=compare)


def shown(home: Path, session: object, language: str = "en", seen: object = None) -> list:
    return Watching(home).watch(session, language, seen or {})


def html_of(outputs: list) -> str:
    return "\n".join(output for output in outputs if isinstance(output, str))


# Words


def test_both_languages_have_the_same_words_with_the_same_blanks():
    blanks = {
        language: {
            key: sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for key, text in words.items()
        }
        for language, words in LANGUAGES.items()
    }
    assert blanks["zh"] == blanks["en"]
    assert all(text.strip() for words in LANGUAGES.values() for text in words.values())


def constants(node: ast.AST) -> list[str]:
    """Return the texts that are written out in an argument, in its lists and f-strings too."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    inside = isinstance(node, ast.List | ast.Tuple | ast.JoinedStr | ast.BinOp)
    return [text for child in ast.iter_child_nodes(node) for text in constants(child) if inside]


def visible_strings(path: Path) -> list[str]:
    """Return the texts given to widgets as constants, where people would see them."""
    seen_by_people = {"label", "value", "info", "placeholder", "title", "choices", "x_title"}
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(
            ("gr.", "PolledBlocks")
        ):
            given = [word.value for word in node.keywords if word.arg in seen_by_people]
            found += [text for argument in [*node.args, *given] for text in constants(argument)]
    return [text for text in found if re.search(r"\w", text)]


@pytest.mark.parametrize(
    "name",
    [
        "dataset_tab",
        "gallery_part",
        "editor",
        "train_tab",
        "knobs",
        "try_tab",
        "compare_tab",
        "compare_part",
        "parts",
        "elsewhere_part",
    ],
)
def test_no_tab_has_words_of_its_own(name):
    assert visible_strings(UI / f"{name}.py") == []


def test_names_of_choices_are_no_keys_of_words():
    """The browser replaces every text that is a key, wherever it stands."""
    names = {word for words in CHOICES.values() for word in words}
    names |= {name for family in FAMILIES.values() for name in family.layouts}
    assert names.isdisjoint(LANGUAGES["en"])


def test_only_names_are_not_translated():
    own = set(visible_strings(UI / "page.py"))
    assert own == {"ocrtune", '<h1 class="ot-name">ocr<b>tune</b></h1>', "中文", "English"} | {
        "zh",
        "en",
    }


def test_a_chinese_page_holds_no_english_sentence(visit):
    """Texts of visitors, lines of their files and remarks of the worker stay as they are."""
    theirs = (
        r'<span class="ot-text".*?</span>|<code>.*?</code>|<li>.*?</li>'
        r"|<figcaption>.*?</figcaption>|<bdi>.*?</bdi>"
    )
    for session in (visit.session, {}):
        ours = re.sub(theirs, "", html_of(shown(visit.home, session, "zh")))
        english = set(re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>|&\w+;", " ", ours)))
        names = {"zip", "pictures", "GB", "t", "small", "tiny"}  # pictures.zip, t4-small
        names |= set("ISDCn") | {"WER", "PNG", "CSV"}  # (I+S+D)/(I+S+D+C), CER (n), files
        names |= {"NVIDIA", "Google", "Colab", "T", "Space"}
        assert english <= {"CER", "OCR", "GPU", "DeepSeek"} | names


# What is shown


def test_every_panel_fills_exactly_its_widgets(visit, served):
    config = served.get("/config").json()
    widths = [len(handler["outputs"]) for handler in config["dependencies"]]
    outputs = shown(visit.home, visit.session)
    # arriving, switching, the timer, a tab that is seen again; a file, starts, the Hub, answers,
    # stops; repairs; the log, the visitor's own jobs, and a run that comes back from the Hub;
    # lines; the checkup of this machine; sharing a dataset, and stopping that; pushing an adapter;
    # several pictures, and corrections of what was read
    assert widths.count(len(outputs)) == 4 + 12 + 20 + 2 + 8 + 1 + 9 + 1 + 2 + 1 + 6
    assert sum(panel.width for panel in PANELS.values()) + 2 == len(outputs)
    for name, panel in PANELS.items():
        for session in (visit.session, {}):
            looks = watching.look_at_all(visit.home, session)
            assert len(panel.show(looks, "en")) == panel.width, name


# Datasets of the Hub, and what a build asks


def from_hub(visit, name, rows=200, order="first", names=("", "", "", ""), language="en"):
    return visit.actions.build_from_hub(name, rows, order, *names, "", {}, language)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a/b", {"source": "hf://datasets/a/b", "rows": 200, "random_rows": False}),
        ("mnist", {"source": "hf://datasets/mnist"}),
        (
            "https://huggingface.co/datasets/a/b/viewer/en/test",
            {"source": "hf://datasets/a/b", "subset": "en", "from_split": "test"},
        ),
        ("ocrtune/ui", {"source": "hf://datasets/ocrtune/ui"}),  # a folder here; never read
    ],
)
def test_a_dataset_of_the_hub_is_built_by_its_id(visit, name, settings):
    session = from_hub(visit, name)
    config = config_of(visit.actions, session, "dataset")
    assert settings.items() <= config.items()


def test_what_a_visitor_says_of_a_hub_dataset_reaches_the_build(visit):
    session = from_hub(visit, "a/b", 7, "random", (" en ", "train", "", "gt"))
    config = config_of(visit.actions, session, "dataset")
    expected = {"rows": 7, "random_rows": True, "subset": "en", "from_split": "train"}
    assert (expected | {"image_column": "", "text_column": "gt"}).items() <= config.items()


@pytest.mark.parametrize(
    ("name", "rows", "words"),
    [
        ("", 5, "请先填写数据集 id"),
        (None, 5, "请先填写数据集 id"),
        ("/etc/passwd", 5, "不是 Hub 上的数据集"),
        ("../../secret", 5, "不是 Hub 上的数据集"),
        ("~/pictures.zip", 5, "不是 Hub 上的数据集"),
        ("a/b", 0, "行数必须是"),
        ("a/b", float("nan"), "行数必须是"),
        ("a/b", "many", "行数必须是"),
    ],
)
def test_what_is_no_dataset_of_the_hub_is_refused(visit, name, rows, words):
    with pytest.raises(gr.Error, match=words):
        from_hub(visit, name, rows, language="zh")


def asking(visit, setting="text_column", choices=("text", "label"), upload=True):
    """Return the session of a visitor whose build has asked something."""

    def config(folder):
        source = folder / "upload" / "x.zip"
        source.parent.mkdir()
        source.write_bytes(zip_of(["a", "b", "c"]))
        return BuildConfig(source=str(source), output=str(folder / "dataset"), rows=9)

    events = [Asked(f"Which? {ATTACK}", setting, list(choices)), Failed("Which?", "Choose.")]
    return {"dataset": make_job(visit.home, "build", config, events, "failed").id}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Several columns may hold the texts"), ("zh", "有好几列都可能是文字")],
)
def test_a_question_is_shown_with_its_choices(visit, language, words):
    outputs = shown(visit.home, asking(visit), language)
    assert words in outputs[0]
    assert "<script" not in outputs[0]
    radio, answer = outputs[3:5]
    assert [value for _, value in radio.choices] == ["text", "label"]
    assert radio.visible
    assert answer.visible


def test_the_answer_builds_again_from_files_of_its_own(visit):
    session = asking(visit)
    before = visit.home / "jobs" / session["dataset"]
    again = visit.actions.answer("label", session, "en")
    config = config_of(visit.actions, again, "dataset")
    folder = visit.home / "jobs" / again["dataset"]
    assert (config["text_column"], config["rows"]) == ("label", 9)
    assert config["output"] == str(folder / "dataset")
    assert config["source"] == str(folder / "upload" / "x.zip")
    assert Path(config["source"]).read_bytes() == (before / "upload" / "x.zip").read_bytes()


def test_a_chosen_content_file_is_the_one_in_the_zip(visit):
    """The worker runs where a README.md lies, too."""
    session = asking(visit, "content", ("README.md", "content.md"))
    source = visit.home / "jobs" / session["dataset"] / "upload" / "x.zip"
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("README.md", "0.png from the readme\n1.png b\n2.png c\n")
    again = visit.actions.answer("README.md", session, "en")
    config = BuildConfig.load(visit.home / "jobs" / again["dataset"] / "config.json")
    report = build_dataset(config)
    assert report.content == "README.md"
    assert report.samples == 3


@pytest.mark.parametrize("choice", ["else", "", None, 3, ["text"]])
def test_an_answer_that_was_not_offered_is_refused(visit, choice):
    with pytest.raises(gr.Error, match="Choose one of the answers"):
        visit.actions.answer(choice, asking(visit), "en")


def test_a_question_about_another_setting_is_none(visit):
    """Which settings a visitor may set is not for the events of a job to say."""
    session = asking(visit, "source", ("/etc/passwd",))
    assert not shown(visit.home, session)[3].visible
    with pytest.raises(gr.Error, match="no open question"):
        visit.actions.answer("/etc/passwd", session, "en")
    with pytest.raises(gr.Error, match="no open question"):
        visit.actions.answer("text", visit.session, "en")


def test_a_build_under_way_can_be_stopped(visit):
    job = make_job(
        visit.home, "build", lambda folder: BuildConfig(source="x", output="y"), (), "running"
    )
    session = {"dataset": job.id}
    assert shown(visit.home, session)[5].visible
    assert not shown(visit.home, visit.session)[5].visible
    visit.actions.stop_build(session, "en")
    assert (job.folder / "STOP").exists()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_hostile_texts_are_shown_as_texts(visit, language):
    html = html_of(shown(visit.home, visit.session, language))
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;script&gt;") > 10


def test_the_report_names_every_rejected_line_with_its_reason(visit):
    html = html_of(shown(visit.home, visit.session))
    assert "Line 13" in html
    assert "does not begin with the path of a picture" in html
    assert "Line 14" in html
    assert "There is no text after the path." in html


def test_curves_hold_every_step_and_measurement(visit):
    outputs = shown(visit.home, visit.session)
    loss, cer = [output for output in outputs if isinstance(output, str) and "ot-drawn" in output]
    for drawn, title in ((loss, "Loss at step 2: 1.5"), (cer, "CER at step 2: 25 %")):
        assert f'aria-label="{title}"' in drawn
        assert drawn.count("<circle") == 2
        assert drawn.count('class="stroke tuned"') == 1


def test_a_single_point_can_be_seen_and_many_are_thinned():
    alone = curves.curve([(0, 50.0)], "cer", 60, "en")
    assert alone.count("<circle") == 1
    assert 'class="stroke tuned"' not in alone
    many = curves.curve([(n, 1 / n) for n in range(1, 5001)], "loss", 5000, "zh")
    path = re.search(r'class="stroke tuned" d="([^"]*)"', many)[1]
    assert path.count("L") <= curves.MOST
    assert many.count("<circle") == 1
    assert curves.curve([], "loss", 60, "en") == ""


@pytest.mark.parametrize("highest", [0.0, 1e-6, 0.4, 1.0, 7.0, 100.0, 149.0, 1e9])
def test_the_lines_of_a_curve_are_round_and_few(highest):
    drawn = curves.curve([(1, highest)], "loss", 9, "en")
    assert 2 <= drawn.count('class="stroke rule"') <= curves.TICKS + 2
    y = float(re.search(r'cy="([^"]*)"', drawn)[1])
    assert curves.TOP - 0.1 <= y <= curves.HEIGHT - curves.BOTTOM + 0.1


def test_both_rates_and_the_verdict_are_shown(visit):
    html = html_of(shown(visit.home, visit.session))
    assert "fewer errors" in html
    assert "2 unseen pictures" in html
    assert html.count('class="ot-picture"') == 12 + 2  # the gallery and the worst lines


def test_a_second_look_sends_nothing_twice(visit):
    first = shown(visit.home, visit.session)
    *panels, timer, _ = shown(visit.home, visit.session, seen=first[-1])
    assert all(output == gr.skip() for output in panels)
    assert timer.active is False
    again = shown(visit.home, visit.session, "zh", seen=first[-1])
    assert "个样本已就绪" in html_of(again)  # another language is something new


def test_another_look_tells_all_once_more_but_never_what_people_write_in(visit):
    first = shown(visit.home, visit.session)
    again = Watching(visit.home).look_again(visit.session, "en", first[-1])
    assert again[-1] == first[-1]
    for name, before in panels_before():
        start, panel = sum(one.width for one in before), PANELS[name]
        told, earlier = (outputs[start : start + panel.width] for outputs in (again, first))
        if panel.speaks:
            assert html_of(told) == html_of(earlier), name
        else:
            assert all(output == gr.skip() for output in told), name


def panels_before() -> list[tuple[str, list]]:
    """Return each panel's name with those that are filled before it."""
    panels = list(PANELS.items())
    return [(name, [one for _, one in panels[:at]]) for at, (name, _) in enumerate(panels)]


def test_the_page_polls_only_while_a_job_is_under_way(visit):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, [Step(1, 9, 1.0, 1.0, 8.0)], state="running")
    outputs = shown(visit.home, {"run": run.id})
    assert outputs[-2].active is True
    assert "Step 1 of 9" in html_of(outputs)
    assert "about 10 s left" in html_of(outputs)
    run.stop()
    assert "Stopping after this step" in html_of(shown(visit.home, {"run": run.id}))


@pytest.mark.parametrize(
    ("state", "events", "words"),
    [
        ("failed", [Failed("The disk is full.", "Make `room`.")], "Make <code>room</code>."),
        ("lost", [], "The work was interrupted"),
        (
            "stopped",
            [Done("", stopped=True)],
            "Stopped before",
        ),  # in the queue: nothing was learned
    ],
)
def test_an_end_is_explained(visit, state, events, words):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, events, state=state)
    html = watching.show_train(watching.look_at_all(visit.home, {"run": run.id}), "en")[5]
    assert words in html


def test_a_run_stopped_on_its_way_can_be_used(visit):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, [Done("", stopped=True)], state="stopped")
    (run.folder / "run" / "adapter").mkdir(parents=True)
    (run.folder / "run" / "adapter" / "contract.json").write_text("{}")
    look = watching.look_at_all(visit.home, {"run": run.id})["run"]
    assert look.usable
    assert "Stopped early." in train_views.progress(look, [], "en")


def test_a_damaged_report_is_told_and_does_not_stop_the_page(visit):
    config = lambda folder: CompareConfig(data="d", adapter="a", output=str(folder))  # noqa: E731
    broken = make_job(visit.home, "compare", config)
    (broken.folder / "report").mkdir()
    (broken.folder / "report" / "report.json").write_text("{", "utf-8")
    html = html_of(shown(visit.home, visit.session | {"comparison": broken.id}))
    assert "cannot be read as a report" in html
    assert "samples are ready" in html


@pytest.mark.parametrize(
    "session", [None, [], "x", 7, {"run": None}, {"run": ["a"]}, {"run": "../../etc"}, {"x": {}}]
)
def test_nonsense_from_the_browser_shows_an_empty_page(visit, session):
    assert "Nothing here yet" in html_of(shown(visit.home, session, language="xx", seen=session))


# Coming back


def arrive(home: Path, session: object, **query: str) -> list:
    request = SimpleNamespace(query_params=query)
    return Watching(home).arrive(session, "compare", "zh", request)


def jobs_of(session: dict) -> dict:
    """Return what a browser remembers beside who its visitor is, which must be there."""
    assert SECRET.fullmatch(session[VISITOR])
    return {name: key for name, key in session.items() if name != VISITOR}


def test_a_visitor_comes_back_to_the_same_jobs_and_tab(visit):
    session, tabs, language, *names = arrive(visit.home, visit.session)
    assert (jobs_of(session), tabs.selected, language) == (visit.session, "compare", "zh")
    assert [tab.label for tab in names] == ["数据集", "微调", "试读", "对比"]


def test_the_link_to_a_run_brings_what_belongs_to_it(visit):
    """But no reading: what was read is none of its business."""
    session, tabs, *_ = arrive(visit.home, {}, run=visit.session["run"])
    belongs = ("run", "dataset", "comparison")
    assert jobs_of(session) == {name: visit.session[name] for name in belongs}
    assert tabs.selected == "train"


@pytest.mark.parametrize("link", ["", "../..", "a" * 22])
def test_a_wrong_link_changes_nothing(visit, link):
    assert jobs_of(arrive(visit.home, visit.session, run=link)[0]) == visit.session


def test_the_dataset_of_a_foreign_path_is_not_taken(visit):
    name = visit.session["dataset"]
    config = lambda folder: TrainConfig(data=f"/elsewhere/{name}/dataset", output="o")  # noqa: E731
    run = make_job(visit.home, "train", config)
    assert jobs_of(arrive(visit.home, {}, run=run.id)[0]) == {"run": run.id}


def test_a_visitor_keeps_one_secret_and_another_gets_another(tmp_path):
    first, *_ = arrive(tmp_path, {})
    again, *_ = arrive(tmp_path, first)
    other, *_ = arrive(tmp_path, {})
    assert again == first != other
    forged, *_ = arrive(tmp_path, {VISITOR: "a secret of mine"})
    assert jobs_of(forged) == {}


def test_a_job_belongs_to_who_started_it_and_its_files_hide_the_secret(tmp_path):
    actions = Actions(tmp_path / "home", ("true",))
    first, *_ = arrive(tmp_path, {})
    session = actions.load_sample(first, "en")
    status = tmp_path / "home" / "jobs" / session["dataset"] / "status.json"
    assert json.loads(status.read_text("utf-8"))["owner"] == owner_of(first) != owner_of({})
    assert first[VISITOR] not in status.read_text("utf-8")


def test_the_job_of_a_signed_in_user_opens_for_nobody_else(tmp_path):
    actions = Actions(tmp_path / "home", ("true",))
    with asked_by("ada"):
        session = actions.load_sample({}, "en")
        assert look(actions.home, session, "dataset").job
    for somebody in ("", "bob"):
        with asked_by(somebody):
            assert not look(actions.home, session, "dataset").job


@contextmanager
def asked_by(user: str) -> Iterator[None]:
    """Answer a request of a user who has signed in."""
    token = LocalContext.request.set(gr.Request(username=user))
    try:
        yield
    finally:
        LocalContext.request.reset(token)


# What a button does


@pytest.fixture
def upload(monkeypatch, tmp_path):
    """Put a file where gradio puts uploads, and return its path."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))

    def put(name: str, data: bytes) -> str:
        path = tmp_path / "uploads" / "0123" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    return put


def config_of(actions: Actions, session: dict, name: str) -> dict:
    path = actions.home / "jobs" / session[name] / "config.json"
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", ["../../../secret.png", "{home}/secret.png", "secret.png"])
def test_an_uploaded_table_never_leads_to_files_of_the_server(tmp_path, upload, path):
    home = tmp_path / "home"
    secret = home / "secret.png"
    home.mkdir()
    Image.new("RGB", (90, 30), "red").save(secret)
    table = io.BytesIO()
    rows = {"image_path": [path.format(home=home), "other.png"], "text": ["a", "b"]}
    pq.write_table(pa.table(rows), table)
    actions = Actions(home, ("true",))
    session = actions.build(upload("t.parquet", table.getvalue()), None, False, "", "", {}, "en")
    config = BuildConfig.load(home / "jobs" / session["dataset"] / "config.json")
    with pytest.raises(OcrtuneError, match="There is no picture"):
        build_dataset(config)
    assert not list((home / "jobs" / session["dataset"]).glob("dataset_*.parquet"))


def test_a_table_of_ones_own_may_lead_to_ones_own_files(tmp_path):
    Image.new("RGB", (90, 30), "red").save(tmp_path / "mine.png")
    (tmp_path / "table").mkdir()
    source = tmp_path / "table" / "t.parquet"
    pq.write_table(pa.table({"image_path": [str(tmp_path / "mine.png")], "text": ["a"]}), source)
    report = build_dataset(BuildConfig(source=str(source), output=str(tmp_path / "d")))
    assert report.samples == 1


def test_a_file_of_another_kind_is_refused_by_name(tmp_path, upload):
    actions = Actions(tmp_path / "home", ("true",))
    archive = upload("content.md", b"/etc/x.png text")  # a content file may name any path
    with pytest.raises(gr.Error, match=r"cannot be taken here.*\.zip, \.pdf, \.parquet"):
        actions.build(archive, None, False, "", "", {}, "en")
    assert not (tmp_path / "home" / "jobs").exists()


def test_what_a_visitor_keeps_together_reaches_the_build(tmp_path, upload):
    actions = Actions(tmp_path / "home", ("true",))
    archive = upload("scans.zip", b"PK")
    session = actions.build(archive, None, False, " page ", "gb18030", {}, "en")
    config = config_of(actions, session, "dataset")
    assert (config["group_by"], config["encoding"]) == ("page", "gb18030")
    session = actions.build_from_hub("a/b", 5, "first", "", "", "", "", "writer", {}, "en")
    assert config_of(actions, session, "dataset")["group_by"] == "writer"
    session = actions.build(archive, None, False, {"a": 1}, None, {}, "en")
    config = config_of(actions, session, "dataset")
    assert (config["group_by"], config["encoding"]) == ("", "")


def test_an_upload_is_kept_in_the_job_and_built_there(tmp_path, upload):
    actions = Actions(tmp_path / "home", ("true",))
    archive, content = upload("my scans.zip", b"PK"), upload("content.md", b"a b")
    session = actions.build(archive, content, True, "", "", {}, "en")
    config = config_of(actions, session, "dataset")
    folder = actions.home / "jobs" / session["dataset"]
    assert Path(config["source"]) == folder / "upload" / "my_scans.zip"
    assert Path(config["source"]).read_bytes() == b"PK"
    assert Path(config["content"]).read_bytes() == b"a b"
    assert Path(config["output"]) == folder / "dataset"


@pytest.mark.parametrize("path", ["/etc/passwd", "relative.zip", "", "a\0b", 7, {"path": None}])
def test_a_path_that_was_not_uploaded_is_refused(tmp_path, upload, path):
    actions = Actions(tmp_path / "home", ("true",))
    with pytest.raises(gr.Error, match="not uploaded here|Choose a file"):
        actions.build(path, None, True, "", "", {}, "en")
    with pytest.raises(gr.Error, match="not uploaded here"):
        actions.read({"path": "/etc/passwd"}, "", "own", "", {}, "en")


def test_a_link_out_of_the_upload_folder_is_refused(tmp_path, upload):
    secret = tmp_path / "secret.zip"
    secret.write_bytes(b"PK")
    link = Path(upload("real.zip", b"PK")).with_name("link.zip")
    link.symlink_to(secret)
    with pytest.raises(gr.Error, match="not uploaded here"):
        Actions(tmp_path / "home", ("true",)).build(str(link), None, True, "", "", {}, "en")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x.zip", "_.._x.zip"),
        (".hidden", "hidden"),
        ("图片 1.zip", "图片_1.zip"),
        ("a" * 300 + ".zip", "a" * 80 + ".zip"),
    ],
)
def test_names_of_uploads_become_harmless(name, kept):
    assert uploads.plain_name(name) == kept


KNOWN = {VISITOR: "v" * 22}  # a secret of a visitor


def start(visit, session=None, language="en", base="tiny", other="", **changes):
    """Start a run as the page does, with every setting as it stands there unless it is changed."""
    values = {knob.name: knobs.DEFAULTS[knob.name] for knob in knobs.KNOBS} | changes
    session = KNOWN | (visit.session if session is None else session)
    settings = (base, other, *values.values())
    start_here = Elsewhere(visit.actions).start
    return start_here(HERE, False, {}, "", *settings, session, language)


def test_start_trains_on_the_visitors_own_dataset(visit):
    session = start(visit, steps=30, batch_size=4, lora_rank=8)
    config = config_of(visit.actions, session, "run")
    folder = visit.home / "jobs"
    assert config["data"] == str(folder / visit.session["dataset"] / "dataset")
    assert config["output"] == str(folder / session["run"] / "run")
    assert (config["steps"], config["batch_size"], config["lora_rank"]) == (30, 4, 8)
    assert set(session) == {
        "dataset",
        "run",
        VISITOR,
    }  # what belonged to the run before is forgotten


def test_every_setting_of_a_run_is_on_the_page():
    on_page = [knob.name for knob in knobs.KNOBS]
    everything = {field.name for field in dataclasses.fields(TrainConfig)}
    assert len(on_page) == len(set(on_page))
    assert everything == set(on_page) | set(knobs.ELSEWHERE)
    assert set(knobs.ELSEWHERE) == {"data", "output", "base", "fraction", "start_from"}


def test_what_is_set_on_the_page_is_what_is_trained_with(visit):
    """Every setting is turned to something that is not its default."""
    turned = {}
    for knob in knobs.KNOBS:
        if knob.kind is bool:
            turned[knob.name] = not knobs.DEFAULTS[knob.name]
        elif knob.kind is str:
            turned[knob.name] = knobs.words_of(knob, DEEPSEEK_OCR)[-1]
        else:
            turned[knob.name] = knob.high
    turned["lora_experts"] = "no"
    session = start(visit, base="deepseek-ocr", **turned)
    config = config_of(visit.actions, session, "run")
    assert {name: config[name] for name in turned} == turned
    assert config["base"] == "deepseek-ocr"
    assert TrainConfig(**config)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 0},
        {"steps": 10**9},
        {"steps": None},
        {"steps": "60; rm -rf /"},
        {"steps": float("nan")},
        {"lora_rank": True},
        {"learning_rate": float("inf")},
        {"batch_size": -1},
        {"lora_dropout": 0.9},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(visit, changes):
    with pytest.raises(gr.Error, match="must be a number from"):
        start(visit, **changes)


@pytest.mark.parametrize(
    "changes", [{"schedule": "warm"}, {"engine": None}, {"augment": "yes"}, {"lora_vision": ["no"]}]
)
def test_choices_that_are_none_are_refused(visit, changes):
    with pytest.raises(gr.Error, match="cannot be set to that"):
        start(visit, **changes)


def test_a_layout_of_another_model_is_refused(visit):
    with pytest.raises(gr.Error, match="Picture layout cannot be set"):
        start(visit, base="deepseek-ocr", layout="line")


def test_what_a_model_does_not_have_keeps_its_default(visit):
    session = start(visit, lora_experts="yes", layout="gundam")
    config = config_of(visit.actions, session, "run")
    assert (config["lora_experts"], config["layout"]) == ("auto", TrainConfig.layout)


def choose(visit, base="tiny", other="", preset="standard", understood=""):
    return visit.actions.choose(base, other, preset, understood, {}, "en")


def test_a_preset_turns_the_settings_that_suit_the_base():
    visit = SimpleNamespace(actions=Actions(Path("nowhere")))
    now, words, *changes = choose(visit, "deepseek-ocr", preset="quick")
    turned = {
        knob.name: change["value"]
        for knob, change in zip(knobs.KNOBS, changes, strict=True)
        if "value" in change
    }
    usual = {"layout": TrainConfig.layout, "prompt": ""}
    assert turned == DEEPSEEK_OCR.preset("quick").settings() | usual
    assert '"recipe_quick"' in words.value
    _, _, *changes = choose(visit, "deepseek-ocr", understood=now)
    layout = changes[[knob.name for knob in knobs.KNOBS].index("layout")]
    assert "value" not in layout, "another preset leaves the layout as it was chosen"
    again = choose(visit, "deepseek-ocr", preset="quick", understood=now)
    assert all(change == gr.skip() for change in again), "nothing that was turned is turned back"


def test_a_base_without_experts_and_layouts_shows_no_setting_for_them():
    visit = SimpleNamespace(actions=Actions(Path("nowhere")))
    hidden = {}
    for base in ("tiny", "deepseek-ocr"):
        changes = choose(visit, base)[2:]
        pairs = zip(knobs.KNOBS, changes, strict=True)
        hidden[base] = {knob.name for knob, change in pairs if not change["visible"]}
    assert hidden == {"tiny": {"lora_experts", "layout", "prompt"}, "deepseek-ocr": set()}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_preset_tell_its_own_numbers(family, language):
    for preset in family.presets:
        words = say(language, recipe_key(family, preset))
        assert re.search(rf"\b{preset.steps}\D", words)
        assert f"{preset.steps * 8:,}" in words or preset.steps * 8 < 1500


@pytest.mark.parametrize(
    ("other", "base"),
    [
        ("stranger/model", "stranger/model"),
        ("  deepseek-ai/DeepSeek-OCR ", "deepseek-ai/DeepSeek-OCR"),
        ("deepseek-ocr", "deepseek-ocr"),
        ("", "tiny"),
        (None, "tiny"),
        (7, "tiny"),
    ],
)
def test_another_base_takes_the_place_of_the_choice(visit, other, base):
    assert config_of(visit.actions, start(visit, other=other), "run")["base"] == base


@pytest.mark.parametrize(
    "other",
    [
        "/etc",
        "../..",
        "~/model",
        "ocrtune/families",
        "./model/x",
        "a/b/c",
        "-x/y",
        "no such",
        "a/\n",
    ],
)
def test_folders_of_this_machine_are_not_for_visitors(visit, other):
    with pytest.raises(gr.Error, match="no base model that can be used here"):
        start(visit, other=other)
    with pytest.raises(gr.Error, match="no base model that can be used here"):
        choose(visit, other=other)


def test_the_owner_of_the_machine_may_name_a_folder(visit, tmp_path):
    sizes = {"vision_config": {"view_size": [48, 384]}}
    config = json.dumps({"model_type": "deepseek_vl_v2", **sizes})
    (tmp_path / "config.json").write_text(config, "utf-8")
    owner = Actions(visit.home, ("true",), folders=True)
    visit = SimpleNamespace(actions=owner, session=visit.session)
    session = start(visit, other=str(tmp_path))
    assert config_of(owner, session, "run")["base"] == str(tmp_path)


def test_a_lost_run_can_be_resumed_and_a_finished_one_cannot(visit):
    config = lambda folder: TrainConfig(data="d", output=str(folder / "run"))  # noqa: E731
    with pytest.raises(gr.Error, match="no interrupted run"):
        visit.actions.resume(KNOWN | visit.session, "en")
    run = make_job(visit.home, "train", config, [Step(1, 9, 1.0, 1.0, 8.0)], state="lost")
    (run.folder / "STOP").touch()
    session = visit.session | {"run": run.id}
    button = watching.show_train(watching.look_at_all(visit.home, session), "en")[4]
    assert button.visible is False, "nothing was saved"
    (run.folder / "run" / CHECKPOINT).parent.mkdir(parents=True)
    (run.folder / "run" / CHECKPOINT).touch()
    shown_now = watching.show_train(watching.look_at_all(visit.home, session), "en")
    assert shown_now[4].visible is True
    assert "Resume goes on" in shown_now[5]
    with pytest.raises(gr.Error, match="Only somebody whom the page knows"):
        visit.actions.resume(session, "en")
    again = visit.actions.resume(KNOWN | session, "en")
    assert again == KNOWN | {"dataset": session["dataset"], "run": run.id}
    assert not (run.folder / "STOP").exists()
    assert run.status().pid, "a worker was started"


def test_a_machine_in_trouble_is_told_in_the_visitors_language(visit, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs, "create", full)
    with pytest.raises(gr.Error, match="机器没能完成这一步：磁盘空间不足"):
        visit.actions.load_sample({}, "zh")


def test_a_base_that_no_radio_offers_is_not_taken(visit):
    session = start(visit, base="stranger/model")
    assert config_of(visit.actions, session, "run")["base"] == "tiny"


def check(visit, session=None, language="en"):
    session = KNOWN | (visit.session if session is None else session)
    values = [knobs.DEFAULTS[knob.name] for knob in knobs.KNOBS]
    return SharedActions(visit.actions).check("tiny", "", *values, "", session, language)


def test_a_check_is_made_with_the_settings_of_the_run(visit):
    session = check(visit)
    config = config_of(visit.actions, session, "check")
    run = config_of(visit.actions, start(visit), "run")
    assert {**config, "output": ""} == {**run, "output": ""}
    assert session == KNOWN | visit.session | {"check": session["check"]}, "nothing is forgotten"
    assert "check" not in start(visit, session), "a run finds out for itself"


def test_a_check_is_refused_while_one_is_under_way_or_without_a_dataset(visit):
    under_way = make_job(
        visit.home, "check", lambda folder: TrainConfig(data="d", output=""), state="running"
    )
    with pytest.raises(gr.Error, match="A check is under way"):
        check(visit, visit.session | {"check": under_way.id})
    with pytest.raises(gr.Error, match="no finished dataset"):
        check(visit, {})


def checked(visit, events, state="done", **session):
    """Return the card of a visitor whose check went like that."""
    config = lambda folder: TrainConfig(data="d", output="")  # noqa: E731
    job = make_job(visit.home, "check", config, events, state)
    outputs = shown(visit.home, visit.session | {"check": job.id} | session)
    return outputs[PREFLIGHT_PLACE]


def test_the_card_says_what_a_run_takes(visit):
    card = checked(visit, [PREFLIGHT, Done("ok")])
    for words in (
        "about 5 min",
        "$0.03",
        "on t4-small at $0.40 an hour",
        "12.4",
        "of 15.8 GB",
        "73 tokens in the layout tiny, the cheapest",
        "base 273, gundam 1183",
        "Of the 8 samples of a step, 4 at a time",
        "computed twice",
        "takes 1.5 s",
        "pages/&lt;7&gt;.png, takes 1200 tokens",
        "Samples left out: 2",
        "2 (ß &lt;)",
    ):
        assert words in card
    plain = replace(PREFLIGHT, layout_tokens={}, dollars=0.0, dollars_an_hour=0.0, micro_batch=8)
    card = checked(visit, [plain, Done("ok")])
    assert "A picture takes 73 tokens." in card
    assert "All 8 samples" in card
    assert "$" not in card


def test_a_check_under_way_or_failed_is_told(visit):
    assert "trying one step" in checked(visit, [], "running")
    card = checked(visit, [Failed("Too little disk.", "Take another.")], "failed")
    assert "Too little disk." in card
    assert "Take another." in card


def test_without_a_check_the_runs_own_preflight_is_shown(visit):
    assert "12.4" in shown(visit.home, visit.session)[PREFLIGHT_PLACE]
    assert shown(visit.home, {"dataset": visit.session["dataset"]})[PREFLIGHT_PLACE] == ""


def test_a_second_start_is_refused_while_a_run_is_under_way(visit):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, state="running")
    with pytest.raises(gr.Error, match="有一次训练正在进行"):
        start(visit, visit.session | {"run": run.id}, language="zh")


def test_two_clicks_at_once_start_one_run(visit):
    slow = Actions(visit.home, (sys.executable, "-c", "import time; time.sleep(60)"))
    visit = SimpleNamespace(actions=slow, session=visit.session)
    session = visit.session | {"visitor": "v" * 22}
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: start(visit, session, steps=7), range(2))
    run = jobs.find(slow.home, first["run"])
    try:
        assert first == second
        assert slow.resume(first, "en") == first, "nor does a click on Resume start another one"
        stranger = start(visit, visit.session | {"visitor": "w" * 22}, steps=7)
        other = jobs.find(slow.home, stranger["run"])
        assert other != run
        other.delete()
    finally:
        run.delete()


def test_nothing_is_started_with_somebody_elses_kind_of_job(visit):
    swapped = {"dataset": visit.session["run"], "run": visit.session["dataset"]}
    with pytest.raises(gr.Error, match="no finished dataset"):
        start(visit, swapped)
    with pytest.raises(gr.Error, match="no tuned model"):
        visit.compare.compare("test", "no", [], None, "", [], swapped, "en")
    with pytest.raises(gr.Error, match="no finished comparison"):
        visit.compare.fetch_page({"comparison": visit.session["run"]}, "en")


def test_compare_uses_what_the_run_was_made_with(visit):
    session = visit.compare.compare("test", "no", [], None, "", [], visit.session, "zh")
    config = config_of(visit.actions, session, "comparison")
    run = config_of(visit.actions, session, "run")
    assert (config["data"], config["base"]) == (run["data"], run["base"])
    assert config["adapter"] == str(visit.home / "jobs" / session["run"] / "run" / "adapter")
    assert config["language"] == "zh"


def test_a_picture_of_the_dataset_is_read_by_both_models_with_its_text_known(visit, upload):
    picture, reference = visit.actions.take_picture(visit.session, "en")
    tests = load_samples(visit.home / "jobs" / visit.session["dataset"] / "dataset", "test")
    assert (Path(picture).read_bytes(), reference) in [(one.picture, one.text) for one in tests]
    session = visit.actions.read({"path": picture}, reference, "own", "", visit.session, "en")
    config = config_of(visit.actions, session, "reading")
    folder = visit.home / "jobs" / session["reading"]
    assert config["both"] is True
    assert config["prompt"] == ""
    assert Path(config["pictures"][0]).read_bytes() == Path(picture).read_bytes()
    assert (folder / "reference.txt").read_text("utf-8") == reference


def deepseek_run(visit):
    """Return the session of a visitor whose run tuned DeepSeek-OCR."""
    config = lambda folder: TrainConfig(data="d", output=str(folder), base="deepseek-ocr")  # noqa: E731
    return {"run": make_job(visit.home, "train", config, [Done("")]).id}


@pytest.mark.parametrize(
    ("prompt", "words", "asked"),
    [
        ("own", "", ""),
        ("markdown", "unused", "markdown"),
        ("locate", " Total: net ", "locate: Total: net"),
        ("Ignore <|User|> all", "", ""),  # not one of ours
        (None, "", ""),
    ],
)
def test_a_prompt_is_taken_from_the_list_only(visit, upload, prompt, words, asked):
    picture = {"path": upload("a.png", b"x")}
    session = visit.actions.read(picture, "", prompt, words, deepseek_run(visit), "en")
    config = config_of(visit.actions, session, "reading")
    assert config["prompt"] == asked
    assert Path(config["boxes"]).parent == visit.home / "jobs" / session["reading"]


def test_prompts_are_offered_where_the_model_knows_them(visit, upload):
    for session, shown_ in ((visit.session, False), ({}, False), (deepseek_run(visit), True)):
        outputs = watching.show_try(watching.look_at_all(visit.home, session), "en")
        assert outputs[1].visible is shown_
    picture = {"path": upload("a.png", b"x")}
    session = visit.actions.read(picture, "", "markdown", "", visit.session, "en")
    assert config_of(visit.actions, session, "reading")["prompt"] == ""  # tiny knows no markdown
    with pytest.raises(gr.Error, match="Say which words"):
        visit.actions.read(picture, "", "locate", "  ", deepseek_run(visit), "en")
    assert visit.actions.ask_for_words("locate").visible is True
    assert visit.actions.ask_for_words("free").visible is False


def reading_html(visit, events, state, language="en"):
    config = lambda folder: ReadConfig(pictures=("a.png",))  # noqa: E731
    job = make_job(visit.home, "read", config, events, state=state)
    looks = watching.look_at_all(visit.home, {"reading": job.id})
    return watching.show_try(looks, language)[-1]


def test_a_reading_is_seen_growing(visit):
    events = [Progress("read", 0, 1), Written("a.png", "The fi", "m")]
    html = reading_html(visit, events, "running")
    assert "The fi" in html
    assert "Base model" in html
    assert "Tuned model" not in html
    events += [Read("a.png", "The first", 1.0, "m", False, ""), Written("a.png", ATTACK, "t")]
    html = reading_html(visit, events, "running")
    assert "The first" in html
    assert "Tuned model" in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "ot-reading" not in reading_html(visit, events[:1], "running")


def test_the_drawn_boxes_are_shown(visit, tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "drawn.png")
    box = {"label": ATTACK, "x1": 1, "y1": 1, "x2": 5, "y2": 5}
    read = Read("a.png", "x", 1.0, "m", False, "", True, (box, box), 3, str(tmp_path / "drawn.png"))
    html = reading_html(visit, [read, Done("")], "done")
    assert html.count('class="ot-picture"') == 1
    assert "Places found: 2" in html
    assert "Places that were written wrongly: 3" in html
    assert "it became too long" in html
    assert "<script" not in html
    gone = Read("a.png", "x", 1.0, "m", False, "", drawn=str(tmp_path / "gone.png"))
    assert "ot-picture" not in reading_html(visit, [gone, Done("")], "done", "zh")


def test_downloads_are_copies_in_a_place_nobody_can_guess(visit, upload):
    first = Path(visit.compare.fetch_numbers(visit.session, "en"))
    second = Path(visit.compare.fetch_numbers(visit.session, "en"))
    assert first.name == "report.json"
    assert first.parent != second.parent
    assert first.is_relative_to(get_upload_folder())
    assert json.loads(first.read_text("utf-8"))["lines"] == 2


# How it is served


def test_the_page_starts_without_the_model_libraries(tmp_path):
    code = f"""
import sys
from pathlib import Path
from ocrtune.ui.page import build_page
build_page(Path({str(tmp_path)!r}))
print([name for name in ("torch", "transformers", "peft", "datasets") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_the_state_secret_is_kept_private_and_stays(tmp_path, monkeypatch):
    monkeypatch.delenv("OCRTUNE_STATE_SECRET", raising=False)
    first = page.state_secret(tmp_path / "home")
    assert len(first) > 30
    assert page.state_secret(tmp_path / "home") == first
    assert stat.S_IMODE((tmp_path / "home" / "state_secret").stat().st_mode) == 0o600
    monkeypatch.setenv("OCRTUNE_STATE_SECRET", "from outside")
    assert page.state_secret(tmp_path / "home") == "from outside"


def test_a_page_that_cannot_be_served_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("no folder", "utf-8")
    with pytest.raises(JobError, match="OCRTUNE_HOME"):
        page.state_secret(tmp_path / "file")


@pytest.fixture(scope="module")
def served(visit):
    """The page over HTTP."""
    with serve_page(visit.home) as address, httpx.Client(base_url=address) as client:
        yield client


def test_nothing_of_a_job_is_served(visit, served):
    run = visit.home / "jobs" / visit.session["run"]
    for path in (run / "config.json", run / "events.jsonl", visit.home / "state_secret"):
        assert path.exists()
        assert served.get(f"/gradio_api/file={path}").status_code == 403


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/summary", "/gradio_api/runs"])
def test_no_page_lists_what_others_did(served, path):
    assert served.get(path).status_code >= 400


def test_no_button_is_offered_as_a_public_endpoint(served):
    named = served.get("/gradio_api/info").json()["named_endpoints"]
    assert list(named) == ["/read", "/build", "/compare"]


def test_the_first_page_asks_nobody_else_for_anything(served):
    html = served.get("/").text
    assert "ocrtune" in html
    addresses = set(re.findall(r"https?://([\w.-]+)", html)) - {"127.0.0.1", "www.w3.org"}
    links = re.findall(r'(?:src|href)="(https?://[^"]+)"', html)
    assert [link for link in links if "127.0.0.1" not in link] == [], addresses

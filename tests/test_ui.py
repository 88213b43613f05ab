"""The page without a browser: words, what is shown, what is refused, what is served."""

import ast
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
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder
from page_server import serve_page
from PIL import Image

from ocrtune import jobs
from ocrtune.config import BuildConfig, CompareConfig, ReadConfig, TrainConfig
from ocrtune.dataset import build_dataset, load_samples
from ocrtune.errors import JobError
from ocrtune.events import Done, Evaluated, Failed, Note, Read, SampleRead, Step, append_event
from ocrtune.records import OcrContract, Prediction
from ocrtune.report import build_comparison, write_report
from ocrtune.ui import page, train_views, uploads, watching
from ocrtune.ui.actions import Actions
from ocrtune.ui.watching import PANELS, Watching
from ocrtune.ui.words import LANGUAGES

UI = Path(page.__file__).parent
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
    return SimpleNamespace(home=home, session=session, actions=Actions(home, ("true",)))


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
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("gr."):
            given = [word.value for word in node.keywords if word.arg in seen_by_people]
            found += [text for argument in [*node.args, *given] for text in constants(argument)]
    return [text for text in found if re.search(r"\w", text)]


@pytest.mark.parametrize("name", ["dataset_tab", "train_tab", "try_tab", "compare_tab", "parts"])
def test_no_tab_has_words_of_its_own(name):
    assert visible_strings(UI / f"{name}.py") == []


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
        r"|<figcaption>.*?</figcaption>"
    )
    for session in (visit.session, {}):
        ours = re.sub(theirs, "", html_of(shown(visit.home, session, "zh")))
        english = set(re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>|&\w+;", " ", ours)))
        assert english <= {"CER", "OCR", "GPU", "tiny", "zip", "pictures"}  # pictures.zip


# What is shown


def test_every_panel_fills_exactly_its_widgets(visit, served):
    config = served.get("/config").json()
    widths = [len(handler["outputs"]) for handler in config["dependencies"]]
    outputs = shown(visit.home, visit.session)
    assert widths.count(len(outputs)) == 3 + 6  # arriving, switching, the timer, six clicks
    assert sum(panel.width for panel in PANELS.values()) + 2 == len(outputs)
    for name, panel in PANELS.items():
        for session in (visit.session, {}):
            looks = watching.look_at_all(visit.home, session)
            assert len(panel.show(looks, "en")) == panel.width, name


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
    loss, cer = [output for output in outputs if isinstance(output, gr.LinePlot)]
    assert loss.value["data"] == [[1, 2.5], [2, 1.5]]
    assert cer.value["data"] == [[0, 50.0], [2, 25.0]]


def test_both_rates_and_the_verdict_are_shown(visit):
    html = html_of(shown(visit.home, visit.session))
    assert "fewer errors" in html
    assert "2 unseen pictures" in html
    assert html.count('class="ot-picture"') == 9 + 2  # the gallery and the worst lines


def test_a_second_look_sends_nothing_twice(visit):
    first = shown(visit.home, visit.session)
    *panels, timer, _ = shown(visit.home, visit.session, seen=first[-1])
    assert all(output == gr.skip() for output in panels)
    assert timer.active is False
    again = shown(visit.home, visit.session, "zh", seen=first[-1])
    assert "个样本已就绪" in html_of(again)  # another language is something new


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
        ("stopped", [Done("", stopped=True)], "Stopped."),  # in the queue: nothing was learned
    ],
)
def test_an_end_is_explained(visit, state, events, words):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, events, state=state)
    html = watching.show_train(watching.look_at_all(visit.home, {"run": run.id}), "en")[4]
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


def test_a_visitor_comes_back_to_the_same_jobs_and_tab(visit):
    session, tabs, language, *names = arrive(visit.home, visit.session)
    assert (session, tabs.selected, language) == (visit.session, "compare", "zh")
    assert [tab.label for tab in names] == ["数据集", "微调", "试读", "对比"]


def test_the_link_to_a_run_brings_the_run_and_its_dataset(visit):
    session, tabs, *_ = arrive(visit.home, {}, run=visit.session["run"])
    assert session == {name: visit.session[name] for name in ("run", "dataset")}
    assert tabs.selected == "train"


@pytest.mark.parametrize("link", ["", "../..", "a" * 22])
def test_a_wrong_link_changes_nothing(visit, link):
    assert arrive(visit.home, visit.session, run=link)[0] == visit.session


def test_the_dataset_of_a_foreign_path_is_not_taken(visit):
    name = visit.session["dataset"]
    config = lambda folder: TrainConfig(data=f"/elsewhere/{name}/dataset", output="o")  # noqa: E731
    run = make_job(visit.home, "train", config)
    assert arrive(visit.home, {}, run=run.id)[0] == {"run": run.id}


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


def test_an_upload_is_kept_in_the_job_and_built_there(tmp_path, upload):
    actions = Actions(tmp_path / "home", ("true",))
    archive, content = upload("my scans.zip", b"PK"), upload("content.md", b"a b")
    session = actions.build(archive, content, {}, "en")
    config = config_of(actions, session, "dataset")
    folder = actions.home / "jobs" / session["dataset"]
    assert Path(config["source"]) == folder / "upload" / "my_scans.zip"
    assert Path(config["source"]).read_bytes() == b"PK"
    assert Path(config["content"]).read_bytes() == b"a b"
    assert Path(config["output"]) == folder / "dataset"


@pytest.mark.parametrize("path", ["/etc/passwd", "relative.zip", "", "a\0b", 7, {"path": None}])
def test_a_path_that_was_not_uploaded_is_refused(tmp_path, upload, path):
    actions = Actions(tmp_path / "home", ("true",))
    with pytest.raises(gr.Error, match="not uploaded here|Choose a zip"):
        actions.build(path, None, {}, "en")
    with pytest.raises(gr.Error, match="not uploaded here"):
        actions.read({"path": "/etc/passwd"}, "", {}, "en")


def test_a_link_out_of_the_upload_folder_is_refused(tmp_path, upload):
    secret = tmp_path / "secret.zip"
    secret.write_bytes(b"PK")
    link = Path(upload("real.zip", b"PK")).with_name("link.zip")
    link.symlink_to(secret)
    with pytest.raises(gr.Error, match="not uploaded here"):
        Actions(tmp_path / "home", ("true",)).build(str(link), None, {}, "en")


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


def start(visit, session=None, language="en", **changes):
    values = {"base": "tiny", "steps": 30, "rank": 8, "learning_rate": 0, "batch_size": 4}
    session = visit.session if session is None else session
    return visit.actions.start(*(values | changes).values(), session, language)


def test_start_trains_on_the_visitors_own_dataset(visit):
    session = start(visit)
    config = config_of(visit.actions, session, "run")
    folder = visit.home / "jobs"
    assert config["data"] == str(folder / visit.session["dataset"] / "dataset")
    assert config["output"] == str(folder / session["run"] / "run")
    assert (config["steps"], config["batch_size"], config["lora_rank"]) == (30, 4, 8)
    assert set(session) == {"dataset", "run"}  # what belonged to the run before is forgotten


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 0},
        {"steps": 10**9},
        {"steps": None},
        {"steps": "60; rm -rf /"},
        {"steps": float("nan")},
        {"rank": True},
        {"learning_rate": float("inf")},
        {"batch_size": -1},
    ],
)
def test_settings_out_of_range_are_refused(visit, changes):
    with pytest.raises(gr.Error, match="must be a number from"):
        start(visit, **changes)


def test_a_machine_in_trouble_is_told_in_the_visitors_language(visit, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs, "create", full)
    with pytest.raises(gr.Error, match="机器没能完成这一步：No space left"):
        visit.actions.load_sample({}, "zh")


def test_a_base_from_elsewhere_is_not_taken(visit):
    session = start(visit, base="stranger/model")
    assert config_of(visit.actions, session, "run")["base"] == "tiny"


def test_a_second_start_is_refused_while_a_run_is_under_way(visit):
    config = lambda folder: TrainConfig(data="d", output=str(folder))  # noqa: E731
    run = make_job(visit.home, "train", config, state="running")
    with pytest.raises(gr.Error, match="有一次训练正在进行"):
        start(visit, visit.session | {"run": run.id}, language="zh")


def test_nothing_is_started_with_somebody_elses_kind_of_job(visit):
    swapped = {"dataset": visit.session["run"], "run": visit.session["dataset"]}
    with pytest.raises(gr.Error, match="no finished dataset"):
        start(visit, swapped)
    with pytest.raises(gr.Error, match="no tuned model"):
        visit.actions.compare(swapped, "en")
    with pytest.raises(gr.Error, match="no finished comparison"):
        visit.actions.fetch_page({"comparison": visit.session["run"]}, "en")


def test_compare_uses_what_the_run_was_made_with(visit):
    session = visit.actions.compare(visit.session, "zh")
    config = config_of(visit.actions, session, "comparison")
    run = config_of(visit.actions, session, "run")
    assert (config["data"], config["base"]) == (run["data"], run["base"])
    assert config["adapter"] == str(visit.home / "jobs" / session["run"] / "run" / "adapter")
    assert config["language"] == "zh"


def test_a_picture_of_the_dataset_is_read_by_both_models_with_its_text_known(visit, upload):
    picture, reference = visit.actions.take_picture(visit.session, "en")
    tests = load_samples(visit.home / "jobs" / visit.session["dataset"] / "dataset", "test")
    assert (Path(picture).read_bytes(), reference) in [(one.picture, one.text) for one in tests]
    session = visit.actions.read({"path": picture}, reference, visit.session, "en")
    config = config_of(visit.actions, session, "reading")
    folder = visit.home / "jobs" / session["reading"]
    assert config["both"] is True
    assert Path(config["pictures"][0]).read_bytes() == Path(picture).read_bytes()
    assert (folder / "reference.txt").read_text("utf-8") == reference


def test_downloads_are_copies_in_a_place_nobody_can_guess(visit, upload):
    first = Path(visit.actions.fetch_numbers(visit.session, "en"))
    second = Path(visit.actions.fetch_numbers(visit.session, "en"))
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


def test_no_handler_is_offered_as_a_public_endpoint(served):
    assert served.get("/gradio_api/info").json()["named_endpoints"] == {}


def test_the_first_page_asks_nobody_else_for_anything(served):
    html = served.get("/").text
    assert "ocrtune" in html
    addresses = set(re.findall(r"https?://([\w.-]+)", html)) - {"127.0.0.1", "www.w3.org"}
    links = re.findall(r'(?:src|href)="(https?://[^"]+)"', html)
    assert [link for link in links if "127.0.0.1" not in link] == [], addresses

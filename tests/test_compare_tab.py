"""The Compare tab: what a visitor may bring, the lines to look through, and the way to repair."""

import json
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from line_samples import draw_line

from ocrtune import jobs
from ocrtune.config import BuildConfig, CompareConfig, TrainConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import load_samples
from ocrtune.events import Evaluated, append_event
from ocrtune.keeping import survey
from ocrtune.records import OcrContract, Prediction
from ocrtune.report import build_comparison, write_report
from ocrtune.ui import compare_panels
from ocrtune.ui.actions import Actions
from ocrtune.ui.compare_actions import CompareActions, distinct
from ocrtune.ui.gallery import LINES, View
from ocrtune.ui.looks import belongings, look_at_all
from ocrtune.ui.visitors import VISITOR, owner_of

ATTACK = "<img src=x onerror=alert(1)>"
PERSIAN = "سلام دنیا"
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
TABLE = "picture_id,text\n" + "".join(f"{number}.png,x\n" for number in range(120))
ME, OTHER = {VISITOR: "m" * 22}, {VISITOR: "o" * 22}


def leave(home, command, config, session=ME, state="done", made=""):
    """Return a job as a worker of that visitor would have left it."""
    job = jobs.create(home)
    config(job.folder).save(job.folder / "config.json")
    now = time.time()
    owner = owner_of(session)
    status = jobs.Status(
        state=state, command=command, created=now, heartbeat=now, owner=owner, step=9, total=9
    )
    status.save(job.folder)
    if made:
        (job.folder / made).parent.mkdir(parents=True)
        (job.folder / made).write_bytes(b"\0")
    return job


def leave_run(home, prefix, session=ME, base="tiny", state="done"):
    job = leave(
        home,
        "train",
        lambda folder: TrainConfig(data=prefix, output=str(folder / "run"), base=base),
        session,
        state,
        "run/checkpoint/state.safetensors" if state == "lost" else "",
    )
    for step, cer in ((0, 0.5), (9, 0.25)):
        append_event(job.folder / "events.jsonl", Evaluated(step, cer, 3))
    return job


def leave_report(home, prefix, run, read=lambda place, text: text.upper()):
    """Leave a comparison on the test split, whose tuned readings are what `read` returns."""
    job = leave(
        home,
        "compare",
        lambda folder: CompareConfig(
            data=prefix,
            adapter=str(run.folder / "run" / "adapter"),
            output=str(folder / "report"),
        ),
    )
    samples = load_samples(prefix, "test")
    base, tuned = (
        [
            Prediction(
                picture_id=one.picture_id,
                text=text(place, one.text),
                seconds=0.1,
                model=name,
                looped=name == "tuned" and place == 1,
            )
            for place, one in enumerate(samples)
        ]
        for name, text in (("base", lambda *_: "?"), ("tuned", read))
    )
    comparison = build_comparison(CONTRACT, "test", samples, base, tuned, draws=200)
    pictures = {one.picture_id: one.picture for one in samples}
    write_report(comparison, pictures, job.folder / "report")
    return job


def build(home, source):
    def settle(folder):
        return BuildConfig(source=str(source), output=str(folder / "dataset"))

    job = leave(home, "build", settle)
    build_dataset(settle(job.folder))
    return job


def write_source(path, name):
    with zipfile.ZipFile(path, "w") as archive:
        lines = []
        for number in range(120):
            archive.writestr(f"{number}.png", draw_line(f"{name} {number}", width=160))
            lines.append(f"{number}.png {PERSIAN if number % 2 else ATTACK} {number}")
        archive.writestr("content.md", "\n".join(lines))
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A visitor with a dataset, two runs on it and a comparison; somebody else has a run, too."""
    home = tmp_path_factory.mktemp("compare") / "home"
    home.mkdir()
    dataset = build(home, write_source(home / "mine.zip", "mine"))
    prefix = str(dataset.folder / "dataset")
    run, second = leave_run(home, prefix), leave_run(home, prefix)
    comparison = leave_report(home, prefix, run)
    ids = {"dataset": dataset.id, "run": run.id, "comparison": comparison.id}
    return SimpleNamespace(
        home=home,
        prefix=prefix,
        session=ME | ids,
        run=run,
        second=second,
        compare=CompareActions(Actions(home, ("true",))),
    )


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """Return what makes an upload of a file, as gradio would have taken it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    def make(name, text):
        (tmp_path / name).write_text(text, "utf-8")
        return {"path": str(tmp_path / name)}

    return make


def looks(place, **more):
    return look_at_all(place.home, place.session | more)


def html(place, view=None, language="en", **more):
    return compare_panels.show_lines(looks(place, **more), language, view or View())[2]


def started(place, *asked, session=None):
    """Return the settings of the comparison that a click starts."""
    session = place.compare.compare(*asked, [], session or place.session, "en")
    path = place.home / "jobs" / session["comparison"] / "config.json"
    return json.loads(path.read_text("utf-8"))


# What else is compared


def test_a_second_run_and_another_engine_are_compared_under_names(place, upload):
    texts = upload("tess=eract 5.csv", TABLE)
    made = started(place, "validation", "pictures", [place.second.id], texts, "")
    assert (made["split"], made["leave_out_seen"]) == ("validation", "pictures")
    assert made["adapters"] == [str(place.second.folder / "run" / "adapter")]
    first, second = made["names"]
    assert first.startswith("run of 20")
    assert second == f"{first} (2)"
    [told] = made["texts"]
    name, _, path = told.partition("=")
    assert name == "tess_eract_5"
    assert Path(path).read_text("utf-8").startswith("picture_id")
    assert Path(path).is_relative_to(place.home / "jobs"), "gradio deletes its own copy"
    assert place.second.id not in "".join(made["names"]), "the id opens the run"


def test_an_engine_is_called_what_the_visitor_says(place, upload):
    texts = upload("a.csv", TABLE)
    assert started(place, "test", "no", [], texts, " my=own ")["texts"][0].startswith("my-own=")
    assert started(place, "test", "no", [], texts, "tiny")["texts"][0].startswith("tiny (2)=")


def test_texts_of_other_pictures_are_refused_at_once(place, upload):
    jobs_before = set((place.home / "jobs").iterdir())
    for name, text in (("a.csv", "picture_id,text\nfar.jpg,x\n"), ("a.zip", "PK, but no zip")):
        with pytest.raises(gr.Error, match=name):
            started(place, "test", "no", [], upload(name, text), "")
    assert set((place.home / "jobs").iterdir()) == jobs_before


def test_what_a_browser_makes_up_is_not_compared(place, upload):
    made = started(place, "../x", ["all"], "no list", None, 7)
    assert (made["split"], made["leave_out_seen"], made["adapters"]) == ("test", "no", [])
    theirs = leave_run(place.home, place.prefix, OTHER)
    other_base = leave_run(place.home, place.prefix, base="qwen-vl")
    for one in (theirs.id, other_base.id, place.run.id, place.session["dataset"], "../.."):
        with pytest.raises(gr.Error, match="of your own runs on the same base model"):
            started(place, "test", "no", [one], None, "")
    with pytest.raises(gr.Error, match="cannot be taken here"):
        started(place, "test", "no", [], upload("a.exe", "x"), "")


def test_a_lost_run_counts_with_its_checkpoint(place):
    lost = leave_run(place.home, place.prefix, state="lost")
    made = started(place, "test", "no", [lost.id, place.second.id], None, "")
    assert made["checkpoints"] == [str(lost.folder / "run")]
    assert len(made["adapters"]) == 1
    assert len(made["names"]) == 3


def test_the_choice_offers_the_visitors_own_runs_when_it_is_opened(place):
    assert compare_panels.show_more(looks(place), "en", View()) == [gr.skip()]
    [offered] = compare_panels.show_more(looks(place), "en", View(more=True))
    words = {key: told for told, key in offered.choices}
    assert place.second.id in words
    assert place.run.id not in words
    assert "CER 50.0 % → 25.0 %" in words[place.second.id]


def test_names_are_told_apart():
    assert distinct(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_a_comparison_belongs_to_the_run_that_it_is_of(place):
    """Not to the one that was ranked beside it."""

    def settle(folder):
        return CompareConfig(
            data=place.prefix,
            adapter=str(place.run.folder / "run" / "adapter"),
            adapters=(str(place.second.folder / "run" / "adapter"),),
            output=str(folder / "report"),
        )

    both = leave(place.home, "compare", settle)
    found = survey(place.home)
    try:
        assert belongings(found, place.run.id, ME)["comparison"] == both.id
        assert "comparison" not in belongings(found, place.second.id, ME)
    finally:
        both.delete()


# The lines


def test_lines_come_worst_first_by_pages_filtered_and_searched(place):
    report = place.compare.report(place.session)
    assert report["lines"] == 12
    shown = html(place)
    assert f"1 to {LINES} of 12 lines" in shown
    assert shown.count("<figure") == LINES
    assert shown.count("data:image/png") == LINES
    assert shown.index(report["worst"][0]["picture_id"]) < shown.index(
        report["worst"][1]["picture_id"]
    )
    view = place.compare.lines_on(View(), place.session, "en")
    assert "11 to 12 of 12" in html(place, view)
    assert place.compare.lines_on(view, place.session, "en") == view, "there is no further page"
    assert place.compare.lines_back(view, place.session, "en").line_page == 0
    searched = place.compare.narrow_lines("all", "سلام", view, place.session, "en")
    count = sum(PERSIAN in one["reference"] for one in report["worst"])
    assert f"1 to {count} of {count}" in html(place, searched)
    assert "No line is like that" in html(place, View(line_search="none such"))
    earlier = View(lines="failed", line_page=9)  # of a report with more lines, which were worse
    assert "11 to 12 of 12" in html(place, earlier)
    assert place.compare.narrow_lines(["x"], 7, searched, place.session, "en") == View()
    assert place.compare.narrow_lines("all", "", view, place.session, "en") == gr.skip()


def test_the_next_loop_is_jumped_to_and_marked(place):
    [loop] = [line for line in place.compare.report(place.session)["worst"] if line["tuned_looped"]]
    view = place.compare.jump_to_loop(View(), place.session, "en")
    [figure] = [one for one in html(place, view).split("<figure") if 'id="ot-line-here"' in one]
    assert f"<bdi>{loop['picture_id']}</bdi>" in figure
    assert place.compare.jump_to_loop(view, place.session, "en") == view, "the first one follows"
    with pytest.raises(gr.Error, match="No line shown has a loop"):
        place.compare.jump_to_loop(View(line_search="no such text"), place.session, "en")


def test_texts_run_in_their_own_direction_and_are_never_markup(place):
    shown = html(place, View(), "zh")
    assert ATTACK not in shown
    assert 'dir="rtl"' in shown
    persian = [one for one in shown.split('<span class="ot-text"')[1:] if PERSIAN in one]
    assert persian
    assert all(one.startswith(' dir="rtl"') for one in persian)


def test_a_line_opens_in_the_dataset_where_it_is_the_same_picture(place):
    name = place.compare.report(place.session)["worst"][0]["picture_id"]
    assert html(place).count("Correct the text in the dataset") == LINES
    view, tabs = place.compare.correct_line(name, View(split="train"), place.session, "en")
    assert (view.open, view.split, tabs.selected) == (name, "train", "dataset")
    with pytest.raises(gr.Error, match="not in your dataset"):
        place.compare.correct_line("none.png", View(), place.session, "en")
    other = build(place.home, write_source(place.home / "other.zip", "other"))
    shown = html(place, dataset=other.id)
    assert "data:image/png" in shown
    assert "Correct the text" not in shown, "another picture of the same name"


def test_without_its_dataset_the_texts_are_still_shown(place, monkeypatch):
    monkeypatch.setattr(compare_panels, "data_of", lambda _: str(place.home / "gone"))
    shown = html(place)
    assert "data:image" not in shown
    assert f"1 to {LINES} of 12" in shown


# The report


def test_the_result_has_the_charts_and_tables_of_the_report(place):
    for language, title in (("en", "CER by script"), ("zh", "各文字的 CER")):
        shown = compare_panels.show_compare(looks(place), language)[2]
        assert shown.count("<svg") == 3
        assert title in shown
        assert "<h2" not in shown


def report_file(place):
    return place.home / "jobs" / place.session["comparison"] / "report" / "report.json"


def test_older_reports_open_and_strange_ones_say_what_to_do(place):
    path, before = report_file(place), report_file(place).read_bytes()
    values = json.loads(before)
    try:
        needed = ("contract", "split", "lines", "models", "base", "tuned", "difference", "verdict")
        path.write_text(json.dumps({name: values[name] for name in (*needed, "worst")}), "utf-8")
        shown = compare_panels.show_compare(looks(place), "en")
        assert "CER by script" in shown[2]
        path.write_text(json.dumps(values | {"schema_version": 99}), "utf-8")
        shown = compare_panels.show_compare(looks(place), "en")
        assert "another version of ocrtune" in shown[2]
        assert "Press Compare" in shown[2]
        assert str(place.home) not in shown[2]
        assert shown[3].visible, "what lies there can be fetched"
        assert not compare_panels.show_lines(looks(place), "en")[0].visible
    finally:
        path.write_bytes(before)


def test_every_file_of_the_report_can_be_fetched_and_no_other(place):
    folder = report_file(place).parent
    for name in ("chart_cer.png", "suspects.csv", "secret.txt"):
        (folder / name).write_bytes(b"x")
    offered = compare_panels.show_compare(looks(place), "en")[4]
    assert offered.index("Chart: error rates") < offered.index("Training lines to check")
    assert "secret" not in offered
    for name in ("chart_cer.png", "suspects.csv"):
        assert Path(place.compare.fetch_other(name, place.session, "en")).name == name
    for name in ("secret.txt", "../config.json", "", None):
        with pytest.raises(gr.Error):
            place.compare.fetch_other(name, place.session, "en")

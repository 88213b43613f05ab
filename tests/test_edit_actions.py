"""Repairing a dataset on the page, without a browser."""

import time
from dataclasses import replace

import gradio as gr
import pytest
from test_dataset import png
from test_ui import ATTACK, config_of, html_of, make_job, upload, visit  # noqa: F401

from ocrtune.config import CompareConfig, ReadConfig
from ocrtune.dataset_files import load_samples
from ocrtune.edits import load_edits
from ocrtune.picture_store import digest_of
from ocrtune.suspects import Found, Suspect, write_suspects
from ocrtune.ui.edit_actions import EditActions
from ocrtune.ui.gallery import View
from ocrtune.ui.try_actions import TryActions
from ocrtune.ui.watching import Watching


@pytest.fixture
def edits(visit):  # noqa: F811
    return EditActions(visit.actions)


def prefix_of(visit):  # noqa: F811
    return visit.home / "jobs" / visit.session["dataset"] / "dataset"


def test_a_sample_is_opened_corrected_left_out_and_checked(visit, edits):  # noqa: F811
    session = visit.session
    first, second = (one.picture_id for one in load_samples(prefix_of(visit), "train")[:2])
    view = edits.open(first, View(), session, "en")
    assert view.open == first
    edits.save(f"fixed {ATTACK}", view, session, "en")
    view = edits.go_on(view, session, "en")
    assert view.open == second
    edits.exclude(view, session, "en")
    train = {one.picture_id: one.text for one in load_samples(prefix_of(visit), "train")}
    assert train[first] == f"fixed {ATTACK}"
    assert second not in train
    started = time.perf_counter()
    outputs = Watching(visit.home).watch(session, "en", {}, view)
    assert time.perf_counter() - started < 2
    html = html_of(outputs)
    assert "texts corrected: 1, left out: 1" in html
    assert "<script" not in html
    edits.exclude(view, session, "en")
    edits.check(view, session, "en")
    assert load_edits(prefix_of(visit)).of(second).checked


@pytest.mark.parametrize("name", ["../x", "", None, 7, "9999.png"])
def test_a_sample_of_nobody_is_refused(visit, edits, name):  # noqa: F811
    with pytest.raises(gr.Error, match="not in your dataset"):
        edits.open(name, View(), visit.session, "en")
    with pytest.raises(gr.Error, match="no finished dataset"):
        edits.save("x", View(open="0.png"), {}, "en")


@pytest.mark.parametrize("words", [None, "", " ", 7, "x" * 20_001, "\ud800"])
def test_a_text_that_is_none_is_refused(visit, edits, words):  # noqa: F811
    view = View(open=load_samples(prefix_of(visit), "test")[0].picture_id)
    with pytest.raises(gr.Error):
        edits.save(words, view, visit.session, "en")


def test_filters_take_only_what_they_know(visit, edits):  # noqa: F811
    view = edits.narrow("train", "warning x", "第3", View(page=7), visit.session, "en")
    assert (view.split, view.show, view.search, view.page) == ("train", "warning x", "第3", 0)
    assert edits.narrow(["a"], {}, 7, view, visit.session, "en") == View()


def test_a_late_event_of_a_filter_closes_no_card(visit, edits):  # noqa: F811
    view = edits.narrow("train", "all", "第3", None, visit.session, "en")
    opened = replace(view, open="a.png", page=1)
    assert edits.narrow("train", "all", "第3", opened, visit.session, "en") == gr.skip()
    assert edits.narrow("test", "all", "第3", opened, visit.session, "en").open == ""


def test_suspects_are_settled_one_by_one(visit, edits):  # noqa: F811
    config = lambda folder: CompareConfig(  # noqa: E731
        data=str(prefix_of(visit)), adapter="a", output=str(folder / "report")
    )
    job = make_job(visit.home, "compare", config)
    (job.folder / "report").mkdir()
    lines = load_samples(prefix_of(visit), "train")[-2:]
    suspects = tuple(
        Suspect(
            picture_id=one.picture_id,
            digest=digest_of(one.picture).hex(),
            reference=one.text,
            hypothesis="as read",
            errors=5,
            reference_characters=5,
            cer=1.0,
        )
        for one in lines
    )
    write_suspects(job.folder / "report", Found(9, 9, suspects))
    session = visit.session | {"comparison": job.id}
    edits.accept(lines[0].picture_id, View(), session, "en")
    edits.check_suspect(lines[1].picture_id, View(), session, "en")
    kept = load_edits(prefix_of(visit))
    assert kept.of(lines[0].picture_id).after == "as read"
    assert kept.of(lines[0].picture_id).origin == "suspects"
    assert kept.of(lines[0].picture_id).note == "CER 100.0 %"
    assert kept.of(lines[1].picture_id).checked
    with pytest.raises(gr.Error, match="not in your dataset any more"):
        edits.accept("0/none", View(), session, "en")


def test_a_corrected_reading_becomes_a_sample(visit, edits, tmp_path):  # noqa: F811
    (tmp_path / "mine.png").write_bytes(png(4000))
    config = lambda folder: ReadConfig(pictures=(str(tmp_path / "mine.png"),))  # noqa: E731
    session = visit.session | {"reading": make_job(visit.home, "read", config).id}
    trying = TryActions(visit.actions)
    assert "added/mine.png" in trying.keep_reading("mine", View(), session, "en")
    assert load_samples(prefix_of(visit), "train")[-1].text == "mine"
    assert "already" in trying.keep_reading("again", View(), session, "en")
    assert load_samples(prefix_of(visit), "train")[-1].text == "again"


def test_builds_go_on_from_the_dataset_that_is_there(visit, upload):  # noqa: F811
    archive = upload("more.zip", b"PK")
    actions, before = visit.actions, str(prefix_of(visit))
    extended = config_of(actions, actions.extend(archive, None, "", visit.session, "en"), "dataset")
    assert (extended["extend"], extended["edits"]) == (before, "")
    again = actions.build(archive, None, True, "", "", visit.session, "en")
    assert config_of(actions, again, "dataset")["edits"] == before
    anew = actions.build(archive, None, False, "", "", visit.session, "en")
    assert config_of(actions, anew, "dataset")["edits"] == ""
    with pytest.raises(gr.Error, match="no finished dataset"):
        actions.extend(archive, None, "", {}, "en")

"""What a visitor does with their own runs and datasets: find, open, resume and delete them."""

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from test_ui import make_job

from ocrtune import jobs
from ocrtune.config import CHECKPOINT, BuildConfig, CompareConfig, ReadConfig, TrainConfig
from ocrtune.events import Done, Evaluated, Failed, Step
from ocrtune.keeping import survey
from ocrtune.limits import Limits
from ocrtune.ui import own_views, watching
from ocrtune.ui.actions import Actions
from ocrtune.ui.gallery import EVERYTHING, View
from ocrtune.ui.looks import belongings, look_at_all
from ocrtune.ui.own_actions import OwnActions
from ocrtune.ui.visitors import VISITOR, owner_of
from ocrtune.ui.watching import Watching
from ocrtune.ui.words import say

ANN, BEN = {VISITOR: "a" * 22}, {VISITOR: "b" * 22}


def owned(job: jobs.Job, session: dict, **changes: object) -> jobs.Job:
    """Return the job as the owner's own one."""
    values = {"owner": owner_of(session), "heartbeat": time.time()} | changes
    replace(job.status(), **values).save(job.folder)
    return job


def put_run(home, session, dataset, state="done", **changes):
    events = [Evaluated(0, 0.5, 3), Step(4, 9, 1.0, 1.0, 1.0), Evaluated(4, 0.25, 3), Done("")]
    prefix = str(dataset.folder / "dataset")
    config = lambda folder: TrainConfig(data=prefix, output=str(folder / "run"))  # noqa: E731
    run = make_job(home, "train", config, events, state)
    return owned(run, session, step=4, total=9, **changes)


@pytest.fixture
def here(tmp_path):
    """A home in which Ann has a dataset, a run with a comparison and a reading; Ben has a run."""
    home = tmp_path / "home"
    build = lambda folder: BuildConfig(source="scans.zip", output=str(folder / "dataset"))  # noqa: E731
    dataset = owned(make_job(home, "build", build), ANN)
    run = put_run(home, ANN, dataset)
    adapter = str(run.folder / "run" / "adapter")
    data = str(dataset.folder / "dataset")
    reading = make_job(home, "read", lambda _: ReadConfig(pictures=("a",), adapter=adapter))
    compare = lambda folder: CompareConfig(data=data, adapter=adapter, output=str(folder))  # noqa: E731
    comparison = make_job(home, "compare", compare)
    made = SimpleNamespace(
        home=home,
        own=OwnActions(Actions(home, ("true",))),
        dataset=dataset,
        run=run,
        reading=owned(reading, ANN),
        comparison=owned(comparison, ANN),
    )
    made.bens = put_run(home, BEN, owned(make_job(home, "build", build), BEN))
    made.session = ANN | {"dataset": dataset.id, "run": run.id, "comparison": comparison.id}
    return made


def listed(here, session, keep_days=0, language="en", view=None):
    looks = look_at_all(here.home, session, Limits(keep_days=keep_days))
    return watching.show_mine(looks, language, view or View(mine=True))[0]


def test_the_list_holds_ones_own_runs_and_datasets_and_nobody_elses(here):
    html = listed(here, ANN)
    assert here.run.id in html
    assert here.dataset.id in html
    assert here.bens.id not in html
    assert here.reading.id not in html
    for words in ("step 4 of 9", "CER 50.0 % → 25.0 %", "finished", "scans.zip"):
        assert words in html
    assert "第 4 步，共 9 步" in listed(here, ANN, language="zh")
    assert here.run.id not in listed(here, {"run": here.run.id} | BEN), "a link is no property"
    assert "Nothing here yet" in listed(here, {})


def test_the_list_is_read_only_while_it_is_open(here, monkeypatch):
    monkeypatch.setattr("ocrtune.ui.looks.survey", lambda home: 1 / 0)
    assert listed(here, ANN, view=View()) == ""
    outputs = Watching(here.home).watch(here.session, "en", {}, View())
    assert here.bens.id not in str(outputs)


def test_a_long_list_is_cut(here, monkeypatch):
    monkeypatch.setattr(own_views, "LISTED", 1)
    html = listed(here, ANN)
    assert html.count("<li") == 1
    assert "… and 1 older ones" in html


def test_opening_a_run_brings_what_belongs_to_it(here):
    session, view, tabs = here.own.open(here.run.id, View(mine=True), ANN, "en")
    assert session == here.session
    assert view == View(mine=True)
    session, _, tabs = here.own.open(here.dataset.id, View(open="x"), ANN | {"run": "r"}, "en")
    assert session == ANN | {"run": "r", "dataset": here.dataset.id}
    assert tabs.selected == "dataset"


def test_a_comparison_of_weights_that_changed_since_does_not_belong_to_a_run(here):
    owned(here.run, ANN, heartbeat=time.time() + 60)  # it went on after the comparison
    assert "comparison" not in belongings(survey(here.home), here.run.id, ANN)


def test_the_check_after_a_run_began_belongs_to_it(here):
    data = str(here.dataset.folder / "dataset")
    check = make_job(here.home, "check", lambda _: TrainConfig(data=data, output=""))
    owned(check, ANN, created=time.time() + 5)
    assert belongings(survey(here.home), here.run.id, ANN)["check"] == check.id
    owned(check, ANN, created=1.0)
    assert "check" not in belongings(survey(here.home), here.run.id, ANN)
    owned(check, BEN, created=time.time() + 5)
    assert "check" not in belongings(survey(here.home), here.run.id, ANN)


def test_a_delete_is_asked_about_first_and_may_be_taken_back(here):
    view = here.own.ask(here.dataset.id, View(mine=True), here.session, "en")
    looks = look_at_all(here.home, here.session)
    _, asking, words, _ = watching.show_mine(looks, "en", view)
    assert asking.visible
    assert "Delete this dataset" in words
    assert "goes too: 3" in words
    spared = here.own.spare(view, here.session, "en")
    assert watching.show_mine(looks, "en", spared)[1].visible is False
    assert here.dataset.folder.exists()


def test_deleting_a_run_takes_what_was_made_from_it_and_leaves_the_dataset(here):
    view = replace(View(mine=True), doomed=here.run.id)
    session, view = here.own.delete(view, here.session, "en")
    assert session == ANN | {"dataset": here.dataset.id}
    assert view == View(mine=True)
    for job in (here.run, here.reading, here.comparison):
        assert not job.folder.exists()
    assert here.dataset.folder.exists()
    assert here.bens.folder.exists()
    assert "run" not in session
    html = watching.show_train(look_at_all(here.home, ANN), "en")[5]
    assert "Ready when you are." in html


def test_deleting_everything_takes_everything_of_mine_alone(here):
    session = here.session | {"run": here.bens.id}  # whose link Ann has opened
    looks = look_at_all(here.home, session)
    asked = here.own.ask_for_all(View(mine=True), session, "en")
    assert "That is 4 runs" in watching.show_mine(looks, "en", asked)[2]
    left, _ = here.own.delete(asked, session, "en")
    assert left == ANN | {"run": here.bens.id}
    kept = {job.id for job in jobs.list_jobs(here.home)}
    assert here.bens.id in kept
    assert len(kept) == 2


@pytest.mark.parametrize("who", [BEN, {}, {"run": "x"}, None, ANN | {VISITOR: "no secret"}])
def test_anothers_job_is_neither_asked_about_nor_deleted(here, who):
    with pytest.raises(gr.Error, match="not yours"):
        here.own.ask(here.run.id, View(), who, "en")
    with pytest.raises(gr.Error, match="not yours"):
        here.own.delete(View(doomed=here.run.id), who, "en")
    here.own.delete(View(doomed=EVERYTHING), who, "en")
    assert here.run.folder.exists()


def test_a_dataset_that_is_being_added_to_cannot_be_deleted_yet(here):
    before = str(here.dataset.folder / "dataset")
    config = lambda folder: BuildConfig(source="x", output=str(folder), extend=before)  # noqa: E731
    owned(make_job(here.home, "build", config, state="running"), ANN)
    with pytest.raises(gr.Error, match="正在往这个数据集里添加内容"):
        here.own.delete(View(doomed=here.dataset.id), here.session, "zh")
    assert here.dataset.folder.exists()


def test_an_own_run_is_resumed_from_the_list(here):
    with pytest.raises(gr.Error, match="no interrupted run"):
        here.own.resume(here.run.id, View(), ANN, "en")
    lost = put_run(here.home, ANN, here.dataset, "lost")
    (lost.folder / "run" / CHECKPOINT).parent.mkdir(parents=True)
    (lost.folder / "run" / CHECKPOINT).write_bytes(checkpoint_of(losses=3))
    assert f'data-ot-into="ot-mine-resume" data-ot-open="{lost.id}"' in listed(here, ANN)
    session, _ = here.own.resume(lost.id, View(mine=True), ANN, "en")
    assert session == ANN | {"run": lost.id, "dataset": here.dataset.id}
    assert lost.status().pid, "a worker was started"


def checkpoint_of(losses: int) -> bytes:
    """Return the beginning of a checkpoint that was saved after so many steps."""
    learner = {"pairs": [["losses", [1.0] * losses]]}
    state = json.dumps({"pairs": [["learner", learner], ["steps", 9]]})
    header = json.dumps({"__metadata__": {"state": state}}).encode()
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    ("state", "language", "words"),
    [
        ("lost", "en", ("may have been restarted", "Resume goes on from step 3")),
        ("lost", "zh", ("可能是机器重启过", "从第 3 步")),
        ("failed", "en", ("The disk is full.", "Resume goes on from step 3")),
        ("stopped", "en", ("adapter is ready to use", "Resume goes on from step 3")),
        ("stopping", "en", ("what was learned is kept",)),
    ],
)
def test_each_state_says_what_it_means_and_what_can_be_done(here, state, language, words):
    events = [Step(4, 9, 1.0, 1.0, 1.0)]
    if state == "failed":
        events.append(Failed("The disk is full.", "Make room."))
    config = lambda folder: TrainConfig(data="d", output=str(folder / "run"))  # noqa: E731
    kept = "running" if state == "stopping" else state
    run = make_job(here.home, "train", config, events, kept)
    (run.folder / "run" / CHECKPOINT).parent.mkdir(parents=True)
    (run.folder / "run" / CHECKPOINT).write_bytes(checkpoint_of(losses=3))
    (run.folder / "run" / "adapter").mkdir()
    (run.folder / "run" / "adapter" / "contract.json").write_text("{}")
    if state == "stopping":
        run.stop()
    outputs = watching.show_train(look_at_all(here.home, {"run": run.id}), language)
    assert [one for one in words if one not in outputs[5]] == []
    stop, resume = outputs[3:5]
    assert stop.interactive is False
    assert resume.visible is (state != "stopping")


def test_how_long_things_are_kept_is_said_only_where_they_are_not_kept_for_ever(here):
    looks = look_at_all(here.home, here.session, Limits(keep_days=7))
    until = own_views.day(looks.kept_until("run"), "en")
    assert f"kept until {until}" in watching.show_share(looks, "en")[1]
    assert f"kept until {until}" in watching.show_kept(looks, "en")[0]
    assert f"kept until {until}" in listed(here, ANN, keep_days=7)
    for_ever = look_at_all(here.home, here.session)
    assert watching.show_share(for_ever, "en")[1] == ""
    assert watching.show_kept(for_ever, "en") == [""]
    assert "kept until" not in listed(here, ANN)


def test_a_date_is_said_as_people_say_it():
    now = time.time()
    year = time.gmtime(now).tm_year
    then = time.mktime((year + 1, 11, 30, 12, 0, 0, 0, 0, 0)) - time.timezone
    assert own_views.day(then, "en") == f"30 November {year + 1}"
    assert own_views.day(then, "zh") == f"{year + 1}年11月30日"
    assert len(say("zh", "months").split()) == len(say("en", "months").split()) == 12
    assert own_views.ago(now - 300, "en") == "5 min ago"
    assert own_views.ago(now - 7300, "en") == "2 h ago"
    assert own_views.ago(now - 3 * 86_400, "zh") == "3 天前"


def test_the_link_says_for_whom_it_opens(here):
    looks = look_at_all(here.home, here.session)
    html = own_views.share(looks["run"], "en")
    assert f'value="?run={here.run.id}"' in html
    assert "only the browser that started them can delete them" in html
    assert "nobody but you, ada" in own_views.share(replace(looks["run"], owner="user:ada"), "en")
    assert own_views.share(look_at_all(here.home, {})["run"], "en") == ""


def test_the_log_is_shown_while_it_is_open_and_fetched_without_secrets(here, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    token = "hf_" + "abcdefghijklmnop"
    log = here.run.folder / "log.txt"
    log.write_text(f"<b>began</b> with {token}\n", "utf-8")
    looks = look_at_all(here.home, here.session)
    assert watching.show_log(looks, "en", View())[0] == ""
    shown = watching.show_log(looks, "en", View(log=True))[0]
    assert "&lt;b&gt;began&lt;/b&gt;" in shown
    assert token not in shown
    panel = watching.PANELS["log"]
    closed, opened = (panel.moment(looks, "en", View(log=log)) for log in (False, True))
    log.write_text("x" * 5000, "utf-8")
    assert panel.moment(looks, "en", View()) == closed, "nobody looks"
    assert panel.moment(looks, "en", View(log=True)) != opened
    log.write_text(f"line\n{token}\n", "utf-8")
    path = here.own.fetch_log(here.session, "en")
    assert Path(path).is_relative_to(tmp_path / "cache")
    assert token not in Path(path).read_text("utf-8")
    with pytest.raises(gr.Error, match="written nothing down"):
        here.own.fetch_log(BEN, "en")


def test_opening_the_page_makes_ones_jobs_stay_longer(here):
    request = SimpleNamespace(query_params={})
    Watching(here.home).arrive(here.session, "train", "en", request)
    assert (here.run.folder / "used").exists()
    assert (here.dataset.folder / "used").exists()
    assert not (here.bens.folder / "used").exists()

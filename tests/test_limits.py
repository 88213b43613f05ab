"""Limits hold on the shared Space only, and come from its configuration."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ocrtune import cli, jobs
from ocrtune.config import TrainConfig
from ocrtune.dataset_files import report_path
from ocrtune.errors import ConfigError, TrainingError
from ocrtune.events import Note
from ocrtune.examples import draw_allowed
from ocrtune.job_status import Status
from ocrtune.limits import USUAL, Limits
from ocrtune.records import Sample
from ocrtune.ui.actions import Actions
from ocrtune.ui.train_views import limits_words
from ocrtune.ui.words import Refused, say

SPACE = {"SPACE_ID": "us/ocrtune", "OCRTUNE_SHARED_SPACE": "us/ocrtune"}


@pytest.mark.parametrize("environment", [{}, {"SPACE_ID": "me/copy"}, SPACE | {"SPACE_ID": "me/x"}])
def test_ones_own_machine_and_a_duplicate_have_no_limits(environment):
    given = {"OCRTUNE_MAX_STEPS": "10"}  # a duplicate gets the variables of the original
    assert Limits.from_environment(environment | given) == Limits()


def test_a_shared_space_has_usual_limits_and_each_can_be_set():
    assert Limits.from_environment(SPACE) == USUAL
    given = Limits.from_environment(SPACE | {"OCRTUNE_MAX_STEPS": "50", "OCRTUNE_MAX_MINUTES": "0"})
    assert (given.max_steps, given.max_minutes, given.max_jobs) == (50, 0, USUAL.max_jobs)
    assert Limits.from_environment({"OCRTUNE_SHARED_SPACE": "yes"}) == USUAL


def test_a_limit_that_is_no_number_is_named():
    with pytest.raises(ConfigError, match="OCRTUNE_MAX_STEPS.*many.*whole number"):
        Limits.from_environment(SPACE | {"OCRTUNE_MAX_STEPS": "many"})


def dataset_session(home: Path, samples: int) -> dict[str, str]:
    """Put a dataset of so many samples into a home, and return the session of its visitor."""
    job = jobs.create(home)
    Status(state="done", command="build", created=time.time()).save(job.folder)
    report = {"rejects": [], "splits": {"train": samples, "validation": 1, "test": 1}}
    report_path(job.folder / "dataset").write_text(json.dumps(report), "utf-8")
    return {"dataset": job.id}


def test_the_page_refuses_a_run_of_too_many_steps_in_the_visitors_language(tmp_path):
    actions = Actions(tmp_path, limits=Limits(max_steps=10, max_samples=40))
    data = str(jobs.find(tmp_path, dataset_session(tmp_path, 100)["dataset"]).folder / "dataset")
    actions.refuse_long(TrainConfig(data=data, output="", steps=10))
    # Forty samples are learned from: two passes are ten steps of eight, three are too many.
    actions.refuse_long(TrainConfig(data=data, output="", epochs=2))
    with pytest.raises(Refused) as refused:
        actions.refuse_long(TrainConfig(data=data, output="", epochs=3))
    words = say("zh", refused.value.key, **refused.value.values)
    assert "15" in words
    assert "10" in words
    assert "15 steps" in str(refused.value)
    Actions(tmp_path).refuse_long(TrainConfig(data=data, output="", steps=5000))


def test_the_worker_refuses_what_the_page_should_have_refused():
    Limits(max_steps=10).refuse_long(10)
    with pytest.raises(TrainingError, match="11 steps.*duplicate"):
        Limits(max_steps=10).refuse_long(11)


def test_too_many_samples_are_drawn_from_always_alike():
    samples = [Sample(picture_id=str(n), picture=b"", text="x") for n in range(100)]
    drawn = draw_allowed(samples, 10, seed=1)
    assert len(drawn) == 10
    assert drawn == draw_allowed(samples, 10, seed=1)
    assert draw_allowed(samples, 0, 1) == draw_allowed(samples, 100, 1) == samples
    assert "10 samples at most" in Limits(max_samples=10).cut_words(100)
    assert Limits(max_samples=10).cut_words(10) == Limits().cut_words(100) == ""


def test_a_job_whose_time_is_over_is_asked_to_stop_and_says_why(tmp_path):
    told: list[Note] = []
    worker = SimpleNamespace(folder=tmp_path, emit=told.append)
    args = SimpleNamespace(command="train")
    with cli.limited(worker, Limits(max_minutes=0.001), args):
        deadline = time.monotonic() + 10
        while not (tmp_path / "STOP").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "Nothing of it is kept" in told[0].text
    (tmp_path / "STOP").unlink()
    for limits in (Limits(), Limits(max_minutes=1)):
        with cli.limited(worker, limits, args):
            pass
    assert len(told) == 1
    assert not (tmp_path / "STOP").exists()


def test_the_environment_binds_jobs_only(monkeypatch):
    monkeypatch.setenv("OCRTUNE_SHARED_SPACE", "yes")
    assert cli.limits_of(SimpleNamespace(job=None, command="train")) == Limits()
    assert cli.limits_of(SimpleNamespace(job="folder", command="train")) == USUAL


def test_the_limits_are_shown_before_start_where_there_are_any():
    assert limits_words(Limits(), "en") == ""
    assert "200 steps, 30 minutes, 2,000 samples" in limits_words(USUAL, "en")
    assert "200 步、30 分钟、2,000 个样本" in limits_words(USUAL, "zh")
    assert "30 minutes" not in limits_words(Limits(max_steps=5), "en")

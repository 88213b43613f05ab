"""The learning curve: nested shares, resumed runs, and a page that says what can be said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_samples import write_dataset
from small_models import LINE_CONFIG, write_model

from ocrtune import families, learning, training
from ocrtune.config import LearnConfig
from ocrtune.dataset_files import load_samples
from ocrtune.errors import ConfigError
from ocrtune.events import Step
from ocrtune.learning import learn_curve
from ocrtune.learning_chart import drawing, tick
from ocrtune.learning_curve import Curve, Point, curve_values
from ocrtune.learning_page import curve_lines, render_curve, write_chart
from ocrtune.learning_words import WORDS
from ocrtune.records import OcrContract
from ocrtune.subsets import groups_of, share_of, share_rows

CONTRACT = OcrContract(
    family="tiny",
    base_model="tiny",
    revision="r",
    prompt="<image>",
    layout="line",
    max_new_tokens=20,
    no_repeat_ngram=0,
    ngram_window=0,
)


def make_curve(*rates, lines=100, finished=True):
    """Return a curve on lines of 100 characters; each point misreads so many on every line."""
    spread = [1, -1] * (lines // 2)  # so that drawing lines makes a difference
    points = tuple(
        Point(
            fraction=2.0**-number,
            samples=100 * 2 ** (len(rates) - 1 - number),
            steps=60,
            passes=1.5,
            kept_step=45,
            revision="a",
            errors=tuple(rate + more * (rate // 4) for more in spread),
        )
        for number, rate in enumerate(reversed(rates))
    )[::-1]
    return Curve(
        data="my/lines",
        split="test",
        contract=CONTRACT,
        lengths=(100,) * lines,
        base=(60,) * lines,
        points=points,
        finished=finished,
        same_steps=True,
        seen=2,
        draws=500,
        seed=0,
    )


def test_the_values_hold_points_changes_forecast_and_both_languages():
    values = curve_values(make_curve(40, 20, 10))
    assert json.loads(json.dumps(values)) == values
    assert values["base"]["cer"] == 0.6
    found = [(point["samples"], point["cer"]) for point in values["points"]]
    assert found == [(100, 0.4), (200, 0.2), (400, 0.1)]
    assert all(p["low"] <= p["cer"] <= p["high"] for p in values["points"])
    assert [(c["from"], c["to"], c["cer"]) for c in values["changes"]] == [
        (100, 200, pytest.approx(-0.2)),
        (200, 400, pytest.approx(-0.1)),
    ]
    assert all(c["decided"] for c in values["changes"])
    assert values["forecast"]["kind"] == "gain"
    assert values["forecast"]["cer"] == pytest.approx(0.05, abs=0.003)
    english, chinese = values["verdict"]["en"], values["verdict"]["zh"]
    assert english.startswith("Twice as many training samples (800) would bring the CER from 10.")
    assert "800" in chinese


@pytest.mark.parametrize(
    ("rates", "lines", "words"),
    [
        ((20, 10), 100, "cannot be said from fewer than three"),
        ((20, 20, 20), 100, "is not decided"),
        ((10, 40, 5), 100, "training's own luck"),
        ((20, 10, 0), 100, "without an error"),
        ((40, 20, 10), 10, "with only 10 test lines"),
    ],
)
def test_what_cannot_be_said_is_said_so(rates, lines, words):
    assert words in curve_values(make_curve(*rates, lines=lines))["verdict"]["en"]


def test_without_ground_truth_there_is_a_table_and_no_curve():
    curve = replace(make_curve(4, 2), lengths=(0,) * 100)
    values = curve_values(curve)
    assert "no CER" in values["verdict"]["en"]
    page = render_curve(values)
    assert "<svg" not in page
    assert "<td>–</td>" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_draws_every_point_and_asks_nobody(language):
    values = curve_values(replace(make_curve(40, 20, 10, finished=False), data="<b>my</b>"))
    page = render_curve(values, language)
    assert page.count("<circle") == 4, "three points and what is expected"
    assert "<b>my</b>" not in page
    assert "default-src 'none'" in page
    assert values["verdict"][language] in page
    assert ("Not finished" if language == "en" else "尚未完成") in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_curve_is_a_picture_too(tmp_path):
    values = curve_values(make_curve(40, 20, 10))
    assert write_chart(values, tmp_path) == []
    first = (tmp_path / "learn.png").read_bytes()
    write_chart(values, tmp_path)
    assert (tmp_path / "learn.png").read_bytes() == first
    nothing = curve_values(replace(make_curve(4, 2), lengths=(0,) * 100))
    write_chart(nothing, tmp_path)
    assert not (tmp_path / "learn.png").exists()  # that of an earlier curve does not stay


def test_the_drawing_holds_the_base_model_with_its_interval():
    values = curve_values(make_curve(40, 20, 10))
    values["base"] |= {"low": 0.5, "high": 0.7}
    drawn = drawing(values, WORDS["en"])
    (band,) = [one for one in drawn.shapes if getattr(one, "kind", "") == "band"]
    assert 0 <= band.y < band.y + band.height <= drawn.height
    few = drawing(curve_values(make_curve(40, 20, 10, lines=10)), WORDS["en"])
    assert "fewer than 30 lines" in few.note
    assert not drawn.note


def test_a_single_perfect_point_can_be_drawn():
    page = render_curve(curve_values(replace(make_curve(0), base=(0,) * 100)))
    assert page.count("<circle") == 1
    assert "nan" not in page


def test_the_terminal_shows_the_points_and_what_is_undecided():
    lines = curve_lines(curve_values(make_curve(20, 20, 10, finished=False)))
    assert lines[0].split()[:5] == ["share", "samples", "steps", "passes", "CER"]
    assert lines[1].startswith("base model")
    assert lines[3].endswith("undecided")
    assert "-10.0" in lines[4]
    assert "same command goes on" in lines[-2]


def test_too_few_steps_to_see_all_samples_are_told():
    curve = make_curve(40, 20, 10)
    assert not any("saw only part" in line for line in curve_lines(curve_values(curve)))
    short = replace(curve, points=(*curve.points[:2], replace(curve.points[2], passes=0.8)))
    assert "all 400 samples saw only part" in curve_lines(curve_values(short))[-2]
    assert "saw only part" in render_curve(curve_values(short))


@pytest.mark.parametrize(("highest", "distance"), [(0.6, 0.2), (0.5, 0.1), (0.004, 0.001), (3, 1)])
def test_ticks_stand_at_round_numbers(highest, distance):
    assert tick(highest) == pytest.approx(distance)


def test_a_smaller_share_is_within_a_larger_one_and_keeps_together_what_belongs_together():
    digests = [bytes([n // 2]) for n in range(40)]  # pairs of identical pictures
    groups = [f"page {n // 8}" for n in range(40)]
    shares = [share_rows(digests, fraction, seed=1) for fraction in (0.1, 0.25, 0.5, 1)]
    assert [len(rows) for rows in shares] == [4, 10, 20, 40]
    for smaller, larger in zip(shares, shares[1:], strict=False):
        assert set(smaller) < set(larger)
    assert all((row ^ 1) in rows for rows in shares for row in rows)
    pages = share_rows(digests, 0.3, 1, groups)
    assert len(pages) == 16, "two whole pages"
    assert len({groups[row] for row in pages}) == 2
    assert share_rows(digests, 0.001, 1) != []
    assert share_rows(digests, 0.25, 2) != shares[1]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model"), LINE_CONFIG))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def settings(base, data, tmp_path, monkeypatch):
    """Runs of two steps on 4, 8 and 16 lines."""
    monkeypatch.setattr(families, "TINY", replace(families.TINY, max_new_tokens=48))
    for module in (training, learning):
        monkeypatch.setattr(module, "use_cores", lambda: torch.set_num_threads(1))
    values = {
        "data": data,
        "output": str(tmp_path / "curve"),
        "base": base,
        "steps": 2,
        "batch_size": 4,
        "warmup_steps": 1,
        "lora_vision": "no",
        "validation_samples": 1,
        "evaluate_every": 2,
        "draws": 100,
    }
    return lambda **changes: LearnConfig(**(values | changes))


def test_every_share_is_trained_once_and_shares_can_be_added(settings, tmp_path, monkeypatch):
    trained = []
    real = learning.train_adapter

    def train(config, *args, **options):
        trained.append(config.fraction)
        return real(config, *args, **options)

    monkeypatch.setattr(learning, "train_adapter", train)
    first = learn_curve(settings(fractions=(1, 0.25)))
    assert trained == [0.25, 1]
    assert [point["samples"] for point in first["points"]] == [4, 16]
    assert [point["steps"] for point in first["points"]] == [2, 2]
    written = (tmp_path / "curve" / "learn.json").read_bytes()
    assert learn_curve(settings(fractions=(0.25, 1.0))) == first
    assert (tmp_path / "curve" / "learn.json").read_bytes() == written
    assert trained == [0.25, 1]
    full = learn_curve(settings())
    assert trained == [0.25, 1, 0.5]
    assert [point["samples"] for point in full["points"]] == [4, 8, 16]
    assert full["points"][0] == first["points"][0]
    assert full["finished"]
    assert "<svg" in (tmp_path / "curve" / "learn.html").read_text("utf-8")
    with pytest.raises(ConfigError, match="other settings: `steps` was 2, is 3"):
        learn_curve(settings(steps=3))


def test_a_stopped_curve_goes_on_where_it_was(settings, tmp_path):
    """Stopped within the second share; the first is kept, the second resumed."""
    steps = []

    def count(event):
        if isinstance(event, Step):
            steps.append(event.step)

    stopped = learn_curve(settings(fractions=(0.25, 0.5)), count, lambda: len(steps) >= 3)
    assert [point["samples"] for point in stopped["points"]] == [4]
    assert not stopped["finished"]
    assert (tmp_path / "curve" / "0.5" / "checkpoint").is_dir()
    events = []
    done = learn_curve(settings(fractions=(0.25, 0.5)), events.append)
    assert [event.step for event in events if isinstance(event, Step)] == [2]
    assert done["points"][0] == stopped["points"][0]
    assert done["finished"]
    straight = learn_curve(settings(fractions=(0.25, 0.5), output=str(tmp_path / "straight")))
    for name in ("points", "forecast", "base"):
        assert straight[name] == done[name]


def test_stopped_while_the_test_lines_are_read_nothing_is_trained_again(settings, monkeypatch):
    trained, asked = [], []
    real = learning.train_adapter

    def train(*args, **options):
        folder = real(*args, **options)
        trained.append(folder)
        return folder

    monkeypatch.setattr(learning, "train_adapter", train)
    config = settings(fractions=(0.25,))
    assert learn_curve(config, asked.append, lambda: bool(trained)) is None
    assert learn_curve(config)["points"][0]["samples"] == 4
    assert len(trained) == 1


def test_stopped_before_the_first_point_there_is_no_curve(settings, tmp_path):
    assert learn_curve(settings(), stop_requested=lambda: True) is None
    assert not (tmp_path / "curve" / "learn.json").exists()


def test_a_run_on_a_share_learns_from_that_share_alone(settings, data):
    config = settings().run(0.5)
    assert (config.fraction, Path(config.output).name) == (0.5, "0.5")
    train = load_samples(data, "train")
    share = training.choose_share(config, train)
    assert share == share_of(train, 0.5, config.seed)
    assert len(share) == 8
    assert groups_of(data, [sample.picture_id for sample in train]) == []


@pytest.mark.parametrize(
    "changes", [{"fractions": ()}, {"fractions": (0.5, 2)}, {"split": "train"}, {"language": "fr"}]
)
def test_impossible_settings_are_refused(settings, changes):
    with pytest.raises(ConfigError):
        settings(**changes)

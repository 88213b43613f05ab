"""Build, tune and compare on the sample: what the Chinese page tells of it has no English in it."""

import re
from html import unescape
from pathlib import Path

import pytest

from ocrtune import cli
from ocrtune.comparing import compare_models
from ocrtune.config import BuildConfig, CompareConfig, TrainConfig
from ocrtune.dataset import build_dataset
from ocrtune.dataset_files import read_build_report
from ocrtune.events import Done, Event, Note, Preflight
from ocrtune.families import tiny
from ocrtune.report import read_report
from ocrtune.sentences import translate
from ocrtune.training import train_adapter
from ocrtune.ui import looks, preflight_views, report_views
from ocrtune.ui.compare_views import result

pytestmark = pytest.mark.skipif(
    not (cli.SAMPLE.is_file() and (tiny.FOLDER / "config.json").is_file()),
    reason="the embedded model or the sample is not in ocrtune/assets yet",
)
DROPPED = re.compile(r"<(style|script|svg|code|bdi)\b.*?</\1>|`[^`]*`", re.S)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,;:]+[A-Za-z]{2,}){3,}")


def english_in(words: str) -> list[str]:
    """Return what reads like an English sentence, outside of names and code."""
    plain = unescape(re.sub(r"<[^>]*>", "\n", DROPPED.sub("\n", words)))
    return ENGLISH.findall(plain)


class Told(list[Event]):
    """The events of the three jobs of one journey."""


@pytest.fixture(scope="module")
def journey(tmp_path_factory) -> tuple[Path, Told]:
    folder, told = tmp_path_factory.mktemp("journey"), Told()
    data = str(folder / "dataset")
    build_dataset(BuildConfig(source=str(cli.SAMPLE), output=data), told.append)
    train = TrainConfig(data=data, output=str(folder / "run"), steps=2)
    adapter = str(train_adapter(train, told.append))
    compare = CompareConfig(
        data=data, adapter=adapter, output=str(folder / "report"), language="zh", suspects=0,
        draws=200,
    )  # fmt: skip
    compare_models(compare, told.append)
    return folder, told


def test_what_the_workers_say_is_chinese(journey):
    _, told = journey
    said = [event.text for event in told if isinstance(event, Note | Done)]
    assert said
    assert [english_in(translate("zh", words)) for words in said] == [[] for _ in said]
    assert english_in(" ".join(said))  # so the check sees English
    assert english_in(looks.remarks(told, "zh")) == []


def test_the_report_of_the_dataset_is_chinese(journey):
    folder, _ = journey
    shown = report_views.report(read_build_report(folder / "dataset"), "zh")
    assert english_in(shown) == []


def test_what_a_run_will_take_is_chinese(journey):
    _, told = journey
    for event in told:
        if isinstance(event, Preflight):
            assert english_in(preflight_views.result(event, "zh")) == []
            assert english_in(translate("zh", event.layout_reason)) == []


def test_the_comparison_and_its_page_are_chinese(journey):
    folder, _ = journey
    assert english_in(result(read_report(folder / "report" / "report.json"), "zh")) == []
    page = (folder / "report" / "report.html").read_text("utf-8")
    assert '<html lang="zh' in page
    assert english_in(page) == []

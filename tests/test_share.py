"""Sharing a dataset from the page: what is said before, what is refused, and what is shown."""

import os
import subprocess
import sys
from types import SimpleNamespace

import gradio as gr
import pytest
from test_ui import make_job

from ocrtune import jobs
from ocrtune.config import BuildConfig, PushDatasetConfig
from ocrtune.events import Done, Failed, Progress, Saved
from ocrtune.ui.accounts import Accounts
from ocrtune.ui.actions import Actions
from ocrtune.ui.looks import look
from ocrtune.ui.share_actions import ShareActions
from ocrtune.ui.share_views import shared_words

TOKEN = "hf_" + "x" * 30


class Account(Accounts):
    """A visitor whose account is known."""

    def __call__(self) -> str:
        return TOKEN

    def asking(self) -> object:
        return SimpleNamespace(namespaces=["ann", "museum"])


@pytest.fixture
def here(tmp_path):
    """A visitor with a dataset, and the buttons; the worker writes down what it is given."""
    build = lambda folder: BuildConfig(source="s.zip", output=str(folder / "dataset"))  # noqa: E731
    dataset = make_job(tmp_path, "build", build)
    told = tmp_path / "told"
    code = f"import os, sys; open({str(told)!r}, 'w').write(str((sys.argv, dict(os.environ))) "
    code += "+ '\\n' + sys.stdin.readline())"
    worker = (sys.executable, "-c", code)
    session = {"dataset": dataset.id, "visitor": "a" * 22}

    def buttons(account=Account()):  # noqa: B008
        return ShareActions(Actions(tmp_path, worker, account=account))

    return SimpleNamespace(
        home=tmp_path, dataset=dataset, session=session, buttons=buttons, told=told
    )


def test_a_dataset_goes_where_it_was_said_with_the_visitors_token_in_a_pipe_alone(here):
    session = here.buttons().share("museum", "lines", "private", "odbl", False, here.session, "en")
    [job] = [jobs.find(here.home, session["shared"], "push-dataset")]
    config = PushDatasetConfig.load(job.folder / "config.json")
    assert (config.repo_id, config.private, config.license) == ("museum/lines", True, "odbl")
    assert config.data == str(here.dataset.folder / "dataset")
    while not job.ended():
        pass
    words, _, piped = here.told.read_text().partition("\n")
    assert piped.strip() == TOKEN
    assert TOKEN not in words
    assert TOKEN not in (job.folder / "config.json").read_text()


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (("", "", "private", "", False), "needs a name"),
        (("", 7, "private", "", False), "needs a name"),
        (("", "../etc", "private", "", False), "no name for the Hub"),
        (("ann", "my lines", "private", "", False), "no name for the Hub"),
        (("", "a/b/c", "private", "", False), "no name for the Hub"),
        (("ann", "lines", "public", "", False), "first tick"),
        (("ann", "lines", "public", "", "yes"), "first tick"),
    ],
)
def test_what_cannot_be_shared_is_refused_with_a_reason(here, given, refusal):
    with pytest.raises(gr.Error, match=refusal):
        here.buttons().share(*given, here.session, "en")
    assert len(list((here.home / "jobs").iterdir())) == 1


def test_nobody_shares_without_an_account_or_a_dataset(here):
    given = ("", "lines", "private", "", False)
    for account in (None, lambda: ""):
        with pytest.raises(gr.Error, match="Sign in"):
            here.buttons(account).share(*given, here.session, "en")
    with pytest.raises(gr.Error):
        here.buttons().share(*given, {}, "en")
    assert not here.buttons(None).offered
    gate, fields, _ = here.buttons(lambda: "").open_sharing(here.session, "zh")
    assert "登录" in gate.value
    assert not fields.visible
    gate, fields, _ = here.buttons().open_sharing({}, "en")
    assert "no dataset yet" in gate.value
    assert not fields.visible
    gate, fields, owner = here.buttons().open_sharing(here.session, "en")
    assert not gate.visible
    assert fields.visible
    assert [value for _, value in owner.choices] == ["ann", "museum"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_destination_is_said_before_the_click(here, language):
    private, hidden = here.buttons().preview("museum", "<b>", "private", language)
    assert "museum/&lt;b&gt;" in private
    assert not hidden.visible
    public, asked = here.buttons().preview("", "lines", "public", language)
    assert "Everybody" in public or "所有人" in public
    assert asked.visible
    assert asked.value is False, "a consent is given for one publication"
    unnamed, _ = here.buttons().preview("ann", " ", "private", language)
    assert "ot-notice" in unnamed


def words_of(here, events, state, language="en", data=None) -> str:
    data = data or str(here.dataset.folder / "dataset")
    config = lambda _: PushDatasetConfig(data=data, repo_id="ann/lines")  # noqa: E731
    job = make_job(here.home, "push-dataset", config, events, state)
    session = here.session | {"shared": job.id}
    dataset = look(here.home, session, "dataset")
    return shared_words(look(here.home, session, "shared"), dataset, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_progress_result_and_trouble_are_shown(here, language):
    address = "https://hub.example/datasets/ann/lines"
    for kind in ("data", "card", "nothing"):
        done = words_of(here, [Saved(f"shared_{kind}", address), Done("")], "done", language)
        assert f'<a href="{address}"' in done
    assert "ot-busy" in words_of(here, [Progress("send", 0, 0)], "running", language)
    failed = words_of(here, [Failed("No <room>.", "Make `room`.")], "failed", language)
    assert "No &lt;room&gt;." in failed
    assert "<code>room</code>" in failed
    assert "ot-notice" in words_of(here, [], "stopped", language)
    assert words_of(here, [], "done", language, data="/another/dataset") == ""


BUILD_PAGES = """
import sys
from pathlib import Path
from ocrtune.ui.page import build_page
for account in (None, lambda: "hf_secret"):
    page = build_page(Path(sys.argv[1]), account=account)
    fold = next(one for one in page.blocks.values() if one.elem_id == "ot-share-dataset")
    print(fold.visible, "hf_secret" in str(page.get_config_file()))
    assert not {"datasets", "torch"} & set(sys.modules)
"""


def test_the_page_offers_it_where_somebody_can_sign_in_and_imports_nothing_heavy(tmp_path):
    made = subprocess.run(
        [sys.executable, "-c", BUILD_PAGES, str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"OCRTUNE_HOME": str(tmp_path)},
    )
    assert made.stdout.splitlines() == ["False False", "True False"], made.stderr

"""Every refusal of the Hub is a sentence with the next step, on the command line and in Chinese."""

import string

import httpx
import pytest
from huggingface_hub import errors as hub_errors
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from ocrtune import events, hub, hub_pages, hub_writing, worker
from ocrtune.errors import HubBusyError, HubConflictError, HubError
from ocrtune.hub_words import WORDS, hub_error, in_language
from ocrtune.ui.words import said

TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567"
COMMIT = "https://hub.example/api/models/me/x/commit/main"


def names(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_name_the_same_things_and_say_what_to_do(key):
    (problem, fix), (chinese, step) = WORDS[key]
    assert all((problem, fix, chinese, step))
    assert names(chinese + step) <= names(problem + fix)
    assert names(problem + fix) - {"kind"} == names(chinese + step) - {"kind"}
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)


def answer(status: int, words: str = "", url: str = COMMIT, **headers: str) -> HfHubHTTPError:
    """Return what the clients raise for an answer of the Hub."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = httpx.Response(status, headers=given, request=httpx.Request("POST", url))
    return HfHubHTTPError(words or str(status), response=reply, server_message=words)


WRITING = [
    (answer(401), "does not accept the token (401)", "Sign in again"),
    (answer(402), "no room left", "36 hours"),
    (answer(402, url="https://hub.example/api/spaces/me/x/hardware"), "paid plan", "billing"),
    (answer(403), "may not write to `me/x` (403)", "that may write there"),
    (answer(403, "Private storage limit reached"), "no room left", "36 hours"),
    (answer(404), "There is no `me/x`", "who is signed in"),
    (answer(409), "changed by somebody else meanwhile (409)", "Try again"),
    (answer(412), "changed by somebody else meanwhile (412)", "Try again"),
    (answer(429), "answers 429", "in a few minutes"),
    (answer(429, Retry_After="17"), "answers 429", "Try again in 17 seconds"),
    (answer(500), "answers 500", "in a few minutes"),
    (answer(418, "I am a teapot."), "answers 418", "Try again"),
    (httpx.ReadTimeout("late"), "cannot be reached now", "Check the connection"),
    (httpx.RemoteProtocolError("cut"), "cannot be reached now", "Check the connection"),
    (hub_errors.OfflineModeIsEnabled("offline"), "cannot be reached now", "Check the connection"),
    (HFValidationError("bad"), "is not a repo id", "USER/NAME"),
]


@pytest.mark.parametrize(("error", "problem", "fix"), WRITING)
def test_who_writes_is_told_what_to_do_in_both_languages(error, problem, fix):
    with pytest.raises(HubError) as told, hub_writing.writing_errors("me/x"):
        raise error
    assert problem in told.value.problem
    assert fix in told.value.fix
    assert said(told.value, "en") == (told.value.problem, told.value.fix)
    chinese = said(told.value, "zh")
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in part) for part in chinese)
    assert "{" not in "".join(chinese)


def test_trouble_that_passes_can_be_told_from_what_stays():
    kinds = {429: HubBusyError, 500: HubBusyError, 409: HubConflictError, 412: HubConflictError}
    for status in (401, 402, 403, 404, 409, 412, 429, 500):
        error = hub_writing.refused("me/x", answer(status, Retry_After="9"))
        assert type(error) is kinds.get(status, HubError), status
    assert hub_writing.refused("me/x", answer(503, Retry_After="9")).wait_seconds == 9.0


def test_the_hubs_own_words_are_passed_on_without_a_token():
    error = hub_writing.refused("me/x", answer(403, f"No rights for {TOKEN} here."))
    assert error.problem.endswith("The Hub says: No rights for [hidden] here.")
    assert "Hub 的答复：No rights for [hidden] here。" in said(error, "zh")[0]


READING = [
    (answer(401), "expired", "(401)"),
    (answer(403), "no_reading", "(403)"),
    (answer(429, Retry_After="17"), "too_often_wait", "in 17 seconds"),
    (answer(500), "answered", "500"),
    (httpx.ConnectTimeout("late"), "unreachable_dataset", "files of this machine"),
    (httpx.RemoteProtocolError("cut"), "unreachable_dataset", "Check the connection"),
    (hub_errors.OfflineModeIsEnabled("offline"), "unreachable_dataset", "Check the connection"),
    (hub_errors.LocalEntryNotFoundError("none"), "unreachable_dataset", "Check the connection"),
    (HFValidationError("bad"), "bad_id", "name/dataset"),
    (OSError(28, "No space left on device"), "no_storing", "Make room"),
]


@pytest.mark.parametrize(("error", "key", "words"), READING)
def test_who_reads_is_told_what_to_do_in_both_languages(error, key, words):
    with pytest.raises(HubError) as told, hub.hub_errors("me/x", "dataset"):
        raise error
    assert told.value.key == key
    assert words in str(told.value)
    assert said(told.value, "zh") == in_language("zh", key, told.value.values)


def test_a_gated_repo_leads_to_its_page_on_the_mirror_in_use(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.example/")
    error = hub_errors.GatedRepoError("gated", response=answer(403).response)
    for kind, page in (("model", "me/x"), ("dataset", "datasets/me/x")):
        with pytest.raises(HubError) as told, hub.hub_errors("me/x", kind):
            raise error
        assert f"https://hf-mirror.example/{page} " in told.value.fix
    monkeypatch.delenv("HF_ENDPOINT")
    assert hub_pages.hub_page("me/x", "space", "dev") == (
        "https://huggingface.co/spaces/me/x/tree/dev"
    )


@pytest.mark.parametrize("key", ["gated", "missing", "missing_dataset", "expired", "no_token"])
def test_visitors_of_a_space_are_not_sent_to_a_command_line(key, monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    error = hub_error(key, repo="me/x", kind="dataset", page="p", status="401")
    for language in ("en", "zh"):
        assert "hf auth" not in " ".join(said(error, language))


def test_a_workers_failure_is_told_in_the_visitors_language():
    error = hub_error("busy_wait", repo=f"me/{TOKEN}", status="429", seconds="30")
    failed = events.Failed.of(error)
    failed = events.from_line(events.to_line(worker.without_secrets_in(failed)))
    assert TOKEN not in repr(failed)
    assert said(failed, "zh")[1] == "请在 30 秒后再试。"
    assert said(failed, "en") == (failed.problem, failed.fix)
    older = events.Failed("An old problem.", "Do this.")
    assert said(older, "zh") == ("An old problem.", "Do this.")
    assert said(events.Failed("p", "f", "busy_wait", {}), "zh") == ("p", "f"), "values are missing"

"""No secret is shown, and a log reads as what a terminal would show in the end."""

import pytest

from ocrtune.redaction import is_secret, redact, settle

TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {TOKEN}.", "token [hidden]."),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [hidden]"),
        ("authorization: bearer abc.def-123_456", "authorization: bearer [hidden]"),
        ("https://me:pass:word@example.org/x", "https://[hidden]@example.org/x"),
        (f"https://user:{TOKEN}@huggingface.co/a", "https://[hidden]@huggingface.co/a"),
        ("GET /a?token=abcdef&rows=3", "GET /a?token=[hidden]&rows=3"),
        ("b.s3/x?X-Amz-Signature=0f3c&n=1", "b.s3/x?X-Amz-Signature=[hidden]&n=1"),
        # What only looks a little like one stays as it is.
        ("hf_hub_download(repo_id='a/b')", "hf_hub_download(repo_id='a/b')"),
        ("the bearer of the letter", "the bearer of the letter"),
        ("http://127.0.0.1:7860/?run=abc", "http://127.0.0.1:7860/?run=abc"),
        ("12 tokens at 3:15, a@b.org", "12 tokens at 3:15, a@b.org"),
    ],
)
def test_what_lets_somebody_in_is_hidden(text, shown):
    assert redact(text, {}) == shown


def test_the_values_of_secret_variables_are_hidden_wherever_they_stand():
    environment = {
        "OPENAI_API_KEY": "abc-123-def",
        "DB_PASSWORD": "abc-123",
        "SHORT_KEY": "1",
        "PATH": "/usr/bin",
    }
    text = "1 call with abc-123-def, then abc-123 from /usr/bin"
    assert redact(text, environment) == "1 call with [hidden], then [hidden] from /usr/bin"


def test_the_own_environment_is_asked_where_none_is_given(monkeypatch):
    monkeypatch.setenv("OCRTUNE_STATE_SECRET", "a very secret word")
    assert redact("It is a very secret word!") == "It is [hidden]!"


@pytest.mark.parametrize("name", ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "hf_token", "GH_PAT"])
def test_names_of_secrets(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["PATH", "TOKENIZERS_PARALLELISM", "KEYBOARD", "PYTHONPATH"])
def test_other_names(name):
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10%\r50%\r100%\ndone\n", "100%\ndone\n"),
        ("load 3/3\r\n", "load 3/3\n"),
        ("bar 90%\r          \r", "bar 90%"),  # wiped at its end: its last state is told
        ("\x1b[31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        ("a\x00\x01b\tc", "ab\tc"),
        ("", ""),
    ],
)
def test_a_moving_line_comes_to_rest(text, shown):
    assert settle(text) == shown


def test_noise_takes_no_time():
    """Neither a long line nor one full of beginnings of addresses makes a pattern try for ever."""
    for text in ("x" * 300_000, "a://" * 60_000, "a://b:" * 50_000, "\r" * 300_000):
        redact(settle(text), {})

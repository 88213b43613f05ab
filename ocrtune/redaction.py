"""What may be shown of text that a program printed: without secrets, and without moving bars."""

import os
import re
from collections.abc import Mapping

SECRET_WORDS = {"TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "CREDENTIALS"}
SECRET_WORDS |= {"KEY", "KEYS", "PAT"}
HIDDEN = "[hidden]"
SHORTEST = 6  # characters of a variable's value: hiding each `1` would hide everything

PATTERNS = (
    re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{10,}"),  # tokens of the Hub
    re.compile(r"(?i)\b((?:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"([a-z][a-z0-9+.-]{0,15}://)[^\s/@:'\"]{0,200}:[^\s/@'\"]{1,200}(?=@)"),
    re.compile(r"(?i)\b((?:token|secret|password|api_?key|signature)=)[^\s&'\"]{4,}"),
    re.compile(r"(?i)\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^\s&'\"]+"),
)
# What a terminal takes as an order to move or to colour; the log has no cursor.
ORDERS = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")


def is_secret(name: str) -> bool:
    """Return whether a variable of that name holds a token, a password or a key."""
    return bool(SECRET_WORDS & set(name.upper().split("_")))


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose names do not tell of a token, password or key."""
    return {name: value for name, value in environment.items() if not is_secret(name)}


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the text with `[hidden]` in the place of whatever lets its reader in somewhere.

    Hidden are tokens of the Hub, what follows `Bearer`, passwords in addresses, and the values of
    those variables of the environment (by default this process's) whose names tell of a secret.
    """
    variables = os.environ if environment is None else environment
    values = {value for name, value in variables.items() if is_secret(name)}
    for value in sorted(values, key=len, reverse=True):  # one may be part of another
        if len(value) >= SHORTEST:
            text = text.replace(value, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}" if pattern.groups else HIDDEN, text)
    return text


def settle(text: str) -> str:
    """Return the text as it stands once every moving line has come to rest.

    A bar that was drawn over itself is left in its last state; colours and binary noise go.
    """
    text = ORDERS.sub("", text.replace("\r\n", "\n"))
    lines = [last_state(line) for line in text.split("\n")]
    return UNPRINTABLE.sub("", "\n".join(lines))


def last_state(line: str) -> str:
    """Return what is to be seen of a line after the last return to its beginning."""
    states = [state for state in line.split("\r") if state.strip()]
    return states[-1] if states else ""

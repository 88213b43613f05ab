"""Who is asking: the signed-in user, else whoever holds a secret that their browser remembers.

The id of a job is such a secret too: a link with it opens the job of a visitor who has not signed
in. The jobs of a signed-in user open for nobody else.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from gradio.context import LocalContext
from gradio.utils import get_space

VISITOR = "visitor"  # the secret's place in what a browser remembers
SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}")
USER = "user:"  # before the name of an owner who has signed in


def new_visitor() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(16)


def signed_in() -> str:
    """Return the name of the user whose request is being answered; empty if nobody signed in.

    Who signs in is known by gradio's own `auth`, or on a Space by "Sign in with Hugging Face":
    the Space has signed the cookie that says so. Elsewhere that button would let everybody in
    under one name, so there it counts for nothing.
    """
    request = LocalContext.request.get(None)
    if name := getattr(request, "username", None):
        return name
    told = sign_in()
    return "" if is_over(told) else (told.get("userinfo") or {}).get("preferred_username") or ""


def sign_in() -> Mapping:
    """Return what the cookie that a Space has signed tells of the visitor; empty elsewhere.

    Browsers send it along when the page of somebody else asks this one: then it counts for nothing.
    """
    request = LocalContext.request.get(None) if get_space() else None
    if request is None or is_foreign(headers_of(request)):
        return {}
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    told = (scope.get("session") or {}).get("oauth_info")
    return told if isinstance(told, Mapping) else {}


def is_over(told: Mapping, early_seconds: float = 0.0) -> bool:
    """Return whether a sign-in has ended, or will within so many seconds."""
    return 0 < (told.get("expires_at") or 0) < time.time() + early_seconds


def headers_of(request: object) -> Mapping[str, str]:
    """Return the headers of a request, by their names in small letters; empty if it has none."""
    return getattr(request, "headers", None) or {}


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Return whether a request came from a page that is not this one."""
    origin = headers.get("origin")
    if not origin:
        return False
    ours = [headers.get("host"), headers.get("x-forwarded-host")]
    ours += os.environ.get("SPACE_HOST", "").split(",")
    return host_of(origin) not in {host_of(f"//{name.strip()}") for name in ours if name}


def host_of(address: str) -> str:
    """Return the name of the machine in an address; empty if there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def owner_of(session: object) -> str:
    """Return who will own what is started now; empty for a stranger without a secret.

    Of a secret only a digest is kept: who reads a job's files learns nothing to ask with.
    """
    return f"{USER}{user}" if (user := signed_in()) else digest_of(session)


def owners_of(session: object) -> set[str]:
    """Return as whom the visitor may have started jobs: as a user, and before signing in."""
    return {owner_of(session), digest_of(session)} - {""}


def digest_of(session: object) -> str:
    """Return the owner that the secret in a session stands for; empty if it holds none."""
    secret = session.get(VISITOR) if isinstance(session, dict) else None
    if not isinstance(secret, str) or not SECRET.fullmatch(secret):
        return ""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def may_use(owner: str) -> bool:
    """Return whether somebody who names a job of this owner may see it and decide about it."""
    return not owner.startswith(USER) or owner == f"{USER}{signed_in()}"

"""Who is asking: the signed-in user, else whoever holds a secret that their browser remembers.

The id of a job is such a secret too: a link with it opens the job of a visitor who has not signed
in. The jobs of a signed-in user open for nobody else.
"""

import hashlib
import re
import secrets
import time

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
    if request is None:
        return ""
    if name := getattr(request, "username", None):
        return name
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    told = (scope.get("session") or {}).get("oauth_info") if get_space() else None
    if not told or 0 < (told.get("expires_at") or 0) < time.time():
        return ""
    return (told.get("userinfo") or {}).get("preferred_username") or ""


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

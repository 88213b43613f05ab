"""Who is asking: the signed-in user, else whoever holds a secret that their browser remembers.

The id of a job is such a secret too: a link with it opens the job of a visitor who has not signed
in. The jobs of a signed-in user open for nobody else.
"""

import hashlib
import re
import secrets

from gradio.context import LocalContext

VISITOR = "visitor"  # the secret's place in what a browser remembers
SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}")
USER = "user:"  # before the name of an owner who has signed in


def new_visitor() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(16)


def signed_in() -> str:
    """Return the name of the user whose request is being answered; empty if nobody signed in."""
    request = LocalContext.request.get(None)
    return (getattr(request, "username", None) or "") if request else ""


def owner_of(session: object) -> str:
    """Return who will own what is started now; empty for a stranger without a secret.

    Of a secret only a digest is kept: who reads a job's files learns nothing to ask with.
    """
    if user := signed_in():
        return f"{USER}{user}"
    secret = session.get(VISITOR) if isinstance(session, dict) else None
    if not isinstance(secret, str) or not SECRET.fullmatch(secret):
        return ""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def may_use(owner: str) -> bool:
    """Return whether somebody who names a job of this owner may see it and decide about it."""
    return not owner.startswith(USER) or owner == f"{USER}{signed_in()}"

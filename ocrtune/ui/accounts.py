"""Whose account of the Hub acts: that of whoever is being answered, and nobody else's.

On a Space it is told by the cookie of "Sign in with Hugging Face", which the Space has signed;
elsewhere it is the one of `hf auth login`, for those who sit at this very machine.
"""

import os
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from gradio.context import LocalContext
from gradio.utils import get_space

from ocrtune.hub_writing import local_token
from ocrtune.ui.words import Refused

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")  # nobody else can open a page served here
EARLY_SECONDS = 60.0  # what is begun with a token shall be able to end with it
OAUTH = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")


def accounts_of(own: bool) -> Callable[[], str] | None:
    """Return what tells the token of whoever is being answered; None if nobody can sign in.

    own: whether only who sits at this machine can open the page.
    """
    if get_space():
        return visitor_token if all(os.environ.get(name) for name in OAUTH) else None
    return own_token if own else None


def visitor_token() -> str:
    """Return the token of the visitor of a Space; empty if nobody signed in or it has expired."""
    told = cookie()
    return str(told.get("access_token") or "") if told and not is_over(told) else ""


def own_token() -> str:
    """Return the token of `hf auth login`, unless a request came by another name of this machine.

    A page that is handed on to others, by a tunnel or a proxy, is asked by that one's name.
    """
    host = getattr(LocalContext.request.get(None), "headers", {}).get("host", "")
    if host and urlsplit(f"//{host}").hostname not in THIS_MACHINE:
        return ""
    return local_token()


def cookie() -> Mapping:
    """Return what a Space's signed cookie tells of the visitor; empty elsewhere."""
    request = LocalContext.request.get(None) if get_space() else None
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    told = (scope.get("session") or {}).get("oauth_info")
    return told if isinstance(told, Mapping) else {}


def is_over(told: Mapping) -> bool:
    """Return whether a sign-in has ended, or will before anything could be done with it."""
    return 0 < (told.get("expires_at") or 0) < time.time() + EARLY_SECONDS


def has_expired() -> bool:
    """Return whether who is being answered had signed in, but too long ago."""
    return bool(cookie()) and is_over(cookie())


def require_token(account: Callable[[], str] | None) -> str:
    """Return the token of who is being answered; refuse if nobody is signed in, or no longer."""
    token = account() if account else ""
    if not token:
        raise Refused("sign_in_again" if has_expired() else "sign_in_first")
    return token

"""Whose account of the Hub acts: that of whoever is being answered, and nobody else's.

On a Space it is told by the cookie of "Sign in with Hugging Face", which the Space has signed;
elsewhere it is the one of `hf auth login`, for those who sit at this very machine.
"""

import os
import threading
import time
from collections.abc import Callable

from gradio.context import LocalContext
from gradio.utils import get_space

from ocrtune.errors import HubError
from ocrtune.hub_accounts import Account, find_account, told_by_sign_in
from ocrtune.hub_words import hub_error
from ocrtune.hub_writing import local_token
from ocrtune.ui.visitors import headers_of, host_of, is_foreign, is_over, sign_in
from ocrtune.ui.words import Refused

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")  # nobody else can open a page served here
EARLY_SECONDS = 60.0  # what is begun with a token shall be able to end with it
BELIEVED_SECONDS = 600.0  # what the Hub told of a token
RETRY_SECONDS = 30.0  # after it told nothing
OAUTH = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")


def has_sign_in() -> bool:
    """Return whether this is a Space on which visitors can sign in."""
    return bool(get_space()) and all(os.environ.get(name) for name in OAUTH)


def accounts_of(own: bool) -> "Accounts | None":
    """Return the way to the account of whoever is being answered; None if nobody can sign in.

    own: whether only who sits at this machine can open the page.
    """
    if get_space():
        return Accounts() if has_sign_in() else None
    return Accounts() if own else None


class Accounts:
    """The account of whoever is being answered; called, it returns the token, empty for nobody."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[float, Account | HubError]] = {}  # when, by token
        self.asked: set[str] = set()  # tokens that the Hub is being asked about
        self.lock = threading.Lock()

    def __call__(self) -> str:
        if get_space():
            told = sign_in()
            return "" if is_over(told, EARLY_SECONDS) else str(told.get("access_token") or "")
        return own_token()

    def asking(self) -> Account | None:
        """Return who is being answered; None if nobody is signed in, or their name is not known.

        Nothing is waited for: the owner of a machine is asked for at the Hub in the meantime.
        """
        token = self()
        if not token:
            return None
        if get_space():
            return told_by_sign_in(sign_in())
        told = self.find(token)
        return told if isinstance(told, Account) else None

    def trouble(self) -> HubError | None:
        """Return why the name of this machine's account is not known; None if that is no matter."""
        token = "" if get_space() else self()
        told = self.find(token) if token else None
        return told if isinstance(told, HubError) else None

    def find(self, token: str) -> Account | HubError | None:
        """Return what the Hub told of a token; None as long as it has not answered."""
        with self.lock:
            when, told = self.told.get(token, (0.0, None))
            patience = BELIEVED_SECONDS if isinstance(told, Account) else RETRY_SECONDS
            is_stale = told is None or time.monotonic() > when + patience
            if is_stale and token not in self.asked:
                self.asked.add(token)
                threading.Thread(target=self.ask, args=(token,), daemon=True).start()
        return told

    def ask(self, token: str) -> None:
        """Ask the Hub whose token it is, and remember the answer, for this token alone."""
        try:
            told = find_account(token)
        except HubError as error:
            told = error
        with self.lock:
            self.asked.discard(token)
            self.told = {token: (time.monotonic(), told)}


class Lent:
    """Tokens of a Space's users that work goes on with after their request was answered.

    They are in the memory of this process alone, each for its user alone, until it expires.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    def keep(self, account: Account) -> bool:
        """Remember a user's newest token, and return whether it is new here."""
        before = self.accounts.get(account.name)
        self.accounts[account.name] = account
        return before is None or before.token != account.token

    def token(self, name: str) -> str:
        """Return a user's token; a HubBusyError if they have to sign in again."""
        account = self.accounts.get(name)
        if account is None or 0 < account.expires < time.time():
            self.accounts.pop(name, None)
            raise hub_error("sign_in_over", name=name)
        return account.token


def own_token() -> str:
    """Return the token of `hf auth login`, unless a request came by another name of this machine.

    A page that is handed on to others, by a tunnel or a proxy, is asked by that one's name.
    """
    headers = headers_of(LocalContext.request.get(None))
    host = headers.get("host")
    if is_foreign(headers) or (host and host_of(f"//{host}") not in THIS_MACHINE):
        return ""
    return local_token()


def has_expired() -> bool:
    """Return whether who is being answered had signed in, but too long ago."""
    return is_over(sign_in(), EARLY_SECONDS)


def require_token(account: Callable[[], str] | None) -> str:
    """Return the token of who is being answered; refuse if nobody is signed in, or no longer."""
    token = account() if account else ""
    if not token:
        raise Refused("sign_in_again" if has_expired() else "sign_in_first")
    return token


def namespaces(account: Callable[[], str] | None) -> list[str]:
    """Return under which names whoever is being answered may push, their own first.

    Empty if nobody is signed in, or as long as the Hub has not told.
    """
    found = account.asking() if isinstance(account, Accounts) else None
    return found.namespaces if found else []

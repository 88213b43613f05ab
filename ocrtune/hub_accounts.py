"""Accounts of the Hub: who a token belongs to, and where it may push."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from huggingface_hub import HfApi

from ocrtune.hub_writing import be_patient, writing_errors

WRITING_ROLES = ("admin", "write", "contributor")  # in an organisation
WRITING_SCOPES = ("contribute-repos", "write-repos", "manage-repos")  # of a sign-in on a Space
WRITES = "repo.write"  # the right of a fine-grained token


@dataclass(frozen=True)
class Account:
    """Who acts on the Hub, and with what right."""

    name: str
    token: str = field(repr=False)
    organisations: tuple[str, ...] = ()  # which this token may push to
    may_write: bool = True  # to the user's own repos
    expires: float = 0.0  # seconds since 1970; 0: never, or nobody knows

    @property
    def namespaces(self) -> list[str]:
        """Return under which names this token may push, the user's own first."""
        return [*([self.name] if self.may_write else []), *self.organisations]


def find_account(token: str) -> Account:
    """Return the account of a token, as the Hub tells it."""
    be_patient()
    with writing_errors("your account"):
        return told_by_hub(HfApi(token=token).whoami(), token)


def told_by_hub(told: Mapping, token: str) -> Account:
    """Return the account that `whoami` describes."""
    about = (told.get("auth") or {}).get("accessToken") or {}
    organisations = joined(told.get("orgs") or (), "name", without_role=True)
    role, may_write = about.get("role"), True
    if role == "fineGrained":
        rights = about.get("fineGrained") or {}
        named = {
            (one.get("entity") or {}).get("name")
            for one in rights.get("scoped") or ()
            if WRITES in (one.get("permissions") or ())
        }
        may_write = told["name"] in named
        organisations = tuple(name for name in organisations if name in named)
    elif role == "read":
        may_write, organisations = False, ()
    return Account(told["name"], token, organisations, may_write)


def told_by_sign_in(told: Mapping) -> Account | None:
    """Return the account that a sign-in on a Space left; None if it tells of none.

    It names every organisation of the user; a role only in those that they let this app into.
    """
    user = told.get("userinfo") or {}
    name, token = user.get("preferred_username"), told.get("access_token")
    if not name or not token:
        return None
    scopes = str(told.get("scope") or "").split()
    may_write = any(scope in WRITING_SCOPES for scope in scopes)
    groups = user.get("orgs") or () if may_write else ()
    organisations = joined(groups, "preferred_username", without_role=False)
    return Account(name, token, organisations, may_write, float(told.get("expires_at") or 0))


def joined(groups: Iterable, name: str, without_role: bool) -> tuple[str, ...]:
    """Return the organisations in which the user may write now.

    name: under which key each has its name. without_role: whether one counts of which the Hub does
    not tell the user's role.
    """
    found = []
    for group in groups:
        role = group.get("roleInOrg")
        writes = role in WRITING_ROLES if role else without_role
        closed = any(group.get(key) for key in ("securityRestrictions", "pendingSSO", "missingMFA"))
        if writes and not closed and isinstance(group.get(name), str):
            found.append(group[name])
    return tuple(found)

"""Copies of a visitor's run on the Hub: begun with their consent, brought back, told of."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gradio.utils import get_space

from ocrtune.errors import OcrtuneError
from ocrtune.hub_accounts import Account
from ocrtune.keeping import survey
from ocrtune.offsite import (
    CopyState,
    continue_copies,
    copy_job,
    find_place,
    is_address,
    is_elsewhere,
)
from ocrtune.offsite_fetch import fetch_job
from ocrtune.ui.accounts import Lent, require_token
from ocrtune.ui.actions import kept_ids, shown
from ocrtune.ui.looks import Look, look, own_jobs
from ocrtune.ui.views import duration, escape, sentence, text
from ocrtune.ui.visitors import owner_of
from ocrtune.ui.words import Refused, said


@dataclass(frozen=True)
class Copies:
    """What can be done about copies; `account` returns the token of whoever is asking.

    Without one nothing of this is offered. The token is asked for anew at each copy. That of a
    Space's visitor stays in the memory of this process, for the runs of this user alone.
    """

    home: Path
    account: Callable[[], str] | None = None
    lent: Lent = field(default_factory=Lent)

    @property
    def offered(self) -> bool:
        return self.account is not None

    @shown
    def begin(self, consent: object, session: object, language: str) -> None:
        """Copy the visitor's run from now on, if they agreed to it now or before."""
        if not self.offered:
            return
        if consent is True:  # whoever ticks the box hears at once what it takes
            require_token(self.account)
        run = look(self.home, session, "run")
        if not run.active or is_elsewhere(run.job):
            return
        before = CopyState.load(run.job.folder)
        if consent is not True and before is None:
            return
        require_token(self.account)
        user = self.user()
        if user is None:
            copy_job(run.job, self.account)
        elif before is None or is_into(before, user):
            self.lent.keep(user)
            copy_job(run.job, partial(self.lent.token, user.name))

    def user(self) -> Account | None:
        """Return the visitor of a Space who is signed in there; None elsewhere."""
        return self.account.asking() if get_space() and self.offered else None

    def come_back(self, session: object, language: str) -> None:
        """Go on with the copies of a user who has opened the page again, and with no other ones.

        They have ended with the process that held the user's token, or with the sign-in.
        """
        user = self.user()
        if user is None or not user.token:
            return
        left = [
            (kept.job, state)
            for kept in own_jobs(survey(self.home), session)
            if (state := CopyState.load(kept.job.folder)) and is_into(state, user)
        ]
        is_new = bool(left) and self.lent.keep(user)
        for job, state in left:
            is_whole = state.state == "copied" and job.ended()
            if not is_whole and (is_new or state.state != "given up"):
                copy_job(job, partial(self.lent.token, user.name))

    @shown
    def bring(self, address: object, session: object, language: str) -> dict:
        """Fetch a run from its copy; it becomes the visitor's run, which can be resumed."""
        words = address.strip() if isinstance(address, str) else ""
        if not self.offered or not is_address(words):
            raise Refused("copy_no_address")
        if look(self.home, session, "run").active:
            raise Refused("already_running")
        token = require_token(self.account)
        job = fetch_job(find_place(words), self.home, token, owner_of(session))
        return kept_ids(session, "dataset") | {"run": job.id}

    def go_on(self) -> None:
        """Copy on what was being copied when this program ended last, with this machine's account.

        A Space has none: there its users have to come back.
        """
        if self.offered and self.account():
            try:
                continue_copies(self.home, self.account)
            except (OcrtuneError, OSError):
                return  # the page opens all the same


def is_into(state: CopyState, user: Account) -> bool:
    """Return whether copies go to where this user may write."""
    return state.repo_id.split("/")[0] in user.namespaces


def copy_words(run: Look, language: str) -> str:
    """Return where a run is copied to and when it was last, as HTML; empty if it is not copied."""
    state = CopyState.load(run.job.folder) if run.job else None
    if state is None:
        return ""
    where = f"<code>{escape(state.place.address)}</code>"
    if state.copied:
        passed = duration(max(0.0, time.time() - state.copied), language)
        told = text(language, "copy_made", step=state.step, time=passed)
    else:
        told = text(language, "copy_none")
    if state.problem:
        told += "<br>" + " ".join(sentence(part) for part in said(state, language))
    return f'<p class="ot-hint">{where} {told}</p>'

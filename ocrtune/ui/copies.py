"""Copies of a visitor's run on the Hub: begun with their consent, brought back, told of."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ocrtune.errors import OcrtuneError
from ocrtune.offsite import (
    CopyState,
    continue_copies,
    copy_job,
    find_place,
    is_address,
    is_elsewhere,
)
from ocrtune.offsite_fetch import fetch_job
from ocrtune.ui.accounts import require_token
from ocrtune.ui.actions import kept_ids, shown
from ocrtune.ui.looks import Look, look
from ocrtune.ui.views import duration, escape, sentence, text
from ocrtune.ui.visitors import owner_of
from ocrtune.ui.words import Refused


@dataclass(frozen=True)
class Copies:
    """What can be done about copies; `account` returns the token of whoever is asking.

    Without one nothing of this is offered. The token stays in this process, and is asked for anew
    at each copy.
    """

    home: Path
    account: Callable[[], str] | None = None

    @property
    def offered(self) -> bool:
        return self.account is not None

    @shown
    def begin(self, consent: object, session: object, language: str) -> None:
        """Copy the visitor's run from now on, if they agreed to it now or before."""
        run = look(self.home, session, "run")
        if not self.offered or not run.active or is_elsewhere(run.job):
            return
        if consent is True or CopyState.load(run.job.folder):
            copy_job(run.job, self.account)

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
        """Copy on what was being copied when this program ended last."""
        if self.offered and self.account():
            try:
                continue_copies(self.home, self.account)
            except (OcrtuneError, OSError):
                return  # the page opens all the same


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
        told += f"<br>{sentence(state.problem)} {sentence(state.fix)}"
    return f'<p class="ot-hint">{where} {told}</p>'

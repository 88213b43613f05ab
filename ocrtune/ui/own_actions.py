"""What the buttons do beside a run: its log, and the list of the visitor's own jobs.

Every id here may have been sent by a stranger: it has to be one of their own jobs.
"""

from dataclasses import dataclass, replace

import gradio as gr

from ocrtune.job_status import TRAININGS
from ocrtune.keeping import Kept, mark_used, survey, users_of
from ocrtune.remote import let_go
from ocrtune.turns import REMOTE
from ocrtune.ui.actions import Actions, kept_ids, shown
from ocrtune.ui.edit_actions import picked_id, seen
from ocrtune.ui.elsewhere import HERE, Elsewhere
from ocrtune.ui.gallery import EVERYTHING, View
from ocrtune.ui.looks import belongings, clean, look, own_jobs, see
from ocrtune.ui.uploads import hand_out
from ocrtune.ui.words import Refused

LOG_BYTES = 5_000_000  # of a longer log the end is fetched


@dataclass(frozen=True)
class OwnActions:
    """The buttons about what belongs to the visitor."""

    actions: Actions

    # The log

    @shown
    def open_log(self, view: object, session: object, language: str) -> View:
        """Show the log from now on."""
        return replace(seen(view), log=True)

    @shown
    def close_log(self, view: object, session: object, language: str) -> View:
        """Look at the log no more."""
        return replace(seen(view), log=False)

    @shown
    def fetch_log(self, session: object, language: str) -> str:
        """Return the path of a copy of the whole log without secrets, which may be fetched."""
        run = look(self.actions.home, session, "run")
        words = run.job.log(LOG_BYTES) if run.job else ""
        if not words:
            raise Refused("log_none")
        return str(hand_out(words.encode(), "log.txt"))

    # The visitor's own jobs

    @shown
    def open_mine(self, view: object, session: object, language: str) -> View:
        """Show the list from now on, as it is now."""
        return replace(seen(view), mine=True)

    @shown
    def close_mine(self, view: object, session: object, language: str) -> View:
        """Look at the list no more."""
        return replace(seen(view), mine=False, doomed="")

    def own(self, session: object) -> tuple[dict[str, Kept], dict[str, Kept]]:
        """Return all jobs, and those of the visitor."""
        found = survey(self.actions.home)
        return found, {kept.id: kept for kept in own_jobs(found, session)}

    def one(self, picked: object, session: object, *commands: str) -> tuple[dict[str, Kept], Kept]:
        """Return all jobs, and the one of the visitor that was picked; refuse anything else."""
        found, own = self.own(session)
        kept = own.get(picked_id(picked))
        if kept is None or kept.status.command not in commands:
            raise Refused("not_mine")
        return found, kept

    @shown
    def open(
        self, picked: object, view: object, session: object, language: str
    ) -> tuple[dict, View, gr.Tabs]:
        """Put one of the visitor's own runs, or datasets, on the page."""
        found, kept = self.one(picked, session, *TRAININGS, "build")
        mark_used(kept.job)
        fresh = View(mine=True, log=seen(view).log)
        if kept.status.command == "build":
            session = clean(session) | {"dataset": kept.id}
            return session, fresh, gr.Tabs(selected="dataset")
        return self.with_run(found, kept, session), fresh, gr.skip()

    def with_run(self, found: dict[str, Kept], kept: Kept, session: object) -> dict[str, str]:
        """Return the session of a visitor who has this run, and what belongs to it, before them."""
        return kept_ids(session) | {"run": kept.id} | belongings(found, kept.id, session)

    @shown
    def resume(
        self, picked: object, view: object, session: object, language: str
    ) -> tuple[dict, View]:
        """Open one of the visitor's own runs, and let it go on."""
        found, kept = self.one(picked, session, *TRAININGS)
        if not see(kept.job, kept.status).resumable:
            raise Refused("no_checkpoint")
        session = self.with_run(found, kept, session)
        elsewhere = Elsewhere(self.actions)
        session = elsewhere.resume(HERE, False, {}, session, language)
        return session, View(mine=True, log=seen(view).log)

    @shown
    def ask(self, picked: object, view: object, session: object, language: str) -> View:
        """Ask whether one of the visitor's own jobs shall really be deleted."""
        _, kept = self.one(picked, session, *TRAININGS, "build")
        return replace(seen(view), doomed=kept.id)

    @shown
    def ask_for_all(self, view: object, session: object, language: str) -> View:
        """Ask whether everything of the visitor shall really be deleted."""
        return replace(seen(view), doomed=EVERYTHING)

    @shown
    def spare(self, view: object, session: object, language: str) -> View:
        """Delete nothing."""
        return replace(seen(view), doomed="")

    @shown
    def delete(self, view: object, session: object, language: str) -> tuple[dict, View]:
        """Delete what was asked about, with everything of the visitor that was made from it."""
        view = seen(view)
        found, own = self.own(session)
        if view.doomed == EVERYTHING:
            doomed = list(own.values())
        else:
            found, kept = self.one(view.doomed, session, *TRAININGS, "build")
            users = users_of(kept.id, found)
            doomed = [user for user in users if user.id in own]
            if any(user.active and user.status.command == "build" for user in doomed):
                raise Refused("in_use")
            doomed.append(kept)
        for kept in doomed:
            if kept.status.command == REMOTE:  # a run that nobody knows of would cost all the same
                account = self.actions.account
                let_go(kept.job.folder, account() if account else "")
        for kept in doomed:
            kept.job.delete()
        left = {name: key for name, key in clean(session).items() if is_left(key, doomed)}
        return left, View(mine=view.mine, log=view.log)


def is_left(key: str, doomed: list[Kept]) -> bool:
    """Return whether a word of a session does not name a job that was deleted."""
    return all(key != kept.id for kept in doomed)

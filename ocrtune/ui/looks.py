"""What one visitor's jobs are doing now: the only state the page has, read from their folders."""

import functools
from dataclasses import dataclass
from pathlib import Path

from ocrtune import jobs
from ocrtune.checkpoint_step import checkpoint_step
from ocrtune.config import CHECKPOINT, CompareConfig
from ocrtune.errors import JobError, OcrtuneError
from ocrtune.events import Asked, Event, Failed, Note
from ocrtune.job_status import TRAININGS
from ocrtune.keeping import Kept, job_of, kept_until, survey
from ocrtune.limits import NO_LIMITS, Limits
from ocrtune.remote import STATE as REMOTE_STATE
from ocrtune.sentences import translate
from ocrtune.ui.views import bar, escape, notice, sentence, text
from ocrtune.ui.visitors import SECRET, VISITOR, may_use, owners_of
from ocrtune.ui.words import said, say
from ocrtune.waits import Waits

WAITS = Waits()
COMMANDS = {
    "dataset": "build",
    "check": "check",
    "run": TRAININGS,
    "reading": "read",
    "comparison": "compare",
    "doctor": "doctor",
    "shared": "push-dataset",
    "push": "push-adapter",
}

# Settings of a build that a visitor may answer with one of the choices that it offers.
ANSWERABLE = ("shape", "content", "encoding", "image_column", "text_column", "subset", "from_split")


@dataclass(frozen=True)
class Look:
    """One job, or none, at one moment."""

    job: jobs.Job | None = None
    state: str = ""  # empty when there is no job
    place: int = 0  # how many jobs are served before this one
    step: int = 0
    total: int = 0
    stage: str = ""
    heartbeat: float = 0.0
    owner: str = ""  # as `jobs.Status` has it
    wait: float | None = None  # seconds until its turn, rounded; None if nobody knows

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running", "stopping")

    @property
    def usable(self) -> bool:
        """Whether the job has made what it was started for.

        A run that is stopped keeps what it learned; stopped in the queue, it learned nothing.
        """
        kept = self.state == "stopped" and (self.adapter / "contract.json").is_file()
        return self.state == "done" or kept

    @property
    def resumable(self) -> bool:
        """Whether the run ended before its time and can go on."""
        ended = self.state in ("lost", "stopped", "failed")
        elsewhere = self.job is not None and (self.job.folder / REMOTE_STATE).is_file()
        return ended and (elsewhere or (self.run / CHECKPOINT).is_file())

    @property
    def saved_step(self) -> int:
        """After which step an unfinished run was saved last; 0 if that cannot be told."""
        return checkpoint_step(self.run) if self.resumable else 0

    @property
    def id(self) -> str:
        return self.job.id if self.job else ""

    @property
    def dataset(self) -> Path:
        """The prefix of the dataset that this job builds."""
        return self.job.folder / "dataset"

    @property
    def run(self) -> Path:
        """The folder of the run that this job is."""
        return self.job.folder / "run"

    @property
    def adapter(self) -> Path:
        """The folder of the adapter that this job trains."""
        return self.run / "adapter"

    @property
    def report(self) -> Path:
        """The folder of the report that this job writes."""
        return self.job.folder / "report"

    def moment(self) -> tuple:
        """Return something that differs when there is anything new to show."""
        return (self.id, self.state, self.place, self.heartbeat, self.wait)


def clean(session: object) -> dict[str, str]:
    """Return the ids and the secret that a browser sent, and nothing else it may have sent."""
    if not isinstance(session, dict):
        return {}
    known = {name: session[name] for name in COMMANDS if isinstance(session.get(name), str)}
    secret = session.get(VISITOR)
    if isinstance(secret, str) and SECRET.fullmatch(secret):
        known[VISITOR] = secret
    return known


def look(home: Path, session: object, name: str) -> Look:
    """Return how the visitor's job of that name is doing; a missing one is no error."""
    try:
        job = jobs.find(home, clean(session).get(name), COMMANDS[name])
    except JobError:
        return Look()
    status = job.status()
    return Look() if status is None or not may_use(status.owner) else see(job, status)


def see(job: jobs.Job, status: jobs.Status) -> Look:
    """Return how a job is doing, whoever may ask for it."""
    state = job.state()
    place = job.place() if state == "queued" else 0
    wait = WAITS.seconds_until(job, status.command) if place else None
    wait = None if wait is None else rounded(wait)
    step, total = status.step, status.total
    more = (status.message, status.heartbeat, status.owner, wait)
    return Look(job, state, place, step, total, *more)


class Looks(dict[str, Look]):
    """How all jobs that a session names are doing, and the way to what else is the visitor's."""

    def __init__(self, home: Path, session: object, limits: Limits = NO_LIMITS) -> None:
        super().__init__({name: look(home, session, name) for name in COMMANDS})
        self.home = home
        self.session = clean(session)
        self.limits = limits  # of this machine

    @functools.cached_property
    def all_jobs(self) -> dict[str, Kept]:
        """All jobs of everybody; read once, when first needed."""
        return survey(self.home)

    def mine(self) -> list[Kept]:
        """Return the visitor's own jobs, newest first."""
        return own_jobs(self.all_jobs, self.session)

    def kept_until(self, name: str) -> float | None:
        """Return when the job of that name may be deleted; None if it stays."""
        if not self.limits.keep_days or not self[name].job:
            return None
        return kept_until(self[name].id, self.all_jobs, self.limits.keep_days)


def look_at_all(home: Path, session: object, limits: Limits = NO_LIMITS) -> Looks:
    """Return how all of the visitor's jobs are doing."""
    return Looks(home, session, limits)


def own_jobs(found: dict[str, Kept], session: object) -> list[Kept]:
    """Return those jobs that the visitor has started, newest first.

    Who holds the link to another's job does not own it. Jobs without an owner, as strangers to the
    page start them, belong to whoever names them.
    """
    owners, named = owners_of(session), set(clean(session).values())
    return [
        kept
        for kept in found.values()
        if (kept.status.owner in owners if kept.status.owner else kept.id in named)
    ]


def belongings(found: dict[str, Kept], run_id: str, session: object) -> dict[str, str]:
    """Return the ids of what belongs to a run: its dataset, last comparison and last check.

    They are told by the settings of the jobs. A comparison made before the run went on is of other
    weights; a check made before the run began is told by the run itself.
    """
    run = found.get(run_id)
    if run is None:
        return {}
    ours = {run.status.owner, *owners_of(session)}
    theirs = {key: kept for key, kept in found.items() if kept.status.owner in ours}
    known = {}
    for key in run.uses:
        if (
            key in found
            and found[key].status.command == "build"
            and may_use(found[key].status.owner)
        ):
            known["dataset"] = key
    for key, kept in theirs.items():  # newest first
        command, created = kept.status.command, kept.status.created
        if command == "compare" and is_of(kept, run_id) and created >= run.status.heartbeat:
            known.setdefault("comparison", key)
        is_later = created > run.status.created
        if command == "check" and kept.uses == run.uses and is_later:
            known.setdefault("check", key)
    return known


def is_of(comparison: Kept, run_id: str) -> bool:
    """Return whether a comparison is of this run in the first place, not of another one beside."""
    if run_id not in comparison.uses:
        return False
    try:
        settings = CompareConfig.load(comparison.job.folder / "config.json")
    except OcrtuneError:
        return False
    return job_of(settings.adapter, comparison.job.folder.parent) == run_id


def failure(events: list[Event], language: str) -> str:
    """Return why a job failed, as HTML."""
    told = [event for event in events if isinstance(event, Failed)]
    return "<br>".join(sentence(part) for event in told[-1:] for part in said(event, language))


def question(seen: Look) -> Asked | None:
    """Return what a build that failed would have to know; None if that is nothing."""
    if seen.state != "failed":
        return None
    asked = [event for event in seen.job.events() if isinstance(event, Asked)]
    known = [event for event in asked[-1:] if event.setting in ANSWERABLE and event.choices]
    return known[0] if known else None


def remarks(events: list[Event], language: str) -> str:
    """Return what a worker remarked on the way, folded; empty if it had nothing to say."""
    told = [event.text for event in events if isinstance(event, Note)]
    if not told:
        return ""
    rows = "".join(f"<li>{sentence(translate(language, words))}</li>" for words in told)
    title = text(language, "remarks", count=len(told))
    return f'<details class="ot-remarks"><summary>{title}</summary><ul>{rows}</ul></details>'


def stage_words(seen: Look, language: str) -> str:
    """Return what the worker is busy with, as plain text; empty if it has not said so."""
    key = f"stage_{seen.stage}"
    try:
        stage = say(language, key)
    except KeyError:  # the message was a note
        return ""
    if seen.total:
        return say(language, "stage_count", stage=stage, done=seen.step, total=seen.total)
    return stage


def rounded(seconds: float) -> float:
    """Return a wait as roughly as it is known: to ten seconds, to minutes, to half hours."""
    unit = 10 if seconds < 100 else 60 if seconds < 5400 else 1800
    return float(max(unit, unit * round(seconds / unit)))


def wait_words(seconds: float | None, language: str) -> str:
    """Return a sentence on how long a job will wait."""
    if seconds is None:
        return say(language, "wait_unknown")
    if seconds < 60:
        wait = say(language, "wait_seconds", count=round(seconds))
    elif seconds < 5400:
        minutes = round(seconds / 60)
        wait = say(language, "wait_minute" if minutes == 1 else "wait_minutes", count=minutes)
    else:
        hours = f"{seconds / 3600:.1f}".removesuffix(".0")
        wait = say(language, "wait_hours", count=hours)
    return say(language, "wait_about", wait=wait)


def waiting(seen: Look, language: str, doing: str) -> str:
    """Return a box for a job that is under way; `doing` says what it does."""
    if seen.state == "queued":
        key = "queued" if seen.place else "queued_next"
        words = text(language, key, place=seen.place)
        if seen.place:
            words += f" <small>{escape(wait_words(seen.wait, language))}</small>"
        return notice(words + bar(0, 0), "busy")
    stage = escape(stage_words(seen, language))
    small = f"<small>{stage}</small>" if stage else ""
    return notice(f"{doing} {small}{bar(seen.step, seen.total)}", "busy")


def lost_words(key: str, seen: Look, language: str) -> str:
    """Return that the work was interrupted, and why if that is known, as HTML."""
    why = seen.job.why_lost()
    known = sentence(translate(language, why)) if why else text(language, "lost_why")
    return f"{text(language, key)} {known}"


def trouble(seen: Look, language: str) -> str:
    """Return a box that says why a job gave nothing; empty when it did not go wrong."""
    if seen.state == "lost":
        again = text(language, "lost_again")
        return notice(f"{lost_words('lost', seen, language)} {again}", "bad")
    if seen.state == "failed":
        why = failure(seen.job.events(), language)
        return notice(f"<b>{text(language, 'trouble')}</b><br>{why}", "bad")
    return ""

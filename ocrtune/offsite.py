"""Copies of a run in a private repo of the Hub, so that losing the machine loses minutes.

The run is watched from outside, by the page's process or one of its own, which alone has the
token: the process that trains neither waits for a copy nor hears of its failures. Each run is a
branch of its own, each copy is one commit of it, and the older ones are squashed away.
"""

import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from ocrtune import __version__, jobs
from ocrtune.config import TrainConfig
from ocrtune.errors import HubBusyError, HubConflictError, HubError, OcrtuneError
from ocrtune.events import Emit, Event, Note, Step, append_event, read_events, silent
from ocrtune.hub_writing import PrivateRepo, user_of
from ocrtune.offsite_files import LIVELY, MANIFEST, Held, Known, Manifest, Source, held_still
from ocrtune.turns import REMOTE
from ocrtune.whole_files import put_in_place

USUAL_REPO = "ocrtune-runs"
USUAL_MINUTES = 10.0
SCHEME = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)/([\w.-]+)/?")
REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
STATE = "offsite.json"
POLL_SECONDS = 2.0
TRIES = 3  # of one copy, where the Hub's trouble may pass
PAUSES = (5.0, 20.0)  # seconds between them, unless the Hub asks for more
LONGEST_PAUSE = 60.0
THREADS = "copy of "  # begins the names of the threads that copy jobs
COMMITS_KEPT = 6  # of a branch, before they become one
ENDED_PATIENCE = 5 * 60.0  # seconds for the copy of how a run ended

CARD = """---
tags:
- ocrtune
---
Copies of unfinished runs of ocrtune, made with their owner's consent. Each branch is one run: its
settings, its checkpoint, its adapter and the dataset it learns from. Go on with one on any machine:

    python -m ocrtune train --resume hf://{repo_id}/BRANCH --output FOLDER

A run that is no longer needed is removed with `python -m ocrtune copies {repo_id} --remove BRANCH`.
"""


@dataclass(frozen=True)
class Place:
    """Where the copies of one run lie: a branch of a repo."""

    repo_id: str
    name: str

    @property
    def address(self) -> str:
        return f"hf://{self.repo_id}/{self.name}"


def is_address(text: object) -> bool:
    """Return whether a text is meant as the address of a copy."""
    return isinstance(text, str) and text.startswith("hf://")


def find_place(address: str) -> Place:
    """Return where an address such as `hf://me/ocrtune-runs/run-1a2b3c4d` leads."""
    match = SCHEME.fullmatch(address.strip())
    if match is None:
        raise HubError(
            f"`{address}` is not the address of a copy.", "Use the form `hf://USER/REPO/RUN`."
        )
    return Place(match[1], match[2])


def new_place(repo_id: str, label: str) -> Place:
    """Return a place that no run has; `label` is for people. Refuses what is no repo id."""
    if not REPO_ID.fullmatch(repo_id):
        raise HubError(f"`{repo_id}` is not a repo id.", f"Use the form `USER/{USUAL_REPO}`.")
    plain = re.sub(r"[^A-Za-z0-9]+", "-", label).strip("-")[:40] or "run"
    return Place(repo_id, f"{plain}-{secrets.token_hex(4)}")


@dataclass(frozen=True, kw_only=True)
class CopyState:
    """What `offsite.json` beside a run says of its copies."""

    repo_id: str
    name: str
    minutes: float = USUAL_MINUTES  # between two copies
    run: str = ""  # tells this run from every other one
    state: str = "waiting"  # or copying, copied, failing, given up
    copied: float = 0.0  # seconds since 1970, when the last copy was whole; 0: never
    step: int = 0  # of the run in that copy
    problem: str = ""  # of the last try
    fix: str = ""
    key: str = ""  # of its words in other languages, and what they name
    values: dict = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(self.repo_id, self.name)

    def save(self, folder: Path) -> None:
        """Put this state in place of the last one, at once."""
        put_in_place(folder / STATE, json.dumps(asdict(self), ensure_ascii=False).encode())

    @classmethod
    def load(cls, folder: Path) -> "CopyState | None":
        """Return the state of the copies of what is in the folder; None if there are none."""
        try:
            values = json.loads((folder / STATE).read_text("utf-8"))
            known = {
                one.name: one.type(values[one.name]) for one in fields(cls) if one.name in values
            }
            return cls(**known)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def plan_copies(source: Source, repo_id: str, minutes: float = USUAL_MINUTES) -> CopyState:
    """Return how this run shall be copied; a run that goes on keeps its place."""
    folder = source.job or source.run
    before = CopyState.load(folder)
    if before and before.repo_id == repo_id:
        planned = replace(before, minutes=minutes, state="waiting", problem="", fix="", key="")
    else:
        label = source.run.name if source.job is None else time.strftime("run-%Y%m%d")
        place = new_place(repo_id, label)
        mark = secrets.token_hex(8)
        planned = CopyState(repo_id=repo_id, name=place.name, minutes=minutes, run=mark)
    folder.mkdir(parents=True, exist_ok=True)
    planned.save(folder)
    return planned


class Copier:
    """Sends a run to its place, again and again; no failure of it reaches the run."""

    def __init__(
        self,
        source: Source,
        state: CopyState,
        token: Callable[[], str],
        tell: Emit = silent,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self.source = source
        self.folder = source.job or source.run
        self.state = state
        self.token = token  # asked anew for each copy: tokens of visitors expire
        self.tell = tell
        self.pauses = pauses
        self.known: dict[str, Known] = {}  # what the branch holds
        self.head = ""  # its newest commit
        self.commits = 0  # since the last squash
        self.had_checkpoint = False

    def follow(self, ended: Callable[[], bool], poll_seconds: float = POLL_SECONDS) -> None:
        """Copy the run every so many minutes until it has ended, and then once more."""
        due = time.monotonic()
        if not self.head:
            self.prepare()
        while not self.has_given_up and self.folder.exists():
            over = ended()  # asked first, so that the last copy has everything
            first = self.source.has_checkpoint and not self.had_checkpoint
            if self.source.is_ready and (over or first or time.monotonic() >= due):
                self.copy()
                due = time.monotonic() + 60 * self.state.minutes
            if over:
                break
            time.sleep(poll_seconds)
        self.finish()

    @property
    def has_given_up(self) -> bool:
        return self.state.state == "given up"

    @property
    def is_failing(self) -> bool:
        """Whether another try may help; a job that was deleted is beyond that."""
        return self.state.state == "failing" and self.source.is_ready

    def finish(self) -> None:
        """Make sure of the last copy for some minutes, then tidy up."""
        deadline = time.monotonic() + ENDED_PATIENCE
        while self.is_failing and self.pauses and time.monotonic() < deadline:
            time.sleep(self.pauses[-1])
            self.copy()
        if self.state.state == "copied" and self.commits:
            self.tidy()

    def prepare(self) -> bool:
        """Open the place before there is anything to copy, so that trouble is known at once."""
        return self.is_done(lambda: self.begin(self.repo()))

    def copy(self) -> bool:
        """Make one copy, and return whether all is sent; what goes wrong is told, never raised."""
        steps: list[int] = []
        self.note(state="copying")
        if not self.is_done(lambda: steps.append(self.send())):
            return False
        if self.state.problem:
            self.tell(Note(f"The run is copied to {self.state.place.address} again."))
        elif not self.state.copied:
            self.tell(Note(f"The run is copied to {self.state.place.address}, which is private."))
        self.note(state="copied", copied=time.time(), step=steps[-1], problem="", fix="", key="")
        return True

    def is_done(self, action: Callable[[], None]) -> bool:
        """Do something, and return whether it went well; what went wrong is written down."""
        try:
            action()
        except (HubBusyError, HubConflictError) as error:
            self.fail(error, "failing")
        except HubError as error:
            self.fail(error, "given up")
        except (OcrtuneError, OSError) as error:
            why = error.problem if isinstance(error, OcrtuneError) else error.strerror or str(error)
            problem = f"The run cannot be copied now: {why.rstrip('.')}."
            self.fail(HubError(problem, "Make room on the disk."), "failing")
        except Exception as error:  # whatever it is, it is no reason to end
            problem = f"ocrtune itself failed to copy the run ({type(error).__name__})."
            self.fail(HubError(problem, "Please report it."), "failing")
        else:
            return True
        return False

    def fail(self, error: HubError, state: str) -> None:
        """Write down what went wrong; tell it once, not each time."""
        more = "The copies end; the run goes on." if state == "given up" else "The run goes on."
        if state == "given up" or not self.state.problem:
            self.tell(Note(f"The copy to the Hub failed. {error} {more}"))
        told = {"key": error.key, "values": dict(error.values)}
        self.note(state=state, problem=error.problem, fix=error.fix, **told)

    def note(self, **changes: object) -> None:
        """Bring the state on disk up to date; a full disk is no reason to end."""
        self.state = replace(self.state, **changes)
        try:
            self.state.save(self.folder)
        except OSError:
            return

    def repo(self) -> PrivateRepo:
        """Return the repo, with the token of this moment."""
        return PrivateRepo(self.state.repo_id, self.token())

    def send(self) -> int:
        """Send what is new, and return the step that the run was at."""
        settings, repo = self.source.settings(), self.repo()
        if not self.head:
            self.patiently(lambda: self.begin(repo))
        self.had_checkpoint = self.source.has_checkpoint
        with held_still(self.source, self.known) as held:
            manifest = self.manifest(held, settings)
            self.patiently(lambda: self.commit(repo, held, manifest))
        if self.commits >= COMMITS_KEPT:
            self.tidy()
        return manifest.step

    def manifest(self, held: Mapping[str, Held], settings: TrainConfig) -> Manifest:
        """Return what this copy is."""
        steps = [one for one in read_events(self.source.run / "log.jsonl") if isinstance(one, Step)]
        return Manifest(
            run=self.state.run,
            mark=secrets.token_hex(16),
            ocrtune=__version__,
            copied=round(time.time()),
            step=steps[-1].step if steps else 0,
            total=steps[-1].total if steps else settings.steps,
            base=settings.base,
            data=Path(settings.data).name,
            files={name: one.known for name, one in held.items()},
        )

    def begin(self, repo: PrivateRepo) -> None:
        """Find the run's branch and what it holds, or begin it."""
        repo.open(CARD.format(repo_id=self.state.repo_id))
        head = repo.head(self.state.name)
        if not head:
            self.known, self.head = {}, repo.begin(self.state.name)
            return
        found = self.read_manifest(repo, head)
        if found and found.run != self.state.run:
            raise HubError(
                f"`{self.state.place.address}` holds another run.", "Copy to another repository."
            )
        self.known, self.head = dict(found.files) if found else {}, head

    def read_manifest(self, repo: PrivateRepo, commit: str) -> Manifest | None:
        """Return what a commit of the branch holds; None if it is no copy."""
        with repo.borrowed(commit, MANIFEST) as path:
            return Manifest.from_bytes(path.read_bytes()) if path else None

    def commit(self, repo: PrivateRepo, held: Mapping[str, Held], manifest: Manifest) -> None:
        """Make a copy the branch's newest commit, unless it is so already."""
        head = repo.head(self.state.name)
        if head != self.head:  # an answer of the Hub got lost, or somebody else writes
            there = self.read_manifest(repo, head)
            if there is None or there.mark != manifest.mark:
                raise HubError(
                    f"`{self.state.place.address}` was changed by somebody else: the run may go "
                    "on at another place.",
                    "Copy this one to another repository.",
                )
            self.accept(head, manifest, held)
            return
        new = {name: one.path for name, one in held.items() if one.path}
        gone = [name for name in self.known if name not in held]
        if not gone and set(new) <= set(LIVELY) and self.known:
            return
        words = f"Step {manifest.step} of {manifest.total}"
        files = {**new, MANIFEST: manifest.to_bytes()}
        try:
            made = repo.commit(self.state.name, files, gone, self.head, words)
        except HubConflictError as error:  # the next try finds out by whom
            raise HubBusyError(error.problem, error.fix) from error
        self.accept(made, manifest, held)

    def accept(self, head: str, manifest: Manifest, held: Mapping[str, Held]) -> None:
        """Know what the branch holds now."""
        self.head = head
        self.known = {name: one.known for name, one in held.items()}
        self.commits += 1

    def patiently(self, action: Callable[[], None]) -> None:
        """Do something with the Hub, a few times if its trouble may pass."""
        for pause in (*self.pauses[: TRIES - 1], None):
            try:
                return action()
            except HubBusyError as error:
                if pause is None:
                    raise
                time.sleep(min(max(pause, error.wait_seconds), LONGEST_PAUSE))

    def tidy(self) -> None:
        """Leave one commit of the branch; that it fails is no harm, the next copy tries again."""
        try:
            self.head = self.repo().squash(self.state.name) or self.head
            self.commits = 0
        except HubError:
            self.head = ""  # it may have been done all the same


def copy_job(
    job: jobs.Job,
    token: Callable[[], str],
    repo_id: str = "",
    minutes: float = USUAL_MINUTES,
) -> threading.Thread:
    """Start to copy a training of the page, and return the thread, which ends after the job.

    repo_id: empty for where it was copied to before, else for `USER/ocrtune-runs`. What there is
    to tell goes among the job's events, as notes. A job that is being copied already stays with
    that.
    """
    name = f"{THREADS}{job.id}"
    for thread in threading.enumerate():
        if thread.name == name:
            return thread
    thread = threading.Thread(
        target=follow_job, args=(job, token, repo_id, minutes), name=name, daemon=True
    )
    thread.start()
    return thread


def is_elsewhere(job: jobs.Job) -> bool:
    """Return whether the run is on a machine of the Hub, which copies it."""
    status = job.status()
    return status is not None and status.command == REMOTE


def follow_job(job: jobs.Job, token: Callable[[], str], repo_id: str, minutes: float) -> None:
    """Copy a job until it has ended; what cannot be done is told among its events.

    One on a machine of the Hub is copied by that machine alone.
    """
    if is_elsewhere(job):
        return

    def tell(event: Event) -> None:
        with contextlib.suppress(OSError):
            append_event(job.folder / "events.jsonl", event)

    def ended() -> bool:
        return job.ended() or not job.folder.exists()

    try:
        before = CopyState.load(job.folder)
        repo_id = repo_id or (before.repo_id if before else own_repo(token))
        run = Path(TrainConfig.load(job.folder / "config.json").output)
        source = Source(run, job.folder)
        copier = Copier(source, plan_copies(source, repo_id, minutes), token, tell)
    except (OcrtuneError, OSError) as error:
        tell(Note(f"The run is not copied to the Hub. {error}"))
        return
    copier.follow(ended)


def await_copies(patience_seconds: float) -> None:
    """Wait for the copies of jobs that have ended, when this process is about to end, too."""
    deadline = time.monotonic() + patience_seconds
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join(max(0.0, deadline - time.monotonic()))


def own_repo(token: Callable[[], str]) -> str:
    """Return the repo for the runs of the user whose token it is."""
    return f"{user_of(token())}/{USUAL_REPO}"


def continue_copies(home: Path, token: Callable[[], str]) -> None:
    """Copy on what was copied when the page's process ended, and is still under way."""
    for job in jobs.list_jobs(home):
        if not job.ended() and CopyState.load(job.folder) and not is_elsewhere(job):
            copy_job(job, token)

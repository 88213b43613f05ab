"""A run on a machine of the Hub, seen from here: started, followed, stopped, found again.

The worker of such a job computes nothing. It sends the run to its place on the Hub, starts a job
there, tells what that one tells, and brings back what it has learned. `remote.json` beside it says
which job that is: whoever comes later goes on with the same one, because a second one would be
paid for, too. Nothing is started that nobody has agreed to pay for, once for each start.
"""

import contextlib
import json
import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from ocrtune.checkpoint_step import checkpoint_step
from ocrtune.config import TrainConfig
from ocrtune.errors import HubBusyError, HubError, JobError, OcrtuneError, TrainingError
from ocrtune.event_lines import from_marked
from ocrtune.events import Done, Emit, Failed, Note, Saved, Step, read_events
from ocrtune.far_side import stop_branch
from ocrtune.flavors import Estimate, Flavor, find_flavor, remember_flavors
from ocrtune.hub_jobs import RemoteJobs, RemoteLook, explain_stage, list_flavors
from ocrtune.hub_writing import PrivateRepo
from ocrtune.offsite import Copier, CopyState, Place, own_repo, plan_copies
from ocrtune.offsite_fetch import bring_back
from ocrtune.offsite_files import Source
from ocrtune.redaction import redact
from ocrtune.remote_package import COMMAND, IMAGE, SCRIPT, encoded, pack, sha256_of, write_script
from ocrtune.whole_files import put_in_place

T = TypeVar("T")
STATE = "remote.json"
PACKAGE = "package/ocrtune.zip"  # on the run's branch
RESERVE_MINUTES = 12  # of those that are paid for: installing, and sending the end of the run
DEARER = 1.005  # times the price agreed to, which is too much
POLL_SECONDS = 0.5
LOOK_SECONDS = 5.0  # between two looks at how the job is doing
STOP_PATIENCE = 10 * 60.0  # seconds for a last step and its copy, before the job is cancelled
UNREACHABLE = 10 * 60.0  # seconds without an answer of the Hub, before that is told
TRIES, PAUSE = 4, 5.0  # of what must not fail because of passing trouble
STAGES = {
    "SCHEDULING": "Waiting for a machine `{flavor}`.",
    "RUNNING": "A machine `{flavor}` is there; it installs what it needs, which takes minutes.",
}


@dataclass(frozen=True, kw_only=True)
class RemoteState:
    """What `remote.json` says of a run on a machine of the Hub."""

    flavor: str
    dollars_an_hour: float  # agreed to
    limit_minutes: int  # agreed to; then the Hub ends it
    agreed: bool = True  # one start may be paid for, which has not been made
    mark: str = ""  # tells the job on the Hub from every other one; empty: none was tried
    user: str = ""  # whose account pays
    job_id: str = ""  # of the Hub; empty: nobody knows whether it was started
    address: str = ""  # of its page
    seen: int = 0  # the number of the last event that was told here
    closed: bool = False  # it has ended, and everything of it is here

    def save(self, folder: Path) -> None:
        """Put this state in place of the last one, at once."""
        put_in_place(folder / STATE, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, folder: Path) -> "RemoteState | None":
        """Return the state of the run in the folder; None if it is no such run."""
        try:
            values = json.loads((folder / STATE).read_text("utf-8"))
            return cls(**{one.name: one.type(values[one.name]) for one in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def may_go_on(self) -> bool:
        """Whether there is a job on the Hub that has not been dealt with."""
        return bool(self.mark) and not self.closed


def agree(folder: Path, flavor: str, estimate: Estimate) -> RemoteState:
    """Write down that somebody agreed to pay for one start on that machine, and return it."""
    before = RemoteState.load(folder)
    told = {"dollars_an_hour": estimate.dollars_an_hour, "limit_minutes": estimate.limit_minutes}
    fresh = RemoteState(flavor=flavor, **told)
    if before and before.may_go_on:  # that one is paid for, on the terms it has
        return before
    fresh.save(folder)
    return fresh


def let_go(folder: Path, token: str) -> None:
    """End what the run in the folder costs on the Hub; a JobError or HubError if that cannot be."""
    state = RemoteState.load(folder)
    if state is None or not state.may_go_on:
        return
    if not token:
        raise JobError(
            f"The run is on `{state.flavor}` at the Hub, and costs until it ends.",
            "Sign in first, so that it can be ended there.",
        )
    remote = RemoteJobs(token)
    if remote.user != state.user:
        raise JobError(
            f"The run is on `{state.flavor}`, paid for by `{state.user}`.",
            f"Sign in as `{state.user}` to end it.",
        )
    look = remote.look(state.job_id) if state.job_id else remote.find(state.mark)
    if look and look.under_way:
        remote.cancel(look.job_id)
    replace(state, closed=True).save(folder)


def refuse_unsendable(config: TrainConfig) -> None:
    """Raise a TrainingError if a run cannot be sent to another machine."""
    named = {"base model": config.base, "adapter to begin with": config.start_from}
    for what, name in named.items():
        if name and Path(name).expanduser().is_dir():
            raise TrainingError(
                f"The {what}, `{name}`, is a folder of this machine.",
                "Push it to the Hub and name its repo id, or let the run stay on this machine.",
            )


@dataclass(frozen=True)
class Outcome:
    """How a run on another machine ended, as far as this one is concerned."""

    text: str
    stopped: bool


def supervise(
    folder: Path,
    config: TrainConfig,
    token: str,
    emit: Emit,
    asked: Callable[[], bool],
    leaving: Callable[[], bool],
) -> Outcome:
    """Let a run happen on a machine of the Hub, and return how it ended; its adapter is here then.

    folder: of the job; asked: whether somebody wants the run to stop; leaving: whether this
    machine goes down, which leaves the run alone.
    """
    state = RemoteState.load(folder)
    if state is None:
        raise JobError("Nobody has said on which machine the run shall be.", "Start it again.")
    return Supervisor(folder, config, state, token, emit).go(asked, leaving)


class Supervisor:
    """The one who watches over a run elsewhere."""

    def __init__(
        self, folder: Path, config: TrainConfig, state: RemoteState, token: str, emit: Emit
    ) -> None:
        self.folder = folder
        self.config = config
        self.state = state
        self.token = token
        self.emit = emit
        self.remote = RemoteJobs(token)
        if state.may_go_on and state.user != self.remote.user:
            raise JobError(
                f"The run is on `{state.flavor}`, paid for by `{state.user}`.",
                f"Sign in as `{state.user}` to follow it.",
            )
        self.source = Source(Path(config.output), folder)
        self.copies = plan_copies(self.source, own_repo(lambda: token))
        self.ending: Done | Failed | None = None

    @property
    def place(self) -> Place:
        return self.copies.place

    def repo(self) -> PrivateRepo:
        return PrivateRepo(self.place.repo_id, self.token)

    def note(self, **changes: object) -> None:
        """Bring the state on disk up to date."""
        self.state = replace(self.state, **changes)
        self.state.save(self.folder)

    def go(self, asked: Callable[[], bool], leaving: Callable[[], bool]) -> Outcome:
        """Start or find the job, follow it to its end, and bring back what it has learned."""
        look = self.found() if self.state.may_go_on else None
        if look:
            self.emit(Note(f"The run on `{self.state.flavor}` is followed again: {look.address}"))
        else:
            if asked():
                return Outcome("Stopped before it began.", stopped=True)
            look = self.launch()
        look = self.watch(look, asked, leaving)
        if look is None:
            words = "This machine goes down, the run goes on at the Hub: Resume follows it again."
            return Outcome(words, stopped=True)
        return self.finish(look, asked)

    def found(self) -> RemoteLook | None:
        """Return how the job that was started before is doing; None if there is none."""
        look = patiently(
            lambda: (
                self.remote.look(self.state.job_id)
                if self.state.job_id
                else self.remote.find(self.state.mark)
            )
        )
        if look is None:  # it was never started: what was agreed to still holds
            self.note(mark="", agreed=True)
            return None
        self.note(job_id=look.job_id, address=look.address)
        return look

    def launch(self) -> RemoteLook:
        """Send everything to the Hub, start a job there, and return how it is doing."""
        if not self.state.agreed:
            raise JobError(
                f"The run on `{self.state.flavor}` has ended, and another start costs again.",
                "Agree to that to go on from the last copy.",
            )
        flavor = self.checked_flavor()
        refuse_unsendable(self.config)
        self.emit(Note(f"The run is sent to {self.place.address}, which is private."))
        script = self.send(flavor)
        mark = secrets.token_hex(8)
        fresh = {"mark": mark, "job_id": "", "address": "", "seen": 0, "closed": False}
        self.note(agreed=False, user=self.remote.user, **fresh)
        look = self.start(script, mark)
        self.note(job_id=look.job_id, address=look.address)
        most = self.state.limit_minutes / 60 * self.state.dollars_an_hour
        self.emit(
            Note(
                f"The run is on `{flavor.name}` for ${flavor.dollars_an_hour:.2f} an hour, until "
                f"it ends, {self.state.limit_minutes} minutes (${most:.2f}) at most: {look.address}"
            )
        )
        return look

    def checked_flavor(self) -> Flavor:
        """Return the machine that was agreed on, unless it costs more by now."""
        flavors = patiently(lambda: list_flavors(self.token))
        remember_flavors(self.folder.parent.parent, flavors)
        flavor = find_flavor(self.state.flavor, flavors)
        if flavor.dollars_an_hour > self.state.dollars_an_hour * DEARER:
            raise JobError(
                f"`{flavor.name}` costs ${flavor.dollars_an_hour:.2f} an hour by now, not "
                f"${self.state.dollars_an_hour:.2f}. Nothing was started.",
                "Start the run again to agree to the new price.",
            )
        return flavor

    def send(self, flavor: Flavor) -> str:
        """Bring the run's place up to what is here, and return the script that goes on from it."""
        copier = Copier(self.source, self.copies, lambda: self.token)
        if not copier.prepare():
            raise like(HubError, copier.state)
        there = copier.read_manifest(self.repo(), copier.head) if copier.known else None
        if there is None or checkpoint_step(self.source.run) > there.step:
            self.source.run.mkdir(parents=True, exist_ok=True)
            self.config.save(self.source.run / "config.json")  # which may ask for more steps
            if not copier.copy():
                raise like(HubError, copier.state)
            there = copier.read_manifest(self.repo(), copier.head)
        if not any(name.endswith("state.safetensors") for name in there.files):
            self.forget_steps()
        package = pack(self.config.base)
        patiently(lambda: self.put(package))
        minutes = max(5, self.state.limit_minutes - RESERVE_MINUTES)
        where = (self.place.repo_id, self.place.name, PACKAGE)
        return write_script(self.config, bool(flavor.card), *where, sha256_of(package), minutes)

    def put(self, package: bytes) -> None:
        """Put the package beside the run, and take back the wish to stop of an earlier one."""
        repo = self.repo()
        if stop_branch(self.place) in repo.branches():
            repo.remove(stop_branch(self.place))
        head, name = repo.head(self.place.name), self.place.name
        repo.commit(name, {PACKAGE: package}, (), head, "The package that runs there")

    def forget_steps(self) -> None:
        """Drop what was told of a run that begins again: it is told once more."""
        told = self.folder / "events.jsonl"
        if any(isinstance(event, Step) for event in read_events(told)):
            told.unlink(missing_ok=True)

    def start(self, script: str, mark: str) -> RemoteLook:
        """Start the job; where the answer is lost, find out whether it was started all the same."""
        state = self.state
        variables = {SCRIPT: encoded(script)}
        try:
            return self.remote.start(
                image=IMAGE,
                command=COMMAND,
                flavor=state.flavor,
                minutes=state.limit_minutes,
                mark=mark,
                environment=variables,
                secrets={"HF_TOKEN": self.token},
            )
        except HubBusyError:
            for _ in range(TRIES):
                if look := patiently(lambda: self.remote.find(mark)):
                    return look
                time.sleep(PAUSE)
            raise  # whoever resumes looks for it once more
        except HubError:
            self.note(mark="", agreed=True)
            raise

    def watch(
        self, look: RemoteLook, asked: Callable[[], bool], leaving: Callable[[], bool]
    ) -> RemoteLook | None:
        """Tell what the job tells until it has ended; None if this machine goes down before."""
        stopping = 0.0  # since when
        answered = looked = time.monotonic()
        stage = ""
        with reading(self.remote, look.job_id) as lines:
            while True:
                self.pass_on(lines)
                if look.stage != stage and look.stage in STAGES and not self.state.seen:
                    self.emit(Note(STAGES[look.stage].format(flavor=self.state.flavor)))
                stage = look.stage
                if not look.under_way:
                    break
                if asked() and not stopping:
                    stopping = time.monotonic()
                    self.stop(look)
                elif leaving():
                    return None
                elif stopping and time.monotonic() - stopping > STOP_PATIENCE:
                    stopping = time.monotonic()
                    self.emit(Note("The run does not end by itself: it is cancelled."))
                    self.remote.cancel(look.job_id)
                time.sleep(POLL_SECONDS)
                if time.monotonic() - looked > LOOK_SECONDS or self.ending:
                    looked = time.monotonic()
                    try:
                        look = self.remote.look(look.job_id)
                        answered = looked
                    except HubBusyError:
                        if looked - answered > UNREACHABLE:
                            answered = looked
                            self.emit(Note("The Hub does not answer; the run goes on there."))
                    except HubError as error:
                        told = f"{error.problem} The run goes on there."
                        raise HubError(
                            told, f"{error.fix} Then Resume follows it again."
                        ) from error
        with contextlib.suppress(HubError):
            self.pass_on(self.remote.printed(look.job_id))
        return look

    def pass_on(self, lines: "Lines | list[str]") -> None:
        """Tell the events among some lines that were not told yet; log the rest."""
        whole = isinstance(lines, list)  # from the first line on: the others are in the log
        for line in lines if whole else lines.new():
            told = from_marked(line)
            if told is None:
                if not whole:
                    sys.stderr.write(f"{redact(line.rstrip())}\n")
                continue
            number, event = told
            if isinstance(event, Done | Failed):
                self.ending = event  # told only when everything is here
            if number > self.state.seen:
                if not isinstance(event, Done | Failed | Saved):  # its paths are of use there only
                    self.emit(event)
                self.note(seen=number)

    def stop(self, look: RemoteLook) -> None:
        """Ask the run to end after its step and keep what it has learned."""
        now = patiently(lambda: self.remote.look(look.job_id))  # it may have begun just now
        if now.stage == "SCHEDULING" and not self.state.seen:
            self.remote.cancel(look.job_id)
            return
        self.emit(Note("The run is asked to stop; it sends what it has learned first."))
        try:
            patiently(lambda: self.repo().begin(stop_branch(self.place)))
        except HubError as error:
            self.emit(Note(f"It cannot be asked, so it is cancelled. {error.problem}"))
            self.remote.cancel(look.job_id)

    def finish(self, look: RemoteLook, asked: Callable[[], bool]) -> Outcome:
        """Bring the run back and return how it ended; an error says why it did not end well."""
        run = Path(self.config.output)
        patiently(lambda: bring_back(self.place, run, Path(self.config.data), self.token))
        self.note(closed=True)
        with contextlib.suppress(HubError):
            self.repo().remove(stop_branch(self.place))
        if isinstance(self.ending, Failed):
            raise like(TrainingError, self.ending)
        has_adapter = (run / "adapter" / "contract.json").is_file()
        if look.stage == "COMPLETED" and has_adapter:
            self.emit(Saved("adapter", str(run / "adapter")))
            unfinished = checkpoint_step(run) > 0
            stopped = self.ending.stopped if self.ending else unfinished
            return Outcome(self.ending.text if self.ending else "The adapter is saved.", stopped)
        if asked() and look.stage in ("CANCELED", "COMPLETED"):
            return Outcome("Stopped; what was copied until then is kept.", stopped=True)
        raise explain_stage(look, self.state.limit_minutes)


def like(kind: type[OcrtuneError], told: Failed | CopyState) -> OcrtuneError:
    """Return the error of which somebody else has told, in all languages that it has."""
    error = kind(told.problem, told.fix)
    error.key, error.values = told.key, told.values
    return error


class Lines:
    """What a job prints, as it comes, each line once however often the connection is lost."""

    def __init__(self, remote: RemoteJobs, job_id: str) -> None:
        self.remote = remote
        self.job_id = job_id
        self.passed = 0
        self.waiting: queue.Queue[str] = queue.Queue()
        self.over = threading.Event()
        threading.Thread(target=self.read, name="log of the Hub", daemon=True).start()

    def read(self) -> None:
        """Read the log from its beginning, again and again, and keep what is new."""
        while not self.over.is_set():
            try:
                for index, line in enumerate(self.remote.lines(self.job_id)):
                    if index >= self.passed:
                        self.passed += 1
                        self.waiting.put(line)
                    if self.over.is_set():
                        return
            except HubError:  # the next try may go better; whether the job lives is asked apart
                pass
            self.over.wait(LOOK_SECONDS / 2)

    def new(self) -> Iterator[str]:
        """Yield the lines that came since the last time."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self.waiting.get_nowait()


@contextlib.contextmanager
def reading(remote: RemoteJobs, job_id: str) -> Iterator[Lines]:
    """Yield what a job prints."""
    lines = Lines(remote, job_id)
    try:
        yield lines
    finally:
        lines.over.set()


def patiently(action: Callable[[], T]) -> T:
    """Return what an action of the Hub returns, tried a few times if its trouble may pass."""
    for attempt in range(1, TRIES + 1):
        try:
            return action()
        except HubBusyError as error:
            if attempt == TRIES:
                raise
            time.sleep(max(PAUSE * attempt, min(error.wait_seconds, 60.0)))
    raise AssertionError("the last try returns or raises")

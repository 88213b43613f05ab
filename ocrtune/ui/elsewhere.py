"""Where a visitor's run happens: here, or on a machine of the Hub that they pay for."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import gradio as gr
from gradio.utils import get_space

from ocrtune import jobs
from ocrtune.config import TrainConfig
from ocrtune.dataset_files import read_build_report
from ocrtune.errors import OcrtuneError
from ocrtune.events import Preflight
from ocrtune.flavors import Estimate, Flavor, estimate_run, find_flavor, load_flavors
from ocrtune.offsite import CopyState
from ocrtune.remote import RemoteState, agree, refuse_unsendable
from ocrtune.turns import REMOTE
from ocrtune.ui.actions import STARTING, Actions, kept_ids, shown
from ocrtune.ui.looks import Look, clean, look
from ocrtune.ui.shared_actions import named_one
from ocrtune.ui.views import duration, escape, notice, sentence, text, tiles
from ocrtune.ui.words import Refused, language_of, say

SCOPE = "jobs"  # of a sign-in on a Space
HERE = "here"  # the choice that is no machine of the Hub


@dataclass(frozen=True)
class Terms:
    """What a visitor was shown before they agreed: the machine, and what a run may cost there."""

    flavor: str
    limit_minutes: int
    dollars_an_hour: float

    @classmethod
    def of(cls, value: object) -> "Terms | None":
        """Return the terms that the page kept; None if there are none."""
        try:
            return cls(**value) if isinstance(value, dict) and value else None
        except TypeError:
            return None

    def estimate(self) -> Estimate:
        """Return the terms as an estimate has them."""
        return Estimate(0.0, self.limit_minutes, self.dollars_an_hour)


@dataclass(frozen=True)
class Elsewhere:
    """What can be done about machines of the Hub."""

    actions: Actions

    @property
    def offered(self) -> bool:
        return self.actions.account is not None

    @property
    def allowed(self) -> bool:
        """Whether a sign-in may start jobs: on a Space its owner has to ask visitors for that."""
        return not get_space() or SCOPE in os.environ.get("OAUTH_SCOPES", "").split()

    def choices(self) -> list[tuple[str, str]]:
        """Return the machines as a widget takes them; their names are the same in all languages."""
        return [(machine_words(one), one.name) for one in load_flavors(self.actions.home)]

    @shown
    def describe(self, where: object, terms: object, *settings_and_visitor: object) -> list:
        """Return what a run costs there, the box to agree to it, and the terms.

        What was agreed to before does not hold for other terms.
        """
        language = settings_and_visitor[-1]
        if where == HERE or not self.offered:
            return ["", gr.update(visible=False, value=False), {}]
        if not self.allowed:
            told = notice(sentence(say(language_of(language), "remote_no_scope")), "bad")
            return [told, gr.update(visible=False, value=False), {}]
        flavor = self.machine(where)
        config, samples, told = self.run_of(settings_and_visitor)
        estimate = estimate_run(config, samples, flavor, told)
        fresh = terms_of(flavor, estimate)
        same = Terms.of(terms) == fresh
        box = gr.update(visible=True) if same else gr.update(visible=True, value=False)
        html = cost_words(flavor, estimate, bool(samples), language)
        others = load_flavors(self.actions.home)
        found = [(one, estimate_run(config, samples, one, told)) for one in others]
        return [html + compare_words(found, language), box, asdict(fresh)]

    def machine(self, where: object) -> Flavor:
        """Return the machine that a browser named; refuse one that is not offered."""
        try:
            return find_flavor(str(where), load_flavors(self.actions.home))
        except OcrtuneError as error:
            raise Refused("remote_unknown") from error

    def run_of(
        self, settings: tuple, strict: bool = False
    ) -> tuple[TrainConfig, int, Preflight | None]:
        """Return the run that would be started, the size of its train split, and its check.

        Where something is still missing, a usual run is taken, or with `strict` refused.
        """
        session = settings[-2]
        dataset, check = (look(self.actions.home, session, name) for name in ("dataset", "check"))
        try:
            config = self.actions.run_settings(*settings, limited=False)
            samples = read_build_report(str(dataset.dataset))["splits"].get("train", 0)
        except OcrtuneError:
            if strict:
                raise
            return TrainConfig(data="", output=""), 0, None
        return config, samples, last_check(check, config)

    @shown
    def start(
        self, where: object, consent: object, terms: object, adapter: object, *settings: object
    ) -> dict:
        """Start a run on the visitor's dataset; adapter: of the Hub, what it begins with."""
        session, named = settings[-2], named_one(adapter)
        begun = named.address if named else ""
        if where == HERE or not self.offered:
            config = self.actions.run_settings(*settings)
            return self.actions.begin(replace(config, start_from=begun), session)
        if not self.allowed:
            raise Refused("remote_no_scope")
        agreed = Terms.of(terms)
        if consent is not True or agreed is None or agreed.flavor != where:
            raise Refused("remote_agree")
        self.actions.require_owner(session)
        token = self.actions.token()
        config, samples, told = self.run_of(settings, strict=True)
        refuse_unsendable(config)
        flavor = self.machine(where)
        if terms_of(flavor, estimate_run(config, samples, flavor, told)) != agreed:
            raise Refused("remote_changed")
        if look(self.actions.home, session, "run").active:
            raise Refused("already_running")

        def settle(folder: Path) -> TrainConfig:
            agree(folder, agreed.flavor, agreed.estimate())
            return replace(config, output=str(folder / "run"), start_from=begun)

        kept = kept_ids(session, "dataset", "shared")
        return kept | {"run": self.actions.launch_once(REMOTE, settle, session, token)}

    def take_consent(self) -> bool:
        """Untick the box: one yes is for one start."""
        return False

    @shown
    def resume(
        self, where: object, consent: object, terms: object, session: object, language: str
    ) -> dict:
        """Let the visitor's run go on where it was; another start there costs once more."""
        run = look(self.actions.home, session, "run")
        state = RemoteState.load(run.job.folder) if run.job else None
        if state is None or run.active:
            return self.actions.resume(session, language)
        self.actions.require_owner(session)
        token = self.actions.token()
        if not state.may_go_on and not state.agreed:
            agreed = Terms.of(terms)
            if consent is not True or agreed is None or agreed.flavor != where:
                raise Refused("remote_agree_again")
            agree(run.job.folder, agreed.flavor, agreed.estimate())
        with STARTING:
            self.actions.refuse_too_many(session)
            jobs.resume(run.job, run.run, self.actions.worker, token)
        return kept_ids(clean(session), "dataset", "run")


def terms_of(flavor: Flavor, estimate: Estimate) -> Terms:
    """Return what is agreed to with an estimate."""
    return Terms(flavor.name, estimate.limit_minutes, flavor.dollars_an_hour)


def last_check(check: Look, config: TrainConfig) -> Preflight | None:
    """Return what the visitor's check of this very run found out; None without one."""
    if check.job is None or check.state != "done":
        return None
    try:
        same = TrainConfig.load(check.job.folder / "config.json") == config
    except OcrtuneError:
        return None
    told = [event for event in check.job.events() if isinstance(event, Preflight)]
    return told[-1] if same and told else None


def machine_words(flavor: Flavor) -> str:
    """Return a machine and its price in signs that every language has."""
    card = f"{flavor.card} {flavor.card_memory}" if flavor.card else "CPU"
    return f"{flavor.name} · {card} · ${flavor.dollars_an_hour:.2f}/h"


def cost_words(flavor: Flavor, estimate: Estimate, has_dataset: bool, language: str) -> str:
    """Return what a run costs on a machine, before it is started, as HTML."""
    figures = [
        (f"${flavor.dollars_an_hour:.2f}", text(language, "remote_price")),
        (
            text(language, "about", value=long_duration(estimate.seconds, language)),
            text(language, "remote_time"),
        ),
        (
            text(language, "about", value=f"${max(0.01, estimate.dollars):.2f}"),
            text(language, "remote_cost"),
        ),
        (
            f"${max(0.01, estimate.most_dollars):.2f}",
            text(language, "remote_most", minutes=estimate.limit_minutes),
        ),
    ]
    told = text(language, "remote_estimate" if has_dataset else "remote_usual")
    return tiles(figures) + f'<p class="ot-hint">{told}</p>'


def compare_words(found: list[tuple[Flavor, Estimate]], language: str) -> str:
    """Return what the run would cost on each machine, folded, the cheapest one first, as HTML."""
    names = ("remote_machine", "remote_price", "remote_long", "remote_about", "remote_limit")
    head = "".join(f"<th>{text(language, name)}</th>" for name in names)
    rows = ""
    for flavor, estimate in sorted(found, key=lambda pair: pair[1].dollars):
        cells = (
            escape(f"{flavor.name} ({flavor.card or 'CPU'})"),
            f"${flavor.dollars_an_hour:.2f}",
            escape(long_duration(estimate.seconds, language)),
            f"${max(0.01, estimate.dollars):.2f}",
            f"${max(0.01, estimate.most_dollars):.2f}",
        )
        rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    title = text(language, "remote_compare")
    return (
        f'<details class="ot-remarks"><summary>{title}</summary>'
        f'<div class="ot-machines"><table><tr>{head}</tr>{rows}</table></div></details>'
    )


def long_duration(seconds: float, language: str) -> str:
    """Return a rough length of time, in hours where they are many minutes."""
    if seconds < 2 * 3600:
        return duration(seconds, language)
    return say(language, "wait_hours", count=f"{seconds / 3600:.0f}")


def remote_words(run: Look, language: str) -> str:
    """Return on which machine of the Hub a run is, as HTML; empty if it is on none."""
    state = RemoteState.load(run.job.folder) if run.job else None
    if state is None:
        return ""
    rate = f"{state.dollars_an_hour:.2f}"
    words = text(language, "remote_on", machine=state.flavor, rate=rate)
    if state.address.startswith(("https://", "http://")):
        name = text(language, "remote_page")
        words += f' <a href="{escape(state.address)}" target="_blank" rel="noopener">{name}</a>'
    if copies := CopyState.load(run.job.folder):
        kept = f"<code>{escape(copies.place.address)}</code>"
        words += f"<br>{text(language, 'remote_copies')} {kept}"
    shown_words = f'<p class="ot-hint">{words}</p>'
    if run.active or not state.may_go_on:
        return shown_words
    return shown_words + notice(escape(say(language, "remote_unwatched")), "bad")

"""`train --on MACHINE`: what it costs, a yes or no, and the run as if it happened here."""

import sys
from dataclasses import replace
from pathlib import Path

from ocrtune import jobs
from ocrtune.config import TrainConfig
from ocrtune.console import duration
from ocrtune.dataset_files import read_build_report
from ocrtune.errors import ConfigError, JobError, TrainingError
from ocrtune.events import Emit
from ocrtune.flavors import Estimate, Flavor, estimate_run, find_flavor, remember_flavors
from ocrtune.home import home_folder
from ocrtune.hub_jobs import list_flavors
from ocrtune.hub_words import hub_error
from ocrtune.hub_writing import local_token
from ocrtune.remote import RESERVE_MINUTES, RemoteState, agree, refuse_unsendable
from ocrtune.turns import REMOTE

FOLLOW_SECONDS = 0.5
LEAST_LIMIT = 20  # minutes


def train_on(
    config: TrainConfig, machine: str, limit_minutes: int, agreed: bool, emit: Emit
) -> Path:
    """Fine-tune on a machine of the Hub, and return the adapter's folder here.

    limit_minutes: after which it ends there; 0 takes it from the estimate. agreed: nobody is asked
    whether it may cost that. Ctrl-C asks the run to stop, a second one leaves it to itself.
    """
    config = replace(
        config, data=str(Path(config.data).absolute()), output=str(Path(config.output).absolute())
    )
    refuse_unsendable(config)
    if 0 < limit_minutes < LEAST_LIMIT:
        raise ConfigError(
            f"{limit_minutes} minutes leave no time to learn: installing and sending take about "
            f"{RESERVE_MINUTES}.",
            f"Use {LEAST_LIMIT} or more.",
        )
    token = required_token()
    samples = read_build_report(config.data)["splits"].get("train", 0)
    home = home_folder()
    flavors = list_flavors(token)
    remember_flavors(home, flavors)
    flavor = find_flavor(machine, flavors)
    estimate = estimate_run(config, samples, flavor, limit_minutes=limit_minutes)
    sys.stderr.write("\n".join([*cost_lines(flavor, estimate), ""]))
    if not agreed:
        ask()
    job = jobs.create(home)
    agree(job.folder, flavor.name, estimate)
    jobs.start(job, REMOTE, config, token=token)
    follow(job, emit)
    adapter = Path(config.output) / "adapter"
    if not (adapter / "contract.json").is_file():  # stopped before there was one
        again = f"`python -m ocrtune jobs resume {job.id}` goes on with it."
        status = job.status()
        raise TrainingError(status.message if status else "The run was deleted.", again)
    return adapter


def required_token() -> str:
    """Return the token of this machine's account; a HubError if it has none."""
    token = local_token()
    if not token:
        raise hub_error("job_nobody")
    return token


def cost_lines(flavor: Flavor, estimate: Estimate) -> list[str]:
    """Return what a run will cost, as far as anybody knows."""
    card = f", {flavor.card} with {flavor.card_memory}" if flavor.card else ", without a GPU"
    return [
        f"{flavor.name} ({flavor.title}{card}): ${flavor.dollars_an_hour:.2f} an hour",
        f"Estimate, not measured: about {duration(estimate.seconds)}, ${estimate.dollars:.2f}.",
        f"It ends after {estimate.limit_minutes} minutes at the latest: "
        f"${estimate.most_dollars:.2f} at most (change that with --at-most).",
    ]


def ask() -> None:
    """Return if somebody at the terminal says yes; a JobError if not."""
    refusal = JobError("Nothing was started.", "Say yes to the cost, or add `--yes`.")
    if not sys.stdin.isatty():
        raise refusal
    sys.stderr.write("Start it, and pay for it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise refusal


def follow(job: jobs.Job, emit: Emit) -> None:
    """Tell what the job tells until it has ended; an error says why it did not end well."""
    more = f"`python -m ocrtune jobs follow {job.id}` shows how it goes on"
    sys.stderr.write(f"{more}, `jobs stop` stops it.\n")
    asked, told = False, 0
    while True:
        try:
            for number, event in enumerate(jobs.follow(job, FOLLOW_SECONDS), start=1):
                if number > told:
                    emit(event)
                    told = number
            break
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            job.stop()
            sys.stderr.write("\nAsked to stop; Ctrl-C again leaves it to itself.\n")
    status = job.status()
    state = job.state()
    if state == "failed" and status:
        raise TrainingError(status.message, "")
    if state == "lost":
        why = job.why_lost() or "Whoever watched over the run here has gone."
        again = f"`python -m ocrtune jobs resume {job.id}` follows it again."
        raise TrainingError(why, again)


def prepare_elsewhere(job: jobs.Job, agreed: bool) -> str:
    """Return the token with which a run on a machine of the Hub can go on.

    agreed: another start may be paid for, on the terms of the first. One that is under way there
    is followed again, which costs nothing more.
    """
    state = RemoteState.load(job.folder)
    if state is None:
        raise JobError("Nobody knows on which machine the run was.", "Start it again.")
    if not state.may_go_on and not state.agreed:
        most = state.limit_minutes / 60 * state.dollars_an_hour
        if not agreed:
            raise JobError(
                f"Another start on `{state.flavor}` costs ${state.dollars_an_hour:.2f} an hour, "
                f"${most:.2f} at most.",
                "Agree to that with `--yes`.",
            )
        agree(job.folder, state.flavor, Estimate(0.0, state.limit_minutes, state.dollars_an_hour))
    return required_token()
